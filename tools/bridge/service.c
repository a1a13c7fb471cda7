/*
 * service.c - a service's requests go to servers on other machines, by requests of core
 * NATS. Here (out) the bridge is a server of the local service, there (in) a client. Each
 * link has one request in hand; a service has several links.
 *
 * Where no machine answers, the bridge leaves the local service: its clients see that the
 * last server has gone. It comes back when one answers.
 *
 * At least once, as with any service: a request whose bridge is killed goes to another one.
 */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "local.h"

enum { LISTEN_MS = 200, PROBE_MS = 2000, PROBE_PAUSE_MS = 500 };

/* What an answer says in the place where messages say how many were lost. */
enum { ANSWERED = 0, NO_SERVER = 1, DOES_NOT_FIT = 2 };

struct side {
    struct link *link;
    mmf_service *service;
    mmf_channel_stats stats;
    struct envelope head;
    struct packer packer;
    natsSubscription *subscription;
    char subject[WIRE_NAME_MAX + 16];
    uint8_t *buffer;
};

static natsConnection *
connection_of(const struct side *side)
{
    return side->link->bridge->server.connection;
}

/* A request or an answer, alone in its envelope. */
static bool
pack(struct side *side, const void *bytes, size_t length, uint32_t status)
{
    bool is_packed;

    pack_begin(&side->packer, &side->head);
    is_packed = pack_entry(
        &side->packer,
        &(struct entry){.bytes = bytes, .length = (uint32_t)length, .lost = status});
    pack_end(&side->packer, 1);
    return is_packed;
}

static const char *
unpack(natsMsg *message, struct envelope *envelope, struct entry *entry)
{
    struct unpacker unpacker;
    const char *wrong = unpack_begin(&unpacker, envelope, natsMsg_GetData(message),
                                     (size_t)natsMsg_GetDataLength(message));

    if (wrong == NULL && envelope->kind != MMF_KIND_SERVICE)
        wrong = "it is not of a service";
    if (wrong == NULL && !unpack_entry(&unpacker, entry))
        wrong = "it is empty";
    return wrong;
}

static bool
begin(struct side *side)
{
    size_t longest;
    int status = mmf_service_stat(side->service, &side->stats);

    if (status < 0)
        return link_fails_locally(side->link, status, "counters");
    longest = (size_t)(side->stats.message_size > side->stats.answer_size
                           ? side->stats.message_size
                           : side->stats.answer_size);
    side->head.message_size = (uint32_t)side->stats.message_size;
    memcpy(side->head.channel, side->stats.identity, IDENTITY_SIZE);
    side->packer.capacity = envelope_size(&side->head) + ENTRY_HEAD + longest;
    side->packer.bytes = malloc(side->packer.capacity);
    side->buffer = malloc(longest);
    if (side->packer.bytes == NULL || side->buffer == NULL)
        return link_fails(side->link, EXIT_FAILED,
                          "there is no memory for its messages");
    return true;
}

static void
prepare(struct side *side, struct link *link)
{
    char remote[WIRE_NAME_MAX];

    *side = (struct side){.link = link,
                          .head = {.kind = MMF_KIND_SERVICE, .source = local_random()}};
    (void)snprintf(side->head.origin, sizeof side->head.origin, "%s",
                   link->bridge->config->origin);
    server_wire_name(remote, sizeof remote, link->channel->remote);
    (void)snprintf(side->subject, sizeof side->subject, "mmf.s.%s", remote);
}

static void
end(void *state)
{
    struct side *side = state;

    natsSubscription_Destroy(side->subscription);
    mmf_service_close(side->service);
    free(side->packer.bytes);
    free(side->buffer);
}

/*
 * Out.
 */

/* Does a machine answer at all? An empty request is answered at once. */
static bool
is_answered(struct side *side)
{
    natsMsg *reply = NULL;
    natsStatus status = natsConnection_Request(&reply, connection_of(side),
                                               side->subject, "", 0, PROBE_MS);

    natsMsg_Destroy(reply);
    if (status == NATS_OK)
        return true;
    if (status == NATS_NO_RESPONDERS || status == NATS_TIMEOUT) {
        (void)link_fails(
            side->link, EXIT_FAILED,
            "no machine serves it (subject %s): a client here sees no server",
            side->subject);
        (void)link_sleep(side->link, PROBE_PAUSE_MS);
        return false;
    }
    return link_fails_on(side->link, "request", status);
}

