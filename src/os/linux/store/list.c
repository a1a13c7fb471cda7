/*
 * list.c - the files of the namespace, one after the other.
 */
#include "os/linux/store/list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/sys/directory_walk.h"
#include "os/linux/sys/error.h"
#include "os/linux/store/holders.h"
#include "os/linux/store/lock.h"
#include "os/linux/store/objects.h"
#include "os/linux/store/entry.h"
#include "os/linux/sys/sys.h"
#include "os/os.h"
#include "shared/page/control.h"
#include "shared/page/file_ref.h"
#include "shared/sync/inspect.h"

/* Whether a file of the directory can be ours. Others' are not even opened. */
static int
is_candidate(const struct mmf_place *place, const char *leaf)
{
    if (leaf[0] == '.' && strncmp(leaf, MMF_TEMPORARY_PREFIX, 5) != 0)
        return 0;
    return strncmp(leaf, place->prefix, strlen(place->prefix)) == 0;
}

static int
is_temporary(const struct mmf_place *place, const char *leaf)
{
    return strncmp(leaf + strlen(place->prefix), MMF_TEMPORARY_PREFIX,
                   strlen(MMF_TEMPORARY_PREFIX)) == 0;
}

/* What was found out about one file. */
struct finding {
    int status; /* < 0: the system failed, with mmf_fail; the rest says nothing */
    mmf_object_status life;
    int removed;
    int64_t resident;
    struct mmf_store_file file; /* closed again */
    int checked;                /* file.page is sound */
};

/* Errors of an open that are about this file, not about us. */
static int
is_refusal(int system_error)
{
    return system_error == EACCES || system_error == EPERM || system_error == EROFS ||
           system_error == ELOOP || system_error == EISDIR || system_error == ENXIO ||
           system_error == ENODEV || system_error == EWOULDBLOCK;
}

static void
probe(int fd, const char *path, struct finding *found)
{
    int rc = mmf_lock_probe(fd);

    if (rc < 0)
        found->status = mmf_error_fail("ask who holds %s", path);
    else
        found->life = rc == MMF_LOCK_DEAD ? MMF_OBJECT_ORPHANED : MMF_OBJECT_IN_USE;
}

/* A creator's temporary file whose creator is dead. */
static void
look_at_temporary(const char *path, const struct mmf_place *place, int keep_dead,
                  struct finding *found)
{
    struct stat status;
    int fd = mmf_claim_open(path, O_RDWR, 0);

    if (fd < 0) {
        if (is_refusal(errno))
            found->life = MMF_OBJECT_INACCESSIBLE;
        else if (errno != ENOENT) /* else the object has got its name */
            found->status = mmf_error_fail("open %s", path);
        return;
    }
    if (mmf_sys_fstat(fd, &status) < 0) {
        found->status = mmf_error_fail("look at %s", path);
    } else if (!S_ISREG(status.st_mode) || status.st_uid != place->user) {
        found->life = MMF_OBJECT_INACCESSIBLE;
    } else {
        found->resident = (int64_t)status.st_blocks * 512;
        probe(fd, path, found);
        if (found->life == MMF_OBJECT_ORPHANED && !keep_dead)
            found->removed =
                mmf_store_reap(fd, path, status.st_dev, status.st_ino) == MMF_LOCK_DONE;
    }
    mmf_claim_close(fd);
}

static void
look_at_object(const char *path, const struct mmf_place *place, int keep_dead,
               struct finding *found)
{
    int rc = mmf_store_look(path, place, 1, &found->file);

    if (rc == MMF_STORE_DENIED || rc == MMF_E_BUSY)
        found->life = MMF_OBJECT_INACCESSIBLE;
    else if (rc == MMF_STORE_FOREIGN)
        found->life = MMF_OBJECT_INVALID;
    else if (rc < 0)
        found->status = rc;
    if (rc != MMF_STORE_FOUND)
        return;
    found->resident = (int64_t)found->file.status.st_blocks * 512;
    probe(found->file.fd, path, found);
    if (found->life == MMF_OBJECT_ORPHANED && !keep_dead && found->file.writable)
        found->removed = mmf_store_reap(found->file.fd, path, found->file.status.st_dev,
                                        found->file.status.st_ino) == MMF_LOCK_DONE;
    found->checked =
        mmf_control_check(&found->file.page, found->file.data_size, path) == MMF_OK;
}

