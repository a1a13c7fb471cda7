/*
 * scenario.h - runs scenario files (.scn): tests that read as what they test.
 *
 * A file has cases. A case has a title, parameters, and steps, which are indented:
 *
 *   two sets are one signal          each name, n 1 2 19     # a row for each choice
 *     e = event $name auto 0                                 # a call that makes a handle
 *     repeat $n
 *       set e
 *     t1: wait e INFINITE &                                  # & begins a call ...
 *     t1: =OK                                                # ... whose answer is this
 *     wait e 0                       TIMED_OUT               # the expected answer
 *
 * Two spaces or more stand before what is expected: a status (OK unless said), outputs
 * (created=1, path~=PART), and of a failure `says=PART` and `param=NAME`. One of
 * several statuses: OK|ABANDONED. A choice by a parameter: `$mode == auto ? TIMED_OUT : OK`,
 * `$state ? OK : TIMED_OUT`. Without being asked the runner demands that a failure has a
 * message and leaves the outputs alone, that a timeout takes its time, and that nothing is
 * left after a row: no handle, descriptor, mapping, name or busy actor.
 *
 * Before a step stands its actor, or several (t1..t4): none is `main`; `t1` is a thread of
 * main, or another process that opens main's objects by their names, as the run chooses;
 * `p1` is always another process with handles of its own, and `p1t1` one of its threads;
 * `child` is a fork of main, for one step. Steps of an actor: a call; `sleeps`, until the
 * kernel says so; `= STATUS`; `busy`, no answer yet; `done N`, just N of these actors have
 * answered; `end`; `fork c1`, which makes c1, a process with dead copies of its handles; of
 * processes also `kill`, `kill TERM`, `stop`, `continue`, and `exec`: another program in
 * its place, which lives until it is killed.
 *
 * Blocks: `for x WORDS` ($n counts), `repeat N`, `each_done t1..t4` ($who in the order of the answers,
 * $n counts), `permute` (every order of its steps that keeps the order of each actor's own;
 * the row runs once for each) and `def NAME PARAMETERS`, which a step names.
 *
 * Among the parameters, `each name`, `each .NET name`, `each kind`, `each queue`, `each channel`
 * and `each map` (`m = @map 4096`) are short for what most cases have. `needs files` has a case run only where objects
 * are files; so does each other feature; `needs users`, where actors may become other users.
 *
 * `disk:` is the runner itself, which makes and looks at files: make NAME LENGTH, length
 * NAME (-1: no such file), write NAME OFFSET HEX, read NAME OFFSET COUNT, mode NAME MODE,
 * mode NAME (value=OCTAL), owner NAME USER, remove NAME, replace NAME BY, count NAME (of the
 * files in it), flock NAME shared|exclusive; directory, fifo, socket, device NAME; link NAME
 * TO, hard_link NAME OTHER; truncate NAME LENGTH; hold NAME, as a process that has the object
 * open, or lease NAME, until stop_holding; keep NAME in mind, and same NAME (value=1).
 * Actors have them as $files/NAME; they are removed after the row; $user is the user's number. `names:` does the same
 * where objects are files; what a case puts there, it removes.
 *
 * Words: 'a b' and "a b" are one word, x1..x4 four, 'a'*9 repeats, $'\x01\t' has bytes, $x is
 * a parameter, @x the words of one. NULL
 * is the null pointer, and NULL with a suffix is NULL. INFINITE, LONG (20 s). # comments.
 *
 * What this language will never have: variables (but handles and parameters), arithmetic,
 * conditions (but the expected answer), time (but timeouts). What needs one of them is a
 * test in C.
 *
 * The calls, and how actors are spoken to: docs/internals/conformance.md.
 */
#ifndef MMF_TESTS_HARNESS_SCENARIO_H
#define MMF_TESTS_HARNESS_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/clock.h"

enum { MAX_WORDS = 80, MAX_WORD = 40960, MAX_PARAMETERS = 8, LONG_MS = 20000 };

/*
 * text.c: words.
 */

struct words {
    const char *word[MAX_WORDS]; /* NULL-ended */
    int count;
};

/* A parameter's values in a case, or the one it has in a row. */
struct parameter {
    const char *name;
    struct words values;
    const char *value;
};

/* What `$x` means now; later ones hide earlier ones. */
struct scope {
    struct parameter parameters[4 * MAX_PARAMETERS];
    int count;
};

