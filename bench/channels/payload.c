/*
 * payload.c - writing and reading long payloads, as fast as a compiler can:
 * compiled twice where the loader can choose by what the processor has.
 */
#include "channels/channel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__x86_64__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

WIDE void
channel_fill_long(channel_word *words, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++)
        words[i] = seed + i;
}

WIDE uint64_t
channel_sum_long(const channel_word *words, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += words[i];
    return sum;
}

void
channel_die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _Exit(1);
}

void *
channel_memory(size_t size)
{
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);

    if (memory == NULL)
        channel_die("bench: no memory");
    return memory;
}
