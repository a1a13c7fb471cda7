/* name_guard.h - the kernel objects that a channel is made of, by their names. */
#ifndef MMF_OS_WINDOWS_STORE_NAME_GUARD_H
#define MMF_OS_WINDOWS_STORE_NAME_GUARD_H

#include <stddef.h>
#include <stdint.h>
#include <windows.h>

#include "base/name.h"

/* A channel's name as the kernel wants it, with room for a part. */
struct mmf_part_name {
    wchar_t *text;
    size_t length; /* of the channel's name */
};

/* To be freed with mmf_part_name_free. */
int mmf_part_name_make(const struct mmf_name *name, struct mmf_part_name *made);
void mmf_part_name_free(struct mmf_part_name *name);

/*
 * The channel's own name, that of its section, and those of the parts of which there
 * are several, by a letter. Each holds until the next call.
 */
const wchar_t *mmf_part_none(struct mmf_part_name *name);
const wchar_t *mmf_part_data(struct mmf_part_name *name);
const wchar_t *mmf_part_numbered(struct mmf_part_name *name, wchar_t part,
                                 uint64_t number);

/* Append the data's mark and part to a name that ends at `end`, which has the room. */
void mmf_part_append_data(wchar_t *end);

/* 1 if this is the name of a part. */
int mmf_part_is(const wchar_t *name, size_t length);

#endif
