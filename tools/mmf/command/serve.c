/*
 * serve.c - mmf serve: answer a service's requests by running a command for each.
 *
 * A request stays in flight while its command runs. If it fails, the request is returned,
 * and goes to another server or to this one again; if we die, the library returns it.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/text.h"
#include "base/turns.h"
#include "base/units.h"
#include "os/os.h"
#include "os/program.h"
#include "os/stop.h"

enum { USUAL_SIZE = 4096, USUAL_CAPACITY = 64, USUAL_TRIES = 3 };

struct server {
    const char *name;
    mmf_service *service;
    size_t answer_size;
    char *buffer; /* an answer, and a byte more */
    char **program;
    int64_t tries; /* deliveries to all servers, before its answer is empty */
};

static mmf_service *
open_or_make(const struct args *args, const char *name)
{
    mmf_service_options options = {.size = sizeof(options),
                                   .role = MMF_ROLE_SERVER,
                                   .strategy = MMF_STRATEGY_WAIT};
    mmf_service *service = NULL;
    int rc = mmf_service_open_existing(name, &options, &service);

    if (args_value(args, "mode") != NULL)
        options.mode = units_mode("--mode", args_value(args, "mode"));
    if (rc == MMF_E_NOT_FOUND && args_value(args, "existing") == NULL) {
        rc = mmf_service_create_new(name, USUAL_SIZE, USUAL_SIZE, USUAL_CAPACITY,
                                    &options, &service);
        if (rc == MMF_E_EXISTS) /* another server was faster */
            rc = mmf_service_open_existing(name, &options, &service);
    }
    say_check(rc);
    return service;
}

static void
begin(const struct args *args, struct server *server)
{
    mmf_channel_stats stats;

    server->service = open_or_make(args, server->name);
    say_check(mmf_service_stat(server->service, &stats));
    server->answer_size = (size_t)stats.answer_size;
    server->buffer = malloc(server->answer_size + 1);
    if (server->buffer == NULL)
        say_no_memory();
    if (os_is_terminal(stderr))
        say("serving \"%s\"; Ctrl-C ends it", server->name);
}

/*
 * Answering.
 */

/* A piece of the output that is longer than an answer ends with a line, if it can. */
static size_t
cut_at_line(const char *bytes, size_t length)
{
    size_t end = length;

    while (end > 0 && bytes[end - 1] != '\n')
        end--;
    return end > 0 ? end : length;
}

/* 0: the client wants no more, or a signal has come. */
static int
send_answer(const struct server *server, const mmf_message *request, size_t length,
            uint32_t flags)
{
    struct turns turns = turns_begin(-1);
    int rc = MMF_TIMED_OUT;
    int32_t turn;

    while (rc == MMF_TIMED_OUT && (turn = turns_next(&turns)) >= 0)
        rc = mmf_service_answer(server->service, request, server->buffer, length, flags,
                                turn);
    if (rc != MMF_E_PEER_CLOSED)
        say_check(rc);
    return rc == MMF_OK;
}

static int
is_wanted(const struct server *server, const mmf_message *request)
{
    int wanted;

    say_check(mmf_service_is_wanted(server->service, request, &wanted));
    return wanted;
}

/* The output in as many answers as it needs. */
static void
send_output(const struct server *server, const mmf_message *request, intptr_t output)
{
    uint32_t flags = MMF_ANSWER_MORE;
    int64_t at = 0;

    while (flags == MMF_ANSWER_MORE) {
        size_t length =
            program_read(output, at, server->buffer, server->answer_size + 1);

        if (length <= server->answer_size)
            flags = MMF_ANSWER_LAST;
        else
            length = cut_at_line(server->buffer, server->answer_size);
        if (!send_answer(server, request, length, flags))
            break;
        at += (int64_t)length;
    }
    if (flags == MMF_ANSWER_MORE && !stop_signal())
        send_answer(server, request, 0, MMF_ANSWER_LAST);
}

