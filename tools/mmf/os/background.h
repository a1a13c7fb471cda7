/* background.h - the part of `mmf create --background` that goes on. */
#ifndef MMF_TOOL_BACKGROUND_H
#define MMF_TOOL_BACKGROUND_H

/*
 * Begin it. Only the process that goes on comes back from here; the other one waits for
 * its word, prints its number and ends with its status.
 */
void background_begin(void);

/* In the process that goes on: it succeeded, and its output is no longer read. */
void background_ready(void);

#endif
