/*
 * latest.c - a latest value is a key of a bucket of JetStream. The newest value here is put
 * there when the link is free; what was replaced meanwhile is never sent. Of two hosts'
 * values the one that the server put last, with the higher revision, is everywhere.
 */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "envelope.h"
#include "local.h"

#define BUCKET "MMF_latest"
#define STREAM "KV_" BUCKET

/* So often the bucket is asked: it may have been deleted, and a watcher misses its end. */
enum { ASK_MS = 5000 };

struct store {
    jsCtx *js;
    kvStore *bucket; /* NULL: it is to be opened */
    char key[WIRE_NAME_MAX];
    int64_t created; /* when: another one has other revisions */
    int64_t ask_at;
};

static void
close_store(struct store *store)
{
    kvStore_Destroy(store->bucket);
    jsCtx_Destroy(store->js);
    *store = (struct store){.js = NULL};
}

static const char *
domain_of(const struct link *link)
{
    return link->channel->kv_domain != NULL ? link->channel->kv_domain
                                            : link->bridge->config->domain;
}

/* When the bucket was made. What both directions know of another one is void. */
static bool
note_created(struct link *link, struct store *store)
{
    struct pair_value *known = pair_value(link->pair);
    struct stream_state state;
    struct failure failure;

    if (!server_stream_state(&link->bridge->server, STREAM, domain_of(link), &state,
                             &failure))
        return link_fails_by(link, &failure);
    store->created = state.created;
    store->ask_at = local_now_ms() + ASK_MS;
    pair_lock(link->pair);
    if (known->created != state.created)
        known->revision = 0;
    known->created = state.created;
    pair_unlock(link->pair);
    return true;
}

static bool
open_store(struct link *link, struct store *store)
{
    jsOptions options;
    kvConfig config;
    natsStatus status;

    (void)jsOptions_Init(&options);
    options.Domain = domain_of(link);
    (void)kvConfig_Init(&config);
    config.Bucket = BUCKET;
    config.History = 1;
    config.StorageType = link->channel->memory ? js_MemoryStorage : js_FileStorage;
    server_wire_name(store->key, sizeof store->key, link->channel->remote);
    status =
        natsConnection_JetStream(&store->js, link->bridge->server.connection, &options);
    if (status == NATS_OK)
        status = js_KeyValue(&store->bucket, store->js, BUCKET);
    if (status == NATS_NOT_FOUND)
        status = js_CreateKeyValue(&store->bucket, store->js, &config);
    return status == NATS_OK ? note_created(link, store)
                             : link_fails_on_stream(link, STREAM, status, 0);
}

static bool
ask_is_due(const struct store *store)
{
    return local_now_ms() >= store->ask_at;
}

/* The bucket was deleted, and perhaps made anew; false as well if it does not answer. */
static bool
is_gone(struct link *link, struct store *store)
{
    struct stream_state state;
    struct failure failure;
    bool is_there = server_stream_state(&link->bridge->server, STREAM, domain_of(link),
                                        &state, &failure);

    store->ask_at = local_now_ms() + ASK_MS;
    if (is_there ? state.created == store->created : failure.status != EXIT_NO_STREAM)
        return false;
    log_say(LOG_WARNING, link->title, "bucket %s was deleted: it is opened again",
            BUCKET);
    return true;
}

/*
 * Out.
 */

struct out {
    struct link *link;
    mmf_latest *latest;
    mmf_channel_stats stats;
    struct store store;
    struct envelope head;
    struct packer packer;
    uint64_t sent; /* version that was put last, or came in */
};

static bool
came_in(struct out *out, uint64_t version)
{
    bool came;

    pair_lock(out->link->pair);
    came = pair_value(out->link->pair)->version == version;
    pair_unlock(out->link->pair);
    return came;
}

/* Pack the newest value. MMF_TIMED_OUT: it was sent before. */
static int
pack_newest(struct out *out, uint64_t *version)
{
    uint8_t *space;
    size_t length = 0;
    int status = mmf_latest_wait(out->latest, out->sent, LOCAL_WAIT_MS);

    if (status != MMF_OK)
        return status;
    pack_begin(&out->packer, &out->head);
    space = out->packer.bytes + out->packer.length + ENTRY_HEAD;
    status = mmf_latest_receive(out->latest, space, (size_t)out->stats.message_size,
                                &length, version);
    if (status != MMF_OK)
        return status;
    (void)pack_entry(&out->packer, &(struct entry){.bytes = space,
                                                   .length = (uint32_t)length,
                                                   .sequence = *version});
    pack_end(&out->packer, 1);
    return MMF_OK;
}

