/* pull.c - reading a stream by a pull consumer of JetStream. */
#include "pull.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "local.h"

/* Messages of the stream that may be on their way here; of a shared one the next is for any
 * machine, so each asks for what it has a place for. */
enum { FETCH = 16, FETCH_SHARED = 1 };

#define CONSUMER_LASTS_NS ((int64_t)30 * 1000000000)

/* A request for messages ends after so long; silence for longer means that it is lost. */
enum { ASK_MS = 5000, SILENCE_MS = 8000 };

enum { FIND_PAUSE_MS = 10 };

static struct server *
server_of(const struct pull *pull)
{
    return &pull->link->bridge->server;
}

void
pull_end(struct pull *pull)
{
    natsSubscription_Destroy(pull->subscription);
    natsInbox_Destroy(pull->inbox);
    pull->subscription = NULL;
    pull->inbox = NULL;
}

static natsStatus
add_consumer(struct pull *pull, const char *name, jsErrCode *code)
{
    jsConsumerConfig config;
    jsConsumerInfo *info = NULL;
    natsStatus status;

    (void)jsConsumerConfig_Init(&config);
    config.Durable = name;
    if (pull->ack_ms > 0) {
        config.DeliverPolicy = js_DeliverAll;
        config.AckPolicy = js_AckExplicit;
        config.AckWait = pull->ack_ms * 1000000;
    } else {
        config.DeliverPolicy = js_DeliverByStartSequence;
        config.OptStartSeq = pull->next;
        config.AckPolicy = js_AckNone;
        config.InactiveThreshold = CONSUMER_LASTS_NS;
    }
    status =
        js_AddConsumer(&info, server_of(pull)->js, pull->stream, &config, NULL, code);
    jsConsumerInfo_Destroy(info);
    return status;
}

static void
prepare_ask(struct pull *pull, const char *name)
{
    const char *domain = pull->link->bridge->config->domain;

    (void)snprintf(pull->ask, sizeof pull->ask, "$JS.%s%sAPI.CONSUMER.MSG.NEXT.%s.%s",
                   domain != NULL ? domain : "", domain != NULL ? "." : "",
                   pull->stream, name);
    pull->asked = 0;
    pull->consumed = 0;
    pull->has_given = false;
    pull->heard_at = local_now_ms();
}

enum begun { BEGUN, BEGUN_IN_VAIN, BEGUN_FAILURE };

/*
 * The consumer is of the stream that was found if that one is still there afterwards. If it was
 * deleted, and made anew, meanwhile, the consumer has begun at another one's message.
 */
static enum begun
check_stream(struct pull *pull, natsStatus status, jsErrCode code)
{
    struct stream_state state;
    struct failure failure;

    if (status != NATS_OK)
        (void)server_explain_stream(&failure, pull->stream, status, code);
    else if (server_stream_state(server_of(pull), pull->stream, NULL, &state, &failure))
        return state.created == pull->created ? BEGUN : BEGUN_IN_VAIN;
    if (failure.status == EXIT_NO_STREAM)
        return BEGUN_IN_VAIN;
    (void)link_fails_by(pull->link, &failure);
    return BEGUN_FAILURE;
}

static enum begun
begin(struct pull *pull)
{
    char name[64] = SHARED_CONSUMER;
    jsErrCode code = 0;
    natsStatus status;
    enum begun begun;

    pull->disconnects = atomic_load(&server_of(pull)->disconnects);
    if (pull->ack_ms == 0)
        (void)snprintf(name, sizeof name, "mmf-%d-%016" PRIx64, (int)getpid(),
                       local_random());
    status = add_consumer(pull, name, &code);
    if (status == NATS_OK)
        status = natsInbox_Create(&pull->inbox);
    if (status == NATS_OK)
        status = natsConnection_SubscribeSync(&pull->subscription,
                                              server_of(pull)->connection, pull->inbox);
    prepare_ask(pull, name);
    begun = check_stream(pull, status, code);
    if (begun != BEGUN)
        pull_end(pull);
    return begun;
}

bool
pull_begin(struct pull *pull)
{
    enum begun begun = pull->created == 0 ? BEGUN_IN_VAIN : begin(pull);

    while (begun == BEGUN_IN_VAIN && link_sleep(pull->link, FIND_PAUSE_MS) &&
           pull->find(pull->owner))
        begun = begin(pull);
    if (begun == BEGUN)
        link_works(pull->link);
    return begun == BEGUN;
}

