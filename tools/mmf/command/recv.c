/* recv.c - mmf recv: receive messages of a queue, a topic or a latest value. */
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
    int32_t timeout = args_timeout(args, "timeout");
    int64_t count = args_number(args, "count", 1, INT64_MAX, 1);
    int status;

    stop_note();
    channel_object_open(args_name(args->operands[0]), MMF_ROLE_RECEIVE, 0, &channel);
    status = channel_object_print(&channel, count, timeout,
                                  args_value(args, "raw") != NULL, 0);
    channel_object_close(&channel);
    stop_leave();
    if (status == TOOL_TIMED_OUT && args_value(args, "quiet") == NULL)
        say("timed out");
    return status;
}

static const struct option_spec options[] = {
    {"count", 'c', "N", "number of messages (1)"},
    {"timeout", 't', "TIME", "wait at most 250ms, 5s for each; or forever"},
    {"raw", 'r', NULL, "the bytes unchanged, without a line end"},
    {"quiet", 'q', NULL, "no message at a timeout"},
    {NULL, 0, NULL, NULL}};

const struct command command_recv = {
    .name = "recv",
    .operands = "NAME",
    .summary = "receive messages",
    .example = "mmf recv Jobs --timeout 5s",
    .options = options,
    .kinds = 1u << MMF_KIND_QUEUE | 1u << MMF_KIND_TOPIC | 1u << MMF_KIND_LATEST,
    .least = 1,
    .most = 1,
    .run = run};
