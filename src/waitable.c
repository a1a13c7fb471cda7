/*
 * waitable.c - names and options of mutexes, events and semaphores (contract 2.10, 7.1,
 * 7.5), and their handles.
 */
#include "waitable.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "base/name.h"
#include "create_or_open.h"
#include "naming.h"
#include "options.h"

void
mmf_sync_options_init(mmf_sync_options *options)
{
    static const mmf_sync_options defaults = {.size = sizeof(mmf_sync_options)};

    if (options != NULL)
        *options = defaults;
}

static struct mmf_naming
naming_of(const mmf_sync_options *options)
{
    return (struct mmf_naming){.all_users = options->all_users,
                               .this_user_only = options->this_user_only,
                               .mode = options->mode};
}

static int
read_options(const mmf_sync_options *given, mmf_sync_options *options)
{
    int rc = mmf_options_read(given, options, sizeof(*options));

    return rc < 0 ? rc : mmf_options_check_reserved(options->reserved);
}

static int
parse_name(const char *given, const mmf_sync_options *options, struct mmf_name *name)
{
    const struct mmf_naming naming = naming_of(options);

    return mmf_naming_parse(&naming, given, "name", name);
}

/* A name that is not given makes an unnamed object; so does an empty one. */
static bool
is_unnamed(const char *name)
{
    return name == NULL || name[0] == '\0';
}

/*
 * Handles.
 */

static int
make_handle(mmf_kind kind, const void *out, struct mmf_waitable **handle)
{
    if (out == NULL)
        return mmf_fail_null("out");
    *handle = calloc(1, sizeof(**handle));
    if (*handle == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s handle",
                        mmf_kind_name(kind));
    (*handle)->kind = kind;
    return MMF_OK;
}

/* To the caller with it, if it has got its object. */
static int
hand_over(int rc, struct mmf_waitable *handle, void *out)
{
    if (rc < 0) {
        free(handle);
        return rc;
    }
    MMF_ASSERT(handle->sync != NULL);
    memcpy(out, &handle, sizeof(void *));
    return MMF_OK;
}

/*
 * What is asked of the os, and what it gave.
 */

struct sync_request {
    struct mmf_os_sync_request os;
    struct mmf_os_sync *sync;
};

static int
create_object(void *payload)
{
    struct sync_request *request = payload;

    MMF_ASSERT(request->sync == NULL);
    return mmf_os_sync_create(&request->os, &request->sync);
}

static int
open_object(void *payload)
{
    struct sync_request *request = payload;

    MMF_ASSERT(request->sync == NULL && request->os.name != NULL);
    return mmf_os_sync_open(request->os.name, request->os.kind, &request->sync);
}

/* Which of the three it is, the name does not say; `kind` says it afterwards. */
static int
open_any(void *payload)
{
    static const mmf_kind kinds[] = {MMF_KIND_MUTEX, MMF_KIND_EVENT,
                                     MMF_KIND_SEMAPHORE};
    struct sync_request *request = payload;
    int rc = MMF_E_WRONG_KIND;
    mmf_error before;

    mmf_fail_keep(&before);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == MMF_E_WRONG_KIND;
         i++) {
        request->os.kind = kinds[i];
        rc = open_object(request);
    }
    return mmf_fail_settle(rc, &before);
}

/*
 * Creating.
 */

/* The object, and whether it is new. `may_open`: it need not be. */
static int
find_object(struct sync_request *request, bool may_open, int *created)
{
    const struct mmf_opener opener = {
        .create = create_object,
        .open = open_object,
        .request = request,
        .name = request->os.name != NULL ? request->os.name->text : ""};

    MMF_ASSERT(request->os.mode != 0);
    if (may_open && request->os.name != NULL)
        return mmf_create_or_open(&opener, created);
    *created = 1;
    return create_object(request);
}

static int
create(const struct mmf_os_sync_request *given, const char *name,
       const mmf_sync_options *given_options, bool may_open, int *created,
       struct mmf_os_sync **sync)
{
    struct sync_request request = {.os = *given};
    struct mmf_naming naming;
    struct mmf_name parsed;
    mmf_sync_options options;
    int rc = read_options(given_options, &options);

    if (rc < 0)
        return rc;
    naming = naming_of(&options);
    rc = mmf_naming_check_new(&naming);
    if (rc == MMF_OK && !is_unnamed(name)) {
        rc = parse_name(name, &options, &parsed);
        request.os.name = &parsed;
    }
    if (rc < 0)
        return rc;
    request.os.mode = mmf_naming_mode(&naming);
    rc = find_object(&request, may_open, created);
    *sync = request.sync;
    return rc;
}

