/*
 * service_client.c - calling: requests that are sent, and answers that are taken.
 */
#include <stdlib.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "channel/service.h"

/* Any open call. */
#define ANY UINT32_MAX

static uint32_t
call_count(const mmf_service *service)
{
    return service->channel.ring->shape.calls;
}

static uint32_t
next_of(const mmf_service *service, uint32_t number)
{
    return number + 1 < call_count(service) ? number + 1 : 0;
}

/* A server that waits for space in the lane need not wait for its tick. */
static void
leave(mmf_service *service, uint32_t number)
{
    mmf_atomic_u32 *doorbell = &service->client->space_doorbell;
    struct mmf_ring *ring = service->channel.ring;

    mmf_call_leave(&service->lanes, service->calls, number);
    if (mmf_doorbell_is_marked(doorbell))
        mmf_doorbell_ring(doorbell, MMF_RING_ALL, service->channel.ops);
    mmf_ring_notify_senders(ring, MMF_RING_ALL, service->channel.ops);
}

/*
 * A thread that is cancelled asleep does not come back from mmf_service_call: what it has
 * left open is cancelled by the handle's next call.
 */
static int
check_client(mmf_service *service)
{
    int rc = mmf_service_check(service, MMF_ROLE_CLIENT);

    if (rc == MMF_OK && service->calling != 0) {
        leave(service, service->calling - 1);
        service->calling = 0;
    }
    return rc;
}

/*
 * Sending a request.
 */

/* A lane for the next call, which is `next_call` then. */
static enum mmf_step
find_lane(mmf_service *service)
{
    for (uint32_t i = 0; i < call_count(service); i++) {
        struct mmf_call *call = &service->calls[service->next_call];

        if (call->state == MMF_CALL_FREE ||
            (call->state == MMF_CALL_LEFT && mmf_call_settle(&service->lanes, call)))
            return MMF_STEP_DONE;
        service->next_call = next_of(service, service->next_call);
    }
    return MMF_STEP_WOULD_BLOCK;
}

static enum mmf_step
try_reserve(mmf_service *service, size_t length, uint8_t **place)
{
    enum mmf_step step = find_lane(service);

    return step == MMF_STEP_DONE
               ? mmf_call_reserve(service->channel.ring, length, place)
               : step;
}

static MMF_NOINLINE int
wait_for_space(mmf_service *service, size_t length, int64_t deadline, uint8_t **place)
{
    struct mmf_channel_wait wait =
        mmf_channel_wait_begin(&service->channel, MMF_ROLE_SEND, deadline);
    enum mmf_step step;

    do
        step = try_reserve(service, length, place);
    while (step == MMF_STEP_WOULD_BLOCK && mmf_channel_wait_more(&wait));
    return mmf_channel_wait_end(&wait, step);
}

/* No call can end while this one waits for that. */
static int
check_lanes(const mmf_service *service)
{
    for (uint32_t i = 0; i < call_count(service); i++)
        if (service->calls[i].state != MMF_CALL_OPEN)
            return MMF_OK;
    return mmf_fail(MMF_E_TOO_MANY,
                    "all %u calls of this client are open (max_calls): take their "
                    "answers, or cancel some",
                    call_count(service));
}

/* The deadline of a call, computed when it first has to wait. */
static int64_t
deadline_of(const mmf_service *service, int32_t timeout_ms, int64_t *deadline)
{
    if (*deadline < 0)
        *deadline = mmf_ring_deadline(service->channel.ops, timeout_ms);
    return *deadline;
}

static int
reserve(mmf_service *service, size_t length, int32_t timeout_ms, int64_t *deadline,
        uint8_t **place)
{
    enum mmf_step step = try_reserve(service, length, place);
    int rc;

    if (step == MMF_STEP_DONE)
        return MMF_OK;
    rc = check_lanes(service);
    return rc < 0 ? rc
                  : wait_for_space(service, length,
                                   deadline_of(service, timeout_ms, deadline), place);
}

static int
check_reserve(mmf_service *service, size_t length, int32_t timeout_ms)
{
    int rc = check_client(service);

    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    if (rc == MMF_OK && length > service->channel.ring->shape.message_size)
        rc = mmf_fail_argument(
            MMF_E_RANGE, "length",
            "invalid length of %zu bytes: the service's requests have at most %llu",
            length, (unsigned long long)service->channel.ring->shape.message_size);
    if (rc == MMF_OK && service->channel.ring->has_reserved)
        rc = mmf_fail(MMF_E_STATE, "this handle has a reservation already: commit or "
                                   "abandon it");
    return rc;
}

