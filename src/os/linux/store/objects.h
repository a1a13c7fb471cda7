/*
 * objects.h - the named objects that this process holds.
 *
 * Handles of one process on one object share a descriptor and its lock. Everything here
 * is guarded by the claim mutex; see object.c for what fork does.
 */
#ifndef MMF_OS_LINUX_STORE_OBJECTS_H
#define MMF_OS_LINUX_STORE_OBJECTS_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/atomic.h"
#include "os/linux/store/lock.h"
#include "os/os.h"

struct mmf_channel_object;
struct mmf_sync_object;

struct mmf_object {
    struct mmf_object *next;
    char *path;
    dev_t device;
    ino_t inode;
    struct mmf_hold hold;
    int fd;     /* carries the lock; views map it too, until a fork; -1 after a fork */
    int map_fd; /* what views map once the two have been parted; else -1 */
    int handles;
    int view_count;
    struct mmf_os_view *views;
    int mapped;      /* a view has been made of `fd` */
    int inheritable; /* the one handle's descriptor passes to children, lock and all */
    int made_here;   /* this process created it: it may well be the last holder */
    int unforkable;  /* fork found no descriptor: the child gets no views of it */
    uint64_t ticket; /* sync objects and channels: ours, locked; 0: none drawn */
    struct mmf_sync_object *sync;       /* sync objects: this process's part */
    struct mmf_channel_object *channel; /* channels: the same */
    /* From the control page, checked; they never change. */
    uint32_t kind;
    uint32_t protection;
    uint32_t flags;
    int64_t capacity;
    int64_t data_size; /* of the file, without the control page */
};

/* What to make an object of: a settled claim and what was read through it. */
struct mmf_object_request {
    const char *path;
    const struct stat *status;
    struct mmf_hold hold;
    int fd;
    int inheritable;
    int made_here;
    uint64_t ticket; /* already locked; 0: none */
    uint32_t kind;
    uint32_t protection;
    uint32_t flags;
    int64_t capacity;
    int64_t data_size;
};

/*
 * Enter a handle. If the process holds the object already, that one's count goes up and
 * the request's claim is closed. On failure (MMF_E_NO_MEMORY, MMF_E_IO) the claim stays
 * the caller's.
 */
int mmf_object_enter(const struct mmf_object_request *request, struct mmf_object **out);

/*
 * The same for a sync object that was made here, with the mutex, which the caller has
 * had since before the name was published: nobody in this process can have entered it
 * before. A mutex is owned by whichever handle; so all must be handles on one entry.
 */
int mmf_object_enter_made_locked(const struct mmf_object_request *request,
                                 struct mmf_object **out);

/* Give up a handle. The last one lets go of the object, and reaps it if it was last. */
void mmf_object_leave(struct mmf_object *object);

/*
 * Open the object's file once more, by its name: a claim without locks, or -1 with
 * errno; ENOENT also if the name is another file's by now. With the mutex.
 */
int mmf_object_open_again_locked(const struct mmf_object *object);

/* Why that failed, by errno; `purpose` ends the sentence "open PATH". */
int mmf_object_fail_open_again(const struct mmf_object *object, const char *purpose);

/*
 * The last handle of a mutex that a thread of ours owns was closed before: the thread
 * owns it no more. Does nothing if there are handles. With the mutex.
 */
void mmf_object_drop_lingering_locked(struct mmf_object *object);

/* 1 if the object's claim was lost to a fork. */
int mmf_object_is_dead(const struct mmf_object *object);

/* A view's part: the descriptor to map, and taking the view up or out. With the mutex.
 */
int mmf_object_map_fd_locked(const struct mmf_object *object);
void mmf_object_add_view_locked(struct mmf_object *object, struct mmf_os_view *view);
void mmf_object_remove_view_locked(struct mmf_object *object, struct mmf_os_view *view);

/* Once per process, before the first claim: see to fork. 0, or -1 with errno. */
int mmf_object_watch_forks(void);

/* This process's id, without a system call. After mmf_object_watch_forks. */
pid_t mmf_object_process_id(void);

/* mmf_os_forks, now. */
static inline uint32_t
mmf_object_generation(void)
{
    return mmf_load_relaxed_u32(&mmf_os_forks);
}

#endif
