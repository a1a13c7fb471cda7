/*
 * round.h - one call of the library, again and again, with another fault each time.
 *
 * A scenario says how to set the stage, which call is tried, and how to clean up. A
 * round runs it in a process of its own, so that the library knows nothing of earlier
 * rounds. Whatever was struck, the round demands:
 *
 *   - the call answers what it would have answered without the fault, or a status that
 *     its header knows and this fault explains, with a message of its own;
 *   - on failure its outputs are untouched and nothing is left behind: no descriptor,
 *     mapping, block of memory, file or lock (if the call did its work all the same, an
 *     orphaned object may be left, which mmf_gc takes);
 *   - the same call without a fault then works, and what it made works and goes.
 */
#ifndef MMF_TESTS_FAULT_ROUND_H
#define MMF_TESTS_FAULT_ROUND_H

#include "harness/forks.h"
#include "harness/numbers.h"
#include "harness/step.h"

#include "fault.h"

/* What a call can make: X(kind, field of the stage). */
#define OUTPUTS(X)                                                                     \
    X(map, map)                                                                        \
    X(accessor, view)                                                                  \
    X(stream, stream)                                                                  \
    X(list, list)                                                                      \
    X(queue, queue)                                                                    \
    X(topic, topic)                                                                    \
    X(latest, latest)                                                                  \
    X(service, service)                                                                \
    X(poller, poller)

/* What a scenario's functions work on; each round has a process of its own. */
struct stage {
#define OUTPUT(kind, field) mmf_##kind *field;
    OUTPUTS(
        OUTPUT) /* they begin as UNTOUCHED; what the call made is closed afterwards */
#undef OUTPUT
    mmf_channel_stats stats;
    int poll_fd;
    mmf_gc_result collected;
    /* What the arrangement made for the call to work on; in the end it is closed. */
    mmf_map *given;
    mmf_map *kept;
    mmf_accessor *given_view;
    mmf_stream *given_stream;
    mmf_queue *given_queue;
    mmf_queue *kept_queue;
    mmf_topic *given_topic;
    mmf_latest *given_latest;
    mmf_service *given_service;
    int fd;         /* or -1 */
    pid_t child;    /* or 0; killed in the end */
    char path[128]; /* a file outside the namespace, for maps of files; removed */
    int says_less; /* the fault concerns one file, which a list may then show otherwise */
    int is_new_path; /* the call shall make it */
};

extern struct stage stage;

struct scenario {
    const char *name;
    int (*act)(void); /* the call */
    void (*arrange)(void);
    void (*inspect)(void);         /* after an answer >= 0: is it good? */
    void (*inspect_failure)(void); /* has it changed nothing? */
    void (*clean)(void);           /* undo what the call did, beside what it made */
    void (*disarrange)(void);      /* undo what stands in no field of the stage */
    unsigned host;                 /* enum fault_host, while the call is tried */
    const char *immune;    /* these functions do not fail for good, or with ENOENT */
    int expected;          /* what the call answers without a fault */
    int or_else;           /* what it may answer as well, after a fault */
    const int *documented; /* what else its header says it can answer; 0-ended */
};

/* A function of a scenario that only makes a call: CALL(name, mmf_...(...)); */
#define CALL(name, call)                                                               \
    static int name(void)                                                              \
    {                                                                                  \
        return (call);                                                                 \
    }                                                                                  \
    extern int harness_needs_a_semicolon

/* An arrangement: another process begins, does its part on request, and ends. */
#define LIFE(name, begin, act, end)                                                    \
    static void name(void)                                                             \
    {                                                                                  \
        round_live_elsewhere(&(const struct elsewhere){begin, act, end});              \
    }                                                                                  \
    extern int harness_needs_a_semicolon

/* What the headers say. */
extern const int round_create_statuses[];
extern const int round_open_statuses[];
extern const int round_file_statuses[];
extern const int round_inherit_statuses[];
extern const int round_view_statuses[];
extern const int round_flush_statuses[];
extern const int round_list_statuses[];
extern const int round_channel_statuses[];
extern const int round_poll_statuses[];
extern const int round_no_statuses[]; /* whatever fails, it does not */

/*
 * The tests of the program are its `scenarios`: each is run with each fault at each place, and
 * says how many were visited. A fault that finds a bug fails the test with the fault in
 * the message. Those that do not say what is documented get `documented`.
 */
#define SCENARIOS(documented)                                                          \
    __attribute__((constructor)) static void add_scenarios(void)                       \
    {                                                                                  \
        round_add(scenarios, sizeof(scenarios) / sizeof(scenarios[0]), documented);    \
    }                                                                                  \
    extern int harness_needs_a_semicolon

void round_add(struct scenario *scenarios, size_t n, const int *documented);

/*
 * For arrangements and inspections.
 */

/* The capacity of every "Cat". */
enum { CAT_SIZE = 1000 };

/* Leave an orphaned object of that name; what another process leaves that dies of
 * it. */
void round_leave_dead(const char *name, int64_t capacity);
void round_die_elsewhere(void (*live)(void));

/*
 * Another process, that lives until step_close_elsewhere or the end of the round. Only one at a time.
 */
struct elsewhere {
    void (*begin)(void); /* the round waits until this is done */
    void (*act)(void);   /* on request; the test does not wait for it */
    void (*end)(void);
};

void round_live_elsewhere(const struct elsewhere *life);
void round_act_elsewhere(void);

/* One that lives on as stage.child until it is killed, by a call or by the end. */
void round_live_until_killed(void (*live)(void));
void round_kill_child(void);

/* One that makes a map and holds it; what it can write begins with "elsewhere". */
void round_hold_elsewhere(int (*make)(mmf_map **map));

/* The file of a name without strange characters. */
const char *round_file_of(const char *name);

/* A file with `size` bytes at stage.path. 0: only the path is chosen. */
void round_make_file(int64_t size);

/* The map can be viewed, and its first bytes changed. */
void round_check_usable(mmf_map *map);

/*
 * Steps that many scenarios have in common.
 */

/* A dead "Cat"; one that another process holds. */
void step_leave_dead(void);
void step_hold_elsewhere(void);
void step_close_elsewhere(void);

/* The same with "Dog": a namespace in use, but not the name. */
void step_hold_another(void);

/* The call's map is usable; it is the other process's "Cat"; it is found as "Cat". */
void step_is_usable(void);
void step_is_theirs(void);
void step_is_found(void);

/* There is no "Cat" any more. */
void step_is_gone(void);

/* Calls: closing has no answer. What is given, but its views, is closed. */
int step_close_given(void);

#endif
