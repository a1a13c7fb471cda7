/* channels_slot.h - one measurement with two processes, and how they are pinned. */
#ifndef MMF_BENCH_CHANNELS_SLOT_H
#define MMF_BENCH_CHANNELS_SLOT_H

#include <stdint.h>
#include <sys/types.h>

#include "channels.h"
#include "channels_histogram.h"

struct channel_plan {
    int round_trips; /* 0: none; a tenth more warm up */
    int stream_ms;   /* 0: no stream */
    int work_us;     /* between a message and its answer; a round trip is without it */
};

struct channel_result {
    struct channel_histogram round_trips; /* in ticks */
    uint64_t messages;                    /* of the stream */
    int64_t stream_ns;
    /* two cache lines to and fro: before, between round trips and stream, after */
    double raw_ns[3];
};

/* The two processors; ends this process if it may not use two. */
void channel_choose_processors(void);
void channel_pin(enum channel_side side);

/* The clock of the round trips. */
uint64_t channel_ticks(void);
double channel_ns_per_tick(void);

/*
 * Start a process that ends with this one. `work` runs in it, and then it ends with 0.
 * Wait for it until so many milliseconds from now, then kill it: 0 if it ended with 0.
 */
pid_t channel_start(void (*work)(void *context), void *context);
int channel_await(pid_t process, int timeout_ms);

/* -1 and a line on standard error if it cannot be, or does not end. */
int channel_measure(const struct channel_peer *peer, struct channel_job *job,
                    const struct channel_plan *plan, struct channel_result *result);

#endif
