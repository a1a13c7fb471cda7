/* security.h - which users may use an object. */
#ifndef MMF_OS_WINDOWS_STORE_SECURITY_H
#define MMF_OS_WINDOWS_STORE_SECURITY_H

#include <stdbool.h>
#include <windows.h>

#include "base/name.h"

/*
 * Attributes for a new object: inheritable or not, for all users as the process's own
 * default has it, or for this user alone.
 */
struct mmf_security {
    SECURITY_ATTRIBUTES attributes;
    SECURITY_DESCRIPTOR descriptor;
    ACL *list;
    void *user; /* TOKEN_USER */
};

/* MMF_E_ACCESS and others, with mmf_fail; then nothing is to be freed. */
int mmf_security_make(struct mmf_security *security, bool inheritable,
                      bool this_user_only);
void mmf_security_free(struct mmf_security *security);

/*
 * An object that was asked for as this user's alone must be: owned by the user, and
 * open to no other user. MMF_E_WRONG_KIND if it is another one.
 */
int mmf_security_check_this_user_only(HANDLE object, const struct mmf_name *name);

#endif