void scope_set(struct scope *scope, const char *name, const char *value);

/* Text that lives until the next text_forget. */
char *text_copy(const char *text, size_t length);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
void text_forget(void);

/* The words of a line's part, parameters put in, ranges expanded. NULL, or what is wrong. */
const char *words_of(const char *text, const struct scope *scope, struct words *words);

/* `$x == y ? A : B` becomes A or B. */
const char *choose(const char *text, const struct scope *scope);

/* "key=value" among the words: the value; NULL if there is no such key. */
const char *word_value(const struct words *words, const char *key);

/* A word as it stands in a protocol line, and back. */
char *word_encode(const char *word);
char *word_decode(const char *word);

/*
 * parse.c: files.
 */

struct line {
    int number;
    int depth; /* spaces before it */
    const char *text;
    const char *expected; /* "" for none */
};

struct scenario {
    const char *file;
    const char *title; /* of a `def`: its name */
    int number;
    bool is_macro;
    int needs; /* features of the actors */
    struct parameter parameters[MAX_PARAMETERS];
    int parameter_count;
    struct line *lines;
    int count;
};

struct suite {
    struct scenario *scenarios;
    int count;
};

/* Ends the program if the file makes no sense. */
void suite_read(struct suite *suite, const char *file);

/*
 * peer.c: processes that run an actor program.
 */

enum {
    FEATURE_FORK = 1,
    FEATURE_FILES = 2,
    FEATURE_DESCRIPTORS = 4, /* and others that only cases need */
    FEATURE_USERS = 1 << 16  /* the runner's own: root may start it for any user */
};

/* The feature of that name; 0: unknown. */
int peer_feature(const char *name);

struct peer {
    struct peer *next;
    const char *command;
    pid_t pid; /* 0: it has ended */
    int in, out;
    int features;
    bool in_use;
    bool is_stopped;
    bool is_fork;     /* of another one: it is not ours to wait for */
    bool is_changed;  /* it has become another user, or program */
    long descriptors; /* at the start of the row */
    size_t length;
    char text[16384]; /* what it has said, up to `length` */
};

struct peer *peer_start(const char *command);
void peer_send(struct peer *peer, const char *line);

/* A fork of an actor: two pipes for it, whose other ends are `theirs`; then it is here. */
struct peer *peer_prepare(const char *command, int theirs[2]);
void peer_adopt(struct peer *peer, const int theirs[2], pid_t pid);

/* Its next line, within so many milliseconds; NULL: none, and `ended` if there is no more. */
char *peer_hear(struct peer *peer, int timeout_ms, bool *ended);

int peer_kill(struct peer *peer, int signal); /* as peer_finish */
int peer_finish(struct peer *peer);           /* ends its input; its exit status */
void peer_signal(struct peer *peer, int signal);

/* The system call that a thread sleeps in, with its arguments; false: it runs. */
bool peer_thread_sleeps(const struct peer *peer, long tid, char *call, size_t size);

/* All descriptors; those and the mappings of mmf's objects; NULL or what is left. */
long peer_descriptors(const struct peer *peer);
const char *peer_leftovers(const struct peer *peer);

/* Files below `directory`: how many; with `remove` they are removed. */
int files_below(const char *directory, bool remove);

/*
 * disk.c: files.
 */

/* The answer to a call of the actor `disk`; NULL: there is no such call. */
const char *disk_call(const char *directory, const struct words *words);
void disk_forget(const char *directory); /* at a row's end: nothing is left */

/*
 * calls.c: what a call is in C.
 */

typedef const char *(*kind_finder)(const char *handle);

/* The C call of a step's words, to paste into a program or a debugger. */
char *c_call(const char *handle, kind_finder kind_of, const struct words *words);

/*
 * run.c: rows; row.h has its parts.
 */

struct run {
    const char *commands[4]; /* actor programs: main's first, the others in turn */
    int command_count;
    bool as_processes;
    const char *directory; /* MMF_DIR */
    const char *files;     /* where a row's own files are */
    bool verbose;
};

struct tally {
    int rows, passed, failed, not_here;
};

/* Every row of a case, every permutation. */
void scenario_run(const struct run *run, const struct suite *suite,
                  const struct scenario *scenario, struct tally *tally);

/* Calls so far that the actors' language cannot express. */
int run_unsaid(void);

/* Ends all actors. */
void run_end(void);

#endif
