/*
 * create.c - mmf create: create an object and keep it open: until Ctrl-C, for a time, or
 * while a command runs.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/units.h"
#include "os/background.h"
#include "os/os.h"
#include "os/program.h"
#include "os/stop.h"

/* What was created: one of these. */
struct made {
    mmf_map *map;
    mmf_mutex *mutex;
    mmf_event *event;
    mmf_semaphore *semaphore;
    mmf_queue *queue;
    mmf_topic *topic;
    mmf_latest *latest;
    mmf_service *service;
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
    say_usage("unknown access \"%s\" (read-write, read, copy-on-write, read-execute, "
              "read-write-execute)",
              text);
}

static uint32_t
mode_of(const struct args *args)
{
    const char *text = args_value(args, "mode");

    return text != NULL ? units_mode("--mode", text) : 0;
}

/* Options of other kinds. */
static void
refuse_options(const struct args *args, const char *kind, const char *const *names)
{
    for (; *names != NULL; names++)
        if (args_value(args, *names) != NULL)
            say_usage("--%s is not for a %s", *names, kind);
}

static int
may_open(const struct args *args)
{
    return args_value(args, "or-open") != NULL;
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
        say_usage("missing size; usage: mmf create %s 10000, or 4MiB", name);
    if (size == 0 && file == NULL)
        say_usage("invalid size 0: a map has at least one byte");
    mmf_map_options_init(&options);
    options.access = access_of(args);
    options.mode = mode_of(args);
    if (args_value(args, "delay") != NULL)
        options.allocation = MMF_DELAY_ALLOCATE_PAGES;
    if (file != NULL)
        return mmf_map_create_from_file(file, MMF_FILE_MODE_OPEN, name, size, &options,
                                        &made->map);
    if (may_open(args))
        return mmf_map_create_or_open(name, size, &options, NULL, &made->map);
    return mmf_map_create_new(name, size, &options, &made->map);
}

static mmf_sync_options
sync_options_of(const struct args *args)
{
    mmf_sync_options options = {.size = sizeof(options), .mode = mode_of(args)};

    return options;
}

static int
make_mutex(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"access",  "delay",  "file", "initial",
                                         "maximum", "manual", "set",  NULL};
    mmf_sync_options options = sync_options_of(args);

    refuse_options(args, "mutex", others);
    if (may_open(args))
        return mmf_mutex_create_or_open(name, 0, &options, NULL, &made->mutex);
    return mmf_mutex_create_new(name, 0, &options, &made->mutex);
}

static int
make_event(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"access",  "delay",   "file",
                                         "initial", "maximum", NULL};
    mmf_sync_options options = sync_options_of(args);
    int is_set = args_value(args, "set") != NULL;
    mmf_event_mode mode = args_value(args, "manual") != NULL ? MMF_EVENT_MANUAL_RESET
                                                             : MMF_EVENT_AUTO_RESET;

    refuse_options(args, "event", others);
    if (may_open(args))
        return mmf_event_create_or_open(name, is_set, mode, &options, NULL,
                                        &made->event);
    return mmf_event_create_new(name, is_set, mode, &options, &made->event);
}

static int
make_semaphore(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"access", "delay", "file",
                                         "manual", "set",   NULL};
    int32_t maximum = (int32_t)args_number(args, "maximum", 1, INT32_MAX, INT32_MAX);
    int32_t initial = (int32_t)args_number(args, "initial", 0, maximum, 0);
    mmf_sync_options options = sync_options_of(args);

    refuse_options(args, "semaphore", others);
    if (may_open(args))
        return mmf_semaphore_create_or_open(name, initial, maximum, &options, NULL,
                                            &made->semaphore);
    return mmf_semaphore_create_new(name, initial, maximum, &options, &made->semaphore);
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
    say_usage("unknown overflow \"%s\" (block, fail, drop-oldest)", text);
}

static size_t
size_of(const struct args *args, const char *option, int64_t usual)
{
    int64_t size = args_bytes(args, option, usual);

    if (size < 1)
        say_usage("invalid --%s 0: a message has at least one byte", option);
    return (size_t)size;
}