/* Ask for more before all has come. */
static natsStatus
ask(struct pull *pull)
{
    uint64_t fetch = pull->ack_ms > 0 ? FETCH_SHARED : FETCH;
    char text[64];

    if (pull->asked > fetch / 2)
        return NATS_OK;
    (void)snprintf(text, sizeof text, "{\"batch\":%" PRIu64 ",\"expires\":%d000000}",
                   fetch - pull->asked, ASK_MS);
    pull->asked = fetch;
    return natsConnection_PublishRequestString(server_of(pull)->connection, pull->ask,
                                               pull->inbox, text);
}

/*
 * "$JS.ACK.STREAM.CONSUMER.TIMES.STREAM SEQUENCE.CONSUMER SEQUENCE.TIME.PENDING", since 2.9
 * perhaps with domain and account before the stream.
 */
static bool
read_reply(const char *reply, struct pulled *pulled, uint64_t *of_consumer)
{
    const char *parts[16];
    size_t count = 0, skip;

    for (; reply != NULL && count < sizeof parts / sizeof parts[0]; count++) {
        parts[count] = reply;
        reply = strchr(reply, '.');
        reply = reply != NULL ? reply + 1 : NULL;
    }
    if (count < 9 || strncmp(parts[0], "$JS.ACK.", 8) != 0)
        return false;
    skip = count >= 11 ? 2 : 0;
    pulled->deliveries = strtoull(parts[4 + skip], NULL, 10);
    pulled->sequence = strtoull(parts[5 + skip], NULL, 10);
    *of_consumer = strtoull(parts[6 + skip], NULL, 10);
    return true;
}

/* A request has ended; false: the consumer has. */
static bool
take_status(struct pull *pull, natsMsg *message)
{
    const char *status = "", *pending = NULL;
    uint64_t rest = pull->asked;

    (void)natsMsgHeader_Get(message, "Status", &status);
    if (natsMsgHeader_Get(message, "Nats-Pending-Messages", &pending) == NATS_OK)
        rest = strtoull(pending, NULL, 10);
    pull->asked -= rest < pull->asked ? rest : pull->asked;
    return strcmp(status, "408") == 0 || strcmp(status, "404") == 0;
}

/* False: the consumer has ended, or one of its messages was lost on the way. */
static bool
take(struct pull *pull, struct pulled *pulled, enum pull_status *given)
{
    uint64_t of_consumer = 0;

    if (!read_reply(natsMsg_GetReply(pulled->message), pulled, &of_consumer))
        return take_status(pull, pulled->message);
    if (pull->ack_ms == 0 && of_consumer != pull->consumed + 1)
        return false;
    pull->asked -= pull->asked > 0;
    pull->consumed = of_consumer;
    *given = PULL_MESSAGE;
    return true;
}

enum pull_status
pull_next(struct pull *pull, int64_t wait_ms, struct pulled *pulled)
{
    enum pull_status given = PULL_NOTHING;
    bool goes_on;
    natsStatus status;

    if (pull->disconnects != atomic_load(&server_of(pull)->disconnects))
        pull_end(pull);
    if (pull->subscription == NULL && !pull_begin(pull))
        return PULL_FAILURE;
    if (pull->has_given) /* and it may have taken long to apply */
        pull->heard_at = local_now_ms();
    pull->has_given = false;
    pulled->message = NULL;
    status = ask(pull);
    if (status == NATS_OK)
        status =
            natsSubscription_NextMsg(&pulled->message, pull->subscription, wait_ms);
    if (status != NATS_OK && status != NATS_TIMEOUT) {
        (void)link_fails_on_stream(pull->link, pull->stream, status, 0);
        pull_end(pull);
        return PULL_FAILURE;
    }
    goes_on = status == NATS_OK ? take(pull, pulled, &given)
                                : local_now_ms() - pull->heard_at < SILENCE_MS;
    pull->has_given = status == NATS_OK;
    if (given != PULL_MESSAGE)
        natsMsg_Destroy(pulled->message);
    if (!goes_on)
        pull_end(pull);
    return given;
}
