/*
 * mmf/sync.h - named mutex, event and semaphore, and waits over several of them: .NET's
 * Mutex, EventWaitHandle, Semaphore and WaitHandle.
 *
 * The objects share the maps' namespace and lifetime: a name lives until its last
 * handle is closed or its last holder dies. A NULL or empty name makes an unnamed
 * object, for the threads of one process. Time-outs are milliseconds by the monotonic
 * clock; -1 waits for ever, 0 polls.
 *
 * Death. A mutex whose owner dies, thread or process, by whatever signal, goes to
 * exactly one next owner, whose wait answers MMF_ABANDONED; what the mutex guards may
 * be half done. A sleeping waiter is told within 100 ms after the kernel has closed the
 * dead process's descriptors; if another waiter was killed or stopped in the second
 * before, it can take a second. A stopped owner is not a dead owner. Events have no
 * owner; a semaphore's count taken by the dead does not come back.
 *
 * Memory: a wait that takes sees everything that was written before the release or set
 * that let it through.
 *
 * Threads: handles may be used from many threads at once; close each once, when none
 * uses it. fork: in the child all handles are dead (MMF_E_DISPOSED); close them.
 */
#ifndef MMF_SYNC_H
#define MMF_SYNC_H

#include <mmf/export.h>

MMF_BEGIN_DECLS

typedef struct mmf_mutex mmf_mutex;
typedef struct mmf_event mmf_event;
typedef struct mmf_semaphore mmf_semaphore;

/* Any of the three, for the functions that take several. Borrowed from its handle. */
typedef struct mmf_waitable mmf_waitable;

/* The most objects that one wait can have. */
#define MMF_WAIT_MAXIMUM 64

/* Wait for ever. */
#define MMF_INFINITE (-1)

/*
 * Who shares a name: .NET 10's NamedWaitHandleOptions. NULL options are .NET's older
 * constructors: the scope comes from the name's prefix ("Global\" or none), for all
 * users as far as `mode` lets them. The rules of mmf_options hold for `size`.
 */
typedef struct mmf_sync_options {
    uint32_t size;                /* sizeof(mmf_sync_options) */
    int32_t current_user_only;    /* default 1: nobody else finds the name */
    int32_t current_session_only; /* default 1: as "Local\"; 0: as "Global\" */
    uint32_t mode; /* permission bits of a new object's file; 0 means 0600 */
} mmf_sync_options;

/* Fill `options` with the defaults. */
MMF_API void mmf_sync_options_init(mmf_sync_options *options);

/*
 * For every _create below: create the object, or open it if the name is taken by one of
 * that kind; `*created_new` (NULL is allowed) tells which. Opening ignores the initial
 * state and counts. The caller owns `*out`.
 *
 * MMF_E_NULL        out is NULL
 * MMF_E_INVALID     a prefix that contradicts the options; unknown bytes in options
 * MMF_E_WRONG_KIND  the name belongs to another kind of object
 * MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG, MMF_E_NO_SPACE, MMF_E_NO_MEMORY,
 * MMF_E_ACCESS, MMF_E_BUSY, MMF_E_CORRUPT, MMF_E_LAYOUT, MMF_E_IO: as
 * mmf_create_or_open
 *
 * For every _open_existing:
 *
 * MMF_E_NULL        name or out is NULL
 * MMF_E_INVALID     empty name; as above
 * MMF_E_CANNOT_BE_OPENED  there is no such object
 * and the others of _create but MMF_E_NO_SPACE
 *
 * For every _try_open_existing: the same, but a name that is missing, has no place or
 * belongs to another kind is no failure: `*opened` and `*out` are 0 and NULL then.
 */

/*
 * Mutex. Owned by a thread, whichever handle of the process it came by; may be taken
 * again by its owner, and needs as many releases.
 */

/* `initially_owned` takes effect only if this call creates the object. */
MMF_API int mmf_mutex_create(int initially_owned, const char *name,
                             const mmf_sync_options *options, int *created_new,
                             mmf_mutex **out);
MMF_API int mmf_mutex_open_existing(const char *name, const mmf_sync_options *options,
                                    mmf_mutex **out);
MMF_API int mmf_mutex_try_open_existing(const char *name,
                                        const mmf_sync_options *options, int *opened,
                                        mmf_mutex **out);

/*
 * Own the mutex. 0: it is yours. MMF_ABANDONED: it is yours, and its last owner died
 * with it. MMF_TIMED_OUT.
 *
 * MMF_E_NULL       mutex is NULL
 * MMF_E_RANGE      timeout_ms < -1
 * MMF_E_DISPOSED   dead after fork
 * MMF_E_RECURSION  taken too often by this thread
 * MMF_E_CORRUPT    the shared words make no sense
 * MMF_E_NO_MEMORY  for this thread's record; only in its first wait
 */
MMF_API int mmf_mutex_wait(mmf_mutex *mutex, int32_t timeout_ms);

/* Give it back. MMF_E_NOT_OWNER: this thread does not own it; and as above. */
MMF_API int mmf_mutex_release(mmf_mutex *mutex);

/*
 * Close the handle; NULL is allowed. A thread that owns the mutex goes on owning it, if
 * other handles keep it alive.
 */
MMF_API void mmf_mutex_close(mmf_mutex *mutex);

/* The handle for mmf_wait_any and its like, borrowed. NULL for NULL. */
MMF_API mmf_waitable *mmf_mutex_waitable(mmf_mutex *mutex);

/*
 * Event. AUTO_RESET lets one waiter through for each set and is reset by that;
 * MANUAL_RESET lets everybody through until it is reset. Without waiters, two sets are
 * one signal.
 */
