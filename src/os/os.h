/*
 * os.h - what a platform implements for the objects.
 *
 * Callers have checked the arguments by .NET's rules: names are parsed, sizes positive,
 * enumerations in range, out pointers not NULL. Functions answer a status; on failure
 * they have called mmf_fail with the system's error, and changed nothing. They never
 * wait for another process longer than the timeout they were given, or without one than
 * MMF_OS_BACKOFF_MS.
 */
#ifndef MMF_OS_OS_H
#define MMF_OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mmf/list.h>
#include <mmf/map.h>
#include <mmf/sync.h>
#include <mmf/view.h>

#include "base/access.h"
#include "base/atomic.h"
#include "base/backoff.h"
#include "base/name.h"

/* How long a stopped process may make a create or an open wait. */
#define MMF_OS_BACKOFF_MS 2000

/* What differs between platforms in numbers. */
struct mmf_os_limits {
    int64_t page_size;
    int64_t granularity;   /* what a mapping's offset is aligned to */
    int64_t address_space; /* no view can be this large */
    int64_t capacity_unit; /* a map's capacity is rounded up to a multiple of it */
};

struct mmf_os_limits mmf_os_limits(void);

/*
 * Time and chance.
 */

/*
 * Where a thread that pthread_cancel was called for may end: at the start of calls that
 * wait or open, before anything was done. Nowhere else: see os/linux/sys/sys.c.
 */
void mmf_os_cancellation_point(void);

/* The monotonic clock, nanoseconds. */
int64_t mmf_os_now(void);

/* The same in the system's steps of some milliseconds, in a fraction of the time; on
 * Windows since another moment than mmf_os_now. */
int64_t mmf_os_now_roughly(void);

/* Sleep; a signal may end it early. */
void mmf_os_sleep(int64_t nanoseconds);

/* Fill `bytes` with random numbers that cannot be guessed. MMF_E_IO. */
int mmf_os_random(void *bytes, size_t size);

/* Pause before the next try. false: the deadline has come, and there was no pause. */
static inline bool
mmf_os_pause(struct mmf_backoff *backoff)
{
    int64_t pause = mmf_backoff_next(backoff, mmf_os_now());

    if (pause > 0)
        mmf_os_sleep(pause);
    return pause > 0;
}

/*
 * Parse `given`, which is not NULL, by the system's own rules for what may stand behind
 * the prefix. `parameter` is its argument name for messages.
 *
 * MMF_E_INVALID  empty, or nothing behind the prefix; no text the system can have
 * MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG
 */
int mmf_os_name_parse(const char *given, const char *parameter, struct mmf_name *name);

/*
 * Named objects: for each kind there is a call that only creates and one that only
 * opens. create: MMF_E_EXISTS if the name is taken by an object of the kind, and
 * MMF_E_WRONG_KIND if by one of another kind; also if that object may not be opened.
 * open: MMF_E_NOT_FOUND, MMF_E_WRONG_KIND. create_or_open.c puts them
 * together.
 */

/*
 * Sections: named, unnamed or file-backed bytes, and the handle on them.
 */
struct mmf_os_section;

/* What a creator asks for. */
struct mmf_os_request {
    const struct mmf_name *name; /* NULL: unnamed */
    int64_t capacity;
    mmf_access access;
    mmf_inheritability inheritability;
    int delay_allocate;
    uint32_t mode; /* permission bits, exactly */
};

int mmf_os_section_create(const struct mmf_os_request *request,
                          struct mmf_os_section **out);

/* For `needs` (MMF_CAN_...). */
int mmf_os_section_open(const struct mmf_name *name, uint32_t needs,
                        mmf_inheritability inheritability, struct mmf_os_section **out);

/* A handle that a parent process left to this one. */
int mmf_os_section_adopt(intptr_t handle, uint32_t needs,
                         mmf_inheritability inheritability,
                         struct mmf_os_section **out);

/* Close the handle; views stay. */
void mmf_os_section_close(struct mmf_os_section *section);

