/*
 * inspect.h - what a copy of a mutex's, event's or semaphore's words says, for those
 * who look and take no part.
 */
#ifndef MMF_SHARED_SYNC_INSPECT_H
#define MMF_SHARED_SYNC_INSPECT_H

#include <stdint.h>

#include <mmf/list.h>

/*
 * Read the first bytes of a control page's `state`, copied, as those of a `kind`. 0: it
 * is no kind that has such words. `*owner_ticket` is the ticket of a mutex's owner, 0
 * if it has none; whether it lives, the caller must ask, and say with
 * mmf_sync_look_dead.
 */
int mmf_sync_look(const uint8_t *state, mmf_kind kind, mmf_sync_info *info,
                  uint64_t *owner_ticket);

/* The mutex's owner is dead: the next one gets it, abandoned. */
void mmf_sync_look_dead(mmf_sync_info *info);

#endif
