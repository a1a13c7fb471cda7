/*
 * browse.c - what is in a queue, for a process that takes no part. The slots may be a
 * stranger's: each is read once, and what it says is shown, not believed.
 */
#include <mmf/queue.h>

#include <stdlib.h>

#include "base/fail.h"
#include "channel/channel.h"
#include "shared/ring/inner.h"

/* So many slots are read at most, those of the newest messages. */
#define MOST_SLOTS ((uint64_t)1 << 18)

enum { NS_PER_MS = 1000000 };

static int64_t
age_of(uint32_t delivery)
{
    const uint32_t ticks_mask = UINT32_MAX >> MMF_REDELIVERIES_BITS;
    uint32_t taken = delivery >> MMF_REDELIVERIES_BITS;
    uint32_t now = (uint32_t)(mmf_os_now_roughly() >> MMF_TAKEN_TICK_BITS);

    if (taken == 0)
        return -1; /* it was not taken in place */
    return ((int64_t)((now - taken) & ticks_mask) << MMF_TAKEN_TICK_BITS) / NS_PER_MS;
}

static int32_t
pid_of(const struct mmf_ring *ring, uint64_t word)
{
    const struct mmf_participant_shared *entry =
        mmf_ring_participant(ring, mmf_word_participant(word));

    return entry != NULL ? (int32_t)mmf_load_relaxed_u64(&entry->pid) : 0;
}

/* A queue for one producer and one consumer has no owners in its slots. */
static int32_t
pid_of_consumer(const struct mmf_ring *ring)
{
    return (int32_t)mmf_load_relaxed_u64(&ring->receivers[0].pid);
}

/* How often it was given to a consumer, which had it `before` or has it. */
static uint32_t
deliveries_of(const struct mmf_slot_shared *line, bool was_taken)
{
    return was_taken ? mmf_slot_redeliveries(line) + 1 : 0;
}

static bool
show_spsc(const struct mmf_ring *ring, const struct mmf_slot_shared *line,
          mmf_queue_item *item)
{
    uint64_t head = mmf_load_relaxed_u64(&ring->shared->head);
    uint64_t taken = mmf_load_relaxed_u64(&ring->shared->taken);
    bool was_taken = mmf_index_difference(item->sequence, taken) < 0;

    if (mmf_index_difference(item->sequence, head) < 0)
        return false; /* released */
    item->state = was_taken ? MMF_QUEUE_IN_FLIGHT : MMF_QUEUE_WAITING;
    item->deliveries = deliveries_of(line, was_taken);
    item->pid = was_taken ? pid_of_consumer(ring) : 0;
    return true;
}

static bool
show_mpmc(const struct mmf_ring *ring, const struct mmf_slot_shared *line,
          uint64_t word, mmf_queue_item *item)
{
    switch (mmf_word_state(word)) {
    case MMF_SLOT_RESERVED:
        item->state = MMF_QUEUE_RESERVED;
        item->length = 0;
        item->pid = pid_of(ring, word);
        return true;
    case MMF_SLOT_COMMITTED:
    case MMF_SLOT_RETURNED:
        item->state = MMF_QUEUE_WAITING;
        item->deliveries =
            deliveries_of(line, mmf_word_state(word) == MMF_SLOT_RETURNED);
        return true;
    case MMF_SLOT_TAKEN:
    case MMF_SLOT_REDELIVERED:
        item->state = MMF_QUEUE_IN_FLIGHT;
        item->deliveries = deliveries_of(line, true);
        item->pid = pid_of(ring, word);
        item->age_ms = age_of(line->delivery);
        return true;
    default:
        return false;
    }
}

/* False: the slot has no message. */
static bool
show(const struct mmf_ring *ring, const struct mmf_slot_shared *line, uint64_t at,
     mmf_queue_item *item)
{
    uint64_t word = mmf_load_acquire_u64(&line->word);

    if (word == 0 || !mmf_word_is_at_home(ring, word, at))
        return false;
    memset(item, 0, sizeof(*item));
    item->sequence = mmf_word_index(word);
    item->length = (int64_t)(line->length & ~MMF_SLOT_IS_LONG);
    item->age_ms = -1;
    return ring->shape.is_spsc ? show_spsc(ring, line, item)
                               : show_mpmc(ring, line, word, item);
}

static int
compare(const void *left, const void *right)
{
    const mmf_queue_item *one = left;
    const mmf_queue_item *other = right;

    return one->sequence < other->sequence ? -1 : one->sequence > other->sequence;
}

/*
 * Damaged slots may have indexes from all around the circle, on which each can come before
 * the next: it is cut where it is furthest from the tail, so that there is an order.
 */
static void
sort(mmf_queue_item *items, size_t count, uint64_t tail)
{
    uint64_t cut = tail + (MMF_INDEX_MASK + 1) / 2;

    for (size_t i = 0; i < count; i++)
        items[i].sequence = (items[i].sequence - cut) & MMF_INDEX_MASK;
    if (count > 0)
        qsort(items, count, sizeof(*items), compare);
    for (size_t i = 0; i < count; i++)
        items[i].sequence = (items[i].sequence + cut) & MMF_INDEX_MASK;
}

