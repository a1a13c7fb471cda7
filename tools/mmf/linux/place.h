/* place.h - where the names are, and the namespaces that `mmf run` makes beside them.
 */
#ifndef MMF_TOOL_PLACE_H
#define MMF_TOOL_PLACE_H

#include <limits.h>

/* MMF_DIR, or /dev/shm. */
const char *place_root(void);

/* The directory of this user's names in `root`. */
void place_local(const char *root, char path[PATH_MAX]);

/*
 * A namespace of its own: a directory in the root that is locked for as long as a
 * process has the descriptor, however it ends. Answers the descriptor, which commands
 * inherit. A failure ends the program.
 */
int place_make_own(char path[PATH_MAX]);

/*
 * Reap what is dead in it and remove it. 1: it is gone; 0: somebody still holds
 * something in it.
 */
int place_remove_own(const char *path);

/*
 * Call `visit` with each such namespace of this user that no process has any more.
 * Answers how many there were.
 */
int place_visit_left(void (*visit)(const char *path));

#endif
