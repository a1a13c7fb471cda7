/*
 * kill.h - kill a process at every place of an operation, and look at the survivors.
 *
 *     PROGRAM [PATTERN [FIRST STRIDE]]
 *
 * PATTERN: only the operations with that in their name. FIRST and STRIDE: from which
 * instruction on, and the step to the next; so a long run can be done in pieces.
 *
 * An operation is a row of a table. For each a child, the victim, runs it between two
 * marks, under ptrace, and is killed
 *
 *   - at the entry and at the exit of every system call that it makes,
 *   - where it sleeps, if it does, and
 *   - before every instruction that it executes in libmmf.so (in libc nothing happens
 *     that others could see, but by the system calls of before). Some runs single-step
 *     through the operation and write down where they come by; then one victim for each
 *     of these places runs there with a breakpoint and is killed. Without
 *     MMF_TEST_LONG=1 a part of the places is taken; with MMF_TEST_SLOW=N beside it some N
 *     of each operation at which a kill takes long.
 *
 * After each kill the suite looks at the survivors. A place at which twelve minutes pass
 * (six times MMF_TEST_DEADLINE_MS) ends the program, which says where it hangs.
 */
#ifndef MMF_TEST_KILL_H
#define MMF_TEST_KILL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/options.h"
#include "harness/step.h"

#include "harness/clock.h"

struct kill_operation {
    const char *name;      /* "CALL, how" or "KIND: CALL, how" */
    unsigned flags;        /* the suite's, and those below */
    uint32_t role;         /* the victim's handle; 0: it has none before the run */
    void (*prepare)(void); /* in the victim, before it is watched */
    void (*run)(void);
};

/* The upper flags of an operation are for all suites. */
#define KILL_BY_CALL (1u << 31) /* not at instructions */
#define KILL_ASLEEP (1u << 30)  /* where it sleeps, too */
#define KILL_CREATES (1u << 29) /* what it does depends on its process id: more walks */
#define KILL_SLOW (1u << 28)    /* each kill takes long: at a third of the places */

struct kill_suite {
    const char *program;
    const struct kill_operation *operations;
    size_t count;
    /* Before the first kill, and after the last one. NULL: nothing to do. */
    void (*begin)(void);
    void (*end)(void);
    /* Everything and every other process is in its place, without the victim. */
    void (*make_ready)(void);
    /* In the victim, or in another child: its handle. NULL: no operation has a role. */
    void (*open)(uint32_t role);
    /* The victim stands before its run; 0: it was killed asleep. NULL: nothing to do. */
    void (*meet)(pid_t victim);
    /* The victim is dead: look at the survivors. */
    void (*check)(void);
    size_t stride;       /* from instruction to instruction, unless all are wanted; */
    size_t sample;       /* or so many for each operation */
    int walks;           /* the shortest and the longest of so many */
    int tries;           /* how often a place that is not met is tried again; */
    int rare_tries;      /* one that only the longest walk came by */
    unsigned long spare; /* at most one of so many places may be missed */
};

/* What main does. */
int kill_main(int argc, char **argv, const struct kill_suite *suite);

/* The operation that is looked at; whether it has one of these flags. */
extern const struct kill_operation *kill_current;
int kill_has(unsigned flags);

/* The suite's directory, which is MMF_DIR. */
extern char kill_dir[];

/* Says what is wrong, and at which place, twenty times at most. */
void kill_fail(const char *what, const char *why);

/* The same, unless the status is MMF_OK. */
void kill_check(const char *what, int rc);

/* For the table: survivors needed so long. */
void kill_late(int64_t milliseconds);

/* Wait until `*place` is not 0, or the milliseconds have passed. */
void kill_await(const volatile int *place, int64_t milliseconds);

/* Memory of that size that all children share; it is zero. Or the program ends. */
void *kill_shared(size_t size);

/*
 * What is in the directory, and in its subdirectory of this user, that is no directory
 * and none of the known names (which end with NULL). NULL: nothing.
 */
const char *kill_find_left(const char *const *known);

/*
 * Another process opens a handle (suite->open), does `what`, and then is killed: 0.
 * One that `stays` lives on, and ends when it has done it: its id.
 */
pid_t kill_elsewhere(uint32_t role, void (*what)(void), int stays);

/* It sleeps in the library; it has come to its end. A kill_fail if not. */
void kill_await_sleep(pid_t pid);
void kill_await_end(pid_t pid);
int kill_is_asleep(pid_t pid);

/*
 * Peers: processes that stay from kill to kill and do what they are asked to, one thing
 * after the other.
 */
struct kill_peer {
    pid_t pid;
    int socket;
};

void kill_start_peer(struct kill_peer *peer);
void kill_stop_peer(struct kill_peer *peer);

/* What it answers then is what `what` has returned: never negative. */
void kill_ask(const struct kill_peer *peer, int (*what)(int, int), int first,
              int second);

/* Something without arguments that a peer does: PEER_DOES(name, its answer); */
#define PEER_DOES(name, answer)                                                        \
    static int name(int unused, int unused_too)                                        \
    {                                                                                  \
        (void)unused;                                                                  \
        (void)unused_too;                                                              \
        return (answer);                                                               \
    }                                                                                  \
    extern int step_needs_a_semicolon

/* Its next answer; -1 if it says nothing within `ms`. */
int kill_hear(const struct kill_peer *peer, int ms);

/* Both: it must answer 1. */
void kill_do(const struct kill_peer *peer, int (*what)(int, int), int first,
             const char *doing);

/* In a peer: it is asked for something else, or is within `ms`. */
int kill_is_asked(int ms);

#endif
