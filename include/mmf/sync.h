/*
 * mmf/sync.h - named mutex, event and semaphore, and waits over several of them: .NET's
 * Mutex, EventWaitHandle, Semaphore and WaitHandle.
 *
 * The objects share the maps' namespace and lifetime: a name lives until its last
 * handle is closed or its last holder dies. A NULL or empty name makes an unnamed
 * object, for the threads of one process. Timeouts are milliseconds by the monotonic
 * clock; -1 waits forever, 0 polls.
 *
 * Death. If a mutex's owner dies, thread or process, by any signal, exactly one waiter
 * gets the mutex, with MMF_ABANDONED; what the mutex guards may be half done. A
 * sleeping waiter is woken within 100 ms after the kernel has closed the dead process's
 * descriptors; if another waiter was killed or stopped in the second before, it can
 * take a second. A stopped owner is not a dead owner. Events have no owner; a
 * semaphore's count that a dead process took does not come back.
 *
 * Turns: a release gives a mutex to the waiter that has slept longest, once it has slept a
 * millisecond; before that, a thread that comes may have it first.
 *
 * Signal handlers may call mmf_event_set and mmf_semaphore_release, and nothing else.
 *
 * Memory: a wait that succeeds sees everything that was written before the release or
 * set that woke it.
 *
 * Threads: many threads may use a handle at once; close each once, when no thread uses
 * it. fork: in the child all handles are dead (MMF_E_DISPOSED); close them.
 */
#ifndef MMF_SYNC_H
#define MMF_SYNC_H

#include <mmf/export.h>
#include <mmf/kind.h>

MMF_BEGIN_DECLS

typedef struct mmf_mutex mmf_mutex;
typedef struct mmf_event mmf_event;
typedef struct mmf_semaphore mmf_semaphore;

/* Any of the three, for the functions that take several. Borrowed from its handle, or
 * opened by mmf_waitable_open_existing. */
typedef struct mmf_waitable mmf_waitable;

/* The most objects that one wait can have. */
#define MMF_WAIT_MAXIMUM 64

/* Wait forever. */
#define MMF_INFINITE (-1)

/*
 * Settings of a mutex, an event or a semaphore; NULL means all defaults, and so does a
 * struct that is zero but for `size`. The rules of mmf_map_options hold.
 */
typedef struct mmf_sync_options {
    uint32_t size; /* sizeof(mmf_sync_options) */
    /*
     * 1: every user finds the name, as if it began with "Global\"; MMF_E_INVALID if it
     * begins with "Local\". 0: the prefix decides.
     */
    int32_t all_users;
    /*
     * 1: a new object is for this user alone, and one that was not made so is not
     * opened (MMF_E_WRONG_KIND): .NET 10's NamedWaitHandleOptions.CurrentUserOnly.
     * MMF_E_INVALID with all_users, or with a mode for others.
     */
    int32_t this_user_only;
    /* create: permission bits of a new object's file. 0: 0666 with all_users, else
     * 0600.
     */
    uint32_t mode;
    int32_t wait_ms;   /* open_existing: wait up to so many milliseconds for the name;
                          0: do not; -1: forever */
    uint32_t reserved; /* 0 */
} mmf_sync_options;

/* Zero `options` and set its size. */
MMF_API void mmf_sync_options_init(mmf_sync_options *options);

/*
 * _create_new makes the object; _create_or_open opens it if there is one of that kind,
 * and `*created` (NULL is allowed) is 1 if the call created it, else 0. Opening ignores
 * the initial state and counts. The caller owns `*out`.
 *
 * MMF_E_NULL        out is NULL
 * MMF_E_INVALID     all_users with a "Local\" name or with this_user_only;
 *                   this_user_only with a mode for others; unknown bytes in options
 * MMF_E_RANGE       a mode beyond 0777
 * MMF_E_EXISTS      _create_new: there is one
 * MMF_E_WRONG_KIND  the name belongs to another kind of object; or this_user_only, and
 *                   the object was not made so
 * MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG, MMF_E_NO_SPACE, MMF_E_NO_MEMORY,
 * MMF_E_ACCESS, MMF_E_BUSY, MMF_E_CORRUPT, MMF_E_LAYOUT, MMF_E_IO: as
 * mmf_map_create_or_open
 *
 * _open_existing:
 *
 * MMF_E_NULL        name or out is NULL
 * MMF_E_INVALID     empty name; as above
 * MMF_E_RANGE       wait_ms < -1
 * MMF_E_NOT_FOUND   there is no such object, also after wait_ms
 * and the others of _create_or_open but MMF_E_NO_SPACE
 */

