/*
 * config.c - reads the configuration. The keys are one table, for the file and for the
 * arguments; what is wrong is said with its place, all of it at once.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ini.h>

#include "envelope.h"
#include "log.h"

enum type { TEXT, FILE_NAME, SIZE, COUNT, DURATION, CHOICE };

struct choice {
    const char *name;
    int64_t value;
};

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

struct key {
    const char *section; /* "bridge", "server"; NULL: a channel */
    const char *name;
    enum type type;
    uint32_t offset; /* in the struct of its section */
    uint64_t kinds;
    const struct choice *choices;
    int64_t least, most;
    const char *help;
};

#define MOST_BYTES ((int64_t)1 << 40)
#define MOST_MS ((int64_t)1000 * 60 * 60 * 24)
#define MOST_AGE_MS (MOST_MS * 366)
#define AT(field) (uint32_t) offsetof(struct config, field)
#define OF(field) (uint32_t) offsetof(struct channel_config, field)

static const struct key keys[] = {
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
};

enum { KEYS = sizeof keys / sizeof keys[0] };

static const struct choice kinds[] = {{"queue", MMF_KIND_QUEUE},
                                      {"topic", MMF_KIND_TOPIC},
                                      {"latest", MMF_KIND_LATEST},
                                      {"service", MMF_KIND_SERVICE},
                                      {NULL, 0}};

/* A key that was set, to refuse it a second time. */
struct setting {
    const void *owner;
    const struct key *key;
    int line;
};

struct reader {
    struct config *config;
    const char *where; /* the file, or the argument */
    int line;
    FILE *file;
    int problems;
    char section[INI_MAX_LINE];
    struct channel_config *channel; /* of that section; NULL: none */
    bool in_channel;
    struct setting set[1024];
    size_t set_count;
    bool out_of_memory;
};

static void complain(struct reader *reader, int line, const char *format, ...)
    LOG_FORMAT(3, 4);

static void
complain(struct reader *reader, int line, const char *format, ...)
{
    va_list arguments;

    if (line > 0)
        (void)fprintf(stderr, "%s:%d: ", reader->where, line);
    else
        (void)fprintf(stderr, "%s: ", reader->where);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    reader->problems++;
}

/*
 * Values.
 */

static void
list_choices(const struct choice *choices, char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (; choices->name != NULL && length < size; choices++)
        length += (size_t)snprintf(text + length, size - length, "%s%s",
                                   length > 0 ? ", " : "", choices->name);
}

