/*
 * ticket.h - a participant's number at a channel, which no other ever gets.
 */
#ifndef MMF_OS_WINDOWS_STORE_TICKET_H
#define MMF_OS_WINDOWS_STORE_TICKET_H

#include <stdbool.h>
#include <stdint.h>
#include <windows.h>

#include "base/atomic.h"
#include "os/windows/store/subobject.h"

struct mmf_ticket {
    uint64_t number;
    HANDLE event; /* its name is there as long as this is open */
};

/* Draw one of `counter`. A status with mmf_fail. */
int mmf_ticket_draw(mmf_atomic_u64 *counter, struct mmf_subobject_name *name,
                    struct mmf_ticket *ticket);
void mmf_ticket_close(struct mmf_ticket *ticket);

/* False: the handle that drew that number was closed, or its process has ended. */
bool mmf_ticket_is_alive(struct mmf_subobject_name *name, uint64_t number);

#endif
