/*
 * entry.h - a file of the namespace: looking at it, checking it, reaping it.
 */
#ifndef MMF_OS_LINUX_STORE_ENTRY_H
#define MMF_OS_LINUX_STORE_ENTRY_H

#include <stdint.h>
#include <sys/stat.h>

#include "os/linux/store/directory.h"
#include "shared/page/control.h"

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
 * Whether it has a name still: 1, 0, or a status with mmf_fail. Who has seen locks on
 * it, or holds it, cannot tell otherwise; see lock.h.
 */
int mmf_store_is_linked(const struct mmf_store_file *file, const char *path);

/*
 * Remove the name `path` if it is still the file that `fd` is, and nobody else holds
 * it. MMF_LOCK_DONE: removed, or no longer there, and the description keeps the
 * reaper's lock; MMF_LOCK_BUSY: somebody is there; -1 with errno: it has no locks.
 */
int mmf_store_reap(int fd, const char *path, dev_t device, ino_t inode);

/* The same from a path alone, with the claim mutex. */
void mmf_store_reap_path_locked(const char *path, dev_t device, ino_t inode);

/* The same with what is known of the file. */
int mmf_store_reap_file(const struct mmf_store_file *file, const char *path);

/*
 * Reap a dead object, or say why not: a status with mmf_fail, MMF_E_ACCESS if it is
 * another user's. 0: gone; 1: somebody is there now, try again after a pause.
 */
int mmf_store_reap_dead(const struct mmf_store_file *file, const char *path);

/*
 * What a holder must know before it uses the object. Calls mmf_fail.
 * MMF_E_CORRUPT, MMF_E_LAYOUT, MMF_E_WRONG_KIND
 */
int mmf_store_check(const struct mmf_store_file *file, const struct mmf_name *name,
                    uint32_t kind, const char *path);

#endif
