/*
 * service.c - requests and answers: options, handles, and what clients and servers have
 * in common. The protocol is in shared/service/service.h.
 */
#include "channel/service.h"

#include <stdlib.h>

#include "base/fail.h"
#include "options.h"

enum { CLIENTS_DEFAULT = 64, CALLS_DEFAULT = 4, ANSWERS_DEFAULT = 2 };

/*
 * Options.
 */

void
mmf_service_options_init(mmf_service_options *options)
{
    static const mmf_service_options defaults = {.size = sizeof(mmf_service_options)};

    if (options != NULL)
        *options = defaults;
}

/* The rest is checked with the channels' own. */
static int
read_options(const mmf_service_options *given, mmf_service_options *options,
             mmf_channel_options *channel)
{
    int rc = mmf_options_read(given, options, sizeof(*options));

    if (rc < 0)
        return rc;
    if (options->reserved != 0)
        return mmf_fail_argument(MMF_E_INVALID, "options",
                                 "invalid reserved 0x%x in options: 0",
                                 options->reserved);
    *channel = (mmf_channel_options){
        .size = sizeof(*channel),
        .role = options->role,
        .strategy = options->strategy,
        .flags = options->flags,
        .max_senders = options->max_clients,
        .max_receivers = options->max_servers,
        .all_users = options->all_users,
        .mode = options->mode,
        .wait_ms = options->wait_ms,
    };
    return MMF_OK;
}

static int
check_limit(int32_t limit, uint32_t most, int standard, const char *field)
{
    if (limit >= 0 && limit <= (int32_t)most)
        return MMF_OK;
    return mmf_fail_argument(MMF_E_RANGE, field, "invalid %s %d: 1 to %u, or 0 for %d",
                             field, limit, most, standard);
}

/* Of one call: a power of two, so that what is asked for can be rounded up to it. */
static uint32_t
most_answers(const mmf_service_options *options)
{
    uint32_t calls =
        options->max_calls != 0 ? (uint32_t)options->max_calls : CALLS_DEFAULT;
    uint32_t most = MMF_ANSWERS_MAX;

    while (most > MMF_ANSWERS_MAX / calls)
        most /= 2;
    return most;
}

static int
check_limits(const mmf_service_options *options)
{
    int rc = check_limit(options->max_clients, MMF_PARTICIPANTS_MAX, CLIENTS_DEFAULT,
                         "max_clients");

    if (rc == MMF_OK)
        rc = check_limit(options->max_servers, MMF_PARTICIPANTS_MAX, CLIENTS_DEFAULT,
                         "max_servers");
    if (rc == MMF_OK)
        rc = check_limit(options->max_calls, MMF_CALLS_MAX, CALLS_DEFAULT, "max_calls");
    if (rc == MMF_OK)
        rc = check_limit(options->max_answers, most_answers(options), ANSWERS_DEFAULT,
                         "max_answers");
    return rc;
}

static uint32_t
round_up(uint32_t answers)
{
    uint32_t rounded = 1;

    while (rounded < answers)
        rounded *= 2;
    return rounded;
}

static int
fill_sizes(size_t request_size, size_t answer_size, size_t capacity,
           const mmf_service_options *options, struct mmf_service_sizes *sizes)
{
    int rc = check_limits(options);

    if (rc == MMF_OK && (answer_size < 1 || answer_size > MMF_RING_MESSAGE_MAX))
        rc = mmf_fail_argument(MMF_E_RANGE, "answer_size",
                               "invalid answer_size of %zu bytes: 1 to %llu",
                               answer_size, (unsigned long long)MMF_RING_MESSAGE_MAX);
    if (rc < 0)
        return rc;
    *sizes = (struct mmf_service_sizes){
        .requests = {request_size, capacity, MMF_OVERFLOW_BLOCK},
        .answer_size = answer_size,
        .calls = CALLS_DEFAULT,
        .answers = ANSWERS_DEFAULT};
    if (options->max_calls != 0)
        sizes->calls = (uint32_t)options->max_calls;
    if (options->max_answers != 0)
        sizes->answers = round_up((uint32_t)options->max_answers);
    return MMF_OK;
}

/*
 * Handles.
 */

static bool
has_message(struct mmf_channel *channel)
{
    struct mmf_service *service = (struct mmf_service *)channel;

    if ((channel->role & MMF_ROLE_SERVER) &&
        (service->has_pending || mmf_ring_has_message(channel->ring)))
        return true;
    return (channel->role & MMF_ROLE_CLIENT) && mmf_service_has_answer(service);
}

/* A client without an open call waits for nothing. */
static mmf_role
waits_in(const struct mmf_channel *channel)
{
    const struct mmf_service *service = (const struct mmf_service *)channel;
    mmf_role role = channel->role & (mmf_role)MMF_ROLE_SERVER;

    if ((channel->role & MMF_ROLE_CLIENT) && mmf_service_has_call(service))
        role |= (mmf_role)MMF_ROLE_CLIENT;
    return role;
}

