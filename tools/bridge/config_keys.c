/* config_keys.c - the keys of the configuration, for the file, the arguments and the help. */
#include "config_reader.h"

#include <string.h>

static const struct choice booleans[] = {{"yes", 1}, {"no", 0}, {NULL, 0}};
static const struct choice formats[] = {{"plain", 0}, {"json", 1}, {NULL, 0}};
static const struct choice levels[] = {{"error", LOG_ERROR},
                                       {"warning", LOG_WARNING},
                                       {"info", LOG_INFO},
                                       {"debug", LOG_DEBUG},
                                       {NULL, 0}};
static const struct choice directions[] = {
    {"out", DIRECTION_OUT}, {"in", DIRECTION_IN}, {"both", DIRECTION_BOTH}, {NULL, 0}};
static const struct choice overflows[] = {{"block", MMF_OVERFLOW_BLOCK},
                                          {"fail", MMF_OVERFLOW_FAIL},
                                          {"drop-oldest", MMF_OVERFLOW_DROP_OLDEST},
                                          {NULL, 0}};
static const struct choice replays[] = {{"new", 0}, {"all", REPLAY_ALL}, {NULL, 0}};
static const struct choice storages[] = {{"file", 0}, {"memory", 1}, {NULL, 0}};

/* Which kinds of channel a key is for: bits of mmf_kind; 0: the bridge or the server. */
#define QUEUE (UINT64_C(1) << MMF_KIND_QUEUE)
#define TOPIC (UINT64_C(1) << MMF_KIND_TOPIC)
#define LATEST (UINT64_C(1) << MMF_KIND_LATEST)
#define SERVICE (UINT64_C(1) << MMF_KIND_SERVICE)
#define ALL (QUEUE | TOPIC | LATEST | SERVICE)

#define MOST_BYTES ((int64_t)1 << 40)
#define MOST_MS ((int64_t)1000 * 60 * 60 * 24)
#define MOST_AGE_MS (MOST_MS * 366)
#define AT(field) (uint32_t) offsetof(struct config, field)
#define OF(field) (uint32_t) offsetof(struct channel_config, field)

