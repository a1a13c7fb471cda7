/*
 * tail.c - mmf tail: follow a topic or a latest value until Ctrl-C; or show what is in a
 * queue, without taking it.
 */
#include "command/commands.h"

#include <mmf/kind.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/say.h"
#include "object/channel_object.h"
#include "os/stop.h"

/* Up to `most` messages of a queue, the oldest first. */
static int
browse(const struct args *args, const char *name, int64_t most)
{
    struct browsed browsed;

    channel_object_browse(name, most, SIZE_MAX, &browsed);
    for (size_t i = 0; i < browsed.count && !ferror(stdout); i++) {
        const mmf_queue_item *item = &browsed.items[i];

        if (item->bytes == NULL)
            continue; /* it is being written */
        if (args_value(args, "number") != NULL)
            printf("%llu\t", (unsigned long long)item->sequence);
        channel_object_print_one(item->bytes, item->copied,
                                 args_value(args, "raw") != NULL);
    }
    channel_object_forget(&browsed);
    return TOOL_DONE;
}

static int
run(struct args *args)
{
    const char *name = args_name(args->operands[0]);
    struct channel_object channel;
    int32_t replay = (int32_t)args_number(args, "replay", 0, INT32_MAX, 0);
    int64_t count = args_number(args, "count", 1, INT64_MAX, INT64_MAX);
    int32_t timeout = args_timeout(args, "timeout");
    int status;

    if (args_value(args, "browse") != NULL) {
        if (args_value(args, "replay") != NULL || args_value(args, "timeout") != NULL)
            say_usage("--browse shows what is there and ends: give no --replay and no "
                      "--timeout with it");
        return browse(args, name, count);
    }
    stop_note();
    channel_object_open(name, MMF_ROLE_RECEIVE, replay, &channel);
    if (channel.kind == MMF_KIND_QUEUE) {
        channel_object_close(&channel);
        say_and_exit(
            TOOL_WRONG_KIND,
            "\"%s\" is a queue, and tail would take messages from its consumers; "
            "--browse shows them, mmf recv takes them",
            name);
    }
    status =
        channel_object_print(&channel, count, timeout, args_value(args, "raw") != NULL,
                             args_value(args, "number") != NULL);
    channel_object_close(&channel);
    stop_leave();
    return status;
}

static const struct option_spec options[] = {
    {"browse", 'b', NULL, "queue: show what is in it, and take nothing"},
    {"replay", 'r', "N", "topic: begin with N older messages"},
    {"count", 'c', "N", "end after N messages"},
    {"timeout", 't', "TIME", "end if no message comes for this long"},
    {"number", 'n', NULL, "print each message's number in the channel"},
    {"raw", 0, NULL, "the bytes unchanged, without a line end"},
    {NULL, 0, NULL, NULL}};

const struct command command_tail = {
    .name = "tail",
    .operands = "NAME",
    .summary = "follow a topic or a latest value; look into a queue",
    .example = "mmf tail News --replay 10",
    .options = options,
    .kinds = 1u << MMF_KIND_TOPIC | 1u << MMF_KIND_LATEST | 1u << MMF_KIND_QUEUE,
    .least = 1,
    .most = 1,
    .run = run};
