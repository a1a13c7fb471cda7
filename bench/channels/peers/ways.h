/* ways.h - the ways to send that are compared: a peer, and how it waits. */
#ifndef MMF_BENCH_CHANNELS_PEERS_WAYS_H
#define MMF_BENCH_CHANNELS_PEERS_WAYS_H

#include "channels/channel.h"

struct channel_way {
    const char *name; /* as in the tables, the goals and the records */
    const struct channel_peer *peer;
    enum channel_mode mode;
    int kill_trials; /* per cent of those asked for; at least a few. 0: none */
    int work_us;     /* what each side does before it sends; then nothing is streamed */
};

extern const struct channel_way channel_ways[];
extern const int channel_way_count;

/* 0: its peer was not installed when this was built. */
int channel_way_is_there(const struct channel_way *way);

/* Print which peers were not installed, if any. */
void channel_ways_print_absent(void);

#endif
