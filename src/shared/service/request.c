/*
 * request.c - a server's requests: service.h has the protocol.
 */
#include "shared/service/inner.h"

static struct mmf_lane_shared *
lane_of(const struct mmf_lanes *lanes, const struct mmf_request *request)
{
    uint32_t calls = lanes->ring->shape.calls;

    return mmf_lanes_lane(lanes, request->lane / calls, request->lane % calls);
}

static struct mmf_slot_shared *
slot_of(const struct mmf_lanes *lanes, const struct mmf_request *request,
        uint64_t index)
{
    uint32_t calls = lanes->ring->shape.calls;

    return mmf_lanes_slot(lanes, request->lane / calls, request->lane % calls, index);
}

bool
mmf_request_is_wanted(const struct mmf_lanes *lanes, const struct mmf_request *request)
{
    return mmf_load_relaxed_u64(&lane_of(lanes, request)->call) ==
           (request->index | MMF_CALL_WANTED);
}

uint64_t
mmf_request_client(const struct mmf_lanes *lanes, const struct mmf_request *request)
{
    uint32_t client = request->lane / lanes->ring->shape.calls;

    return mmf_load_acquire_u64(&lanes->ring->senders[client].identity);
}

/* How many slots from `next` on are free, by what `head` says. */
static void
count_free(const struct mmf_lanes *lanes, struct mmf_request *request)
{
    /* pairs with the release in mmf_call_release: the payload has been read */
    uint64_t head = mmf_load_acquire_u64(&lane_of(lanes, request)->head);
    int64_t used = mmf_index_difference(request->next, head);
    int64_t answers = (int64_t)lanes->ring->shape.answers;

    request->ahead = (uint64_t)(used < 0         ? answers
                                : used < answers ? answers - used
                                                 : 0);
}

/* An answer that a predecessor has sent. */
static bool
is_sent(const struct mmf_lanes *lanes, const struct mmf_request *request,
        uint64_t index)
{
    return mmf_load_acquire_u64(&slot_of(lanes, request, index)->word) ==
           mmf_answer_word(index);
}

/* A predecessor died. Go on behind its answers; true: they are all there. */
static bool
succeed(const struct mmf_lanes *lanes, struct mmf_request *request)
{
    uint64_t head = mmf_load_acquire_u64(&lane_of(lanes, request)->head);
    const struct mmf_answer_shared *last;

    if (mmf_index_difference(head, request->next) > 0)
        request->next = head & MMF_INDEX_MASK;
    for (uint64_t i = 0; i < lanes->ring->shape.answers; i++) {
        if (!is_sent(lanes, request, request->next))
            break;
        request->next = mmf_index_next(request->next);
    }
    count_free(lanes, request);
    last = mmf_service_head(slot_of(lanes, request, request->next - 1));
    return is_sent(lanes, request, (request->next - 1) & MMF_INDEX_MASK) &&
           last->request == request->index && (last->flags & MMF_ANSWER_IS_LAST);
}

/* What the slot says of its request, checked; the queue has checked the sizes. */
static enum mmf_step
read_request(const struct mmf_lanes *lanes, const struct mmf_ring_message *found,
             struct mmf_request *request, struct mmf_service_message *message)
{
    const struct mmf_ring_shape *shape = &lanes->ring->shape;
    const struct mmf_request_shared *head =
        mmf_service_head(mmf_ring_slot(lanes->ring, found->index));
    uint32_t lane = *(const volatile uint32_t *)&head->lane;

    if (lane >= shape->max_senders * shape->calls)
        return MMF_STEP_CORRUPT;
    *request = (struct mmf_request){.index = found->index,
                                    .next = head->first & MMF_INDEX_MASK,
                                    .ahead = shape->answers,
                                    .lane = lane,
                                    .deliveries = found->deliveries};
    *message = (struct mmf_service_message){.bytes = found->bytes,
                                            .length = found->length,
                                            .deliveries = found->deliveries};
    return MMF_STEP_DONE;
}

