/*
 * call.c - mmf call: send requests to a service, one after the other, and write their
 * answers.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/text.h"
#include "base/turns.h"
#include "os/os.h"
#include "os/stop.h"

struct caller {
    const char *name;
    mmf_service *service;
    size_t request_size;
    size_t answer_size;
    char *buffer; /* for a request or an answer, and a byte more */
    int32_t timeout;
    int raw;
};

static void
open_service(const char *name, struct caller *caller)
{
    mmf_service_options options = {.size = sizeof(options),
                                   .role = MMF_ROLE_CLIENT,
                                   .strategy = MMF_STRATEGY_WAIT};
    mmf_channel_stats stats;
    size_t larger;

    caller->name = name;
    say_check(mmf_service_open_existing(name, &options, &caller->service));
    say_check(mmf_service_stat(caller->service, &stats));
    caller->request_size = (size_t)stats.message_size;
    caller->answer_size = (size_t)stats.answer_size;
    larger = caller->request_size > caller->answer_size ? caller->request_size
                                                        : caller->answer_size;
    caller->buffer = malloc(larger + 1);
    if (caller->buffer == NULL)
        say_no_memory();
}

/* Open calls are cancelled. */
static void
close_service(struct caller *caller)
{
    mmf_service_close(caller->service);
    free(caller->buffer);
    stop_leave();
}

static _Noreturn void
end_timed_out(struct caller *caller)
{
    mmf_channel_stats stats;

    say_check(mmf_service_stat(caller->service, &stats));
    close_service(caller);
    say_and_exit(TOOL_TIMED_OUT, "timed out: no answer from \"%s\"%s", caller->name,
                 stats.receivers == 0 ? ", which has no server" : "");
}

static uint64_t
send_request(struct caller *caller, const char *bytes, size_t length)
{
    struct turns turns = turns_begin(caller->timeout);
    uint64_t call = 0;
    int rc = MMF_TIMED_OUT;
    int32_t turn;

    if (length > caller->request_size)
        say_usage("request of %zu bytes is too long: \"%s\" takes at most %zu", length,
                  caller->name, caller->request_size);
    while (rc == MMF_TIMED_OUT && (turn = turns_next(&turns)) >= 0)
        rc = mmf_service_send(caller->service, bytes, length, turn, &call);
    if (rc == MMF_TIMED_OUT)
        end_timed_out(caller);
    say_check(rc);
    return call;
}

/* A line end follows, unless it ends with one. */
static void
print_answer(const struct caller *caller, size_t length)
{
    const char *bytes = caller->buffer;

    if (!caller->raw && os_is_terminal(stdout))
        text_write(bytes, length, 1);
    else
        fwrite(bytes, 1, length, stdout);
    if (!caller->raw && length > 0 && bytes[length - 1] != '\n')
        putchar('\n');
    fflush(stdout);
}

/* The next answer, into the buffer. */
static mmf_message
receive_answer(struct caller *caller, uint64_t call, size_t *length)
{
    struct turns turns = turns_begin(caller->timeout);
    mmf_message answer = {.flags = 0};
    int rc = MMF_TIMED_OUT;
    int32_t turn;

    while (rc == MMF_TIMED_OUT && (turn = turns_next(&turns)) >= 0)
        rc = mmf_service_receive_answer(caller->service, call, caller->buffer,
                                        caller->answer_size, turn, length, &answer);
    if (rc == MMF_TIMED_OUT)
        end_timed_out(caller);
    say_check(rc);
    return answer;
}

static void
call_once(struct caller *caller, const char *bytes, size_t length)
{
    uint64_t call = send_request(caller, bytes, length);
    uint32_t deliveries = 0;
    mmf_message answer;

    do {
        answer = receive_answer(caller, call, &length);
        if (deliveries != 0 && answer.deliveries != deliveries)
            say("the server has died or returned the request: the answers begin anew");
        deliveries = answer.deliveries;
        print_answer(caller, length);
    } while (!(answer.flags & MMF_MESSAGE_LAST));
}

/* All of standard input as one request. */
static void
call_with_input(struct caller *caller)
{
    size_t length = fread(caller->buffer, 1, caller->request_size + 1, stdin);

    if (length > caller->request_size)
        say_usage("standard input is too long: \"%s\" takes at most %zu bytes; --lines "
                  "makes each line a request",
                  caller->name, caller->request_size);
    call_once(caller, caller->buffer, length);
}

static void
call_with_lines(struct caller *caller)
{
    char *line = NULL;
    size_t space = 0;
    int64_t length;

    while (!stop_signal() && !ferror(stdout) &&
           (length = os_read_line(&line, &space)) >= 0)
        call_once(caller, line, (size_t)length);
    free(line);
}

static int
run(struct args *args)
{
    struct caller caller = {.timeout = args_timeout(args, "timeout"),
                            .raw = args_value(args, "raw") != NULL};
    int by_lines = args_value(args, "lines") != NULL;

    if (args->count > 1 && by_lines)
        say_usage("--lines reads standard input: give no MESSAGE with it");
    stop_note();
    open_service(args_name(args->operands[0]), &caller);
    for (int i = 1; i < args->count && !ferror(stdout); i++)
        call_once(&caller, args->operands[i], strlen(args->operands[i]));
    if (by_lines)
        call_with_lines(&caller);
    else if (args->count == 1)
        call_with_input(&caller);
    close_service(&caller);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"lines", 'L', NULL, "each line of standard input is a request"},
    {"timeout", 't', "TIME", "wait at most 250ms, 5s for each answer; or forever"},
    {"raw", 'r', NULL, "the answers' bytes unchanged, without line ends"},
    {NULL, 0, NULL, NULL}};

const struct command command_call = {
    .name = "call",
    .operands = "NAME [MESSAGE...]",
    .summary = "send requests to a service, and write the answers",
    .example = "mmf call Upper 'hello' --timeout 5s",
    .options = options,
    .kinds = 1u << MMF_KIND_SERVICE,
    .least = 1,
    .most = -1,
    .run = run};
