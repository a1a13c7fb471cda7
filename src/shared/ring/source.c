/*
 * source.c - messages that come from elsewhere, each exactly once: a position that is
 * committed in the same step as its message.
 *
 * A source has an entry with two records, each of a position and the word of a reserved
 * slot; the lowest bit of `version` says which one holds. A sender that has written its
 * message into the slot writes both into the other record and raises `version`. That
 * store decides: the position is applied, and the message will be in the ring whatever
 * happens to its sender, which then commits the slot as ever.
 *
 * A process that recovers a dead sender commits a slot that is still reserved if its word
 * is in a record that holds, and drops it if not. It writes no entry, so any number may
 * do it at once. Only the handle whose identity is in `owner` writes an entry, and another
 * one becomes the owner only after the sender's own entry has gone, which goes last: what
 * was decided stays until it is done, and a process that was stopped meanwhile exchanges a
 * word that has changed.
 *
 * SPSC: a slot is not touched before its commit; that of a decided message is the tail's,
 * with the word of the last lap. The consumer, when it waits, commits it as well, whether
 * the producer lives or not: that one would store the same.
 *
 *   killed                       a survivor sees
 *   after it became the owner    an owner that is gone: the next one takes its place
 *   before the version           the position before; the reservation is dropped
 *   after the version            the position; who recovers the sender commits the slot
 */
#include "shared/ring/inner.h"
#include "shared/ring/wait.h"

/* So many owners at most come and go while one sender becomes it: each has joined and
 * reserved a slot meanwhile, and one that has died costs a search of all slots. */
#define OWNERS_MOST 16

/* The source's entry. `adds`: make it if need be. NULL: not there; no place for it. */
static struct mmf_source_shared *
find_entry(const struct mmf_ring *ring, uint64_t source, bool adds)
{
    MMF_ASSERT(source != 0);
    for (uint32_t i = 0; i < MMF_SOURCES_MAX; i++) {
        struct mmf_source_shared *entry = &ring->shared->sources[i];
        uint64_t found = mmf_load_acquire_u64(&entry->source);

        if (found == 0 && !adds)
            return NULL;
        if (found == 0 && mmf_exchange_if_u64(&entry->source, &found, source))
            return entry;
        if (found == source)
            return entry;
    }
    return NULL;
}

/* The number of the sender of this identity; UINT32_MAX: it has gone. */
static uint32_t
find_sender(const struct mmf_ring *ring, uint64_t identity)
{
    for (uint32_t i = 0; i < ring->shape.max_senders && identity != 0; i++) {
        if (mmf_load_acquire_u64(&ring->senders[i].identity) == identity)
            return i;
    }
    return UINT32_MAX;
}

/*
 * What the owner has decided is in the ring afterwards, unless it lives. The number of an
 * owner that lives; UINT32_MAX: it has gone.
 */
static uint32_t
settle(struct mmf_ring *ring, uint64_t owner, const struct mmf_ring_ops *ops)
{
    uint32_t number = find_sender(ring, owner);

    if (number == UINT32_MAX || !mmf_ring_is_dead(ring, ops, owner))
        return number;
    mmf_ring_recover(ring, &(struct mmf_ring_dead){number, 1, &owner}, true);
    mmf_ring_notify_receivers(ring, MMF_RING_ALL, ops);
    mmf_ring_notify_senders(ring, MMF_RING_ALL, ops);
    return UINT32_MAX;
}

/* Written by an owner; or there was none yet. */
static bool
is_sound(const struct mmf_ring *ring, uint64_t version, uint64_t position,
         uint64_t word)
{
    if (version == 0)
        return position == 0 && word == 0;
    return position != 0 && mmf_word_state(word) == MMF_SLOT_RESERVED &&
           mmf_word_participant(word) < ring->shape.max_senders;
}

/*
 * Its owner may be writing the record that does not hold. If it goes on to the other one
 * the version has changed: each store of a record is ordered after the version before.
 */
static enum mmf_step
read_record(const struct mmf_ring *ring, const struct mmf_source_shared *entry,
            uint64_t *position, uint64_t *word)
{
    uint64_t version = mmf_load_acquire_u64(&entry->version);

    for (int rounds = MMF_FEW_ROUNDS; rounds > 0; rounds--) {
        const struct mmf_source_record *record = &entry->records[version & 1];
        uint64_t before = version;

        *position = mmf_load_acquire_u64(&record->position);
        *word = mmf_load_acquire_u64(&record->word);
        version = mmf_load_acquire_u64(&entry->version);
        if (version == before)
            return is_sound(ring, version, *position, *word) ? MMF_STEP_DONE
                                                             : MMF_STEP_CORRUPT;
    }
    return MMF_STEP_CORRUPT;
}

