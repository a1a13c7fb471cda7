/*
 * args.h - a subcommand's options, described once, for getopt_long, for help and for
 * completion.
 */
#ifndef MMF_TOOL_ARGS_H
#define MMF_TOOL_ARGS_H

#include <stdint.h>

enum { ARGS_OPTIONS_MAX = 28 };

struct option_spec {
    const char *name;     /* "offset"; NULL ends the list */
    char letter;          /* 'o'; 0: it has none */
    const char *argument; /* "N"; "[N]": optional; NULL: a switch */
    const char *help;
};

/* Whether a command may follow the operands: the first argument that is one too many. */
enum args_program { ARGS_NO_PROGRAM = 0, ARGS_PROGRAM = 1 };

struct args;

enum { ARGS_ALL_KINDS = 0x1fe };

struct command {
    const char *name;
    const char *operands; /* for the usage line: "NAME SIZE" */
    const char *summary;
    const struct option_spec *options;
    int least, most; /* operands; most -1: any number */
    enum args_program program;
    int (*run)(struct args *args); /* returns the exit status */
    const char *example;           /* for the help */
    const char *alias;             /* another name, or NULL */
    unsigned kinds; /* of objects that it takes by name: bits, of mmf_kind */
};

struct args {
    const struct command *command;
    const char *values[ARGS_OPTIONS_MAX]; /* as the options; "" for a switch */
    char **operands;
    int count;
    char **program; /* ends with NULL; NULL: no command */
};

/*
 * Read what follows the subcommand's name. Wrong arguments end the program with a
 * message; --help prints the help and ends it too.
 */
void args_read(const struct command *command, int argc, char **argv, struct args *args);

/* The option's value, "" for a switch; NULL if the option was not given. */
const char *args_value(const struct args *args, const char *name);

/* The same as a number; `otherwise` if the option was not given. See units.h. */
int64_t args_bytes(const struct args *args, const char *name, int64_t otherwise);
int32_t args_milliseconds(const struct args *args, const char *name, int32_t otherwise);
int32_t args_timeout(const struct args *args, const char *name);
int64_t args_number(const struct args *args, const char *name, int64_t least,
                    int64_t most, int64_t otherwise);

/*
 * An operand that must be a name: not empty, not too long, with no backslash but that
 * of a prefix. Returns it as lists show it, without "Local\".
 */
const char *args_name(const char *text);

void args_print_help(const struct command *command);

/* For completion: one option a line, "--offset=" if it has an argument. */
void args_print_options(const struct command *command);

#endif
