/* signal.c - mmf signal: set an event, or release a semaphore. */
#include "command/commands.h"

#include <stddef.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "object/sync_object.h"

static int
signal_event(const struct args *args, struct sync_object *object)
{
    if (args_value(args, "count") != NULL)
        say_usage("\"%s\" is an event: --count is for semaphores", object->name);
    if (args_value(args, "reset") != NULL)
        return mmf_event_reset(object->event);
    return mmf_event_set(object->event);
}

static int
signal_semaphore(const struct args *args, struct sync_object *object)
{
    int32_t count = (int32_t)args_number(args, "count", 1, INT32_MAX, 1);

    if (args_value(args, "reset") != NULL)
        say_usage("\"%s\" is a semaphore: --reset is for events", object->name);
    return mmf_semaphore_release(object->semaphore, count, NULL);
}

static int
run(struct args *args)
{
    struct sync_object object;
    int rc;

    args_number(args, "count", 1, INT32_MAX, 1);
    sync_object_open(args_name(args->operands[0]), &object);
    if (object.kind == MMF_KIND_MUTEX)
        say_and_exit(TOOL_WRONG_KIND,
                     "\"%s\" is a mutex, which only its owner can release; mmf lock "
                     "owns one for a command",
                     object.name);
    rc = object.kind == MMF_KIND_EVENT ? signal_event(args, &object)
                                       : signal_semaphore(args, &object);
    say_check(rc);
    sync_object_close(&object);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"count", 'c', "N", "release a semaphore N times (1)"},
    {"reset", 'r', NULL, "reset an event"},
    {NULL, 0, NULL, NULL}};

const struct command command_signal = {
    .name = "signal",
    .operands = "NAME",
    .summary = "set an event, or release a semaphore",
    .example = "mmf signal Door",
    .options = options,
    .kinds = 1u << MMF_KIND_EVENT | 1u << MMF_KIND_SEMAPHORE,
    .least = 1,
    .most = 1,
    .run = run};
