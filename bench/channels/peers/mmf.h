/* mmf.h - what the files about mmf's own channels have in common. */
#ifndef MMF_BENCH_CHANNELS_PEERS_MMF_H
#define MMF_BENCH_CHANNELS_PEERS_MMF_H

#include <mmf/channel.h>
#include <mmf/mmf.h>

#include <stdio.h>

#include "channels/channel.h"

/* Ends the process if it is not done; `what` was to be done. */
static inline void
channel_mmf_check(int rc, const char *what)
{
    if (rc != MMF_OK)
        channel_die("bench: mmf: %s: %s", what,
                    rc < 0 ? mmf_last_message() : "timed out");
}

/* The options of one side's handle for one direction, and that direction's name. */
static inline void
channel_mmf_choose(const struct channel_job *job, enum channel_side side, int direction,
                   uint32_t flags, mmf_channel_options *options, char name[80])
{
    static const mmf_strategy strategies[] = {
        [CHANNEL_SPIN] = MMF_STRATEGY_SPIN,
        [CHANNEL_SPIN_THEN_WAIT] = MMF_STRATEGY_SPIN_THEN_WAIT,
        [CHANNEL_WAIT] = MMF_STRATEGY_WAIT,
    };

    mmf_channel_options_init(options);
    options->strategy = strategies[job->mode];
    options->role = (int)side == direction ? MMF_ROLE_SEND : MMF_ROLE_RECEIVE;
    options->flags = flags;
    snprintf(name, 80, "%s-%d", job->name, direction);
}

#endif
