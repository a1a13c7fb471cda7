/* single.h - what one process does alone, beside memcpy. */
#ifndef MMF_BENCH_CHANNELS_DRIVER_SINGLE_H
#define MMF_BENCH_CHANNELS_DRIVER_SINGLE_H

/* One round: the costs of SINGLE_MEMCPY and its like (record.h), for each size. */
void channel_single_round(void);

#endif