/* The request goes to another server; the bridge leaves. */
static bool
return_request(struct side *side, const mmf_message *request)
{
    (void)mmf_service_return(side->service, request);
    return link_fails(
        side->link, EXIT_FAILED,
        "no machine serves it any more (subject %s): a client here sees no server",
        side->subject);
}

static bool
answer(struct side *side, const mmf_message *request, const struct entry *entry)
{
    int status = mmf_service_answer(side->service, request, entry->bytes, entry->length,
                                    MMF_ANSWER_LAST, LOCAL_WAIT_MS);

    if (status < 0)
        return link_fails_locally(side->link, status, "answer");
    link_count(side->link, MESSAGES, 1);
    link_count(side->link, BYTES, entry->length);
    return true;
}

/* There is no answer that its client could get: it is told nothing, and gives up. */
static bool
wait_until_unwanted(struct side *side, const mmf_message *request, const char *why)
{
    int is_wanted = 1;
    int status = MMF_OK;

    link_count(side->link, PARKED, 1);
    log_say(LOG_WARNING, side->link->title, "a request gets no answer: %s", why);
    while (status == MMF_OK && is_wanted && link_sleep(side->link, LISTEN_MS))
        status = mmf_service_is_wanted(side->service, request, &is_wanted);
    if (status == MMF_OK && !is_wanted)
        status = mmf_service_answer(side->service, request, "", 0, MMF_ANSWER_LAST, 0);
    return status >= 0 || link_fails_locally(side->link, status, "answer");
}

static bool
take_answer(struct side *side, const mmf_message *request, natsMsg *reply)
{
    struct envelope envelope;
    struct entry entry;
    const char *wrong;

    if (natsMsg_IsNoResponders(reply))
        return return_request(side, request);
    wrong = unpack(reply, &envelope, &entry);
    if (wrong == NULL && entry.lost == NO_SERVER)
        return return_request(side, request);
    if (wrong == NULL && entry.lost == DOES_NOT_FIT)
        wrong = "it, or its answer, does not fit the service on the other machine";
    if (wrong == NULL && (int64_t)entry.length > side->stats.answer_size)
        wrong = "its answer does not fit the service on this machine";
    return wrong == NULL ? answer(side, request, &entry)
                         : wait_until_unwanted(side, request, wrong);
}

/* Sent once; its answer is waited for as long as the client wants it. */
static bool
forward(struct side *side, const mmf_message *request)
{
    natsInbox *inbox = NULL;
    natsMsg *reply = NULL;
    natsStatus status = natsInbox_Create(&inbox);
    int is_wanted = 1;
    bool is_done = false;

    if (status == NATS_OK)
        status = natsConnection_SubscribeSync(&side->subscription, connection_of(side),
                                              inbox);
    if (status == NATS_OK && pack(side, request->bytes, request->length, ANSWERED))
        status =
            natsConnection_PublishRequest(connection_of(side), side->subject, inbox,
                                          side->packer.bytes, (int)side->packer.length);
    while (status == NATS_OK && is_wanted && reply == NULL &&
           !link_is_stopping(side->link)) {
        status = natsSubscription_NextMsg(&reply, side->subscription, LISTEN_MS);
        if (status == NATS_TIMEOUT)
            status = mmf_service_is_wanted(side->service, request, &is_wanted) < 0
                         ? NATS_ERR
                         : NATS_OK;
    }
    if (reply != NULL)
        is_done = take_answer(side, request, reply);
    else if (status == NATS_OK && !is_wanted)
        is_done = answer(side, request, &(struct entry){.bytes = ""});
    else if (status == NATS_NO_RESPONDERS)
        is_done = return_request(side, request);
    else if (!link_is_stopping(side->link))
        is_done = link_fails_on(side->link, "request", status);
    natsMsg_Destroy(reply);
    natsSubscription_Destroy(side->subscription);
    side->subscription = NULL;
    natsInbox_Destroy(inbox);
    return is_done;
}

