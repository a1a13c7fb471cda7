/*
 * names.c - where a name is: in the kernel's own directories of objects. Names and
 * prefixes go there as they are given, so that a program without mmf finds what mmf
 * made, and the reverse.
 */
#include "os/windows/store/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <aclapi.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "os/os.h"
#include "os/windows/sys/error.h"
#include "os/windows/store/name_guard.h"
#include "os/windows/sys/utf16.h"

/* The kernel counts a path's bytes in 16 bits; "\Sessions\N\BaseNamedObjects\" is
 * first. */
enum { LONGEST = 32767 - 64 };

static size_t
length_in_utf16(const char *text)
{
    size_t length = 0;

    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        length += (c & 0xC0) != 0x80; /* each character but its later bytes */
        length += c >= 0xF0;          /* a surrogate pair */
    }
    return length;
}

int
mmf_os_name_parse(const char *given, const char *parameter, struct mmf_name *name)
{
    struct mmf_name split;
    int rc = mmf_name_split(given, parameter, &split);
    wchar_t *wide;
    size_t length;

    if (rc < 0)
        return rc;
    length = length_in_utf16(given);
    if (length > LONGEST)
        return mmf_fail_argument(
            MMF_E_PATH_TOO_LONG, parameter,
            "name \"%.40s...\" has %zu characters; at most %d are possible", given,
            length, LONGEST);
    wide = mmf_utf16_from_utf8(given, parameter, 0, &rc);
    if (wide == NULL)
        return rc;
    free(wide);
    *name = split;
    return MMF_OK;
}

/*
 * The prefix is the caller's own, unless options of .NET 10 gave a scope that the name
 * does not say.
 */
wchar_t *
mmf_place_name(const struct mmf_name *name, int *rc)
{
    static const char global[] = "Global\\";
    int is_global = name != NULL && name->scope != MMF_SCOPE_LOCAL;
    char *text;
    wchar_t *wide;

    *rc = MMF_OK;
    if (name == NULL)
        return NULL;
    if (name->text != name->given || !is_global)
        return mmf_utf16_from_utf8(name->given, "name", 0, rc);
    text = malloc(sizeof(global) + name->length);
    if (text == NULL) {
        *rc = mmf_fail(MMF_E_NO_MEMORY, "no memory for a name");
        return NULL;
    }
    memcpy(text, global, sizeof(global) - 1);
    memcpy(text + sizeof(global) - 1, name->text, name->length + 1);
    wide = mmf_utf16_from_utf8(text, "name", 0, rc);
    free(text);
    return wide;
}

/* Maps and channels have one; the rest is smaller. */
static int
has_section(const char *kind)
{
    return strcmp(kind, "mutex") != 0 && strcmp(kind, "event") != 0 &&
           strcmp(kind, "semaphore") != 0;
}

static int
fail_access(const char *verb, const char *kind, const struct mmf_name *name)
{
    if (name->scope != MMF_SCOPE_LOCAL && has_section(kind) &&
        strcmp(verb, "create") == 0)
        return mmf_fail_system(
            MMF_E_ACCESS, ERROR_ACCESS_DENIED,
            "create %s \"%.200s\": outside session 0 this needs the privilege "
            "SeCreateGlobalPrivilege (administrators and services have it); opening "
            "one that a service made does not; or its owner does not let us",
            kind, name->given);
    return mmf_fail_system(MMF_E_ACCESS, ERROR_ACCESS_DENIED,
                           "%s %s \"%.200s\": its owner's access list does not let us",
                           verb, kind, name->given);
}

/* Who has the name: each kind that it is not refuses to open it as an invalid handle.
 */
static const char *
kernel_object_of(const struct mmf_name *name)
{
    static const char *const holders[] = {"a map", "a mutex", "an event",
                                          "a semaphore"};
    int rc;
    wchar_t *wide = mmf_place_name(name, &rc);
    const char *found = NULL;
    HANDLE handle = NULL;

    for (int i = 0; wide != NULL && i < 4; i++) {
        if (i == 0)
            handle = OpenFileMappingW(SECTION_QUERY, FALSE, wide);
        else if (i == 1)
            handle = OpenMutexW(SYNCHRONIZE, FALSE, wide);
        else if (i == 2)
            handle = OpenEventW(SYNCHRONIZE, FALSE, wide);
        else
            handle = OpenSemaphoreW(SYNCHRONIZE, FALSE, wide);
        if (handle == NULL && GetLastError() != ERROR_ACCESS_DENIED)
            continue;
        if (handle != NULL)
            CloseHandle(handle);
        found = holders[i];
        break;
    }
    free(wide);
    return found;
}

static int
has_channel(const struct mmf_name *name)
{
    struct mmf_part_name parts;
    HANDLE section;
    int is_there;

    if (mmf_part_name_make(name, &parts) < 0)
        return 0;
    section = OpenFileMappingW(FILE_MAP_READ, FALSE, mmf_part_data(&parts));
    is_there = section != NULL || GetLastError() == ERROR_ACCESS_DENIED;
    if (section != NULL)
        CloseHandle(section);
    mmf_part_name_free(&parts);
    return is_there;
}

static const char *
holder_of(const struct mmf_name *name)
{
    const char *found = kernel_object_of(name);

    if (found != NULL)
        return found;
    return has_channel(name) ? "a channel" : "an object of another kind";
}

