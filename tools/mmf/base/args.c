/* args.c - see args.h. */
#include "base/args.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/color.h"
#include "base/say.h"
#include "base/units.h"
#include "os/os.h"

/* getopt_long returns this plus the option's index; no letter is as large. */
enum { FIRST_OPTION = 256, HELP = 255, COLOR = 254 };

static const char *
shown_option(const struct option_spec *option, char text[64])
{
    snprintf(text, 64, "--%s%s%s", option->name, option->argument != NULL ? " " : "",
             option->argument != NULL ? option->argument : "");
    return text;
}

static int
count_options(const struct command *command)
{
    int count = 0;

    while (command->options[count].name != NULL)
        count++;
    return count;
}

static void
print_option(char letter, const char *option, const char *help)
{
    char text[8] = "    ";

    if (letter != 0)
        snprintf(text, sizeof(text), "-%c, ", letter);
    printf("  %s%-22s  %s\n", text, option, help);
}

/* `create`, with operands that may be missing, does without one. */
static int
needs_program(const struct command *command)
{
    return command->program == ARGS_PROGRAM && command->least == command->most;
}

void
args_print_help(const struct command *command)
{
    int count = count_options(command);

    printf("mmf %s - %s\n\nusage: mmf %s%s%s%s%s\n", command->name, command->summary,
           command->name, command->operands[0] != '\0' ? " " : "", command->operands,
           count > 0 ? " [OPTION...]" : "",
           command->program == ARGS_NO_PROGRAM ? ""
           : needs_program(command)            ? " [--] CMD..."
                                               : " [[--] CMD...]");
    if (command->alias != NULL)
        printf("also:  mmf %s\n", command->alias);
    printf("\n");
    for (int i = 0; i < count; i++) {
        char text[64];

        print_option(command->options[i].letter,
                     shown_option(&command->options[i], text),
                     command->options[i].help);
    }
    print_option(0, "--color[=WHEN]", "colours: auto, always or never");
    print_option('h', "--help", "show this help");
    printf("\nexample: %s\n\nSee man mmf-%s.\n", command->example, command->name);
}

void
args_print_options(const struct command *command)
{
    for (const struct option_spec *at = command->options; at->name != NULL; at++)
        printf("--%s%s\n", at->name, at->argument != NULL ? "=" : "");
    printf("--color=\n--help\n");
}

/* Refuse an option, and list the known ones in one line. */
static _Noreturn void
refuse_option(const struct command *command, const char *text)
{
    char known[1024] = "--help, --color";

    for (const struct option_spec *at = command->options; at->name != NULL; at++) {
        size_t length = strlen(known);

        snprintf(known + length, sizeof(known) - length, ", --%s", at->name);
    }
    say_usage("unknown option \"%s\" (%s)", text, known);
}

static _Noreturn void
refuse_use(const struct command *command, const char *text)
{
    for (const struct option_spec *at = command->options; at->name != NULL; at++) {
        size_t length = strlen(at->name);
        char shown[64];

        if (text[1] == '-' && strncmp(text + 2, at->name, length) == 0 &&
            text[2 + length] == '=' && at->argument == NULL)
            say_usage("--%s takes no value", at->name);
        if ((text[1] == '-' && strcmp(text + 2, at->name) == 0) ||
            (text[1] != '-' && text[1] == at->letter))
            say_usage("--%s needs a value: %s", at->name, shown_option(at, shown));
    }
    refuse_option(command, text);
}

static int
is_negative_number(const char *text)
{
    return text[0] == '-' && (isdigit((unsigned char)text[1]) ||
                              (text[1] == '.' && isdigit((unsigned char)text[2])) ||
                              strcasecmp(text, "-inf") == 0);
}

static void
prepare(const struct command *command, struct option *longs, char *letters)
{
    char *letter = letters;
    int i;

    *letter++ = '+'; /* operands are ours, one at a time */
    *letter++ = ':';
    *letter++ = 'h';
    for (i = 0; command->options[i].name != NULL; i++) {
        const struct option_spec *option = &command->options[i];

        longs[i].name = option->name;
        longs[i].has_arg = option->argument == NULL     ? no_argument
                           : option->argument[0] == '[' ? optional_argument
                                                        : required_argument;
        longs[i].flag = NULL;
        longs[i].val = FIRST_OPTION + i;
        if (option->letter != 0)
            *letter++ = option->letter;
        if (option->letter != 0 && option->argument != NULL)
            *letter++ = ':';
    }
    longs[i] = (struct option){"color", optional_argument, NULL, COLOR};
    longs[i + 1] = (struct option){"help", no_argument, NULL, HELP};
    *letter = '\0';
}

static int
index_of_letter(const struct command *command, int letter)
{
    int i = 0;

    while (command->options[i].letter != letter)
        i++;
    return i;
}

static void
add_operand(struct args *args, char *operand)
{
    args->operands[args->count++] = operand;
}

