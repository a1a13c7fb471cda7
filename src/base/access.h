/*
 * access.h - what each mmf_access comprises: the one table (contract 2.7).
 */
#ifndef MMF_BASE_ACCESS_H
#define MMF_BASE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mmf/map.h>

#include "base/invariant.h"

/* What may be done through a handle or a view: flags. */
#define MMF_CAN_READ 1u
#define MMF_CAN_WRITE 2u
#define MMF_CAN_EXECUTE 4u
#define MMF_CAN_COPY 8u /* copy-on-write views and nothing else */

/* What a view of the access does. */
struct mmf_access_row {
    bool can_read;
    bool can_write;
    bool can_execute;
    bool copies; /* what is written stays in the process */
};

/* The access's row; NULL: unknown. */
const struct mmf_access_row *mmf_access_find(mmf_access access);

/* The same of an access that was checked before. */
static inline const struct mmf_access_row *
mmf_access_row(mmf_access access)
{
    const struct mmf_access_row *row = mmf_access_find(access);

    MMF_ASSERT(row != NULL);
    return row;
}

/*
 * What a known access needs of a map, and what its creator grants with it
 * (MMF_CAN_...): a copy-on-write view only reads the map.
 */
uint32_t mmf_can_of_access(mmf_access access);

#endif
