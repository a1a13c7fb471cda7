/*
 * ring.h - the slots that queue, topic and latest value have in common, as they lie in
 * shared memory, and each single step on them. Waiting is in ring_wait.c.
 *
 * Any participant may be killed between any two instructions; the others then find one
 * of the states below. docs/channels.md has the argument for the orderings.
 *
 *   field         written by                 read by      ordering
 *   tail          senders, by exchange       senders,     the index, 48 bits; 16 bits
 *                                            receivers    more, see below
 *   skips_begun       queue: senders, before     receivers    how often an index was about
 *   skips_done      and after                               to be left out; and was
 *   head          SINGLE: the consumer       producer     release after the last read
 *                 else: anybody, a hint      receivers    relaxed
 *   taken         SINGLE: the consumer       its successor  relaxed
 *   newest        senders, only upwards      readers      latest: a value's, above all
 *                                                         that were overwritten; see
 *                                                         ring_latest.c
 *   returned      whoever returns messages   consumers    a hint that some came back:
 *                                                         so many begun, so many done
 *   high_water    senders                    anybody      relaxed, a statistic
 *   *_doorbell        sleepers, and who wakes    both         ring_wait.c
 *   polled        whoever asks for a descriptor  senders  relaxed; it stays
 *   dead_checked        sleepers                   sleepers     relaxed, milliseconds
 *   retired_*     who leaves, who clears up  anybody      relaxed, statistics
 *   participant   its owner; identity also   everybody    identity by exchange, the
 *                 by who clears up after it               rest one writer, release
 *   slot: word    see the states             everybody    acquire when it gives the
 *                                                         payload, release when it was
 *                                                         written
 *   slot: length, offset, payload: who has it RESERVED; then fixed
 *
 * A message has an index, which counts up forever (48 bits of it, modulo); index i is
 * at home in slot i mod slots. A slot's word is
 *
 *   index << 16 | participant << 5 | times << 3 | state
 *
 * where `times` counts, modulo 4, how often the message came back from a consumer that
 * died. So one who clears up, and is stopped just before it puts a message back, does
 * not take it from a later consumer of the same number and index.
 *
 *   state      whose         meaning                        next
 *   RELEASED   nobody's      free for index + slots; 0 too  RESERVED
 *                                                           claimed: COMMITTED
 *   RESERVED   a sender's    it writes the payload          COMMITTED, RELEASED
 *   COMMITTED  nobody's      to be had                      TAKEN; topic: RESERVED
 *   TAKEN      a consumer's  it reads the payload           RELEASED, RETURNED
 *   RETURNED   nobody's      its consumer died; to be had   RETAKEN
 *   RETAKEN    a consumer's  as TAKEN, the second time      RELEASED, RETURNED
 *
 * The exchange that gives an index out names its owner in the same step. Where messages
 * are overwritten it is the slot's, to RESERVED; only then (a topic's, after the
 * commit) the tail moves, by whoever sees that it should (as in Michael and Scott,
 * "Simple, Fast, and Practical Non-Blocking and Blocking Concurrent Queue Algorithms",
 * 1996), and its upper bits count the indexes that were left out: ring_send.c. In a
 * queue that overwrites nothing it is the tail's, whose upper bits are the owner; the
 * slot is RESERVED before the tail moves on, by whoever moves it: ring_claim.c. A word
 * of each slot instead of one common index: Vyukov's bounded queue.
 *
 * A sender that meets, at the tail, a slot which somebody still has in hand from the
 * last lap leaves that index out. So whoever is stopped holds one slot, not the ring.
 */
#ifndef MMF_SHARED_RING_RING_H
#define MMF_SHARED_RING_RING_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

enum mmf_slot_state {
    MMF_SLOT_RELEASED = 0,
    MMF_SLOT_RESERVED = 1,
    MMF_SLOT_COMMITTED = 2,
    MMF_SLOT_TAKEN = 3,
    MMF_SLOT_RETURNED = 4,
    MMF_SLOT_REDELIVERED = 5
};

