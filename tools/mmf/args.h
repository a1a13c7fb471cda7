/*
 * args.h - a subcommand's options, described once: getopt_long reads them, help and
 * shell completion list them.
 */
#ifndef MMF_TOOL_ARGS_H
#define MMF_TOOL_ARGS_H

#include <stdint.h>

enum { ARGS_OPTIONS_MAX = 24 };

struct option_spec {
    const char *name;     /* "offset"; NULL ends the list */
    char letter;          /* 'o'; 0: it has none */
    const char *argument; /* "N"; NULL: a switch */
    const char *help;
};

/* What may stand behind the operands. */
enum args_program {
    ARGS_NO_PROGRAM = 0,
    ARGS_PROGRAM_BEHIND_DASHES = 1, /* NAME -- CMD... */
    ARGS_ONLY_PROGRAM = 2           /* [--] CMD... */
};

struct args;

struct command {
    const char *name;
    const char *operands; /* for the usage line: "NAME SIZE" */
    const char *summary;
    const struct option_spec *options;
    int least, most; /* operands; most -1: any number */
    enum args_program program;
    int (*run)(struct args *args); /* answers the exit status */
};

struct args {
    const struct command *command;
    const char *values[ARGS_OPTIONS_MAX]; /* as the options; "" for a switch */
    char **operands;
    int count;
    char **program; /* NULL-ended; NULL: there is none */
};

/*
 * Read what stands behind the subcommand's name. Ends the program with a line that says
 * what is wrong; --help prints the help and ends it, too.
 */
void args_read(const struct command *command, int argc, char **argv, struct args *args);

/* What an option was given, "" for a switch; NULL if it was not. */
const char *args_value(const struct args *args, const char *name);

/* The same read as a number; the default if it was not given. See units.h. */
int64_t args_bytes(const struct args *args, const char *name, int64_t otherwise);
int32_t args_milliseconds(const struct args *args, const char *name, int32_t otherwise);
int32_t args_timeout(const struct args *args, const char *name);
int64_t args_number(const struct args *args, const char *name, int64_t least,
                    int64_t most, int64_t otherwise);

/*
 * An operand that must be a name: not empty, not too long, with no backslash but that
 * of a prefix. Answers it as lists have it, without "Local\".
 */
const char *args_name(const char *text);

void args_print_help(const struct command *command);

/* For completion: one option a line, "--offset=" if it has an argument. */
void args_print_options(const struct command *command);

#endif
