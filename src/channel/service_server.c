/*
 * service_server.c - serving: requests that are taken, and answers that are sent.
 */
#include <stdlib.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "channel/service.h"

/*
 * Taking a request.
 */

/* There is an entry for the request that is taken next. */
static int
make_space(mmf_service *service)
{
    size_t capacity = service->request_capacity * 2 + 4;
    struct mmf_request *larger;

    if (service->request_count < service->request_capacity)
        return MMF_OK;
    larger = realloc(service->requests, capacity * sizeof(*larger));
    if (larger == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for %zu requests in flight",
                        capacity);
    service->requests = larger;
    service->request_capacity = capacity;
    return MMF_OK;
}

static enum mmf_step
try_take(mmf_service *service, struct mmf_service_message *message)
{
    enum mmf_step step = mmf_request_take(
        &service->lanes, &service->requests[service->request_count], message);

    if (step == MMF_STEP_DONE)
        service->request_count++;
    return step;
}

static MMF_NOINLINE int
wait_and_take(mmf_service *service, int32_t timeout_ms,
              struct mmf_service_message *message)
{
    struct mmf_channel *channel = &service->channel;
    struct mmf_channel_wait wait = mmf_channel_wait_begin(
        channel, MMF_ROLE_RECEIVE, mmf_ring_deadline(channel->ops, timeout_ms));
    enum mmf_step step;

    do
        step = try_take(service, message);
    while (step == MMF_STEP_WOULD_BLOCK && mmf_channel_wait_more(&wait));
    return mmf_channel_wait_end(&wait, step);
}

static bool
spin_for_request(const mmf_service *service, int32_t timeout_ms)
{
    const struct mmf_channel *channel = &service->channel;

    return mmf_ring_poll(channel->ring, 1) ||
           mmf_channel_spin(channel, timeout_ms != 0);
}

/* The next request; it is the last of `requests` then. */
static int
take(mmf_service *service, int32_t timeout_ms, struct mmf_service_message *message)
{
    int rc = make_space(service);

    if (rc < 0)
        return rc;
    if (service->has_pending) {
        *message = service->pending;
        service->has_pending = false;
        return MMF_OK;
    }
    if (!service->channel.has_fd && spin_for_request(service, timeout_ms)) {
        enum mmf_step step = try_take(service, message);

        if (step != MMF_STEP_WOULD_BLOCK)
            return step == MMF_STEP_DONE ? MMF_OK : mmf_channel_fail_corrupt();
    }
    return wait_and_take(service, timeout_ms, message);
}

static int
check_take(const mmf_service *service, int32_t timeout_ms)
{
    int rc = mmf_service_check(service, MMF_ROLE_SERVER);

    return rc < 0 ? rc : mmf_channel_check_timeout(timeout_ms);
}

static uint64_t
last_taken(const mmf_service *service)
{
    MMF_ASSERT(service->request_count > 0);
    return service->requests[service->request_count - 1].index;
}

int
mmf_service_take(mmf_service *service, int32_t timeout_ms, mmf_message *request)
{
    struct mmf_service_message found;
    int rc = check_take(service, timeout_ms);

    if (rc == MMF_OK && request == NULL)
        rc = mmf_fail_null("request");
    if (rc == MMF_OK)
        rc = take(service, timeout_ms, &found);
    if (rc == MMF_OK)
        mmf_service_show(&found, last_taken(service), request);
    return rc;
}

int
mmf_service_receive(mmf_service *service, void *buffer, size_t capacity,
                    int32_t timeout_ms, size_t *length, mmf_message *request)
{
    struct mmf_service_message found;
    int rc = check_take(service, timeout_ms);

    if (rc == MMF_OK)
        rc = mmf_channel_check_buffer(buffer, capacity, length);
    if (rc == MMF_OK && request == NULL)
        rc = mmf_fail_null("request");
    if (rc == MMF_OK)
        rc = take(service, timeout_ms, &found);
    if (rc != MMF_OK)
        return rc;
    if (found.length > capacity) {
        service->pending = found;
        service->has_pending = true;
        return mmf_fail_argument(MMF_E_RANGE, "capacity",
                                 "the next request has %llu bytes, the buffer %zu",
                                 (unsigned long long)found.length, capacity);
    }
    if (found.length > 0)
        memcpy(buffer, found.bytes, (size_t)found.length);
    *length = (size_t)found.length;
    mmf_service_show(&found, last_taken(service), request);
    request->bytes = buffer;
    return MMF_OK;
}

/*
 * What is in flight.
 */

static int
fail_not_held(uint64_t sequence)
{
    return mmf_fail(MMF_E_STATE,
                    "this handle does not have request %llu in flight: it was answered "
                    "or returned",
                    (unsigned long long)sequence);
}