/* If the bucket is gone, the next step opens another one. */
static bool
put(struct out *out, uint64_t version)
{
    natsStatus status = kvStore_Put(NULL, out->store.bucket, out->store.key,
                                    out->packer.bytes, (int)out->packer.length);

    if (status != NATS_OK && is_gone(out->link, &out->store)) {
        close_store(&out->store);
        return true;
    }
    if (status != NATS_OK)
        return link_fails_on_stream(out->link, STREAM, status, 0);
    if (out->sent != 0 && version > out->sent + 1)
        link_count(out->link, COALESCED, version - out->sent - 1);
    out->sent = version;
    link_count(out->link, MESSAGES, 1);
    link_count(out->link, BYTES, out->packer.length);
    return true;
}

static bool
send_newest(struct out *out)
{
    uint64_t version = 0;
    int status = pack_newest(out, &version);

    if (status < 0)
        return link_fails_locally(out->link, status, "receive");
    if (status != MMF_OK)
        return true;
    if (came_in(out, version)) {
        link_count(out->link, ECHOES, 1);
        out->sent = version;
        return true;
    }
    return put(out, version);
}

/*
 * What this channel had put there before needs not be put again. Both ways, a value of another
 * host is what counts after a restart: the one here may be an older one of that host.
 */
static bool
skip_what_is_there(struct out *out)
{
    kvEntry *value = NULL;
    natsStatus status = kvStore_Get(&value, out->store.bucket, out->store.key);
    struct envelope envelope;
    struct unpacker unpacker;
    struct entry entry = {.sequence = 0};
    size_t ignored;
    int received = MMF_OK;

    out->sent = 0;
    if (status == NATS_OK &&
        unpack_begin(&unpacker, &envelope, kvEntry_Value(value),
                     (size_t)kvEntry_ValueLen(value)) == NULL &&
        unpack_entry(&unpacker, &entry)) {
        if (memcmp(envelope.channel, out->stats.identity, IDENTITY_SIZE) == 0)
            out->sent = entry.sequence;
        else if (out->link->channel->direction == DIRECTION_BOTH)
            received = mmf_latest_receive(out->latest, out->packer.bytes,
                                          out->packer.capacity, &ignored, &out->sent);
    }
    kvEntry_Destroy(value);
    if (received < 0)
        (void)link_fails_locally(out->link, received, "receive");
    if (status != NATS_OK && status != NATS_NOT_FOUND)
        return link_fails_on_stream(out->link, STREAM, status, 0);
    return received >= 0;
}

static bool
begin_store(struct out *out)
{
    return open_store(out->link, &out->store) && skip_what_is_there(out);
}

/* The channel stays open, also if the bucket is another one: its value is put there. */
static bool
step_out(void *state)
{
    struct out *out = state;

    if (ask_is_due(&out->store) && is_gone(out->link, &out->store))
        close_store(&out->store);
    if (out->store.bucket == NULL && !begin_store(out))
        return false;
    return send_newest(out);
}

static bool
begin_out(void *state, struct link *link)
{
    struct out *out = state;

    out->link = link;
    if (!local_open_latest(link, MMF_ROLE_RECEIVE, &out->latest))
        return false;
    if (mmf_latest_stat(out->latest, &out->stats) < 0)
        return link_fails_locally(out->link, MMF_E_IO, "counters");
    out->head = (struct envelope){.kind = MMF_KIND_LATEST,
                                  .message_size = (uint32_t)out->stats.message_size,
                                  .source = local_random(),
                                  .first = 1};
    memcpy(out->head.channel, out->stats.identity, IDENTITY_SIZE);
    (void)snprintf(out->head.origin, sizeof out->head.origin, "%s",
                   out->link->bridge->config->origin);
    out->packer.capacity =
        envelope_size(&out->head) + ENTRY_HEAD + (size_t)out->stats.message_size;
    out->packer.bytes = malloc(out->packer.capacity);
    if (out->packer.bytes == NULL)
        return link_fails(out->link, EXIT_FAILED, "there is no memory for its value");
    return begin_store(out);
}

static void
end_out(void *state)
{
    struct out *out = state;

    close_store(&out->store);
    mmf_latest_close(out->latest);
    free(out->packer.bytes);
}

const struct link_work latest_out = {sizeof(struct out), begin_out, step_out, end_out};

/*
 * In.
 */

struct in {
    struct link *link;
    mmf_latest *latest;
    mmf_channel_stats stats;
    struct store store;
    kvWatcher *watcher;
    uint64_t disconnects;
};

/*
 * Our own value has come back. It is to be here as well, unless a value of another host
 * with a lower revision has replaced it here meanwhile.
 */
static bool
is_here(struct in *in, const struct envelope *envelope, const struct entry *entry)
{
    return memcmp(envelope->channel, in->stats.identity, IDENTITY_SIZE) == 0 &&
           pair_value(in->link->pair)->version < entry->sequence;
}

