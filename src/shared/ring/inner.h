/*
 * inner.h - what the files of this folder, and the fast paths of the calls, share.
 */
#ifndef MMF_SHARED_RING_INNER_H
#define MMF_SHARED_RING_INNER_H

#include "shared/ring/ring.h"

/* Loops over words that another process may be writing forever end after this. */
#define MMF_ROUNDS(ring) (4 * (ring)->shape.slots + 1000)

/* Those that go on only if another participant has come or gone meanwhile. */
#define MMF_FEW_ROUNDS 1000

/* A loop's round has searched all slots: some thousand may, one for each participant. */
static inline void
mmf_rounds_searched(const struct mmf_ring *ring, uint64_t *rounds)
{
    uint64_t more = ring->shape.slots / 256;

    *rounds = *rounds > more ? *rounds - more : 1;
}

/* A receiver compares indexes with the senders at every one without these bits; a
 * queue's notes the depth at every one without those. */
#define MMF_SAMPLES 31u
#define MMF_DEPTH_SAMPLES 255u

/* So many messages without a wait are a stream. */
#define MMF_STREAM 32

/*
 * A sender asks for the lines of slots this far before it comes to them. Otherwise its
 * stores wait for one line after the other, because a processor asks for those of few
 * stores at a time.
 */
#define MMF_SLOTS_AHEAD 4
#define MMF_PREFETCH_MOST 1024 /* bytes of each */

static inline uint64_t
mmf_ring_tail(const struct mmf_ring *ring)
{
    return mmf_load_acquire_u64(&ring->shared->tail);
}

/* The oldest index that can be at home in a slot, but for those that are owned. */
static inline uint64_t
mmf_ring_oldest(const struct mmf_ring *ring, uint64_t tail)
{
    return (tail - ring->shape.slots) & MMF_INDEX_MASK;
}

static inline uint64_t
mmf_ring_word(const struct mmf_ring *ring, uint64_t index)
{
    return mmf_load_acquire_u64(&mmf_ring_slot(ring, index)->word);
}

/* How far the word's index is from `index`; never-used slots are a lap behind. */
static inline int64_t
mmf_word_age(const struct mmf_ring *ring, uint64_t word, uint64_t index)
{
    if (word == 0)
        return -(int64_t)ring->shape.slots;
    return mmf_index_difference(mmf_word_index(word), index);
}

/* Senders do not wait for readers: one that reserves a slot says so in its word. */
static inline bool
mmf_ring_marks_reservations(const struct mmf_ring *ring)
{
    return ring->shape.kind == MMF_KIND_LATEST ||
           (ring->shape.kind == MMF_KIND_TOPIC &&
            ring->shape.overflow == MMF_OVERFLOW_DROP_OLDEST);
}

/* False: no sender has written this word into the slot of `index`. */
static inline bool
mmf_word_is_at_home(const struct mmf_ring *ring, uint64_t word, uint64_t index)
{
    return word == 0 || ((mmf_word_index(word) ^ index) & (ring->shape.slots - 1)) == 0;
}

/* The slot's word is older than the index. */
static inline bool
mmf_ring_is_older(const struct mmf_ring *ring, uint64_t index)
{
    return mmf_word_age(ring, mmf_ring_word(ring, index), index) < 0;
}

/* A statistic: of two participants that raise it at once, one may be overlooked. */
static inline void
mmf_ring_note_depth(const struct mmf_ring *ring, int64_t depth)
{
    mmf_atomic_u64 *high_water = &ring->shared->high_water;

    if (depth > 0 && depth <= (int64_t)ring->shape.slots &&
        mmf_load_relaxed_u64(high_water) < (uint64_t)depth)
        mmf_store_relaxed_u64(high_water, (uint64_t)depth);
}

/* The lines of a message that is as long as this one. There may be no memory past the
 * last slot; that does no harm. */
