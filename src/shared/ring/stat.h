/*
 * stat.h - what has happened in a channel, summed up.
 */
#ifndef MMF_SHARED_RING_STAT_H
#define MMF_SHARED_RING_STAT_H

#include "shared/ring/wait.h"

/* A process that takes no part counts in so many slots at most, the newest. */
#define MMF_RING_COUNTED_MOST ((uint64_t)1 << 18)

/* The handle need not have joined, nor its memory be writable. */
void mmf_ring_sum_up(const struct mmf_ring *ring, const struct mmf_ring_ops *ops,
                     mmf_channel_stats *stats);

#endif
