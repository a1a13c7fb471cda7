/*
 * main.c - the tool `mmf`: finds the subcommand and runs it. Like git: one program,
 * subcommands with options, `mmf help COMMAND`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/version.h>

#include "base/say.h"
#include "command/commands.h"
#include "os/os.h"

static const struct {
    const char *title;
    const struct command *commands[8];
} groups[] = {
    {"inspect",
     {&command_ls, &command_stat, &command_top, &command_watch, &command_metrics,
      NULL}},
    {"maps",
     {&command_create, &command_read, &command_write, &command_dump, &command_peek,
      &command_poke, NULL}},
    {"messages",
     {&command_send, &command_recv, &command_tail, &command_queue, &command_call,
      &command_serve, NULL}},
    {"synchronise", {&command_lock, &command_signal, &command_wait, NULL}},
    {"maintain", {&command_doctor, &command_gc, &command_run, &command_bench, NULL}},
};

enum { GROUPS = sizeof(groups) / sizeof(groups[0]) };

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < GROUPS; i++)
        for (const struct command *const *at = groups[i].commands; *at != NULL; at++)
            if (strcmp((*at)->name, name) == 0 ||
                ((*at)->alias != NULL && strcmp((*at)->alias, name) == 0))
                return *at;
    return NULL;
}

/*
 * How many letters have to be added, removed, replaced or swapped with the next one, to
 * make the one word of the other; at most `LONGEST` letters of each are looked at.
 */
static int
distance_of(const char *one, const char *other)
{
    enum { LONGEST = 16 };
    int rows[LONGEST + 1][LONGEST + 1];
    int length = (int)strnlen(one, LONGEST);
    int width = (int)strnlen(other, LONGEST);

    for (int i = 0; i <= length; i++)
        for (int j = 0; j <= width; j++) {
            int best = i + j;

            if (i > 0 && j > 0) {
                int changed = one[i - 1] != other[j - 1];

                best = rows[i - 1][j - 1] + changed;
                best = rows[i - 1][j] + 1 < best ? rows[i - 1][j] + 1 : best;
                best = rows[i][j - 1] + 1 < best ? rows[i][j - 1] + 1 : best;
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] &&
                    one[i - 2] == other[j - 1] && rows[i - 2][j - 2] + 1 < best)
                    best = rows[i - 2][j - 2] + 1;
            }
            rows[i][j] = best;
        }
    return rows[length][width];
}

/* The command that was meant, as far as spelling says; or NULL. */
static const char *
suggest(const char *name)
{
    const char *best = NULL;
    int least = strlen(name) < 4 ? 2 : 3; /* more is another word */

    for (size_t i = 0; i < GROUPS; i++)
        for (const struct command *const *at = groups[i].commands; *at != NULL; at++) {
            int distance = distance_of(name, (*at)->name);

            if (distance < least) {
                best = (*at)->name;
                least = distance;
            }
        }
    return best;
}

static void
print_help(void)
{
    printf("mmf - create, inspect, watch and repair named shared memory\n\n"
           "usage: mmf COMMAND [ARGUMENT...]\n");
    for (size_t i = 0; i < GROUPS; i++) {
        printf("\n%s\n", groups[i].title);
        for (const struct command *const *at = groups[i].commands; *at != NULL; at++)
            printf("  %-8s  %s\n", (*at)->name, (*at)->summary);
    }
    printf("\nexample: mmf ls\n\nSee also: mmf COMMAND --help, man mmf, man "
           "mmf-COMMAND.\n");
}

/* Only the names. */
static void
print_commands(void)
{
    for (size_t i = 0; i < GROUPS; i++)
        for (const struct command *const *at = groups[i].commands; *at != NULL; at++)
            puts((*at)->name);
    puts("help");
}

static const struct command *
demand_command(const char *name)
{
    const struct command *command = find_command(name);
    const char *meant = command == NULL ? suggest(name) : NULL;

    if (meant != NULL)
        say_usage("unknown command \"%s\"; do you mean mmf %s?", name, meant);
    if (command == NULL)
        say_usage("unknown command \"%s\"; mmf help lists them", name);
    return command;
}

/* mmf help --complete WORD...: of this command's line, but for its first word. */
static void
complete(int count, char **words)
{
    const struct command *command = count > 1 ? find_command(words[0]) : NULL;
    int is_first = count == 1 || (count == 2 && strcmp(words[0], "help") == 0);

    if (command != NULL)
        complete_words(command, count - 1, words + 1);
    if (!is_first)
        return;
    puts("words");
    for (size_t i = 0; i < GROUPS; i++)
        for (const struct command *const *at = groups[i].commands; *at != NULL; at++)
            if (strncmp((*at)->name, words[count - 1], strlen(words[count - 1])) == 0)
                printf("%s\t%s\n", (*at)->name, (*at)->summary);
    if (count == 1 && strncmp("help", words[0], strlen(words[0])) == 0)
        puts("help\tshow what a command does");
}

/* mmf help [COMMAND]; mmf help --list [COMMAND] names them, or a command's options. */
static int
help(int argc, char **argv)
{
    int listing = argc > 1 && strcmp(argv[1], "--list") == 0;
    const char *name = argc > 1 + listing ? argv[1 + listing] : NULL;

    if (argc > 2 && strcmp(argv[1], "--complete") == 0) {
        complete(argc - 2, argv + 2);
        return TOOL_DONE;
    }
    if (argc > 2 + listing)
        say_usage("unexpected argument \"%s\"; usage: mmf help [COMMAND]",
                  argv[2 + listing]);
    if (listing && name == NULL)
        print_commands();
    else if (listing)
        args_print_options(demand_command(name));
    else if (name != NULL)
        args_print_help(demand_command(name));
    else
        print_help();
    return TOOL_DONE;
}

static int
run(int argc, char **argv)
{
    const struct command *command;
    struct args args;
    int status;

    if (argc < 2) {
        print_help();
        return TOOL_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("mmf " MMF_VERSION_STRING);
        return TOOL_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        argv[1] = (char *)"help";
    if (strcmp(argv[1], "help") == 0)
        return help(argc - 1, argv + 1);
    command = demand_command(argv[1]);
    say_set_name(command->name);
    args_read(command, argc - 1, argv + 1, &args);
    status = command->run(&args);
    free(args.operands);
    return status;
}

int
main(int argc, char **argv)
{
    os_begin(&argc, &argv);
    return say_finish(run(argc, argv));
}
