/*
 * mmf/list.h - the named objects that there are, and removal of orphaned ones. For
 * tools.
 */
#ifndef MMF_LIST_H
#define MMF_LIST_H

#include <mmf/channel.h>
#include <mmf/export.h>
#include <mmf/kind.h>

MMF_BEGIN_DECLS

/* The state of a file in the namespace. */
typedef enum mmf_object_status {
    MMF_OBJECT_IN_USE = 1, /* a process keeps it open */
    MMF_OBJECT_ORPHANED =
        2, /* no process does; the next mmf call of a user who may removes it */
    MMF_OBJECT_INVALID = 3,      /* not an mmf object, or damaged; left alone */
    MMF_OBJECT_INACCESSIBLE = 4, /* another user's, and not readable for this one */
    MMF_OBJECT_STATUS_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_object_status;

/*
 * What state a mutex, an event or a semaphore was in when it was inspected. No
 * process is asked and nothing is locked, so it may be out of date at once.
 */
typedef struct mmf_sync_info {
    int32_t signalled; /* 1: a wait would have succeeded */
    int32_t count;     /* semaphore: what is left; mutex: how often its owner has it */
    int32_t maximum;   /* semaphore */
    int32_t manual_reset; /* event: 1 if it wakes every waiter until it is reset */
    /* mutex: 1 if its last owner died; the next wait returns MMF_ABANDONED */
    int32_t abandoned;
    int32_t owned;     /* mutex: 1 if a living thread owns it */
    int32_t owner_pid; /* mutex, with MMF_LIST_HOLDERS: the owner; 0 if not seen */
    int32_t waiters;   /* 1: a thread may be waiting */
    int32_t corrupt;   /* 1: the shared words are invalid; ignore the rest */
    uint32_t reserved[7];
} mmf_sync_info;

/* A process that holds an object. */
typedef struct mmf_holder_info {
    const char *command; /* the program's name, as the system has it */
    int32_t pid;         /* as this process sees it */
    uint32_t user;       /* its effective user id */
    int32_t read_only;   /* 1: it may only read the object */
    int32_t stopped;     /* 1: by a signal or a debugger; the object stays in use */
    uint64_t reserved[4];
} mmf_holder_info;

/* One object. Pointers are borrowed from the list. A later version appends fields. */
typedef struct mmf_object_info {
    const char
        *name; /* "Cat", "Global\Cat"; INVALID and INACCESSIBLE: the file's name */
    const char *path;            /* its file */
    const char *creator_command; /* the program that made it, as its creator says */
    const char *file;            /* file-backed: the file it maps; else "" */
    int64_t capacity;            /* bytes */
    int64_t resident;            /* bytes that take memory now; of the object's file */
    int64_t created;             /* nanoseconds since 1970, UTC */
    mmf_kind kind;
    mmf_object_status status;
    int32_t holders;     /* processes that hold it, by their locks, counted up to
                            4,096; Windows: handles */
    int32_t protection;  /* a map's mmf_access */
    uint32_t mode;       /* permission bits of its file */
    uint32_t owner;      /* user id of its file */
    int32_t creator_pid; /* as its creator says; may be reused since */
    uint32_t reserved;
    const mmf_sync_info *sync; /* NULL unless it is a mutex, an event or a semaphore */
    /*
     * With MMF_LIST_HOLDERS: those of the holders that we may look at, by process id.
     * Processes of other users or in other containers are hidden from us, as a rule:
     * then these are fewer than `holders`.
     */
    const mmf_holder_info *processes;
    int32_t process_count;
    uint32_t reserved2;
    /*
     * NULL unless it is a living queue, topic, latest value or service of this user, or, with
     * MMF_LIST_ALL_USERS, of another one that may be read.
     */
    const mmf_channel_stats *channel;
} mmf_object_info;

/* A snapshot of the namespace. Closed with mmf_list_close. */
typedef struct mmf_list mmf_list;

/* How to list: flags. */
typedef uint32_t mmf_list_flags;
enum {
    MMF_LIST_LOCAL = 1,         /* this user's names */
    MMF_LIST_GLOBAL = 2,        /* names under Global\ */
    MMF_LIST_KEEP_ORPHANED = 4, /* show orphaned objects, do not remove them first */
    MMF_LIST_HOLDERS = 8, /* find the processes that hold: looks at all of the system */
    MMF_LIST_ALL_USERS = 16 /* local names of other users too, where they may be read */
};

/*
 * List the namespace, ordered by name; flags 0 means both scopes. Orphaned objects
 * that this user may remove are removed first, unless MMF_LIST_KEEP_ORPHANED. The
 * caller owns `*out`.
 *
 * MMF_E_NULL: out is NULL. MMF_E_INVALID: unknown flags. MMF_E_ACCESS: the directory is
 * not ours or not safe. MMF_E_NO_MEMORY. MMF_E_IO.
 */
MMF_API int mmf_list_create(mmf_list_flags flags, mmf_list **out);

/* Number of objects. 0 for NULL. */
MMF_API int32_t mmf_list_count(const mmf_list *list);

/* The object at `index`, borrowed until the list is closed; NULL past the end. */
MMF_API const mmf_object_info *mmf_list_get(const mmf_list *list, int32_t index);

/* Close the list and all that it lent. NULL is allowed. */
MMF_API void mmf_list_close(mmf_list *list);

/* What mmf_gc did. */
typedef struct mmf_gc_result {
    int64_t bytes;   /* memory released */
    int32_t removed; /* orphaned objects removed */
    int32_t refused; /* orphaned objects of other users */
    int32_t in_use;  /* objects that a process keeps open */
    int32_t invalid; /* files that are not mmf objects; left alone */
    uint64_t reserved[4];
} mmf_gc_result;

/*
 * Remove every orphaned object that this user may remove: flags as for mmf_list_create.
 * An object is orphaned when no process holds its lock, which the kernel releases
 * however a process ends. `*result` may be NULL. Status as mmf_list_create.
 */
MMF_API int mmf_gc(mmf_list_flags flags, mmf_gc_result *result);

MMF_END_DECLS

#endif
