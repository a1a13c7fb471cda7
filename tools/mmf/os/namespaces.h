/*
 * namespaces.h - private namespaces for commands, as `mmf run` makes them, and their
 * removal.
 */
#ifndef MMF_TOOL_NAMESPACES_H
#define MMF_TOOL_NAMESPACES_H

/* Run the command in a private namespace, and remove it. Returns the exit status. */
int namespaces_run(char **program);

/* Remove what killed ones have left, or only count. Returns their number. */
int namespaces_clean_up(int dry_run);

#endif
