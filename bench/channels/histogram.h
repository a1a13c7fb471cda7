/*
 * histogram.h - counts of durations with 128 buckets to each power of two, as
 * HdrHistogram has them: a figure is off by less than 0.8 per cent, whatever its size.
 * Debian 12 has HdrHistogram for Java and Go only.
 */
#ifndef MMF_BENCH_CHANNELS_HISTOGRAM_H
#define MMF_BENCH_CHANNELS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BITS 7
#define HISTOGRAM_STEPS (1u << HISTOGRAM_BITS)
#define HISTOGRAM_BUCKETS ((44u - HISTOGRAM_BITS + 1) * HISTOGRAM_STEPS)

struct channel_histogram {
    uint64_t total;
    uint32_t counts[HISTOGRAM_BUCKETS];
};

/* Values below 2^7 have a bucket each; then each power of two has 128 of them. */
static inline uint32_t
histogram_bucket(uint64_t value)
{
    uint32_t shift, bucket;

    if (value < HISTOGRAM_STEPS)
        return (uint32_t)value;
    shift = 63 - HISTOGRAM_BITS - (uint32_t)__builtin_clzll(value);
    bucket =
        (shift + 1) * HISTOGRAM_STEPS + (uint32_t)(value >> shift) - HISTOGRAM_STEPS;
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The middle of a bucket. */
static inline double
histogram_value(uint32_t bucket)
{
    uint32_t shift = bucket / HISTOGRAM_STEPS, step = bucket % HISTOGRAM_STEPS;

    if (shift == 0)
        return (double)step;
    return (double)((uint64_t)(HISTOGRAM_STEPS + step) << (shift - 1)) +
           (double)(1ull << (shift - 1)) / 2;
}

static inline void
histogram_add(struct channel_histogram *histogram, uint64_t value)
{
    histogram->total++;
    histogram->counts[histogram_bucket(value)]++;
}

/*
 * The value that a share of all, 0 to 1, does not exceed. A clock may go in steps that
 * are coarser than the buckets (26 ticks of the time stamp counter at once are common):
 * what one step holds is taken to lie evenly between the middles to its neighbours.
 */
static inline double
histogram_quantile(const struct channel_histogram *histogram, double share)
{
    double wanted = share * (double)histogram->total, seen = 0;
    double before = -1, from, to;

    for (uint32_t i = 0, k; i < HISTOGRAM_BUCKETS; i = k) {
        double value = histogram_value(i), count = histogram->counts[i], next = value;

        for (k = i + 1; k < HISTOGRAM_BUCKETS && histogram->counts[k] == 0; k++)
            continue;
        if (count == 0)
            continue;
        if (k < HISTOGRAM_BUCKETS)
            next = histogram_value(k);
        if (seen + count >= wanted) {
            from =
                before < 0 || value - before > value / 8 ? value : (before + value) / 2;
            to = next - value > value / 8 ? value : (value + next) / 2;
            return from + (to - from) * (wanted - seen) / count;
        }
        seen += count;
        before = value;
    }
    return 0;
}

#endif
