/* send.c - mmf send: a message into a queue, a topic or a latest value. */
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel_object.h"
#include "os.h"
#include "say.h"
#include "stop.h"

static void
send_one(struct channel_object *channel, const char *bytes, int64_t length,
         int32_t timeout)
{
    int rc;

    if (length > channel->message_size)
        say_usage("a message of %lld bytes is too long: \"%s\" takes %lld at most",
                  (long long)length, channel->name, (long long)channel->message_size);
    rc = channel_object_send(channel, bytes, length, timeout);
    if (rc == MMF_TIMED_OUT) {
        channel_object_close(channel);
        stop_leave();
        say_and_exit(TOOL_TIMED_OUT, "the channel was full all the time");
    }
    say_check(rc);
}

/* All of standard input as one message. */
static void
send_input(struct channel_object *channel, int32_t timeout)
{
    size_t room = (size_t)channel->message_size + 1;
    char *buffer = malloc(room);
    size_t length;

    if (buffer == NULL)
        say_no_memory();
    length = fread(buffer, 1, room, stdin);
    if (length == room) {
        free(buffer);
        say_usage("standard input has more than \"%s\" takes: %lld bytes at most; "
                  "--lines makes each line a message",
                  channel->name, (long long)channel->message_size);
    }
    send_one(channel, buffer, (int64_t)length, timeout);
    free(buffer);
}

static void
send_lines(struct channel_object *channel, int32_t timeout)
{
    char *line = NULL;
    size_t room = 0;
    int64_t length;

    while (!stop_signal() && (length = os_read_line(&line, &room)) >= 0)
        send_one(channel, line, length, timeout);
    free(line);
}

static int
run(struct args *args)
{
    struct channel_object channel;
    int32_t timeout = args_timeout(args, "timeout");

    if (args->count > 1 && args_value(args, "lines") != NULL)
        say_usage("--lines sends standard input: no TEXT with it");
    stop_note();
    channel_object_open(args_name(args->operands[0]), MMF_ROLE_SEND, 0, &channel);
    if (args->count > 1)
        send_one(&channel, args->operands[1], (int64_t)strlen(args->operands[1]),
                 timeout);
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
    {"timeout", 't', "TIME", "wait no longer for a free slot; or forever"},
    {NULL, 0, NULL, NULL}};

const struct command command_send = {
    "send", "NAME [TEXT]", "send a message", options, 1, 2, ARGS_NO_PROGRAM, run};