#define MMF_SLOT_STATE_BITS 3
#define MMF_SLOT_TIMES_BITS 2
#define MMF_SLOT_PARTICIPANT_BITS 11
#define MMF_SLOT_PARTICIPANT_SHIFT (MMF_SLOT_STATE_BITS + MMF_SLOT_TIMES_BITS)
#define MMF_INDEX_SHIFT (MMF_SLOT_PARTICIPANT_SHIFT + MMF_SLOT_PARTICIPANT_BITS)
#define MMF_INDEX_MASK (((uint64_t)1 << 48) - 1)

/* The first index of a new channel. 0 is the version before the first. */
#define MMF_INDEX_FIRST 1u

/*
 * Senders have numbers from 0, receivers from MMF_RECEIVERS_FROM. In the states that
 * are nobody's the number says nothing; it is not 0, so that only a slot that was never
 * used has the word 0.
 */
#define MMF_PARTICIPANTS_MAX 1024u
#define MMF_RECEIVERS_FROM 1024u
#define MMF_NO_PARTICIPANT 2047u

/* So many reservations in the making a consumer passes: one of each sender. */
#ifndef MMF_DEFERRED_MAX /* the model has fewer */
#define MMF_DEFERRED_MAX MMF_PARTICIPANTS_MAX
#endif

/* The hot words, each with the line that a prefetcher brings along. */
struct mmf_ring_shared {
    alignas(128) mmf_atomic_u64 tail;
    mmf_atomic_u64 high_water;
    mmf_atomic_u64 skips_begun;
    mmf_atomic_u64 skips_done;
    alignas(128) mmf_atomic_u64 head;
    mmf_atomic_u64 taken;
    alignas(128) mmf_atomic_u64 newest;
    mmf_atomic_u64 returned;
    alignas(128) mmf_atomic_u32 message_doorbell; /* receivers sleep on it */
    mmf_atomic_u32 space_doorbell;                /* senders sleep on it */
    mmf_atomic_u32 polled;                    /* somebody polls a descriptor */
    mmf_atomic_u32 dead_checked;                    /* when somebody asked after the dead */
    alignas(128) mmf_atomic_u64 retired_sent;
    mmf_atomic_u64 retired_received;
    mmf_atomic_u64 retired_dropped;
    mmf_atomic_u64 retired_lost;
    mmf_atomic_u64 retired_redelivered;
    mmf_atomic_u64 senders_ever; /* 1 once there was one: the last can be gone */
    mmf_atomic_u64 receivers_ever;
};

static_assert(sizeof(struct mmf_ring_shared) == 640, "layout 1");
static_assert(offsetof(struct mmf_ring_shared, head) == 128, "layout 1");
static_assert(offsetof(struct mmf_ring_shared, newest) == 256, "layout 1");
static_assert(offsetof(struct mmf_ring_shared, message_doorbell) == 384, "layout 1");
static_assert(offsetof(struct mmf_ring_shared, retired_sent) == 512, "layout 1");

/* One per handle that takes part. `identity` 0: free. */
struct mmf_participant_shared {
    alignas(128) mmf_atomic_u64 identity; /* ticket << 20 | a number in its process */
    mmf_atomic_u64 cursor; /* topic: the next index to read; above, of whose identity */
    mmf_atomic_u64 held;   /* has, or is about to have, so many slots in hand */
    mmf_atomic_u64 sent;
    mmf_atomic_u64 received;
    mmf_atomic_u64 dropped;
    mmf_atomic_u64 lost;
    mmf_atomic_u64 redelivered;
};

static_assert(sizeof(struct mmf_participant_shared) == 128, "layout 1");

/*
 * A slot begins with this line. A payload that fits lies in it; a longer one begins at
 * the next line.
 */
#define MMF_SLOT_SHORT 48

struct mmf_slot_shared {
    alignas(64) uint8_t payload[MMF_SLOT_SHORT];
    uint32_t length;
    uint32_t offset; /* of the payload in the slot: 0 or 64 */
    mmf_atomic_u64 word;
};

static_assert(sizeof(struct mmf_slot_shared) == 64, "layout 1");
static_assert(offsetof(struct mmf_slot_shared, word) == 56, "layout 1");

enum mmf_ring_kind { MMF_KIND_QUEUE, MMF_RING_SPSC, MMF_KIND_TOPIC, MMF_KIND_LATEST };

mmf_overflow { MMF_OVERFLOW_BLOCK = 1, MMF_OVERFLOW_FAIL = 2, MMF_OVERFLOW_DROP_OLDEST = 3 };

