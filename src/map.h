/* map.h - what a map handle is; for the views. */
#ifndef MMF_SRC_MAP_H
#define MMF_SRC_MAP_H

#include <stdint.h>

#include <mmf/map.h>

#include "os/os.h"

struct mmf_map {
    struct mmf_os_section *section;
    uint32_t can; /* MMF_CAN_...: what this handle was opened for */
};

#endif