static const struct choice *
find_choice(const struct choice *choices, const char *name, size_t length)
{
    for (; choices->name != NULL; choices++)
        if (strlen(choices->name) == length &&
            strncmp(choices->name, name, length) == 0)
            return choices;
    return NULL;
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit sizes[] = {
    {"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0}};
static const struct unit counts[] = {{"", 1}, {NULL, 0}};
static const struct unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};

static bool
read_number(const char *text, const struct unit *units, int64_t *value)
{
    char *end;
    long long number;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    number = strtoll(text, &end, 10);
    for (; units->name != NULL; units++)
        if (strcmp(units->name, end) == 0) {
            *value = number * units->factor;
            return errno == 0 && number <= INT64_MAX / units->factor;
        }
    return false;
}

static void
set_number(struct reader *reader, const struct key *key, const char *text,
           int64_t *value)
{
    const struct unit *units = key->type == SIZE       ? sizes
                               : key->type == DURATION ? durations
                                                       : counts;
    const char *example = key->type == SIZE       ? "64K or 512M"
                          : key->type == DURATION ? "500ms, 10s or 5m"
                                                  : "1024";
    const struct choice *choice =
        key->choices != NULL ? find_choice(key->choices, text, strlen(text)) : NULL;

    if (choice != NULL)
        *value = choice->value;
    else if (key->type == DURATION && strcmp(text, "forever") == 0 && key->least == 0)
        *value = -1;
    else if (!read_number(text, units, value))
        complain(reader, reader->line, "%s: invalid value \"%s\"; expected one like %s",
                 key->name, text, example);
    else if (*value < key->least || *value > key->most)
        complain(reader, reader->line, "%s: %s is outside %" PRId64 " to %" PRId64 "%s",
                 key->name, text, key->least, key->most,
                 key->type == DURATION ? " ms" : "");
}

static void
set_choice(struct reader *reader, const struct key *key, const char *text,
           int64_t *value)
{
    const struct choice *choice = find_choice(key->choices, text, strlen(text));
    char list[128];

    list_choices(key->choices, list, sizeof list);
    if (choice == NULL)
        complain(reader, reader->line, "%s: invalid value \"%s\" (%s)", key->name, text,
                 list);
    else
        *value = choice->value;
}

static void
set_text(struct reader *reader, const struct key *key, const char *text, char **value)
{
    if (text[0] == '\0')
        complain(reader, reader->line, "%s: the value is empty", key->name);
    free(*value);
    *value = strdup(text);
    reader->out_of_memory |= *value == NULL;
}

static void
set_value(struct reader *reader, void *owner, const struct key *key, const char *text)
{
    void *field = (char *)owner + key->offset;

    switch (key->type) {
    case TEXT:
    case FILE_NAME:
        set_text(reader, key, text, field);
        break;
    case CHOICE:
        set_choice(reader, key, text, field);
        break;
    default:
        set_number(reader, key, text, field);
    }
}

/*
 * Sections and keys.
 */

static const struct key *
find_key(const char *section, const char *name)
{
    for (size_t i = 0; i < KEYS; i++)
        if ((section == NULL) == (keys[i].section == NULL) &&
            (section == NULL || strcmp(section, keys[i].section) == 0) &&
            strcmp(name, keys[i].name) == 0)
            return &keys[i];
    return NULL;
}

static bool
is_repeated(struct reader *reader, const void *owner, const struct key *key)
{
    for (size_t i = 0; i < reader->set_count; i++)
        if (reader->set[i].owner == owner && reader->set[i].key == key) {
            complain(reader, reader->line, "%s is set a second time; first in line %d",
                     key->name, reader->set[i].line);
            return true;
        }
    if (reader->set_count < sizeof reader->set / sizeof reader->set[0])
        reader->set[reader->set_count++] =
            (struct setting){.owner = owner, .key = key, .line = reader->line};
    return false;
}

static struct channel_config *
add_channel(struct reader *reader, mmf_kind kind, const char *name)
{
    struct config *config = reader->config;
    struct channel_config *channel = calloc(1, sizeof *channel);
    struct channel_config **more = realloc(
        config->channels, (config->count + 1) * sizeof(struct channel_config *));

    if (more != NULL)
        config->channels = more;
    if (channel == NULL || more == NULL) {
        free(channel);
        reader->out_of_memory = true;
        return NULL;
    }
    *channel = (struct channel_config){.kind = kind,
                                       .where = reader->where,
                                       .line = reader->line,
                                       .batch = 1024,
                                       .timeout_ms = 30000,
                                       .workers = 4,
                                       .stream_bytes = (int64_t)512 << 20,
                                       .channel = strdup(name)};
    config->channels[config->count++] = channel;
    if (asprintf(&channel->title, "%s %s", mmf_kind_name(kind), name) < 0)
        channel->title = NULL;
    reader->out_of_memory |= channel->title == NULL || channel->channel == NULL;
    return channel;
}

/* A channel's section by its title; another one of that title is a mistake. */
static void
begin_channel(struct reader *reader, const char *title)
{
    size_t length = strcspn(title, " ");
    const struct choice *kind = find_choice(kinds, title, length);
    const char *name = title + length + strspn(title + length, " ");
    char list[128];

    reader->channel = NULL;
    reader->in_channel = true;
    list_choices(kinds, list, sizeof list);
    if (kind == NULL) {
        complain(reader, reader->line,
                 "unknown section [%s]; expected [bridge], [server] or [KIND NAME], "
                 "KIND being one of %s",
                 title, list);
        return;
    }
    if (name[0] == '\0') {
        complain(reader, reader->line, "[%s] has no name; expected [%s NAME]", title,
                 title);
        return;
    }
    reader->channel = add_channel(reader, (mmf_kind)kind->value, name);
    for (size_t i = 0; reader->channel != NULL && i + 1 < reader->config->count; i++)
        if (strcmp(reader->config->channels[i]->title, reader->channel->title) == 0)
            complain(reader, reader->line,
                     "there is another section [%s]; give this one another title and "
                     "\"channel = %s\"",
                     title, name);
}

static void
begin_section(struct reader *reader, const char *title)
{
    (void)snprintf(reader->section, sizeof reader->section, "%s", title);
    reader->in_channel = false;
    if (strcmp(title, "bridge") != 0 && strcmp(title, "server") != 0)
        begin_channel(reader, title);
}

static void
set_channel_key(struct reader *reader, const char *name, const char *text)
{
    const struct key *key = find_key(NULL, name);
    struct channel_config *channel = reader->channel;

    if (channel == NULL)
        return; /* the section is wrong, which was said */
    if (key == NULL || (key->kinds & UINT64_C(1) << channel->kind) == 0)
        complain(reader, reader->line,
                 "unknown key \"%s\" for a %s; mmf-bridge --help "
                 "lists the keys",
                 name, mmf_kind_name(channel->kind));
    else if (!is_repeated(reader, channel, key))
        set_value(reader, channel, key, text);
}

static void
set_key(struct reader *reader, const char *name, const char *text)
{
    const struct key *key;

    if (reader->in_channel) {
        set_channel_key(reader, name, text);
        return;
    }
    key = find_key(reader->section, name);
    if (key == NULL)
        complain(reader, reader->line,
                 "unknown key \"%s\" in [%s]; mmf-bridge --help lists the keys", name,
                 reader->section);
    else if (!is_repeated(reader, reader->config, key))
        set_value(reader, reader->config, key, text);
}

/*
 * The file. inih finds the parts of a line; it does not say which line, so the lines are
 * counted as it reads them. A section is noticed here, too: one without keys is a mistake
 * that inih keeps to itself.
 */

static char *
read_line(char *buffer, int size, void *stream)
{
    struct reader *reader = stream;
    char *line = fgets(buffer, size, reader->file);
    char *end;

    if (line == NULL)
        return NULL;
    reader->line++;
    if (strchr(line, '\n') == NULL && !feof(reader->file)) {
        complain(reader, reader->line, "the line is longer than %d bytes", size - 2);
        while (fgets(buffer, size, reader->file) != NULL &&
               strchr(buffer, '\n') == NULL)
            ;
        buffer[0] = '\n';
        buffer[1] = '\0';
    }
    if (line[0] == '[' && (end = strchr(line, ']')) != NULL) {
        *end = '\0';
        begin_section(reader, line + 1);
        *end = ']';
    }
    return line;
}

static int
handle_key(void *user, const char *section, const char *name, const char *value)
{
    struct reader *reader = user;

    (void)section;
    if (reader->section[0] == '\0')
        complain(reader, reader->line, "\"%s\" stands before the first section", name);
    else
        set_key(reader, name, value);
    return 1;
}

static void
read_file(struct reader *reader, const char *path)
{
    int wrong;

    reader->where = path;
    reader->file = fopen(path, "re");
    if (reader->file == NULL) {
        complain(reader, 0, "it cannot be read: %s", strerror(errno));
        return;
    }
    wrong = ini_parse_stream(read_line, reader, handle_key, reader);
    if (wrong > 0)
        complain(reader, wrong, "it is neither a section nor KEY = VALUE");
    reader->out_of_memory |= wrong == -2;
    (void)fclose(reader->file);
}

/*
 * Arguments.
 */

/* "NAME,KEY=VALUE,..." */
static void
read_channel_argument(struct reader *reader, const char *kind, const char *value)
{
    char *copy = strdup(value);
    char *rest = copy;
    char *part = copy != NULL ? strsep(&rest, ",") : NULL;
    char title[INI_MAX_LINE];

    reader->out_of_memory |= copy == NULL;
    if (part != NULL) {
        (void)snprintf(title, sizeof title, "%s %s", kind, part);
        begin_section(reader, title);
    }
    while (rest != NULL) {
        char *text = strsep(&rest, ",");
        char *key = strsep(&text, "=");

        if (text == NULL)
            complain(reader, 0, "expected KEY=VALUE instead of \"%s\"", key);
        else
            set_key(reader, key, text);
    }
    free(copy);
}

static const struct key *
find_argument(const char *name)
{
    const struct key *key = find_key("bridge", name);

    return key != NULL ? key : find_key("server", name);
}

bool
config_has_key(const char *name)
{
    return find_argument(name) != NULL ||
           find_choice(kinds, name, strlen(name)) != NULL;
}

/* An argument wins over the file. */
static void
read_argument(struct reader *reader, const struct config_argument *argument)
{
    const struct key *key = find_argument(argument->key);

    reader->line = 0;
    reader->where = argument->key;
    if (key != NULL)
        set_value(reader, reader->config, key, argument->value);
    else
        read_channel_argument(reader, argument->key, argument->value);
}

/*
 * What hangs together.
 */

static void
check_file(struct reader *reader, const struct key *key, const char *path)
{
    if (path != NULL && strcmp(key->name, "metrics") != 0 && access(path, R_OK) != 0)
        complain(reader, 0, "%s: \"%s\" cannot be read: %s", key->name, path,
                 strerror(errno));
}

static void
check_server(struct reader *reader)
{
    struct config *config = reader->config;

    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].type == FILE_NAME && keys[i].section != NULL)
            check_file(reader, &keys[i], *(char **)((char *)config + keys[i].offset));
    if (config->server == NULL)
        complain(reader, 0, "no server is given; set \"server\" in [server]");
    if ((config->tls_cert == NULL) != (config->tls_key == NULL))
        complain(reader, 0, "tls-cert and tls-key are needed together");
    if ((config->user == NULL) != (config->password_file == NULL))
        complain(reader, 0, "user and password-file are needed together");
    if ((config->credentials != NULL) + (config->user != NULL) +
            (config->token_file != NULL) >
        1)
        complain(reader, 0, "only one of credentials, user and token-file can be used");
    if (config->origin != NULL && strlen(config->origin) > ORIGIN_MAX)
        complain(reader, 0, "origin: it has %zu bytes; at most %d are possible",
                 strlen(config->origin), ORIGIN_MAX);
}