typedef int32_t mmf_event_mode;
enum { MMF_EVENT_AUTO_RESET = 0, MMF_EVENT_MANUAL_RESET = 1 };

/* MMF_E_INVALID also: no such mode. */
MMF_API int mmf_event_create(int initial_state, mmf_event_mode mode, const char *name,
                             const mmf_sync_options *options, int *created_new,
                             mmf_event **out);
MMF_API int mmf_event_open_existing(const char *name, const mmf_sync_options *options,
                                    mmf_event **out);
MMF_API int mmf_event_try_open_existing(const char *name,
                                        const mmf_sync_options *options, int *opened,
                                        mmf_event **out);

/* MMF_E_NULL, MMF_E_DISPOSED, MMF_E_CORRUPT. */
MMF_API int mmf_event_set(mmf_event *event);
MMF_API int mmf_event_reset(mmf_event *event);

/* 0, MMF_TIMED_OUT; statuses as mmf_mutex_wait. */
MMF_API int mmf_event_wait(mmf_event *event, int32_t timeout_ms);
MMF_API void mmf_event_close(mmf_event *event);
MMF_API mmf_waitable *mmf_event_waitable(mmf_event *event);

/*
 * Semaphore. A count from 0 to a maximum; a wait takes one.
 */

/* MMF_E_RANGE: initial_count < 0, maximum_count < 1; MMF_E_INVALID: initial > maximum.
 */
MMF_API int mmf_semaphore_create(int32_t initial_count, int32_t maximum_count,
                                 const char *name, const mmf_sync_options *options,
                                 int *created_new, mmf_semaphore **out);
MMF_API int mmf_semaphore_open_existing(const char *name,
                                        const mmf_sync_options *options,
                                        mmf_semaphore **out);
MMF_API int mmf_semaphore_try_open_existing(const char *name,
                                            const mmf_sync_options *options,
                                            int *opened, mmf_semaphore **out);

/*
 * Add `release_count`; `*previous` (NULL is allowed) gets the count before.
 * MMF_E_RANGE: release_count < 1. MMF_E_FULL: over the maximum; nothing has changed.
 * MMF_E_NULL, MMF_E_DISPOSED, MMF_E_CORRUPT.
 */
MMF_API int mmf_semaphore_release(mmf_semaphore *semaphore, int32_t release_count,
                                  int32_t *previous);
MMF_API int mmf_semaphore_wait(mmf_semaphore *semaphore, int32_t timeout_ms);
MMF_API void mmf_semaphore_close(mmf_semaphore *semaphore);
MMF_API mmf_waitable *mmf_semaphore_waitable(mmf_semaphore *semaphore);

/*
 * Waits.
 */

/* Wait for one object of any kind: WaitHandle.WaitOne. Status as mmf_mutex_wait. */
MMF_API int mmf_wait_one(mmf_waitable *object, int32_t timeout_ms);

/*
 * Wait until one of `count` objects can be had, and take that one: of several the
 * lowest index. `*index` tells which; an object may be named twice. WaitHandle.WaitAny.
 *
 * 0, MMF_ABANDONED (a mutex, as above), MMF_TIMED_OUT (`*index` is not written)
 * MMF_E_NULL           objects, index or one of the objects is NULL
 * MMF_E_INVALID        count < 1
 * MMF_E_NOT_SUPPORTED  count > MMF_WAIT_MAXIMUM
 * MMF_E_RANGE, MMF_E_DISPOSED, MMF_E_RECURSION, MMF_E_CORRUPT: as mmf_mutex_wait
 */
MMF_API int mmf_wait_any(mmf_waitable *const *objects, int count, int32_t timeout_ms,
                         int *index);

/*
 * Wait until all objects can be had at the same moment, and take all; none is taken
 * before. MMF_ABANDONED: all are yours, and at least one mutex was abandoned. A process
 * killed in mid-taking has taken some. WaitHandle.WaitAll.
 *
 * MMF_E_INVALID also: the same object twice, by whatever handle. Else as mmf_wait_any.
 */
MMF_API int mmf_wait_all(mmf_waitable *const *objects, int count, int32_t timeout_ms);

/*
 * Set, or release once, `to_signal`, then wait for `to_wait_on`: two steps, not one.
 * This is the one call whose failure or time-out may leave something done: once the
 * signal is given it stays. WaitHandle.SignalAndWait.
 *
 * MMF_E_NULL, MMF_E_RANGE, MMF_E_DISPOSED  nothing was signalled
 * MMF_E_NOT_OWNER  to_signal is a mutex of somebody else; no wait was done
 * MMF_E_STATE      to_signal is a semaphore at its maximum; no wait was done
 * and those of mmf_wait_one, after the signal
 */
MMF_API int mmf_signal_and_wait(mmf_waitable *to_signal, mmf_waitable *to_wait_on,
                                int32_t timeout_ms);

/*
 * A descriptor that polls readable when the object may be had, for epoll, libuv, glib
 * or asyncio. It is a hint: poll, then wait with time-out 0, then poll again; nothing
 * else may be done with it. Borrowed: it is closed with the handle. From the first call
 * on, each set or release of the object costs one system call more, in every process.
 *
 * MMF_E_NULL, MMF_E_DISPOSED; MMF_E_IO: no descriptor or inotify instance left;
 * MMF_E_PLATFORM: on Windows, where mmf_wait_any does it
 */
MMF_API int mmf_waitable_fd(mmf_waitable *object, int *fd);

MMF_END_DECLS

#endif