int
mmf_place_fail(const char *verb, const char *kind, const struct mmf_name *name)
{
    DWORD error = GetLastError();

    if (name == NULL)
        return mmf_error_fail_with(error, "%s an unnamed %s", verb, kind);
    switch (error) {
    case ERROR_FILE_NOT_FOUND:
        return mmf_fail_system(MMF_E_NOT_FOUND, (int)error, "there is no %s \"%.200s\"",
                               kind, name->given);
    case ERROR_INVALID_HANDLE:
        return mmf_fail_system(MMF_E_WRONG_KIND, (int)error,
                               "%s %s \"%.200s\": the name belongs to %s", verb, kind,
                               name->given, holder_of(name));
    case ERROR_ACCESS_DENIED:
        return fail_access(verb, kind, name);
    case ERROR_INVALID_NAME:
        if (strchr(name->text, '\\') == NULL)
            return mmf_fail_system(MMF_E_NOT_FOUND, (int)error,
                                   "\"%.200s\" is no name that the kernel takes",
                                   name->given);
        /* fall through */
    case ERROR_PATH_NOT_FOUND:
    case ERROR_BAD_PATHNAME:
        return mmf_fail_argument(MMF_E_PATH_NOT_FOUND,
                                 strcmp(kind, "map") == 0 ? "mapName" : "name",
                                 "%s %s \"%.200s\": a backslash leads to a directory "
                                 "of the kernel's objects, "
                                 "and there is none of that name (error %lu)",
                                 verb, kind, name->given, (unsigned long)error);
    default:
        return mmf_error_fail_with(error, "%s %s \"%.200s\"", verb, kind, name->given);
    }
}

/*
 * For one user alone: .NET's CurrentUserOnly.
 */

static TOKEN_USER *
current_user(void)
{
    HANDLE token;
    TOKEN_USER *user = NULL;
    DWORD size = 0;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return NULL;
    GetTokenInformation(token, TokenUser, NULL, 0, &size);
    if (size > 0)
        user = malloc(size);
    if (user != NULL && !GetTokenInformation(token, TokenUser, user, size, &size)) {
        free(user);
        user = NULL;
    }
    CloseHandle(token);
    return user;
}

static int
allow_user_alone(struct mmf_place_security *security)
{
    TOKEN_USER *user = current_user();
    DWORD size;

    if (user == NULL)
        return -1;
    security->user = user;
    size = (DWORD)(sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE)) +
           GetLengthSid(user->User.Sid);
    security->list = malloc(size);
    if (security->list == NULL) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return -1;
    }
    if (!InitializeAcl(security->list, size, ACL_REVISION) ||
        !AddAccessAllowedAce(security->list, ACL_REVISION, GENERIC_ALL,
                             user->User.Sid) ||
        !InitializeSecurityDescriptor(&security->descriptor,
                                      SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorOwner(&security->descriptor, user->User.Sid, FALSE) ||
        !SetSecurityDescriptorDacl(&security->descriptor, TRUE, security->list, FALSE))
        return -1;
    security->attributes.lpSecurityDescriptor = &security->descriptor;
    return 0;
}

int
mmf_place_secure(struct mmf_place_security *security, int inheritable, int user_only)
{
    memset(security, 0, sizeof(*security));
    security->attributes.nLength = sizeof(security->attributes);
    security->attributes.bInheritHandle = inheritable;
    if (user_only && allow_user_alone(security) < 0) {
        int rc = mmf_error_fail("make an access list for this user alone");

        mmf_place_release(security);
        return rc;
    }
    return MMF_OK;
}

void
mmf_place_release(struct mmf_place_security *security)
{
    free(security->list);
    free(security->user);
}

/* Everything that the list allows, it allows `user`. */
static int
allows_only(ACL *list, PSID user)
{
    if (list == NULL)
        return 0; /* no list: everybody */
    for (DWORD i = 0; i < list->AceCount; i++) {
        void *entry;
        const ACE_HEADER *header;

        if (!GetAce(list, i, &entry))
            return 0;
        header = entry;
        if (header->AceType == ACCESS_DENIED_ACE_TYPE)
            continue;
        if (header->AceType != ACCESS_ALLOWED_ACE_TYPE ||
            !EqualSid(&((ACCESS_ALLOWED_ACE *)entry)->SidStart, user))
            return 0;
    }
    return 1;
}

int
mmf_place_check_user_only(HANDLE object, const struct mmf_name *name)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    TOKEN_USER *user;
    PSID owner = NULL;
    ACL *list = NULL;
    DWORD error;
    int is_ours;

    error = GetSecurityInfo(object, SE_KERNEL_OBJECT,
                            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                            &owner, NULL, &list, NULL, &descriptor);
    if (error != ERROR_SUCCESS)
        return mmf_error_fail_with(error, "ask who may use \"%.200s\"", name->given);
    user = current_user();
    is_ours = user != NULL && owner != NULL && EqualSid(owner, user->User.Sid) &&
              allows_only(list, user->User.Sid);
    free(user);
    LocalFree(descriptor);
    if (is_ours)
        return MMF_OK;
    return mmf_fail(MMF_E_WRONG_KIND,
                    "\"%.200s\" was not made for this user alone, as the options ask: "
                    "current_user_only = 0 opens it",
                    name->given);
}
