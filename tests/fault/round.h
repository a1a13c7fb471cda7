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

#include "harness/check.h"

#include "fault.h"

/* What a scenario's functions work on. Outputs begin as UNTOUCHED. */
struct stage {
    mmf_map *map; /* the call's outputs */
    mmf_accessor *view;
    mmf_stream *stream;
    mmf_list *list;
    mmf_queue *queue;
    mmf_topic *topic;
    mmf_latest *latest;
    mmf_service *service;
    mmf_poller *poller;
    mmf_channel_stats stats;
    int poll_fd;
    mmf_gc_result collected;
    mmf_map *given; /* what the arrangement made for the call to work on */
    mmf_map *kept;
    mmf_accessor *given_view;
    mmf_stream *given_stream;
    mmf_queue *given_queue;
    mmf_queue *kept_queue;
    mmf_topic *given_topic;
    mmf_latest *given_latest;
    mmf_service *given_service;
    int fd;
    pid_t child;
    char path[128]; /* a file outside the namespace, for maps of files */
    int says_less;  /* the fault concerns one file, which a list may then show otherwise
                     */
    int is_new_path; /* the call shall make it */
};

#define UNTOUCHED(type) ((type *)(void *)&round_untouched)
extern char round_untouched;

struct scenario {
    const char *name;
    unsigned host;         /* enum fault_host, while the call is tried */
    int expected;          /* what the call answers without a fault */
    const char *immune;    /* these functions do not fail for good, or with ENOENT */
    int or_else;           /* what it may answer as well, after a fault */
    const int *documented; /* what else its header says it can answer; 0-ended */
    void (*arrange)(struct stage *stage);
    int (*act)(struct stage *stage);
    void (*inspect)(struct stage *stage); /* after an answer >= 0: is it good? */
    void (*clean)(struct stage *stage);   /* undo what the call did */
    void (*disarrange)(struct stage *stage);
    void (*inspect_failure)(struct stage *stage); /* has it changed nothing? */
};

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
 * Run the scenario with each fault at each place. Prints how many were visited. A fault
 * that finds a bug fails the test with the fault in the message.
 */
void round_try_all(const struct scenario *scenario);

/*
 * For main: one cmocka test a scenario. Those that do not say what is documented get
 * `documented`.
 */
struct CMUnitTest *round_make_tests(struct scenario *scenarios, size_t n,
                                    const int *documented);

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
 * Another process, that lives until step_close_elsewhere. Only one at a time.
 */
struct elsewhere {
    void (*begin)(void); /* the round waits until this is done */
    void (*act)(void);   /* on request; the test does not wait for it */
    void (*end)(void);
};

void round_live_elsewhere(const struct elsewhere *life);
void round_act_elsewhere(void);

/* One that makes a map and holds it; what it can write begins with "elsewhere". */
void round_hold_elsewhere(int (*make)(mmf_map **map));

/* The file of a name without strange characters. */
const char *round_file_of(const char *name);

/* A file with `size` bytes at stage->path. 0: only the path is chosen. */
void round_make_file(struct stage *stage, int64_t size);

/* The map can be viewed, and its first bytes changed. */
void round_check_usable(mmf_map *map);

/*
 * Steps that many scenarios have in common.
 */

/* A dead "Cat"; one that another process holds, until the second of the two. */
void step_leave_dead(struct stage *stage);
void step_hold_elsewhere(struct stage *stage);
void step_close_elsewhere(struct stage *stage);

/* The same with "Dog": a namespace in use, but not the name. */
void step_hold_another(struct stage *stage);

/* The call's map is usable; it is the other process's "Cat"; it is found as "Cat". */
void step_is_usable(struct stage *stage);
void step_is_theirs(struct stage *stage);
void step_is_found(struct stage *stage);

/* There is no "Cat" any more. */
void step_is_gone(struct stage *stage);

void step_close_map(struct stage *stage);

#endif
