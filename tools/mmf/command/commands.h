/* commands.h - the subcommands, one file each. */
#ifndef MMF_TOOL_COMMANDS_H
#define MMF_TOOL_COMMANDS_H

#include "base/args.h"

/*
 * What can follow on the command line, for the shells' completions: `words` are those
 * behind the command's name, and the last one is not finished.
 */
void complete_words(const struct command *command, int count, char **words);

extern const struct command command_bench;
extern const struct command command_call;
extern const struct command command_create;
extern const struct command command_doctor;
extern const struct command command_dump;
extern const struct command command_gc;
extern const struct command command_lock;
extern const struct command command_ls;
extern const struct command command_metrics;
extern const struct command command_peek;
extern const struct command command_poke;
extern const struct command command_queue;
extern const struct command command_read;
extern const struct command command_recv;
extern const struct command command_run;
extern const struct command command_send;
extern const struct command command_serve;
extern const struct command command_signal;
extern const struct command command_stat;
extern const struct command command_tail;
extern const struct command command_top;
extern const struct command command_wait;
extern const struct command command_watch;
extern const struct command command_write;

#endif
