/* names.h - names as the kernel wants them, and who may use an object. */
#ifndef MMF_OS_WINDOWS_STORE_NAMES_H
#define MMF_OS_WINDOWS_STORE_NAMES_H

#include <windows.h>

#include "base/name.h"

/*
 * The name for the kernel, to be freed; NULL for NULL with `*rc` MMF_OK. NULL and a
 * status otherwise: mmf_fail was called.
 */
wchar_t *mmf_place_name(const struct mmf_name *name, int *rc);

/* mmf_fail for a call that named an object: what it was, and GetLastError(). */
int mmf_place_fail(const char *verb, const char *kind, const struct mmf_name *name);

/*
 * Attributes for a new object: inheritable or not, for everybody as the process's own
 * default has it, or for this user alone.
 */
struct mmf_place_security {
    SECURITY_ATTRIBUTES attributes;
    SECURITY_DESCRIPTOR descriptor;
    ACL *list;
    void *user; /* TOKEN_USER */
};

int mmf_place_secure(struct mmf_place_security *security, int inheritable,
                     int user_only);
void mmf_place_release(struct mmf_place_security *security);

/*
 * An object that was asked for as this user's alone must be: owned by the user, and
 * open to nobody else. MMF_E_WRONG_KIND if it is another one.
 */
int mmf_place_check_user_only(HANDLE object, const struct mmf_name *name);

#endif
