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

const struct command command_run = {.name = "run",
                                    .operands = "",
                                    .summary = "run a command in a private namespace",
                                    .example = "mmf run ./test.sh",
                                    .options = options,
                                    .program = ARGS_PROGRAM,
                                    .run = run};
