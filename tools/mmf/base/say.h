/*
 * say.h - what a subcommand says to people and to the shell: one line for each failure,
 * a status for scripts, and nothing else on standard error.
 */
#ifndef MMF_TOOL_SAY_H
#define MMF_TOOL_SAY_H

#include "base/format.h"

/* The statuses a subcommand exits with; docs/man/mmf.1 has the same table. */
enum tool_status {
    TOOL_DONE = 0,
    TOOL_NO_OBJECT = 1,
    TOOL_USAGE = 2,
    TOOL_DENIED = 3,
    TOOL_TIMED_OUT = 4,
    TOOL_EXISTS = 5,
    TOOL_NO_SPACE = 6,
    TOOL_WRONG_KIND = 7,
    TOOL_DAMAGED = 8,
    TOOL_BUSY = 9,
    TOOL_FAILED = 10,
    TOOL_CANNOT_RUN = 126, /* as a shell has it, with 127: there is no such command */
    TOOL_NO_COMMAND = 127,
    TOOL_BROKEN_PIPE = 141 /* as if SIGPIPE had ended us */
};

/* Messages begin with this from now on: "mmf ls". */
void say_set_name(const char *command);

/* Call this before a line is said: a screen has to give the terminal back. */
void say_call_before(void (*function)(void));

/* One line on standard error: "mmf ls: ...". Control characters become "?". */
void say(const char *format, ...) FORMAT(1, 2);

/* The same, and exit with TOOL_USAGE. */
_Noreturn void say_usage(const char *format, ...) FORMAT(1, 2);

/* The same, and exit with `status`. */
_Noreturn void say_and_exit(int status, const char *format, ...) FORMAT(2, 3);

/* Say the library's last message; the exit status that belongs to its status. */
int say_failure(int rc);

/* The exit status that belongs to a library's status. */
int say_status_of(int rc);

/* The same, and exit, if `rc` is a failure. */
void say_check(int rc);

_Noreturn void say_no_memory(void);

/*
 * Write out what standard output still has. A reader that has left is no error, so it
 * only changes the status.
 */
int say_finish(int status);

#endif