static size_t
message_size_of(const struct args *args)
{
    return size_of(args, "message-size", 1024);
}

static size_t
capacity_of(const struct args *args)
{
    return (size_t)args_number(args, "messages", 1, INT32_MAX, 64);
}

/* A sender: a subscriber that only keeps a topic open would make publishers wait. */
static mmf_channel_options
channel_options_of(const struct args *args, const char *kind)
{
    static const char *const others[] = {"access",  "delay",       "file",
                                         "initial", "maximum",     "manual",
                                         "set",     "answer-size", NULL};
    mmf_channel_options options = {
        .size = sizeof(options), .role = MMF_ROLE_SEND, .mode = mode_of(args)};

    refuse_options(args, kind, others);
    return options;
}

static int
make_queue(const struct args *args, const char *name, struct made *made)
{
    mmf_channel_options options = channel_options_of(args, "queue");
    size_t size = message_size_of(args);
    size_t capacity = capacity_of(args);
    mmf_overflow overflow = overflow_of(args);

    if (may_open(args))
        return mmf_queue_create_or_open(name, size, capacity, overflow, &options, NULL,
                                        &made->queue);
    return mmf_queue_create_new(name, size, capacity, overflow, &options, &made->queue);
}

static int
make_topic(const struct args *args, const char *name, struct made *made)
{
    mmf_channel_options options = channel_options_of(args, "topic");
    size_t size = message_size_of(args);
    size_t capacity = capacity_of(args);
    mmf_overflow overflow = overflow_of(args);

    if (may_open(args))
        return mmf_topic_create_or_open(name, size, capacity, overflow, &options, NULL,
                                        &made->topic);
    return mmf_topic_create_new(name, size, capacity, overflow, &options, &made->topic);
}

static int
make_latest(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"messages", "overflow", NULL};
    mmf_channel_options options = channel_options_of(args, "latest");
    size_t size = message_size_of(args);

    refuse_options(args, "latest", others);
    if (may_open(args))
        return mmf_latest_create_or_open(name, size, &options, NULL, &made->latest);
    return mmf_latest_create_new(name, size, &options, &made->latest);
}

/* A client: a server that only keeps a service open would have to serve. */
static int
make_service(const struct args *args, const char *name, struct made *made)
{
    static const char *const others[] = {"access",  "delay",    "file",
                                         "initial", "maximum",  "manual",
                                         "set",     "overflow", NULL};
    mmf_service_options options = {
        .size = sizeof(options), .role = MMF_ROLE_CLIENT, .mode = mode_of(args)};
    size_t answer_size = size_of(args, "answer-size", 4096);
    size_t size = message_size_of(args);
    size_t capacity = capacity_of(args);

    refuse_options(args, "service", others);
    if (may_open(args))
        return mmf_service_create_or_open(name, size, answer_size, capacity, &options,
                                          NULL, &made->service);
    return mmf_service_create_new(name, size, answer_size, capacity, &options,
                                  &made->service);
}

static const struct {
    const char *kind;
    int (*make)(const struct args *args, const char *name, struct made *made);
} makers[] = {{"map", make_map},       {"mutex", make_mutex},
              {"event", make_event},   {"semaphore", make_semaphore},
              {"queue", make_queue},   {"topic", make_topic},
              {"latest", make_latest}, {"service", make_service}};

static int
is_channel(const char *kind)
{
    return strcmp(kind, "queue") == 0 || strcmp(kind, "topic") == 0 ||
           strcmp(kind, "latest") == 0 || strcmp(kind, "service") == 0;
}

static int
make(const struct args *args, const char *name, struct made *made)
{
    static const char *const of_channels[] = {"message-size", "answer-size", "messages",
                                              "overflow", NULL};
    const char *kind = args_value(args, "kind");

    if (kind == NULL)
        kind = "map";
    if (!is_channel(kind))
        refuse_options(args, kind, of_channels);
    if (strcmp(kind, "map") != 0 && args->count > 1)
        say_usage("unexpected argument \"%s\": a %s has no size", args->operands[1],
                  kind);
    for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
        if (strcmp(kind, makers[i].kind) == 0)
            return makers[i].make(args, name, made);
    say_usage(
        "unknown kind \"%s\" (map, mutex, event, semaphore, queue, topic, latest, "
        "service)",
        kind);
}