static const struct mmf_channel_kind services = {
    .kind = MMF_KIND_SERVICE,
    .flags_known = MMF_CHANNEL_PEER_CLOSED,
    .handle_size = sizeof(struct mmf_service),
    .has_message = has_message,
    .waits_in = waits_in,
};

/* The handle has joined. On failure nothing is left of it. */
static int
hand_over(int rc, mmf_service *service, mmf_service **out)
{
    struct mmf_ring *ring;

    if (rc < 0)
        return rc;
    MMF_ASSERT(service != NULL);
    ring = service->channel.ring;
    service->lanes = mmf_lanes_of(ring);
    if (service->channel.role & MMF_ROLE_CLIENT) {
        service->calls = calloc(ring->shape.calls, sizeof(*service->calls));
        if (service->calls == NULL) {
            uint32_t calls = ring->shape.calls;

            mmf_channel_close(&service->channel);
            return mmf_fail(MMF_E_NO_MEMORY, "no memory for %u calls", calls);
        }
        service->client = mmf_lanes_client(&service->lanes, ring->sender);
        service->channel.answer_doorbell = &service->client->answer_doorbell;
        mmf_calls_begin(&service->lanes, service->calls);
    }
    *out = service;
    return MMF_OK;
}

int
mmf_service_create_new(const char *name, size_t request_size, size_t answer_size,
                       size_t capacity, const mmf_service_options *given,
                       mmf_service **out)
{
    struct mmf_service_sizes sizes = {0};
    mmf_channel_options channel;
    mmf_service_options options;
    mmf_service *service = NULL;
    int rc = read_options(given, &options, &channel);

    if (rc == MMF_OK)
        rc = fill_sizes(request_size, answer_size, capacity, &options, &sizes);
    if (rc == MMF_OK)
        rc = mmf_channel_create_new(&services, name, &sizes.requests, &channel,
                                    out != NULL ? &service : NULL);
    return hand_over(rc, service, out);
}

int
mmf_service_create_or_open(const char *name, size_t request_size, size_t answer_size,
                           size_t capacity, const mmf_service_options *given,
                           int *created, mmf_service **out)
{
    struct mmf_service_sizes sizes = {0};
    mmf_channel_options channel;
    mmf_service_options options;
    mmf_service *service = NULL;
    int is_new = 0;
    int rc = read_options(given, &options, &channel);

    if (rc == MMF_OK)
        rc = fill_sizes(request_size, answer_size, capacity, &options, &sizes);
    if (rc == MMF_OK)
        rc = mmf_channel_create_or_open(&services, name, &sizes.requests, &channel,
                                        &is_new, out != NULL ? &service : NULL);
    rc = hand_over(rc, service, out);
    if (rc == MMF_OK && created != NULL)
        *created = is_new;
    return rc;
}

int
mmf_service_open_existing(const char *name, const mmf_service_options *given,
                          mmf_service **out)
{
    mmf_channel_options channel;
    mmf_service_options options;
    mmf_service *service = NULL;
    int rc = read_options(given, &options, &channel);

    if (rc == MMF_OK)
        rc = mmf_channel_open_existing(&services, name, &channel,
                                       out != NULL ? &service : NULL);
    return hand_over(rc, service, out);
}

void
mmf_service_close(mmf_service *service)
{
    if (service == NULL)
        return;
    if (mmf_os_channel_is_alive(service->channel.os))
        mmf_service_cancel_all(service);
    free(service->calls);
    free(service->requests);
    mmf_channel_close(&service->channel);
}

static int
fail_role(mmf_role role)
{
    return mmf_fail(MMF_E_NOT_SUPPORTED,
                    "the handle was opened as a %s, not as a %s "
                    "(mmf_service_options.role)",
                    role == MMF_ROLE_CLIENT ? "server" : "client",
                    role == MMF_ROLE_CLIENT ? "client" : "server");
}

int
mmf_service_fail_check(const mmf_service *service, mmf_role role)
{
    if (service == NULL)
        return mmf_fail_null("service");
    return mmf_os_channel_check_alive(service->channel.os) < 0 ? MMF_E_DISPOSED
                                                               : fail_role(role);
}

bool
mmf_service_is_client_gone(const mmf_service *service,
                           const struct mmf_request *request)
{
    const struct mmf_ring_ops *ops = service->channel.ops;
    uint64_t identity = mmf_request_client(&service->lanes, request);

    return identity == 0 || !ops->is_alive(ops->context, mmf_ring_ticket(identity));
}

/*
 * Both.
 */

mmf_waitable *
mmf_service_waitable(mmf_service *service)
{
    return service != NULL ? &service->channel.waitable : NULL;
}

int
mmf_service_fd(mmf_service *service, int *fd)
{
    return service != NULL ? mmf_waitable_fd(mmf_service_waitable(service), fd)
                           : mmf_fail_null("service");
}

int
mmf_service_stat(mmf_service *service, mmf_channel_stats *stats)
{
    int rc = mmf_service_check(service, MMF_ROLE_BOTH);

    return rc < 0 ? rc : mmf_channel_stat_handle(&service->channel, stats);
}
