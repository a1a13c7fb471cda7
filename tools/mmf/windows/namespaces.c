/* namespaces.c - see namespaces.h. Windows has no such namespaces. */
#include "os/namespaces.h"

#include "base/say.h"

int
namespaces_run(char **program)
{
    (void)program;
    say("Windows keeps names in its kernel, one set for each session: a private "
        "set, as by MMF_DIR on Linux, does not exist");
    return TOOL_FAILED;
}

int
namespaces_clean_up(int dry_run)
{
    (void)dry_run;
    return 0;
}