/* What is reserved goes. The number of its lane. */
static uint32_t
commit(mmf_service *service, size_t length)
{
    uint32_t number = service->next_call;
    struct mmf_ring *ring = service->channel.ring;

    mmf_call_open(&service->lanes, service->calls, number);
    mmf_ring_commit(ring, length);
    mmf_ring_notify_receivers(ring, 1, service->channel.ops);
    service->next_call = next_of(service, number);
    return number;
}

int
mmf_service_reserve(mmf_service *service, size_t length, int32_t timeout_ms,
                    void **bytes)
{
    int64_t deadline = -1;
    uint8_t *place;
    int rc = check_reserve(service, length, timeout_ms);

    if (rc == MMF_OK && bytes == NULL)
        rc = mmf_fail_null("bytes");
    if (rc == MMF_OK)
        rc = reserve(service, length, timeout_ms, &deadline, &place);
    if (rc != MMF_OK)
        return rc;
    service->channel.reserved_size = length;
    *bytes = place;
    return MMF_OK;
}

static int
check_reserved(const mmf_service *service)
{
    int rc = mmf_service_check(service, MMF_ROLE_CLIENT);

    if (rc == MMF_OK && !service->channel.ring->has_reserved)
        rc = mmf_fail(MMF_E_STATE, "nothing is reserved");
    return rc;
}

int
mmf_service_commit(mmf_service *service, size_t length, uint64_t *call)
{
    int rc = check_reserved(service);

    if (rc == MMF_OK && call == NULL)
        rc = mmf_fail_null("call");
    if (rc == MMF_OK && length > service->channel.reserved_size)
        rc = mmf_fail_argument(
            MMF_E_RANGE, "length", "invalid length of %zu bytes: %llu were reserved",
            length, (unsigned long long)service->channel.reserved_size);
    if (rc == MMF_OK)
        *call = service->calls[commit(service, length)].request;
    return rc;
}

int
mmf_service_abandon(mmf_service *service)
{
    int rc = check_reserved(service);

    if (rc < 0)
        return rc;
    mmf_ring_abandon(service->channel.ring);
    mmf_ring_notify_senders(service->channel.ring, MMF_RING_ALL, service->channel.ops);
    return MMF_OK;
}

/* Reserve, copy, commit; the number of the lane. */
static int
send(mmf_service *service, const void *bytes, size_t length, int32_t timeout_ms,
     int64_t *deadline, uint32_t *number)
{
    uint8_t *place;
    int rc = check_reserve(service, length, timeout_ms);

    if (rc == MMF_OK && bytes == NULL && length > 0)
        rc = mmf_fail_null("bytes");
    if (rc == MMF_OK)
        rc = reserve(service, length, timeout_ms, deadline, &place);
    if (rc != MMF_OK)
        return rc;
    if (length > 0)
        memcpy(place, bytes, length);
    *number = commit(service, length);
    return MMF_OK;
}

int
mmf_service_send(mmf_service *service, const void *bytes, size_t length,
                 int32_t timeout_ms, uint64_t *call)
{
    int64_t deadline = -1;
    uint32_t number = 0;
    int rc = call != NULL ? MMF_OK : mmf_fail_null("call");

    if (rc == MMF_OK)
        rc = send(service, bytes, length, timeout_ms, &deadline, &number);
    if (rc == MMF_OK)
        *call = service->calls[number].request;
    return rc;
}

/*
 * Answers.
 */

static bool
is_awaited(const mmf_service *service, uint32_t number)
{
    const struct mmf_call *call = &service->calls[number];

    return call->state == MMF_CALL_OPEN && !call->has_taken &&
           service->calling != number + 1;
}

bool
mmf_service_has_call(const mmf_service *service)
{
    for (uint32_t i = 0; i < call_count(service); i++)
        if (is_awaited(service, i))
            return true;
    return false;
}

bool
mmf_service_has_answer(const mmf_service *service)
{
    for (uint32_t i = 0; i < call_count(service); i++)
        if (is_awaited(service, i) &&
            mmf_call_poll(&service->lanes, service->calls, i, 1))
            return true;
    return false;
}

