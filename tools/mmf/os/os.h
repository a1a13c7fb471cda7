/*
 * os.h - small things that the tool needs of the system, in linux/os.c and windows/os.c.
 * Larger ones have their own headers: background.h, bench.h, doctor.h,
 * namespaces.h, program.h, screen.h, stop.h, table.h.
 */
#ifndef MMF_TOOL_OS_H
#define MMF_TOOL_OS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <mmf/list.h>

/* First of all: locale and streams, and the arguments in UTF-8 where they are not. */
void os_begin(int *argc, char ***argv);

/* Whether a person sees what is written to the stream, or types what is read from it. */
int os_is_terminal(FILE *stream);

/* Whether the stream is a terminal that obeys the usual sequences: colours, lines. */
int os_has_sequences(FILE *stream);

/* Columns of the terminal that standard output is. */
int os_columns(void);

/* Whether the terminal understands more than ASCII. */
int os_has_unicode(void);

/* Whether this error of a write means that the reader has closed the pipe. */
int os_reader_has_left(int error);

/* The monotonic clock, and the time since 1970, in nanoseconds. */
int64_t os_now_ns(void);
int64_t os_time_ns(void);

/* Seconds since 1970 in local time, and in UTC. 0: there is no such time. */
int os_local_time(int64_t seconds, struct tm *parts);
int os_utc_time(int64_t seconds, struct tm *parts);

/* The user's name; 0 if the system does not know it. */
int os_user_name(unsigned user, char *name, size_t size);

/*
 * The number of a user, by name or number. 0: there is no such user, or the system does
 * not record which user made an object.
 */
int os_find_user(const char *text, unsigned *user);

/* This process's effective user. */
unsigned os_user(void);

/* How many other users have directories of names that this one may not read. */
int os_hidden_users(void);

/* What one user has in the directory of the names, as far as it may be read. */
struct os_usage {
    unsigned user;
    int objects;
    int64_t bytes;       /* of mmf's files */
    int64_t other_bytes; /* of other files */
};

/* The largest users first. Nothing where the system does not record owners. */
void os_visit_usage(void (*visit)(void *payload, const struct os_usage *usage),
                    void *payload);

/* Bytes that are free for names, and all there are. 0: the system has no such limit. */
int os_room(int64_t *left, int64_t *total);

/* Be that user from now on; a failure ends the program. */
void os_become_user(unsigned user);

/* This process's number. */
int os_process(void);

/* Most bytes of a name. */
extern const size_t os_longest_name;

/*
 * Whether the system records when, by which process and with which rights an object was
 * created, and the memory that it takes. Windows does not; channels record time and
 * process themselves.
 */
extern const int os_keeps_records;

/* What an object's path leads to, for people: a file; and how to show it; to be freed.
 */
extern const char os_path_title[];
char *os_show_path(const char *path);

/* Whether the name is as the shell's pattern says. */
int os_matches(const char *pattern, const char *name);

/* `count` holders that this process cannot see, in words; the caller frees it. */
char *os_hidden_holders(int count, int some_seen);

/* Set a variable for the commands that we run; NULL removes it. */
void os_set_variable(const char *name, const char *value);

/* Bytes that standard input, if it is a file, has left; 0: it does not say. */
int64_t os_input_length(void);

/* Some bytes of standard input; 0 at its end. A failure ends the program. */
int64_t os_read_input(void *into, int64_t space);

/*
 * A line of standard input without its end, in memory that grows; the last one is freed
 * by the caller. Returns its length, -1 at the end.
 */
int64_t os_read_line(char **line, size_t *space);

/*
 * A map's bytes without a mapping: reading a hole through one takes memory. Open the
 * section behind a map's handle again, without its locks; -1: only a view reads it.
 * os_read_bytes reads all of `count`, and ends the program as os_expect_cut has it if
 * they do not exist. os_zeros_at: so many bytes from there on are known to be zero.
 */
int os_open_bytes(intptr_t handle);
void os_read_bytes(int fd, int64_t at, void *into, size_t count);
int64_t os_zeros_at(int fd, int64_t at);
void os_close_bytes(int fd);

/*
 * From now on an access to a map's bytes that no longer exist ends the program with a
 * message and TOOL_DAMAGED.
 */
void os_expect_cut(void);

#endif
