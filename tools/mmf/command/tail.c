/* tail.c - mmf tail: follow a topic or a latest value until Ctrl-C. */
#include "command/commands.h"

#include <mmf/kind.h>

#include <stdint.h>
#include <stdlib.h>

#include "base/say.h"
#include "object/channel_object.h"
#include "os/stop.h"

static int
run(struct args *args)
{
    struct channel_object channel;
    int32_t replay = (int32_t)args_number(args, "replay", 0, INT32_MAX, 0);
    int64_t count = args_number(args, "count", 1, INT64_MAX, INT64_MAX);
    int32_t timeout = args_timeout(args, "timeout");
    int status;

    stop_note();
    channel_object_open(args_name(args->operands[0]), MMF_ROLE_RECEIVE, replay,
                        &channel);
    if (channel.kind == MMF_KIND_QUEUE) {
        channel_object_close(&channel);
        say_and_exit(
            TOOL_WRONG_KIND,
            "\"%s\" is a queue, and tail would take messages from its consumers; "
            "use mmf recv",
            channel.name);
    }
    status =
        channel_object_print(&channel, count, timeout, args_value(args, "raw") != NULL,
                             args_value(args, "number") != NULL);
    channel_object_close(&channel);
    stop_leave();
    return status;
}

static const struct option_spec options[] = {
    {"replay", 'r', "N", "topic: begin with N older messages"},
    {"count", 'c', "N", "end after N messages"},
    {"timeout", 't', "TIME", "end if no message comes for this long"},
    {"number", 'n', NULL, "print each message's number in the channel"},
    {"raw", 0, NULL, "the bytes unchanged, without a line end"},
    {NULL, 0, NULL, NULL}};

const struct command command_tail = {.name = "tail",
                                     .operands = "NAME",
                                     .summary = "follow a topic or a latest value",
                                     .example = "mmf tail News --replay 10",
                                     .options = options,
                                     .kinds =
                                         1u << MMF_KIND_TOPIC | 1u << MMF_KIND_LATEST,
                                     .least = 1,
                                     .most = 1,
                                     .run = run};
