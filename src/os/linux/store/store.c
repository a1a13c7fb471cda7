/*
 * store.c - creating and opening named objects; the protocol.
 *
 *   create  an unnamed file is filled, held, then linked under its name: nobody ever
 *           sees a half-made object, and a creator killed before that leaves nothing
 *   open    see that somebody holds it, hold it too, see that it still has its name
 *   reap    when nobody holds: unlink. Whoever meets a dead object reaps it
 *
 * Whoever holds an object that is linked knows that it stays linked, since a reaper
 * removes only what nobody holds; and newcomers join only what somebody holds. What a
 * survivor sees of a process killed here: before the link nothing; between asking and
 * holding nothing either; after unlock a dead object, which the next one to come by
 * reaps.
 */
#include "os/linux/store/store.h"

#include <errno.h>

#include "base/fail.h"
#include "os/linux/store/lock_fd.h"
#include "os/linux/store/unpublished.h"
#include "os/linux/sys/error.h"
#include "os/linux/store/list.h"
#include "os/linux/sys/backoff.h"
#include "os/linux/sys/space.h"
#include "os/linux/sys/sys.h"

/* Above this, look whether the name is taken before reserving the memory. */
enum { LARGE = 1 << 20 };

/*
 * Opening.
 */

static int
fail_busy(const char *path)
{
    return mmf_fail(MMF_E_BUSY,
                    "a process has been removing %s for %d ms: is one stopped, or has "
                    "somebody locked it by hand?",
                    path, MMF_OS_PATIENCE_MS);
}

static struct mmf_object_request
entry_for(const struct mmf_store_file *file, const char *path,
          const struct mmf_hold *hold, int inheritable)
{
    return (struct mmf_object_request){
        .path = path,
        .status = &file->status,
        .hold = *hold,
        .fd = file->fd,
        .inheritable = inheritable,
        .kind = file->page.kind,
        .protection = file->page.protection,
        .flags = file->page.flags,
        .capacity = file->page.capacity,
        .data_size = file->data_size,
    };
}

/* Answers of a try that may be repeated, beside statuses. */
enum { TRY_AGAIN = 1, TRY_AFTER_PAUSE = 2 };

/* An object that should be opened is dead: a status, or an answer of a try. */
static int
reap_what_is_open(const struct mmf_store_file *file, const char *path,
                  const struct mmf_name *name)
{
    int rc = mmf_store_reap_dead(file, path);

    if (rc == 0)
        return TRY_AGAIN;
    if (rc > 0)
        return TRY_AFTER_PAUSE;
    if (rc == MMF_E_ACCESS)
        return mmf_fail(MMF_E_NOT_FOUND,
                        "there is no \"%.200s\" any more: its last holder is gone",
                        name->text);
    return rc;
}

static int
try_open(const char *path, const struct mmf_place *place, const struct mmf_name *name,
         uint32_t kind, int needs_write, int inheritable, struct mmf_object **out)
{
    struct mmf_object_request entry;
    struct mmf_store_file file;
    struct mmf_hold hold;
    int rc = mmf_store_look(path, place, !needs_write, &file);

    if (rc == MMF_STORE_NOTHING)
        return mmf_fail_argument(MMF_E_NOT_FOUND, "", "there is no \"%.200s\"",
                                 name->text);
    if (rc != MMF_STORE_FOUND)
        return rc < 0 ? rc : rc == MMF_STORE_DENIED ? MMF_E_ACCESS : MMF_E_CORRUPT;

    rc = mmf_lock_probe(file.fd);
    if (rc == MMF_LOCK_DEAD) {
        rc = reap_what_is_open(&file, path, name);
        goto fail_close;
    }
    if (rc == MMF_LOCK_DONE)
        rc = mmf_lock_hold(file.fd, file.writable, &hold);
    if (rc == MMF_LOCK_BUSY) {
        rc = TRY_AFTER_PAUSE; /* being reaped: soon there is nothing */
        goto fail_close;
    }
    if (rc < 0) {
        rc = mmf_error_fail("lock %s", path);
        goto fail_close;
    }
    rc = mmf_store_is_linked(&file, path);
    if (rc <= 0) {
        rc = rc < 0 ? rc : TRY_AGAIN; /* it was reaped before we held it */
        goto fail_release;
    }
    rc = mmf_store_check(&file, name, kind, path);
    if (rc < 0)
        goto fail_release;
    entry = entry_for(&file, path, &hold, inheritable);
    rc = mmf_object_enter(&entry, out);
    if (rc < 0)
        goto fail_release;
    return MMF_OK;

fail_release:
    /* If the last holder left meanwhile, nobody but us saw it go: reap for it. */
    mmf_lock_release(file.fd, &hold);
    if (file.writable)
        mmf_store_reap_file(&file, path);
fail_close:
    mmf_claim_close(file.fd);
    return rc;
}