/* What never changes in a channel; checked when it was opened. */
struct mmf_ring_shape {
    enum mmf_ring_kind kind;
    mmf_overflow overflow;
    uint64_t slots;        /* a power of two */
    uint64_t stride;       /* bytes of a slot */
    uint64_t message_size; /* most bytes of a payload */
    uint32_t participants; /* of each role */
};

/* Where a participant is, as a sender or as a receiver. */
struct mmf_ring_side {
    uint64_t waited; /* the index before which it waited last */
    uint64_t next;   /* SINGLE, sender: the next index; a receiver has its cursor */
    uint8_t *slot;   /* SINGLE: its slot */
    int64_t ahead;   /* SINGLE, sender: so many slots from there on are surely free */
};

/* One participant's ref on a channel: private, for one thread at a time. */
struct mmf_ring {
    struct mmf_ring_shape shape;
    struct mmf_ring_shared *shared;
    struct mmf_participant_shared *senders;
    struct mmf_participant_shared *receivers;
    uint8_t *slots;
    uint8_t *slots_end;
    uint64_t identity;
    uint32_t sender; /* our numbers; UINT32_MAX: not in that role */
    uint32_t receiver;
    struct mmf_participant_shared *sending; /* our entries, if we have the role */
    struct mmf_participant_shared *receiving;
    uint64_t reserved; /* index of the reservation */
    int has_reserved;
    uint32_t reserved_offset; /* of its payload in the slot */
    struct mmf_ring_side out;
    struct mmf_ring_side in;
    uint64_t cursor; /* queue: where to look next; topic: next to read */
    uint64_t min_cursor;   /* senders: everything before is read (a guess, never too high) */
    uint64_t
        seen_return_epoch; /* SINGLE: `taken` when we joined: what is before comes again */
    uint64_t
        searched;   /* queue: what was left out, when nothing lay behind the cursor */
    uint64_t lost;  /* topic: since the last message */
    int64_t dead_checked; /* when we last dead_checked after the dead; ring_wait.c */
    uint32_t deferred_count;
    uint64_t passed[MMF_DEFERRED_MAX]; /* queue: reservations, in ascending order */
};

enum mmf_step {
    MMF_STEP_DONE = 0,
    MMF_STEP_WOULD_BLOCK = 1, /* full; or no message */
    MMF_STEP_CORRUPT = 2, /* no state that this version can make */
    MMF_STEP_GONE = 3     /* waits alone: the last counterpart is gone */
};

/* A message that a receiver has found. */
struct mmf_ring_message {
    const uint8_t *bytes;
    uint64_t length;
    uint64_t index;
    uint64_t lost;
    int again; /* redelivered */
};

/* Who has just taken an entry whose counters are still its predecessor's. */
#define MMF_IDENTITY_JOINING ((uint64_t)1 << 63)

#define MMF_IDENTITY_HANDLE_BITS 20

/* The ticket of the process that takes part under this identity. */
static inline uint64_t
mmf_ring_ticket(uint64_t identity)
{
    return (identity & ~MMF_IDENTITY_JOINING) >> MMF_IDENTITY_HANDLE_BITS;
}

