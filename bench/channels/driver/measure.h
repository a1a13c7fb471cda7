/* measure.h - one measurement with two processes, and how they are pinned. */
#ifndef MMF_BENCH_CHANNELS_DRIVER_MEASURE_H
#define MMF_BENCH_CHANNELS_DRIVER_MEASURE_H

#include <stdint.h>

#include "channels/channel.h"
#include "channels/histogram.h"

struct channel_plan {
    int round_trips; /* 0: none; a tenth more warm up */
    int stream_ms;   /* 0: no stream */
    int work_us;     /* between a message and its reply; not counted in a round trip */
};

struct channel_result {
    struct channel_histogram round_trips; /* in ticks */
    uint64_t messages;                    /* of the stream */
    int64_t stream_ns;
    /* two cache lines to and fro: before, between round trips and stream, after */
    double raw_ns[3];
};

/* -1 and a line on standard error if it fails, or does not end. */
int channel_measure(const struct channel_peer *peer, struct channel_job *job,
                    const struct channel_plan *plan, struct channel_result *result);

#endif
