/*
 * create.c - creating a named object; store.h has the protocol.
 */
#include "os/linux/store/store.h"

#include <errno.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/at_fork.h"
#include "os/linux/store/collect.h"
#include "os/linux/store/entry.h"
#include "os/linux/store/gc.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/store/newcomer.h"
#include "os/linux/store/unpublished.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "os/linux/sys/space.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"

/* Above this, check whether the name is taken before reserving the memory. */
enum { LARGE = 1 << 20 };

/* What a try to create returns, beside statuses, when it may be repeated. */
enum { TRY_AGAIN = 1, TRY_AFTER_PAUSE = 2 };

/* One call: what is created, where, and the file so far. */
struct creation {
    const struct mmf_store_request *request;
    const char *path;
    struct mmf_directory directory;
    struct mmf_unpublished file;
    bool has_file;
};

/*
 * The name is taken.
 */

/* A process holds the file that was found. */
static int
fail_taken(const struct creation *creation, const struct mmf_entry *entry)
{
    const struct mmf_name *name = creation->request->name;
    int rc = mmf_entry_check(entry, name, creation->request->kind, creation->path);

    MMF_ASSERT(entry->fd >= 0);
    if (rc < 0)
        return rc;
    return mmf_fail_argument(MMF_E_EXISTS, "mapName",
                             "\"%.200s\" exists already: a process holds it",
                             name->text);
}

/* EXISTS or WRONG_KIND if an object in use has it, TRY_AGAIN when it is free now. */
static int
inspect_taken_name(const struct creation *creation)
{
    struct mmf_entry entry;
    int rc =
        mmf_entry_open_held(creation->path, &creation->directory, true, NULL, &entry);

    switch (rc) {
    case MMF_HELD:
        rc = fail_taken(creation, &entry);
        mmf_lock_fd_close(entry.fd);
        return rc;
    case MMF_HELD_NOTHING:
    case MMF_HELD_AGAIN:
        return TRY_AGAIN;
    case MMF_HELD_PAUSE:
        return TRY_AFTER_PAUSE;
    case MMF_HELD_ORPHANED:
        return MMF_E_ACCESS;
    default:
        return rc;
    }
}

/*
 * The file, without a name.
 */

static int
fail_file(const struct creation *creation)
{
    const char *name = creation->request->name->text;
    int system_error = errno;

    if (system_error == ENOSPC || system_error == EDQUOT)
        return mmf_space_fail_full(system_error, creation->directory.path,
                                   creation->request->data_size + MMF_CONTROL_SIZE,
                                   name);
    if (system_error == ENOENT)
        return mmf_fail_system(MMF_E_PATH_NOT_FOUND, system_error,
                               "create \"%.200s\": %s was removed meanwhile", name,
                               creation->directory.path);
    errno = system_error;
    return mmf_error_fail("create \"%.200s\" in %s", name, creation->directory.path);
}

/* Make space for the file, which did not fit: a status, or an answer of a try. */
static int
make_space(const struct creation *creation)
{
    mmf_error before;
    int rc;

    /* A taken name is the better answer, and costs no space. */
    mmf_fail_keep(&before);
    rc = inspect_taken_name(creation);
    if (rc == MMF_E_EXISTS || rc == MMF_E_WRONG_KIND)
        return rc;
    mmf_fail_restore(&before);
    return mmf_gc_for_space() > 0 ? TRY_AGAIN : MMF_E_NO_SPACE;
}

/* Make the file; if there is no space, collect orphans and try once more. */
static int
make_file(struct creation *creation)
{
    int system_error;
    int rc = MMF_E_NO_SPACE;

    MMF_ASSERT(!creation->has_file);
    if (mmf_unpublished_make(creation->request, &creation->directory,
                             &creation->file) == 0)
        return MMF_OK;
    system_error = errno;
    if (system_error == EAGAIN)
        return TRY_AFTER_PAUSE;
    if (system_error == ENOSPC || system_error == EDQUOT)
        rc = make_space(creation);
    if (rc == MMF_E_EXISTS || rc == MMF_E_WRONG_KIND)
        return rc;
    if (rc == TRY_AGAIN && mmf_unpublished_make(creation->request, &creation->directory,
                                                &creation->file) == 0)
        return MMF_OK;
    errno = system_error;
    return fail_file(creation);
}

static void
drop_file(struct creation *creation)
{
    MMF_ASSERT(creation->has_file);
    mmf_unpublished_drop(&creation->file);
    creation->has_file = false;
}

/*
 * Its name.
 */

