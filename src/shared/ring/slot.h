/*
 * slot.h - reading the words of ring.h; for the ring_*.c, and ring_latest.h.
 */
#ifndef MMF_SHARED_RING_SLOT_H
#define MMF_SHARED_RING_SLOT_H

#include "shared/ring/ring.h"

/* The tail's upper bits: who has the last index, plus 1; see ring_send.c. */
#define MMF_CLAIMANT_SHIFT 48

/* A word's count of returns. */
#define MMF_SLOT_TIMES_MASK                                                            \
    ((((uint64_t)1 << MMF_SLOT_TIMES_BITS) - 1) << MMF_SLOT_STATE_BITS)

/* Loops over words that somebody may be writing forever give up. */
#define MMF_ROUNDS(ring) (4 * (ring)->shape.slots + 64)

static inline uint64_t
mmf_ring_tail(const struct mmf_ring *ring)
{
    return mmf_load_acquire_u64(&ring->shared->tail);
}

static inline uint64_t
mmf_index_next(uint64_t index)
{
    return (index + 1) & MMF_INDEX_MASK;
}

/* The oldest index that can be at home in a slot, but for those in hand. */
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

/* 0: nobody has written this word into the slot of `index`. */
static inline int
mmf_word_is_at_home(const struct mmf_ring *ring, uint64_t word, uint64_t index)
{
    return word == 0 || ((mmf_word_index(word) ^ index) & (ring->shape.slots - 1)) == 0;
}

/* The word's index and times, with another owner and state. */
static inline uint64_t
mmf_word_with(uint64_t word, uint32_t participant, enum mmf_slot_state state)
{
    return mmf_word_make(mmf_word_index(word), participant, state) |
           (word & MMF_SLOT_TIMES_MASK);
}

/* The same, once more returned. */
static inline uint64_t
mmf_word_count_up(uint64_t word)
{
    uint64_t one = (uint64_t)1 << MMF_SLOT_STATE_BITS;

    return (word & ~MMF_SLOT_TIMES_MASK) | ((word + one) & MMF_SLOT_TIMES_MASK);
}

/* Somebody has it in hand: it writes or reads the payload. */
static inline int
mmf_word_is_owned(uint64_t word)
{
    enum mmf_slot_state state = mmf_word_state(word);

    return state == MMF_SLOT_RESERVED || state == MMF_SLOT_TAKEN ||
           state == MMF_SLOT_REDELIVERED;
}

/* The index was given out last, and its slot need not say so yet. */
static inline int
mmf_tail_is_claimed(uint64_t tail, uint64_t index)
{
    return tail >> MMF_CLAIMANT_SHIFT != 0 && mmf_index_difference(tail, index) == 1;
}

/* The index was given out, but its slot is older: it was left out. */
static inline int
mmf_ring_is_skipped(const struct mmf_ring *ring, uint64_t index)
{
    uint64_t tail = mmf_ring_tail(ring);

    return mmf_index_difference(tail, index) > 0 && !mmf_tail_is_claimed(tail, index) &&
           mmf_word_age(ring, mmf_ring_word(ring, index), index) < 0;
}

/* A statistic: of two who raise it at once, one may be overlooked. */
static inline void
mmf_ring_note_depth(const struct mmf_ring *ring, int64_t depth)
{
    mmf_atomic_u64 *place = &ring->shared->high_water;

    if (depth > 0 && depth <= (int64_t)ring->shape.slots &&
        mmf_load_relaxed_u64(place) < (uint64_t)depth)
        mmf_store_relaxed_u64(place, (uint64_t)depth);
}

/* A receiver looks at the depth at every index that has none of these bits. */
#define MMF_DEPTH_SAMPLES 255u

static inline void
mmf_counter_add(mmf_atomic_u64 *counter, uint64_t more)
{
    /* One writer: the participant itself. */
    mmf_store_relaxed_u64(counter, mmf_load_relaxed_u64(counter) + more);
}

static inline struct mmf_participant_shared *
mmf_ring_sender(const struct mmf_ring *ring)
{
    return ring->sending;
}

static inline struct mmf_participant_shared *
mmf_ring_receiver(const struct mmf_ring *ring)
{
    return ring->receiving;
}

