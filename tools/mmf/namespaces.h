/*
 * namespaces.h - names of their own for a command, as `mmf run` gives them, and what is
 * left of them.
 */
#ifndef MMF_TOOL_NAMESPACES_H
#define MMF_TOOL_NAMESPACES_H

/* Run the command with names of its own, and remove them. Answers its exit status. */
int namespaces_run(char **program);

/* Remove what killed ones have left, or only count. Answers how many there were. */
int namespaces_clean_up(int dry_run);

#endif