/* The next answer to the call of lane `number`, or to any; whose it is. */
static enum mmf_step
try_answer(mmf_service *service, uint32_t number, uint32_t *found,
           struct mmf_service_message *answer)
{
    *found = number;
    if (number != ANY)
        return mmf_call_next(&service->lanes, service->calls, number, answer);
    for (uint32_t i = 0; i < call_count(service); i++) {
        enum mmf_step step = MMF_STEP_WOULD_BLOCK;

        *found = service->next_answer;
        service->next_answer = next_of(service, service->next_answer);
        if (is_awaited(service, *found))
            step = mmf_call_next(&service->lanes, service->calls, *found, answer);
        if (step != MMF_STEP_WOULD_BLOCK)
            return step;
    }
    return MMF_STEP_WOULD_BLOCK;
}

static MMF_NOINLINE int
wait_for_answer(mmf_service *service, uint32_t number, int64_t deadline,
                uint32_t *found, struct mmf_service_message *answer)
{
    struct mmf_channel_wait wait =
        mmf_channel_wait_begin(&service->channel, MMF_ROLE_SEND, deadline);
    enum mmf_step step;
    int rc;

    wait.ring.doorbell = service->channel.answer_doorbell;
    mmf_channel_wait_consume(&wait);
    do
        step = try_answer(service, number, found, answer);
    while (step == MMF_STEP_WOULD_BLOCK && mmf_channel_wait_more(&wait));
    rc = mmf_channel_wait_end(&wait, step);
    if (rc == MMF_E_PEER_CLOSED)
        rc = mmf_fail(MMF_E_PEER_CLOSED, "there is no answer, and the last server has "
                                         "closed the service or died");
    return rc;
}

/* While the answer is on its way: the next call's lane may be free by now. */
static bool
spin_for_answer(mmf_service *service, uint32_t number, int32_t timeout_ms)
{
    struct mmf_call *next = &service->calls[service->next_call];

    if (next->state == MMF_CALL_LEFT)
        mmf_call_settle(&service->lanes, next);
    return number != ANY && timeout_ms != 0 && service->channel.ops->may_spin &&
           mmf_call_poll(&service->lanes, service->calls, number, MMF_SERVICE_TRIES);
}

static int
next_answer(mmf_service *service, uint32_t number, int32_t timeout_ms,
            int64_t *deadline, uint32_t *found, struct mmf_service_message *answer)
{
    if (!service->channel.has_fd && spin_for_answer(service, number, timeout_ms) &&
        try_answer(service, number, found, answer) == MMF_STEP_DONE)
        return MMF_OK;
    return wait_for_answer(service, number, deadline_of(service, timeout_ms, deadline),
                           found, answer);
}

static int
fail_no_call(uint64_t call)
{
    return mmf_fail(MMF_E_STATE,
                    "this handle has no open call %llu: it has ended, or was cancelled",
                    (unsigned long long)call);
}

/* The lane of an open call. */
static int
find_call(const mmf_service *service, uint64_t call, uint32_t *number)
{
    for (uint32_t i = 0; i < call_count(service); i++) {
        if (service->calls[i].state == MMF_CALL_OPEN &&
            service->calls[i].request == call) {
            *number = i;
            return MMF_OK;
        }
    }
    return fail_no_call(call);
}

/* A call that an answer can be taken to, or any: one at least must be open. */
static int
find_to_take(const mmf_service *service, uint64_t call, uint32_t *number)
{
    int rc;

    if (call != 0) {
        rc = find_call(service, call, number);
        if (rc == MMF_OK && service->calls[*number].has_taken)
            rc = mmf_fail(MMF_E_STATE,
                          "an answer to call %llu is taken already: release it first",
                          (unsigned long long)call);
        return rc;
    }
    *number = ANY;
    return mmf_service_has_call(service)
               ? MMF_OK
               : mmf_fail(MMF_E_STATE, "no call is open that an answer could come to");
}

static int
check_answer(mmf_service *service, uint64_t call, int32_t timeout_ms, uint32_t *number)
{
    int rc = check_client(service);

    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    return rc < 0 ? rc : find_to_take(service, call, number);
}

int
mmf_service_take_answer(mmf_service *service, uint64_t call, int32_t timeout_ms,
                        mmf_message *answer)
{
    struct mmf_service_message found;
    int64_t deadline = -1;
    uint32_t number = 0;
    int rc = check_answer(service, call, timeout_ms, &number);

    if (rc == MMF_OK && answer == NULL)
        rc = mmf_fail_null("answer");
    if (rc == MMF_OK)
        rc = next_answer(service, number, timeout_ms, &deadline, &number, &found);
    if (rc != MMF_OK)
        return rc;
    service->calls[number].has_taken = true;
    service->calls[number].is_last = found.is_last;
    mmf_service_show(&found, service->calls[number].request, answer);
    return MMF_OK;
}

