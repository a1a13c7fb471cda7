/*
 * text.h - other people's bytes on our screen: names, commands and data may contain
 * anything, and a terminal obeys what it is sent.
 */
#ifndef MMF_TOOL_TEXT_H
#define MMF_TOOL_TEXT_H

#include <stddef.h>

#include "base/format.h"

/*
 * The length of the character that `bytes` begin with, if it is valid UTF-8 that shows
 * something: no control character, none that only changes the direction of others, and
 * one that the locale can show. 0: it is not.
 */
size_t text_character(const unsigned char *bytes, size_t count);

/*
 * `bytes` with all that a terminal might obey as \n, \t, \\ or \xNN, and with a NUL.
 * The caller frees it.
 */
char *text_escape(const void *bytes, size_t count);

/*
 * Write a piece of text to a terminal: line ends and tabs stay, all else that is not text
 * is escaped. Its last character is skipped if it may go on behind the piece. Answers how
 * many bytes were written.
 */
size_t text_write(const void *piece, size_t count, int is_end);

/* A line of ours with names in it: the same, but for the backslash, which stays. */
char *text_escape_line(const char *line);

/* The same for a C string. */
char *text_escape_string(const char *string);

/* A string as one word of a shell's line, on a terminal, too. To be freed. */
char *text_quote(const char *string);

/* A string that is valid UTF-8, every wrong byte replaced; for JSON. To be freed. */
char *text_valid(const char *string);

/* asprintf that does not come back without memory. */
char *text_format(const char *format, ...) FORMAT(1, 2);

/* Columns of the screen that a text in UTF-8 takes. */
size_t text_columns(const char *text);

/* The text in at most so many columns, with a mark where it was cut. To be freed. */
char *text_cut(const char *text, size_t columns);

/* Whether the part is in the text, in letters of any case; those of ASCII. */
int text_has(const char *text, const char *part);

/* "alice", or the number if the system does not know the user. Static. */
const char *text_user(unsigned user);

#endif
