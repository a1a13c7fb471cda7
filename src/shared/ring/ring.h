/*
 * ring.h - one participant's handle on a channel's slots, and each single step on them.
 * The bytes are in layout.h, waiting is in wait.h.
 *
 *   reserve.c    reserve, commit, abandon; the protocol of the tail
 *   source.c     commit a source's message with its position
 *   take.c       queue: take, release
 *   spsc.h       the same of a queue for one producer and one consumer
 *   topic.h      topic: what is done for each message
 *   subscribe.c  topic: subscribe, read
 *   pace.c       how far a stream's two sides are apart
 *   latest.c     latest value: find the newest
 *   pin.c        topic and latest value: keep a message from being overwritten
 *   recover.c    what dead participants leave behind
 */
#ifndef MMF_SHARED_RING_RING_H
#define MMF_SHARED_RING_RING_H

#include <stdint.h>

#include <mmf/channel.h>
#include <mmf/list.h>

#include "base/step.h"
#include "shared/ring/doorbell.h"
#include "shared/ring/slot.h"

/* How many uncommitted reservations a consumer defers: one of each sender. */
#ifndef MMF_DEFERRED_MAX /* the model has fewer */
#define MMF_DEFERRED_MAX MMF_PARTICIPANTS_MAX
#endif

/* What never changes in a channel; checked when it was opened. */
struct mmf_ring_shape {
    mmf_kind kind; /* queue, topic or latest; a service's requests are a queue */
    bool is_spsc;  /* queue: for one producer and one consumer */
    bool is_single_producer; /* topic, latest value */
    mmf_overflow overflow;
    uint32_t max_senders; /* entries of the tables */
    uint32_t max_receivers;
    uint32_t max_pins;
    uint64_t slots;        /* a power of two */
    uint64_t stride;       /* bytes of a slot */
    uint64_t message_size; /* most bytes of a payload */
    uint8_t identity[16];  /* random */
    uint32_t calls;        /* service: that a client may have open; else 0 */
    uint32_t answers;      /* to one call that may wait, a power of two */
    uint64_t answer_size;  /* most bytes of one */
};

/* Where a participant is, as a sender or as a receiver. */
struct mmf_ring_side {
    uint64_t waited; /* the index before which it waited last */
    union {
        uint64_t next; /* SPSC, sender: the next index; a receiver has its cursor */
        uint64_t last; /* latest value, reader: the tail's last index, as it read it */
        uint64_t tail; /* queue and topic, receiver: the tail's next one, likewise */
    };
    uint8_t *slot; /* SPSC, latest value: its slot */
    union {
        int64_t ahead;    /* SPSC, a topic's single publisher: so many are free */
        int64_t in_a_row; /* queue for many, receiver: it took so many */
    };
};

/* Private, for one thread at a time. */
struct mmf_ring {
    struct mmf_ring_shape shape;
    struct mmf_ring_shared *shared;
    struct mmf_participant_shared *senders;
    struct mmf_participant_shared *receivers;
    mmf_atomic_u64 *pins;
    uint8_t *slots;
    uint8_t *slots_end;
    uint64_t identity;
    uint32_t pid;    /* of this process */
    uint32_t sender; /* its numbers; UINT32_MAX: not in that role */
    uint32_t receiver;
    struct mmf_participant_shared *sending; /* its entries, if it has the role */
    struct mmf_participant_shared *receiving;
    uint64_t reserved; /* index of the reservation */
    bool has_reserved;
    bool has_searched;        /* senders: all slots, for a free one */
    uint32_t reserved_offset; /* of its payload in the slot */
    struct mmf_ring_side out;
    struct mmf_ring_side in;
    uint64_t cursor;            /* queue: the next slot to try; topic: to read */
    uint64_t min_cursor;        /* senders: of all subscribers; may be too low */
    uint64_t free_at;           /* senders: a slot that was free; or a past index */
    uint64_t seen_return_epoch; /* queue: when no slot had a returned message */
    bool has_returned;          /* queue: one itself, which is for others first */
    uint64_t redelivered_until; /* SPSC: what is before was taken by a predecessor */
    uint64_t scanned;           /* queue: `skipped`, when the slots had no straggler */
    mmf_atomic_u64 *pin;        /* that the handle has; NULL: none */
    uint64_t lost;              /* topic: since the last message */
    uint64_t replay_until;      /* topic: publishers that wait do so from there on */
    bool is_replaying;          /* topic: they wait, and the cursor is before that */
    int64_t dead_checked;       /* when this handle last checked for the dead */
    bool is_probing;            /* queue: it finds messages now, and takes none */
    uint32_t deferred_count;
    uint64_t deferred[MMF_DEFERRED_MAX]; /* queue: reservations, in ascending order */
    uint64_t pinned;       /* senders: slots that were so when it last read the pins, */
    uint64_t pins_read_at; /* as bits, from this index on */
};

