/*
 * topic_out.c - a subscriber of the topic here packs what it sees into messages of NATS, which
 * are stored if the topic is. The messages of one process are numbered, so the other side
 * counts what did not come.
 */
#include "link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "local.h"

enum { PACK_BYTES = 256 << 10, REPEAT_PAUSE_MS = 20 };

struct out {
    struct link *link;
    mmf_topic *topic;
    mmf_channel_stats stats;
    struct envelope head;
    struct packer packer;
    uint32_t packed;
    struct stream_names names;
};

static bool
prepare_stream(struct out *out)
{
    const struct channel_config *channel = out->link->channel;
    struct stream_wish wish = {.name = out->names.stream,
                               .subject = out->names.subject,
                               .bytes = channel->stream_bytes,
                               .age_ms = channel->stream_age_ms,
                               .in_memory = channel->memory != 0,
                               .discard_old = true};
    struct failure failure;

    if (!channel->stored ||
        server_make_stream(&out->link->bridge->server, &wish, &failure))
        return true;
    return link_fails_by(out->link, &failure);
}

/*
 * Until the server has stored it, whatever happens to the server meanwhile; a repeated one
 * has the same numbers, and is dropped. What the topic cannot keep for so long it counts as
 * lost.
 */
static bool
store(struct out *out)
{
    struct server *server = &out->link->bridge->server;
    jsPubOptions options;
    jsErrCode code = 0;

    (void)jsPubOptions_Init(&options);
    options.MaxWait = out->link->bridge->config->ack_ms;
    for (;;) {
        natsStatus status =
            js_Publish(NULL, server->js, out->names.subject, out->packer.bytes,
                       (int)out->packer.length, &options, &code);

        if (status == NATS_OK) {
            link_works(out->link);
            return true;
        }
        link_count(out->link, REPEATED, 1);
        (void)link_fails_on_stream(out->link, out->names.stream, status, code);
        if (!server_is_worth_repeating(status))
            (void)prepare_stream(out);
        if (!link_sleep(out->link, REPEAT_PAUSE_MS))
            return false;
    }
}

static bool
publish_live(struct out *out)
{
    natsStatus status =
        natsConnection_Publish(out->link->bridge->server.connection, out->names.subject,
                               out->packer.bytes, (int)out->packer.length);

    if (status == NATS_OK)
        return true;
    return link_fails_on(out->link, "publish", status);
}

static bool
publish(struct out *out)
{
    bool is_published;

    pack_end(&out->packer, out->packed);
    is_published = out->link->channel->stored ? store(out) : publish_live(out);
    out->head.first +=
        out->packed; /* also if they are lost: then the others see a gap */
    if (!is_published) {
        link_count(out->link, LOST, out->packed);
        return false;
    }
    link_count(out->link, MESSAGES, out->packed);
    link_count(out->link, BATCHES, 1);
    link_count(out->link, BYTES, out->packer.length);
    return true;
}

/* Take the next message into the packer. The status of the receive. */
static int
pack_next(struct out *out, int32_t timeout_ms)
{
    uint8_t *space = out->packer.bytes + out->packer.length + ENTRY_HEAD;
    mmf_message message;
    size_t length = 0;
    int status = mmf_topic_receive(out->topic, space, (size_t)out->stats.message_size,
                                   timeout_ms, &length, &message);

    if (status != MMF_OK)
        return status;
    link_count(out->link, LOST, message.lost);
    if (pair_is_echo(out->link->pair, message.sequence)) {
        link_count(out->link, ECHOES, 1);
        return MMF_OK;
    }
    (void)pack_entry(&out->packer, &(struct entry){.bytes = space,
                                                   .length = (uint32_t)length,
                                                   .lost = message.lost < UINT32_MAX
                                                               ? (uint32_t)message.lost
                                                               : UINT32_MAX,
                                                   .sequence = message.sequence});
    out->packed++;
    return MMF_OK;
}

static bool
has_space(const struct out *out)
{
    return out->packed < (uint32_t)out->link->channel->batch &&
           out->packer.capacity - out->packer.length >=
               ENTRY_HEAD + (size_t)out->stats.message_size;
}

static bool
step(void *state)
{
    struct out *out = state;
    int status;

    pack_begin(&out->packer, &out->head);
    out->packed = 0;
    status = pack_next(out, LOCAL_WAIT_MS);
    while (status == MMF_OK && has_space(out))
        status = pack_next(out, 0);
    if (out->packed > 0 && !publish(out))
        return false;
    return status >= 0 || link_fails_locally(out->link, status, "receive");
}

static bool
begin(void *state, struct link *link)
{
    struct out *out = state;
    int64_t most = natsConnection_GetMaxPayload(link->bridge->server.connection);

    out->link = link;
    if (!local_open_topic(link, MMF_ROLE_RECEIVE, &out->topic))
        return false;
    if (mmf_topic_stat(out->topic, &out->stats) < 0)
        return link_fails_locally(out->link, MMF_E_IO, "counters");
    out->head = (struct envelope){.kind = MMF_KIND_TOPIC,
                                  .message_size = (uint32_t)out->stats.message_size,
                                  .source = local_random(),
                                  .first = 1};
    memcpy(out->head.channel, out->stats.identity, IDENTITY_SIZE);
    (void)snprintf(out->head.origin, sizeof out->head.origin, "%s",
                   out->link->bridge->config->origin);
    server_name_topic(&out->names, out->link->channel->remote);
    out->packer.capacity = envelope_size(&out->head) + ENTRY_HEAD +
                           (size_t)out->stats.message_size + PACK_BYTES;
    if (most > 0 && out->packer.capacity > (size_t)most)
        out->packer.capacity = (size_t)most;
    if (out->packer.capacity <
        envelope_size(&out->head) + ENTRY_HEAD + (size_t)out->stats.message_size)
        return link_fails(
            out->link, EXIT_CHANNEL,
            "messages of up to %lld bytes do not fit the server's max_payload "
            "of %lld: raise it",
            (long long)out->stats.message_size, (long long)most);
    out->packer.bytes = malloc(out->packer.capacity);
    if (out->packer.bytes == NULL)
        return link_fails(out->link, EXIT_FAILED,
                          "there is no memory for its messages");
    return prepare_stream(out);
}

static void
end(void *state)
{
    struct out *out = state;

    mmf_topic_close(out->topic);
    free(out->packer.bytes);
}

const struct link_work topic_out = {sizeof(struct out), begin, step, end};
