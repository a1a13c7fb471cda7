/*
 * slot.h - the arithmetic of indexes and words of layout.h.
 */
#ifndef MMF_SHARED_RING_SLOT_H
#define MMF_SHARED_RING_SLOT_H

#include <stdbool.h>

#include "base/invariant.h"
#include "shared/ring/layout.h"

/* A word's count of returns. */
#define MMF_SLOT_TIMES_MASK                                                            \
    ((((uint64_t)1 << MMF_SLOT_TIMES_BITS) - 1) << MMF_SLOT_STATE_BITS)

/* The ticket of the process that takes part under this identity. */
static inline uint64_t
mmf_ring_ticket(uint64_t identity)
{
    return (identity & ~MMF_IDENTITY_JOINING) >> MMF_IDENTITY_HANDLE_BITS;
}

static inline uint64_t
mmf_index_next(uint64_t index)
{
    return (index + 1) & MMF_INDEX_MASK;
}

/* one - other, modulo 2^48, as a signed number. */
static inline int64_t
mmf_index_difference(uint64_t one, uint64_t other)
{
    return (int64_t)((one - other) << 16) >> 16;
}

static inline uint64_t
mmf_word_make(uint64_t index, uint32_t participant, enum mmf_slot_state state)
{
    MMF_ASSERT(participant <= MMF_NO_PARTICIPANT);
    return index << MMF_INDEX_SHIFT |
           (uint64_t)participant << MMF_SLOT_PARTICIPANT_SHIFT | (uint64_t)state;
}

/* The slot of the index is free, or has not had a message. */
static inline uint64_t
mmf_word_released(uint64_t index)
{
    return mmf_word_make(index, MMF_NO_PARTICIPANT, MMF_SLOT_RELEASED);
}

static inline enum mmf_slot_state
mmf_word_state(uint64_t word)
{
    return (enum mmf_slot_state)(word & 7);
}

static inline uint32_t
mmf_word_participant(uint64_t word)
{
    return (uint32_t)(word >> MMF_SLOT_PARTICIPANT_SHIFT) &
           ((1u << MMF_SLOT_PARTICIPANT_BITS) - 1);
}

static inline uint64_t
mmf_word_index(uint64_t word)
{
    return word >> MMF_INDEX_SHIFT;
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

/* A participant owns the slot: it writes or reads the payload. */
static inline bool
mmf_word_is_owned(uint64_t word)
{
    enum mmf_slot_state state = mmf_word_state(word);

    return state == MMF_SLOT_RESERVED || state == MMF_SLOT_TAKEN ||
           state == MMF_SLOT_REDELIVERED;
}

/* The word is that of a committed message of this index, or of its lower 48 bits. */
static inline bool
mmf_word_is_value(uint64_t word, uint64_t index)
{
    uint64_t rest = mmf_word_make(0, MMF_NO_PARTICIPANT, 0) | MMF_SLOT_TIMES_MASK;

    return ((word ^ mmf_word_make(index, 0, MMF_SLOT_COMMITTED)) & ~rest) == 0;
}

/* The word is that of a reservation of this index. */
static inline bool
mmf_word_is_reservation(uint64_t word, uint64_t index)
{
    return mmf_word_index(word) == index && mmf_word_state(word) == MMF_SLOT_RESERVED;
}

/*
 * The index was given out and its slot says so, or it was skipped: only the last claim
 * need not be in its slot. A word that is read after the tail tells which of the two.
 */
static inline bool
mmf_tail_has_settled(uint64_t tail, uint64_t index)
{
    int64_t ahead = mmf_index_difference(tail, index);

    return ahead > 1 || (ahead == 1 && tail >> MMF_CLAIMANT_SHIFT == 0);
}

#endif