/* Give the file its name, and enter it with `*rc`. -1: it got no name, with errno. */
static int
publish(struct creation *creation, int *rc, struct mmf_object **out)
{
    const struct mmf_store_request *request = creation->request;
    struct mmf_unpublished *file = &creation->file;
    struct mmf_object_request entry = {
        .path = creation->path,
        .status = &file->status,
        .hold = file->hold,
        .fd = file->fd,
        .inheritable = request->inheritable,
        .made_here = true,
        .ticket = request->ticket,
        .kind = request->kind,
        .protection = request->protection,
        .flags = request->flags,
        .capacity = request->capacity,
        .data_size = mmf_control_offset(request->data_size),
    };
    int published;

    MMF_ASSERT(creation->has_file);
    if (request->ticket == 0) {
        published = mmf_unpublished_publish(file, creation->path);
        if (published == 0)
            *rc = mmf_object_enter(&entry, out);
        return published;
    }
    /* Another thread may open the name at once: it must find the entry then. */
    mmf_process_lock();
    published = mmf_unpublished_publish(file, creation->path);
    if (published == 0)
        *rc = mmf_object_enter_made_locked(&entry, out);
    mmf_process_unlock();
    return published;
}

/* The file got no name, by errno. */
static int
retry_or_fail(struct creation *creation)
{
    if (errno == EEXIST)
        return inspect_taken_name(creation);
    if (mmf_unpublished_can_retry(&creation->file)) {
        drop_file(creation);
        return TRY_AGAIN;
    }
    if (errno == ENOENT && creation->file.temporary != NULL) {
        drop_file(creation); /* a collector was quicker than our lock */
        return TRY_AFTER_PAUSE;
    }
    return fail_file(creation);
}

static int
try_create(struct creation *creation, struct mmf_object **out)
{
    int rc;

    if (!creation->has_file) {
        rc = make_file(creation);
        if (rc != MMF_OK)
            return rc;
        creation->has_file = true;
    }
    if (publish(creation, &rc, out) != 0)
        return retry_or_fail(creation);
    mmf_unpublished_end(&creation->file);
    if (rc < 0) {
        mmf_collect(creation->file.fd, creation->path, creation->file.status.st_dev,
                    creation->file.status.st_ino);
        mmf_unpublished_drop(&creation->file);
    }
    creation->has_file = false; /* the object has it */
    return rc;
}

/*
 * Creating.
 */

static int
check_request(const struct creation *creation)
{
    const struct mmf_store_request *request = creation->request;
    struct stat status;
    int64_t wanted = request->delay_allocate ? 0 : request->data_size;
    int rc;

    if (request->data_size > LARGE && mmf_sys_lstat(creation->path, &status) == 0) {
        rc = inspect_taken_name(creation);
        if (rc < 0)
            return rc;
    }
    return mmf_space_check(mmf_control_offset(request->data_size) + MMF_CONTROL_SIZE,
                           wanted, request->name->text);
}

/* The same; if memory is short, orphans are collected first. */
static int
check_space(const struct creation *creation)
{
    mmf_error before;
    int rc;

    mmf_fail_keep(&before);
    rc = check_request(creation);
    if (rc == MMF_E_NO_MEMORY && mmf_gc_for_space() > 0)
        rc = check_request(creation);
    return mmf_fail_settle(rc, &before);
}

/*
 * Try, and try again while another process is collecting what had the name. Each turn
 * without a pause means that one has just been collected.
 */
static int
create(struct creation *creation, struct mmf_object **out)
{
    struct mmf_backoff backoff = {0};
    int rc;

    do {
        rc = try_create(creation, out);
        if (rc == TRY_AFTER_PAUSE && !mmf_newcomer_pause(&backoff))
            rc = mmf_newcomer_fail_busy(creation->path);
    } while (rc > 0);
    if (creation->has_file)
        drop_file(creation);
    return rc;
}

static int
create_in(struct creation *creation, struct mmf_object **out)
{
    int rc = mmf_directory_prepare(&creation->directory);

    if (rc < 0)
        return rc;
    creation->path =
        mmf_directory_file_path(&creation->directory, creation->request->name);
    rc = check_space(creation);
    if (rc == MMF_OK)
        rc = create(creation, out);
    if (rc == MMF_OK)
        mmf_gc_step(&creation->directory);
    return rc;
}

int
mmf_store_create(const struct mmf_store_request *request, struct mmf_object **out)
{
    struct creation creation = {.request = request};
    int rc = mmf_watch_forks();

    MMF_ASSERT(request->name != NULL && request->kind != 0 && request->data_size >= 0);
    if (rc == MMF_OK)
        rc = mmf_directory_find(request->name->scope, &creation.directory);
    if (rc < 0)
        return rc;
    rc = create_in(&creation, out);
    mmf_directory_free(&creation.directory);
    return rc;
}
