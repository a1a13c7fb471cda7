/*
 * channel_page.h - the first page of a channel's section, where the system keeps the
 * names and no control page (control.h) is needed to tell one object from another.
 *
 *   field      written by                          read by
 *   magic      creator, last: all else is there    all, first
 *   tickets    all: draw a number, add one         the drawer only
 *   *_sleepers sleepers, and who wakes them        both: sleepers.h
 *   all other  creator, before the magic; then     all, a copy
 *              never
 *
 *   section    page | struct mmf_ring_shared | senders | receivers |
 *              padding to 65,536 | slots
 *
 * A creator that is killed before the magic leaves a section without one, which ends
 * with its process: a process that finds it closes it and tries again.
 */
#ifndef MMF_SHARED_RING_CHANNEL_PAGE_H
#define MMF_SHARED_RING_CHANNEL_PAGE_H

#include <stdint.h>

#include "shared/ring/shape.h"
#include "shared/ring/sleepers.h"

/* "mmf", and the other bytes of control.h's magic, as a number. */
#define MMF_CHANNEL_PAGE_MAGIC ((uint64_t)0x01ff0a0d1a666d6d)

struct mmf_channel_page_shared {
    mmf_atomic_u64 magic;
    uint32_t layout_version;
    uint32_t kind;     /* mmf_kind */
    uint32_t required; /* features that a reader must know, or refuse the object */
    uint32_t creator_pid;
    int64_t created;  /* nanoseconds since 1970, UTC */
    int64_t capacity; /* bytes of the ring, as everywhere: mmf_ring_capacity */
    struct mmf_ring_shape_shared shape;
    uint8_t reserved_shape[16];
    mmf_atomic_u64 tickets; /* the next ticket, from 1 */
    uint8_t reserved_tickets[56];
    struct mmf_sleepers_shared message_sleepers;
    struct mmf_sleepers_shared space_sleepers;
    uint8_t reserved[4096 - 320];
};

static_assert(sizeof(struct mmf_channel_page_shared) == 4096, "layout 2");
static_assert(offsetof(struct mmf_channel_page_shared, created) == 24, "layout 2");
static_assert(offsetof(struct mmf_channel_page_shared, shape) == 40, "layout 2");
static_assert(offsetof(struct mmf_channel_page_shared, tickets) == 128, "layout 2");
static_assert(offsetof(struct mmf_channel_page_shared, message_sleepers) == 192,
              "layout 2");
static_assert(offsetof(struct mmf_channel_page_shared, space_sleepers) == 256,
              "layout 2");

/* Where the ring begins in the section, and what the slots' offset is a multiple of. */
#define MMF_CHANNEL_RING_AT sizeof(struct mmf_channel_page_shared)
#define MMF_CHANNEL_GRANULARITY ((uint64_t)65536)

/* Where the slots begin, so that they can be mapped by themselves; and all bytes. */
uint64_t mmf_channel_slots_at(const struct mmf_ring_shape *shape);
uint64_t mmf_channel_section_size(const struct mmf_ring_shape *shape);

/*
 * Make a channel of a section's first bytes, which are zero up to the slots. A process
 * that sees the magic sees all of it.
 */
void mmf_channel_page_write(struct mmf_channel_page_shared *page, uint32_t kind,
                            const struct mmf_ring_shape *shape, uint32_t creator_pid,
                            int64_t created);

/* What a page says of its channel, checked. */
struct mmf_channel_facts {
    struct mmf_ring_shape shape;
    uint32_t kind; /* mmf_kind */
    uint32_t creator_pid;
    int64_t created;
    int64_t capacity;
};

/*
 * DONE; AGAIN: its creator has not finished it, or was killed; LAYOUT; CORRUPT.
 */
enum mmf_step mmf_channel_page_read(const struct mmf_channel_page_shared *page,
                                    struct mmf_channel_facts *facts);

#endif
