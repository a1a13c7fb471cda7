/*
 * ticket.h - a participant's number at a channel, which nobody else ever gets.
 */
#ifndef MMF_OS_WINDOWS_STORE_TICKET_H
#define MMF_OS_WINDOWS_STORE_TICKET_H

#include <stdint.h>
#include <windows.h>

#include "base/atomic.h"
#include "os/windows/store/name_guard.h"

struct mmf_ticket {
    uint64_t number;
    HANDLE life; /* its name is there as long as this is open */
};

/* Draw one of `counter`. Calls mmf_fail. */
int mmf_ticket_draw(mmf_atomic_u64 *counter, struct mmf_part_name *name,
                    struct mmf_ticket *ticket);
void mmf_ticket_return(struct mmf_ticket *ticket);

/* 0: whoever drew that number has ended or closed. */
int mmf_ticket_is_alive(struct mmf_part_name *name, uint64_t number);

#endif
