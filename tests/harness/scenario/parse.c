/*
 * parse.c - a scenario file becomes cases: titles, parameters, lines.
 */
#include "harness/scenario/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void
refuse(const char *file, int number, const char *what, const char *text)
{
    fprintf(stderr, "%s:%d: %s: %s\n", file, number, what, text);
    exit(EXIT_FAILURE);
}

static char *
keep(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return copy;
}

/* A line without its comment and the spaces at its end. */
static void
strip(char *text)
{
    size_t length;
    char quote = '\0';

    for (char *at = text; *at != '\0'; at++) {
        if (quote != '\0' && *at == quote)
            quote = '\0';
        else if (quote == '\0' && (*at == '\'' || *at == '"'))
            quote = *at;
        else if (quote == '\0' && *at == '#' && (at == text || at[-1] == ' '))
            *at-- = '\0';
    }
    length = strcspn(text, "\r\n");
    while (length > 0 && text[length - 1] == ' ')
        length--;
    text[length] = '\0';
}

/* Where the two spaces are that end a title or a call; its end if they are missing. */
static char *
column(char *text)
{
    char quote = '\0';

    for (; *text != '\0'; text++) {
        if (quote != '\0' && *text == quote)
            quote = '\0';
        else if (quote == '\0' && (*text == '\'' || *text == '"'))
            quote = *text;
        else if (quote == '\0' && text[0] == ' ' && text[1] == ' ')
            break;
    }
    return text;
}

/* What stands behind the column, cut off. */
static char *
cut_column(char *text)
{
    char *other = column(text);

    if (*other == '\0')
        return other;
    *other++ = '\0';
    return other + strspn(other, " ");
}

/* An unnamed object, a local name, a global one, one that fits in no file name. */
#define EACH_NAME "name NULL Cat \"Global\\Cat with a / and a ' '\" 'a'*1032"
#define EACH_DOTNET_NAME "name Cat $' \\t\\r\\n ' local/Cat global/Cat 'a'*1032"

/* Memory, a file, and both with a name. */
#define EACH_MAP                                                                       \
    "map 'new map NULL' 'from_file f create_new NULL' 'new map Cat' "                  \
    "'from_file f create_new Cat'"

/* What `$name` may be: a call to make it is `new @object`, `open @object` or `@object`. */
#define EACH_OBJECT                                                                    \
    "object 'map $name 4096' 'mutex $name 0' 'event $name auto 0' "                    \
    "'semaphore $name 0 1' 'queue $name 16 4 block' 'topic $name 16 4 block' "         \
    "'latest $name 16' 'service $name 16 16 4'"

static void
add_parameter(struct scenario *scenario, const char *text)
{
    struct parameter *parameter;
    struct words words;
    const char *wrong;

    if (strncmp(text, "needs ", 6) == 0) {
        if (strcmp(text + 6, "users") == 0)
            scenario->needs |= FEATURE_FILES | FEATURE_USERS;
        else if (peer_feature(text + 6) == 0)
            refuse(scenario->file, scenario->number, "no such feature", text);
        scenario->needs |= peer_feature(text + 6);
        return;
    }
    if (strcmp(text, "each queue") == 0) {
        add_parameter(scenario, "spsc 0 1");
        add_parameter(scenario, "wraps 0 1");
        return;
    }
    parameter = &scenario->parameters[scenario->parameter_count++];
    if (strcmp(text, "each name") == 0)
        text = EACH_NAME;
    else if (strcmp(text, "each .NET name") == 0)
        text = EACH_DOTNET_NAME;
    else if (strcmp(text, "each object") == 0)
        text = EACH_OBJECT;
    else if (strcmp(text, "each map") == 0)
        text = EACH_MAP;
    else if (strcmp(text, "each kind") == 0)
        text = "kind mutex event semaphore";
    else if (strcmp(text, "each channel") == 0)
        text = "kind queue topic latest";
    wrong = words_of(text, NULL, &words);
    if (wrong == NULL && words.count < 2)
        wrong = "a parameter without values";
    if (wrong != NULL || scenario->parameter_count == MAX_PARAMETERS)
        refuse(scenario->file, scenario->number, wrong ? wrong : "too many parameters",
               text);
    parameter->name = keep(words.word[0]);
    for (int i = 1; i < words.count; i++)
        parameter->values.word[parameter->values.count++] = keep(words.word[i]);
}

static void
read_title(struct scenario *scenario, char *text)
{
    char *parameters = cut_column(text), *next;

    scenario->title = keep(text);
    for (; *parameters != '\0'; parameters = next) {
        next = strstr(parameters, ", ");
        if (next == NULL)
            next = parameters + strlen(parameters);
        else
            *next = '\0', next += 2;
        add_parameter(scenario, parameters);
    }
}

static void
read_macro(struct scenario *scenario, const char *text)
{
    struct words words;
    const char *wrong = words_of(text, NULL, &words);

    if (wrong != NULL || words.count < 2 || words.count - 2 > MAX_PARAMETERS)
        refuse(scenario->file, scenario->number, "a def without a name", text);
    scenario->is_macro = true;
    scenario->title = keep(words.word[1]);
    for (int i = 2; i < words.count; i++)
        scenario->parameters[scenario->parameter_count++].name = keep(words.word[i]);
}

static void *
grow(void *array, int count, size_t size)
{
    if ((count & (count - 1)) == 0)
        array = realloc(array, (size_t)(count == 0 ? 1 : 2 * count) * size);
    if (array == NULL)
        abort();
    return array;
}

static void
begin_scenario(struct suite *suite, const char *file, int number, char *text)
{
    struct scenario *scenario;

    suite->scenarios = grow(suite->scenarios, suite->count, sizeof(*suite->scenarios));
    scenario = &suite->scenarios[suite->count++];
    memset(scenario, 0, sizeof(*scenario));
    scenario->file = file;
    scenario->number = number;
    if (strncmp(text, "def ", 4) == 0)
        read_macro(scenario, text);
    else
        read_title(scenario, text);
}

static void
add_line(struct scenario *scenario, int number, char *text)
{
    struct line *line;
    char *expected;

    scenario->lines = grow(scenario->lines, scenario->count, sizeof(*line));
    line = &scenario->lines[scenario->count++];
    line->number = number;
    line->depth = (int)strspn(text, " ");
    text += line->depth;
    expected = cut_column(text);
    line->text = keep(text);
    line->expected = keep(expected);
}

void
suite_read(struct suite *suite, const char *file)
{
    char text[4096];
    int number = 0;
    FILE *in = fopen(file, "re");

    if (in == NULL)
        refuse(file, 0, "cannot be read", strerror(errno));
    while (fgets(text, sizeof(text), in) != NULL) {
        number++;
        if (strchr(text, '\n') == NULL)
            refuse(file, number, "a line that is too long", text);
        strip(text);
        if (text[0] == '\0')
            continue;
        if (text[0] != ' ')
            begin_scenario(suite, file, number, text);
        else if (suite->count == 0 || suite->scenarios[suite->count - 1].file != file)
            refuse(file, number, "a step outside a case", text);
        else
            add_line(&suite->scenarios[suite->count - 1], number, text);
    }
    fclose(in);
    text_forget();
}
