/*
 * channels_single.c - costs that one process has by itself: copying, filling and
 * reading memory; what channels_latest.c and channels_topic.c have beside that.
 */
#include "channels_single.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "channels_slot.h"
#include "channels_record.h"
#include "channels_ways.h"

enum { SAMPLES = 200 };

static void
note_cost(const char *name, size_t size, const struct channel_histogram *costs,
          int times)
{
    struct channel_record record = {.size = size};

    snprintf(record.way, sizeof(record.way), "%s", name);
    snprintf(record.what, sizeof(record.what), "cost");
    record.values[TRIP_P50] =
        histogram_quantile(costs, 0.5) * channel_ns_per_tick() / times;
    record.values[TRIP_P99] =
        histogram_quantile(costs, 0.99) * channel_ns_per_tick() / times;
    channel_record_add(&record);
}

/* Each sample is of several times, so that the clock does not count. */
void
channel_cost(const char *name, size_t size, void (*work)(void *context), void *context)
{
    static struct channel_histogram costs;
    int times = size > 65536 ? 1 : size > 1024 ? 4 : 200;

    memset(&costs, 0, sizeof(costs));
    for (int i = 0; i < SAMPLES + SAMPLES / 10; i++) {
        uint64_t start = channel_ticks();

        for (int k = 0; k < times; k++)
            work(context);
        if (i >= SAMPLES / 10)
            histogram_add(&costs, channel_ticks() - start);
    }
    note_cost(name, size, &costs, times);
}

/*
 * Memory. The source of the copy is shared memory, as a latest value is.
 */

struct memory {
    void *from, *to;
    size_t size;
};

static void
copy_memory(void *context)
{
    struct memory *memory = context;

    memcpy(memory->to, memory->from, memory->size);
    BENCH_USED(memory->to);
}

static void
fill_and_sum(void *context)
{
    struct memory *memory = context;
    uint64_t sum;

    channel_fill(memory->from, memory->size, 1);
    BENCH_USED(memory->from);
    sum = channel_sum(memory->from, memory->size);
    BENCH_USED(sum);
}

/* On the processor where A sits in the other measurements. */
static void
measure_size(size_t size)
{
    struct memory memory = {bench_share(size), channel_memory(size), size};

    memset(memory.from, 1, size);
    memset(memory.to, 1, size);
    channel_cost(SINGLE_MEMCPY, size, copy_memory, &memory);
    channel_cost(SINGLE_FILL_SUM, size, fill_and_sum, &memory);
    channel_latest_costs(size, memory.to);
    channel_topic_costs(size);
    munmap(memory.from, size);
    free(memory.to);
}

void
channel_single_round(void)
{
    channel_pin(SIDE_A);
    for (int i = 0; i < channel_size_count; i++)
        measure_size(channel_sizes[i]);
    bench_leave_processor();
}