int64_t mmf_os_section_capacity(const struct mmf_os_section *section);

/*
 * What the section's creator gave it (MMF_CAN_...): everything where the system does
 * not tell, and refuses itself (MMF_E_IO) when a view is made.
 */
uint32_t mmf_os_section_given(const struct mmf_os_section *section);

/* MMF_E_DISPOSED in a forked child that did not inherit the handle; else MMF_OK. */
int mmf_os_section_check_alive(const struct mmf_os_section *section);

/* The system's handle. The section is alive. */
intptr_t mmf_os_section_handle(const struct mmf_os_section *section);

/*
 * Files to make sections of.
 */
struct mmf_os_file;

/*
 * Open `path` for `access` (READ, READ_EXECUTE: for reading; else for both). Append and
 * Truncate were refused before.
 */
int mmf_os_file_open(const char *path, mmf_file_mode mode, mmf_access access,
                     mmf_file_share share, struct mmf_os_file **out);

/* Use `handle`, which stays the caller's until mmf_os_section_from_file succeeds. */
int mmf_os_file_wrap(intptr_t handle, struct mmf_os_file **out);

/* The system's handle behind a C descriptor. MMF_E_PLATFORM where they differ. */
int mmf_os_handle_of_fd(int fd, intptr_t *handle);

/*
 * The file's length. `*sized` is 0 for devices, whose length says nothing.
 * MMF_E_NOT_SUPPORTED for pipes and sockets.
 */
int mmf_os_file_length(const struct mmf_os_file *file, int64_t *length, int *sized);

/* Close a file that became no section; remove it if mmf_os_file_open made it. */
void mmf_os_file_abandon(struct mmf_os_file *file);

/*
 * Make a section of `file`, growing it to the capacity if need be; on success the
 * section owns the file. `leave_open`: a wrapped descriptor stays open afterwards.
 */
int mmf_os_section_from_file(struct mmf_os_file *file,
                             const struct mmf_os_request *request, int leave_open,
                             struct mmf_os_section **out);

/*
 * Views. `offset` is a multiple of the granularity, offset + length lies in the
 * section.
 */
struct mmf_os_view {
    void *base;
    int64_t length;
    int writes_back;          /* changes go to a file */
    int64_t around[2];        /* Linux: bytes mapped before and behind it */
    struct mmf_os_view *next; /* the back end's list of the object's views */
    void *owner;
};

int mmf_os_view_map(struct mmf_os_section *section, int64_t offset, int64_t length,
                    mmf_access access, struct mmf_os_view *view);

/*
 * Do for a view, mapped with `access`, what one flag asks for: MMF_VIEW_POPULATE, _LOCK
 * or _HUGE_PAGES. MMF_E_NOT_SUPPORTED, MMF_E_NO_MEMORY.
 */
int mmf_os_view_apply(const struct mmf_os_section *section,
                      const struct mmf_os_view *view, mmf_access access,
                      mmf_view_flags flag);

/* Write changed pages to their file. */
int mmf_os_view_flush(const struct mmf_os_view *view);

void mmf_os_view_unmap(struct mmf_os_view *view);

/*
 * Mutexes, events, semaphores.
 */
struct mmf_os_sync;

/* What a creator asks for. */
struct mmf_os_sync_request {
    const struct mmf_name *name; /* NULL: unnamed */
    mmf_kind kind;
    int initially_owned; /* mutex: by the calling thread */
    int signalled;       /* event */
    int manual;          /* event */
    int32_t initial;     /* semaphore */
    int32_t maximum;     /* semaphore */
    uint32_t mode;       /* permission bits, exactly */
};

int mmf_os_sync_create(const struct mmf_os_sync_request *request,
                       struct mmf_os_sync **out);

int mmf_os_sync_open(const struct mmf_name *name, mmf_kind kind,
                     struct mmf_os_sync **out);

void mmf_os_sync_close(struct mmf_os_sync *sync);

