/*
 * mapping.h - mapping a channel's ring for a handle.
 */
#ifndef MMF_OS_WINDOWS_CHANNEL_MAPPING_H
#define MMF_OS_WINDOWS_CHANNEL_MAPPING_H

#include "os/windows/channel/handle.h"

/* What a handle is for. */
enum mmf_channel_purpose {
    MMF_CHANNEL_TAKE_PART,
    MMF_CHANNEL_TAKE_PART_READING, /* it only reads the slots */
    MMF_CHANNEL_INSPECT            /* it takes no part */
};

/* Whether a handle for it has tickets, tokens and the name. */
static inline bool
mmf_channel_takes_part(enum mmf_channel_purpose purpose)
{
    return purpose != MMF_CHANNEL_INSPECT;
}

/* FILE_MAP_...: what the section is opened for. */
static inline DWORD
mmf_channel_access(enum mmf_channel_purpose purpose)
{
    return mmf_channel_takes_part(purpose) ? FILE_MAP_READ | FILE_MAP_WRITE
                                           : FILE_MAP_READ;
}

/*
 * What the first page of the handle's section says. MMF_E_BUSY: its creator has not
 * finished it; MMF_E_LAYOUT; MMF_E_CORRUPT.
 */
int mmf_channel_read_page(const struct mmf_channel_handle *handle,
                          const struct mmf_name *name, struct mmf_channel_facts *facts);

/* Map the ring of the handle's section, and attach to it. */
int mmf_channel_map(struct mmf_channel_handle *handle,
                    const struct mmf_ring_shape *shape,
                    enum mmf_channel_purpose purpose);

/* Undo it, as far as it was done. */
void mmf_channel_unmap(struct mmf_channel_handle *handle);

#endif