/*
 * Mutex. A thread owns it, whichever handle of the process it used; the owner may take
 * it again, and needs as many releases.
 */

/* `initially_owned` takes effect only if the call creates the object. */
MMF_API int mmf_mutex_create_new(const char *name, int initially_owned,
                                 const mmf_sync_options *options, mmf_mutex **out);

/* Open the mutex, or create it, in one step. */
MMF_API int mmf_mutex_create_or_open(const char *name, int initially_owned,
                                     const mmf_sync_options *options, int *created,
                                     mmf_mutex **out);

/* Open the mutex; wait_ms waits for its name. */
MMF_API int mmf_mutex_open_existing(const char *name, const mmf_sync_options *options,
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

/* Release it. MMF_E_NOT_OWNER: this thread does not own it; and as above. */
MMF_API int mmf_mutex_release(mmf_mutex *mutex);

/*
 * Close the handle; NULL is allowed. A thread that owns the mutex goes on owning it
 * while other handles keep it open.
 */
MMF_API void mmf_mutex_close(mmf_mutex *mutex);

/* The handle for mmf_wait_any and its like, borrowed. NULL for NULL. */
MMF_API mmf_waitable *mmf_mutex_waitable(mmf_mutex *mutex);

/*
 * Event. A set of an AUTO_RESET event wakes the waiter that has slept longest, and is that
 * one's; a set of a MANUAL_RESET event wakes every waiter, even if a reset follows at once.
 * Without waiters, two sets are one signal.
 */
typedef enum mmf_event_mode {
    MMF_EVENT_AUTO_RESET = 0,
    MMF_EVENT_MANUAL_RESET = 1,
    MMF_EVENT_MODE_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_event_mode;

/* MMF_E_INVALID also: unknown mode. */
MMF_API int mmf_event_create_new(const char *name, int initial_state,
                                 mmf_event_mode mode, const mmf_sync_options *options,
                                 mmf_event **out);

/* Open the event, or create it, in one step. */
MMF_API int mmf_event_create_or_open(const char *name, int initial_state,
                                     mmf_event_mode mode,
                                     const mmf_sync_options *options, int *created,
                                     mmf_event **out);

/* Open the event; wait_ms waits for its name. */
MMF_API int mmf_event_open_existing(const char *name, const mmf_sync_options *options,
                                    mmf_event **out);

/* MMF_E_NULL, MMF_E_DISPOSED, MMF_E_CORRUPT. */
MMF_API int mmf_event_set(mmf_event *event);

/* End the signal: later waits sleep until the next set. Status as mmf_event_set. */
MMF_API int mmf_event_reset(mmf_event *event);

/* 0, MMF_TIMED_OUT; statuses as mmf_mutex_wait. */
MMF_API int mmf_event_wait(mmf_event *event, int32_t timeout_ms);
/* Close the handle. NULL is allowed. */
MMF_API void mmf_event_close(mmf_event *event);

/* The handle for mmf_wait_any and its like, borrowed. NULL for NULL. */
MMF_API mmf_waitable *mmf_event_waitable(mmf_event *event);

/*
 * Semaphore. A count from 0 to a maximum; a wait takes one.
 */

/* MMF_E_RANGE: initial_count < 0, maximum_count < 1; MMF_E_INVALID: initial > maximum.
 */
MMF_API int mmf_semaphore_create_new(const char *name, int32_t initial_count,
                                     int32_t maximum_count,
                                     const mmf_sync_options *options,
                                     mmf_semaphore **out);

/* Open the semaphore, or create it, in one step. */
MMF_API int mmf_semaphore_create_or_open(const char *name, int32_t initial_count,
                                         int32_t maximum_count,
                                         const mmf_sync_options *options, int *created,
                                         mmf_semaphore **out);

/* Open the semaphore; wait_ms waits for its name. */
MMF_API int mmf_semaphore_open_existing(const char *name,
                                        const mmf_sync_options *options,
                                        mmf_semaphore **out);

/*
 * Add `release_count`; `*previous` (NULL is allowed) gets the count before.
 * MMF_E_RANGE: release_count < 1. MMF_E_MAXIMUM: over the maximum; nothing has changed.
 * MMF_E_NULL, MMF_E_DISPOSED, MMF_E_CORRUPT.
 */
MMF_API int mmf_semaphore_release(mmf_semaphore *semaphore, int32_t release_count,
                                  int32_t *previous);

/* Take one from the count. 0, MMF_TIMED_OUT; statuses as mmf_mutex_wait. */
MMF_API int mmf_semaphore_wait(mmf_semaphore *semaphore, int32_t timeout_ms);
/* Close the handle. NULL is allowed. */
MMF_API void mmf_semaphore_close(mmf_semaphore *semaphore);

/* The handle for mmf_wait_any and its like, borrowed. NULL for NULL. */
MMF_API mmf_waitable *mmf_semaphore_waitable(mmf_semaphore *semaphore);

/*
 * Waits.
 */

/*
 * Open the mutex, event or semaphore `name`, whichever it is; `*kind` (NULL is allowed)
 * says which. The caller owns `*out`, for the functions below. Options and statuses as
 * any _open_existing above; MMF_E_WRONG_KIND: the name belongs to a map or a channel.
 */
MMF_API int mmf_waitable_open_existing(const char *name,
                                       const mmf_sync_options *options, mmf_kind *kind,
                                       mmf_waitable **out);

/* Close what mmf_waitable_open_existing opened. NULL is allowed. */
MMF_API void mmf_waitable_close(mmf_waitable *object);

/* Wait for one object of any kind: WaitHandle.WaitOne. Status as mmf_mutex_wait. */
MMF_API int mmf_wait_one(mmf_waitable *object, int32_t timeout_ms);

/*
 * Wait until one of `count` objects is available, and take that one: of several, the
 * lowest index. Channels can be among them (mmf_queue_waitable and its like): of such a
 * one nothing is taken. `*index` says which; an object may be given twice. WaitHandle.WaitAny.
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
 * Wait until all objects are available at the same moment, and take all; none is taken
 * before. MMF_ABANDONED: all are yours, and at least one mutex was abandoned. A process
 * killed in mid-taking has taken some. WaitHandle.WaitAll.
 *
 * MMF_E_INVALID also: the same object twice, by whatever handle. MMF_E_NOT_SUPPORTED also:
 * one is a channel. Else as mmf_wait_any.
 */
MMF_API int mmf_wait_all(mmf_waitable *const *objects, int count, int32_t timeout_ms);

/*
 * Set, or release once, `to_signal`, then wait for `to_wait_on`: two steps, not one.
 * This is the one call whose failure or timeout may leave something done: once the
 * signal is given it stays. WaitHandle.SignalAndWait.
 *
 * MMF_E_NULL, MMF_E_RANGE, MMF_E_DISPOSED  nothing was signalled
 * MMF_E_NOT_OWNER  this thread does not own the mutex to_signal; no wait was done
 * MMF_E_NOT_SUPPORTED  one is a channel; nothing was signalled
 * MMF_E_MAXIMUM    to_signal is a semaphore at its maximum; no wait was done
 * and those of mmf_wait_one, after the signal
 */
MMF_API int mmf_signal_and_wait(mmf_waitable *to_signal, mmf_waitable *to_wait_on,
                                int32_t timeout_ms);

/*
 * A descriptor that polls readable when the object may be available, for epoll, libuv,
 * glib or asyncio. It may be spuriously readable: poll, then wait with timeout 0, then
 * poll again; do nothing else with it. It is closed with the handle. From the first
 * call on, each set or release of the object costs one system call more, in every
 * process.
 *
 * MMF_E_NULL, MMF_E_DISPOSED; MMF_E_IO: no descriptor or inotify instance left;
 * MMF_E_PLATFORM: on Windows, where mmf_wait_any does it
 */
MMF_API int mmf_waitable_fd(mmf_waitable *object, int *fd);

MMF_END_DECLS

#endif
