/*
 * view.h - a window on a section: what accessor and stream have in common.
 */
#ifndef MMF_SRC_VIEW_H
#define MMF_SRC_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include <mmf/view.h>

#include "os/os.h"

struct mmf_view {
    uint8_t *bytes; /* the first byte the caller asked for */
    int64_t size;
    bool can_read;
    bool can_write;
    int64_t pointer_offset; /* from the mapping's start to `bytes` */
    mmf_view_flags granted;
    bool is_mapped; /* false: a view of 0 bytes has no mapping */
    struct mmf_os_view os;
};

/* Check by contract 2.6 to 2.8 and map. The view must not move afterwards. */
int mmf_view_open(mmf_map *map, int64_t offset, int64_t size, mmf_access access,
                  const mmf_view_options *options, struct mmf_view *view);

/* Flush if it can be written, then unmap. */
void mmf_view_close(struct mmf_view *view);

int mmf_view_flush(struct mmf_view *view);

#endif
