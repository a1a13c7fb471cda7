/*
 * mirror.c - making a mirror. A mirror that nats-server 2.9.10 makes while the one of the same
 * name is being deleted may be empty and past all messages, or gone at once: the deletion
 * empties, and removes, the directory that both have. And a bridge that is late must not
 * delete what another one has just made. So the bridge that deletes or makes one has its turn,
 * and inspects what is there when it has it.
 *
 *   killed                           then the turn ends
 *   with the turn                    by itself, after TURN_MS
 *
 * A turn is a message of a stream that takes one for each mirror, published on condition that
 * its subject has no message. Stream and subject name the domain: servers of other domains
 * that are connected have turns of their own.
 */
#include "mirror.h"

#include <stdio.h>

#include "local.h"

enum { TURN_MS = 15000, TURNS_BYTES = 1 << 20, PAUSE_MS = 20, PAUSE_SPREAD_MS = 40 };

struct making {
    struct link *link;
    const char *stream;
    int64_t unwanted; /* when the one was made that is to be replaced; 0: none */
    int64_t *created;
    char domain[WIRE_NAME_MAX];
    char turns[WIRE_NAME_MAX + 16]; /* their stream */
    uint64_t turn;                  /* sequence of its message */
};

static struct server *
server_of(const struct making *making)
{
    return &making->link->bridge->server;
}

/*
 * The turn.
 */

enum turn { TURN_TAKEN, TURN_OF_ANOTHER, TURN_UNKNOWN };

/* A domain's name is never "=" on the wire: this is for none. */
static bool
name_turns(struct making *making)
{
    jsAccountInfo *info = NULL;
    jsErrCode code = 0;
    struct failure failure;
    natsStatus status = js_GetAccountInfo(&info, server_of(making)->js, NULL, &code);

    if (status != NATS_OK) {
        server_explain(&failure, "JetStream", status, code);
        return link_fails_by(making->link, &failure);
    }
    server_wire_name(making->domain, sizeof making->domain,
                     info->Domain != NULL ? info->Domain : "");
    jsAccountInfo_Destroy(info);
    if (making->domain[0] == '\0')
        making->domain[0] = '=';
    (void)snprintf(making->turns, sizeof making->turns, "MMF-turns_%s", making->domain);
    return true;
}

/* Needs the stream of turns. */
static enum turn
publish_turn(struct making *making, const char *subject)
{
    jsPubOptions options;
    jsPubAck *ack = NULL;
    jsErrCode code = 0;
    struct failure failure;
    natsStatus status;

    (void)jsPubOptions_Init(&options);
    options.ExpectNoMessage = true;
    status = js_Publish(&ack, server_of(making)->js, subject, "", 0, &options, &code);
    if (status == NATS_OK) {
        making->turn = ack->Sequence;
        jsPubAck_Destroy(ack);
        return TURN_TAKEN;
    }
    if (code == JSStreamWrongLastSequenceErr)
        return TURN_OF_ANOTHER;
    (void)server_explain_stream(&failure, making->turns, status, code);
    (void)link_fails_by(making->link, &failure);
    return TURN_UNKNOWN;
}

static enum turn
take_turn(struct making *making)
{
    char all[WIRE_NAME_MAX + 32], subject[3 * WIRE_NAME_MAX + 48];
    struct stream_wish wish = {.name = making->turns,
                               .subject = all,
                               .bytes = TURNS_BYTES,
                               .age_ms = TURN_MS,
                               .per_subject = 1,
                               .in_memory = making->link->channel->memory != 0,
                               .discard_old = true};
    struct failure failure;

    if (!name_turns(making))
        return TURN_UNKNOWN;
    (void)snprintf(all, sizeof all, "mmf.turn.%s.>", making->domain);
    (void)snprintf(subject, sizeof subject, "mmf.turn.%s.%s", making->domain,
                   making->stream);
    if (server_make_stream(server_of(making), &wish, &failure))
        return publish_turn(making, subject);
    (void)link_fails_by(making->link, &failure);
    return TURN_UNKNOWN;
}

static void
end_turn(const struct making *making)
{
    server_delete_message(server_of(making), making->turns, making->turn);
}

/*
 * Making.
 */

enum found { FOUND_GOOD, FOUND_UNWANTED, FOUND_NONE, FOUND_UNKNOWN };

static enum found
find(const struct making *making)
{
    struct stream_state state;
    struct failure failure;

    if (!server_stream_state(server_of(making), making->stream, NULL, &state,
                             &failure)) {
        if (failure.status == EXIT_NO_STREAM)
            return FOUND_NONE;
        (void)link_fails_by(making->link, &failure);
        return FOUND_UNKNOWN;
    }
    if (state.created == making->unwanted)
        return FOUND_UNWANTED;
    *making->created = state.created;
    return FOUND_GOOD;
}

/* What is there may be another one than before the turn. */
static bool
make_in_turn(const struct making *making)
{
    const struct channel_config *channel = making->link->channel;
    struct stream_wish wish = {.name = making->stream,
                               .in_memory = channel->memory != 0};
    enum found found = find(making);
    struct failure failure;

    if (found == FOUND_GOOD || found == FOUND_UNKNOWN)
        return found == FOUND_GOOD;
    if (found == FOUND_UNWANTED &&
        !server_delete_stream(server_of(making), making->stream, &failure))
        return link_fails_by(making->link, &failure);
    if (!server_make_mirror(server_of(making), &wish, channel->mirror_domain, &failure))
        return link_fails_by(making->link, &failure);
    found = find(making);
    if (found == FOUND_NONE || found == FOUND_UNWANTED)
        (void)link_fails(
            making->link, EXIT_NO_STREAM,
            "mirror of stream %s in domain %s: it was made, and is not there",
            making->stream, channel->mirror_domain);
    return found == FOUND_GOOD;
}

static bool
make(struct making *making)
{
    for (;;) {
        enum found found = find(making);
        enum turn turn;
        bool is_made;

        if (found == FOUND_GOOD || found == FOUND_UNKNOWN)
            return found == FOUND_GOOD;
        turn = take_turn(making);
        if (turn == TURN_UNKNOWN)
            return false;
        if (turn == TURN_TAKEN) {
            is_made = make_in_turn(making);
            end_turn(making);
            return is_made;
        }
        if (!link_sleep(making->link,
                        PAUSE_MS + (int64_t)(local_random() % PAUSE_SPREAD_MS)))
            return false;
    }
}

bool
mirror_make(struct link *link, const char *stream, int64_t *created)
{
    struct making making = {.link = link, .stream = stream, .created = created};

    return make(&making);
}

bool
mirror_make_again(struct link *link, const char *stream, int64_t *created)
{
    struct making making = {
        .link = link, .stream = stream, .unwanted = *created, .created = created};

    return make(&making);
}