static inline void
mmf_ring_prefetch_ahead(const struct mmf_ring *ring, const void *slot, uint64_t length)
{
    uintptr_t at = (uintptr_t)slot + MMF_SLOTS_AHEAD * (uintptr_t)ring->shape.stride;
    uintptr_t most = length <= MMF_PREFETCH_MOST ? (uintptr_t)length
                                                 : sizeof(struct mmf_slot_shared);

    mmf_prefetch_to_write((const void *)at);
    if (length <= MMF_SLOT_SHORT)
        return;
    for (uintptr_t i = 0; i < most; i += sizeof(struct mmf_slot_shared))
        mmf_prefetch_to_write((const void *)(at + sizeof(struct mmf_slot_shared) + i));
}

/* Having advanced: it is time to keep the distance. */
static inline bool
mmf_ring_is_sample(const struct mmf_ring *ring)
{
    return (ring->cursor & MMF_SAMPLES) == 0;
}

/* One writer: the participant itself. */
static inline void
mmf_counter_add(mmf_atomic_u64 *counter, uint64_t more)
{
    mmf_store_relaxed_u64(counter, mmf_load_relaxed_u64(counter) + more);
}

/* How many messages this participant has sent, has received. */
uint64_t mmf_ring_sent_by(const struct mmf_ring *ring,
                          const struct mmf_participant_shared *sender);
uint64_t mmf_ring_received_by(const struct mmf_ring *ring,
                              const struct mmf_participant_shared *receiver);

/* Two stores: compilers that make one of them first put both into one register. */
static inline void
mmf_slot_write_sizes(struct mmf_slot_shared *slot, uint64_t length, uint32_t offset)
{
    MMF_ASSERT(offset == sizeof(*slot) || (offset == 0 && length <= MMF_SLOT_SHORT));
    *(volatile uint32_t *)&slot->length =
        (uint32_t)length | (offset != 0 ? MMF_SLOT_IS_LONG : 0);
    *(volatile uint32_t *)&slot->delivery = 0;
}

/*
 * A queue's slot that is available has no message. Elsewhere readers may be at the old
 * one: a reader that sees a byte of the new payload sees that the word has changed, or,
 * where that is not touched, the tail; pairs with the fence in mmf_ring_still_valid
 * (Boehm, "Can Seqlocks Get Along With Programming Language Memory Models?", 2012). And a
 * participant that sees the new word sees the tail beyond it: hence the release.
 */
static inline void
mmf_ring_begin_overwriting(const struct mmf_ring *ring, struct mmf_slot_shared *slot)
{
    MMF_ASSERT(ring->has_reserved && !ring->shape.is_spsc);
    if (ring->shape.kind == MMF_KIND_QUEUE)
        return;
    if (mmf_ring_marks_reservations(ring))
        mmf_store_release_u64(&slot->word, mmf_word_make(ring->reserved, ring->sender,
                                                         MMF_SLOT_RESERVED));
    mmf_fence_release();
}

/* Not SPSC: make the reservation available. */
static inline void
mmf_ring_commit_slot(struct mmf_ring *ring, uint64_t length)
{
    struct mmf_slot_shared *slot = mmf_ring_slot(ring, ring->reserved);

    MMF_ASSERT(ring->has_reserved && ring->sending == &ring->senders[ring->sender]);
    mmf_slot_write_sizes(slot, length, ring->reserved_offset);
    /* pairs with the acquire before it is taken or read */
    mmf_store_release_u64(
        &slot->word, mmf_word_make(ring->reserved, ring->sender, MMF_SLOT_COMMITTED));
    mmf_store_release_u64(&mmf_ring_sender(ring)->held, 0);
    mmf_counter_add(&mmf_ring_sender(ring)->sent, 1);
    ring->has_reserved = false;
}

static inline uint32_t
mmf_slot_redeliveries(const struct mmf_slot_shared *slot)
{
    return *(const volatile uint32_t *)&slot->delivery &
           ((1u << MMF_REDELIVERIES_BITS) - 1);
}

