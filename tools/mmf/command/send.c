/* send.c - mmf send: send a message to a queue, a topic or a latest value. */
#include "command/commands.h"

#include <mmf/kind.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "base/turns.h"
#include "object/channel_object.h"
#include "os/os.h"
#include "os/stop.h"

static void
send_one(struct channel_object *channel, const char *bytes, size_t length,
         int32_t timeout)
{
    int rc;

    if (length > channel->message_size)
        say_usage("message of %zu bytes is too long: \"%s\" takes at most %zu", length,
                  channel->name, channel->message_size);
    rc = channel_object_send(channel, bytes, length, timeout);
    if (rc == MMF_TIMED_OUT) {
        channel_object_close(channel);
        stop_leave();
        say_and_exit(TOOL_TIMED_OUT, "timed out: \"%s\" is full", channel->name);
    }
    say_check(rc);
}

/* All of standard input as one message. */
static void
send_input(struct channel_object *channel, int32_t timeout)
{
    size_t space = channel->message_size + 1;
    char *buffer = malloc(space);
    size_t length;

    if (buffer == NULL)
        say_no_memory();
    length = fread(buffer, 1, space, stdin);
    if (length == space) {
        free(buffer);
        say_usage("standard input is too long: \"%s\" takes at most %zu bytes; --lines "
                  "makes each line a message",
                  channel->name, channel->message_size);
    }
    send_one(channel, buffer, length, timeout);
    free(buffer);
}

static void
send_lines(struct channel_object *channel, int32_t timeout)
{
    char *line = NULL;
    size_t space = 0;
    int64_t length;

    while (!stop_signal() && (length = os_read_line(&line, &space)) >= 0)
        send_one(channel, line, (size_t)length, timeout);
    free(line);
}

/* A queue goes with its last process: what we have made stays until it is empty. */
static int
wait_until_received(const struct channel_object *channel, int32_t timeout)
{
    struct turns turns = turns_begin(timeout);
    int rc = MMF_TIMED_OUT;
    int32_t turn;

    while (rc == MMF_TIMED_OUT && (turn = turns_next(&turns)) >= 0)
        rc = mmf_queue_drain(channel->handle, turn);
    say_check(rc);
    if (rc == MMF_OK || stop_signal())
        return TOOL_DONE;
    say("timed out: messages that were not received are gone");
    return TOOL_TIMED_OUT;
}

static int
run(struct args *args)
{
    struct channel_object channel;
    int32_t timeout = args_timeout(args, "timeout");
    int is_made = 0;
    int status = TOOL_DONE;

    if (args->count > 1 && args_value(args, "lines") != NULL)
        say_usage("--lines reads standard input: give no TEXT with it");
    stop_note();
    if (args_value(args, "create") != NULL)
        is_made = channel_object_make(args_name(args->operands[0]),
                                      args->count > 1 ? strlen(args->operands[1]) : 0,
                                      &channel);
    else
        channel_object_open(args_name(args->operands[0]), MMF_ROLE_SEND, 0, &channel);
    if (args->count > 1)
        send_one(&channel, args->operands[1], strlen(args->operands[1]), timeout);
    else if (args_value(args, "lines") != NULL)
        send_lines(&channel, timeout);
    else
        send_input(&channel, timeout);
    if (is_made)
        status = wait_until_received(&channel, timeout);
    channel_object_close(&channel);
    stop_leave();
    return status;
}

static const struct option_spec options[] = {
    {"create", 'c', NULL, "make the queue if it is missing; stay until it is empty"},
    {"lines", 'L', NULL, "each line of standard input is a message"},
    {"timeout", 't', "TIME", "wait at most this long for a free slot (forever)"},
    {NULL, 0, NULL, NULL}};

const struct command command_send = {
    .name = "send",
    .operands = "NAME [TEXT]",
    .summary = "send a message",
    .example = "mmf send Jobs 'build 42'",
    .options = options,
    .kinds = 1u << MMF_KIND_QUEUE | 1u << MMF_KIND_TOPIC | 1u << MMF_KIND_LATEST,
    .least = 1,
    .most = 2,
    .run = run};
