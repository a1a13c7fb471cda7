/*
 * stat.h - what has happened in a channel, summed up.
 */
#ifndef MMF_SHARED_RING_STAT_H
#define MMF_SHARED_RING_STAT_H

#include <stdint.h>

#include "shared/ring/wait.h"

struct mmf_ring_totals {
    uint64_t sent;
    uint64_t received;
    uint64_t dropped;
    uint64_t lost;
    uint64_t redelivered;
    uint64_t high_water;
    uint64_t depth;
    uint32_t senders; /* living */
    uint32_t receivers;
};

/* The ref need not have joined, nor its memory be writable. */
void mmf_ring_sum_up(const struct mmf_ring *ring, const struct mmf_ring_ops *ops,
                     struct mmf_ring_totals *totals);

#endif
