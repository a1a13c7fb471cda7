/* sizes.h - the sizes of messages that are measured. */
#ifndef MMF_BENCH_CHANNELS_SIZES_H
#define MMF_BENCH_CHANNELS_SIZES_H

#include <stddef.h>

extern const size_t channel_sizes[];
extern const int channel_size_count;

/* How many messages of that size a ring has: 2 to 4 MiB of them if they are large. */
size_t channel_slots(size_t size);

/* "8 B", "64 KiB". The fifth call after this one overwrites the text. */
const char *channel_size_name(size_t size);

#endif