static bool
serve_next(void *state)
{
    struct side *side = state;
    mmf_message request;
    int status = mmf_service_take(side->service, LOCAL_WAIT_MS, &request);

    if (status < 0)
        return link_fails_locally(side->link, status, "take");
    return status != MMF_OK || forward(side, &request);
}

static bool
begin_out(void *state, struct link *link)
{
    struct side *side = state;

    prepare(side, link);
    return is_answered(side) &&
           local_open_service(link, MMF_ROLE_SERVER, &side->service) && begin(side);
}

const struct link_work service_out = {sizeof(struct side), begin_out, serve_next, end};

/*
 * In.
 */

static uint32_t
call(struct side *side, const struct entry *request, size_t *length)
{
    int status;

    if ((int64_t)request->length > side->stats.message_size)
        return DOES_NOT_FIT;
    status = mmf_service_call(side->service, request->bytes, request->length,
                              side->buffer, (size_t)side->stats.answer_size,
                              (int32_t)side->link->channel->timeout_ms, length);
    if (status == MMF_OK)
        return ANSWERED;
    *length = 0;
    log_say(LOG_WARNING, side->link->title, "a request was not answered: %s",
            status == MMF_TIMED_OUT ? "timed out" : mmf_last_message());
    return status == MMF_E_PEER_CLOSED ? NO_SERVER : DOES_NOT_FIT;
}

static bool
serve(struct side *side, natsMsg *message)
{
    struct envelope envelope;
    struct entry request;
    size_t length = 0;
    uint32_t status;
    const char *wrong, *reply = natsMsg_GetReply(message);
    natsStatus sent = NATS_OK;

    if (reply == NULL)
        return true;
    if (natsMsg_GetDataLength(message) == 0) { /* does a machine answer at all? */
        sent = natsConnection_Publish(connection_of(side), reply, "", 0);
        return sent == NATS_OK || link_fails_on(side->link, "answer", sent);
    }
    wrong = unpack(message, &envelope, &request);
    if (wrong != NULL) {
        log_say(LOG_WARNING, side->link->title, "a request is refused: %s", wrong);
        return true;
    }
    status = call(side, &request, &length);
    (void)pack(side, side->buffer, length, status);
    sent = natsConnection_Publish(connection_of(side), reply, side->packer.bytes,
                                  (int)side->packer.length);
    link_count(side->link, status == ANSWERED ? MESSAGES : PARKED, 1);
    link_count(side->link, BYTES, request.length);
    return status != NO_SERVER &&
           (sent == NATS_OK || link_fails_on(side->link, "answer", sent));
}

/* Without a server here others are to get the requests. */
static bool
has_server(struct side *side)
{
    int status = mmf_service_stat(side->service, &side->stats);

    if (status < 0)
        return link_fails_locally(side->link, status, "counters");
    if (side->stats.receivers > 0)
        return true;
    return link_fails(side->link, EXIT_CHANNEL, "service \"%s\" has no server here",
                      side->link->channel->channel);
}

static bool
listen(void *state)
{
    struct side *side = state;
    natsMsg *message = NULL;
    natsStatus status =
        natsSubscription_NextMsg(&message, side->subscription, LISTEN_MS);
    bool is_done = status == NATS_TIMEOUT ? has_server(side) : true;

    if (status == NATS_OK)
        is_done = serve(side, message);
    else if (status != NATS_TIMEOUT && status != NATS_SLOW_CONSUMER)
        is_done = link_fails_on(side->link, "subscription", status);
    natsMsg_Destroy(message);
    return is_done;
}

/* All that serve it, here and on other machines, share the requests. */
static bool
subscribe(struct side *side)
{
    natsStatus status = natsConnection_QueueSubscribeSync(
        &side->subscription, connection_of(side), side->subject, "mmf");

    if (status == NATS_OK)
        status = natsConnection_Flush(connection_of(side));
    return status == NATS_OK || link_fails_on(side->link, "subscription", status);
}

static bool
begin_in(void *state, struct link *link)
{
    struct side *side = state;

    prepare(side, link);
    return local_open_service(link, MMF_ROLE_CLIENT, &side->service) && begin(side) &&
           has_server(side) && subscribe(side);
}

const struct link_work service_in = {sizeof(struct side), begin_in, listen, end};
