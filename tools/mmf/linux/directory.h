/* directory.h - where the names are, and the namespaces that `mmf run` makes beside them.
 */
#ifndef MMF_TOOL_DIRECTORY_H
#define MMF_TOOL_DIRECTORY_H

#include <limits.h>

/* MMF_DIR, or /dev/shm. */
const char *directory_root(void);

/* The directory of this user's names in `root`. */
void directory_local(const char *root, char path[PATH_MAX]);

/*
 * A private namespace: a directory in the root that is locked while a process has the
 * descriptor open, however that process ends. Returns the descriptor, which commands
 * inherit. A failure ends the program.
 */
int directory_make_own(char path[PATH_MAX]);

/*
 * Remove its orphaned objects, and it. 1: it is removed; 0: a process still uses
 * something in it.
 */
int directory_remove_own(const char *path);

/*
 * Call `visit` with each such namespace of this user that no process has any more.
 * Returns their number.
 */
int directory_visit_left(void (*visit)(const char *path));

#endif
