/*
 * replay.c - a fuzz target without a fuzzer: gives it the files of a corpus, and many
 * damaged copies of each (the generator is fixed, so every run is the same).
 *
 *   replay TARGET_COPIES FILE...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { LARGEST = 65536 };

static uint64_t random_state = 0x9E3779B97F4A7C15u;

/* Marsaglia's xorshift64 ("Xorshift RNGs", 2003). */
static uint64_t
next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint8_t
interesting_byte(void)
{
    static const uint8_t bytes[] = {0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF, '/'};

    return next_random() % 2 ? bytes[next_random() % sizeof(bytes)]
                             : (uint8_t)next_random();
}

static void
give_damaged(const uint8_t *bytes, size_t count)
{
    static uint8_t copy[LARGEST];
    size_t damages = 1 + next_random() % 4;

    memcpy(copy, bytes, count);
    for (size_t i = 0; i < damages; i++) {
        /* Most fields lie in front; the name and the rest are hit as well. */
        size_t range = next_random() % 4 ? (count < 128 ? count : 128) : count;

        copy[next_random() % range] = interesting_byte();
    }
    LLVMFuzzerTestOneInput(copy, next_random() % 8 ? count : next_random() % count);
}

static int
replay(const char *path, long copies)
{
    static uint8_t bytes[LARGEST];
    FILE *file = fopen(path, "rb");
    size_t count;

    if (file == NULL) {
        perror(path);
        return -1;
    }
    count = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, count);
    for (long i = 0; count > 0 && i < copies; i++)
        give_damaged(bytes, count);
    return 0;
}

int
main(int argc, char **argv)
{
    long copies = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    int files = argc - 2;

    if (files < 1) {
        fprintf(stderr, "usage: replay COPIES FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (replay(argv[i], copies) < 0)
            return 1;
    }
    printf("%d inputs and %ld damaged copies of each\n", files, copies);
    return 0;
}