const struct key config_keys[] = {
    {"bridge", "origin", TEXT, AT(origin), 0, NULL, 0, 0,
     "name of this host among the bridges; default: the host's name"},
    {"bridge", "log", CHOICE, AT(log_json), 0, formats, 0, 0, "plain or json"},
    {"bridge", "log-level", CHOICE, AT(log_level), 0, levels, 0, 0,
     "error, warning, info or debug"},
    {"bridge", "metrics", FILE_NAME, AT(metrics), 0, NULL, 0, 0,
     "file for OpenMetrics text, replaced in one step"},
    {"bridge", "metrics-every", DURATION, AT(metrics_ms), 0, NULL, 100, MOST_MS,
     "how often; default 10s"},
    {"server", "server", TEXT, AT(server), 0, NULL, 0, 0,
     "address, or several: nats://HOST:PORT,..."},
    {"server", "credentials", FILE_NAME, AT(credentials), 0, NULL, 0, 0,
     "file of NATS credentials (.creds)"},
    {"server", "user", TEXT, AT(user), 0, NULL, 0, 0, "user's name"},
    {"server", "password-file", FILE_NAME, AT(password_file), 0, NULL, 0, 0,
     "file with the user's password"},
    {"server", "token-file", FILE_NAME, AT(token_file), 0, NULL, 0, 0,
     "file with a token"},
    {"server", "tls", CHOICE, AT(tls), 0, booleans, 0, 0, "yes: only with TLS"},
    {"server", "tls-ca", FILE_NAME, AT(tls_ca), 0, NULL, 0, 0,
     "certificates of authorities to trust; default: the system's"},
    {"server", "tls-cert", FILE_NAME, AT(tls_cert), 0, NULL, 0, 0,
     "certificate of this client"},
    {"server", "tls-key", FILE_NAME, AT(tls_key), 0, NULL, 0, 0, "its private key"},
    {"server", "domain", TEXT, AT(domain), 0, NULL, 0, 0,
     "JetStream domain; default: the server's own"},
    {"server", "wait", DURATION, AT(wait_ms), 0, NULL, 0, MOST_MS,
     "at the start, for server, streams and channels; default: forever"},
    {"server", "ack-wait", DURATION, AT(ack_ms), 0, NULL, 10, MOST_MS,
     "after which a publish is repeated; default 5s"},
    {NULL, "direction", CHOICE, OF(direction), ALL, directions, 0, 0,
     "out (to other hosts), in, or both (topic, latest)"},
    {NULL, "channel", TEXT, OF(channel), ALL, NULL, 0, 0,
     "local name; default: the section's"},
    {NULL, "remote", TEXT, OF(remote), ALL, NULL, 0, 0,
     "name that both sides agree on; default: the local one"},
    {NULL, "message-size", SIZE, OF(message_size), ALL, NULL, 1, MOST_BYTES,
     "create the channel, for messages of so many bytes"},
    {NULL, "answer-size", SIZE, OF(answer_size), SERVICE, NULL, 1, MOST_BYTES,
     "create the service, with answers of up to so many bytes"},
    {NULL, "timeout", DURATION, OF(timeout_ms), SERVICE, NULL, 1, MOST_MS,
     "in: how long an answer may take; default 30s"},
    {NULL, "workers", COUNT, OF(workers), SERVICE, NULL, 1, 64,
     "requests at one time; default 4"},
    {NULL, "capacity", COUNT, OF(capacity), QUEUE | TOPIC | SERVICE, NULL, 1, 1 << 30,
     "create the channel, with so many slots"},
    {NULL, "overflow", CHOICE, OF(overflow), QUEUE | TOPIC, overflows, 0, 0,
     "create: block, fail or drop-oldest"},
    {NULL, "spsc", CHOICE, OF(spsc), QUEUE, booleans, 0, 0,
     "create: for one producer and one consumer"},
    {NULL, "batch", COUNT, OF(batch), QUEUE | TOPIC, NULL, 1, 65536,
     "messages in one message of NATS, at most; default 1024"},
    {NULL, "stored", CHOICE, OF(stored), TOPIC, booleans, 0, 0,
     "yes: the server keeps the messages"},
    {NULL, "stream-age", DURATION, OF(stream_age_ms), TOPIC, NULL, 1000, MOST_AGE_MS,
     "stored, out: after which messages are dropped; default: never"},
    {NULL, "replay", COUNT, OF(replay), TOPIC, replays, 1, 10000,
     "stored, in, at the first time: all, new (default) or so many older messages"},
    {NULL, "stream-bytes", SIZE, OF(stream_bytes), QUEUE | TOPIC, NULL, 65536,
     MOST_BYTES, "limit of the stream; default 512M"},
    {NULL, "storage", CHOICE, OF(memory), QUEUE | TOPIC | LATEST, storages, 0, 0,
     "where the server keeps the stream: file or memory"},
    {NULL, "from", TEXT, OF(from), QUEUE, NULL, 0, 0,
     "in: whose messages, as names of origins: a, b"},
    {NULL, "shared", CHOICE, OF(shared), QUEUE, booleans, 0, 0,
     "in: yes: each message goes to one of the machines that say so"},
    {NULL, "take-over", DURATION, OF(take_over_ms), QUEUE, NULL, 2000, MOST_MS,
     "shared: after which another machine gets what a silent one had; default 30s"},
    {NULL, "mirror-domain", TEXT, OF(mirror_domain), QUEUE, NULL, 0, 0,
     "in: make a mirror of the stream in that JetStream domain"},
    {NULL, "kv-domain", TEXT, OF(kv_domain), LATEST, NULL, 0, 0,
     "JetStream domain that has the value; default: that of [server]"},
    {NULL, NULL, TEXT, 0, 0, NULL, 0, 0, NULL},
};

const struct choice config_kinds[] = {{"queue", MMF_KIND_QUEUE},
                                      {"topic", MMF_KIND_TOPIC},
                                      {"latest", MMF_KIND_LATEST},
                                      {"service", MMF_KIND_SERVICE},
                                      {NULL, 0}};

void
config_print_keys(void)
{
    const char *section = "";

    for (const struct key *key = config_keys; key->name != NULL; key++) {
        const char *of = key->section != NULL ? key->section : "KIND NAME";

        if (strcmp(section, of) != 0)
            printf("\n[%s]\n", of);
        section = of;
        printf("  %-14s  %s\n", key->name, key->help);
    }
}

const char *
config_direction(int64_t direction)
{
    for (const struct choice *choice = directions; choice->name != NULL; choice++)
        if (choice->value == direction)
            return choice->name;
    return "";
}
