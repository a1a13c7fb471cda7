/*
 * wait.c - mmf wait: wait until an event is set, a semaphore is available, or a mutex is
 * free.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/text.h"
#include "object/sync_object.h"
#include "os/stop.h"

struct objects {
    struct sync_object object[MMF_WAIT_MAXIMUM];
    mmf_waitable *waitable[MMF_WAIT_MAXIMUM];
    int count;
};

static void
open_all(const struct args *args, struct objects *objects)
{
    if (args->count > MMF_WAIT_MAXIMUM)
        say_usage("too many names: %d, at most %d", args->count, MMF_WAIT_MAXIMUM);
    for (int i = 0; i < args->count; i++) {
        sync_object_open(args_name(args->operands[i]), &objects->object[i]);
        objects->waitable[i] = objects->object[i].waitable;
    }
    objects->count = args->count;
}

static void
report(void *payload)
{
    const struct objects *objects = payload;

    for (int i = 0; i < objects->count; i++)
        sync_object_report(objects->object[i].name);
}

/* A mutex that was waited for is released at once. */
static void
release_mutex(struct sync_object *object)
{
    if (object->mutex != NULL)
        say_check(mmf_mutex_release(object->mutex));
}

static void
close_all(struct objects *objects)
{
    for (int i = 0; i < objects->count; i++)
        sync_object_close(&objects->object[i]);
}

static void
print_name(const char *name)
{
    char *text = text_escape_string(name);

    puts(text);
    free(text);
}

static void
finish(struct objects *objects, int all, int index, int rc)
{
    for (int i = 0; i < objects->count; i++)
        if (all || i == index)
            release_mutex(&objects->object[i]);
    if (rc == MMF_ABANDONED)
        say("%s was abandoned: its owner died",
            all ? "a mutex" : objects->object[index].name);
    if (!all && objects->count > 1)
        print_name(objects->object[index].name);
}

static int
run(struct args *args)
{
    static struct objects objects;
    int all = args_value(args, "all") != NULL;
    int32_t timeout = args_timeout(args, "timeout");
    int index = 0;
    int rc;

    stop_note();
    open_all(args, &objects);
    rc = sync_object_wait(objects.waitable, objects.count, all, timeout, &index, report,
                          &objects);
    if (rc == MMF_OK || rc == MMF_ABANDONED)
        finish(&objects, all, index, rc);
    close_all(&objects);
    if (rc == MMF_TIMED_OUT)
        stop_leave();
    say_check(rc);
    if (rc == MMF_TIMED_OUT && args_value(args, "quiet") == NULL)
        say("timed out");
    return say_status_of(rc);
}

static const struct option_spec options[] = {
    {"all", 'a', NULL, "until all are available at once, and take all"},
    {"timeout", 't', "TIME", "wait at most 250ms, 5s, 1m; or forever"},
    {"quiet", 'q', NULL, "no message at a timeout"},
    {NULL, 0, NULL, NULL}};

const struct command command_wait = {.name = "wait",
                                     .operands = "NAME...",
                                     .summary =
                                         "wait for an event, a semaphore or a mutex",
                                     .example = "mmf wait Door --timeout 5s",
                                     .options = options,
                                     .least = 1,
                                     .most = -1,
                                     .run = run};
