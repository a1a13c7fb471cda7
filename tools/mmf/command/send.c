/* send.c - mmf send: send a message to a queue, a topic or a latest value. */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
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

static int
run(struct args *args)
{
    struct channel_object channel;
    int32_t timeout = args_timeout(args, "timeout");

    if (args->count > 1 && args_value(args, "lines") != NULL)
        say_usage("--lines reads standard input: give no TEXT with it");
    stop_note();
    channel_object_open(args_name(args->operands[0]), MMF_ROLE_SEND, 0, &channel);
    if (args->count > 1)
        send_one(&channel, args->operands[1], strlen(args->operands[1]), timeout);
    else if (args_value(args, "lines") != NULL)
        send_lines(&channel, timeout);
    else
        send_input(&channel, timeout);
    channel_object_close(&channel);
    stop_leave();
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"lines", 'L', NULL, "each line of standard input is a message"},
    {"timeout", 't', "TIME", "wait at most this long for a free slot (forever)"},
    {NULL, 0, NULL, NULL}};

const struct command command_send = {.name = "send",
                                     .operands = "NAME [TEXT]",
                                     .summary = "send a message",
                                     .example = "mmf send Jobs 'build 42'",
                                     .options = options,
                                     .least = 1,
                                     .most = 2,
                                     .run = run};