static void
check_direction(struct reader *reader, const struct channel_config *channel)
{
    if (channel->direction == 0)
        complain(reader, channel->line,
                 "[%s] has no direction; set \"direction\" to out or in",
                 channel->title);
    if (channel->direction == DIRECTION_BOTH &&
        (channel->kind == MMF_KIND_QUEUE || channel->kind == MMF_KIND_SERVICE))
        complain(
            reader, channel->line,
            "[%s]: a %s goes one way, since each message has one receiver; use two",
            channel->title, mmf_kind_name(channel->kind));
    if (channel->mirror_domain != NULL && channel->direction == DIRECTION_OUT)
        complain(reader, channel->line, "[%s]: mirror-domain is for the direction in",
                 channel->title);
}

bool
config_next_origin(const char **rest, char *origin, size_t size)
{
    size_t length;

    *rest += strspn(*rest, ", ");
    length = strcspn(*rest, ",");
    (void)snprintf(origin, size, "%.*s", (int)length, *rest);
    *rest += length;
    for (size_t end = strlen(origin); end > 0 && origin[end - 1] == ' '; end--)
        origin[end - 1] = '\0';
    return origin[0] != '\0';
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
            complain(reader, channel->line,
                     "[%s]: the origin \"%s\" has %zu bytes; at most %d are possible",
                     channel->title, origin, strlen(origin), ORIGIN_MAX);
        if (strcmp(origin, reader->config->origin) == 0)
            complain(
                reader, channel->line,
                "[%s]: this host is the origin \"%s\": messages would go around in "
                "a circle; set \"origin\" in [bridge]",
                channel->title, origin);
        count++;
    }
    if (count == 0)
        complain(reader, channel->line, "[%s]: from names no origin", channel->title);
    if (channel->spsc && count > 1)
        complain(reader, channel->line,
                 "[%s]: %d origins are as many producers, and spsc has one",
                 channel->title, count);
}