static bool
send_value(struct in *in, const struct envelope *envelope, const struct entry *entry,
           uint64_t revision)
{
    struct pair_value *known = pair_value(in->link->pair);
    bool is_own = is_here(in, envelope, entry);
    uint64_t version = 0;
    int status = MMF_OK;

    if (!is_own)
        status = mmf_latest_send(in->latest, entry->bytes, entry->length, &version);
    if (status == MMF_OK) {
        known->revision = revision;
        known->version = is_own ? known->version : version;
    }
    if (status == MMF_OK)
        link_count(in->link, is_own ? ECHOES : MESSAGES, 1);
    return status == MMF_OK;
}

static bool
is_too_long(struct in *in, const struct envelope *envelope, const struct entry *entry)
{
    if ((int64_t)entry->length <= in->stats.message_size)
        return false;
    link_count(in->link, PARKED, 1);
    log_say(
        LOG_WARNING, in->link->title,
        "a value of %s has %u bytes, and the channel takes %lld: it stays in bucket "
        "%s",
        envelope->origin, entry->length, (long long)in->stats.message_size, BUCKET);
    return true;
}

static bool
apply(struct in *in, kvEntry *value)
{
    struct envelope envelope;
    struct unpacker unpacker;
    struct entry entry;
    uint64_t revision = kvEntry_Revision(value);
    bool is_sent = true;
    const char *wrong;

    if (kvEntry_Operation(value) != kvOp_Put)
        return true;
    wrong = unpack_begin(&unpacker, &envelope, kvEntry_Value(value),
                         (size_t)kvEntry_ValueLen(value));
    if (wrong == NULL && envelope.kind != MMF_KIND_LATEST)
        wrong = "it is not of a latest value";
    if (wrong != NULL || !unpack_entry(&unpacker, &entry))
        return link_fails(in->link, EXIT_FAILED, "value %s of bucket %s: %s",
                          in->store.key, BUCKET, wrong != NULL ? wrong : "it is empty");
    if (is_too_long(in, &envelope, &entry))
        return true;
    pair_lock(in->link->pair);
    if (in->store.created == pair_value(in->link->pair)->created &&
        revision > pair_value(in->link->pair)->revision)
        is_sent = send_value(in, &envelope, &entry, revision);
    pair_unlock(in->link->pair);
    link_count(in->link, BYTES, (uint64_t)kvEntry_ValueLen(value));
    return is_sent || link_fails_locally(in->link, MMF_E_BUSY, "send");
}

/* What the bucket has: the watcher may have ended. */
static bool
ask(struct in *in)
{
    kvEntry *value = NULL;
    natsStatus status = kvStore_Get(&value, in->store.bucket, in->store.key);
    bool is_applied =
        status == NATS_NOT_FOUND ||
        (status == NATS_OK ? apply(in, value)
                           : link_fails_on_stream(in->link, STREAM, status, 0));

    kvEntry_Destroy(value);
    return is_applied;
}

static bool
watch(struct in *in)
{
    natsStatus status;

    in->disconnects = atomic_load(&in->link->bridge->server.disconnects);
    if (!open_store(in->link, &in->store))
        return false;
    status = kvStore_Watch(&in->watcher, in->store.bucket, in->store.key, NULL);
    if (status != NATS_OK)
        return link_fails_on_stream(in->link, STREAM, status, 0);
    link_works(in->link);
    return true;
}

static void
end_watch(struct in *in)
{
    kvWatcher_Destroy(in->watcher);
    in->watcher = NULL;
    close_store(&in->store);
}

static bool
hear(struct in *in)
{
    kvEntry *value = NULL;
    natsStatus status = kvWatcher_Next(&value, in->watcher, LOCAL_WAIT_MS);
    bool is_applied = true;

    if (status == NATS_OK && value != NULL)
        is_applied = apply(in, value);
    kvEntry_Destroy(value);
    if (status != NATS_OK && status != NATS_TIMEOUT)
        return link_fails_on_stream(in->link, STREAM, status, 0);
    return is_applied;
}

/* The channel stays open, whatever happens to the bucket. */
static bool
step_in(void *state)
{
    struct in *in = state;
    bool is_due = ask_is_due(&in->store);

    if (in->disconnects != atomic_load(&in->link->bridge->server.disconnects) ||
        (is_due && is_gone(in->link, &in->store)))
        end_watch(in);
    else if (is_due && !ask(in))
        return false;
    return in->watcher != NULL ? hear(in) : watch(in);
}

static bool
begin_in(void *state, struct link *link)
{
    struct in *in = state;

    in->link = link;
    if (!local_open_latest(link, MMF_ROLE_SEND, &in->latest))
        return false;
    if (mmf_latest_stat(in->latest, &in->stats) >= 0)
        return watch(in);
    return link_fails_locally(in->link, MMF_E_IO, "counters");
}

static void
end_in(void *state)
{
    struct in *in = state;

    end_watch(in);
    mmf_latest_close(in->latest);
}

const struct link_work latest_in = {sizeof(struct in), begin_in, step_in, end_in};
