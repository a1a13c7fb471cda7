/* cost.h - how long a piece of work takes, in this process. */
#ifndef MMF_BENCH_CHANNELS_DRIVER_COST_H
#define MMF_BENCH_CHANNELS_DRIVER_COST_H

#include <stddef.h>

/* Measure `work` and record it as "cost" of `name`, in nanoseconds. */
void channel_cost(const char *name, size_t size, void (*work)(void *context),
                  void *context);

#endif
