/*
 * namespaces.c - see namespaces.h. A namespace is removed when its command ends, however
 * it ends. If we are killed too, the next `mmf run` or `mmf gc` removes it: its lock is
 * free then.
 */
#include "os/namespaces.h"

#include <stdlib.h>

#include "base/say.h"
#include "linux/directory.h"
#include "os/program.h"
#include "os/stop.h"

static int dry;
static int removed;

static void
remove_left(const char *path)
{
    if (dry || directory_remove_own(path))
        removed++;
}

int
namespaces_clean_up(int dry_run)
{
    dry = dry_run;
    removed = 0;
    directory_visit_left(remove_left);
    return removed;
}

/* A process that was killed a moment ago may not be dead yet. */
static int
remove_own(const char *path)
{
    enum { TRIES = 20, PAUSE_MS = 25 };

    for (int i = 0; i < TRIES; i++) {
        if (directory_remove_own(path))
            return 1;
        stop_nap(PAUSE_MS);
    }
    return 0;
}

static struct program_end
run_in(const char *path, char **program)
{
    const char *before = getenv("MMF_DIR");
    char *kept = before != NULL ? realpath(before, NULL) : NULL;
    struct program_end end;

    setenv("MMF_DIR", path, 1);
    end = program_run(program, 0);
    if (kept != NULL)
        setenv("MMF_DIR", kept, 1);
    else
        unsetenv("MMF_DIR");
    free(kept);
    return end;
}

int
namespaces_run(char **program)
{
    char path[PATH_MAX];
    struct program_end end;

    namespaces_clean_up(0);
    directory_make_own(path); /* the command inherits the descriptor */
    end = run_in(path, program);
    if (!remove_own(path))
        say("a process that the command started still uses %s; mmf gc removes it later",
            path);
    return end.status;
}
