/*
 * stop.h - Ctrl-C and its like, for subcommands that hold something while they wait:
 * they let go first, and end as the signal would have ended them.
 */
#ifndef MMF_TOOL_STOP_H
#define MMF_TOOL_STOP_H

#include <stdint.h>

/* From now on SIGINT, SIGTERM and SIGHUP are only noted. */
void stop_note(void);

/* The signal that has come, 0 for none. */
int stop_signal(void);

/* Wait until one has come. */
void stop_wait(void);

/* Wait for so long, or until one has come. */
void stop_nap(int32_t milliseconds);

/* End by the signal, if one has come: what was held is given back. */
void stop_leave(void);

/* In a child that will be another program: as it was before. */
void stop_forget(void);

#endif