/* One that is pending was not given to the caller. */
static struct mmf_request *
find_request(const mmf_service *service, uint64_t sequence)
{
    size_t count = service->request_count - service->has_pending;

    for (size_t i = 0; i < count; i++)
        if (service->requests[i].index == sequence)
            return &service->requests[i];
    return NULL;
}

static int
check_request(const mmf_service *service, const mmf_message *message,
              struct mmf_request **request)
{
    int rc = mmf_service_check(service, MMF_ROLE_SERVER);

    if (rc == MMF_OK && message == NULL)
        rc = mmf_fail_null("request");
    if (rc < 0)
        return rc;
    *request = find_request(service, message->sequence);
    if (*request == NULL ||
        !mmf_ring_holds(service->channel.ring, (*request)->index, 0))
        return fail_not_held(message->sequence);
    return MMF_OK;
}

/* The order stays: the one that is pending is the last. */
static void
forget(mmf_service *service, const struct mmf_request *request)
{
    size_t at = (size_t)(request - service->requests);

    service->request_count--;
    memmove(&service->requests[at], &service->requests[at + 1],
            (service->request_count - at) * sizeof(*request));
}

int
mmf_service_is_wanted(mmf_service *service, const mmf_message *message, int *wanted)
{
    struct mmf_request *request;
    int rc = check_request(service, message, &request);

    if (rc == MMF_OK && wanted == NULL)
        rc = mmf_fail_null("wanted");
    if (rc == MMF_OK)
        *wanted = mmf_request_is_wanted(&service->lanes, request) &&
                  !mmf_service_is_client_gone(service, request);
    return rc;
}

int
mmf_service_return(mmf_service *service, const mmf_message *message)
{
    struct mmf_request *request;
    int rc = check_request(service, message, &request);

    if (rc < 0)
        return rc;
    mmf_request_return(&service->lanes, request);
    forget(service, request);
    mmf_ring_notify_receivers(service->channel.ring, 1, service->channel.ops);
    return MMF_OK;
}

/*
 * Answering.
 */

/* The lane is full. It stays so if the client is gone; that is asked once in a tick. */
static enum mmf_step
try_reserve(const mmf_service *service, struct mmf_request *request, size_t length,
            bool asks, uint8_t **place)
{
    enum mmf_step step = mmf_request_reserve(&service->lanes, request, length, place);

    if (step == MMF_STEP_WOULD_BLOCK &&
        (!mmf_request_is_wanted(&service->lanes, request) ||
         (asks && mmf_service_is_client_gone(service, request))))
        return MMF_STEP_GONE;
    return step;
}

static struct mmf_client_shared *
client_of(const mmf_service *service, const struct mmf_request *request)
{
    return mmf_lanes_client(&service->lanes,
                            request->lane / service->channel.ring->shape.calls);
}

static MMF_NOINLINE enum mmf_step
wait_for_space(mmf_service *service, struct mmf_request *request, size_t length,
               int32_t timeout_ms, uint8_t **place)
{
    struct mmf_channel *channel = &service->channel;
    struct mmf_ring_wait wait = {
        .ring = channel->ring,
        .ops = channel->ops,
        .strategy = channel->strategy,
        .deadline = mmf_ring_deadline(channel->ops, timeout_ms),
        .may_write_slots = true,
        .doorbell = &client_of(service, request)->space_doorbell,
    };
    int64_t asked = INT64_MIN;
    enum mmf_step step;

    mmf_os_cancellation_point();
    do {
        bool asks = asked == INT64_MIN || wait.now - asked >= MMF_RING_TICK;

        if (asks)
            asked = wait.now;
        step = try_reserve(service, request, length, asks, place);
    } while (step == MMF_STEP_WOULD_BLOCK && mmf_ring_wait_more(&wait));
    return mmf_ring_wait_end(&wait, step);
}

static int
check_reserve(const mmf_service *service, const struct mmf_request *request,
              size_t length, int32_t timeout_ms)
{
    uint64_t most = service->channel.ring->shape.answer_size;
    int rc = mmf_channel_check_timeout(timeout_ms);

    if (rc == MMF_OK && length > most)
        rc = mmf_fail_argument(
            MMF_E_RANGE, "length",
            "invalid length of %zu bytes: the service's answers have at most %llu",
            length, (unsigned long long)most);
    if (rc == MMF_OK && request->has_reserved)
        rc = mmf_fail(MMF_E_STATE,
                      "an answer to request %llu is reserved already: commit it",
                      (unsigned long long)request->index);
    return rc;
}