/* A message that a receiver has found. */
struct mmf_ring_message {
    const uint8_t *bytes;
    uint64_t length;
    uint64_t index;
    uint64_t lost;
    uint32_t deliveries; /* how often it was given to a consumer, this time included */
};

static inline struct mmf_slot_shared *
mmf_ring_slot(const struct mmf_ring *ring, uint64_t index)
{
    return (void *)(ring->slots +
                    (index & (ring->shape.slots - 1)) * ring->shape.stride);
}

/* The handle's own entry as a sender, as a receiver. */
static inline struct mmf_participant_shared *
mmf_ring_sender(const struct mmf_ring *ring)
{
    MMF_ASSERT(ring->sending != NULL);
    return ring->sending;
}

static inline struct mmf_participant_shared *
mmf_ring_receiver(const struct mmf_ring *ring)
{
    MMF_ASSERT(ring->receiving != NULL);
    return ring->receiving;
}

/* The entries of these numbers are the handle's. */
static inline void
mmf_ring_be_sender(struct mmf_ring *ring, uint32_t number)
{
    MMF_ASSERT(number < ring->shape.max_senders);
    ring->sender = number;
    ring->sending = &ring->senders[number];
}

static inline void
mmf_ring_be_receiver(struct mmf_ring *ring, uint32_t number)
{
    MMF_ASSERT(number >= MMF_RECEIVERS_FROM &&
               number - MMF_RECEIVERS_FROM < ring->shape.max_receivers);
    ring->receiver = number;
    ring->receiving = &ring->receivers[number - MMF_RECEIVERS_FROM];
    ring->in = (struct mmf_ring_side){.slot = ring->slots}; /* of the index 0 */
}

/* A queue for many producers and consumers. */
static inline bool
mmf_ring_is_mpmc(const struct mmf_ring *ring)
{
    return ring->shape.kind == MMF_KIND_QUEUE && !ring->shape.is_spsc;
}

/* Bytes of a slot for messages of up to `message_size`; slots begin page-aligned. */
uint64_t mmf_ring_stride(uint64_t message_size);

/* A new channel; the memory is zero. Tests begin near the end of the indexes. */
void mmf_ring_init(struct mmf_ring_shared *shared, uint64_t first);

/*
 * Sending. Reserve a slot for `length` bytes: `*bytes` is where to write them.
 * WOULD_BLOCK: full. Under DROP_OLDEST the oldest is dropped; a queue's sender counts it.
 */
enum mmf_step mmf_ring_reserve(struct mmf_ring *ring, uint64_t length, uint8_t **bytes);
void mmf_ring_commit(struct mmf_ring *ring, uint64_t length);
void mmf_ring_abandon(struct mmf_ring *ring);

/* A source as a sender has found it. */
struct mmf_ring_source {
    struct mmf_source_shared *entry; /* NULL: there is no place for another one */
    uint64_t applied;                /* its last position; 0: none */
    uint64_t last;                   /* the index of that message */
    uint64_t pid;                    /* of the other handle that commits for it */
};

/*
 * Queue: become the sender that commits for `source`, or find that the handle is.
 * WOULD_BLOCK: all entries are other sources', or another living handle commits for it.
 * AGAIN: what is reserved comes before its last message.
 */
enum mmf_step mmf_ring_own_source(struct mmf_ring *ring, uint64_t source,
                                  const struct mmf_ring_ops *ops,
                                  struct mmf_ring_source *out);

/* Commit the reservation as its message `position`, which is above what is applied. */
void mmf_ring_commit_from(struct mmf_ring *ring, uint64_t length,
                          const struct mmf_ring_source *source, uint64_t position);

/* The last position of `source`, after settling what a dead sender has begun. */
enum mmf_step mmf_ring_applied(struct mmf_ring *ring, uint64_t source,
                               const struct mmf_ring_ops *ops, uint64_t *position);

/* Queue for many: join as a consumer, at the oldest message that there is. */
void mmf_ring_begin(struct mmf_ring *ring);

/*
 * Queue for many, topic: poll up to `times` times whether the next message is there. It
 * costs less than an attempt to take one, which reads the tail, whose line a sender then
 * has to fetch back; but of skipped indexes it sees nothing. SPSC has its own.
 */
bool mmf_ring_poll(const struct mmf_ring *ring, int times);

/*
 * Temporal slip: before a participant waits, or polls more than once. If it has had
 * several in a row it goes through a stream, and has caught up with its peer, which then
 * gets a moment.
 */
void mmf_ring_slip(struct mmf_ring *ring, bool sending);

