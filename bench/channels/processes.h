/* processes.h - the two processors, the clock of the round trips, and child processes. */
#ifndef MMF_BENCH_CHANNELS_PROCESSES_H
#define MMF_BENCH_CHANNELS_PROCESSES_H

#include <stdint.h>
#include <sys/types.h>

#include "channels/channel.h"

/* The two processors; ends this process if it may not use two. */
void channel_choose_processors(void);
void channel_pin(enum channel_side side);

/* The clock of the round trips. */
uint64_t channel_ticks(void);
double channel_ns_per_tick(void);

/*
 * Start a process that ends with this one. `work` runs in it, and then it ends with 0.
 * channel_await waits `timeout_ms` for its end, then kills it; 0 if it ended with 0.
 */
pid_t channel_start(void (*work)(void *context), void *context);
int channel_await(pid_t process, int timeout_ms);

#endif
