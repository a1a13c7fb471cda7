/*
 * inspect.h - what a copy of a mutex's, event's or semaphore's words says, for a process
 * that takes no part.
 */
#ifndef MMF_SHARED_SYNC_INSPECT_H
#define MMF_SHARED_SYNC_INSPECT_H

#include <stdbool.h>
#include <stdint.h>

#include <mmf/list.h>

/*
 * Read the first bytes of a control page's `state`, copied, as those of a `kind`. False:
 * a kind that has no such words. `*owner_ticket` is the ticket of a mutex's owner, 0 if
 * it has none; whether the owner lives the caller must ask, and say with
 * mmf_sync_inspect_owner_dead.
 */
bool mmf_sync_inspect(const uint8_t *state, mmf_kind kind, mmf_sync_info *info,
                      uint64_t *owner_ticket);

/* The mutex's owner is dead: the next waiter gets it, abandoned. */
void mmf_sync_inspect_owner_dead(mmf_sync_info *info);

#endif
