/*
 * row.h - what the runner's files share: the row that runs, its actors, handles, answers
 * and steps.
 */
#ifndef MMF_TESTS_HARNESS_SCENARIO_ROW_H
#define MMF_TESTS_HARNESS_SCENARIO_ROW_H

#include "harness/scenario/scenario.h"

#include <setjmp.h>

enum { ANSWER_MS = 30000 }; /* the longest that an answer is waited for */

/*
 * row.c: the row that runs, and how it ends early.
 */

extern struct row {
    const struct run *options;
    const struct scenario *scenario;
    const struct line *line;
    struct scope scope;
    int permutation, permutations; /* which order; how many there are */
    jmp_buf end;                   /* with one of these: */
} row;

enum { PASSED = 1, FAILED, NOT_HERE };

void forget_failures(void); /* before a case */
void forget_steps(void);    /* before a row */

struct actor;

/* A step as it is shown if the row fails. */
void record(const struct actor *actor, const char *text);

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The row is not for this run. */
_Noreturn void skip_row(void);

/* A call that an actor cannot make. */
void count_unsaid(void);

void words_or_fail(const char *text, struct words *words);

/*
 * actors.c: actors and their processes.
 */

struct actor {
    const char *name;
    struct peer *peer;
    bool is_busy; /* it was sent a call, and its answer was not taken */
    bool has_begun;
    long tid;           /* 0: not known */
    const char *answer; /* NULL: none yet */
    int arrival;        /* the order of the answers */
    const char *handle; /* the call's */
    struct words call;
    int64_t begun_at;
    int64_t answered_at;
};

/* NULL: no actor has that name. */
struct actor *find_actor(const char *name);

/* It is there from now on. */
struct actor *actor_of(const char *name);

/* One that has nothing else to do. */
struct actor *idle_actor(const struct peer *peer);

bool hear(struct peer *peer, int timeout_ms);
void hear_all(void);

/* A call's words as an actor is told them. */
const char *join(const struct words *words);

void send_line(struct actor *actor, const char *prefix, const char *text);
const char *take_answer(struct actor *actor);
const char *have_done(struct actor *actor, const char *text);

void end_actor(struct actor *actor);
void kill_actor(struct actor *actor, const char *signal_name);
void fork_actor(struct actor *parent, const char *name);

/* At a row's end. */
bool is_any_busy(void); /* or stopped */
void end_forks(void);
void end_threads(void);
void check_peers(void);
void collect_dead(void);
void forget_peers(bool all);
void forget_actors(void);

/*
 * handles.c: which processes have which handles.
 */

struct handle;

/* The actor's; NULL: it has none of that name. */
struct handle *find_handle(const struct actor *actor, const char *name);

/* The actor's call in C. */
char *call_in_c(const struct actor *actor);

void keep_handle(const struct actor *actor, const char *name, const struct words *call);
void open_elsewhere(struct actor *actor, const struct words *call);
void close_handle(struct actor *actor, struct handle *handle);
void close_handles(void);
void forget_holder(const struct peer *peer);
void forget_handles(void);

/*
 * answers.c: what is expected of an answer.
 */

_Noreturn void fail_answer(const struct actor *actor, const char *what);
void check_answer(struct actor *actor, const char *expected);

/*
 * steps.c: what a line has its actors do.
 */

/* [ACTORS:] STEP: the step; without actors it is main's. */
const char *split_actors(const char *text, struct words *actors);

void run_step(const struct line *line);

#endif
