/*
 * main.c - the program mmf-bridge: reads what to do, connects, starts the links, says that
 * it is ready, and waits for a signal. It may be killed at any time.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mmf/version.h>

#include "config.h"
#include "link.h"
#include "local.h"
#include "log.h"
#include "metrics.h"
#include "notify.h"
#include "server.h"

enum { ARGUMENTS_MAX = 256, TICK_MS = 50, CONNECT_PAUSE_MS = 5000 };

struct program {
    const char *file;
    bool is_check;
    bool connects; /* check: asks the server, too */
    struct config_argument arguments[ARGUMENTS_MAX];
    size_t count;
};

static void
print_help(void)
{
    printf("mmf-bridge - take channels of mmf to other machines, over NATS\n\n"
           "usage: mmf-bridge [run] [FILE] [--KEY VALUE...]\n"
           "       mmf-bridge check [--connect] [FILE] [--KEY VALUE...]\n\n"
           "FILE has sections; the keys of [bridge] and [server] are options as well, "
           "and\n"
           "a channel is --KIND NAME,KEY=VALUE,...\n");
    config_print_keys();
    printf("\nexample: mmf-bridge --server nats://127.0.0.1:4222 "
           "--queue Jobs,direction=out\n\nSee also: man mmf-bridge.\n");
}

/*
 * Arguments.
 */

static int
usage(const char *what, const char *of)
{
    (void)fprintf(stderr,
                  "mmf-bridge: %s \"%s\"; mmf-bridge --help lists what there is\n",
                  what, of);
    return EXIT_USAGE;
}

/* "--KEY VALUE" or "--KEY=VALUE"; moves `*i` to the last of it. */
static int
read_option(struct program *program, char **argv, int argc, int *i)
{
    char *key = argv[*i] + 2;
    char *value = strchr(key, '=');
    bool is_separate = value == NULL || (size_t)(value - key) > strcspn(key, ",");

    if (!is_separate)
        *value++ = '\0';
    if (!config_has_key(key))
        return usage("unknown option", key);
    if (is_separate)
        value = *i + 1 < argc ? argv[++*i] : NULL;
    if (value == NULL)
        return usage("there is no value for option", key);
    if (program->count == ARGUMENTS_MAX)
        return usage("too many options; the last is", key);
    program->arguments[program->count++] =
        (struct config_argument){.key = key, .value = value};
    return EXIT_DONE;
}

static int
read_arguments(struct program *program, int argc, char **argv)
{
    int first =
        argc > 1 && (strcmp(argv[1], "run") == 0 || strcmp(argv[1], "check") == 0);
    int status = EXIT_DONE;

    program->is_check = first && strcmp(argv[1], "check") == 0;
    for (int i = 1 + first; i < argc && status == EXIT_DONE; i++)
        if (program->is_check && strcmp(argv[i], "--connect") == 0)
            program->connects = true;
        else if (strncmp(argv[i], "--", 2) == 0)
            status = read_option(program, argv, argc, &i);
        else if (program->file == NULL && argv[i][0] != '-')
            program->file = argv[i];
        else
            status = usage("unexpected argument", argv[i]);
    return status;
}

/*
 * Time and signals.
 */

static sigset_t ending;