int
mmf_store_open(const struct mmf_name *name, uint32_t kind, int writable,
               int inheritable, struct mmf_object **out)
{
    struct mmf_patience patience = {0};
    struct mmf_place place;
    char path[PATH_MAX];
    int rc;

    if (mmf_object_watch_forks() < 0)
        return mmf_error_fail("watch for forks");
    rc = mmf_place_find(name->scope, &place);
    if (rc < 0)
        return rc;
    mmf_place_path(&place, name, path);
    for (;;) {
        rc = try_open(path, &place, name, kind, writable, inheritable, out);
        if (rc <= 0)
            return rc;
        if (rc == TRY_AFTER_PAUSE && !mmf_patience_wait(&patience))
            return fail_busy(path);
    }
}

/*
 * Creating.
 */

/* Somebody holds the file that was found: a status, or an answer of a try. */
static int
fail_taken(const struct mmf_store_file *file, const char *path,
           const struct mmf_name *name, uint32_t kind)
{
    int rc = mmf_store_is_linked(file, path);

    if (rc <= 0)
        return rc < 0 ? rc : TRY_AGAIN; /* holds what has been reaped meanwhile */
    rc = mmf_store_check(file, name, kind, path);
    if (rc < 0)
        return rc;
    return mmf_fail_argument(MMF_E_EXISTS, "mapName",
                             "\"%.200s\" exists already: a process holds it",
                             name->text);
}

/*
 * The name is taken: by whom? EXISTS and WRONG_KIND if by a living object, TRY_AGAIN
 * when a dead one was reaped.
 */
static int
look_at_taken_name(const char *path, const struct mmf_place *place,
                   const struct mmf_name *name, uint32_t kind)
{
    struct mmf_store_file file;
    int rc = mmf_store_look(path, place, 1, &file);

    if (rc == MMF_STORE_NOTHING)
        return TRY_AGAIN;
    if (rc != MMF_STORE_FOUND)
        return rc < 0 ? rc : rc == MMF_STORE_DENIED ? MMF_E_ACCESS : MMF_E_CORRUPT;
    rc = mmf_lock_probe(file.fd);
    if (rc < 0) {
        rc = mmf_error_fail("ask who holds %s", path);
    } else if (rc == MMF_LOCK_BUSY) {
        rc = TRY_AFTER_PAUSE;
    } else if (rc == MMF_LOCK_DEAD) {
        rc = mmf_store_reap_dead(&file, path);
        if (rc == 0)
            rc = TRY_AGAIN;
        else if (rc > 0)
            rc = TRY_AFTER_PAUSE;
    } else {
        rc = fail_taken(&file, path, name, kind);
    }
    mmf_claim_close(file.fd);
    return rc;
}

static int
fail_draft(const struct mmf_store_request *request, const struct mmf_place *place)
{
    int system_error = errno;

    if (system_error == ENOSPC || system_error == EDQUOT)
        return mmf_space_fail_full(system_error, place->directory,
                                   request->data_size + MMF_CONTROL_SIZE,
                                   request->name->text);
    if (system_error == ENOENT)
        return mmf_fail_system(MMF_E_PATH_NOT_FOUND, system_error,
                               "create \"%.200s\": %s was removed meanwhile",
                               request->name->text, place->directory);
    errno = system_error;
    return mmf_error_fail("create \"%.200s\" in %s", request->name->text,
                          place->directory);
}

/* Make the draft; if there is no room, make some of the dead and try once more. */
static int
make_draft_with_room(const struct mmf_store_request *request,
                     const struct mmf_place *place, const char *path,
                     struct mmf_draft *draft)
{
    mmf_error before;
    int system_error;
    int rc;

    if (mmf_draft_make(request, place, draft) == 0)
        return MMF_OK;
    system_error = errno;
    if (system_error == EAGAIN)
        return TRY_AFTER_PAUSE;
    if (system_error == ENOSPC || system_error == EDQUOT) {
        /* A taken name is the better answer, and costs no room. */
        mmf_last_error(&before);
        rc = look_at_taken_name(path, place, request->name, request->kind);
        if (rc == MMF_E_EXISTS || rc == MMF_E_WRONG_KIND)
            return rc;
        mmf_fail_restore(&before);
        if (mmf_listing_reap_for_room() > 0 &&
            mmf_draft_make(request, place, draft) == 0) {
            mmf_fail_restore(&before);
            return MMF_OK;
        }
    }
    errno = system_error;
    return fail_draft(request, place);
}

