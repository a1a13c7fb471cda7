/*
 * namespace.h - going through the kernel's directories of objects: the one of this
 * session, and the one behind "Global\".
 */
#ifndef MMF_OS_WINDOWS_STORE_NAMESPACE_H
#define MMF_OS_WINDOWS_STORE_NAMESPACE_H

#include <mmf/list.h>

#include "os/windows/sys/nt.h"

/* One name; the strings are borrowed for the visit. */
struct mmf_namespace_entry {
    const char *directory; /* the kernel's path of it */
    const char *prefix;    /* what the name begins with for programs */
    const UNICODE_STRING *name;
    const UNICODE_STRING *type;
};

/* A status below 0 ends the walk. */
typedef int (*mmf_entry_visitor)(void *payload,
                                 const struct mmf_namespace_entry *entry);

/* Visit all names of the scopes that `flags` asks for. A status with mmf_fail. */
int mmf_namespace_walk(mmf_list_flags flags, mmf_entry_visitor visit, void *payload);

#endif
