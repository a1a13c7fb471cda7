/* program.h - running a command, for `run`, `lock`, `create` and `serve`. */
#ifndef MMF_TOOL_PROGRAM_H
#define MMF_TOOL_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/* How it ended: an exit status for the shell, and what ended it by force. */
struct program_end {
    int status;   /* its own; TOOL_NO_COMMAND, TOOL_CANNOT_RUN; or the system's for: */
    char how[80]; /* "killed by signal 9 (Killed)"; "" if it ended by itself */
};

/*
 * Run it and wait for its end. What the terminal sends, it gets itself; other signals
 * that end us are passed on, and we wait all the same. `dies_with_us`: it is ended,
 * too, if we are killed.
 */
struct program_end program_run(char **program, int dies_with_us);

/*
 * The same, with these bytes as its standard input; what it writes to its standard output
 * is kept, for program_read. It dies with us. Signals that stop.h notes are noted, too.
 */
struct program_end program_filter(char **program, const void *input, size_t length,
                                  intptr_t *output);

/* Up to `space` bytes of the output from byte `at` on; 0 at its end. */
size_t program_read(intptr_t output, int64_t at, void *into, size_t space);

void program_forget(intptr_t output);

#endif
