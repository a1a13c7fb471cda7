/*
 * signal.h - giving a signal: to the sleeper that has slept longest, or to the word;
 * taking one; and passing on one that its sleeper does not take.
 */
#ifndef MMF_SHARED_SYNC_SIGNAL_H
#define MMF_SHARED_SYNC_SIGNAL_H

#include <stdint.h>

#include "shared/sync/ops.h"
#include "shared/sync/word.h"

/* A mutex is handed to a sleeper that has slept for so long; nanoseconds. */
#define MMF_SYNC_HAND_OVER_AFTER ((int64_t)1000000)

/*
 * Release a mutex, set an event, or add `count` to a semaphore; `*previous` gets the
 * semaphore's count before. MMF_E_NOT_OWNER; MMF_E_MAXIMUM; MMF_E_CORRUPT. Takes no lock:
 * what is interrupted in it holds up no other thread, nor does what interrupts it.
 */
int mmf_sync_signal(const struct mmf_sync_ref *ref, int32_t count, int32_t *previous,
                    const struct mmf_sync_ops *ops);

/* What sleepers have been given stays theirs. MMF_E_CORRUPT. */
int mmf_sync_reset_event(const struct mmf_sync_ref *ref,
                         const struct mmf_sync_ops *ops);

/* The owner is a thread of ours that ends: free the mutex, marked abandoned; wake. */
void mmf_sync_abandon_mutex(const struct mmf_sync_ref *ref,
                            const struct mmf_sync_ops *ops);

/* Free a mutex of `dead`, marked abandoned. False: another process has done it. */
bool mmf_sync_free_from_dead(const struct mmf_sync_ref *ref, uint64_t dead,
                             const struct mmf_sync_ops *ops);

/*
 * Take what is available: in the word, as a token, or as a mutex that was handed to
 * `sleeper`, the caller's. NULL: a thread that does not sleep here.
 */
enum mmf_step mmf_sync_take(const struct mmf_sync_ref *ref,
                            const struct mmf_sync_sleeper *sleeper,
                            const struct mmf_sync_ops *ops);

/* A thread that comes now could take: no signal is a sleeper's. */
bool mmf_sync_is_available(const struct mmf_sync_ref *ref,
                           const struct mmf_sync_ops *ops);

/* Of this object a signal can be a token: it lets one thread through. */
bool mmf_sync_has_tokens(const struct mmf_sync_ref *ref);

/* A slot was seen GRANTED, and its thread does not take the signal: hand it on. */
void mmf_sync_decline(const struct mmf_sync_ref *ref, int slot, uint64_t granted,
                      const struct mmf_sync_ops *ops);

/* If the object is available, see that a sleeper probes it. */
void mmf_sync_pass_on(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops);

/* pass_on, and tell the pollers; after a change that may have made it available. */
void mmf_sync_notify(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops);

/*
 * Whether the mutex was handed to the caller; and end a hand-over to a sleeper
 * that has left. False: it was not, or the sleeper is still there.
 */
bool mmf_sync_take_handed(const struct mmf_sync_ref *ref,
                          const struct mmf_sync_sleeper *sleeper);
bool mmf_sync_end_void(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops);

#endif