/*
 * Serving.
 */

static void
give_up_or_return(const struct server *server, const mmf_message *request,
                  const struct program_end *end)
{
    int is_last = request->deliveries >= server->tries;
    char *how = end->how[0] != '\0' ? text_format("was %s", end->how)
                                    : text_format("ended with status %d", end->status);

    say("request %llu: the command %s; %s", (unsigned long long)request->sequence, how,
        is_last ? "the answer is empty" : "the request is returned");
    free(how);
    if (is_last)
        send_answer(server, request, 0, MMF_ANSWER_LAST);
    else
        say_check(mmf_service_return(server->service, request));
}

/* The exit status, if it must be the last request; else TOOL_DONE. */
static int
serve(const struct server *server, const mmf_message *request)
{
    struct program_end end;
    char number[16];
    intptr_t output;

    if (!is_wanted(server, request)) {
        send_answer(server, request, 0, MMF_ANSWER_LAST);
        return TOOL_DONE;
    }
    if (stop_signal())
        return TOOL_DONE; /* it goes back with us */
    snprintf(number, sizeof(number), "%u", request->deliveries);
    os_set_variable("MMF_SERVE_DELIVERIES", number);
    end = program_filter(server->program, request->bytes, request->length, &output);
    if (end.status == 0)
        send_output(server, request, output);
    else if (end.status == TOOL_CANNOT_RUN || end.status == TOOL_NO_COMMAND)
        say_check(mmf_service_return(server->service, request));
    else if (!stop_signal()) /* else it goes back with us */
        give_up_or_return(server, request, &end);
    program_forget(output);
    return end.status == TOOL_CANNOT_RUN || end.status == TOOL_NO_COMMAND ? end.status
                                                                          : TOOL_DONE;
}

/* The next request; MMF_TIMED_OUT also if a signal has come. */
static int
take(const struct server *server, int32_t timeout, mmf_message *request)
{
    struct turns turns = turns_begin(timeout);
    int rc = MMF_TIMED_OUT;
    int32_t turn;

    while (rc == MMF_TIMED_OUT && (turn = turns_next(&turns)) >= 0)
        rc = mmf_service_take(server->service, turn, request);
    say_check(rc);
    return rc;
}

static int
run(struct args *args)
{
    struct server server = {.name = args_name(args->operands[0]),
                            .program = args->program,
                            .tries = args_number(args, "tries", 1, 255, USUAL_TRIES)};
    int64_t most = args_number(args, "count", 1, INT64_MAX, INT64_MAX);
    int32_t timeout = args_timeout(args, "timeout");
    int status = TOOL_DONE;
    mmf_message request;

    stop_note();
    begin(args, &server);
    for (int64_t i = 0; i < most && status == TOOL_DONE && !stop_signal(); i++)
        status = take(&server, timeout, &request) == MMF_OK ? serve(&server, &request)
                                                            : TOOL_TIMED_OUT;
    mmf_service_close(server.service);
    free(server.buffer);
    stop_leave();
    return status;
}

static const struct option_spec options[] = {
    {"tries", 0, "N", "an empty answer if its command fails at the Nth delivery (3)"},
    {"count", 'c', "N", "end after N requests"},
    {"timeout", 't', "TIME", "end if no request comes for this long"},
    {"existing", 'e', NULL, "fail if there is no such service; do not create it"},
    {"mode", 'm', "MODE", "permission bits of a new service (600)"},
    {NULL, 0, NULL, NULL}};

const struct command command_serve = {
    .name = "serve",
    .operands = "NAME",
    .summary = "answer a service's requests with a command's output",
    .example = "mmf serve Upper tr a-z A-Z",
    .options = options,
    .kinds = 1u << MMF_KIND_SERVICE,
    .least = 1,
    .most = 1,
    .program = ARGS_PROGRAM,
    .run = run};