/* Close what look_at_object left open for further questions. */
static void
finish_finding(struct finding *found)
{
    mmf_claim_close(found->file.fd);
    found->file.fd = -1;
}

static void
look_at_leaf(const struct mmf_place *place, const char *leaf, int keep_dead,
             char path[PATH_MAX], struct finding *found)
{
    memset(found, 0, offsetof(struct finding, file));
    found->file.fd = -1;
    found->checked = 0;
    if (snprintf(path, PATH_MAX, "%s/%s", place->directory, leaf) >= PATH_MAX)
        return;
    if (is_temporary(place, leaf))
        look_at_temporary(path, place, keep_dead, found);
    else
        look_at_object(path, place, keep_dead, found);
}

/*
 * Call `visit` for each candidate that the directory's descriptor still has to give, at
 * most `most` entries. Answers how many entries there were, or a status.
 */
typedef int (*leaf_visitor)(void *payload, const struct mmf_place *place,
                            const char *leaf);

static int
walk_batch(int fd, const struct mmf_place *place, int most, leaf_visitor visit,
           void *payload, int64_t *largest_offset)
{
    _Alignas(8) char batch[4096];
    int seen = 0;

    while (seen < most) {
        size_t room = most < 64 ? 1024 : sizeof(batch);
        ssize_t count = mmf_sys_getdents(fd, batch, room);
        ssize_t at = 0;

        if (count < 0 && errno == ENOENT)
            break; /* the directory was removed meanwhile */
        if (count < 0)
            return mmf_error_fail("read the names' directory %s", place->directory);
        if (count == 0)
            break;
        while (at < count && seen < most) {
            const struct mmf_directory_record *record = (const void *)(batch + at);
            int rc = 0;

            at += record->length;
            seen++;
            if (record->next_offset > *largest_offset)
                *largest_offset = record->next_offset;
            if (is_candidate(place, record->name))
                rc = visit(payload, place, record->name);
            if (rc < 0)
                return rc;
        }
    }
    return seen;
}

static int
open_directory(const struct mmf_place *place)
{
    return mmf_sys_open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
}

static int
walk_place(const struct mmf_place *place, leaf_visitor visit, void *payload)
{
    int64_t ignored = 0;
    int fd;
    int exists;
    int rc = mmf_place_check(place, &exists);

    if (rc < 0 || !exists)
        return rc;
    fd = open_directory(place);
    if (fd < 0)
        return errno == ENOENT
                   ? MMF_OK
                   : mmf_error_fail("open the names' directory %s", place->directory);
    rc = walk_batch(fd, place, INT32_MAX, visit, payload, &ignored);
    mmf_sys_close(fd);
    return rc < 0 ? rc : MMF_OK;
}

/* Call `walk` for the scopes that `flags` asks for. */
static int
walk_scopes(mmf_list_flags flags, leaf_visitor visit, void *payload)
{
    static const struct {
        mmf_list_flags flag;
        enum mmf_scope scope;
    } scopes[] = {{MMF_LIST_LOCAL, MMF_SCOPE_LOCAL},
                  {MMF_LIST_GLOBAL, MMF_SCOPE_GLOBAL}};
    mmf_list_flags wanted = flags & (MMF_LIST_LOCAL | MMF_LIST_GLOBAL);

    if (mmf_object_watch_forks() < 0)
        return mmf_error_fail("watch for forks");
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        struct mmf_place place;
        int rc;

        if (wanted != 0 && !(wanted & scopes[i].flag))
            continue;
        rc = mmf_place_find(scopes[i].scope, &place);
        if (rc == MMF_OK)
            rc = walk_place(&place, visit, payload);
        if (rc < 0)
            return rc;
    }
    return MMF_OK;
}

/*
 * Reaping.
 */

struct reap_walk {
    mmf_gc_result result;
    int keep_dead;
};