/*
 * Bytes. A slot is read while others go on; whether its message was there all the time
 * is asked afterwards.
 */

static int
read_slot(struct mmf_os_channel *os, uint64_t index, size_t from, void *into,
          size_t count)
{
    const struct mmf_ring_shape *shape = &os->ring->shape;
    uint64_t slot = (index & (shape->slots - 1)) * shape->stride;

    return mmf_os_channel_read(os, mmf_ring_slots_offset(shape) + slot + from, into,
                               count);
}

/* Its slot is written anew only after its release. */
static int
is_still_there(struct mmf_os_channel *os, uint64_t index, bool *is_there)
{
    uint64_t word = 0;
    int rc;

    if (os->ring->shape.is_spsc) {
        rc = mmf_os_channel_read(os, offsetof(struct mmf_ring_shared, head), &word,
                                 sizeof(word));
        *is_there = mmf_index_difference(index, word) >= 0;
    } else {
        rc = read_slot(os, index, offsetof(struct mmf_slot_shared, word), &word,
                       sizeof(word));
        *is_there = mmf_word_index(word) == index &&
                    mmf_word_state(word) != MMF_SLOT_RESERVED &&
                    mmf_word_state(word) != MMF_SLOT_RELEASED;
    }
    return rc;
}

/* Copy what the item says; `is_there`: all of it was of this one message. */
static int
copy_bytes(struct mmf_os_channel *os, mmf_queue_item *item, void *into, size_t most,
           bool *is_there)
{
    struct mmf_ring_message message;
    struct mmf_slot_shared line;
    int rc = read_slot(os, item->sequence, 0, &line, sizeof(line));

    if (rc == MMF_OK && mmf_ring_read_sizes(os->ring, &line, item->sequence,
                                            &message) == MMF_STEP_DONE) {
        item->length = (int64_t)message.length;
        item->copied = message.length < most ? (size_t)message.length : most;
        item->bytes = into;
        rc = read_slot(os, item->sequence,
                       message.bytes == line.payload ? 0 : sizeof(line), into,
                       item->copied);
    }
    return rc < 0 ? rc : is_still_there(os, item->sequence, is_there);
}

struct copies {
    uint8_t *bytes;
    size_t each;
};

/* Their slots in the order of the indexes; one that took longer than a lap is out of it. */
static int
browse(struct mmf_os_channel *os, mmf_queue_item *items, size_t most,
       struct copies copies, size_t *count)
{
    const struct mmf_ring *ring = os->ring;
    uint64_t slots = ring->shape.slots < MOST_SLOTS ? ring->shape.slots : MOST_SLOTS;
    uint64_t tail = mmf_load_relaxed_u64(&ring->shared->tail);
    uint64_t first = tail - slots;
    size_t found = 0;

    for (uint64_t i = 0; i < slots && found < most; i++) {
        struct mmf_slot_shared line;
        int rc = read_slot(os, first + i, 0, &line, sizeof(line));
        bool is_there = rc == MMF_OK && show(ring, &line, first + i, &items[found]);

        if (is_there && copies.each > 0 && items[found].state != MMF_QUEUE_RESERVED)
            rc = copy_bytes(os, &items[found], copies.bytes + found * copies.each,
                            copies.each, &is_there);
        if (rc < 0)
            return rc;
        found += is_there;
    }
    sort(items, found, tail);
    *count = found;
    return MMF_OK;
}

static int
check_outputs(const mmf_queue_item *items, size_t most, struct copies copies,
              const size_t *count)
{
    if (count == NULL)
        return mmf_fail_null("count");
    if (items == NULL && most > 0)
        return mmf_fail_null("items");
    if (copies.bytes == NULL && copies.each > 0 && most > 0)
        return mmf_fail_null("bytes");
    return MMF_OK;
}

int
mmf_queue_browse_bytes(const char *name, mmf_queue_item *items, size_t most,
                       void *bytes, size_t each, size_t *count)
{
    struct copies copies = {bytes, each};
    struct mmf_os_channel *os;
    struct mmf_name parsed;
    int rc = mmf_channel_parse_name(name, 0, &parsed);

    if (rc == MMF_OK)
        rc = check_outputs(items, most, copies, count);
    if (rc == MMF_OK)
        rc = mmf_os_channel_inspect(&parsed, MMF_KIND_QUEUE, &os);
    if (rc < 0)
        return rc;
    rc = browse(os, items, most, copies, count);
    mmf_os_channel_close(os);
    return rc;
}

int
mmf_queue_browse(const char *name, mmf_queue_item *items, size_t most, size_t *count)
{
    return mmf_queue_browse_bytes(name, items, most, NULL, 0, count);
}
