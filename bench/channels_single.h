/* channels_single.h - what one process does alone, beside memcpy. */
#ifndef MMF_BENCH_CHANNELS_SINGLE_H
#define MMF_BENCH_CHANNELS_SINGLE_H

#include <stddef.h>

/*
 * One round; records "cost" for each size, in nanoseconds: memcpy; fill and sum; an
 * idle read of a latest value; publishing to 1 and to 16 subscribers.
 */
void channel_single_round(void);

/* Measure one of them: how long `work` takes, in this process. */
void channel_cost(const char *name, size_t size, void (*work)(void *context),
                  void *context);

void channel_latest_costs(size_t size, void *buffer);
void channel_topic_costs(size_t size);

#define SINGLE_MEMCPY "memcpy"
#define SINGLE_FILL_SUM "fill + sum"
#define SINGLE_LATEST_READ "mmf latest, idle read"
#define SINGLE_TOPIC_1 "mmf topic, DROP_OLDEST, 1 subscriber"
#define SINGLE_TOPIC_16 "mmf topic, DROP_OLDEST, 16 subscribers"
#define SINGLE_TOPIC_1_READING "mmf topic, DROP_OLDEST, 1 reading"
#define SINGLE_TOPIC_16_READING "mmf topic, DROP_OLDEST, 16 reading"

#endif
