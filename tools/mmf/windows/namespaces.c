/* namespaces.c - see namespaces.h. Windows has names of no such kind. */
#include "namespaces.h"

#include "say.h"

int
namespaces_run(char **program)
{
    (void)program;
    say("Windows keeps names in its kernel, one set for each session: a command cannot "
        "be given a set of its own, as by MMF_DIR on Linux");
    return TOOL_FAILED;
}

int
namespaces_clean_up(int dry_run)
{
    (void)dry_run;
    return 0;
}
