/*
 * run.c - mmf run: a command with a namespace of its own, which goes when it ends,
 * however it ends. If we are killed, too, the next `mmf run` or `mmf gc` removes what
 * is left: the namespace's lock tells that nobody has it any more.
 */
#include "commands.h"

#include <stdlib.h>

#include "place.h"
#include "program.h"
#include "say.h"
#include "stop.h"

static void
remove_left(const char *path)
{
    place_remove_own(path);
}

/* What was killed a moment ago may not have died yet. */
static int
remove_own(const char *path)
{
    enum { TRIES = 20, PAUSE_MS = 25 };

    for (int i = 0; i < TRIES; i++) {
        if (place_remove_own(path))
            return 1;
        stop_nap(PAUSE_MS);
    }
    return 0;
}

static int
run(struct args *args)
{
    char path[PATH_MAX];
    struct program_end end;

    place_visit_left(remove_left);
    place_make_own(path); /* the descriptor is the command's as well */
    {
        char *before = getenv("MMF_DIR");
        char *kept = before != NULL ? realpath(before, NULL) : NULL;

        setenv("MMF_DIR", path, 1);
        end = program_run(args->program, 0);
        if (kept != NULL)
            setenv("MMF_DIR", kept, 1);
        else
            unsetenv("MMF_DIR");
        free(kept);
    }
    if (!remove_own(path))
        say("something that the command has started still holds objects in %s: mmf gc "
            "removes it later",
            path);
    return end.status;
}

static const struct option_spec options[] = {{NULL, 0, NULL, NULL}};

const struct command command_run = {
    "run",
    "",
    "run a command with names of its own, and remove them afterwards",
    options,
    0,
    -1,
    ARGS_ONLY_PROGRAM,
    run};
