/*
 * store.h - how a name is made, found and removed: the protocol on the files.
 */
#ifndef MMF_OS_LINUX_STORE_H
#define MMF_OS_LINUX_STORE_H

#include <stdint.h>

#include "os/linux/object.h"
#include "os/linux/place.h"
#include "shared/control.h"

/* What to create: the control page's contents and the data's size and first bytes. */
struct mmf_store_request {
    const struct mmf_name *name;
    uint32_t kind;
    int64_t capacity;
    int64_t data_size;      /* bytes to reserve at offset 0 */
    const void *first_data; /* written at offset 0; may be NULL */
    int64_t first_data_size;
    uint32_t protection;
    uint32_t flags;
    const void *state; /* for the control page; may be NULL */
    size_t state_size;
    uint64_t ticket; /* the creator's, which is locked; 0: it draws none */
    uint32_t mode;   /* permission bits, exactly */
    int delay_allocate;
    int inheritable;
};

/* Create a new object. MMF_E_EXISTS, MMF_E_WRONG_KIND if the name is taken. */
int mmf_store_create(const struct mmf_store_request *request, struct mmf_object **out);

/* Open a living object of `kind`. MMF_E_NOT_FOUND. */
int mmf_store_open(const struct mmf_name *name, uint32_t kind, int writable,
                   int inheritable, struct mmf_object **out);

/*
 * A file of the namespace, opened and looked at. `fd` is a claim of the caller's, with
 * no lock.
 */
struct mmf_store_file {
    int fd;
    int writable;
    struct stat status;
    struct mmf_control_shared page; /* has our magic; unchecked otherwise */
    int64_t data_size;
};

/* What can be found under a path. */
enum mmf_store_answer {
    MMF_STORE_FOUND = 0,
    MMF_STORE_NOTHING = 1,
    MMF_STORE_DENIED = 2, /* we may not open it */
    MMF_STORE_FOREIGN = 3 /* no file of ours: left alone */
};

/*
 * Open `path` for writing, else for reading if `or_read`. Answers an mmf_store_answer;
 * or a status with mmf_fail. DENIED and FOREIGN have called mmf_fail, too.
 */
int mmf_store_look(const char *path, const struct mmf_place *place, int or_read,
                   struct mmf_store_file *file);

/*
 * Remove the name `path` if it is still the file that `fd` is, and nobody enters or
 * holds it. MMF_LOCK_DONE: removed, or no longer there, and the description keeps the
 * reaper's lock; MMF_LOCK_BUSY: somebody is there; -1 with errno: it has no locks.
 */
int mmf_store_reap(int fd, const char *path, dev_t device, ino_t inode);

/* The same from a path alone, with the claim mutex. */
void mmf_store_reap_path_locked(const char *path, dev_t device, ino_t inode);

#endif