static void
close_made(struct made *made)
{
    mmf_map_close(made->map);
    mmf_mutex_close(made->mutex);
    mmf_event_close(made->event);
    mmf_semaphore_close(made->semaphore);
    mmf_queue_close(made->queue);
    mmf_topic_close(made->topic);
    mmf_latest_close(made->latest);
    mmf_service_close(made->service);
}

/*
 * Keeping it open.
 */

static void
keep_open(int32_t milliseconds)
{
    if (milliseconds < 0)
        stop_wait();
    else
        stop_nap(milliseconds);
}

static void
say_open(const char *name, int32_t milliseconds)
{
    if (os_is_terminal(stderr))
        say("\"%s\" is open; %s", name,
            milliseconds < 0 ? "Ctrl-C closes it" : "it closes when the time is over");
}

static int
run(struct args *args)
{
    const char *name = args_name(args->operands[0]);
    int32_t milliseconds = args_milliseconds(args, "for", -1);
    int in_background = args_value(args, "background") != NULL;
    struct made made = {.map = NULL};
    int status = TOOL_DONE;
    int rc;

    if (args->program != NULL && (args_value(args, "for") != NULL || in_background ||
                                  args_value(args, "hold") != NULL))
        say_usage(
            "the command says how long: give no --hold, --for or --background with it");
    if (in_background)
        background_begin();
    stop_note();
    rc = make(args, name, &made);
    if (rc == MMF_E_EXISTS && args_value(args, "file") == NULL)
        say_and_exit(TOOL_EXISTS, "\"%s\" exists already; --or-open opens it", name);
    say_check(rc);
    if (in_background)
        background_ready();
    if (args->program != NULL) {
        stop_forget();
        status = program_run(args->program, 0).status;
    } else {
        if (!in_background)
            say_open(name, milliseconds);
        keep_open(milliseconds);
    }
    close_made(&made);
    stop_leave();
    return status;
}

static const struct option_spec options[] = {
    {"kind", 'k', "KIND", "map, mutex, event, semaphore, queue, topic, ... (map)"},
    {"access", 'a', "ACCESS", "read-write, read, copy-on-write, read-execute, ..."},
    {"mode", 'm', "MODE", "permission bits (600); for Global\\ names"},
    {"or-open", 'o', NULL, "open it if it exists already"},
    {"file", 'f', "PATH", "map this file; SIZE may grow it"},
    {"delay", 'd', NULL, "reserve the memory at first use, not now"},
    {"manual", 0, NULL, "event: stays set until it is reset"},
    {"set", 0, NULL, "event: initially set"},
    {"initial", 'i', "N", "semaphore: initial count (0)"},
    {"maximum", 0, "N", "semaphore: maximum count"},
    {"message-size", 0, "N", "channel: maximum bytes of a message (1K)"},
    {"answer-size", 0, "N", "service: maximum bytes of an answer (4K)"},
    {"messages", 0, "N", "queue, topic, service: capacity in messages (64)"},
    {"overflow", 0, "HOW", "when full: block, fail or drop-oldest (block)"},
    {"hold", 0, NULL, "keep it open until Ctrl-C (default)"},
    {"for", 0, "TIME", "keep it open for 500ms, 10s, 1h"},
    {"background", 'b', NULL, "keep it open in the background; print the process id"},
    {NULL, 0, NULL, NULL}};

const struct command command_create = {
    .name = "create",
    .operands = "NAME [SIZE]",
    .summary = "create a map, a mutex, an event, a semaphore, a channel or a service",
    .example = "mmf create Cat 10K --background",
    .options = options,
    .least = 1,
    .most = 2,
    .program = ARGS_PROGRAM,
    .run = run};