/* The word is that of a committed message of this index, or of its lower 48 bits. */
static inline int
mmf_word_is_value(uint64_t word, uint64_t index)
{
    uint64_t rest = mmf_word_make(0, MMF_NO_PARTICIPANT, 0) | MMF_SLOT_TIMES_MASK;

    return ((word ^ mmf_word_make(index, 0, MMF_SLOT_COMMITTED)) & ~rest) == 0;
}

/*
 * How many messages a participant has sent, or received. A SINGLE queue's indexes say
 * it: they have moved so far since the participant joined, which its `cursor` has kept.
 */
static inline uint64_t
mmf_ring_count_since(const struct mmf_participant_shared *entry, uint64_t index)
{
    int64_t count = mmf_index_difference(index, mmf_load_relaxed_u64(&entry->cursor));

    return count > 0 ? (uint64_t)count : 0;
}

static inline uint64_t
mmf_ring_sent_by(const struct mmf_ring *ring,
                 const struct mmf_participant_shared *sender)
{
    return ring->shape.is_spsc
               ? mmf_ring_count_since(sender, mmf_load_relaxed_u64(&ring->shared->tail))
               : mmf_load_relaxed_u64(&sender->sent);
}

static inline uint64_t
mmf_ring_received_by(const struct mmf_ring *ring,
                     const struct mmf_participant_shared *receiver)
{
    return ring->shape.is_spsc
               ? mmf_ring_count_since(receiver,
                                      mmf_load_relaxed_u64(&ring->shared->head))
               : mmf_load_relaxed_u64(&receiver->received);
}

/* Two stores: compilers that make one of them first put both into one register. */
static inline void
mmf_slot_write_sizes(struct mmf_slot_shared *slot, uint64_t length, uint32_t offset)
{
    *(volatile uint32_t *)&slot->length = (uint32_t)length;
    *(volatile uint32_t *)&slot->offset = offset;
}

/* What the slot says of its message, checked: its sizes are anybody's writing. */
static inline enum mmf_step
mmf_ring_read_sizes(const struct mmf_ring *ring, const struct mmf_slot_shared *slot,
                    uint64_t index, struct mmf_ring_message *message)
{
    uint32_t length = *(const volatile uint32_t *)&slot->length;
    uint32_t offset = *(const volatile uint32_t *)&slot->offset;

    if (length > ring->shape.message_size ||
        (offset != sizeof(*slot) && (offset != 0 || length > MMF_SLOT_SHORT)) ||
        (offset != 0 && ring->shape.stride == sizeof(*slot)))
        return MMF_STEP_CORRUPT;
    message->bytes = (const uint8_t *)slot + offset;
    message->length = length;
    message->index = index;
    message->lost = 0;
    message->redelivered = 0;
    return MMF_STEP_DONE;
}

static inline enum mmf_step
mmf_ring_read_slot(const struct mmf_ring *ring, uint64_t index,
                   struct mmf_ring_message *message)
{
    return mmf_ring_read_sizes(ring, mmf_ring_slot(ring, index), index, message);
}

enum mmf_step { MMF_STEP_DONE, MMF_STEP_AGAIN, MMF_STEP_WOULD_BLOCK, MMF_STEP_CORRUPT };

/* The tail names `number` as the owner of an index: let its slot do so. */
void mmf_ring_name_claim(const struct mmf_ring *ring, uint32_t number);

/*
 * A subscriber's cursor with a sign of whose it is, so that one that takes over the
 * entry of a dead one does not hold the publishers at the other's cursor.
 */
uint64_t mmf_cursor_make(uint64_t identity, uint64_t index);

/* 0: this entry has no cursor of this identity. */
int mmf_cursor_read(const struct mmf_participant_shared *entry, uint64_t *index);

/* Everything that all subscribers have read, up to the tail. */
uint64_t mmf_ring_find_min_cursor(const struct mmf_ring *ring);

/* Put a taken message back. 0: its word has changed. */
int mmf_ring_return_word(const struct mmf_ring *ring, uint64_t word);

/* The newest committed index. 0: none; -1: the words make no sense. */
int mmf_ring_find_newest(const struct mmf_ring *ring, uint64_t *index);

/* Unless the hint is above `above`, let it be `index`, which is. */
void mmf_ring_raise_newest_at_least(const struct mmf_ring *ring, uint64_t above, uint64_t index);

#endif
