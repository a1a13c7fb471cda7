/* config_check.c - what hangs together in the configuration. */
#include "config_reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "envelope.h"

static void
check_file(struct reader *reader, const struct key *key, const char *path)
{
    if (path != NULL && strcmp(key->name, "metrics") != 0 && access(path, R_OK) != 0)
        config_complain(reader, 0, "%s: \"%s\" cannot be read: %s", key->name, path,
                        strerror(errno));
}

static void
check_server(struct reader *reader)
{
    struct config *config = reader->config;

    for (const struct key *key = config_keys; key->name != NULL; key++)
        if (key->type == FILE_NAME && key->section != NULL)
            check_file(reader, key, *(char **)((char *)config + key->offset));
    if (config->server == NULL)
        config_complain(reader, 0, "no server is given; set \"server\" in [server]");
    if ((config->tls_cert == NULL) != (config->tls_key == NULL))
        config_complain(reader, 0, "tls-cert and tls-key are needed together");
    if ((config->user == NULL) != (config->password_file == NULL))
        config_complain(reader, 0, "user and password-file are needed together");
    if ((config->credentials != NULL) + (config->user != NULL) +
            (config->token_file != NULL) >
        1)
        config_complain(reader, 0,
                        "only one of credentials, user and token-file can be used");
    if (config->origin != NULL && strlen(config->origin) > ORIGIN_MAX)
        config_complain(reader, 0, "origin: it has %zu bytes; at most %d are possible",
                        strlen(config->origin), ORIGIN_MAX);
}

static void
check_direction(struct reader *reader, const struct channel_config *channel)
{
    if (channel->direction == 0)
        config_complain(reader, channel->line,
                        "[%s] has no direction; set \"direction\" to out or in",
                        channel->title);
    if (channel->direction == DIRECTION_BOTH &&
        (channel->kind == MMF_KIND_QUEUE || channel->kind == MMF_KIND_SERVICE))
        config_complain(
            reader, channel->line,
            "[%s]: a %s goes one way, since each message has one receiver; use two",
            channel->title, mmf_kind_name(channel->kind));
    if (channel->mirror_domain != NULL && channel->direction == DIRECTION_OUT)
        config_complain(reader, channel->line,
                        "[%s]: mirror-domain is for the direction in", channel->title);
}

/* Each origin is a sender of its own, and none is this host. */
static void
check_origins(struct reader *reader, const struct channel_config *channel)
{
    const char *rest = channel->from;
    char origin[INI_MAX_LINE];
    int count = 0;

    while (config_next_origin(&rest, origin, sizeof origin)) {
        if (strlen(origin) > ORIGIN_MAX)
            config_complain(
                reader, channel->line,
                "[%s]: the origin \"%s\" has %zu bytes; at most %d are possible",
                channel->title, origin, strlen(origin), ORIGIN_MAX);
        if (strcmp(origin, reader->config->origin) == 0)
            config_complain(
                reader, channel->line,
                "[%s]: this host is the origin \"%s\": messages would go around in "
                "a circle; set \"origin\" in [bridge]",
                channel->title, origin);
        count++;
    }
    if (count == 0)
        config_complain(reader, channel->line, "[%s]: from names no origin",
                        channel->title);
    if (channel->spsc && count > 1)
        config_complain(reader, channel->line,
                        "[%s]: %d origins are as many producers, and spsc has one",
                        channel->title, count);
}

static void
check_from(struct reader *reader, const struct channel_config *channel)
{
    if (channel->kind != MMF_KIND_QUEUE || channel->direction == 0)
        return;
    if (channel->direction == DIRECTION_OUT && channel->from != NULL)
        config_complain(reader, channel->line, "[%s]: from is for the direction in",
                        channel->title);
    else if (channel->direction == DIRECTION_IN && channel->from == NULL)
        config_complain(
            reader, channel->line,
            "[%s] has no from; set \"from\" to the origins whose messages come",
            channel->title);
    else if (channel->from != NULL)
        check_origins(reader, channel);
}