/* MMF_E_DISPOSED in a forked child. */
int mmf_os_sync_check_alive(const struct mmf_os_sync *sync);

/* 1: both are handles on one object. */
int mmf_os_sync_is_same(const struct mmf_os_sync *one, const struct mmf_os_sync *other);

/*
 * Waits. Timeouts are milliseconds, -1 forever. Statuses as in mmf/sync.h. For any
 * and all the handles are alive, and for all, no object is there twice.
 */
int mmf_os_sync_wait(struct mmf_os_sync *sync, int32_t timeout_ms);

struct mmf_ring_ops;

/*
 * Channels that a wait for any waits for beside the objects, by their doorbells. `is_over`
 * is asked before each sleep. True: one has a message, and the wait has timed out. False:
 * the doorbells are marked, `expected` has their values, and the sleep ends when one is
 * rung, after MMF_RING_TICK at the latest.
 */
struct mmf_os_doorbell {
    const struct mmf_ring_ops *ops;
    mmf_atomic_u32 *word;
    uint32_t expected;
};

struct mmf_os_beside {
    bool (*is_over)(void *context);
    void *context;
    int count;
    struct mmf_os_doorbell doorbells[MMF_WAIT_MAXIMUM];
};

/* `beside` NULL: no channel; else `count` may be 0. */
int mmf_os_sync_wait_any(struct mmf_os_sync *const *syncs, int count,
                         struct mmf_os_beside *beside, int32_t timeout_ms, int *index);
int mmf_os_sync_wait_all(struct mmf_os_sync *const *syncs, int count,
                         int32_t timeout_ms);

/*
 * A wait for one object and these look themselves whether the handle is alive: the
 * usual call is to be short.
 */

/* MMF_E_NOT_OWNER. */
int mmf_os_mutex_release(struct mmf_os_sync *mutex);
int mmf_os_event_set(struct mmf_os_sync *event);
int mmf_os_event_reset(struct mmf_os_sync *event);

/* MMF_E_MAXIMUM. */
int mmf_os_semaphore_release(struct mmf_os_sync *semaphore, int32_t count,
                             int32_t *previous);

/*
 * Signal the one, of kind `kind`, then wait for the other; both are alive.
 * MMF_E_MAXIMUM: the semaphore to signal is at its maximum.
 */
int mmf_os_sync_signal_and_wait(struct mmf_os_sync *to_signal, mmf_kind kind,
                                struct mmf_os_sync *to_wait_on, int32_t timeout_ms);

/*
 * A descriptor that polls readable when the object may be available. MMF_E_PLATFORM
 * where there is no such thing.
 */
int mmf_os_sync_poll_fd(struct mmf_os_sync *sync, int *fd);

/*
 * Channels: an object whose data is a ring of slots (shared/ring_shape.h).
 */
struct mmf_ring;
struct mmf_ring_shape;

/* A handle; what is in here is for the channels' hot calls, and never changes. */
struct mmf_os_channel {
    struct mmf_ring *ring; /* the handle's private side, which has not joined yet */
    const struct mmf_ring_ops *ops;
    uint32_t forks_before; /* mmf_os_forks at the opening; another number now: dead */
    int may_write_slots;
};

/* What a creator asks for. */
struct mmf_os_channel_request {
    const struct mmf_name *name;
    mmf_kind kind;
    const struct mmf_ring_shape *shape;
    uint32_t mode;        /* permission bits, exactly */
    int only_reads_slots; /* map the slots read-only, where the pages allow it */
};

/* Bytes that a channel takes, with what the platform adds. */
int64_t mmf_os_channel_size(const struct mmf_ring_shape *shape);

int mmf_os_channel_create(const struct mmf_os_channel_request *request,
                          struct mmf_os_channel **out);

/* Shape and mode are not used; the ring has the shape that the creator chose. */
int mmf_os_channel_open(const struct mmf_os_channel_request *request,
                        struct mmf_os_channel **out);

