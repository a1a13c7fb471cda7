/*
 * create.c - mmf create: make an object and hold it: until Ctrl-C, for a time, or while
 * a command runs.
 */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "background.h"
#include "os.h"
#include "program.h"
#include "say.h"
#include "stop.h"
#include "units.h"

/* What was made: one of these. */
struct made {
    mmf_map *map;
    mmf_mutex *mutex;
    mmf_event *event;
    mmf_semaphore *semaphore;
    mmf_queue *queue;
    mmf_topic *topic;
    mmf_latest *latest;
};

static const struct {
    const char *name;
    mmf_access access;
} accesses[] = {{"read-write", MMF_ACCESS_READ_WRITE},
                {"read", MMF_ACCESS_READ},
                {"copy-on-write", MMF_ACCESS_COPY_ON_WRITE},
                {"read-execute", MMF_ACCESS_READ_EXECUTE},
                {"read-write-execute", MMF_ACCESS_READ_WRITE_EXECUTE}};

static mmf_access
access_of(const struct args *args)
{
    const char *text = args_value(args, "access");

    if (text == NULL)
        return MMF_ACCESS_READ_WRITE;
    for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++)
        if (strcmp(text, accesses[i].name) == 0)
            return accesses[i].access;
    say_usage("--access \"%s\" is none: read-write, read, copy-on-write, read-execute "
              "or read-write-execute",
              text);
}

static uint32_t
mode_of(const struct args *args)
{
    const char *text = args_value(args, "mode");

    return text != NULL ? units_mode("--mode", text) : 0;
}

/* Options that mean nothing for this kind. */
static void
refuse_options(const struct args *args, const char *kind, const char *const *names)
{
    for (; *names != NULL; names++)
        if (args_value(args, *names) != NULL)
            say_usage("--%s says nothing about a %s", *names, kind);
}

static int
make_map(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"initial", "maximum", "manual", "set", NULL};
    const char *file = args_value(args, "file");
    mmf_map_options options;
    int64_t size = 0;

    refuse_options(args, "map", others);
    if (args->count > 1)
        size = units_bytes("size", args->operands[1]);
    else if (file == NULL)
        say_usage("how large? it would be mmf create %s 10000, or 4MiB", name);
    if (size == 0 && file == NULL)
        say_usage("size 0: a map has at least one byte");
    mmf_map_options_init(&options);
    options.access = access_of(args);
    options.mode = mode_of(args);
    if (args_value(args, "delay") != NULL)
        options.options = MMF_DELAY_ALLOCATE_PAGES;
    if (file != NULL)
        return mmf_map_create_from_file(file, MMF_FILE_MODE_OPEN, name, size, &options,
                                    &made->map);
    if (args_value(args, "or-open") != NULL)
        return mmf_map_create_or_open(name, size, &options, NULL, &made->map);
    return mmf_map_create_new(name, size, &options, &made->map);
}

/* The others' create calls open what is there; without --or-open that is a failure. */
static int
refuse_taken(const struct args *args, const char *name, int rc, int created)
{
    if (rc < 0 || created || args_value(args, "or-open") != NULL)
        return rc;
    say_and_exit(TOOL_EXISTS, "\"%s\" exists already: --or-open would open it", name);
}

static const mmf_sync_options *
sync_options_of(const struct args *args, const char *name, mmf_sync_options *options)
{
    if (mode_of(args) == 0)
        return NULL;
    mmf_sync_options_init(options);
    options->current_user_only = 0;
    options->current_session_only = strncmp(name, "Global\\", 7) != 0;
    options->mode = mode_of(args);
    return options;
}

static int
make_mutex(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"access",  "delay",  "file", "initial",
                                         "maximum", "manual", "set",  NULL};
    mmf_sync_options options;
    int created = 0;
    int rc;

    refuse_options(args, "mutex", others);
    rc = mmf_mutex_create_or_open(name, 0, sync_options_of(args, name, &options), &created, &made->mutex);
    return refuse_taken(args, name, rc, created);
}

