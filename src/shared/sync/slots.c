/*
 * slots.c - see slots.h.
 */
#include "shared/sync/slots.h"

#include <string.h>

uint32_t *
mmf_sync_slot_futex(struct mmf_sync_slot *slot)
{
    uint32_t *halves = (uint32_t *)(void *)&slot->state;
    const uint16_t one = 1;
    uint8_t first_byte;

    memcpy(&first_byte, &one, 1); /* 1: the low half comes first */
    return first_byte == 1 ? halves : halves + 1;
}

struct mmf_sync_slot *
mmf_sync_slot(const struct mmf_sync_ref *ref, int index, const struct mmf_sync_ops *ops)
{
    struct mmf_sync_slot *more;

    MMF_ASSERT(index >= 0 && index < MMF_SYNC_SLOTS_MAX);
    if (index < MMF_SYNC_SLOTS_HERE)
        return &ref->shared->slots[index];
    index -= MMF_SYNC_SLOTS_HERE;
    more = ops->more_slots(ops->context, ref, index + 1);
    MMF_ASSERT(more != NULL);
    return &more[index];
}

struct mmf_sync_slots
mmf_sync_slots(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    uint32_t used = mmf_load_acquire_u32(&ref->shared->slots_used);
    struct mmf_sync_slots slots = {.here = ref->shared->slots, .count = (int)used};

    if (used > MMF_SYNC_SLOTS_MAX) {
        slots.count = -1;
    } else if (used > MMF_SYNC_SLOTS_HERE) {
        slots.more =
            ops->more_slots(ops->context, ref, (int)used - MMF_SYNC_SLOTS_HERE);
        if (slots.more == NULL)
            slots.count = MMF_SYNC_SLOTS_HERE;
    }
    return slots;
}

static void
scan_waiting(const struct mmf_sync_slot *slot, int index, uint64_t state,
             struct mmf_sync_scan *scan)
{
    uint64_t arrival = mmf_load_guarded_u64(&slot->arrival);

    if (scan->oldest >= 0 && arrival >= scan->oldest_arrival)
        return;
    scan->oldest = index;
    scan->oldest_state = state;
    scan->oldest_arrival = arrival;
}

static void
scan_token(int index, uint64_t state, struct mmf_sync_scan *scan)
{
    if (scan->tokens == 0) {
        scan->first_token = index;
        scan->first_token_state = state;
    }
    scan->token = index;
    scan->token_state = state;
    scan->tokens++;
}

void
mmf_sync_scan(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops,
              struct mmf_sync_scan *scan)
{
    const struct mmf_sync_slots slots = mmf_sync_slots(ref, ops);

    *scan = (struct mmf_sync_scan){
        .oldest = -1, .token = -1, .is_corrupt = slots.count < 0};
    for (int i = 0; i < slots.count; i++) {
        const struct mmf_sync_slot *slot = mmf_sync_slot_of(&slots, i);
        uint64_t state = mmf_load_acquire_u64(&slot->state);

        scan->is_corrupt |= !mmf_sync_slot_is_sound(state);
        scan->is_busy |= (state & MMF_SLOT_NUDGED) != 0;
        switch (mmf_sync_slot_kind(state)) {
        case MMF_SLOT_FREE:
            continue;
        case MMF_SLOT_WAITING:
            scan_waiting(slot, i, state, scan);
            break;
        case MMF_SLOT_PROBING:
            scan->has_probers = true;
            break;
        case MMF_SLOT_TOKEN:
            scan_token(i, state, scan);
            break;
        default: /* a thread that takes no signal now */
            scan->is_busy = true;
            break;
        }
        scan->is_used = true;
    }
}

/* There is a slot `index`, used from now on. */
static bool
use_next(const struct mmf_sync_ref *ref, int index, const struct mmf_sync_ops *ops)
{
    uint32_t used = (uint32_t)index;

    if (index >= MMF_SYNC_SLOTS_MAX ||
        (index >= MMF_SYNC_SLOTS_HERE &&
         ops->more_slots(ops->context, ref, index + 1 - MMF_SYNC_SLOTS_HERE) == NULL))
        return false;
    return mmf_exchange_if_u32(&ref->shared->slots_used, &used, used + 1) ||
           used > (uint32_t)index;
}

