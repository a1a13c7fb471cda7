/*
 * recover.c - which participants' deaths can block, and recovering what they owned.
 *
 * Any number of processes may recover at once, and be killed or stopped over it: each
 * step is one exchange from a word of a dead participant's, and its entry is freed last.
 * A search of the slots recovers all the dead among 64 participants.
 */
#include "shared/ring/inner.h"
#include "shared/ring/wait.h"

/* So many dead are recovered with one search of the slots. */
#ifndef MMF_DEAD_AT_ONCE /* the model has fewer */
#define MMF_DEAD_AT_ONCE 64u
#endif

/* Who is a suspect: those whose death may be what blocks a sender, a receiver; all. */
enum suspects { OF_SENDER, OF_RECEIVER, ALL };

/* The participant's identity, if it is one of these; else 0. */
static uint64_t
suspect(const struct mmf_ring *ring, enum suspects which, uint32_t number)
{
    const struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
    uint64_t identity = mmf_load_acquire_u64(&entry->identity);
    uint64_t cursor;

    if (identity == 0 || identity == ring->identity)
        return 0;
    if (which == ALL || mmf_load_relaxed_u64(&entry->held) != 0)
        return identity;
    return which == OF_SENDER && number >= MMF_RECEIVERS_FROM &&
                   ring->shape.kind == MMF_KIND_TOPIC &&
                   mmf_cursor_read(entry, &cursor) &&
                   mmf_index_difference(mmf_ring_tail(ring), cursor) >=
                       (int64_t)ring->shape.slots
               ? identity
               : 0;
}

bool
mmf_ring_has_suspects(const struct mmf_ring *ring, bool sending)
{
    enum suspects which = sending ? OF_SENDER : OF_RECEIVER;

    for (uint32_t i = 0; i < ring->shape.max_senders; i++) {
        if (suspect(ring, which, i) != 0)
            return true;
    }
    for (uint32_t i = 0; i < ring->shape.max_receivers; i++) {
        if (suspect(ring, which, MMF_RECEIVERS_FROM + i) != 0)
            return true;
    }
    return false;
}

void
mmf_ring_return_word(const struct mmf_ring *ring, uint64_t word)
{
    mmf_atomic_u64 *slot_word = &mmf_ring_slot(ring, mmf_word_index(word))->word;
    uint64_t returned = mmf_word_with(word, MMF_NO_PARTICIPANT, MMF_SLOT_RETURNED);

    MMF_ASSERT(!ring->shape.is_spsc);
    mmf_add_release_u64(&ring->shared->return_epoch, MMF_RETURN_BEGINS);
    mmf_exchange_if_u64(slot_word, &word, mmf_word_count_up(returned));
    mmf_add_release_u64(&ring->shared->return_epoch, MMF_RETURN_ENDS);
}

void
mmf_ring_rescan_returned(struct mmf_ring *ring)
{
    uint64_t epoch = mmf_load_relaxed_u64(&ring->shared->return_epoch);

    MMF_ASSERT(mmf_ring_is_mpmc(ring));
    if (epoch >> 32 != (epoch & UINT32_MAX) || ring->has_returned)
        ring->seen_return_epoch = epoch - 1;
    ring->has_returned = false;
}

/* The dead sender of this reservation either had decided to commit it, or had not. */
static void
end_reservation(const struct mmf_ring *ring, mmf_atomic_u64 *slot_word, uint64_t word)
{
    bool is_decided = mmf_ring_is_decided(ring, word);
    uint64_t end = is_decided
                       ? mmf_word_with(word, MMF_NO_PARTICIPANT, MMF_SLOT_COMMITTED)
                       : mmf_word_released(mmf_word_index(word));

    if (mmf_exchange_if_u64(slot_word, &word, end))
        mmf_add_relaxed_u64(is_decided ? &ring->shared->retired_sent
                                       : &ring->shared->retired_dropped,
                            1);
}

bool
mmf_ring_is_one_of(const struct mmf_ring *ring, const struct mmf_ring_dead *dead,
                   uint32_t number)
{
    uint32_t at = number - dead->first; /* or far beyond */
    uint64_t identity = at < dead->count ? dead->identities[at] : 0;

    return identity != 0 &&
           mmf_load_acquire_u64(&mmf_ring_participant(ring, number)->identity) ==
               identity;
}

/* Recover the slot of the index, if its word says that one of the dead owns it. */
static void
recover_slot(const struct mmf_ring *ring, uint64_t index,
             const struct mmf_ring_dead *dead)
{
    mmf_atomic_u64 *slot_word = &mmf_ring_slot(ring, index)->word;
    uint64_t word = mmf_load_acquire_u64(slot_word);

    MMF_ASSERT(index < ring->shape.slots);
    if (!mmf_word_is_owned(word) ||
        !mmf_ring_is_one_of(ring, dead, mmf_word_participant(word)))
        return;
    if (mmf_word_state(word) != MMF_SLOT_RESERVED)
        mmf_ring_return_word(ring, word);
    else
        end_reservation(ring, slot_word, word);
}