static void
release(mmf_service *service, uint32_t number, bool is_last)
{
    mmf_atomic_u32 *doorbell = &service->client->space_doorbell;

    mmf_call_release(&service->lanes, service->calls, number, is_last);
    if (mmf_doorbell_is_marked(doorbell))
        mmf_doorbell_ring(doorbell, MMF_RING_ALL, service->channel.ops);
}

/* While an answer is taken its call is not waited for: it may have been passed over. */
static void
notify_of_next(const mmf_service *service, uint32_t number)
{
    const struct mmf_ring_ops *ops = service->channel.ops;

    if (is_awaited(service, number) &&
        mmf_load_relaxed_u32(&service->channel.ring->shared->polled) &&
        mmf_call_poll(&service->lanes, service->calls, number, 1))
        ops->notify_pollers(ops->context);
}

int
mmf_service_release_answer(mmf_service *service, const mmf_message *answer)
{
    uint32_t number = 0;
    int rc = mmf_service_check(service, MMF_ROLE_CLIENT);

    if (rc == MMF_OK && answer == NULL)
        rc = mmf_fail_null("answer");
    if (rc == MMF_OK)
        rc = find_call(service, answer->sequence, &number);
    if (rc == MMF_OK && !service->calls[number].has_taken)
        rc = mmf_fail(MMF_E_STATE, "no answer to call %llu is taken",
                      (unsigned long long)answer->sequence);
    if (rc < 0)
        return rc;
    release(service, number, service->calls[number].is_last);
    notify_of_next(service, number);
    return MMF_OK;
}

static int
fail_small(const struct mmf_service_message *answer, size_t capacity)
{
    return mmf_fail_argument(MMF_E_RANGE, "capacity",
                             "the answer has %llu bytes, the buffer %zu",
                             (unsigned long long)answer->length, capacity);
}

int
mmf_service_receive_answer(mmf_service *service, uint64_t call, void *buffer,
                           size_t capacity, int32_t timeout_ms, size_t *length,
                           mmf_message *answer)
{
    struct mmf_service_message found;
    int64_t deadline = -1;
    uint32_t number = 0;
    int rc = check_answer(service, call, timeout_ms, &number);

    if (rc == MMF_OK)
        rc = mmf_channel_check_buffer(buffer, capacity, length);
    if (rc == MMF_OK)
        rc = next_answer(service, number, timeout_ms, &deadline, &number, &found);
    if (rc != MMF_OK)
        return rc;
    if (found.length > capacity)
        return fail_small(&found, capacity);
    if (found.length > 0)
        memcpy(buffer, found.bytes, (size_t)found.length);
    *length = (size_t)found.length;
    if (answer != NULL) {
        mmf_service_show(&found, service->calls[number].request, answer);
        answer->bytes = buffer;
    }
    release(service, number, found.is_last);
    return MMF_OK;
}

/*
 * Giving up.
 */

int
mmf_service_cancel(mmf_service *service, uint64_t call)
{
    uint32_t number = 0;
    int rc = check_client(service);

    if (rc == MMF_OK)
        rc = find_call(service, call, &number);
    if (rc == MMF_OK)
        leave(service, number);
    return rc;
}

void
mmf_service_cancel_all(mmf_service *service)
{
    if (service->calls == NULL)
        return;
    for (uint32_t i = 0; i < call_count(service); i++)
        if (service->calls[i].state == MMF_CALL_OPEN)
            leave(service, i);
}

/*
 * All in one.
 */

int
mmf_service_call(mmf_service *service, const void *request, size_t request_length,
                 void *buffer, size_t capacity, int32_t timeout_ms, size_t *length)
{
    struct mmf_service_message answer = {0};
    int64_t deadline = -1;
    uint32_t number = 0;
    int rc = mmf_channel_check_buffer(buffer, capacity, length);

    if (rc == MMF_OK)
        rc = send(service, request, request_length, timeout_ms, &deadline, &number);
    if (rc != MMF_OK)
        return rc;
    service->calling = number + 1;
    rc = next_answer(service, number, timeout_ms, &deadline, &number, &answer);
    service->calling = 0;
    if (rc == MMF_OK && answer.length > capacity)
        rc = fail_small(&answer, capacity);
    if (rc != MMF_OK) {
        leave(service, number);
        return rc;
    }
    if (answer.length > 0)
        memcpy(buffer, answer.bytes, (size_t)answer.length);
    *length = (size_t)answer.length;
    release(service, number, answer.is_last);
    if (!answer.is_last)
        leave(service, number);
    return MMF_OK;
}