/* Fill the slot, which was FREE in `state`. False: another thread was quicker. */
static bool
fill(const struct mmf_sync_ref *ref, struct mmf_sync_slot *slot, uint64_t state,
     enum mmf_sync_slot_kind kind, int64_t now, struct mmf_sync_sleeper *sleeper)
{
    uint64_t version = (mmf_sync_slot_version(state) + 1) & MMF_SLOT_VERSION_MAX;
    uint64_t ticket = mmf_sync_ticket(ref->identity);

    MMF_ASSERT(mmf_sync_slot_kind(state) == MMF_SLOT_FREE && ticket != 0);
    if (!mmf_exchange_if_u64(&slot->state, &state,
                             mmf_sync_slot_state(version, ticket, MMF_SLOT_CLAIMED)))
        return false;
    mmf_store_guarded_u64(&slot->thread, mmf_sync_thread(ref->identity));
    mmf_store_guarded_u64(&slot->arrival,
                          mmf_add_relaxed_u64(&ref->shared->arrivals, 1));
    mmf_store_guarded_u64(&slot->since, (uint64_t)now);
    mmf_store_release_u64(&slot->state, mmf_sync_slot_state(version, ticket, kind));
    /* Who signals changes the word or a slot, and looks at the slots after that. */
    mmf_fence_full();
    sleeper->version = (uint32_t)version;
    sleeper->expected = mmf_sync_low_half(mmf_sync_slot_state(version, ticket, kind));
    return true;
}

void
mmf_sync_slot_claim(const struct mmf_sync_ref *ref, enum mmf_sync_slot_kind kind,
                    int64_t now, const struct mmf_sync_ops *ops,
                    struct mmf_sync_sleeper *sleeper)
{
    const struct mmf_sync_slots slots = mmf_sync_slots(ref, ops);

    sleeper->slot = -1;
    sleeper->is_registered = false;
    for (int i = 0; slots.count >= 0 && i < MMF_SYNC_SLOTS_MAX; i++) {
        struct mmf_sync_slot *slot;
        uint64_t state;

        if (i >= slots.count && !use_next(ref, i, ops))
            return;
        slot =
            i < slots.count ? mmf_sync_slot_of(&slots, i) : mmf_sync_slot(ref, i, ops);
        state = mmf_load_acquire_u64(&slot->state);
        if (mmf_sync_slot_kind(state) == MMF_SLOT_FREE &&
            fill(ref, slot, state, kind, now, sleeper)) {
            sleeper->slot = i;
            return;
        }
    }
}

bool
mmf_sync_slot_change(const struct mmf_sync_ref *ref, int index, uint64_t seen,
                     enum mmf_sync_slot_kind kind, const struct mmf_sync_ops *ops)
{
    struct mmf_sync_slot *slot = mmf_sync_slot(ref, index, ops);

    return mmf_exchange_if_u64(&slot->state, &seen, mmf_sync_slot_become(seen, kind));
}

bool
mmf_sync_slot_nudge(const struct mmf_sync_ref *ref, int index, uint64_t seen,
                    const struct mmf_sync_ops *ops)
{
    struct mmf_sync_slot *slot = mmf_sync_slot(ref, index, ops);
    uint64_t calm = seen & ~MMF_SLOT_NUDGED;
    uint64_t nudged = seen | MMF_SLOT_NUDGED;

    /* What was seen may be from before the change that the thread is to look at. */
    if (seen == nudged)
        seen = mmf_load_acquire_u64(&slot->state);
    for (;;) {
        /* It has not looked yet; it is awake, or will be woken by who nudged it. */
        if (seen == nudged)
            return true;
        if (seen != calm)
            return false;
        if (mmf_exchange_if_u64(&slot->state, &seen, nudged)) {
            ops->wake(ops->context, ref, index);
            return true;
        }
    }
}

void
mmf_sync_nudge_probers(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops)
{
    const struct mmf_sync_slots slots = mmf_sync_slots(ref, ops);

    for (int i = 0; i < slots.count; i++) {
        uint64_t state = mmf_load_acquire_u64(&mmf_sync_slot_of(&slots, i)->state);

        if (mmf_sync_slot_kind(state) == MMF_SLOT_PROBING)
            mmf_sync_slot_nudge(ref, i, state, ops);
    }
}