/* What the slot says of its message, checked: any process may have written its sizes. */
static inline enum mmf_step
mmf_ring_read_sizes(const struct mmf_ring *ring, const struct mmf_slot_shared *slot,
                    uint64_t index, struct mmf_ring_message *message)
{
    uint32_t sizes = *(const volatile uint32_t *)&slot->length;
    uint32_t length = sizes & ~MMF_SLOT_IS_LONG;
    bool is_long = (sizes & MMF_SLOT_IS_LONG) != 0;

    if (length > ring->shape.message_size ||
        (is_long ? ring->shape.stride == sizeof(*slot) : length > MMF_SLOT_SHORT))
        return MMF_STEP_CORRUPT;
    message->bytes = is_long ? (const uint8_t *)(slot + 1) : slot->payload;
    message->length = length;
    message->index = index;
    message->lost = 0;
    message->deliveries = 1;
    return MMF_STEP_DONE;
}

static inline enum mmf_step
mmf_ring_read_slot(const struct mmf_ring *ring, uint64_t index,
                   struct mmf_ring_message *message)
{
    return mmf_ring_read_sizes(ring, mmf_ring_slot(ring, index), index, message);
}

/* Write the owner of the tail's last claim into its slot, unless that is us. */
void mmf_ring_name_claim(const struct mmf_ring *ring, uint64_t tail);

/*
 * return_epoch counts returns begun in its upper half and returns ended in its lower
 * one: a consumer that scans between them scans again. If a process is killed between
 * them the halves stay different, and then consumers that wait scan without a change.
 */
#define MMF_RETURN_BEGINS ((uint64_t)1 << 32)
#define MMF_RETURN_ENDS ((uint64_t)1)
#define MMF_ONE_RETURN (MMF_RETURN_BEGINS + MMF_RETURN_ENDS)

/* The message at `index`, which was taken before, is taken again: count it. */
void mmf_ring_note_redelivery(struct mmf_ring *ring, uint64_t index,
                              struct mmf_ring_message *message);

/* A dead sender had decided to commit the slot with this word: source.c. */
bool mmf_ring_is_decided(const struct mmf_ring *ring, uint64_t word);

/* SPSC: commit what a dead producer had decided to commit. */
void mmf_ring_spsc_commit_decided(const struct mmf_ring *ring);

/* Return a taken message to the queue, if its word is still this one. */
void mmf_ring_return_word(const struct mmf_ring *ring, uint64_t word);

/*
 * A subscriber's cursor with a sign of whose it is, so that one that takes over the
 * entry of a dead one does not hold the publishers at the other's cursor.
 */
uint64_t mmf_cursor_make(uint64_t identity, uint64_t index);

/* False: this entry has no cursor of this identity. */
bool mmf_cursor_read(const struct mmf_participant_shared *entry, uint64_t *index);

/* The gating index: all subscribers have read what is before it. At most the tail. */
uint64_t mmf_ring_find_min_cursor(const struct mmf_ring *ring);

/* Which of the slots of MMF_PINS_AT_ONCE indexes have a message that a reader has
 * pinned; the lowest bit is that of `index`. */
#define MMF_PINS_AT_ONCE 64
uint64_t mmf_ring_find_pins(const struct mmf_ring *ring, uint64_t index);

static inline uint64_t
mmf_ring_pinned_from(const struct mmf_ring *ring, uint64_t index)
{
    return ring->shape.max_pins > 0 ? mmf_ring_find_pins(ring, index) : 0;
}

/* Another one if a pin has been taken or freed since. */
uint64_t mmf_ring_sum_pins(const struct mmf_ring *ring);

/* The number is still that of one of the dead, so a word that was read before is too. */
bool mmf_ring_is_one_of(const struct mmf_ring *ring, const struct mmf_ring_dead *dead,
                        uint32_t number);

/* Free the pins of dead receivers, or of one that leaves. */
void mmf_ring_recover_pins(const struct mmf_ring *ring,
                           const struct mmf_ring_dead *dead);

/* The newest committed index. WOULD_BLOCK: none; `*index` is below all that come. */
enum mmf_step mmf_ring_find_newest(const struct mmf_ring *ring, uint64_t *index);

/* Raise newest_at_least to `index`, unless it is above `above` already. */
void mmf_ring_raise_newest_at_least(const struct mmf_ring *ring, uint64_t above,
                                    uint64_t index);

#endif
