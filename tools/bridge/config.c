/*
 * config.c - reads the configuration. The keys are one table (config_keys.c), for the file and
 * for the arguments; what is wrong is said with its place, all of it at once.
 */
#include "config_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "envelope.h"

void
config_complain(struct reader *reader, int line, const char *format, ...)
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
        config_complain(reader, reader->line,
                        "%s: invalid value \"%s\"; expected one like %s", key->name,
                        text, example);
    else if (*value < key->least || *value > key->most)
        config_complain(
            reader, reader->line, "%s: %s is outside %" PRId64 " to %" PRId64 "%s",
            key->name, text, key->least, key->most, key->type == DURATION ? " ms" : "");
}

static void
set_choice(struct reader *reader, const struct key *key, const char *text,
           int64_t *value)
{
    const struct choice *choice = find_choice(key->choices, text, strlen(text));
    char list[128];

    list_choices(key->choices, list, sizeof list);
    if (choice == NULL)
        config_complain(reader, reader->line, "%s: invalid value \"%s\" (%s)",
                        key->name, text, list);
    else
        *value = choice->value;
}

static void
set_text(struct reader *reader, const struct key *key, const char *text, char **value)
{
    if (text[0] == '\0')
        config_complain(reader, reader->line, "%s: the value is empty", key->name);
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
    for (const struct key *key = config_keys; key->name != NULL; key++)
        if ((section == NULL) == (key->section == NULL) &&
            (section == NULL || strcmp(section, key->section) == 0) &&
            strcmp(name, key->name) == 0)
            return key;
    return NULL;
}

static bool
is_repeated(struct reader *reader, const void *owner, const struct key *key)
{
    for (size_t i = 0; i < reader->set_count; i++)
        if (reader->set[i].owner == owner && reader->set[i].key == key) {
            config_complain(reader, reader->line,
                            "%s is set a second time; first in line %d", key->name,
                            reader->set[i].line);
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
    const struct choice *kind = find_choice(config_kinds, title, length);
    const char *name = title + length + strspn(title + length, " ");
    char list[128];

    reader->channel = NULL;
    reader->in_channel = true;
    list_choices(config_kinds, list, sizeof list);
    if (kind == NULL) {
        config_complain(
            reader, reader->line,
            "unknown section [%s]; expected [bridge], [server] or [KIND NAME], "
            "KIND being one of %s",
            title, list);
        return;
    }
    if (name[0] == '\0') {
        config_complain(reader, reader->line, "[%s] has no name; expected [%s NAME]",
                        title, title);
        return;
    }
    reader->channel = add_channel(reader, (mmf_kind)kind->value, name);
    for (size_t i = 0; reader->channel != NULL && i + 1 < reader->config->count; i++)
        if (strcmp(reader->config->channels[i]->title, reader->channel->title) == 0)
            config_complain(
                reader, reader->line,
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
        config_complain(reader, reader->line,
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
        config_complain(reader, reader->line,
                        "unknown key \"%s\" in [%s]; mmf-bridge --help lists the keys",
                        name, reader->section);
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
        config_complain(reader, reader->line, "the line is longer than %d bytes",
                        size - 2);
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
        config_complain(reader, reader->line, "\"%s\" stands before the first section",
                        name);
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
        config_complain(reader, 0, "it cannot be read: %s", strerror(errno));
        return;
    }
    wrong = ini_parse_stream(read_line, reader, handle_key, reader);
    if (wrong > 0)
        config_complain(reader, wrong, "it is neither a section nor KEY = VALUE");
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
            config_complain(reader, 0, "expected KEY=VALUE instead of \"%s\"", key);
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
           find_choice(config_kinds, name, strlen(name)) != NULL;
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
        config_check(reader);
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
    for (const struct key *key = config_keys; key->name != NULL; key++)
        if (key->section != NULL && (key->type == TEXT || key->type == FILE_NAME))
            free(*(char **)((char *)config + key->offset));
    free(config->channels);
    free(config);
}
