/*
 * slots.h - the slots of an object's sleepers, and each single step on one.
 *
 * A signal is given to a sleeper by one exchange of its slot's state, and from then on
 * it is the sleeper's. The sleeper's futex is the state's low half.
 *
 *   FREE      no thread's
 *   CLAIMED   being filled by the thread whose ticket it has
 *   WAITING   that thread sleeps, or is about to, and takes a signal
 *   PROBING   likewise, in a wait for all: it takes no signal by itself, but wants to
 *             look when the object becomes available
 *   GRANTED   a signal is in the thread's hand
 *   TOKEN     a signal of which its sleeper had no use: for the longest sleeper, or for
 *             the first that comes
 *
 * NUDGED, on WAITING and PROBING: the thread is to look at the object again; it is set
 * before the thread is woken, so that it does not begin to sleep then.
 *
 * The version counts the claims of a slot, so that no step on one can hit the next.
 * `arrival` and `since` are written while the slot is CLAIMED and read of a WAITING one;
 * a reader that was too slow fails in the exchange that follows.
 */
#ifndef MMF_SHARED_SYNC_SLOTS_H
#define MMF_SHARED_SYNC_SLOTS_H

#include <stdint.h>

#include "shared/sync/ops.h"
#include "shared/sync/word.h"

enum mmf_sync_slot_kind {
    MMF_SLOT_FREE = 0,
    MMF_SLOT_CLAIMED,
    MMF_SLOT_WAITING,
    MMF_SLOT_PROBING,
    MMF_SLOT_GRANTED,
    MMF_SLOT_TOKEN
};

#define MMF_SLOT_NUDGED ((uint64_t)8)
#define MMF_SLOT_KIND_MASK ((uint64_t)7)

static inline enum mmf_sync_slot_kind
mmf_sync_slot_kind(uint64_t state)
{
    return (enum mmf_sync_slot_kind)(state & MMF_SLOT_KIND_MASK);
}

static inline uint64_t
mmf_sync_slot_ticket(uint64_t state)
{
    return state >> 4 & MMF_TICKET_MAX;
}

static inline uint64_t
mmf_sync_slot_version(uint64_t state)
{
    return state >> 44;
}

static inline uint64_t
mmf_sync_slot_state(uint64_t version, uint64_t ticket, enum mmf_sync_slot_kind kind)
{
    return version << 44 | ticket << 4 | (uint64_t)kind;
}

/* The same slot, of the same version, as another kind; one without a thread has none. */
static inline uint64_t
mmf_sync_slot_become(uint64_t state, enum mmf_sync_slot_kind kind)
{
    uint64_t ticket = kind == MMF_SLOT_FREE || kind == MMF_SLOT_TOKEN
                          ? 0
                          : mmf_sync_slot_ticket(state);

    return mmf_sync_slot_state(mmf_sync_slot_version(state), ticket, kind);
}

/* A state that this version can make. */
static inline bool
mmf_sync_slot_is_sound(uint64_t state)
{
    enum mmf_sync_slot_kind kind = mmf_sync_slot_kind(state);
    bool has_thread = kind != MMF_SLOT_FREE && kind != MMF_SLOT_TOKEN;

    return kind <= MMF_SLOT_TOKEN && (mmf_sync_slot_ticket(state) != 0) == has_thread &&
           (!(state & MMF_SLOT_NUDGED) || kind == MMF_SLOT_WAITING ||
            kind == MMF_SLOT_PROBING);
}

/* The half of a state that a futex sleeps on. */
static inline uint32_t
mmf_sync_low_half(uint64_t state)
{
    return (uint32_t)state;
}

uint32_t *mmf_sync_slot_futex(struct mmf_sync_slot *slot);

/*
 * All that have been used and can be read, to go through them: without a question to the
 * system for each. `count` -1: their number makes no sense.
 */
struct mmf_sync_slots {
    struct mmf_sync_slot *here;
    struct mmf_sync_slot *more;
    int count;
};

struct mmf_sync_slots mmf_sync_slots(const struct mmf_sync_ref *ref,
                                     const struct mmf_sync_ops *ops);

static inline struct mmf_sync_slot *
mmf_sync_slot_of(const struct mmf_sync_slots *slots, int index)
{
    MMF_ASSERT(index >= 0 && index < slots->count);
    return index < MMF_SYNC_SLOTS_HERE ? &slots->here[index]
                                       : &slots->more[index - MMF_SYNC_SLOTS_HERE];
}

/* A slot of these. */
struct mmf_sync_slot *mmf_sync_slot(const struct mmf_sync_ref *ref, int index,
                                    const struct mmf_sync_ops *ops);

/* What the slots look like; not of one moment. */
struct mmf_sync_scan {
    int oldest; /* of the WAITING ones, the one that has slept longest, or -1 */
    uint64_t oldest_state;
    uint64_t oldest_arrival;
    int token; /* the last of the tokens, or -1 */
    int first_token;
    uint64_t token_state;
    uint64_t first_token_state;
    int tokens;       /* how many */
    bool has_probers; /* PROBING */
    bool is_used;     /* a slot is not FREE */
    bool is_busy;     /* CLAIMED, GRANTED or NUDGED: its thread works, or is dead */
    bool is_corrupt;
};

void mmf_sync_scan(const struct mmf_sync_ref *ref, const struct mmf_sync_ops *ops,
                   struct mmf_sync_scan *scan);

/*
 * Get a slot, as WAITING or PROBING, at the clock's `now`. Without a free one and space
 * for another, `slot` is -1.
 */
void mmf_sync_slot_claim(const struct mmf_sync_ref *ref, enum mmf_sync_slot_kind kind,
                         int64_t now, const struct mmf_sync_ops *ops,
                         struct mmf_sync_sleeper *sleeper);

/* One exchange. False: the state is another by now. */
bool mmf_sync_slot_change(const struct mmf_sync_ref *ref, int index, uint64_t seen,
                          enum mmf_sync_slot_kind kind, const struct mmf_sync_ops *ops);

/*
 * The thread in a slot that was seen WAITING or PROBING is to look again. False: it is
 * not there any more.
 */
bool mmf_sync_slot_nudge(const struct mmf_sync_ref *ref, int index, uint64_t seen,
                         const struct mmf_sync_ops *ops);

/* Nudge all that are PROBING. */
void mmf_sync_nudge_probers(const struct mmf_sync_ref *ref,
                            const struct mmf_sync_ops *ops);

#endif
