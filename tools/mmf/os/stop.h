/*
 * stop.h - Ctrl-C and its like, for subcommands that keep something open while they wait:
 * they close it first, and then end by that signal.
 */
#ifndef MMF_TOOL_STOP_H
#define MMF_TOOL_STOP_H

#include <stdint.h>

/* From now on SIGINT, SIGTERM and SIGHUP are only noted. */
void stop_note(void);

/* The signal that has come, 0 for none. */
int stop_signal(void);

/* Wait until a signal has come. */
void stop_wait(void);

/* Wait for this time, or until a signal has come. */
void stop_nap(int32_t milliseconds);

/* End by the signal, if one has come; call it when everything is closed. */
void stop_leave(void);

/* In a child that becomes another program: as before stop_note. */
void stop_forget(void);

#endif
