/*
 * ring_fuzz.c - every step on a channel's slots, over memory with anything at all in
 * it: while no other process changes it, each step returns, and the message that it shows
 * lies in the slots.
 *
 * The input's first bytes choose the shape and what is done, the rest is the memory.
 * Its parts are allocated by themselves, so that AddressSanitizer sees a step beside
 * them. Built with libFuzzer where the compiler has it, and with replay.c everywhere.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/ring/ring.h"
#include "shared/ring/shape.h"
#include "shared/ring/spsc.h"
#include "shared/ring/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { HEAD = 8, MOST_SLOTS = 16, PARTICIPANTS = 3 };

static const mmf_kind kinds[] = {MMF_KIND_QUEUE, MMF_KIND_QUEUE, MMF_KIND_TOPIC,
                                 MMF_KIND_LATEST};
static const uint64_t sizes[] = {1, 48, 49, 200};

struct memory {
    struct mmf_ring_shared *shared;
    struct mmf_participant_shared *senders;
    struct mmf_participant_shared *receivers;
    uint8_t *slots;
};

/* The next `size` bytes of the input, and zeros after its end. */
static void *
take_bytes(const uint8_t **bytes, size_t *count, size_t size)
{
    void *part = aligned_alloc(128, (size + 127) / 128 * 128);
    size_t some = *count < size ? *count : size;

    if (part == NULL)
        abort();
    memset(part, 0, (size + 127) / 128 * 128);
    if (some > 0)
        memcpy(part, *bytes, some);
    *bytes += some;
    *count -= some;
    return part;
}

/* The words in few bytes, so that a fuzzer reaches them: the low ones of each. */
static void
fill_slots(struct mmf_ring *ring, const uint8_t **bytes, size_t *count)
{
    for (uint64_t i = 0; i < ring->shape.slots && *count >= 8; i++) {
        struct mmf_slot_shared *slot = mmf_ring_slot(ring, i);
        uint64_t index = ((*bytes)[0] & 0x80 ? ~(uint64_t)0xFF : 0) | (*bytes)[0];

        mmf_store_relaxed_u64(
            &slot->word, mmf_word_make(index & MMF_INDEX_MASK,
                                       ((*bytes)[1] & 3) |
                                           ((*bytes)[1] & 4 ? MMF_RECEIVERS_FROM : 0),
                                       (enum mmf_slot_state)((*bytes)[2] & 7)) |
                             ((uint64_t)((*bytes)[2] >> 3) << 3));
        slot->length = (*bytes)[3] == 255 ? UINT32_MAX : (*bytes)[3];
        slot->length |= (*bytes)[4] != 0 ? MMF_SLOT_IS_LONG : 0;
        slot->delivery = (*bytes)[4];
        *bytes += 8;
        *count -= 8;
    }
}

static volatile uint8_t sink;

/* The message must lie in one slot. */
static void
check_message(const struct mmf_ring *ring, const struct mmf_ring_message *message)
{
    const uint8_t *slot = (const uint8_t *)mmf_ring_slot(ring, message->index);
    uint8_t sum = 0;

    if (message->bytes < slot || message->length > ring->shape.message_size ||
        message->bytes + message->length > slot + ring->shape.stride)
        __builtin_trap();
    for (uint64_t i = 0; i < message->length; i++)
        sum ^= message->bytes[i];
    sink = sum;
}

/* Participants with even tickets are alive; nothing sleeps. */
static int
is_alive(void *context, uint64_t ticket)
{
    (void)context;
    return (ticket & 1) == 0;
}

static int
wake(void *context, mmf_atomic_u32 *doorbell, int count)
{
    (void)context, (void)doorbell;
    return count;
}

static void
notify_pollers(void *context)
{
    (void)context;
}

static const struct mmf_ring_ops ops = {
    .is_alive = is_alive, .wake = wake, .notify_pollers = notify_pollers};

/* As the next message of a source, which the handle may become the owner of, or not. */
static void
commit_from(struct mmf_ring *ring, uint64_t length)
{
    struct mmf_ring_source source;
    uint64_t applied;

    mmf_ring_applied(ring, 1 + length % 3, &ops, &applied);
    if (mmf_ring_own_source(ring, 1 + length % 3, &ops, &source) == MMF_STEP_DONE &&
        source.applied != UINT64_MAX)
        mmf_ring_commit_from(ring, length, &source, source.applied + 1);
    else
        mmf_ring_abandon(ring);
}

