/* cost.c - how long a piece of work takes, in this process. */
#include "channels/driver/cost.h"

#include <stdio.h>
#include <string.h>

#include "channels/histogram.h"
#include "channels/processes.h"
#include "channels/report/record.h"

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
