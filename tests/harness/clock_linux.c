/*
 * clock_linux.c - see clock.h.
 */
#include "harness/clock.h"

#include <time.h>

int64_t
now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void
nap_us(int64_t length)
{
    const struct timespec pause = {.tv_sec = length / 1000000,
                                   .tv_nsec = length % 1000000 * 1000};

    nanosleep(&pause, NULL);
}
