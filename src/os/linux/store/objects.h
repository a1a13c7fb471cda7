/*
 * objects.h - the named objects that this process holds.
 *
 * Handles of one process on one object share a descriptor and its lock. Everything here
 * is guarded by the process's mutex; see at_fork.c for what fork does.
 */
#ifndef MMF_OS_LINUX_STORE_OBJECTS_H
#define MMF_OS_LINUX_STORE_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "os/linux/store/lock.h"
#include "os/os.h"

/* What the table asks of this process's part of an object. */
struct mmf_object_ops {
    /* Unmap and free the part: the object is going. */
    void (*destroy)(void *part);
    /* Whether a thread of this process owns it. NULL: none can. With the mutex. */
    bool (*is_owned)(const void *part);
    /*
     * The object is gone with this process's last handle: if the calling thread owns
     * it, it owns nothing any more. True if it did. With the mutex.
     */
    bool (*disown)(void *part);
};

struct mmf_object {
    struct mmf_object *next;
    dev_t device;
    ino_t inode;
    struct mmf_hold hold;
    int fd;     /* carries the lock; views map it too, until a fork; -1 in a child */
    int map_fd; /* what views map once they are detached from `fd`; else -1 */
    int handles;
    int view_count;
    struct mmf_os_view *views;
    bool mapped;      /* a view has been made of `fd` */
    bool inheritable; /* the one handle's descriptor passes to children, lock and all */
    bool made_here;   /* this process created it: it may well be the last holder */
    uint64_t ticket;  /* sync objects and channels: ours, locked; 0: none drawn */
    /* This process's part of a sync object or a channel; both NULL until attached. */
    const struct mmf_object_ops *ops;
    void *part;
    /* From the control page, checked; they never change. */
    uint32_t kind;
    uint32_t protection;
    uint32_t flags;
    int64_t capacity;
    int64_t data_size; /* of the file, without the control page */
    char path[];
};

/* What to make an object of: a lock descriptor that holds, and what was read of it. */
struct mmf_object_request {
    const char *path;
    const struct stat *status;
    struct mmf_hold hold;
    int fd;
    bool inheritable;
    bool made_here;
    uint64_t ticket; /* already locked; 0: none */
    uint32_t kind;
    uint32_t protection;
    uint32_t flags;
    int64_t capacity;
    int64_t data_size;
};

/*
 * Enter a handle. If the process holds the object already, that one's count goes up and
 * the request's descriptor is closed. On failure (MMF_E_NO_MEMORY, MMF_E_IO) the
 * descriptor stays the caller's.
 */
int mmf_object_enter(const struct mmf_object_request *request, struct mmf_object **out);

/*
 * The same for a sync object that was made here, with the mutex, which the caller has
 * had since before the name was published: no thread of this process can have entered
 * it before. A mutex is owned through any handle; so all must be handles on one entry.
 */
int mmf_object_enter_made_locked(const struct mmf_object_request *request,
                                 struct mmf_object **out);

/* Attach this process's part, once. With the mutex. */
void mmf_object_attach_locked(struct mmf_object *object,
                              const struct mmf_object_ops *ops, void *part);

/*
 * Give up a handle. With the last one the process stops holding the object, and
 * collects it if no other process does.
 */
void mmf_object_leave(struct mmf_object *object);

/*
 * Objects whose last handle was closed while a thread of this process owned them have
 * stayed for that thread alone: those that it owns no more go now. With the mutex.
 */
void mmf_object_drop_unowned_locked(void);

/*
 * Open the object's file once more, by its name or, if that leads there no longer, by
 * the descriptor: a lock descriptor without locks, or -1 with errno. With the mutex.
 */
int mmf_object_open_again_locked(const struct mmf_object *object);

/* Why that failed, by errno; `purpose` ends the sentence "open PATH". */
int mmf_object_fail_open_again(const struct mmf_object *object, const char *purpose);

/* The descriptor to map, and adding and removing a view. With the mutex. */
int mmf_object_map_fd_locked(const struct mmf_object *object);
void mmf_object_add_view_locked(struct mmf_object *object, struct mmf_os_view *view);
void mmf_object_remove_view_locked(struct mmf_object *object, struct mmf_os_view *view);

/* The first of the table; the others by `next`. With the mutex. */
struct mmf_object *mmf_object_first_locked(void);

#endif
