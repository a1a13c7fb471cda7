/* sync.h - the parts of the benchmark of mutex, event and semaphore. */
#ifndef MMF_BENCH_SYNC_SYNC_H
#define MMF_BENCH_SYNC_SYNC_H

/* No other process wants the object. */
void sync_compare_uncontended(void);

/* Two processes on two processors wake each other in turn. */
void sync_compare_ping_pong(void);

/* From the set of an event to the end of the wait that it ends. */
void sync_compare_wakes(void);

/* From an owner's death to the end of the wait for its mutex. */
void sync_compare_contending(void);
void sync_measure_deaths(void);

/* What waiting costs the processors. */
void sync_measure_sleepers(void);

#endif