static void
check_from(struct reader *reader, const struct channel_config *channel)
{
    if (channel->kind != MMF_KIND_QUEUE || channel->direction == 0)
        return;
    if (channel->direction == DIRECTION_OUT && channel->from != NULL)
        complain(reader, channel->line, "[%s]: from is for the direction in",
                 channel->title);
    else if (channel->direction == DIRECTION_IN && channel->from == NULL)
        complain(reader, channel->line,
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
        complain(reader, channel->line, "[%s]: shared is for the direction in",
                 channel->title);
    if (channel->shared && channel->mirror_domain != NULL)
        complain(reader, channel->line,
                 "[%s]: shared and mirror-domain exclude each other: every mirror has "
                 "all messages",
                 channel->title);
    if (!channel->shared && channel->take_over_ms != 0)
        complain(reader, channel->line,
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
            complain(reader, channel->line,
                     "[%s]: %s is of a stored topic; set \"stored = yes\", too",
                     channel->title, names[i]);
    if (channel->stored && channel->direction == DIRECTION_OUT && channel->replay != 0)
        complain(reader, channel->line, "[%s]: replay is for the direction in",
                 channel->title);
}

static void
check_sizes(struct reader *reader, const struct channel_config *channel)
{
    bool is_sized = channel->message_size > 0;
    bool has_slots = channel->kind != MMF_KIND_LATEST;

    if (has_slots && is_sized != (channel->capacity > 0))
        complain(reader, channel->line,
                 "[%s]: message-size and capacity are needed together", channel->title);
    if (channel->kind == MMF_KIND_SERVICE && is_sized != (channel->answer_size > 0))
        complain(reader, channel->line,
                 "[%s]: message-size and answer-size are needed together",
                 channel->title);
    if (!is_sized && (channel->overflow != 0 || channel->spsc))
        complain(
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
        complain(
            reader, other->line,
            "[%s] has the same local channel as [%s] in line %d: messages would go "
            "around in a circle%s",
            other->title, one->title, one->line,
            one->kind == MMF_KIND_QUEUE || one->kind == MMF_KIND_SERVICE
                ? ""
                : "; use one section with \"direction = both\"");
    else if (strcmp(one->remote, other->remote) == 0)
        complain(reader, other->line,
                 "[%s] has the same remote name as [%s] in line %d", other->title,
                 one->title, one->line);
}

static void
check_channels(struct reader *reader)
{
    struct config *config = reader->config;

    if (config->count == 0)
        complain(reader, 0, "no channel is given; add a section like [queue NAME]");
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

static void
set_defaults(struct reader *reader)
{
    struct config *config = reader->config;
    char host[ORIGIN_MAX + 1] = "";

    if (config->origin != NULL)
        return;
    (void)gethostname(host, sizeof host - 1);
    config->origin = strdup(host[0] != '\0' ? host : "localhost");
    reader->out_of_memory |= config->origin == NULL;
}

struct config *
config_read(const char *file, const struct config_argument *arguments, size_t count,
            int *problems)
{
    struct reader *reader = calloc(1, sizeof *reader);
    struct config *config = calloc(1, sizeof *config);
    bool out_of_memory = reader == NULL || config == NULL;

    if (!out_of_memory) {
        *config = (struct config){
            .log_level = LOG_INFO, .metrics_ms = 10000, .wait_ms = -1, .ack_ms = 5000};
        reader->config = config;
        if (file != NULL)
            read_file(reader, file);
        for (size_t i = 0; i < count; i++)
            read_argument(reader, &arguments[i]);
        reader->where = file != NULL ? file : "mmf-bridge";
        set_defaults(reader);
        check_server(reader);
        check_channels(reader);
        *problems = reader->problems;
        out_of_memory = reader->out_of_memory;
    }
    free(reader);
    if (!out_of_memory)
        return config;
    config_free(config);
    return NULL;
}

static void
free_channel(struct channel_config *channel)
{
    free(channel->title);
    free(channel->channel);
    free(channel->remote);
    free(channel->from);
    free(channel->mirror_domain);
    free(channel->kv_domain);
    free(channel);
}

void
config_free(struct config *config)
{
    if (config == NULL)
        return;
    for (size_t i = 0; i < config->count; i++)
        free_channel(config->channels[i]);
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].section != NULL &&
            (keys[i].type == TEXT || keys[i].type == FILE_NAME))
            free(*(char **)((char *)config + keys[i].offset));
    free(config->channels);
    free(config);
}

void
config_print_keys(void)
{
    const char *section = "";

    for (size_t i = 0; i < KEYS; i++) {
        const char *of = keys[i].section != NULL ? keys[i].section : "KIND NAME";

        if (strcmp(section, of) != 0)
            printf("\n[%s]\n", of);
        section = of;
        printf("  %-14s  %s\n", keys[i].name, keys[i].help);
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
