/*
 * single.c - costs of one process alone: copying, filling and reading memory, and mmf.
 */
#include "channels/driver/single.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "channels/channel.h"
#include "channels/driver/cost.h"
#include "channels/driver/cost_mmf.h"
#include "channels/processes.h"
#include "channels/report/record.h"
#include "channels/sizes.h"

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
