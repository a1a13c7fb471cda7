/*
 * layout.h - the bytes that queue, topic and latest value have in common in shared
 * memory, who writes them, and the states of a slot.
 *
 * Any participant may be killed between any two instructions; the others then find one
 * of the states below.
 *
 *   field         written by                  read by      ordering
 *   tail          senders, by exchange        senders,     the index, 48 bits; above it
 *                                             receivers    its owner: reserve.c
 *   skipped       senders, before they skip   receivers    release, acquire: how many
 *                 an index                                 indexes were skipped
 *   head          SPSC: the consumer          producer     release after the last read
 *   taken         SPSC: the consumer          its successor   relaxed
 *   newest_at_least   senders, only upwards   readers      latest: of a value above all
 *                                                          overwritten ones: latest.c
 *   return_epoch  who returns messages        consumers    two counts, of returns begun
 *                                                          and ended: recover.c
 *   high_water    all                         all          relaxed, a statistic
 *   *_doorbell    sleepers, and who wakes     both         doorbell.c
 *   polled        receivers with a descriptor senders      relaxed; once set it stays
 *   dead_checked  sleepers                    sleepers     relaxed, milliseconds
 *   watch         receivers that sleep        the same     exchange: page/watch.h
 *   drainers      senders that wait until     consumers    relaxed: a release wakes all
 *                 all is released                          that sleep for space, then
 *   retired_*     who leaves, who recovers    all          relaxed, statistics
 *   subscribers   who subscribes, only        publishers   topic: above the numbers of
 *                 upwards                                  all that ever were: entries.c
 *   participant   its owner; the identity     all          the identity by exchange,
 *                 also who recovers it                     the rest one writer, release
 *   pins          readers, who recovers them  writers      one order with the tail:
 *                                                          pin.c
 *   source        senders: the source and its all          release, acquire: source.c
 *                 owner by exchange, the
 *                 rest its owner
 *   slot: word    see the states              all          acquire before the payload is
 *                                                          read, release after it was
 *                                                          written
 *   slot: length, payload                     its owner, while RESERVED or claimed; then
 *                                             fixed
 *   slot: delivery                            its owner: 0 while RESERVED, then its
 *                                             consumer while TAKEN or REDELIVERED
 *
 * A message has an index, which counts up forever (48 bits of it, modulo); index i is
 * at home in slot i mod slots. A slot's word is
 *
 *   index << 16 | participant << 5 | times << 3 | state
 *
 * where `times` counts, modulo 4, how often the message was returned. So a process that
 * recovers a dead consumer, and is stopped just before it returns a message, does not
 * take it from a later consumer of the same number and index.
 *
 *   state        owner       meaning                        next
 *   RELEASED     none        free for index + slots; 0 too  RESERVED
 *                                                           claimed: COMMITTED
 *   RESERVED     a sender    it writes the payload          COMMITTED, RELEASED
 *   COMMITTED    none        available                      TAKEN; dropped: RELEASED;
 *                                                           topic: RESERVED, or, if its
 *                                                           publishers wait, COMMITTED
 *                                                           with the next lap's index
 *   TAKEN        a consumer  it reads the payload           RELEASED, RETURNED
 *   RETURNED     none        its consumer died; available   REDELIVERED
 *   REDELIVERED  a consumer  as TAKEN, the second time      RELEASED, RETURNED
 *
 * A word of each slot instead of one common index is Vyukov's bounded queue. The
 * exchange that gives an index out names its owner in the same step (reserve.c). A
 * sender that meets, at the tail, a slot which is still owned since the last lap skips
 * that index. So a participant that is stopped holds one slot, not the ring.
 */
#ifndef MMF_SHARED_RING_LAYOUT_H
#define MMF_SHARED_RING_LAYOUT_H

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "shared/page/watch.h"

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

/* The tail's upper bits: the number of the last index's owner, plus 1. */
#define MMF_CLAIMANT_SHIFT 48

/* The first index of a new channel. 0 is the version before the first. */
#define MMF_INDEX_FIRST 1u

/*
 * Senders have numbers from 0, receivers from MMF_RECEIVERS_FROM. In the states without
 * an owner the number says nothing; it is not 0, so that only a slot that was never used
 * has the word 0.
 */
#ifndef MMF_PARTICIPANTS_MAX /* the model has fewer */
#define MMF_PARTICIPANTS_MAX 1024u
#endif
#define MMF_RECEIVERS_FROM 1024u
#define MMF_NO_PARTICIPANT 2047u

/* A participant that has just taken an entry, whose counters are its predecessor's. */
#define MMF_IDENTITY_JOINING ((uint64_t)1 << 63)