static int
make_event(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"access",  "delay",   "file",
                                         "initial", "maximum", NULL};
    mmf_sync_options options;
    int created = 0;
    int rc;

    refuse_options(args, "event", others);
    rc = mmf_event_create_or_open(name, args_value(args, "set") != NULL, args_value(args, "manual") != NULL ? MMF_EVENT_MANUAL_RESET
                                                             : MMF_EVENT_AUTO_RESET, sync_options_of(args, name, &options), &created, &made->event);
    return refuse_taken(args, name, rc, created);
}

static int
make_semaphore(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"access", "delay", "file",
                                         "manual", "set",   NULL};
    int32_t maximum = (int32_t)args_number(args, "maximum", 1, INT32_MAX, INT32_MAX);
    int32_t initial = (int32_t)args_number(args, "initial", 0, maximum, 0);
    mmf_sync_options options;
    int created = 0;
    int rc;

    refuse_options(args, "semaphore", others);
    rc = mmf_semaphore_create_or_open(name, initial, maximum, sync_options_of(args, name, &options), &created, &made->semaphore);
    return refuse_taken(args, name, rc, created);
}

/*
 * Channels.
 */

static mmf_overflow
overflow_of(const struct args *args)
{
    const char *text = args_value(args, "overflow");

    if (text == NULL || strcmp(text, "block") == 0)
        return MMF_OVERFLOW_BLOCK;
    if (strcmp(text, "fail") == 0)
        return MMF_OVERFLOW_FAIL;
    if (strcmp(text, "drop-oldest") == 0)
        return MMF_OVERFLOW_DROP_OLDEST;
    say_usage("--overflow \"%s\" is none: block, fail or drop-oldest", text);
}

static int64_t
message_size_of(const struct args *args)
{
    int64_t size = args_bytes(args, "message-size", 1024);

    if (size < 1)
        say_usage("--message-size 0: a message has room for at least one byte");
    return size;
}

static int
make_channel(const struct args *args, const char *kind, const char *name,
             struct made *made)
{
    static const char *const others[] = {"access",  "delay",  "file", "initial",
                                         "maximum", "manual", "set",  NULL};
    mmf_channel_options options;
    int64_t count = args_number(args, "messages", 1, INT32_MAX, 64);
    int64_t size = message_size_of(args);
    int created = 0;
    int rc;

    refuse_options(args, kind, others);
    mmf_channel_options_init(&options);
    options.mode = mode_of(args);
    /* One who only holds must not be a subscriber, for whom publishers would wait. */
    options.role = MMF_ROLE_SEND;
    if (strcmp(kind, "queue") == 0)
        rc = mmf_queue_create_or_open(name, size, count, overflow_of(args), &options, &created,
                              &made->queue);
    else if (strcmp(kind, "topic") == 0)
        rc = mmf_topic_create_or_open(name, size, count, overflow_of(args), &options, &created,
                              &made->topic);
    else
        rc = mmf_latest_create_or_open(name, size, &options, &created, &made->latest);
    return refuse_taken(args, name, rc, created);
}

static int
make_queue(const struct args *args, const char *name, struct made *made)
{
    return make_channel(args, "queue", name, made);
}

static int
make_topic(const struct args *args, const char *name, struct made *made)
{
    return make_channel(args, "topic", name, made);
}

static int
make_latest(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"messages", "overflow", NULL};

    refuse_options(args, "latest", others);
    return make_channel(args, "latest", name, made);
}

static const struct {
    const char *kind;
    int (*make)(const struct args *args, const char *name, struct made *made);
} makers[] = {{"map", make_map},      {"mutex", make_mutex},
              {"event", make_event},  {"semaphore", make_semaphore},
              {"queue", make_queue},  {"topic", make_topic},
              {"latest", make_latest}};

static int
is_channel(const char *kind)
{
    return strcmp(kind, "queue") == 0 || strcmp(kind, "topic") == 0 ||
           strcmp(kind, "latest") == 0;
}