/* Free the entry, and keep its counters. */
static void
retire(const struct mmf_ring *ring, uint32_t number, uint64_t identity)
{
    struct mmf_participant_shared *entry = mmf_ring_participant(ring, number);
    bool is_receiver = number >= MMF_RECEIVERS_FROM;
    uint64_t sent = is_receiver ? 0 : mmf_ring_sent_by(ring, entry);
    uint64_t received = is_receiver ? mmf_ring_received_by(ring, entry) : 0;
    uint64_t dropped = mmf_load_relaxed_u64(&entry->dropped);
    uint64_t lost = mmf_load_relaxed_u64(&entry->lost);
    uint64_t redelivered = mmf_load_relaxed_u64(&entry->redelivered);
    bool had_counted = (identity & MMF_IDENTITY_JOINING) == 0;

    MMF_ASSERT(identity != 0);
    if (!mmf_exchange_if_u64(&entry->identity, &identity, 0) || !had_counted)
        return;
    mmf_add_relaxed_u64(&ring->shared->retired_sent, sent);
    mmf_add_relaxed_u64(&ring->shared->retired_received, received);
    mmf_add_relaxed_u64(&ring->shared->retired_dropped, dropped);
    mmf_add_relaxed_u64(&ring->shared->retired_lost, lost);
    mmf_add_relaxed_u64(&ring->shared->retired_redelivered, redelivered);
}

static void
retire_all(const struct mmf_ring *ring, const struct mmf_ring_dead *dead)
{
    for (uint32_t i = 0; i < dead->count; i++) {
        if (dead->identities[i] != 0)
            retire(ring, dead->first + i, dead->identities[i]);
    }
}

/* `held` is raised before the exchange that takes a slot. */
static bool
has_slots(const struct mmf_ring *ring, const struct mmf_ring_dead *dead)
{
    for (uint32_t i = 0; i < dead->count; i++) {
        uint32_t number = dead->first + i;

        if (mmf_ring_is_one_of(ring, dead, number) &&
            mmf_load_acquire_u64(&mmf_ring_participant(ring, number)->held) != 0)
            return true;
    }
    return false;
}

/* The dead claim nothing more: what the tail says of them now is the last of it. */
static void
recover_slots(const struct mmf_ring *ring, const struct mmf_ring_dead *dead)
{
    mmf_ring_name_claim(ring, mmf_ring_tail(ring));
    for (uint64_t i = 0; i < ring->shape.slots; i++)
        recover_slot(ring, i, dead);
}

void
mmf_ring_recover(struct mmf_ring *ring, const struct mmf_ring_dead *dead,
                 bool may_write_slots)
{
    bool are_receivers = dead->first >= MMF_RECEIVERS_FROM;

    MMF_ASSERT(may_write_slots || are_receivers);
    if (may_write_slots && !ring->shape.is_spsc && has_slots(ring, dead))
        recover_slots(ring, dead);
    if (ring->shape.is_spsc && !are_receivers)
        mmf_ring_spsc_commit_decided(ring);
    if (are_receivers)
        mmf_ring_recover_pins(ring, dead);
    retire_all(ring, dead);
}

/* Which of these participants are dead suspects, and recovering them. */
static bool
recover_some(struct mmf_ring *ring, enum suspects which, bool may_write_slots,
             const struct mmf_ring_ops *ops, const struct mmf_ring_dead *dead)
{
    bool has_found = false;

    for (uint32_t i = 0; i < dead->count; i++) {
        uint64_t identity = suspect(ring, which, dead->first + i);
        bool is_dead = identity != 0 && mmf_ring_is_dead(ring, ops, identity);

        dead->identities[i] = is_dead ? identity : 0;
        has_found = has_found || is_dead;
    }
    if (has_found)
        mmf_ring_recover(ring, dead, may_write_slots);
    return has_found;
}

/* A table, in parts: the identities of all of it need more stack than a call may. */
static bool
recover_table(struct mmf_ring *ring, enum suspects which, bool may_write_slots,
              const struct mmf_ring_ops *ops, uint32_t first, uint32_t count)
{
    uint64_t identities[MMF_DEAD_AT_ONCE];
    bool has_recovered = false;

    for (uint32_t i = 0; i < count; i += MMF_DEAD_AT_ONCE) {
        uint32_t rest = count - i;
        const struct mmf_ring_dead part = {
            first + i, rest < MMF_DEAD_AT_ONCE ? rest : MMF_DEAD_AT_ONCE, identities};

        has_recovered |= recover_some(ring, which, may_write_slots, ops, &part);
    }
    return has_recovered;
}

bool
mmf_ring_recover_suspects(struct mmf_ring *ring, bool sending, bool may_write_slots,
                          const struct mmf_ring_ops *ops)
{
    enum suspects which = sending ? OF_SENDER : OF_RECEIVER;
    bool has_recovered =
        may_write_slots &&
        recover_table(ring, which, may_write_slots, ops, 0, ring->shape.max_senders);

    return recover_table(ring, which, may_write_slots, ops, MMF_RECEIVERS_FROM,
                         ring->shape.max_receivers) ||
           has_recovered;
}

void
mmf_ring_recover_all(struct mmf_ring *ring, uint32_t first, uint32_t count,
                     bool may_write_slots, const struct mmf_ring_ops *ops)
{
    recover_table(ring, ALL, may_write_slots, ops, first, count);
}
