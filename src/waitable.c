/*
 * waitable.c - names and options of mutexes, events and semaphores (contract 2.10, 7.1,
 * 7.5), and their handles.
 */
#include "waitable.h"

#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/name.h"
#include "options.h"

void
mmf_sync_options_init(mmf_sync_options *options)
{
    static const mmf_sync_options defaults = {.size = sizeof(mmf_sync_options),
                                              .current_user_only = 1,
                                              .current_session_only = 1};

    if (options != NULL)
        *options = defaults;
}

static int
make_handle(mmf_kind kind, struct mmf_waitable **handle)
{
    *handle = calloc(1, sizeof(**handle));
    if (*handle == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s handle",
                        mmf_kind_name(kind));
    (*handle)->kind = kind;
    return MMF_OK;
}

static int
drop_handle(struct mmf_waitable **handle, int rc)
{
    free(*handle);
    *handle = NULL;
    return rc;
}

/* Contract 7.5: a prefix must agree with the options; without options it decides. */
static int
apply_scope(const char *given, const mmf_sync_options *options, struct mmf_name *name)
{
    int has_prefix = name->text != given;
    int is_global = name->scope == MMF_SCOPE_GLOBAL;

    if (has_prefix && is_global == options->current_session_only)
        return mmf_fail_argument(MMF_E_INVALID, "name",
                                 "name \"%.200s\": the prefix contradicts "
                                 "current_session_only = %d",
                                 given, options->current_session_only);
    name->user_only = options->current_user_only;
    if (options->current_session_only)
        name->scope = MMF_SCOPE_LOCAL;
    else
        name->scope = options->current_user_only ? MMF_SCOPE_USER : MMF_SCOPE_GLOBAL;
    return MMF_OK;
}

static int
check_options(const mmf_sync_options *options)
{
    if (options->mode > 0777u)
        return mmf_fail_argument(MMF_E_RANGE, "mode", "mode 0%o is none",
                                 options->mode);
    if ((options->current_user_only & ~1) || (options->current_session_only & ~1))
        return mmf_fail_argument(
            MMF_E_INVALID, "options",
            "current_user_only and current_session_only are 0 or 1");
    return MMF_OK;
}

static int
parse_name(const char *given, const mmf_sync_options *given_options,
           struct mmf_name *name, uint32_t *mode)
{
    mmf_sync_options options;
    int rc;

    mmf_sync_options_init(&options);
    rc = mmf_options_read(given_options, &options, sizeof(options));
    if (rc == MMF_OK)
        rc = check_options(&options);
    if (rc == MMF_OK)
        rc = mmf_os_name_parse(given, "name", name);
    if (given_options != NULL && options.current_session_only &&
        (rc == MMF_E_PATH_NOT_FOUND ||
         (rc == MMF_OK && strchr(name->text, '\\') != NULL)))
        rc = mmf_fail_argument(MMF_E_INVALID, "name",
                               "name \"%.200s\": with current_session_only no other "
                               "prefix than Local\\ is possible",
                               given);
    if (rc == MMF_OK && given_options != NULL)
        rc = apply_scope(given, &options, name);
    *mode = options.mode;
    return rc;
}

/* A name that is not given makes an unnamed object; so does an empty one. */
static int
is_unnamed(const char *name)
{
    return name == NULL || name[0] == '\0';
}

static int
create(const char *name, const mmf_sync_options *options,
       const struct mmf_os_sync_request *given, int *created,
       struct mmf_waitable *handle)
{
    struct mmf_os_sync_request request = *given;
    struct mmf_name parsed;
    int rc = MMF_OK;

    request.name = NULL;
    request.mode = 0;
    if (!is_unnamed(name)) {
        rc = parse_name(name, options, &parsed, &request.mode);
        request.name = &parsed;
    }
    return rc < 0 ? rc : mmf_os_sync_create(&request, &handle->sync, created);
}

int
mmf_waitable_create(const char *name, const mmf_sync_options *options,
                    const struct mmf_os_sync_request *request, int *created_new,
                    const void *out, struct mmf_waitable **handle)
{
    int created = 0;
    int rc;

    if (out == NULL)
        return mmf_fail_argument(MMF_E_NULL, "out", "out is NULL");
    rc = make_handle(request->kind, handle);
    if (rc < 0)
        return rc;
    rc = create(name, options, request, &created, *handle);
    if (rc < 0)
        return drop_handle(handle, rc);
    if (created_new != NULL)
        *created_new = created;
    return MMF_OK;
}

static int
open_existing(const char *name, const mmf_sync_options *options,
              struct mmf_waitable *handle)
{
    struct mmf_name parsed;
    uint32_t mode;
    int rc;

    if (name == NULL)
        return mmf_fail_argument(MMF_E_NULL, "name", "the name is NULL");
    rc = parse_name(name, options, &parsed, &mode);
    if (rc == MMF_OK)
        rc = mmf_os_sync_open(&parsed, handle->kind, &handle->sync);
    if (rc == MMF_E_NOT_FOUND)
        rc = mmf_fail(MMF_E_NOT_FOUND, "there is no %s \"%.200s\"",
                      mmf_kind_name(handle->kind), name);
    return rc;
}

int
mmf_waitable_open(mmf_kind kind, const char *name, const mmf_sync_options *options,
                  const void *out, struct mmf_waitable **handle)
{
    int rc;

    if (out == NULL)
        return mmf_fail_argument(MMF_E_NULL, "out", "out is NULL");
    rc = make_handle(kind, handle);
    if (rc == MMF_OK)
        rc = open_existing(name, options, *handle);
    return rc < 0 ? drop_handle(handle, rc) : MMF_OK;
}

int
mmf_waitable_try_open(mmf_kind kind, const char *name, const mmf_sync_options *options,
                      int *opened, const void *out, struct mmf_waitable **handle)
{
    mmf_error before;
    int rc;

    if (out == NULL || opened == NULL)
        return mmf_fail_argument(MMF_E_NULL, out == NULL ? "out" : "opened",
                                 "an argument is NULL");
    mmf_last_error(&before);
    rc = mmf_waitable_open(kind, name, options, out, handle);
    if (rc == MMF_E_NOT_FOUND || rc == MMF_E_WRONG_KIND ||
        rc == MMF_E_PATH_NOT_FOUND) {
        mmf_fail_restore(&before);
        *opened = 0;
        return MMF_OK;
    }
    if (rc == MMF_OK)
        *opened = 1;
    return rc;
}

void
mmf_waitable_close(struct mmf_waitable *handle)
{
    if (handle == NULL)
        return;
    mmf_os_sync_close(handle->sync);
    free(handle);
}

int
mmf_waitable_fail_timeout(int32_t timeout_ms)
{
    return mmf_fail_argument(MMF_E_RANGE, "millisecondsTimeout", "a timeout of %d ms",
                             timeout_ms);
}

int
mmf_waitable_fd(mmf_waitable *object, int *fd)
{
    int rc;

    if (object == NULL)
        return mmf_fail_argument(MMF_E_NULL, "object", "the object is NULL");
    rc = mmf_os_sync_check_alive(object->sync);
    if (rc == MMF_OK && fd == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "fd", "fd is NULL");
    return rc < 0 ? rc : mmf_os_sync_poll_fd(object->sync, fd);
}
