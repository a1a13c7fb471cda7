/*
 * lock.c - mmf lock: run a command while owning a mutex.
 *
 * If the command is killed, what the mutex guards may be half done. Then we end without
 * releasing it, so that the next owner gets MMF_ABANDONED.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/units.h"
#include "object/sync_object.h"
#include "os/os.h"
#include "os/program.h"
#include "os/stop.h"

static mmf_mutex *
open_mutex(const struct args *args, const char *name)
{
    mmf_sync_options options;
    mmf_mutex *mutex = NULL;

    if (args_value(args, "existing") != NULL) {
        say_check(mmf_mutex_open_existing(name, NULL, &mutex));
        return mutex;
    }
    mmf_sync_options_init(&options);
    if (args_value(args, "mode") != NULL)
        options.mode = units_mode("--mode", args_value(args, "mode"));
    say_check(mmf_mutex_create_or_open(name, 0, &options, NULL, &mutex));
    return mutex;
}

static void
report(void *payload)
{
    sync_object_report(payload);
}

/* Own it, or end: with the signal that came, or at the timeout. */
static int
take(mmf_mutex *mutex, const char *name, int32_t timeout, int timeout_status)
{
    mmf_waitable *waitable = mmf_mutex_waitable(mutex);
    int index;
    int rc = sync_object_wait(&waitable, 1, 0, timeout, &index, report, (void *)name);

    if (rc == MMF_TIMED_OUT) {
        mmf_mutex_close(mutex);
        stop_leave();
        say("timed out: \"%s\" is still owned; the command was not run", name);
        exit(timeout_status);
    }
    say_check(rc);
    return rc;
}

static int
run(struct args *args)
{
    const char *name = args_name(args->operands[0]);
    int32_t timeout = args_timeout(args, "timeout");
    int timeout_status =
        (int)args_number(args, "timeout-status", 0, 255, TOOL_TIMED_OUT);
    struct program_end end;
    mmf_mutex *mutex;

    stop_note();
    mutex = open_mutex(args, name);
    if (take(mutex, name, timeout, timeout_status) == MMF_ABANDONED) {
        say("\"%s\" was abandoned: its owner died; what it guards may be half done",
            name);
        os_set_variable("MMF_LOCK_ABANDONED", "1");
    } else {
        os_set_variable("MMF_LOCK_ABANDONED", NULL);
    }
    stop_forget();
    end = program_run(args->program, 1);
    if (end.how[0] != '\0') {
        say("the command was %s: the next owner of \"%s\" finds it abandoned", end.how,
            name);
        fflush(stdout);
        /* We own it until we end, also without a handle. */
        mmf_mutex_close(mutex);
        _Exit(end.status);
    }
    say_check(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
    return end.status;
}

static const struct option_spec options[] = {
    {"timeout", 't', "TIME", "wait at most 250ms, 5s, 1m; or forever"},
    {"timeout-status", 'E', "N", "the exit status at a timeout (4)"},
    {"existing", 'e', NULL, "fail if there is no such mutex; do not create it"},
    {"mode", 'm', "MODE", "permission bits of a new mutex (600)"},
    {NULL, 0, NULL, NULL}};

const struct command command_lock = {.name = "lock",
                                     .operands = "NAME",
                                     .summary = "run a command while owning a mutex",
                                     .example = "mmf lock Gate make install",
                                     .options = options,
                                     .kinds = 1u << MMF_KIND_MUTEX,
                                     .least = 1,
                                     .most = 1,
                                     .program = ARGS_PROGRAM,
                                     .run = run};
