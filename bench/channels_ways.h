/* channels_ways.h - the ways to send that are compared, and the sizes. */
#ifndef MMF_BENCH_CHANNELS_WAYS_H
#define MMF_BENCH_CHANNELS_WAYS_H

#include "channels.h"

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
void channel_ways_tell_absent(void);

extern const size_t channel_sizes[];
extern const int channel_size_count;

/* How many messages of that size a ring has: 2 to 4 MiB of them if they are large. */
size_t channel_slots(size_t size);

/* "8 B", "64 KiB". The answer is overwritten by the fifth call after. */
const char *channel_size_name(size_t size);

#endif