/* Queue and topic: a receiver reads where the senders are, and falls back a little if it
 * is close. */
void mmf_ring_keep_distance(struct mmf_ring *ring);

/* Queue: take the next message; release it. False: this handle does not own it. */
enum mmf_step mmf_ring_take(struct mmf_ring *ring, struct mmf_ring_message *message);

/* A take has something to answer: a message, or CORRUPT. */
bool mmf_ring_has_message(struct mmf_ring *ring);
bool mmf_ring_release(struct mmf_ring *ring, uint64_t index);

/* Queue: whether the handle owns the message and may release it, `ahead` releases from
 * now. */
bool mmf_ring_holds(const struct mmf_ring *ring, uint64_t index, uint64_t ahead);

/* Queue for many: return a message that the handle owns; false: it does not own it.
 * Until its next mmf_ring_rescan_returned the handle does not look for it. */
bool mmf_ring_return(struct mmf_ring *ring, uint64_t index);

/*
 * Queue: a process may have died while it returned a message, between its two counts, or
 * no other consumer has taken what the handle itself returned: the next take scans all
 * slots then. For waits.
 */
void mmf_ring_rescan_returned(struct mmf_ring *ring);

/* Queue: the handle took the message in entry, at this time of the monotonic clock. */
void mmf_ring_note_taken(const struct mmf_ring *ring, uint64_t index, int64_t now);

/*
 * Queue: all messages that were committed before the tail was `target`, or that a sender
 * had decided to commit, are released or dropped. `*position` is 0 at first, then where to
 * go on.
 */
bool mmf_ring_is_drained(const struct mmf_ring *ring, uint64_t target,
                         uint64_t *position);

/* Topic: join at the present end, or up to `replay` messages before. */
void mmf_ring_subscribe(struct mmf_ring *ring, uint64_t replay);

/*
 * Topic: find the message at the cursor, without advancing. The caller copies or shows
 * it, then asks whether it is still valid, and advances: topic.h.
 */
enum mmf_step mmf_ring_next(struct mmf_ring *ring, struct mmf_ring_message *message);
bool mmf_ring_still_valid(const struct mmf_ring *ring, uint64_t index);

/* Topic: the message was overwritten while it was read, so many times in a row: go on with
 * a newer one, if publishers do not wait for subscribers. */
void mmf_ring_overtaken(struct mmf_ring *ring, int times);

/* Topic: the participant `number` of `identity` is dead. If the cursor stands at its
 * reservation, advance, without writing the slot. */
bool mmf_ring_step_over(struct mmf_ring *ring, uint32_t number, uint64_t identity);

/* Latest value: the newest that is committed. WOULD_BLOCK: none yet. */
enum mmf_step mmf_ring_newest(struct mmf_ring *ring, struct mmf_ring_message *message);

/*
 * Topic, latest value: pin the message that was found at `index`, so that it is not
 * overwritten. AGAIN: it is gone. WOULD_BLOCK: all pins are in use, perhaps by dead
 * readers.
 */
enum mmf_step mmf_ring_pin(struct mmf_ring *ring, uint64_t index);
void mmf_ring_unpin(struct mmf_ring *ring);

/* How many pins are in use. */
uint32_t mmf_ring_count_pins(const struct mmf_ring *ring);

/* There are participants whose death may be what blocks a caller. */
bool mmf_ring_has_suspects(const struct mmf_ring *ring, bool sending);

/* Recover those of them that are dead: mmf_ring_recover. False: none is. */
bool mmf_ring_recover_suspects(struct mmf_ring *ring, bool sending,
                               bool may_write_slots, const struct mmf_ring_ops *ops);

/* The same of all with these numbers, whatever they have left. */
void mmf_ring_recover_all(struct mmf_ring *ring, uint32_t first, uint32_t count,
                          bool may_write_slots, const struct mmf_ring_ops *ops);

/* The entry of a participant by its number; NULL: no such number. */
struct mmf_participant_shared *mmf_ring_participant(const struct mmf_ring *ring,
                                                    uint32_t number);

/* Senders or receivers that are dead, by their numbers from `first` on. An identity of
 * 0: the participant of that number is not one of them. */
struct mmf_ring_dead {
    uint32_t first;
    uint32_t count;
    uint64_t *identities;
};

/*
 * These participants are dead, or are this handle and leave: drop what they have
 * reserved, return what they have taken, keep their counters, free their entries. Any
 * number of processes may do it at once, and be killed over it. A topic's subscriber may
 * not write the slots: it passes `may_write_slots` false, and only subscribers' entries.
 */
void mmf_ring_recover(struct mmf_ring *ring, const struct mmf_ring_dead *dead,
                      bool may_write_slots);

#endif