static int
reap_leaf(void *payload, const struct mmf_place *place, const char *leaf)
{
    struct reap_walk *walk = payload;
    struct finding found;
    mmf_error before;
    char path[PATH_MAX];

    mmf_last_error(&before);
    look_at_leaf(place, leaf, walk->keep_dead, path, &found);
    finish_finding(&found);
    if (found.status < 0)
        return found.status;
    /* What is wrong with one file is no failure of the call. */
    mmf_fail_restore(&before);
    switch (found.life) {
    case MMF_OBJECT_IN_USE:
        walk->result.in_use++;
        break;
    case MMF_OBJECT_ORPHANED:
        if (found.removed || walk->keep_dead) {
            walk->result.removed++;
            walk->result.bytes += found.resident;
        } else {
            walk->result.refused++;
        }
        break;
    case MMF_OBJECT_INVALID:
        walk->result.invalid++;
        break;
    default:
        break;
    }
    return MMF_OK;
}

int
mmf_os_names_reap(mmf_list_flags flags, mmf_gc_result *result)
{
    struct reap_walk walk = {.keep_dead = (flags & MMF_LIST_KEEP_ORPHANED) != 0};
    int rc = walk_scopes(flags, reap_leaf, &walk);

    if (rc == MMF_OK)
        *result = walk.result;
    return rc;
}

int
mmf_listing_reap_for_room(void)
{
    struct reap_walk walk = {.keep_dead = 0};

    walk_scopes(0, reap_leaf, &walk);
    return walk.result.removed;
}

/*
 * Every eighth creation looks at some names at the directory's start, where new ones
 * are, and at some behind a random place. On tmpfs a directory offset can be any
 * number.
 */
enum { SCAVENGE_EVERY = 8, SCAVENGE_NAMES = 8 };

void
mmf_listing_scavenge(const struct mmf_place *place)
{
    static mmf_atomic_u32 creations;
    uint32_t turn = mmf_add_relaxed_u32(&creations, 1);
    struct reap_walk walk = {.keep_dead = 0};
    int64_t random_place;
    mmf_error before;
    int64_t largest = 0;
    int fd;

    /* A program that creates one name and ends must take its turn as well. */
    random_place = mmf_lock_choose();
    if ((turn + (uint32_t)mmf_object_process_id()) % SCAVENGE_EVERY != 0)
        return;
    fd = open_directory(place);
    if (fd < 0)
        return;
    mmf_last_error(&before);
    if (walk_batch(fd, place, SCAVENGE_NAMES, reap_leaf, &walk, &largest) >=
            SCAVENGE_NAMES &&
        largest > 0 &&
        mmf_sys_lseek(fd, (off_t)((uint64_t)random_place % (uint64_t)largest),
                      SEEK_SET) >= 0)
        walk_batch(fd, place, SCAVENGE_NAMES, reap_leaf, &walk, &largest);
    mmf_fail_restore(&before); /* the creation has worked */
    mmf_sys_close(fd);
}

/*
 * Listing.
 */

struct list_walk {
    mmf_os_visitor visitor;
    void *payload;
    int keep_dead;
    struct mmf_holders *holders; /* NULL: nobody asks who they are */
};

/* The path of the file that is mapped; "" if there is none, or it makes no sense. */
static int
read_file_path(const struct finding *found, const char *path,
               struct mmf_file_ref_shared *ref)
{
    ssize_t count;

    ref->path[0] = '\0';
    if (!(found->file.page.flags & MMF_CONTROL_FILE_REF))
        return MMF_OK;
    count = mmf_sys_pread(found->file.fd, ref, sizeof(*ref), 0);
    if (count < 0)
        return mmf_error_fail("read which file %s maps", path);
    if (count != (ssize_t)sizeof(*ref) || mmf_file_ref_check(ref, path) < 0)
        ref->path[0] = '\0';
    return MMF_OK;
}

static void
describe_page(const struct finding *found, mmf_object_info *info, char *name,
              size_t size)
{
    const struct mmf_control_shared *page = &found->file.page;

    snprintf(name, size, "%s%s", page->scope != MMF_SCOPE_LOCAL ? "Global\\" : "",
             page->name);
    info->name = name;
    info->creator_command = page->creator_command;
    info->capacity = page->capacity;
    info->created = page->created;
    info->kind = (mmf_kind)page->kind;
    info->protection = (int32_t)page->protection;
    info->creator_pid = (int32_t)page->creator_pid;
}

