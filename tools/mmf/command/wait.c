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
#include "base/turns.h"
#include "object/sync_object.h"
#include "os/stop.h"

struct waited {
    struct sync_object object[MMF_WAIT_MAXIMUM];
    mmf_waitable *waitable[MMF_WAIT_MAXIMUM];
    int count;
};

static void
open_all(const struct args *args, struct waited *objects)
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
    const struct waited *objects = payload;

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
close_all(struct waited *objects)
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
finish(struct waited *objects, int all, int index, int rc)
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

/*
 * Names.
 */

/* Opened as a map, every object answers: if only that it is another kind, or not ours. */
static int
exists(const char *name, int32_t turn)
{
    mmf_map_options options = {.size = sizeof(options), .wait_ms = turn};
    mmf_map *map = NULL;
    int rc;

    options.rights = MMF_RIGHTS_READ;
    rc = mmf_map_open_existing(name, &options, &map);
    mmf_map_close(map);
    if (rc != MMF_E_NOT_FOUND && rc != MMF_E_WRONG_KIND && rc != MMF_E_ACCESS)
        say_check(rc);
    return rc != MMF_E_NOT_FOUND;
}

/* Until all names exist, or existed at one time. */
static int
wait_for_names(const struct args *args, int32_t timeout)
{
    struct turns turns = turns_begin(timeout);
    int32_t turn;
    int i = 0;

    while (i < args->count && (turn = turns_next(&turns)) >= 0)
        while (i < args->count && exists(args_name(args->operands[i]), turn))
            i++;
    stop_leave();
    if (i < args->count && args_value(args, "quiet") == NULL)
        say("timed out: there is no \"%s\"", args->operands[i]);
    return i < args->count ? TOOL_TIMED_OUT : TOOL_DONE;
}

static int
run(struct args *args)
{
    static struct waited objects;
    int all = args_value(args, "all") != NULL;
    int32_t timeout = args_timeout(args, "timeout");
    int index = 0;
    int rc;

    stop_note();
    if (args_value(args, "exists") != NULL) {
        for (int i = 0; i < args->count; i++)
            args_name(args->operands[i]);
        if (all)
            say_usage("--exists waits for all names: give no --all with it");
        return wait_for_names(args, timeout);
    }
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
    {"exists", 'e', NULL, "until there are objects of these names, of any kind"},
    {"all", 'a', NULL, "until all are available at once, and take all"},
    {"timeout", 't', "TIME", "wait at most 250ms, 5s, 1m; or forever"},
    {"quiet", 'q', NULL, "no message at a timeout"},
    {NULL, 0, NULL, NULL}};

const struct command command_wait = {
    .name = "wait",
    .operands = "NAME...",
    .summary = "wait for an event, a semaphore or a mutex",
    .example = "mmf wait Door --timeout 5s",
    .options = options,
    .kinds = 1u << MMF_KIND_EVENT | 1u << MMF_KIND_SEMAPHORE | 1u << MMF_KIND_MUTEX,
    .least = 1,
    .most = -1,
    .run = run};