/* All threads inherit it: signals wait until the program asks for them. */
static void
block_signals(void)
{
    (void)sigemptyset(&ending);
    (void)sigaddset(&ending, SIGTERM);
    (void)sigaddset(&ending, SIGINT);
    (void)sigaddset(&ending, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &ending, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* True: a signal asks for the end. */
static bool
wait_for_signal(int64_t milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = milliseconds % 1000 * 1000000};

    return sigtimedwait(&ending, NULL, &time) > 0;
}

/* 0: no time is left. */
static int64_t
time_left(int64_t deadline)
{
    int64_t now = local_now_ms();

    return deadline < 0 ? INT64_MAX : now < deadline ? deadline - now : 0;
}

/*
 * Connecting.
 */

static bool
needs_jetstream(const struct config *config)
{
    for (size_t i = 0; i < config->count; i++)
        if (config->channels[i]->kind == MMF_KIND_QUEUE ||
            config->channels[i]->stored || config->channels[i]->kind == MMF_KIND_LATEST)
            return true;
    return false;
}

static bool
try_to_connect(struct server *server, const struct config *config,
               struct failure *failure)
{
    if (!server_connect(server, config, failure))
        return false;
    if (!needs_jetstream(config) || server_check_jetstream(server, failure))
        return true;
    server_close(server);
    return false;
}

/* With pauses that grow, until it works, no retry helps, or there is no time left. */
static int
connect_to_server(struct server *server, const struct config *config, int64_t deadline)
{
    struct failure failure = {.status = 0}, said = {.status = 0};
    int64_t pause = TICK_MS;

    while (!try_to_connect(server, config, &failure)) {
        int64_t left = time_left(deadline);
        bool ends = failure.is_fatal || left == 0;

        if (ends || strcmp(said.text, failure.text) != 0)
            log_say(LOG_ERROR, NULL, "%s%s", failure.text,
                    ends ? "" : "; trying again");
        said = failure;
        if (ends)
            return failure.status;
        if (wait_for_signal(pause < left ? pause : left))
            return -1;
        pause = pause * 2 < CONNECT_PAUSE_MS ? pause * 2 : CONNECT_PAUSE_MS;
    }
    return EXIT_DONE;
}

/*
 * Running.
 */

static int
fatal_of(struct bridge *bridge, int *last)
{
    int fatal;

    (void)pthread_mutex_lock(&bridge->mutex);
    fatal = bridge->fatal;
    *last = bridge->status;
    (void)pthread_mutex_unlock(&bridge->mutex);
    return fatal;
}

/* Until all links have worked once; -1: a signal. */
static int
wait_for_links(struct bridge *bridge, int64_t deadline)
{
    while (!bridge_is_ready(bridge)) {
        int last = EXIT_FAILED;
        int fatal = fatal_of(bridge, &last);

        if (fatal != 0)
            return fatal;
        if (time_left(deadline) == 0) {
            log_say(LOG_ERROR, NULL,
                    "not every channel works in the time given by wait");
            return last != 0 ? last : EXIT_FAILED;
        }
        if (wait_for_signal(TICK_MS))
            return -1;
    }
    return EXIT_DONE;
}

/* Until a signal, or until the library has given up the connection. */
static int
serve(struct bridge *bridge)
{
    int64_t every = bridge->config->metrics != NULL ? bridge->config->metrics_ms : 1000;

    log_say(LOG_INFO, NULL, "ready: %zu links", bridge->count);
    notify("READY=1\nSTATUS=all channels work");
    do {
        metrics_write(bridge);
        if (atomic_load(&bridge->server.is_closed)) {
            log_say(LOG_ERROR, NULL, "the server has closed the connection: %s",
                    nats_GetLastError(NULL));
            return EXIT_DENIED;
        }
    } while (!wait_for_signal(every));
    return EXIT_DONE;
}

static int
run_links(struct bridge *bridge, int64_t deadline)
{
    int status = bridge_start(bridge) ? wait_for_links(bridge, deadline) : EXIT_FAILED;

    if (status == EXIT_DONE)
        status = serve(bridge);
    notify("STOPPING=1");
    bridge_stop(bridge);
    metrics_write(bridge);
    return status;
}

static int
run(const struct config *config)
{
    struct bridge bridge;
    int64_t deadline = config->wait_ms < 0 ? -1 : local_now_ms() + config->wait_ms;
    int status = EXIT_FAILED;

    if (bridge_begin(&bridge, config)) {
        status = connect_to_server(&bridge.server, config, deadline);
        if (status == EXIT_DONE)
            status = run_links(&bridge, deadline);
        server_close(&bridge.server);
    }
    bridge_end(&bridge);
    nats_Close();
    return status < 0 ? EXIT_DONE : status;
}

/*
 * Checking.
 */

/* A sending bridge makes its stream; a receiving one needs it. */
static int
check_stream(struct server *server, const struct channel_config *channel,
             const char *stream)
{
    struct stream_state state;
    struct failure failure;

    if (server_stream_state(server, stream, NULL, &state, &failure))
        return EXIT_DONE;
    log_say(LOG_ERROR, channel->title, "%s", failure.text);
    return failure.status;
}

static int
check_streams(struct server *server, const struct channel_config *channel)
{
    const char *rest = channel->from;
    char origin[ORIGIN_MAX + 1];
    struct stream_names names;
    int status = EXIT_DONE;

    if (channel->stored && channel->direction == DIRECTION_IN) {
        server_name_topic(&names, channel->remote);
        return check_stream(server, channel, names.stream);
    }
    if (rest == NULL || channel->mirror_domain != NULL)
        return EXIT_DONE;
    while (config_next_origin(&rest, origin, sizeof origin)) {
        int of_stream;

        server_name_queue(&names, channel->remote, origin);
        of_stream = check_stream(server, channel, names.stream);
        status = of_stream != EXIT_DONE ? of_stream : status;
    }
    return status;
}

static int
check_server(struct server *server, const struct config *config)
{
    int status = EXIT_DONE;

    for (size_t i = 0; i < config->count; i++) {
        int of_channel = check_streams(server, config->channels[i]);

        status = of_channel != EXIT_DONE ? of_channel : status;
    }
    return status;
}

static int
check(const struct config *config, bool connects)
{
    struct server server = {.config = NULL};
    struct failure failure;
    int status = EXIT_DONE;

    if (connects) {
        if (!try_to_connect(&server, config, &failure)) {
            log_say(LOG_ERROR, NULL, "%s", failure.text);
            status = failure.status;
        } else {
            status = check_server(&server, config);
        }
        server_close(&server);
        nats_Close();
    }
    if (status == EXIT_DONE)
        printf("%zu channel%s, no problems\n", config->count,
               config->count == 1 ? "" : "s");
    return status;
}

static int
read_and_run(struct program *program)
{
    int problems = 0;
    struct config *config =
        config_read(program->file, program->arguments, program->count, &problems);
    int status = EXIT_CONFIGURATION;

    if (config == NULL) {
        (void)fprintf(stderr, "mmf-bridge: there is no memory for the configuration\n");
        return EXIT_FAILED;
    }
    log_begin(config->log_json != 0, (enum log_level)config->log_level);
    if (problems > 0)
        (void)fprintf(stderr, "mmf-bridge: %d problem%s\n", problems,
                      problems == 1 ? "" : "s");
    else if (program->is_check)
        status = check(config, program->connects);
    else
        status = run(config);
    config_free(config);
    return status;
}

int
main(int argc, char **argv)
{
    struct program program = {.file = NULL};
    int status;

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help();
        return EXIT_DONE;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("mmf-bridge " MMF_VERSION_STRING);
        return EXIT_DONE;
    }
    status = read_arguments(&program, argc, argv);
    if (status != EXIT_DONE)
        return status;
    block_signals();
    return read_and_run(&program);
}