static void
send_one(struct mmf_ring *ring, uint64_t length)
{
    uint8_t *place;

    length %= ring->shape.message_size + 1;
    if (mmf_ring_reserve(ring, length, &place) != MMF_STEP_DONE)
        return;
    if (place < ring->slots ||
        place + length > ring->slots + ring->shape.slots * ring->shape.stride)
        __builtin_trap();
    memset(place, 1, length);
    if (length % 4 == 3 && ring->shape.kind == MMF_KIND_QUEUE)
        commit_from(ring, length);
    else if (length % 2)
        mmf_ring_commit(ring, length);
    else
        mmf_ring_abandon(ring);
}

static void
receive_one(struct mmf_ring *ring, int returns)
{
    struct mmf_ring_message message;

    switch (ring->shape.kind) {
    case MMF_KIND_TOPIC:
        if (mmf_ring_next(ring, &message) == MMF_STEP_DONE) {
            check_message(ring, &message);
            sink = (uint8_t)mmf_ring_still_valid(ring, message.index);
            mmf_ring_advance(ring);
        }
        mmf_ring_step_over(ring, 1, mmf_ring_participant(ring, 1)->identity);
        break;
    case MMF_KIND_LATEST:
        if (mmf_ring_newest(ring, &message) == MMF_STEP_DONE)
            check_message(ring, &message);
        break;
    default:
        if (mmf_ring_is_mpmc(ring))
            mmf_ring_rescan_returned(ring);
        if (mmf_ring_take(ring, &message) != MMF_STEP_DONE)
            break;
        check_message(ring, &message);
        if (returns && mmf_ring_is_mpmc(ring))
            mmf_ring_return_word(ring, mmf_ring_word(ring, message.index));
        else if (!returns)
            mmf_ring_release(ring, message.index);
    }
}

static void
join(struct mmf_ring *ring, const uint8_t *choices)
{
    ring->identity = 7;
    mmf_ring_be_sender(ring, 0);
    mmf_ring_be_receiver(ring, MMF_RECEIVERS_FROM);
    ring->senders[0].identity = 7;
    ring->receivers[0].identity = 7;
    ring->min_cursor = choices[3];
    ring->cursor = choices[4];
    if (ring->shape.is_spsc) {
        mmf_ring_spsc_begin_sending(ring);
        mmf_ring_spsc_begin_taking(ring);
    }
    if (ring->shape.kind == MMF_KIND_TOPIC && choices[5] & 1)
        mmf_ring_subscribe(ring, choices[4]);
    if (mmf_ring_is_mpmc(ring) && choices[5] & 1)
        mmf_ring_begin(ring);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    uint8_t choices[HEAD] = {0};
    struct mmf_ring ring;
    struct memory memory;

    memcpy(choices, bytes, count < HEAD ? count : HEAD);
    bytes += count < HEAD ? count : HEAD;
    count -= count < HEAD ? count : HEAD;
    memset(&ring, 0, sizeof(ring));
    ring.shape.kind = kinds[choices[0] % 4];
    ring.shape.is_spsc = choices[0] % 4 == 1;
    ring.shape.overflow = (mmf_overflow)(1 + choices[0] / 4 % 3);
    ring.shape.slots = (uint64_t)1 << choices[1] % 5;
    ring.shape.message_size = sizes[choices[1] / 8 % 4];
    ring.shape.stride = mmf_ring_stride(ring.shape.message_size);
    ring.shape.max_senders = PARTICIPANTS;
    ring.shape.max_receivers = PARTICIPANTS;
    memory.slots = take_bytes(&bytes, &count, ring.shape.slots * ring.shape.stride);
    ring.slots = memory.slots;
    ring.slots_end = ring.slots + ring.shape.slots * ring.shape.stride;
    if (choices[5] & 2)
        fill_slots(&ring, &bytes, &count);
    memory.shared = take_bytes(&bytes, &count, sizeof(*memory.shared));
    memory.senders = take_bytes(&bytes, &count, PARTICIPANTS * sizeof(*memory.senders));
    memory.receivers =
        take_bytes(&bytes, &count, PARTICIPANTS * sizeof(*memory.receivers));
    ring.shared = memory.shared;
    ring.senders = memory.senders;
    ring.receivers = memory.receivers;
    if (choices[5] & 4)
        mmf_store_relaxed_u64(&ring.shared->tail, choices[6]);
    join(&ring, choices);
    for (int i = 0; i < 12; i++) {
        receive_one(&ring, choices[7] >> i % 8 & 1);
        send_one(&ring, choices[i % HEAD]);
        if (choices[2] & 1)
            mmf_ring_recover_suspects(&ring, 1, 1, &ops);
    }
    free(memory.slots);
    free(memory.shared);
    free(memory.senders);
    free(memory.receivers);
    return 0;
}
