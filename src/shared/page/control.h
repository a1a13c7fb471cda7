/*
 * control.h - the control page: what every process reads of a named object.
 *
 * It is the last 4,096 bytes of the object's file, at the first multiple of 64 KiB that
 * is not below the capacity, so that byte 0 of the file is the caller's byte 0 and the
 * offset is the same on every architecture. docs/internals/layout.md is the specification.
 *
 *   field      written by  when                                 read by
 *   tickets    all         draw a number, add one               the drawer only
 *   state      by kind     see the kind's own table             by kind
 *   all other  creator     before the name is published; never  all
 *                          changes
 *
 * A process killed while it creates leaves no name; one killed later leaves the page as
 * it was, or a ticket drawn and never used, which is harmless.
 *
 * Fixed forever, so that old programs can probe, hold and collect newer objects: the
 * magic, its offset, the size of the page, and the lock ranges below. The rest belongs
 * to the layout version. Everything in here is input: the reader copies the page once and
 * checks the copy.
 */
#ifndef MMF_SHARED_PAGE_CONTROL_H
#define MMF_SHARED_PAGE_CONTROL_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name.h"

#define MMF_CONTROL_SIZE 4096
#define MMF_CONTROL_ALIGNMENT 65536

/*
 * The data of a mutex, event or semaphore: slots for sleepers beyond those in `state`.
 * The file is sparse there; who needs a slot allocates its page.
 */
#define MMF_SYNC_DATA_SIZE 65536

#define MMF_LAYOUT_VERSION 2

/* "mmf", then bytes that a text file, a transfer or a truncation would damage. */
#define MMF_CONTROL_MAGIC "mmf\x1a\r\n\xff\x01"

/* The largest capacity: the lock ranges begin far above it. */
#define MMF_CAPACITY_MAX ((int64_t)1 << 60)

/*
 * Lock ranges (open file description locks). HOLD: a write lock on a byte of it says
 * "holds the object". READERS: a read lock says the same for processes that may only
 * read the file. SELF: a write lock on SELF + ticket says "this participant lives". The
 * collector write-locks HOLD and READERS whole.
 */
#define MMF_LOCK_HOLD ((int64_t)1 << 61)
#define MMF_LOCK_READERS (MMF_LOCK_HOLD + ((int64_t)1 << 60))
#define MMF_LOCK_RANGE ((int64_t)1 << 60)
#define MMF_LOCK_SELF ((int64_t)1 << 62)

/* Bits of `flags`. */
#define MMF_CONTROL_FILE_REF                                                           \
    1u /* a map of a file; the data is an mmf_file_ref_shared */
#define MMF_CONTROL_USER_ONLY 2u /* .NET's CurrentUserOnly: made for this user alone */
#define MMF_CONTROL_FLAGS_KNOWN (MMF_CONTROL_FILE_REF | MMF_CONTROL_USER_ONLY)

/* Bits of `required` that this version understands. */
#define MMF_CONTROL_REQUIRED_KNOWN 0u

struct mmf_control_shared {
    uint8_t magic[8];
    uint32_t layout_version;
    uint32_t kind;       /* mmf_kind */
    uint32_t required;   /* features that a reader must know, or refuse the object */
    uint32_t optional;   /* features that a reader may ignore */
    int64_t capacity;    /* the caller's bytes; of the mapped file if FILE_REF */
    uint32_t protection; /* mmf_access the creator gave */
    uint32_t flags;
    int64_t created; /* nanoseconds since 1970, UTC */
    uint32_t creator_uid;
    uint32_t creator_pid;     /* for people; says nothing about what lives */
    char creator_command[16]; /* ends with NUL */
    uint32_t scope;           /* enum mmf_scope */
    uint32_t name_length;
    uint64_t tickets; /* the next ticket; changed by atomic addition only */
    uint8_t reserved[104];
    uint8_t state[384];          /* sync objects' words; channels' shape */
    char name[MMF_NAME_MAX + 1]; /* without prefix; ends with NUL */
    uint8_t rest[MMF_CONTROL_SIZE - 576 - (MMF_NAME_MAX + 1)];
};

static_assert(sizeof(struct mmf_control_shared) == MMF_CONTROL_SIZE, "layout 1");
static_assert(offsetof(struct mmf_control_shared, layout_version) == 8, "layout 1");
static_assert(offsetof(struct mmf_control_shared, kind) == 12, "layout 1");
static_assert(offsetof(struct mmf_control_shared, required) == 16, "layout 1");
static_assert(offsetof(struct mmf_control_shared, optional) == 20, "layout 1");
static_assert(offsetof(struct mmf_control_shared, capacity) == 24, "layout 1");
static_assert(offsetof(struct mmf_control_shared, protection) == 32, "layout 1");
static_assert(offsetof(struct mmf_control_shared, flags) == 36, "layout 1");
static_assert(offsetof(struct mmf_control_shared, created) == 40, "layout 1");
static_assert(offsetof(struct mmf_control_shared, creator_uid) == 48, "layout 1");
static_assert(offsetof(struct mmf_control_shared, creator_pid) == 52, "layout 1");
static_assert(offsetof(struct mmf_control_shared, creator_command) == 56, "layout 1");
static_assert(offsetof(struct mmf_control_shared, scope) == 72, "layout 1");
static_assert(offsetof(struct mmf_control_shared, name_length) == 76, "layout 1");
static_assert(offsetof(struct mmf_control_shared, tickets) == 80, "layout 1");
static_assert(offsetof(struct mmf_control_shared, state) == 192, "layout 1");
static_assert(offsetof(struct mmf_control_shared, name) == 576, "layout 1");

/* What a creator puts in. */
struct mmf_control_request {
    const struct mmf_name *name;
    int64_t capacity;
    int64_t created;
    uint32_t kind;
    uint32_t protection;
    uint32_t flags;
    uint32_t creator_uid;
    uint32_t creator_pid;
    const char *creator_command;
};

/* Where the control page of `data_size` bytes of data begins. */
int64_t mmf_control_offset(int64_t data_size);

/* Fill a page for a new object. */
void mmf_control_fill(const struct mmf_control_request *request,
                      struct mmf_control_shared *page);

/* The page begins with the magic: old and new versions agree on this alone. */
bool mmf_control_is_ours(const struct mmf_control_shared *page);

/*
 * Check a copied page against the file it came from: `data_size` is the file's size
 * without the page. Calls mmf_fail; `what` names the object in the message.
 *
 * MMF_E_LAYOUT   another layout version, or a required feature we do not know
 * MMF_E_CORRUPT  no magic, or fields that contradict each other or the file
 */
int mmf_control_check(const struct mmf_control_shared *page, int64_t data_size,
                      const char *what);

/* The page carries exactly this name. Call it on a checked page. */
bool mmf_control_has_name(const struct mmf_control_shared *page,
                          const struct mmf_name *name);

#endif
