/*
 * siphash.c - SipHash-2-4-128, written from the paper's description: four words of
 * state, two rounds a message word, four to finish, eight input bytes a word in
 * little-endian order, the length in the last one's top byte.
 */
#include "base/siphash.h"

struct sip_state {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

static uint64_t
rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t
load_little_endian(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;

    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static void
store_little_endian(uint8_t *bytes, uint64_t word)
{
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(word >> (8 * i));
}

static void
run_rounds(struct sip_state *s, int rounds)
{
    while (rounds-- > 0) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate_left(s->v1, 13) ^ s->v0;
        s->v3 = rotate_left(s->v3, 16) ^ s->v2;
        s->v0 = rotate_left(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate_left(s->v1, 17) ^ s->v2;
        s->v3 = rotate_left(s->v3, 21) ^ s->v0;
        s->v2 = rotate_left(s->v2, 32);
    }
}

static void
absorb_word(struct sip_state *s, uint64_t word)
{
    s->v3 ^= word;
    run_rounds(s, 2);
    s->v0 ^= word;
}

void
mmf_siphash128(const uint8_t key[16], const void *bytes, size_t count, uint8_t out[16])
{
    const uint8_t *input = bytes;
    uint64_t k0 = load_little_endian(key, 8);
    uint64_t k1 = load_little_endian(key + 8, 8);
    size_t tail = count % 8;
    size_t whole = count - tail;
    struct sip_state s = {
        .v0 = k0 ^ 0x736f6d6570736575u,        /* "somepseudorandomlygeneratedbytes" */
        .v1 = k1 ^ 0x646f72616e646f6du ^ 0xee, /* 0xee marks the 128-bit variant */
        .v2 = k0 ^ 0x6c7967656e657261u,
        .v3 = k1 ^ 0x7465646279746573u,
    };

    for (size_t i = 0; i < whole; i += 8)
        absorb_word(&s, load_little_endian(input + i, 8));
    absorb_word(&s, load_little_endian(input + whole, tail) | (uint64_t)count << 56);

    s.v2 ^= 0xee;
    run_rounds(&s, 4);
    store_little_endian(out, s.v0 ^ s.v1 ^ s.v2 ^ s.v3);
    s.v1 ^= 0xdd;
    run_rounds(&s, 4);
    store_little_endian(out + 8, s.v0 ^ s.v1 ^ s.v2 ^ s.v3);
}