/* A slot that was reserved before its owner sent this one would come out of order. */
static bool
is_late(const struct mmf_ring *ring, uint64_t word)
{
    return word != 0 && mmf_index_difference(ring->reserved, mmf_word_index(word)) < 0;
}

enum mmf_step
mmf_ring_own_source(struct mmf_ring *ring, uint64_t source,
                    const struct mmf_ring_ops *ops, struct mmf_ring_source *out)
{
    uint64_t owner, word;

    MMF_ASSERT(ring->has_reserved);
    out->entry = find_entry(ring, source, true);
    if (out->entry == NULL)
        return MMF_STEP_WOULD_BLOCK;
    owner = mmf_load_acquire_u64(&out->entry->owner);
    for (int rounds = OWNERS_MOST; rounds > 0; rounds--) {
        uint32_t number =
            owner != ring->identity ? settle(ring, owner, ops) : UINT32_MAX;
        enum mmf_step step = MMF_STEP_WOULD_BLOCK;

        if (number != UINT32_MAX)
            out->pid = mmf_load_relaxed_u64(&ring->senders[number].pid);
        else
            step = read_record(ring, out->entry, &out->applied, &word);
        if (step != MMF_STEP_DONE || owner == ring->identity)
            return step;
        out->last = mmf_word_index(word);
        if (is_late(ring, word))
            return MMF_STEP_AGAIN;
        /* Nothing was written since the owner had gone, if it still is the owner. */
        if (mmf_exchange_if_u64(&out->entry->owner, &owner, ring->identity))
            return MMF_STEP_DONE;
    }
    return MMF_STEP_CORRUPT;
}

void
mmf_ring_commit_from(struct mmf_ring *ring, uint64_t length,
                     const struct mmf_ring_source *source, uint64_t position)
{
    uint64_t version = mmf_load_relaxed_u64(&source->entry->version) + 1;
    struct mmf_source_record *record = &source->entry->records[version & 1];

    MMF_ASSERT(ring->has_reserved && position > source->applied);
    mmf_slot_write_sizes(mmf_ring_slot(ring, ring->reserved), length,
                         ring->reserved_offset);
    mmf_store_release_u64(&record->position, position);
    mmf_store_release_u64(
        &record->word, mmf_word_make(ring->reserved, ring->sender, MMF_SLOT_RESERVED));
    mmf_store_release_u64(&source->entry->version, version);
    mmf_ring_commit(ring, length);
}

enum mmf_step
mmf_ring_applied(struct mmf_ring *ring, uint64_t source, const struct mmf_ring_ops *ops,
                 uint64_t *position)
{
    struct mmf_source_shared *entry = find_entry(ring, source, false);
    uint64_t word;

    *position = 0;
    if (entry == NULL)
        return MMF_STEP_DONE;
    settle(ring, mmf_load_acquire_u64(&entry->owner), ops);
    return read_record(ring, entry, position, &word);
}

/*
 * Recovery.
 */

/* While living owners write their entries, what is read of those is no word of the dead. */
bool
mmf_ring_is_decided(const struct mmf_ring *ring, uint64_t word)
{
    MMF_ASSERT(mmf_word_state(word) == MMF_SLOT_RESERVED);
    for (uint32_t i = 0; i < MMF_SOURCES_MAX; i++) {
        const struct mmf_source_shared *entry = &ring->shared->sources[i];
        uint64_t version;

        if (mmf_load_acquire_u64(&entry->source) == 0)
            break;
        version = mmf_load_acquire_u64(&entry->version);
        if (mmf_load_acquire_u64(&entry->records[version & 1].word) == word)
            return true;
    }
    return false;
}

/*
 * The tail before the records: one that holds now and has the tail's index was decided,
 * even if another producer has joined meanwhile.
 */
void
mmf_ring_spsc_commit_decided(const struct mmf_ring *ring)
{
    uint64_t tail = mmf_ring_tail(ring) & MMF_INDEX_MASK;
    uint64_t word = mmf_ring_word(ring, tail);

    MMF_ASSERT(ring->shape.is_spsc);
    if (mmf_word_age(ring, word, tail) < 0 &&
        mmf_ring_is_decided(ring, mmf_word_make(tail, 0, MMF_SLOT_RESERVED)))
        mmf_exchange_if_u64(&mmf_ring_slot(ring, tail)->word, &word,
                            mmf_word_make(tail, 0, MMF_SLOT_COMMITTED));
}