/* Open to inspect it: nothing is writable, the handle takes no part. */
int mmf_os_channel_inspect(const struct mmf_name *name, mmf_kind kind,
                           struct mmf_os_channel **out);

/* Copy `count` bytes from byte `at` of the ring's data on, of its head or of its slots,
 * which others may be writing. `channel` is from mmf_os_channel_inspect. */
int mmf_os_channel_read(struct mmf_os_channel *channel, uint64_t at, void *into,
                        size_t count);

/* Close. The ring was left before, unless the handle is dead after a fork. */
void mmf_os_channel_close(struct mmf_os_channel *channel);

/* Calls mmf_fail: the handle is a forked child's copy. */
int mmf_os_channel_fail_dead(void);

/* How many forks lie between this process and the program's start. */
extern mmf_atomic_u32 mmf_os_forks;

static inline int
mmf_os_channel_is_alive(const struct mmf_os_channel *channel)
{
    return mmf_load_relaxed_u32(&mmf_os_forks) == channel->forks_before;
}

static inline int
mmf_os_channel_check_alive(const struct mmf_os_channel *channel)
{
    return mmf_os_channel_is_alive(channel) ? 0 : mmf_os_channel_fail_dead();
}

/*
 * A descriptor that polls readable when a message may be there; readable at first.
 * MMF_E_PLATFORM where there is no such thing.
 */
int mmf_os_channel_poll_fd(struct mmf_os_channel *channel, int *fd);

/*
 * For a handle with such a descriptor: take the hints so far; 1 if a participant may
 * have died just now. And afterwards, if there may be more, give one.
 */
int mmf_os_channel_consume(struct mmf_os_channel *channel);
void mmf_os_channel_rearm(struct mmf_os_channel *channel);

/* Something to take, or a dead participant or owner that a wait would find; the handle is
 * alive. */
bool mmf_os_sync_is_available(struct mmf_os_sync *sync);

/*
 * A poller: one descriptor for what makes many objects' own ones readable.
 */
struct mmf_os_poller;

/* What to watch: a counter, or the open `file`, which had `path`. */
struct mmf_os_watch {
    int counter; /* -1: none */
    int file;
    const char *path;
};

/* From now on signals and messages notify. */
int mmf_os_sync_watch(struct mmf_os_sync *sync, struct mmf_os_watch *watch);
int mmf_os_channel_watch(struct mmf_os_channel *channel, struct mmf_os_watch *watch);

int mmf_os_poller_create(struct mmf_os_poller **out);
void mmf_os_poller_close(struct mmf_os_poller *poller);
int mmf_os_poller_fd(const struct mmf_os_poller *poller);

/* `*key`, not 0, is what mmf_os_poller_next answers for it; the same for the same file. */
int mmf_os_poller_add(struct mmf_os_poller *poller, const struct mmf_os_watch *watch,
                      int *key);
void mmf_os_poller_remove(struct mmf_os_poller *poller, int key);

/*
 * Use up what made it readable. False: nothing more. `*may_be_dead`: a participant may.
 * `*key` 0: the system has lost what more there was, of any object.
 */
bool mmf_os_poller_next(struct mmf_os_poller *poller, int *key, bool *may_be_dead);

/* It is to be readable at that time. */
int mmf_os_poller_again(struct mmf_os_poller *poller, int64_t at);

/*
 * The namespace.
 */

/* Takes one object's description; strings are borrowed for the call. < 0 ends. */
typedef int (*mmf_os_visitor)(void *payload, const mmf_object_info *info);

/* Whether this user made the object, as far as the system tells; else true. */
bool mmf_os_is_own(const mmf_object_info *info);

/* Collect what is orphaned unless MMF_LIST_KEEP_ORPHANED, and show each file left. */
int mmf_os_names_visit(mmf_list_flags flags, mmf_os_visitor visitor, void *payload);

/* Collect the orphaned; with MMF_LIST_KEEP_ORPHANED only count them. */
int mmf_os_names_collect(mmf_list_flags flags, mmf_gc_result *result);

#endif