/*
 * Give the draft its name, and enter it with `*rc`. -1: it did not get the name, with
 * errno.
 */
static int
publish(const struct mmf_store_request *request, const char *path,
        struct mmf_draft *draft, int *rc, struct mmf_object **out)
{
    struct mmf_object_request entry =
        entry_for(&draft->file, path, &draft->hold, request->inheritable);
    int published;

    entry.made_here = 1;
    entry.ticket = request->ticket;
    if (request->ticket == 0) {
        published = mmf_draft_publish(draft, path);
        if (published == 0)
            *rc = mmf_object_enter(&entry, out);
        return published;
    }
    /* Another thread may open the name at once: it must find the entry then. */
    mmf_claim_lock();
    published = mmf_draft_publish(draft, path);
    if (published == 0)
        *rc = mmf_object_enter_made_locked(&entry, out);
    mmf_claim_unlock();
    return published;
}

static int
try_create(const struct mmf_store_request *request, const struct mmf_place *place,
           const char *path, struct mmf_draft *draft, int *have_draft,
           struct mmf_object **out)
{
    int rc;

    if (!*have_draft) {
        rc = make_draft_with_room(request, place, path, draft);
        if (rc != MMF_OK)
            return rc;
        *have_draft = 1;
    }
    if (publish(request, path, draft, &rc, out) != 0) {
        if (errno == EEXIST)
            return look_at_taken_name(path, place, request->name, request->kind);
        if (mmf_draft_find_other_way(draft)) {
            mmf_draft_drop(draft);
            *have_draft = 0;
            return TRY_AGAIN;
        }
        if (errno == ENOENT && draft->temporary[0] != '\0') {
            mmf_draft_drop(draft); /* a scavenger was quicker than our lock */
            *have_draft = 0;
            return TRY_AFTER_PAUSE;
        }
        return fail_draft(request, place);
    }
    draft->temporary[0] = '\0';
    *have_draft = 0;
    if (rc < 0) {
        mmf_store_reap_file(&draft->file, path);
        mmf_draft_drop(draft);
    }
    return rc;
}

static int
check_request(const struct mmf_store_request *request, const struct mmf_place *place,
              const char *path)
{
    struct stat status;
    int64_t wanted = request->delay_allocate ? 0 : request->data_size;
    int rc;

    if (request->data_size > LARGE && mmf_sys_lstat(path, &status) == 0) {
        rc = look_at_taken_name(path, place, request->name, request->kind);
        if (rc < 0)
            return rc;
    }
    return mmf_space_check(mmf_control_offset(request->data_size) + MMF_CONTROL_SIZE,
                           wanted, request->name->text);
}

/* The same; if memory is short, the dead give theirs back first. */
static int
check_room(const struct mmf_store_request *request, const struct mmf_place *place,
           const char *path)
{
    mmf_error before;
    mmf_error why;
    int rc;

    mmf_last_error(&before);
    rc = check_request(request, place, path);
    if (rc != MMF_E_NO_MEMORY)
        return rc;
    mmf_last_error(&why);
    if (mmf_listing_reap_for_room() > 0) {
        rc = check_request(request, place, path);
        if (rc == MMF_OK)
            mmf_fail_restore(&before);
        return rc;
    }
    mmf_fail_restore(&why);
    return rc;
}

int
mmf_store_create(const struct mmf_store_request *request, struct mmf_object **out)
{
    struct mmf_patience patience = {0};
    struct mmf_place place;
    struct mmf_draft draft;
    char path[PATH_MAX];
    int have_draft = 0;
    int rc;

    if (mmf_object_watch_forks() < 0)
        return mmf_error_fail("watch for forks");
    rc = mmf_place_find(request->name->scope, &place);
    if (rc < 0)
        return rc;
    rc = mmf_place_prepare(&place);
    if (rc < 0)
        return rc;
    mmf_place_path(&place, request->name, path);
    rc = check_room(request, &place, path);
    if (rc < 0)
        return rc;
    do {
        rc = try_create(request, &place, path, &draft, &have_draft, out);
        if (rc == TRY_AFTER_PAUSE && !mmf_patience_wait(&patience))
            rc = fail_busy(path);
    } while (rc > 0);
    if (have_draft)
        mmf_draft_drop(&draft);
    if (rc == MMF_OK)
        mmf_listing_scavenge(&place);
    return rc;
}
