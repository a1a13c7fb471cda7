/*
 * explain.c - GetLastError() says little about names: which object has the name, and
 * which privilege is missing, the kernel is asked again.
 */
#include "os/windows/store/explain.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/store/names.h"
#include "os/windows/store/subobject.h"
#include "os/windows/sys/error.h"

static bool
is_channel(mmf_kind kind)
{
    return kind >= MMF_KIND_QUEUE && kind <= MMF_KIND_SERVICE;
}

/*
 * Which object has the name?
 */

/* What `object` and GetLastError() say of an object that was to be opened; closes it. */
static bool
is_there(HANDLE object)
{
    if (object == NULL)
        return GetLastError() == ERROR_ACCESS_DENIED;
    CloseHandle(object);
    return true;
}

static bool
has_channel(const struct mmf_name *name)
{
    struct mmf_subobject_name subobject;
    bool found;

    if (mmf_subobject_name_make(name, &subobject) < 0)
        return false;
    found = is_there(
        OpenFileMappingW(FILE_MAP_READ, FALSE, mmf_subobject_data(&subobject)));
    mmf_subobject_name_free(&subobject);
    return found;
}

static bool
has_object(mmf_kind kind, const struct mmf_name *name)
{
    /* the least of rights */
    DWORD rights = kind == MMF_KIND_MAP ? SECTION_QUERY : SYNCHRONIZE;
    wchar_t *wide;
    bool found;
    int rc;

    if (is_channel(kind))
        return has_channel(name);
    wide = mmf_names_for_kernel(name, &rc);
    found = wide != NULL && is_there(mmf_names_open(kind, rights, wide));
    free(wide);
    return found;
}

/* Any kind but the object's own refuses to open it, as an invalid handle. */
static const char *
find_holder(const struct mmf_name *name)
{
    static const struct {
        mmf_kind kind;
        const char *text;
    } holders[] = {{MMF_KIND_MAP, "a map"},
                   {MMF_KIND_MUTEX, "a mutex"},
                   {MMF_KIND_EVENT, "an event"},
                   {MMF_KIND_SEMAPHORE, "a semaphore"},
                   {MMF_KIND_QUEUE, "a channel"}};

    for (size_t i = 0; i < sizeof(holders) / sizeof(holders[0]); i++)
        if (has_object(holders[i].kind, name))
            return holders[i].text;
    return "an object of another kind";
}

/*
 * Why the call failed.
 */

static int
fail_denied(const char *verb, mmf_kind kind, const struct mmf_name *name)
{
    return mmf_fail_system(
        MMF_E_ACCESS, ERROR_ACCESS_DENIED,
        "%s %s \"%.200s\": its owner's access list does not let this user", verb,
        mmf_kind_name(kind), name->given);
}

/* A backslash, and no directory of that name; or no name at all. */
static int
fail_path(const char *verb, mmf_kind kind, const struct mmf_name *name, DWORD error)
{
    if (error == ERROR_INVALID_NAME && strchr(name->text, '\\') == NULL)
        return mmf_fail_system(MMF_E_NOT_FOUND, (int)error,
                               "invalid name \"%.200s\": the kernel takes no such name",
                               name->given);
    return mmf_fail_argument(
        MMF_E_PATH_NOT_FOUND, kind == MMF_KIND_MAP ? "mapName" : "name",
        "%s %s \"%.200s\": a backslash leads to a directory of "
        "the kernel's objects, and there is no such directory "
        "(error %lu)",
        verb, mmf_kind_name(kind), name->given, (unsigned long)error);
}

static int
fail_by_error(const char *verb, mmf_kind kind, const struct mmf_name *name, DWORD error)
{
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
        return mmf_fail_system(MMF_E_NOT_FOUND, (int)error, "no such %s: \"%.200s\"",
                               mmf_kind_name(kind), name->given);
    case ERROR_INVALID_HANDLE:
        return mmf_fail_system(MMF_E_WRONG_KIND, (int)error,
                               "%s %s \"%.200s\": the name belongs to %s", verb,
                               mmf_kind_name(kind), name->given, find_holder(name));
    case ERROR_ACCESS_DENIED:
        return fail_denied(verb, kind, name);
    case ERROR_INVALID_NAME:
    case ERROR_PATH_NOT_FOUND:
    case ERROR_BAD_PATHNAME:
        return fail_path(verb, kind, name, error);
    default:
        return mmf_error_fail_with(error, "%s %s \"%.200s\"", verb, mmf_kind_name(kind),
                                   name->given);
    }
}

int
mmf_explain_open(mmf_kind kind, const struct mmf_name *name)
{
    DWORD error = GetLastError();

    MMF_ASSERT(name != NULL && error != ERROR_SUCCESS);
    return fail_by_error("open", kind, name, error);
}

/* Sections are what needs a privilege. */
static bool
needs_privilege(mmf_kind kind, const struct mmf_name *name)
{
    return name->scope != MMF_SCOPE_LOCAL && (kind == MMF_KIND_MAP || is_channel(kind));
}

static int
fail_create_denied(mmf_kind kind, const struct mmf_name *name)
{
    if (has_object(kind, name))
        return mmf_explain_exists(kind, name);
    if (!needs_privilege(kind, name))
        return fail_denied("create", kind, name);
    return mmf_fail_system(
        MMF_E_ACCESS, ERROR_ACCESS_DENIED,
        "create %s \"%.200s\": outside session 0 this needs the privilege "
        "SeCreateGlobalPrivilege (administrators and services have it); opening one "
        "that a service made does not",
        mmf_kind_name(kind), name->given);
}

int
mmf_explain_create(mmf_kind kind, const struct mmf_name *name)
{
    DWORD error = GetLastError();

    MMF_ASSERT(error != ERROR_SUCCESS);
    if (name == NULL)
        return mmf_error_fail_with(error, "create an unnamed %s", mmf_kind_name(kind));
    if (error == ERROR_ACCESS_DENIED)
        return fail_create_denied(kind, name);
    return fail_by_error("create", kind, name, error);
}

int
mmf_explain_exists(mmf_kind kind, const struct mmf_name *name)
{
    MMF_ASSERT(name != NULL);
    return mmf_fail_system(MMF_E_EXISTS, ERROR_ALREADY_EXISTS,
                           "\"%.200s\" exists already: a process has a handle on that "
                           "%s",
                           name->given, mmf_kind_name(kind));
}