/* The machines divide the stream itself; each site's mirror has all of it. */
static void
check_shared(struct reader *reader, const struct channel_config *channel)
{
    if (channel->shared && channel->direction == DIRECTION_OUT)
        config_complain(reader, channel->line, "[%s]: shared is for the direction in",
                        channel->title);
    if (channel->shared && channel->mirror_domain != NULL)
        config_complain(
            reader, channel->line,
            "[%s]: shared and mirror-domain exclude each other: every mirror has "
            "all messages",
            channel->title);
    if (!channel->shared && channel->take_over_ms != 0)
        config_complain(
            reader, channel->line,
            "[%s]: take-over is of a shared queue; set \"shared = yes\", too",
            channel->title);
}

static bool
has_set(const struct reader *reader, const struct channel_config *channel,
        const char *name)
{
    for (size_t i = 0; i < reader->set_count; i++)
        if (reader->set[i].owner == channel &&
            strcmp(reader->set[i].key->name, name) == 0)
            return true;
    return false;
}

/* What is of a stored topic alone. */
static void
check_stored(struct reader *reader, const struct channel_config *channel)
{
    static const char *const names[] = {"stream-age", "replay", "stream-bytes",
                                        "storage"};

    if (channel->kind != MMF_KIND_TOPIC)
        return;
    for (size_t i = 0; !channel->stored && i < sizeof names / sizeof names[0]; i++)
        if (has_set(reader, channel, names[i]))
            config_complain(reader, channel->line,
                            "[%s]: %s is of a stored topic; set \"stored = yes\", too",
                            channel->title, names[i]);
    if (channel->stored && channel->direction == DIRECTION_OUT && channel->replay != 0)
        config_complain(reader, channel->line, "[%s]: replay is for the direction in",
                        channel->title);
}

static void
check_sizes(struct reader *reader, const struct channel_config *channel)
{
    bool is_sized = channel->message_size > 0;
    bool has_slots = channel->kind != MMF_KIND_LATEST;

    if (has_slots && is_sized != (channel->capacity > 0))
        config_complain(reader, channel->line,
                        "[%s]: message-size and capacity are needed together",
                        channel->title);
    if (channel->kind == MMF_KIND_SERVICE && is_sized != (channel->answer_size > 0))
        config_complain(reader, channel->line,
                        "[%s]: message-size and answer-size are needed together",
                        channel->title);
    if (!is_sized && (channel->overflow != 0 || channel->spsc))
        config_complain(
            reader, channel->line,
            "[%s]: overflow and spsc are of a channel that the bridge creates; set "
            "message-size and capacity, too",
            channel->title);
}

/* Two sections for one channel would pass messages around in a circle. */
static void
check_pair(struct reader *reader, const struct channel_config *one,
           const struct channel_config *other)
{
    if (one->kind != other->kind)
        return;
    if (strcmp(one->channel, other->channel) == 0)
        config_complain(
            reader, other->line,
            "[%s] has the same local channel as [%s] in line %d: messages would go "
            "around in a circle%s",
            other->title, one->title, one->line,
            one->kind == MMF_KIND_QUEUE || one->kind == MMF_KIND_SERVICE
                ? ""
                : "; use one section with \"direction = both\"");
    else if (strcmp(one->remote, other->remote) == 0)
        config_complain(reader, other->line,
                        "[%s] has the same remote name as [%s] in line %d",
                        other->title, one->title, one->line);
}

static void
check_channels(struct reader *reader)
{
    struct config *config = reader->config;

    if (config->count == 0)
        config_complain(reader, 0,
                        "no channel is given; add a section like [queue NAME]");
    for (size_t i = 0; i < config->count; i++) {
        struct channel_config *channel = config->channels[i];

        reader->where = channel->where;
        if (channel->remote == NULL)
            channel->remote = strdup(channel->channel);
        if (channel->remote == NULL) {
            reader->out_of_memory = true;
            return;
        }
        check_direction(reader, channel);
        check_from(reader, channel);
        check_shared(reader, channel);
        check_stored(reader, channel);
        check_sizes(reader, channel);
        for (size_t j = 0; j < i; j++)
            check_pair(reader, config->channels[j], channel);
    }
}

void
config_check(struct reader *reader)
{
    check_server(reader);
    check_channels(reader);
}
