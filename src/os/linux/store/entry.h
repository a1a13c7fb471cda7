/*
 * entry.h - a file of the namespace: opening and checking it.
 */
#ifndef MMF_OS_LINUX_STORE_ENTRY_H
#define MMF_OS_LINUX_STORE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "os/linux/store/directory.h"
#include "os/linux/store/lock.h"
#include "shared/page/control.h"

/* A file of the namespace, opened and inspected. */
struct mmf_entry {
    int fd; /* a lock descriptor of the caller's, without a lock so far */
    bool writable;
    struct stat status;
    struct mmf_control_shared page; /* has our magic; unchecked otherwise */
    int64_t data_size;
};

/* What can be found under a path. */
enum mmf_entry_answer {
    MMF_ENTRY_FOUND = 0,
    MMF_ENTRY_NOTHING = 1,
    MMF_ENTRY_DENIED = 2, /* we may not open it */
    MMF_ENTRY_INVALID = 3 /* not a file of ours: left alone */
};

/*
 * Open `path` for writing; or else for reading, if `or_read`. Returns an
 * mmf_entry_answer, or a status with mmf_fail. DENIED and INVALID have called mmf_fail,
 * too.
 */
int mmf_entry_open(const char *path, const struct mmf_directory *directory,
                   bool or_read, struct mmf_entry *entry);

/*
 * Whether it still has a name: 1, 0, or a status with mmf_fail. A process that has seen
 * locks on it cannot tell otherwise; see lock.h.
 */
int mmf_entry_is_linked(const struct mmf_entry *entry, const char *path);

/*
 * Remove it if no other process holds it; as mmf_collect. With what was found out about
 * the file.
 */
int mmf_entry_collect(const struct mmf_entry *entry, const char *path);

/*
 * What a holder must know before it uses the object. Calls mmf_fail.
 * MMF_E_CORRUPT, MMF_E_LAYOUT, MMF_E_WRONG_KIND
 */
int mmf_entry_check(const struct mmf_entry *entry, const struct mmf_name *name,
                    uint32_t kind, const char *path);

/*
 * Open a living object of `kind` to look at it: for reading, without becoming a holder.
 * Its path is the directory's `file`. A status with mmf_fail, and then neither is to be
 * freed; as mmf_store_open, but nothing is collected.
 */
int mmf_entry_inspect(const struct mmf_name *name, uint32_t kind,
                      struct mmf_directory *directory, struct mmf_entry *entry);

/*
 * On tmpfs an object whose pages are not delayed has its memory from the start, so that
 * using it takes none, and cannot raise SIGBUS. MMF_E_CORRUPT, with mmf_fail: it has
 * holes.
 */
int mmf_entry_check_allocated(const struct stat *status, int64_t capacity,
                              const char *path);

/* What mmf_entry_open_held finds, beside statuses. */
enum mmf_held_answer {
    MMF_HELD = 0,         /* a process holds it; the entry is open */
    MMF_HELD_NOTHING = 1, /* the name is free */
    MMF_HELD_AGAIN = 2,   /* it has just been collected: try again */
    MMF_HELD_PAUSE = 3,   /* a process is collecting it: try again after a pause */
    MMF_HELD_ORPHANED =
        4 /* an orphan that only its owner may remove; mmf_fail called */
};

/*
 * Open what is under the path, if a process holds it, and hold it too, unless `hold` is
 * NULL; collect it if it is orphaned. Returns an mmf_held_answer or a status with
 * mmf_fail. The entry is closed unless the answer is MMF_HELD; then it had its name
 * when it was held.
 */
int mmf_entry_open_held(const char *path, const struct mmf_directory *directory,
                        bool or_read, struct mmf_hold *hold, struct mmf_entry *entry);

#endif