static int
make(const struct args *args, const char *name, struct made *made)
{
    static const char *const of_channels[] = {"message-size", "messages", "overflow",
                                              NULL};
    const char *kind = args_value(args, "kind");

    if (kind == NULL)
        kind = "map";
    if (!is_channel(kind))
        refuse_options(args, kind, of_channels);
    if (strcmp(kind, "map") != 0 && args->count > 1)
        say_usage("\"%s\": a %s has no size", args->operands[1], kind);
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
        if (strcmp(kind, makers[i].kind) == 0)
            return makers[i].make(args, name, made);
    say_usage("--kind \"%s\" is none: map, mutex, event, semaphore, queue, topic or "
              "latest",
              kind);
}

static void
let_go(struct made *made)
{
    mmf_map_close(made->map);
    mmf_mutex_close(made->mutex);
    mmf_event_close(made->event);
    mmf_semaphore_close(made->semaphore);
    mmf_queue_close(made->queue);
    mmf_topic_close(made->topic);
    mmf_latest_close(made->latest);
}

/*
 * Holding.
 */

static void
hold(int32_t milliseconds)
{
    if (milliseconds < 0)
        stop_wait();
    else
        stop_nap(milliseconds);
}

static void
say_holding(const char *name, int32_t milliseconds)
{
    if (os_is_terminal(stderr))
        say("holding \"%s\"; %s", name,
            milliseconds < 0 ? "Ctrl-C lets it go" : "it goes when the time is over");
}

static int
run(struct args *args)
{
    const char *name = args_name(args->operands[0]);
    int32_t milliseconds = args_milliseconds(args, "for", -1);
    int in_background = args_value(args, "background") != NULL;
    struct made made = {NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    int status = TOOL_DONE;

    if (args->program != NULL && (args_value(args, "for") != NULL || in_background ||
                                  args_value(args, "hold") != NULL))
        say_usage("a command says how long: no --hold, --for or --background with it");
    if (in_background)
        background_begin();
    stop_note();
    say_check(make(args, name, &made));
    if (in_background)
        background_ready();
    if (args->program != NULL) {
        stop_forget();
        status = program_run(args->program, 0).status;
    } else {
        if (!in_background)
            say_holding(name, milliseconds);
        hold(milliseconds);
    }
    let_go(&made);
    stop_leave();
    return status;
}

static const struct option_spec options[] = {
    {"kind", 'k', "KIND", "map, mutex, event, semaphore, queue, topic or latest (map)"},
    {"access", 'a', "ACCESS", "read-write, read, copy-on-write, read-execute, ..."},
    {"mode", 'm', "MODE", "permission bits (600); matter for Global\\ names"},
    {"or-open", 'o', NULL, "open it, if it exists already"},
    {"file", 'f', "PATH", "a map of this file; SIZE may grow it"},
    {"delay", 'd', NULL, "do not reserve the bytes now"},
    {"manual", 0, NULL, "an event that stays set until it is reset"},
    {"set", 0, NULL, "an event that is set"},
    {"initial", 'i', "N", "what a semaphore has left (0)"},
    {"maximum", 0, "N", "the most that a semaphore can have"},
    {"message-size", 0, "N", "most bytes of a channel's message (1K)"},
    {"messages", 0, "N", "so many messages fit into a queue or a topic (64)"},
    {"overflow", 0, "HOW", "when it is full: block, fail or drop-oldest (block)"},
    {"hold", 0, NULL, "hold it until Ctrl-C; so it is without this, too"},
    {"for", 0, "TIME", "hold it for 500ms, 10s, 1h"},
    {"background", 'b', NULL, "hold it in the background; prints the process"},
    {NULL, 0, NULL, NULL}};

const struct command command_create = {
    "create",
    "NAME [SIZE]",
    "make a map, a mutex, an event, a semaphore or a channel",
    options,
    1,
    2,
    1,
    run};