static int
create_handle(const struct mmf_os_sync_request *request, const char *name,
              const mmf_sync_options *options, bool may_open, int *created, void *out)
{
    struct mmf_waitable *handle;
    int is_new = 0;
    int rc = make_handle(request->kind, out, &handle);

    if (rc < 0)
        return rc;
    rc = create(request, name, options, may_open, &is_new, &handle->sync);
    if (rc == MMF_OK && created != NULL)
        *created = is_new;
    return hand_over(rc, handle, out);
}

int
mmf_waitable_create_new(const struct mmf_os_sync_request *request, const char *name,
                        const mmf_sync_options *options, void *out)
{
    mmf_os_cancellation_point();
    return create_handle(request, name, options, false, NULL, out);
}

int
mmf_waitable_create_or_open(const struct mmf_os_sync_request *request, const char *name,
                            const mmf_sync_options *options, int *created, void *out)
{
    mmf_os_cancellation_point();
    return create_handle(request, name, options, true, created, out);
}

/*
 * Opening.
 */

/* MMF_KIND_UNKNOWN: of whichever of the three kinds it is. */
static int
fail_open(int rc, mmf_kind kind, const char *name, const struct mmf_naming *naming)
{
    const char *what =
        kind != MMF_KIND_UNKNOWN ? mmf_kind_name(kind) : "mutex, event or semaphore";

    MMF_ASSERT(rc < 0 && name != NULL);
    if (rc == MMF_E_NOT_FOUND)
        return mmf_fail(MMF_E_NOT_FOUND, "no such %s: \"%.200s\"", what, name);
    if (rc == MMF_E_WRONG_KIND && kind == MMF_KIND_UNKNOWN)
        return mmf_fail(
            MMF_E_WRONG_KIND,
            "\"%.200s\" belongs to another kind of object%s; this call "
            "opens a %s",
            name, naming->this_user_only ? ", or is not of this user alone" : "", what);
    return rc;
}

static int
open_by_name(mmf_kind kind, const char *name, const mmf_sync_options *given,
             struct sync_request *request)
{
    const struct mmf_opener opener = {.open = kind != MMF_KIND_UNKNOWN ? open_object
                                                                       : open_any,
                                      .request = request,
                                      .name = name};
    struct mmf_naming naming;
    struct mmf_name parsed;
    mmf_sync_options options;
    int rc;

    if (name == NULL)
        return mmf_fail_argument(MMF_E_NULL, "name", "the name is NULL");
    rc = read_options(given, &options);
    if (rc < 0)
        return rc;
    naming = naming_of(&options);
    rc = mmf_naming_check(&naming);
    if (rc == MMF_OK)
        rc = mmf_check_wait(options.wait_ms);
    if (rc == MMF_OK)
        rc = parse_name(name, &options, &parsed);
    if (rc < 0)
        return rc;
    request->os.kind = kind;
    request->os.name = &parsed;
    rc = mmf_open_existing(&opener, options.wait_ms);
    request->os.name = NULL;
    return rc < 0 ? fail_open(rc, kind, name, &naming) : rc;
}

int
mmf_waitable_open(mmf_kind kind, const char *name, const mmf_sync_options *options,
                  void *out)
{
    struct sync_request request = {0};
    struct mmf_waitable *handle = NULL;
    int rc;

    mmf_os_cancellation_point();
    rc = make_handle(kind, out, &handle);
    if (rc < 0)
        return rc;
    MMF_ASSERT(handle != NULL);
    rc = open_by_name(kind, name, options, &request);
    handle->sync = request.sync;
    handle->kind = request.os.kind;
    return hand_over(rc, handle, out);
}

int
mmf_waitable_open_existing(const char *name, const mmf_sync_options *options,
                           mmf_kind *kind, mmf_waitable **out)
{
    int rc = mmf_waitable_open(MMF_KIND_UNKNOWN, name, options, out);

    if (rc == MMF_OK && kind != NULL)
        *kind = (*out)->kind;
    return rc;
}

void
mmf_waitable_close(mmf_waitable *object)
{
    if (object == NULL)
        return;
    mmf_os_sync_close(object->sync);
    free(object);
}

/*
 * Waiting.
 */

int
mmf_waitable_fail_timeout(int32_t timeout_ms)
{
    return mmf_fail_argument(MMF_E_RANGE, "millisecondsTimeout",
                             "invalid timeout %d ms: 0 polls, -1 waits forever",
                             timeout_ms);
}