/* What an open file tells. */
static int
describe_object(const struct finding *found, mmf_object_info *info,
                char name[MMF_NAME_MAX + 16], struct mmf_file_ref_shared *ref)
{
    int holders = mmf_lock_count(found->file.fd);

    if (holders < 0)
        return mmf_error_fail("count who holds %s", info->path);
    info->holders = holders;
    info->mode = found->file.status.st_mode & 07777;
    info->owner = found->file.status.st_uid;
    if (found->checked) {
        describe_page(found, info, name, MMF_NAME_MAX + 16);
        return read_file_path(found, info->path, ref);
    }
    if (found->file.page.layout_version == MMF_LAYOUT_VERSION)
        info->status = MMF_OBJECT_INVALID;
    return MMF_OK;
}

/* The state of a mutex, an event or a semaphore. */
static void
describe_sync(const struct finding *found, struct mmf_holders *holders,
              mmf_object_info *info, mmf_sync_info *sync)
{
    const struct stat *status = &found->file.status;
    uint64_t owner;

    if (!found->checked ||
        !mmf_sync_inspect(found->file.page.state, info->kind, sync, &owner))
        return;
    info->sync = sync;
    if (owner == 0)
        return;
    if (!mmf_lock_is_self_alive(found->file.fd, owner))
        mmf_sync_inspect_owner_dead(sync);
    else if (holders != NULL)
        sync->owner_pid =
            mmf_holders_of_ticket(holders, status->st_dev, status->st_ino, owner);
}

static int
describe_holders(const struct finding *found, struct mmf_holders *holders,
                 mmf_object_info *info)
{
    if (holders == NULL)
        return MMF_OK;
    return mmf_holders_of(holders, found->file.status.st_dev, found->file.status.st_ino,
                          &info->processes, &info->process_count);
}

/* Who seems to hold it may have come too late, when it was reaped already. */
static int
leave_out_the_reaped(const char *path, struct finding *found)
{
    int linked;

    if (found->life != MMF_OBJECT_IN_USE || found->file.fd < 0)
        return MMF_OK;
    linked = mmf_store_is_linked(&found->file, path);
    found->removed = linked == 0;
    return linked < 0 ? linked : MMF_OK;
}

static int
show_leaf(void *payload, const struct mmf_place *place, const char *leaf)
{
    struct list_walk *walk = payload;
    struct mmf_file_ref_shared ref;
    struct finding found;
    mmf_object_info info = {0};
    mmf_sync_info sync;
    mmf_error before;
    char name[MMF_NAME_MAX + 16];
    char path[PATH_MAX];
    int rc;

    mmf_last_error(&before);
    look_at_leaf(place, leaf, walk->keep_dead, path, &found);
    ref.path[0] = '\0';
    info.name = leaf;
    info.path = path;
    info.creator_command = "";
    info.status = found.life;
    info.resident = found.resident;
    rc = found.status;
    if (rc == MMF_OK)
        rc = leave_out_the_reaped(path, &found);
    if (rc == MMF_OK && found.file.fd >= 0 && !found.removed) {
        rc = describe_object(&found, &info, name, &ref);
        if (rc == MMF_OK)
            rc = describe_holders(&found, walk->holders, &info);
        describe_sync(&found, walk->holders, &info, &sync);
    }
    if (rc == MMF_OK) {
        mmf_fail_restore(&before); /* what is wrong with one file is told by its life */
        info.file = ref.path;
        if (found.life != 0 && !found.removed)
            rc = walk->visitor(walk->payload, &info);
    }
    finish_finding(&found);
    return rc;
}

int
mmf_os_names_visit(mmf_list_flags flags, mmf_os_visitor visitor, void *payload)
{
    struct mmf_holders holders = {0};
    struct list_walk walk = {.visitor = visitor,
                             .payload = payload,
                             .keep_dead = (flags & MMF_LIST_KEEP_ORPHANED) != 0};
    int rc = MMF_OK;

    if (flags & MMF_LIST_HOLDERS) {
        walk.holders = &holders;
        rc = mmf_holders_find(&holders);
    }
    if (rc == MMF_OK)
        rc = walk_scopes(flags, show_leaf, &walk);
    mmf_holders_free(&holders);
    return rc;
}