/* One result of getopt_long for the argument `at`. */
static void
take(struct args *args, int found, char *at)
{
    switch (found) {
    case 'h':
    case HELP:
        args_print_help(args->command);
        exit(say_finish(TOOL_DONE));
    case COLOR:
        color_choose(optarg);
        break;
    case '?':
    case ':':
        refuse_use(args->command, at);
    default:
        if (found < FIRST_OPTION)
            found = FIRST_OPTION + index_of_letter(args->command, found);
        args->values[found - FIRST_OPTION] = optarg != NULL ? optarg : "";
    }
}

/* Whether the next argument begins the command: all operands are there. */
static int
is_program(const struct args *args)
{
    return args->command->program == ARGS_PROGRAM && args->count == args->command->most;
}

/*
 * What follows "--": the command, if its operands are there, as in mmf lock Gate -- echo.
 * Else operands, which may begin with a dash: mmf lock -- -Gate echo.
 */
static void
read_plain(struct args *args, char **argv)
{
    const struct command *command = args->command;
    int may_run = command->program == ARGS_PROGRAM;

    if (may_run && args->count >= command->least && *argv == NULL)
        say_usage("missing command after --");
    if (!may_run || args->count < command->least) {
        while (*argv != NULL && !is_program(args) &&
               !(may_run && strcmp(*argv, "--") == 0))
            add_operand(args, *argv++);
        if (*argv != NULL && strcmp(*argv, "--") == 0)
            argv++;
    }
    if (*argv != NULL)
        args->program = argv;
}

/* Options and operands, up to "--" or the command. */
static void
read_arguments(struct args *args, int argc, char **argv)
{
    struct option longs[ARGS_OPTIONS_MAX + 3] = {{NULL, 0, NULL, 0}};
    char letters[2 * ARGS_OPTIONS_MAX + 8];

    prepare(args->command, longs, letters);
    optind = 1;
    opterr = 0;
    while (optind < argc) {
        char *at = argv[optind];

        if (strcmp(at, "--") == 0) {
            read_plain(args, argv + optind + 1);
            return;
        }
        if (at[0] == '-' && at[1] != '\0' && !is_negative_number(at)) {
            take(args, getopt_long(argc, argv, letters, longs, NULL), at);
        } else if (is_program(args)) {
            args->program = argv + optind;
            return;
        } else {
            add_operand(args, at);
            optind++;
        }
    }
}

static void
check_count(const struct args *args)
{
    const struct command *command = args->command;

    if (args->count < command->least)
        say_usage("missing argument; usage: mmf %s %s%s", command->name,
                  command->operands, needs_program(command) ? " CMD..." : "");
    if (needs_program(command) && args->program == NULL)
        say_usage("missing command; usage: mmf %s %s%sCMD...", command->name,
                  command->operands, command->operands[0] != '\0' ? " " : "");
    if (command->most >= 0 && args->count > command->most)
        say_usage("unexpected argument \"%s\"; usage: mmf %s%s%s",
                  args->operands[command->most], command->name,
                  command->operands[0] != '\0' ? " " : "", command->operands);
}

void
args_read(const struct command *command, int argc, char **argv, struct args *args)
{
    memset(args, 0, sizeof(*args));
    args->command = command;
    args->operands = calloc((size_t)argc + 1, sizeof(*args->operands));
    if (args->operands == NULL)
        say_no_memory();
    read_arguments(args, argc, argv);
    check_count(args);
}

const char *
args_value(const struct args *args, const char *name)
{
    int i = 0;

    while (strcmp(args->command->options[i].name, name) != 0)
        i++;
    return args->values[i];
}

static const char *
shown(const char *name, char text[64])
{
    snprintf(text, 64, "--%s", name);
    return text;
}

int64_t
args_bytes(const struct args *args, const char *name, int64_t otherwise)
{
    const char *value = args_value(args, name);
    char text[64];

    return value != NULL ? units_bytes(shown(name, text), value) : otherwise;
}

int32_t
args_milliseconds(const struct args *args, const char *name, int32_t otherwise)
{
    const char *value = args_value(args, name);
    char text[64];

    return value != NULL ? units_milliseconds(shown(name, text), value) : otherwise;
}

int32_t
args_timeout(const struct args *args, const char *name)
{
    const char *value = args_value(args, name);
    char text[64];

    return value != NULL ? units_timeout(shown(name, text), value) : -1;
}

int64_t
args_number(const struct args *args, const char *name, int64_t least, int64_t most,
            int64_t otherwise)
{
    const char *value = args_value(args, name);
    char text[64];

    return value != NULL ? units_number(shown(name, text), value, least, most)
                         : otherwise;
}

const char *
args_name(const char *text)
{
    const char *rest = text;

    if (strncmp(text, "Local\\", 6) == 0) {
        text += 6;
        rest = text;
    } else if (strncmp(text, "Global\\", 7) == 0) {
        rest = text + 7;
    }
    if (rest[0] == '\0')
        say_usage(
            "empty name: a name has at least one character, as Cat or 'Global\\Cat'");
    if (strchr(rest, '\\') != NULL)
        say_usage("invalid name \"%s\": only Global and Local may be followed by a "
                  "backslash",
                  text);
    if (strlen(rest) > os_longest_name)
        say_usage("name too long: %zu bytes, at most %zu", strlen(rest),
                  os_longest_name);
    return text;
}
