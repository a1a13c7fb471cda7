/*
 * security.c - access lists: for this user alone, which is .NET's CurrentUserOnly.
 */
#include "os/windows/store/security.h"

#include <stdlib.h>
#include <string.h>
#include <aclapi.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/sys/error.h"

/* To be freed; NULL with GetLastError(). */
static TOKEN_USER *
find_current_user(void)
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

/* The list's one entry and the owner. -1 with GetLastError(). */
static int
fill_descriptor(struct mmf_security *security, DWORD list_size, PSID user)
{
    SECURITY_DESCRIPTOR *descriptor = &security->descriptor;
    ACL *list = security->list;

    MMF_ASSERT(list != NULL && user != NULL);
    if (!InitializeAcl(list, list_size, ACL_REVISION) ||
        !AddAccessAllowedAce(list, ACL_REVISION, GENERIC_ALL, user) ||
        !InitializeSecurityDescriptor(descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorOwner(descriptor, user, FALSE) ||
        !SetSecurityDescriptorDacl(descriptor, TRUE, list, FALSE))
        return -1;
    security->attributes.lpSecurityDescriptor = descriptor;
    return 0;
}

/* -1 with GetLastError(). */
static int
allow_this_user_alone(struct mmf_security *security)
{
    TOKEN_USER *user = find_current_user();
    DWORD size;

    MMF_ASSERT(security->user == NULL && security->list == NULL);
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
    return fill_descriptor(security, size, user->User.Sid);
}

int
mmf_security_make(struct mmf_security *security, bool inheritable, bool this_user_only)
{
    memset(security, 0, sizeof(*security));
    security->attributes.nLength = sizeof(security->attributes);
    security->attributes.bInheritHandle = inheritable;
    if (this_user_only && allow_this_user_alone(security) < 0) {
        int rc = mmf_error_fail("make an access list for this user alone");

        mmf_security_free(security);
        return rc;
    }
    return MMF_OK;
}

void
mmf_security_free(struct mmf_security *security)
{
    free(security->list);
    free(security->user);
}

/* Everything that the list allows, it allows `user`. */
static bool
allows_only(ACL *list, PSID user)
{
    if (list == NULL)
        return false; /* no list: all users */
    for (DWORD i = 0; i < list->AceCount; i++) {
        void *entry;
        const ACE_HEADER *header;

        if (!GetAce(list, i, &entry))
            return false;
        header = entry;
        if (header->AceType == ACCESS_DENIED_ACE_TYPE)
            continue;
        if (header->AceType != ACCESS_ALLOWED_ACE_TYPE ||
            !EqualSid(&((ACCESS_ALLOWED_ACE *)entry)->SidStart, user))
            return false;
    }
    return true;
}

static bool
is_of_this_user(PSID owner, ACL *list)
{
    TOKEN_USER *user = find_current_user();
    bool is = user != NULL && owner != NULL && EqualSid(owner, user->User.Sid) &&
              allows_only(list, user->User.Sid);

    free(user);
    return is;
}

int
mmf_security_check_this_user_only(HANDLE object, const struct mmf_name *name)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    ACL *list = NULL;
    DWORD error;
    bool is_ours;

    MMF_ASSERT(object != NULL && name != NULL && name->user_only);
    error = GetSecurityInfo(object, SE_KERNEL_OBJECT,
                            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                            &owner, NULL, &list, NULL, &descriptor);
    if (error != ERROR_SUCCESS)
        return mmf_error_fail_with(error, "ask which users may use \"%.200s\"",
                                   name->given);
    is_ours = is_of_this_user(owner, list);
    LocalFree(descriptor);
    if (is_ours)
        return MMF_OK;
    return mmf_fail(MMF_E_WRONG_KIND,
                    "\"%.200s\" was not made for this user alone, as the options ask: "
                    "this_user_only = 0 opens it",
                    name->given);
}
