/*
 * subobject.h - the names of the kernel objects that a channel consists of: the
 * channel's, ":mmf:", and which one it is.
 */
#ifndef MMF_OS_WINDOWS_STORE_SUBOBJECT_H
#define MMF_OS_WINDOWS_STORE_SUBOBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#include "base/name.h"

/* A channel's name as the kernel wants it, with space for a subobject's end. */
struct mmf_subobject_name {
    wchar_t *text;
    size_t length; /* of the channel's name */
};

/* To be freed with mmf_subobject_name_free. A status with mmf_fail. */
int mmf_subobject_name_make(const struct mmf_name *name,
                            struct mmf_subobject_name *made);
void mmf_subobject_name_free(struct mmf_subobject_name *name);

/*
 * The channel's own name, that of its section, and those of the subobjects of which
 * there are several, by a letter. Each holds until the next call.
 */
const wchar_t *mmf_subobject_channel(struct mmf_subobject_name *name);
const wchar_t *mmf_subobject_data(struct mmf_subobject_name *name);
const wchar_t *mmf_subobject_numbered(struct mmf_subobject_name *name, wchar_t letter,
                                      uint64_t number);

/* Append the section's end to a name that ends at `end`, and has the space. */
void mmf_subobject_append_data(wchar_t *end);

/* Whether this is the name of a subobject. */
bool mmf_subobject_is_name(const wchar_t *name, size_t length);

#endif
