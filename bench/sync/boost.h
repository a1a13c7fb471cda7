/* boost.h - the peer's way: Boost.Interprocess, its named_mutex. */
#ifndef MMF_BENCH_SYNC_BOOST_H
#define MMF_BENCH_SYNC_BOOST_H

#ifdef __cplusplus
extern "C" {
#endif

/* 1 if this was built with Boost; else the others do nothing, or fail. */
int boost_mutex_is_here(void);

/* Make the mutex, and keep it open; -1 and a message on standard error. */
int boost_mutex_create(const char *name);

/* Lock and unlock it `times` times. */
void boost_mutex_lock_unlock(int times);

/* Close and remove it. */
void boost_mutex_remove(const char *name);

#ifdef __cplusplus
}
#endif

#endif
