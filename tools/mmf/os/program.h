/* program.h - running a command, for `run`, `lock` and `create`. */
#ifndef MMF_TOOL_PROGRAM_H
#define MMF_TOOL_PROGRAM_H

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

#endif