/* The lines of a slot that will be written soon. */
static void
ask_for(const struct mmf_lanes *lanes, const struct mmf_slot_shared *slot)
{
    mmf_prefetch_to_write(slot);
    if (lanes->stride > sizeof(*slot))
        mmf_prefetch_to_write(slot + 1);
}

enum mmf_step
mmf_request_take(const struct mmf_lanes *lanes, struct mmf_request *request,
                 struct mmf_service_message *message)
{
    struct mmf_ring_message found;

    for (int rounds = MMF_FEW_ROUNDS; rounds > 0; rounds--) {
        enum mmf_step step = mmf_ring_take(lanes->ring, &found);

        if (step != MMF_STEP_DONE)
            return step;
        step = read_request(lanes, &found, request, message);
        if (step != MMF_STEP_DONE) {
            mmf_ring_release(lanes->ring, found.index);
            return step;
        }
        if (request->deliveries == 1) {
            ask_for(lanes, slot_of(lanes, request, request->next));
            return MMF_STEP_DONE;
        }
        if (mmf_request_is_wanted(lanes, request) && !succeed(lanes, request))
            return MMF_STEP_DONE;
        mmf_ring_release(lanes->ring, found.index);
    }
    return MMF_STEP_WOULD_BLOCK;
}

/*
 * With one slot the answer before lies where this one will: a successor must not take the
 * old word together with the new bytes for the last answer.
 */
static void
forget_last(const struct mmf_lanes *lanes, const struct mmf_request *request)
{
    if (lanes->ring->shape.answers > 1)
        return;
    mmf_store_relaxed_u64(&slot_of(lanes, request, request->next)->word, 0);
    mmf_fence_release();
}

enum mmf_step
mmf_request_reserve(const struct mmf_lanes *lanes, struct mmf_request *request,
                    uint64_t length, uint8_t **bytes)
{
    MMF_ASSERT(!request->has_reserved && length <= lanes->ring->shape.answer_size);
    if (request->ahead == 0)
        count_free(lanes, request);
    if (request->ahead == 0)
        return MMF_STEP_WOULD_BLOCK;
    request->has_reserved = true;
    request->reserved_size = length;
    forget_last(lanes, request);
    *bytes =
        (uint8_t *)slot_of(lanes, request, request->next) + mmf_service_offset(length);
    return MMF_STEP_DONE;
}

/* A client takes its lanes in turn, and each call begins at the lane's first slot. */
static void
ask_for_next_lane(const struct mmf_lanes *lanes, const struct mmf_request *request)
{
    uint32_t calls = lanes->ring->shape.calls;
    uint32_t client = request->lane / calls;
    uint32_t number = request->lane % calls + 1;

    ask_for(lanes, mmf_lanes_slot(lanes, client, number < calls ? number : 0, 0));
}

void
mmf_request_commit(const struct mmf_lanes *lanes, struct mmf_request *request,
                   uint64_t length, bool is_last)
{
    struct mmf_slot_shared *slot = slot_of(lanes, request, request->next);
    struct mmf_answer_shared *answer = mmf_service_head(slot);

    MMF_ASSERT(request->has_reserved && length <= request->reserved_size);
    answer->request = request->index;
    answer->deliveries = request->deliveries;
    answer->flags = is_last ? MMF_ANSWER_IS_LAST : 0;
    mmf_slot_write_sizes(slot, length, mmf_service_offset(request->reserved_size));
    /* pairs with the acquire in mmf_call_next */
    mmf_store_release_u64(&slot->word, mmf_answer_word(request->next));
    request->next = mmf_index_next(request->next);
    request->ahead--;
    request->has_reserved = false;
    if (is_last)
        ask_for_next_lane(lanes, request);
}

void
mmf_request_return(const struct mmf_lanes *lanes, const struct mmf_request *request)
{
    mmf_ring_return(lanes->ring, request->index);
}
