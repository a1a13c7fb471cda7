/*
 * ticket.c - drawing tickets. The lock on SELF + ticket says that its drawer lives; the
 * counter only goes up, so that a newcomer is never taken for a dead process.
 */
#include "os/linux/store/ticket.h"

#include <mmf/status.h>

#include "base/atomic.h"
#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/store/lock.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/fork.h"
#include "shared/sync/word.h"

int
mmf_ticket_draw_locked(struct mmf_object *object, struct mmf_control_shared *page)
{
    mmf_atomic_u64 *tickets = (mmf_atomic_u64 *)(void *)&page->tickets;

    MMF_ASSERT(mmf_process_is_locked() && object->fd >= 0);
    if (object->ticket != 0)
        return MMF_OK;
    for (int tries = 0; tries < 16; tries++) {
        uint64_t ticket = mmf_add_relaxed_u64(tickets, 1);
        int rc;

        if (ticket == 0 || ticket > MMF_TICKET_MAX)
            break;
        rc = mmf_lock_self(object->fd, ticket);
        if (rc == MMF_LOCK_DONE) {
            object->ticket = ticket;
            return MMF_OK;
        }
        if (rc < 0)
            return mmf_error_fail("lock %s", object->path);
    }
    return mmf_fail(MMF_E_CORRUPT, "%s: its ticket counter makes no sense",
                    object->path);
}
