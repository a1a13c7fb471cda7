/*
 * complete.c - what can follow on the command line: for the completions of bash, zsh and
 * fish, which run `mmf help --complete WORD...`; the last word is the unfinished one.
 *
 * The first line is "words", and then there is a line "text<tab>description" for each;
 * or it is "files", or "command N": from the Nth word on it is another command's line.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/text.h"
#include "object/objects.h"

/* The values of options, and their descriptions where they need one. */
static const struct {
    const char *option;
    const char *values; /* NULL: files */
} values[] = {
    {"access", "read-write read copy-on-write read-execute read-write-execute"},
    {"color", "auto always never"},
    {"file", NULL},
    {"kind", "map mutex event semaphore queue topic latest service"},
    {"output",
     "name kind owner size resident holders age mode status state depth flight "
     "sent received lost redelivered creator path"},
    {"overflow", "block fail drop-oldest"},
    {"sort", "name kind owner size resident holders age mode status state rate depth "
             "flight lost"},
    {"type", "boolean byte sbyte char int16 uint16 int32 uint32 int64 uint64 single "
             "double decimal u8 i8 u16 i16 u32 i32 u64 i64 f32 f64"},
};

static const char *prefix = ""; /* what stands before a value: "--kind=" */

/* A candidate, if the unfinished word begins so. */
static void
offer(const char *word, const char *text, const char *description)
{
    char *all = text_format("%s%s", prefix, text);

    if (strncmp(all, word, strlen(word)) == 0)
        printf("%s\t%s\n", all, description);
    free(all);
}

static void
offer_values(const char *option, const char *word)
{
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const char *at = values[i].values;

        if (strcmp(option, values[i].option) != 0)
            continue;
        puts(at != NULL ? "words" : "files");
        while (at != NULL && *at != '\0') {
            size_t length = strcspn(at, " ");
            char *value = text_format("%.*s", (int)length, at);

            offer(word, value, "");
            free(value);
            at += length + (at[length] == ' ');
        }
    }
}

static void
offer_options(const struct command *command, const char *word)
{
    puts("words");
    for (const struct option_spec *at = command->options; at->name != NULL; at++) {
        char *text = text_format("--%s%s", at->name, at->argument != NULL ? "=" : "");

        offer(word, text, at->help);
        free(text);
    }
    offer(word, "--color=", "colours: auto, always or never");
    offer(word, "--help", "show the help");
}

/* A name that a shell can type. */
static int
is_typed(const char *name)
{
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < ' ' || *name == 0x7f)
            return 0;
    return 1;
}

static void
offer_names(const struct command *command, const char *word)
{
    struct objects objects;

    puts("words");
    if (command->kinds == 0 ||
        objects_try(&objects, objects_own, MMF_LIST_KEEP_ORPHANED) < 0)
        return;
    for (int32_t i = 0; i < objects.count; i++) {
        const mmf_object_info *info = objects.at[i].info;

        if ((command->kinds & 1u << info->kind) != 0 && is_typed(info->name))
            offer(word, info->name, mmf_kind_name(info->kind));
    }
    objects_close(&objects);
}

/* Every operand is a name: "NAME...", not "NAME VALUE...". */
static int
takes_names(const struct command *command)
{
    return command->most < 0 && strchr(command->operands, ' ') == NULL;
}

/* The option that the word is, or NULL. */
static const struct option_spec *
option_of(const struct command *command, const char *word)
{
    for (const struct option_spec *at = command->options; at->name != NULL; at++)
        if ((word[1] == '-' && strcmp(word + 2, at->name) == 0) ||
            (word[1] != '-' && word[1] == at->letter && word[2] == '\0'))
            return at;
    return NULL;
}

/* "--kind=m": the value is offered with what stands before it. */
static void
offer_dashes(const struct command *command, const char *word)
{
    const char *equals = strchr(word, '=');
    char *option, *before;

    if (strncmp(word, "--", 2) != 0 || equals == NULL) {
        offer_options(command, word);
        return;
    }
    option = text_format("%.*s", (int)(equals - word - 2), word + 2);
    before = text_format("--%s=", option);
    prefix = before;
    offer_values(option, word);
    prefix = "";
    free(before);
    free(option);
}

void
complete_words(const struct command *command, int count, char **words)
{
    const char *word = words[count - 1];
    int operands = 0;
    int is_plain = 0; /* "--" has come */

    for (int i = 0; i < count - 1; i++) {
        const struct option_spec *option;
        int has_all = operands == command->most;
        int is_dashes = strcmp(words[i], "--") == 0;

        if (command->program == ARGS_PROGRAM &&
            (has_all || (is_dashes && operands >= command->least))) {
            printf("command %d\n", i + 2 + is_dashes);
            return;
        }
        if (is_plain || words[i][0] != '-') {
            operands++;
            continue;
        }
        is_plain = is_dashes;
        option = option_of(command, words[i]);
        if (option == NULL || option->argument == NULL || option->argument[0] == '[')
            continue;
        if (i + 1 == count - 1) {
            offer_values(option->name, word);
            return;
        }
        i++;
    }
    if (command->program == ARGS_PROGRAM && operands == command->most &&
        (is_plain || word[0] != '-'))
        printf("command %d\n", count + 1);
    else if (!is_plain && word[0] == '-')
        offer_dashes(command, word);
    else if (operands == 0 || takes_names(command))
        offer_names(command, word);
}