static enum mmf_step
reserve(mmf_service *service, struct mmf_request *request, size_t length,
        int32_t timeout_ms, uint8_t **place)
{
    enum mmf_step step = mmf_request_reserve(&service->lanes, request, length, place);

    return step == MMF_STEP_WOULD_BLOCK
               ? wait_for_space(service, request, length, timeout_ms, place)
               : step;
}

static int
status_of(const mmf_service *service, const struct mmf_request *request,
          enum mmf_step step)
{
    if (step == MMF_STEP_GONE)
        return mmf_fail(MMF_E_PEER_CLOSED,
                        "the client of request %llu has died or given it up, and has "
                        "not read the last %u answers",
                        (unsigned long long)request->index,
                        service->channel.ring->shape.answers);
    return step == MMF_STEP_DONE ? MMF_OK : MMF_TIMED_OUT;
}

/* It is answered: the request leaves the queue. */
static void
finish(mmf_service *service, const struct mmf_request *request)
{
    struct mmf_ring *ring = service->channel.ring;

    mmf_ring_release(ring, request->index);
    forget(service, request);
    mmf_ring_notify_senders(ring, MMF_RING_ALL, service->channel.ops);
}

static void
commit(mmf_service *service, struct mmf_request *request, size_t length, uint32_t flags)
{
    mmf_atomic_u32 *doorbell = &client_of(service, request)->answer_doorbell;
    const struct mmf_ring_ops *ops = service->channel.ops;
    bool is_last = flags == MMF_ANSWER_LAST;

    mmf_request_commit(&service->lanes, request, length, is_last);
    if (mmf_doorbell_is_marked(doorbell))
        mmf_doorbell_ring(doorbell, MMF_RING_ALL, ops);
    if (mmf_load_relaxed_u32(&service->channel.ring->shared->polled))
        ops->notify_pollers(ops->context);
    if (is_last)
        finish(service, request);
}

static int
check_flags(uint32_t flags)
{
    if (flags == MMF_ANSWER_LAST || flags == MMF_ANSWER_MORE)
        return MMF_OK;
    return mmf_fail_argument(MMF_E_INVALID, "flags",
                             "unknown flags 0x%x: MMF_ANSWER_LAST or MMF_ANSWER_MORE",
                             flags);
}

int
mmf_service_reserve_answer(mmf_service *service, const mmf_message *message,
                           size_t length, int32_t timeout_ms, void **bytes)
{
    struct mmf_request *request;
    uint8_t *place;
    int rc = check_request(service, message, &request);

    if (rc == MMF_OK)
        rc = check_reserve(service, request, length, timeout_ms);
    if (rc == MMF_OK && bytes == NULL)
        rc = mmf_fail_null("bytes");
    if (rc == MMF_OK)
        rc = status_of(service, request,
                       reserve(service, request, length, timeout_ms, &place));
    if (rc == MMF_OK)
        *bytes = place;
    return rc;
}

int
mmf_service_commit_answer(mmf_service *service, const mmf_message *message,
                          size_t length, uint32_t flags)
{
    struct mmf_request *request;
    int rc = check_request(service, message, &request);

    if (rc == MMF_OK)
        rc = check_flags(flags);
    if (rc == MMF_OK && !request->has_reserved)
        rc = mmf_fail(MMF_E_STATE, "no answer to request %llu is reserved",
                      (unsigned long long)request->index);
    if (rc == MMF_OK && length > request->reserved_size)
        rc = mmf_fail_argument(MMF_E_RANGE, "length",
                               "invalid length of %zu bytes: %llu were reserved",
                               length, (unsigned long long)request->reserved_size);
    if (rc == MMF_OK)
        commit(service, request, length, flags);
    return rc;
}

int
mmf_service_answer(mmf_service *service, const mmf_message *message, const void *bytes,
                   size_t length, uint32_t flags, int32_t timeout_ms)
{
    struct mmf_request *request;
    enum mmf_step step;
    uint8_t *place;
    int rc = check_request(service, message, &request);

    if (rc == MMF_OK)
        rc = check_flags(flags);
    if (rc == MMF_OK)
        rc = check_reserve(service, request, length, timeout_ms);
    if (rc == MMF_OK && bytes == NULL && length > 0)
        rc = mmf_fail_null("bytes");
    if (rc < 0)
        return rc;
    step = reserve(service, request, length, timeout_ms, &place);
    if (step == MMF_STEP_GONE && flags == MMF_ANSWER_LAST) {
        finish(service, request);
        return MMF_OK;
    }
    if (step != MMF_STEP_DONE)
        return status_of(service, request, step);
    if (length > 0)
        memcpy(place, bytes, length);
    commit(service, request, length, flags);
    return MMF_OK;
}