static inline uint64_t
mmf_word_make(uint64_t index, uint32_t participant, enum mmf_slot_state state)
{
    return index << MMF_INDEX_SHIFT |
           (uint64_t)participant << MMF_SLOT_PARTICIPANT_SHIFT | (uint64_t)state;
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

/* one - other, modulo 2^48, as a signed number. */
static inline int64_t
mmf_index_difference(uint64_t one, uint64_t other)
{
    return (int64_t)((one - other) << 16) >> 16;
}

static inline struct mmf_slot_shared *
mmf_ring_slot(const struct mmf_ring *ring, uint64_t index)
{
    return (void *)(ring->slots +
                    (index & (ring->shape.slots - 1)) * ring->shape.stride);
}

/* The entries of these numbers are ours. */
static inline void
mmf_ring_be_sender(struct mmf_ring *ring, uint32_t number)
{
    ring->sender = number;
    ring->sending = &ring->senders[number];
}

static inline void
mmf_ring_be_receiver(struct mmf_ring *ring, uint32_t number)
{
    ring->receiver = number;
    ring->receiving = &ring->receivers[number - MMF_RECEIVERS_FROM];
}

/* Bytes of a slot for messages of up to `message_size`; the slots begin page-aligned.
 */
uint64_t mmf_ring_stride(uint64_t message_size);

/* A new channel; the memory is zero. Tests begin near the end of the indexes. */
void mmf_ring_init(struct mmf_ring_shared *shared, uint64_t first);

/*
 * Sending. Reserve a slot for `length` bytes: `*bytes` is where to write them. NOT_NOW:
 * full. Under DROP the oldest gives way; a queue's sender counts it as dropped.
 */
enum mmf_step mmf_ring_reserve(struct mmf_ring *ring, uint64_t length,
                                      uint8_t **bytes);
void mmf_ring_commit(struct mmf_ring *ring, uint64_t length);
void mmf_ring_abandon(struct mmf_ring *ring);

/* Queue, not SINGLE: join as a consumer, at the oldest message that there is. */
void mmf_ring_begin(struct mmf_ring *ring);

/*
 * Queue: look up to `times` times whether the next message is there. It costs less than
 * an attempt to take one, which reads the tail, whose line a sender then has to fetch
 * back; but of what is left out or hidden it sees nothing. SINGLE has its own.
 */
int mmf_ring_poll(const struct mmf_ring *ring, int times);

/* Queue: take the next message; release it, or hand it on. */
enum mmf_step mmf_ring_take(struct mmf_ring *ring,
                                   struct mmf_ring_message *message);
/* 0: we do not have that message. */
int mmf_ring_release(struct mmf_ring *ring, uint64_t index);
int mmf_ring_return(struct mmf_ring *ring, uint64_t index);

/*
 * Queue: somebody may have died while it returned a message, before it said so: the
 * next take looks at all slots then. For whoever waits.
 */
void mmf_ring_rescan_returned(struct mmf_ring *ring);

/* Topic: join at the present end, or up to `replay` messages before. */
void mmf_ring_subscribe(struct mmf_ring *ring, uint64_t replay);

/*
 * Topic: find the message at the cursor, without moving on. The caller copies or shows
 * it, then asks whether it was still whole (mmf_ring_still_valid) and goes on
 * (mmf_ring_advance).
 */
enum mmf_step mmf_ring_next(struct mmf_ring *ring,
                                   struct mmf_ring_message *message);
int mmf_ring_still_valid(const struct mmf_ring *ring, uint64_t index);
void mmf_ring_advance(struct mmf_ring *ring);

/* Topic: the participant `number` of `identity` is dead. If it is its reservation that
 * we stand before, go on behind it, without writing the slot. 0: it is not. */
int mmf_ring_step_over(struct mmf_ring *ring, uint32_t number, uint64_t identity);

/* Latest value: the newest that is committed. NOT_NOW: none yet. */
enum mmf_step mmf_ring_newest(struct mmf_ring *ring,
                                     struct mmf_ring_message *message);

/*
 * What holds a caller up that got NOT_NOW: the numbers of participants to ask after.
 * If one of them is dead, mmf_ring_recover with it (a topic's subscriber: after
 * senders mmf_ring_step_over) and try again. Answers how many are put into `numbers`,
 * at most `most`.
 */
uint32_t mmf_ring_suspects(const struct mmf_ring *ring, int sending, uint32_t *numbers,
                           uint32_t most);

/* Queue: 1 if we have the message and may release it, `ahead` releases from now. */
int mmf_ring_holds(const struct mmf_ring *ring, uint64_t index, uint64_t ahead);

/* The entry of a participant by its number; NULL: no such number. */
struct mmf_participant_shared *mmf_ring_participant(const struct mmf_ring *ring,
                                                    uint32_t number);

/*
 * The participant `number` of `identity` is dead, or we are it and leave: what it had
 * reserved is dropped, what it had taken is returned, its counters are kept, its entry
 * is free. Any number may do it at once, and die over it. A topic's subscriber may not
 * write the slots: it passes `may_write_slots` 0 and only subscribers' entries.
 */
void mmf_ring_recover(struct mmf_ring *ring, uint32_t number, uint64_t identity,
                       int may_write_slots);

#endif
