/* map.h - what a map handle is; for the views. */
#ifndef MMF_SRC_MAP_H
#define MMF_SRC_MAP_H

#include <stdint.h>

#include <mmf/map.h>

#include "os/os.h"

/* A right of its own: copy-on-write views and nothing else. */
#define MMF_CAN_COPY 8u

struct mmf {
    struct mmf_os_section *section;
    uint32_t can; /* MMF_CAN_...: what this handle was opened for */
};

/* What an access comprises (contract 2.7). */
uint32_t mmf_map_can(mmf_access access);

#endif