/* An identity is ticket << 20 | the number of a handle in its process. */
#define MMF_IDENTITY_HANDLE_BITS 20

/* Sources whose messages are committed with their positions: see source.c. */
#ifndef MMF_SOURCES_MAX /* the model has fewer */
#define MMF_SOURCES_MAX 16u
#endif

/* The last message of a source, and the word that its slot had before its commit. */
struct mmf_source_record {
    mmf_atomic_u64 position;
    mmf_atomic_u64 word;
};

/* `source` 0: free. The lowest bit of `version` says which record holds. */
struct mmf_source_shared {
    alignas(64) mmf_atomic_u64 source;
    mmf_atomic_u64 owner; /* the identity of the handle that commits for it */
    mmf_atomic_u64 version;
    struct mmf_source_record records[2];
};

static_assert(sizeof(struct mmf_source_shared) == 64, "layout 2");

/* The hot words, each with the line that a prefetcher brings along. */
struct mmf_ring_shared {
    alignas(128) mmf_atomic_u64 tail;
    mmf_atomic_u64 high_water;
    mmf_atomic_u64 skipped;
    alignas(128) mmf_atomic_u64 head;
    mmf_atomic_u64 taken;
    alignas(128) mmf_atomic_u64 newest_at_least;
    mmf_atomic_u64 return_epoch;
    mmf_atomic_u64 subscribers;
    alignas(128) mmf_atomic_u32 message_doorbell; /* receivers sleep on it */
    mmf_atomic_u32 space_doorbell;                /* senders sleep on it */
    mmf_atomic_u32 polled;                        /* a descriptor is polled */
    mmf_atomic_u32 dead_checked; /* when a sleeper last checked for the dead */
    mmf_atomic_u32 drainers;     /* so many or, after kills, fewer wait for releases */
    mmf_atomic_u64 watch[MMF_WATCHERS]; /* receivers that tick for the others */
    alignas(128) mmf_atomic_u64 retired_sent;
    mmf_atomic_u64 retired_received;
    mmf_atomic_u64 retired_dropped;
    mmf_atomic_u64 retired_lost;
    mmf_atomic_u64 retired_redelivered;
    mmf_atomic_u64 senders_ever; /* 1 once there was one: the last can be gone */
    mmf_atomic_u64 receivers_ever;
    alignas(128) struct mmf_source_shared sources[MMF_SOURCES_MAX];
};

static_assert(sizeof(struct mmf_ring_shared) == 640 + 64 * MMF_SOURCES_MAX, "layout 2");
static_assert(offsetof(struct mmf_ring_shared, head) == 128, "layout 2");
static_assert(offsetof(struct mmf_ring_shared, newest_at_least) == 256, "layout 2");
static_assert(offsetof(struct mmf_ring_shared, message_doorbell) == 384, "layout 2");
static_assert(offsetof(struct mmf_ring_shared, watch) == 408, "layout 2");
static_assert(offsetof(struct mmf_ring_shared, retired_sent) == 512, "layout 2");
static_assert(offsetof(struct mmf_ring_shared, sources) == 640, "layout 2");

/* One per handle that takes part. `identity` 0: free. */
struct mmf_participant_shared {
    alignas(128) mmf_atomic_u64 identity;
    mmf_atomic_u64 cursor; /* topic: the next index to read; above, of whose identity */
    mmf_atomic_u64 held;   /* how many slots it owns, or is about to own */
    mmf_atomic_u64 sent;
    mmf_atomic_u64 received;
    mmf_atomic_u64 dropped;
    mmf_atomic_u64 lost;
    mmf_atomic_u64 redelivered;
    mmf_atomic_u64 pid; /* of its process, as that sees itself; for people */
};

static_assert(sizeof(struct mmf_participant_shared) == 128, "layout 2");

/*
 * A slot begins with this line. A payload that fits lies in it; a longer one begins at
 * the next line, which the length's top bit says.
 */
#define MMF_SLOT_SHORT 48
#define MMF_SLOT_IS_LONG ((uint32_t)1 << 31)

/* `delivery`: in the low bits how often the message was redelivered, up to the most;
 * above them when it was last taken in place, in ticks of 2^26 ns. */
#define MMF_REDELIVERIES_MOST 254u
#define MMF_REDELIVERIES_BITS 8
#define MMF_TAKEN_TICK_BITS 26

struct mmf_slot_shared {
    alignas(64) uint8_t payload[MMF_SLOT_SHORT];
    uint32_t length;
    uint32_t delivery;
    mmf_atomic_u64 word;
};

static_assert(sizeof(struct mmf_slot_shared) == 64, "layout 2");
static_assert(offsetof(struct mmf_slot_shared, word) == 56, "layout 2");

#endif
