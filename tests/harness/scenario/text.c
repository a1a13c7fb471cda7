/*
 * text.c - words: quotes, parameters, ranges, choices.
 */
#include "harness/scenario/scenario.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All text of a row; files keep theirs by strdup. */
static char arena[1 << 25];
static size_t arena_used;

void
text_forget(void)
{
    arena_used = 0;
}

/* Room for that many characters and an end. */
static char *
reserve(size_t length)
{
    char *room = arena + arena_used;

    if (length + 1 > sizeof(arena) - arena_used) {
        fprintf(stderr, "a row has too much text\n");
        exit(EXIT_FAILURE);
    }
    arena_used += length + 1;
    return room;
}

char *
text_copy(const char *text, size_t length)
{
    char *copy = reserve(length);

    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *
text_format(const char *format, ...)
{
    char *copy;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    copy = reserve((size_t)length);
    va_start(args, format);
    vsnprintf(copy, (size_t)length + 1, format, args);
    va_end(args);
    return copy;
}

void
scope_set(struct scope *scope, const char *name, const char *value)
{
    if (scope->count == 4 * MAX_PARAMETERS) {
        fprintf(stderr, "too many parameters, with $%s\n", name);
        exit(EXIT_FAILURE);
    }
    scope->parameters[scope->count].name = name;
    scope->parameters[scope->count++].value = value;
}

/* The value of the parameter that `text` begins with; `*end` is behind its name. */
static const char *
parameter_value(const char *text, const struct scope *scope, const char **end)
{
    size_t length = 0;

    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    *end = text + length;
    for (int i = scope == NULL ? 0 : scope->count; i-- > 0;)
        if (strlen(scope->parameters[i].name) == length &&
            strncmp(scope->parameters[i].name, text, length) == 0)
            return scope->parameters[i].value;
    return NULL;
}

/* A word of which more may follow. */
struct piece {
    char text[MAX_WORD];
    size_t length;
    bool is_null;   /* it began with a parameter that is NULL */
    bool is_quoted; /* no range */
};

static bool
append(struct piece *piece, const char *text, size_t length)
{
    if (length >= sizeof(piece->text) - piece->length)
        return false;
    memcpy(piece->text + piece->length, text, length);
    piece->length += length;
    return true;
}

/* A quoted piece, and how often. */
static const char *
take_quoted(const char **text, struct piece *piece)
{
    const char *begin = *text + 1, *end = strchr(begin, **text);
    long times = 1;

    if (end == NULL)
        return "a quote without an end";
    *text = end + 1;
    if (**text == '*')
        times = strtol(*text + 1, (char **)(uintptr_t)text, 10);
    piece->is_quoted = true;
    while (times-- > 0)
        if (!append(piece, begin, (size_t)(end - begin)))
            return "a word that is too long";
    return NULL;
}

/* $'...', in which \t, \n, \r and \xNN stand for bytes. */
static const char *
take_escaped(const char **text, struct piece *piece)
{
    static const char letters[] = "tnr", bytes[] = "\t\n\r";
    const char *at = *text + 2, *known;

    for (; *at != '\''; at++) {
        unsigned byte = (unsigned char)*at;
        char one;

        if (byte == '\\' && sscanf(at, "\\x%2x", &byte) == 1)
            at += 3;
        else if (byte == '\\' && at[1] != '\0' &&
                 (known = strchr(letters, *++at)) != NULL)
            byte = (unsigned char)bytes[known - letters];
        one = (char)byte;
        if (*at == '\0' || !append(piece, &one, 1))
            return "a quote without an end, or a word that is too long";
    }
    *text = at + 1;
    piece->is_quoted = true;
    return NULL;
}

static const char *
take_parameter(const char **text, const struct scope *scope, struct piece *piece)
{
    const char *value = parameter_value(*text + 1, scope, text);

    if (value == NULL)
        return "an unknown parameter";
    if (piece->length == 0 && strcmp(value, "NULL") == 0)
        piece->is_null = true;
    if (strpbrk(value, " .") != NULL)
        piece->is_quoted = true;
    return append(piece, value, strlen(value)) ? NULL : "a word that is too long";
}

static const char *
add_word(struct words *words, const char *text)
{
    if (words->count == MAX_WORDS - 1)
        return "too many words";
    words->word[words->count++] = text;
    words->word[words->count] = NULL;
    return NULL;
}

/* x1..x4 becomes four words. 0: it is no range. */
static int
add_range(struct words *words, const char *text)
{
    char name[16], other[16];
    int first, last, end = 0;

    if (sscanf(text, "%d..%d%n", &first, &last, &end) == 2 && text[end] == '\0') {
        name[0] = '\0';
    } else if (sscanf(text, "%15[a-z]%d..%15[a-z]%d%n", name, &first, other, &last,
                      &end) != 4 ||
               text[end] != '\0' || strcmp(name, other) != 0) {
        return 0;
    }
    for (int i = first; i <= last; i++)
        if (add_word(words, text_format("%s%d", name, i)) != NULL)
            return -1;
    return 1;
}

static const char *
end_word(struct words *words, const struct piece *piece)
{
    const char *text = text_copy(piece->text, piece->length);
    int range;

    if (piece->is_null)
        return add_word(words, "NULL");
    range = piece->is_quoted ? 0 : add_range(words, text);
    if (range != 0)
        return range < 0 ? "too many words" : NULL;
    return add_word(words, text);
}

static const char *
add_words(struct words *words, const char *text, const struct scope *scope)
{
    const char *wrong = NULL, *value;

    for (;;) {
        struct piece piece; /* a long text, of which little is used */

        piece.length = 0;
        piece.is_null = piece.is_quoted = false;
        while (*text == ' ')
            text++;
        if (*text == '\0' || wrong != NULL)
            return wrong;
        if (*text == '@') {
            value = parameter_value(text + 1, scope, &text);
            wrong =
                value != NULL ? add_words(words, value, scope) : "an unknown parameter";
            continue;
        }
        while (wrong == NULL && *text != ' ' && *text != '\0') {
            if (*text == '\'' || *text == '"')
                wrong = take_quoted(&text, &piece);
            else if (text[0] == '$' && text[1] == '\'')
                wrong = take_escaped(&text, &piece);
            else if (*text == '$')
                wrong = take_parameter(&text, scope, &piece);
            else
                wrong = append(&piece, text++, 1) ? NULL : "a word that is too long";
        }
        if (wrong == NULL)
            wrong = end_word(words, &piece);
    }
}

const char *
words_of(const char *text, const struct scope *scope, struct words *words)
{
    words->count = 0;
    words->word[0] = NULL;
    return add_words(words, text, scope);
}

static bool
condition_holds(const char *text, size_t length, const struct scope *scope)
{
    struct words words;

    if (words_of(text_copy(text, length), scope, &words) != NULL)
        return false;
    if (words.count == 3 && strcmp(words.word[1], "==") == 0)
        return strcmp(words.word[0], words.word[2]) == 0;
    return words.count == 1 && strcmp(words.word[0], "0") != 0 &&
           strcmp(words.word[0], "NULL") != 0;
}

const char *
choose(const char *text, const struct scope *scope)
{
    const char *question, *other;

    while ((question = strstr(text, " ? ")) != NULL &&
           (other = strstr(question, " : ")) != NULL) {
        if (condition_holds(text, (size_t)(question - text), scope))
            return text_copy(question + 3, (size_t)(other - question - 3));
        text = other + 3;
    }
    return text;
}

const char *
word_value(const struct words *words, const char *key)
{
    size_t length = strlen(key);

    for (int i = 0; i < words->count; i++)
        if (strncmp(words->word[i], key, length) == 0 && words->word[i][length] == '=')
            return words->word[i] + length + 1;
    return NULL;
}

char *
word_encode(const char *word)
{
    char text[3 * MAX_WORD];
    size_t length = 0;

    if (*word == '\0')
        return text_copy("''", 2);
    for (; *word != '\0'; word++) {
        unsigned char byte = (unsigned char)*word;

        if (byte > ' ' && byte < 0x7f && byte != '%' && byte != '\'')
            text[length++] = *word;
        else
            length += (size_t)snprintf(text + length, 4, "%%%02X", byte);
    }
    return text_copy(text, length);
}

char *
word_decode(const char *word)
{
    char *text = text_copy(word, strlen(word)), *to = text;

    if (strcmp(word, "''") == 0)
        return text_copy("", 0);
    for (; *word != '\0'; word++) {
        unsigned byte;

        if (*word == '%' && sscanf(word + 1, "%2x", &byte) == 1) {
            *to++ = (char)byte;
            word += 2;
        } else {
            *to++ = *word;
        }
    }
    *to = '\0';
    return text;
}
