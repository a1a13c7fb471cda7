/* cost_mmf.h - what one process pays for mmf alone. */
#ifndef MMF_BENCH_CHANNELS_DRIVER_COST_MMF_H
#define MMF_BENCH_CHANNELS_DRIVER_COST_MMF_H

#include <stddef.h>

/* `buffer` has at least `size` bytes. */
void channel_latest_costs(size_t size, void *buffer);
void channel_topic_costs(size_t size);

#endif
