/* run.c - mmf run: a command with a namespace of its own, which goes when it ends. */
#include "commands.h"

#include <stddef.h>

#include "namespaces.h"

static int
run(struct args *args)
{
    return namespaces_run(args->program);
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
