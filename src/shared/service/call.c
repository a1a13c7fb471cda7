/*
 * call.c - a client's calls: service.h has the protocol.
 */
#include "shared/service/inner.h"

struct mmf_lanes
mmf_lanes_of(struct mmf_ring *ring)
{
    const struct mmf_ring_shape *shape = &ring->shape;

    MMF_ASSERT(mmf_ring_is_service(shape));
    return (struct mmf_lanes){.ring = ring,
                              .parts = ring->slots + mmf_service_parts_at(shape),
                              .part_size = mmf_service_part_size(shape),
                              .slots_at = mmf_service_slots_at(shape),
                              .stride = mmf_service_stride(shape->answer_size)};
}

static struct mmf_lane_shared *
lane_of(const struct mmf_lanes *lanes, uint32_t number)
{
    return mmf_lanes_lane(lanes, lanes->ring->sender, number);
}

void
mmf_calls_begin(const struct mmf_lanes *lanes, struct mmf_call *calls)
{
    for (uint32_t i = 0; i < lanes->ring->shape.calls; i++) {
        mmf_atomic_u64 *word = &lane_of(lanes, i)->call;
        uint64_t index = mmf_load_relaxed_u64(word) & MMF_INDEX_MASK;

        mmf_store_relaxed_u64(word, index);
        calls[i] = (struct mmf_call){.request = index, .state = MMF_CALL_LEFT};
    }
}

bool
mmf_call_settle(const struct mmf_lanes *lanes, struct mmf_call *call)
{
    mmf_atomic_u64 *slot_word = &mmf_ring_slot(lanes->ring, call->request)->word;
    uint64_t word = mmf_load_acquire_u64(slot_word);

    MMF_ASSERT(call->state == MMF_CALL_LEFT);
    while (mmf_word_index(word) == call->request &&
           mmf_word_state(word) != MMF_SLOT_RELEASED) {
        if (mmf_word_is_owned(word))
            return false;
        /* It waits for a server: the same as dropping a message. */
        if (mmf_exchange_if_u64(slot_word, &word, mmf_word_released(call->request))) {
            mmf_counter_add(&mmf_ring_sender(lanes->ring)->dropped, 1);
            break;
        }
    }
    call->state = MMF_CALL_FREE;
    return true;
}

enum mmf_step
mmf_call_reserve(struct mmf_ring *ring, uint64_t length, uint8_t **bytes)
{
    enum mmf_step step = mmf_ring_reserve(ring, length, bytes);

    /* A call's number is not 0. */
    if (step == MMF_STEP_DONE && ring->reserved == 0) {
        mmf_ring_abandon(ring);
        step = mmf_ring_reserve(ring, length, bytes);
    }
    if (step != MMF_STEP_DONE)
        return step;
    ring->reserved_offset = mmf_service_offset(length);
    *bytes = (uint8_t *)mmf_ring_slot(ring, ring->reserved) + ring->reserved_offset;
    return MMF_STEP_DONE;
}

/*
 * Indexes of answers only grow, from call to call: a server that had the last request
 * has written fewer than `answers` ahead of `head`. Each call begins at the lane's first
 * slot, so that the next server knows which line it will write.
 */
static uint64_t
first_of(const struct mmf_lanes *lanes, const struct mmf_lane_shared *lane)
{
    uint64_t answers = lanes->ring->shape.answers;

    return ((mmf_load_relaxed_u64(&lane->head) & ~(answers - 1)) + 2 * answers) &
           MMF_INDEX_MASK;
}

void
mmf_call_open(const struct mmf_lanes *lanes, struct mmf_call *calls, uint32_t number)
{
    struct mmf_ring *ring = lanes->ring;
    struct mmf_lane_shared *lane = lane_of(lanes, number);
    struct mmf_request_shared *request =
        mmf_service_head(mmf_ring_slot(ring, ring->reserved));
    uint64_t first = first_of(lanes, lane);

    MMF_ASSERT(ring->has_reserved && calls[number].state == MMF_CALL_FREE);
    request->lane = ring->sender * ring->shape.calls + number;
    request->reserved = 0;
    request->first = first;
    mmf_store_relaxed_u64(&lane->head, first);
    mmf_store_relaxed_u64(&lane->call, ring->reserved | MMF_CALL_WANTED);
    calls[number] = (struct mmf_call){
        .request = ring->reserved, .next = first, .state = MMF_CALL_OPEN};
}

static struct mmf_slot_shared *
next_slot(const struct mmf_lanes *lanes, const struct mmf_call *calls, uint32_t number)
{
    return mmf_lanes_slot(lanes, lanes->ring->sender, number, calls[number].next);
}

enum mmf_step
mmf_call_next(const struct mmf_lanes *lanes, const struct mmf_call *calls,
              uint32_t number, struct mmf_service_message *message)
{
    struct mmf_slot_shared *slot = next_slot(lanes, calls, number);
    const struct mmf_answer_shared *answer = mmf_service_head(slot);

    MMF_ASSERT(calls[number].state == MMF_CALL_OPEN && !calls[number].has_taken);
    /* pairs with the release in mmf_request_commit */
    if (mmf_load_acquire_u64(&slot->word) != mmf_answer_word(calls[number].next))
        return MMF_STEP_WOULD_BLOCK;
    if (answer->request != calls[number].request)
        return MMF_STEP_CORRUPT;
    message->deliveries = answer->deliveries;
    message->is_last = (answer->flags & MMF_ANSWER_IS_LAST) != 0;
    return mmf_service_read(slot, lanes->stride, lanes->ring->shape.answer_size,
                            message);
}

bool
mmf_call_poll(const struct mmf_lanes *lanes, const struct mmf_call *calls,
              uint32_t number, int times)
{
    const struct mmf_slot_shared *slot = next_slot(lanes, calls, number);
    const struct mmf_slot_shared *payload =
        lanes->stride > sizeof(*slot) ? slot + 1 : slot;

    for (int i = 0; i < times; i++) {
        mmf_prefetch_to_read(payload);
        if (mmf_load_acquire_u64(&slot->word) == mmf_answer_word(calls[number].next))
            return true;
    }
    return false;
}

/* The client wants no more answers. */
static void
end(const struct mmf_lanes *lanes, struct mmf_call *call, uint32_t number)
{
    mmf_store_relaxed_u64(&lane_of(lanes, number)->call, call->request);
    call->state = MMF_CALL_LEFT;
    call->has_taken = false;
}

void
mmf_call_release(const struct mmf_lanes *lanes, struct mmf_call *calls, uint32_t number,
                 bool is_last)
{
    struct mmf_call *call = &calls[number];

    MMF_ASSERT(call->state == MMF_CALL_OPEN);
    call->next = mmf_index_next(call->next);
    call->has_taken = false;
    /* pairs with the acquire in mmf_request_reserve: the payload has been read */
    mmf_store_release_u64(&lane_of(lanes, number)->head, call->next);
    if (is_last)
        end(lanes, call, number);
}

void
mmf_call_leave(const struct mmf_lanes *lanes, struct mmf_call *calls, uint32_t number)
{
    MMF_ASSERT(calls[number].state == MMF_CALL_OPEN);
    end(lanes, &calls[number], number);
    mmf_call_settle(lanes, &calls[number]);
}
