/*
 * join.h - becoming a participant of a channel, and leaving it.
 */
#ifndef MMF_SHARED_RING_JOIN_H
#define MMF_SHARED_RING_JOIN_H

#include <stdint.h>

#include "shared/ring/wait.h"

/*
 * Take an entry of the role, a free one or a dead participant's; `ring->identity` is set.
 * For receivers of a topic, mmf_ring_subscribe must follow. WOULD_BLOCK: all entries
 * belong to living participants.
 */
enum mmf_step mmf_ring_join_sender(struct mmf_ring *ring,
                                   const struct mmf_ring_ops *ops);
enum mmf_step mmf_ring_join_receiver(struct mmf_ring *ring, bool may_write_slots,
                                     const struct mmf_ring_ops *ops);

/* Abandon what is reserved, return what is taken, free the entries. */
void mmf_ring_leave(struct mmf_ring *ring, bool may_write_slots,
                    const struct mmf_ring_ops *ops);

#endif
