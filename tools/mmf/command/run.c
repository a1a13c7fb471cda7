/* run.c - mmf run: run a command in a private namespace, and remove it afterwards. */
#include "command/commands.h"

#include <stddef.h>

#include "os/namespaces.h"

static int
run(struct args *args)
{
    return namespaces_run(args->program);
}

static const struct option_spec options[] = {{NULL, 0, NULL, NULL}};

const struct command command_run = {"run",
                                    "",
                                    "run a command in a private namespace",
                                    options,
                                    0,
                                    -1,
                                    ARGS_ONLY_PROGRAM,
                                    run};
