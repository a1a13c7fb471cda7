/*
 * sync_model.c - the scenarios: what two to four threads do to the words of mutex,
 * event and semaphore, in every order (see explore.h).
 *
 *     sync_model [PATTERN]    only the scenarios whose name has PATTERN in it; one that
 *                             is named in full runs even if it is for the long run
 *
 * MMF_TEST_LONG=1 runs more of them, and each of them again with one tick more, and
 * with one kill more. Then some have more states than fit: "stopped" says
 * so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mmf/status.h>

#include "explore.h"
#include "harness/step.h"

#define MUTEX(name)                                                                    \
    {                                                                                  \
        name, MMF_KIND_MUTEX, 0, 0                                                     \
    }
#define MUTEX_OF(thread)                                                               \
    {                                                                                  \
        "M", MMF_KIND_MUTEX, thread, 0                                                 \
    }
#define AUTO_EVENT(name, signalled)                                                    \
    {                                                                                  \
        name, MMF_KIND_EVENT, signalled, 0                                             \
    }
#define MANUAL_EVENT(name, signalled)                                                  \
    {                                                                                  \
        name, MMF_KIND_EVENT, signalled, 1                                             \
    }
#define SEMAPHORE(name, count, maximum)                                                \
    {                                                                                  \
        name, MMF_KIND_SEMAPHORE, count, maximum                                       \
    }

enum { FIRST, SECOND, THIRD };

/* Longer than a nap, shorter than a tick. */
enum { SHORTLY = 10 };

enum { TICK = 60 };

static const int both[] = {FIRST, SECOND};
static const int last_two[] = {SECOND, THIRD};
static const int outer_two[] = {FIRST, THIRD};
static const int all_three[] = {FIRST, SECOND, THIRD};
static const int reversed[] = {SECOND, FIRST};

static int
is_taken(int rc)
{
    return rc == MMF_OK || rc == MMF_ABANDONED;
}

/*
 * Threads.
 */

STEP(lock_first, wait_one(FIRST, NEVER); release(FIRST));
STEP(lock_first_twice, lock_first(); lock_first());
STEP(lock_second, wait_one(SECOND, NEVER); release(SECOND));
STEP(lock_again, wait_one(FIRST, NEVER); wait_one(FIRST, NEVER); release(FIRST);
     release(FIRST));

static void
try_lock_first(void)
{
    if (is_taken(wait_one(FIRST, 0)))
        release(FIRST);
}

static void
lock_first_shortly(void)
{
    if (is_taken(wait_one(FIRST, SHORTLY)))
        release(FIRST);
}

STEP(lock_first_shortly_twice, lock_first_shortly(); lock_first_shortly());

static void
lock_first_in_two_ticks(void)
{
    if (is_taken(wait_one(FIRST, 2 * TICK)))
        release(FIRST);
}

static void
do_nothing(void)
{
}

STEP(release_first, release(FIRST));
STEP(lock_and_end, wait_one(FIRST, NEVER); end_thread(FIRST));
STEP(lock_and_keep, wait_one(FIRST, NEVER));
STEP(wait_first, wait_one(FIRST, NEVER));
STEP(wait_first_twice, wait_one(FIRST, NEVER); wait_one(FIRST, NEVER));
STEP(wait_first_shortly, wait_one(FIRST, SHORTLY));
STEP(poll_first, wait_one(FIRST, 0));
STEP(poll_first_then_second, wait_one(FIRST, 0); wait_one(SECOND, 0));
STEP(poll_second_then_first, wait_one(SECOND, 0); wait_one(FIRST, 0));
STEP(wait_second, wait_one(SECOND, NEVER));
STEP(set_first, set(FIRST));
STEP(set_first_twice, set(FIRST); set(FIRST));
STEP(set_second, set(SECOND));
STEP(set_both, set(FIRST); set(SECOND));
STEP(set_second_then_first, set(SECOND); set(FIRST));
STEP(set_and_reset_first, set(FIRST); reset(FIRST));
STEP(set_reset_set_first, set(FIRST); reset(FIRST); set(FIRST));
STEP(reset_first, reset(FIRST));
STEP(reset_and_set_first, reset(FIRST); set(FIRST));
STEP(reset_and_set_second, reset(SECOND); set(SECOND));

/* Both were set; from now on never both are. */
STEP(set_in_turns_once, reset(SECOND); reset(FIRST); set(SECOND));
STEP(set_in_turns_twice, set_in_turns_once(); reset(SECOND); set(FIRST); reset(FIRST);
     set(SECOND));
STEP(poll_first_and_set_second, wait_one(FIRST, 0); set(SECOND));
STEP(poll_second_and_set_first, wait_one(SECOND, 0); set(FIRST));
STEP(add_one_to_first, add(FIRST, 1, &(int){0}));
STEP(add_two_to_first, add(FIRST, 2, &(int){0}));
STEP(add_one_twice_to_first, add(FIRST, 1, &(int){0}); add(FIRST, 1, &(int){0}));
STEP(add_one_to_second, add(SECOND, 1, &(int){0}));
STEP(wait_and_add_first, wait_one(FIRST, NEVER); add(FIRST, 1, &(int){0}));
STEP(wait_second_and_add_to_first, wait_one(SECOND, NEVER); add(FIRST, 1, &(int){0}));
STEP(poll_first_and_add_to_second, wait_one(FIRST, 0); add(SECOND, 1, &(int){0}));
STEP(poll_second_and_add_to_first, wait_one(SECOND, 0); add(FIRST, 1, &(int){0}));

/* {event, mutex}: what was taken is released. */
static void
wait_any_of_event_and_mutex(void)
{
    int index;

    if (is_taken(wait_any(both, 2, NEVER, &index)) && index == 1)
        release(SECOND);
}

static void
wait_any_of_event_and_mutex_shortly(void)
{
    int index;

    if (is_taken(wait_any(both, 2, SHORTLY, &index)) && index == 1)
        release(SECOND);
}

STEP(wait_any_of_both, wait_any(both, 2, NEVER, &(int){0}));
STEP(wait_any_of_both_reversed, wait_any(reversed, 2, NEVER, &(int){0}));

/* {object, channel} */
STEP(wait_beside_channel, wait_beside(FIRST, SECOND, &(int){0}));

static void
lock_beside_channel(void)
{
    int index;

    if (is_taken(wait_beside(FIRST, SECOND, &index)) && index == 0)
        release(FIRST);
}

STEP(post_second, post(SECOND));
STEP(poll_any_of_both, wait_any(both, 2, 0, &(int){0}));
STEP(wait_all_of_both, wait_all(both, 2, NEVER));
STEP(wait_all_of_both_shortly, wait_all(both, 2, SHORTLY));
STEP(poll_all_of_both, wait_all(both, 2, 0));
STEP(lock_both, wait_all(both, 2, NEVER); release(FIRST); release(SECOND));
STEP(lock_both_reversed, wait_all(both, 2, NEVER); release(SECOND); release(FIRST));

static void
try_lock_both(void)
{
    if (is_taken(wait_all(both, 2, 0))) {
        release(SECOND);
        release(FIRST);
    }
}

STEP(lock_last_two, wait_all(last_two, 2, NEVER); release(SECOND); release(THIRD));
STEP(lock_outer_two, wait_all(outer_two, 2, NEVER); release(FIRST); release(THIRD));
STEP(wait_all_three, wait_all(all_three, 3, NEVER));
STEP(lock_first_with_second, wait_all(both, 2, NEVER); release(FIRST));
STEP(lock_second_with_first, wait_all(both, 2, NEVER); release(SECOND));

static void
lock_second_with_first_shortly(void)
{
    if (is_taken(wait_all(both, 2, SHORTLY)))
        release(SECOND);
}

static void
lock_held_first_with_second(void)
{
    wait_one(FIRST, NEVER);
    wait_all(both, 2, NEVER);
    release(SECOND);
    release(FIRST);
    release(FIRST);
}

/*
 * Scenarios.
 */

static const struct scenario scenarios[] = {
    /* Mutex. */
    {"mutex, two threads, twice", .objects = {MUTEX("M")},
     .threads = {lock_first_twice, lock_first_twice}, .ticks = 1},
    {"mutex, three threads", .objects = {MUTEX("M")},
     .threads = {lock_first, lock_first, lock_first}, .ticks = 1},
    {"mutex, recursion and a stranger", .objects = {MUTEX("M")},
     .threads = {lock_again, lock_first, release_first}},
    {"mutex, try-lock", .objects = {MUTEX("M")},
     .threads = {lock_first, try_lock_first, try_lock_first}},
    {"mutex, timeouts", .objects = {MUTEX("M")},
     .threads = {lock_first, lock_first_shortly, lock_first_shortly}, .ticks = 1},
    {"mutex, a timeout and a sleeper", .objects = {MUTEX("M")},
     .threads = {lock_first, lock_first_shortly, lock_first}, .ticks = 1},
    {"mutex, a timeout comes again", .objects = {MUTEX_OF(1)},
     .threads = {release_first, lock_first_shortly_twice, lock_first}, .ticks = 1},
    {"mutex, one killed, two threads", .objects = {MUTEX("M")},
     .threads = {lock_first_twice, lock_first_twice}, .kills = 1, .ticks = 1},
    {"mutex, one killed, three threads", .objects = {MUTEX("M")},
     .threads = {lock_first, lock_first, lock_first}, .kills = 1},
    {"mutex, owner killed, polls", .objects = {MUTEX("M")},
     .threads = {lock_and_keep, try_lock_first, try_lock_first}, .kills = 1},
    {"mutex, recursion, one killed", .objects = {MUTEX("M")},
     .threads = {lock_again, lock_first, try_lock_first}, .kills = 1},
    {"mutex, two killed", .objects = {MUTEX("M")},
     .threads = {lock_first, lock_first, lock_first}, .kills = 2},
    {"mutex, thread ends, others of the process", .objects = {MUTEX("M")},
     .threads = {lock_and_end, lock_first, lock_first}, .process = {1, 1, 2}},
    {"mutex, thread ends, process killed", .objects = {MUTEX("M")},
     .threads = {lock_and_end, lock_first, lock_first}, .process = {1, 1, 2},
     .kills = 1},

    {"mutex, two threads of a process, process killed", .objects = {MUTEX("M")},
     .threads = {lock_first, lock_first, lock_first}, .process = {1, 1, 2}, .kills = 1},

    /* Who of the sleepers watches. */
    {"watch, the owner killed", .objects = {MUTEX_OF(1)},
     .threads = {do_nothing, lock_first, lock_first}, .kills = 1, .ticks = 3},
    {"watch, the owner and a sleeper killed", .objects = {MUTEX_OF(1)},
     .threads = {do_nothing, lock_first, lock_first}, .process = {1, 1, 2}, .kills = 1,
     .ticks = 3},
    {"watch, the owner and two sleepers killed", .objects = {MUTEX_OF(1)},
     .threads = {do_nothing, lock_first, lock_first, lock_first},
     .process = {1, 1, 1, 2}, .calm_ticks = 1, .kills = 1, .ticks = 3},
    {"watch, the mutex is released", .objects = {MUTEX_OF(1)},
     .threads = {release_first, lock_and_keep, lock_first}, .process = {1, 1, 2},
     .kills = 1, .ticks = 2},
    {"watch, a timeout", .objects = {MUTEX_OF(1)},
     .threads = {do_nothing, lock_first, lock_first_in_two_ticks, lock_first},
     .process = {1, 1, 2, 3}, .calm_ticks = 1, .kills = 1, .ticks = 3},
    {"watch, a timeout while two threads of a process watch", .objects = {MUTEX_OF(1)},
     .threads = {do_nothing, lock_first_in_two_ticks, lock_first, lock_first,
                 lock_first},
     .process = {1, 2, 1, 1, 3}, .calm_ticks = 1, .calm_kills = 1, .kills = 1,
     .ticks = 1},
    {"watch, two killed", .objects = {MUTEX_OF(1)},
     .threads = {do_nothing, lock_first, lock_first, lock_first},
     .process = {1, 1, 2, 3}, .calm_ticks = 1, .kills = 2, .ticks = 3},

    /* Event. */
    {"auto event, set twice, two waiters", .objects = {AUTO_EVENT("E", 0)},
     .threads = {set_first_twice, wait_first, wait_first}, .ticks = 1},
    {"auto event, in order", .objects = {AUTO_EVENT("E", 0)},
     .threads = {wait_first, wait_first, set_first}, .calm_ticks = 1, .preemptions = 2},
    {"auto event, two setters, two waiters", .objects = {AUTO_EVENT("E", 0)},
     .threads = {set_first, set_first, wait_first, wait_first}},
    {"auto event, set and reset", .objects = {AUTO_EVENT("E", 0)},
     .threads = {set_reset_set_first, wait_first, poll_first}},
    {"auto event, timeout and a sleeper", .objects = {AUTO_EVENT("E", 0)},
     .threads = {set_first, wait_first_shortly, wait_first}, .ticks = 2},
    {"auto event, one killed", .objects = {AUTO_EVENT("E", 0)},
     .threads = {set_first_twice, wait_first, wait_first}, .kills = 1},
    {"manual event, set, two waiters", .objects = {MANUAL_EVENT("E", 0)},
     .threads = {set_first, wait_first_twice, wait_first}},
    {"manual event, set, reset, set", .objects = {MANUAL_EVENT("E", 0)},
     .threads = {set_reset_set_first, wait_first, wait_first_shortly}},
    {"manual event, one killed", .objects = {MANUAL_EVENT("E", 0)},
     .threads = {set_reset_set_first, wait_first, wait_first}, .kills = 1},

    {"auto event, the setter and a sleeper killed", .objects = {AUTO_EVENT("E", 0)},
     .threads = {set_first, wait_first, wait_first}, .process = {1, 1, 2}, .kills = 1,
     .ticks = 2},

    /* Semaphore. */
    {"semaphore, one at a time, two waiters", .objects = {SEMAPHORE("S", 0, 3)},
     .threads = {add_one_twice_to_first, wait_first, wait_first}},
    {"semaphore, two releasers, two waiters", .objects = {SEMAPHORE("S", 0, 3)},
     .threads = {add_one_to_first, add_one_to_first, wait_first, wait_first}},
    {"semaphore, two at once, three waiters", .objects = {SEMAPHORE("S", 0, 3)},
     .threads = {add_two_to_first, wait_first, wait_first, wait_first}},
    {"semaphore, its maximum", .objects = {SEMAPHORE("S", 1, 2)},
     .threads = {add_one_twice_to_first, wait_and_add_first, poll_first}},
    {"semaphore, timeout and a sleeper", .objects = {SEMAPHORE("S", 0, 3)},
     .threads = {add_one_to_first, wait_first_shortly, wait_first}, .ticks = 2},
    {"semaphore, one killed", .objects = {SEMAPHORE("S", 0, 3)},
     .threads = {add_two_to_first, wait_first, wait_first}, .kills = 1},

    /* Any. */
    {"any of event and mutex", .objects = {AUTO_EVENT("E", 0), MUTEX("M")},
     .threads = {set_first, lock_second, wait_any_of_event_and_mutex}},
    {"any of event and mutex, others wait for the event",
     .objects = {AUTO_EVENT("E", 0), MUTEX("M")},
     .threads = {set_first, lock_second, wait_any_of_event_and_mutex, wait_first}},
    {"any of event and mutex, others wait for the mutex",
     .objects = {AUTO_EVENT("E", 0), MUTEX("M")},
     .threads = {set_first, lock_second, wait_any_of_event_and_mutex, lock_second}},
    {"any of event and mutex, timeout", .objects = {AUTO_EVENT("E", 0), MUTEX("M")},
     .threads = {set_first, lock_second, wait_any_of_event_and_mutex_shortly,
                 wait_first}},
    {"any of two semaphores, both orders",
     .objects = {SEMAPHORE("S", 0, 1), SEMAPHORE("T", 0, 1)},
     .threads = {add_one_to_first, add_one_to_second, wait_any_of_both,
                 wait_any_of_both_reversed}},
    {"any of two events, both set", .objects = {AUTO_EVENT("E", 0), AUTO_EVENT("F", 0)},
     .threads = {set_both, wait_any_of_both, wait_second}},
    {"any of two events, both set, first last", .preemptions = 1,
     .objects = {AUTO_EVENT("E", 0), AUTO_EVENT("F", 0)},
     .threads = {set_second_then_first, wait_any_of_both, wait_any_of_both_reversed}},
    {"any of event and semaphore, the first while the last is given",
     .objects = {AUTO_EVENT("E", 0), SEMAPHORE("S", 0, 2)},
     .threads = {wait_any_of_both, add_one_to_second, set_first}},
    {"any of mutex and event, released while the event is given", .preemptions = 2,
     .objects = {MUTEX_OF(1), AUTO_EVENT("E", 0)},
     .threads = {release_first, wait_any_of_both, set_second}},
    {"any of event and semaphore, the first while the last, one killed",
     .objects = {AUTO_EVENT("E", 0), SEMAPHORE("S", 0, 2)},
     .threads = {wait_any_of_both, add_one_to_second, set_first}, .kills = 1},
    {"beside a channel, a message and a signal",
     .objects = {AUTO_EVENT("E", 0), MANUAL_EVENT("C", 0)},
     .threads = {wait_beside_channel, post_second, set_first}},
    {"beside a channel, two waiters",
     .objects = {AUTO_EVENT("E", 0), MANUAL_EVENT("C", 0)},
     .threads = {wait_beside_channel, wait_beside_channel, post_second}},
    {"beside a channel, two waiters and a signal",
     .objects = {AUTO_EVENT("E", 0), MANUAL_EVENT("C", 0)},
     .threads = {wait_beside_channel, wait_first, set_first_twice, post_second}},
    {"beside a channel, a mutex", .objects = {MUTEX("M"), MANUAL_EVENT("C", 0)},
     .threads = {lock_beside_channel, lock_first, post_second}},
    {"beside a channel, one killed",
     .objects = {AUTO_EVENT("E", 0), MANUAL_EVENT("C", 0)},
     .threads = {wait_beside_channel, wait_first, set_first, post_second}, .kills = 1},
    {"any of two events, poll", .objects = {AUTO_EVENT("E", 0), MANUAL_EVENT("F", 0)},
     .threads = {set_both, poll_any_of_both, wait_any_of_both_reversed}},
    {"any of event and mutex, one killed", .objects = {AUTO_EVENT("E", 0), MUTEX("M")},
     .threads = {set_first, lock_second, wait_any_of_event_and_mutex}, .kills = 1},

    /* All. */
    {"all of two mutexes against a taker of the first",
     .objects = {MUTEX("M"), MUTEX("N")}, .threads = {lock_both, lock_first}},
    {"all of two mutexes against takers of each", .objects = {MUTEX("M"), MUTEX("N")},
     .threads = {lock_both, lock_first, lock_second}},
    {"all of two mutexes against two takers of one",
     .objects = {MUTEX("M"), MUTEX("N")},
     .threads = {lock_both, lock_first, lock_first}},
    {"all of two mutexes, twice at once", .objects = {MUTEX("M"), MUTEX("N")},
     .threads = {lock_both, lock_both_reversed}},
    {"all of two mutexes, three times at once", .objects = {MUTEX("M"), MUTEX("N")},
     .threads = {lock_both, lock_both_reversed, try_lock_both}, .only_long = 1},
    {"all of a mutex that is owned already and another",
     .objects = {MUTEX("M"), MUTEX("N")},
     .threads = {lock_held_first_with_second, lock_first, lock_second}},
    {"all of three philosophers' forks",
     .objects = {MUTEX("M"), MUTEX("N"), MUTEX("O")},
     .threads = {lock_both, lock_last_two, lock_outer_two}, .only_long = 1},
    {"all of mutex and event, set and reset",
     .objects = {MUTEX("M"), AUTO_EVENT("E", 1)},
     .threads = {lock_first_with_second, reset_and_set_second, lock_first}},
    {"all of event and mutex, set and reset",
     .objects = {AUTO_EVENT("E", 1), MUTEX("M")},
     .threads = {lock_second_with_first, reset_and_set_first, lock_second}},
    {"all of two events, never both set",
     .objects = {AUTO_EVENT("E", 0), AUTO_EVENT("F", 0)},
     .threads = {wait_all_of_both_shortly, set_and_reset_first, set_second}},
    {"all of two events, set in turns",
     .objects = {AUTO_EVENT("E", 1), AUTO_EVENT("F", 1)},
     .threads = {wait_all_of_both_shortly, set_in_turns_once}},
    {"all of two events, set in turns, twice",
     .objects = {AUTO_EVENT("E", 1), AUTO_EVENT("F", 1)},
     .threads = {wait_all_of_both_shortly, set_in_turns_twice}},
    {"all of two manual events",
     .objects = {MANUAL_EVENT("E", 0), MANUAL_EVENT("F", 0)},
     .threads = {wait_all_of_both, set_both, wait_second}},
    {"all of manual and auto event",
     .objects = {MANUAL_EVENT("E", 1), AUTO_EVENT("F", 0)},
     .threads = {wait_all_of_both_shortly, reset_first, set_second, poll_first}},
    {"all of two semaphores against a taker",
     .objects = {SEMAPHORE("S", 1, 2), SEMAPHORE("T", 0, 2)},
     .threads = {wait_all_of_both, wait_and_add_first, add_one_to_second}},
    {"all of two semaphores, others sleep",
     .objects = {SEMAPHORE("S", 0, 2), SEMAPHORE("T", 1, 2)},
     .threads = {wait_all_of_both, wait_first, add_one_twice_to_first}},
    {"all of two semaphores, it turns to the other",
     .objects = {SEMAPHORE("S", 0, 2), SEMAPHORE("T", 1, 2)},
     .threads = {wait_all_of_both, wait_first, wait_second_and_add_to_first}},
    {"all of two semaphores, twice, others sleep",
     .objects = {SEMAPHORE("S", 0, 3), SEMAPHORE("T", 1, 2)},
     .threads = {wait_all_of_both, wait_first, add_one_to_first, add_one_to_first},
     .only_long = 1},
    {"all and any of event and mutex", .objects = {AUTO_EVENT("E", 0), MUTEX("M")},
     .threads = {lock_second_with_first, wait_any_of_event_and_mutex, set_first_twice}},
    {"all of manual event and mutex, reset",
     .objects = {MANUAL_EVENT("E", 1), MUTEX("M")},
     .threads = {lock_second_with_first_shortly, reset_and_set_first, lock_second}},
    {"all of three", .objects = {SEMAPHORE("S", 1, 1), AUTO_EVENT("E", 0), MUTEX("M")},
     .threads = {wait_all_three, set_second, wait_and_add_first}},

    /* All, as others see it. */
    {"all at one moment, polls", .objects = {AUTO_EVENT("E", 1), AUTO_EVENT("F", 1)},
     .threads = {wait_all_of_both, poll_first_then_second, poll_second_then_first}},
    {"all or nothing, polls of all",
     .objects = {AUTO_EVENT("E", 1), AUTO_EVENT("F", 1)},
     .threads = {poll_all_of_both, poll_all_of_both, poll_second_then_first}},
    {"all of mutex and event, poll, then set",
     .objects = {MUTEX("M"), AUTO_EVENT("E", 1)},
     .threads = {wait_all_of_both, poll_first_and_set_second}},
    {"all of event and mutex, poll, then set",
     .objects = {AUTO_EVENT("E", 1), MUTEX("M")},
     .threads = {wait_all_of_both, poll_second_and_set_first}},
    {"all of semaphore and event, poll, then release, reversed",
     .objects = {SEMAPHORE("S", 1, 1), AUTO_EVENT("E", 1)},
     .threads = {wait_all_of_both, poll_second_and_add_to_first}},
    {"all of semaphore and event, poll, then release",
     .objects = {AUTO_EVENT("E", 1), SEMAPHORE("S", 1, 1)},
     .threads = {wait_all_of_both, poll_first_and_add_to_second}},
    {"all at one moment, a slow reserver",
     .objects = {AUTO_EVENT("E", 1), AUTO_EVENT("F", 1)},
     .threads = {wait_all_of_both, poll_second_then_first}, .ticks = 1},
    {"all at one moment, a slow reserver, polls of all",
     .objects = {AUTO_EVENT("E", 1), AUTO_EVENT("F", 1)},
     .threads = {wait_all_of_both, poll_second_then_first, poll_all_of_both},
     .ticks = 1, .only_long = 1},
    {"all of two, timeouts", .objects = {MUTEX("M"), AUTO_EVENT("E", 0)},
     .threads = {wait_all_of_both_shortly, lock_first, set_second}, .ticks = 1},

    /* All, killed. */
    {"all of two mutexes, one killed, a taker", .objects = {MUTEX("M"), MUTEX("N")},
     .threads = {lock_both, lock_first}, .kills = 1},
    {"all of two mutexes, one killed, twice at once",
     .objects = {MUTEX("M"), MUTEX("N")}, .threads = {lock_both, lock_both_reversed},
     .kills = 1},
    {"all of two mutexes, two threads of a process, process killed",
     .objects = {MUTEX("M"), MUTEX("N")},
     .threads = {lock_both, lock_both_reversed, try_lock_first}, .process = {1, 1, 2},
     .kills = 1},
    {"all of a mutex of the dead and an event",
     .objects = {MUTEX("M"), AUTO_EVENT("E", 0)},
     .threads = {lock_and_keep, wait_all_of_both, set_second}, .kills = 1},
    {"all and any of event and mutex, one killed",
     .objects = {AUTO_EVENT("E", 0), MUTEX("M")},
     .threads = {lock_second_with_first, wait_any_of_event_and_mutex, set_first},
     .kills = 1},
    {"all of mutex and semaphore, one killed, takers",
     .objects = {MUTEX("M"), SEMAPHORE("S", 1, 1)},
     .threads = {wait_all_of_both, lock_first, wait_second}, .kills = 1},
    {"all of two events, one killed, polls",
     .objects = {AUTO_EVENT("E", 1), AUTO_EVENT("F", 1)},
     .threads = {wait_all_of_both, poll_first_then_second}, .kills = 1},
    {"all of two events, one killed, polls of all",
     .objects = {AUTO_EVENT("E", 1), AUTO_EVENT("F", 1)},
     .threads = {wait_all_of_both, poll_all_of_both}, .kills = 1},
    {"all of two events, one killed, all polls",
     .objects = {AUTO_EVENT("E", 1), AUTO_EVENT("F", 1)},
     .threads = {wait_all_of_both, poll_first_then_second, poll_all_of_both},
     .kills = 1},
    {"all of event and semaphore, one killed, set and added to",
     .objects = {AUTO_EVENT("E", 1), SEMAPHORE("S", 1, 2)},
     .threads = {wait_all_of_both, set_first, add_one_to_second}, .kills = 1},
    {"all of two mutexes, two killed", .objects = {MUTEX("M"), MUTEX("N")},
     .threads = {lock_both, lock_both, lock_first}, .kills = 2, .only_long = 1},
};

static double
seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int runs;
static int failures;
static struct counts total;

static void
run(const struct scenario *scenario, const char *with)
{
    struct counts counts;
    double begin = seconds();
    int rc = explore(scenario, &counts);

    printf("%-60s %10llu %10llu %9.1e %8llu %7llu %7llu %7.1f %7.2f%s%s%s\n",
           scenario->name, (unsigned long long)counts.search.states,
           (unsigned long long)counts.search.steps, counts.search.schedules,
           (unsigned long long)counts.search.kills, (unsigned long long)counts.ends,
           (unsigned long long)counts.naps, (double)counts.latest / 1e6,
           seconds() - begin, with, counts.search.stopped ? ", stopped" : "",
           rc == 0 ? "" : "  FAILED");
    if (counts.search.loops > 0)
        printf("    %llu steps led back to a state on the way\n",
               (unsigned long long)counts.search.loops);
    if (counts.excused > 0)
        printf("    %llu waits timed out behind reservations that took their time\n",
               (unsigned long long)counts.excused);
    fflush(stdout);
    total.search.states += counts.search.states;
    total.search.steps += counts.search.steps;
    total.search.kills += counts.search.kills;
    runs++;
    failures += rc != 0;
}

int
main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    const char *count = getenv("MMF_TEST_LONG");
    int is_long = count != NULL && strcmp(count, "1") == 0;
    double begin = seconds();

    printf("%-60s %10s %10s %9s %8s %7s %7s %7s %7s\n", "scenario", "states", "steps",
           "schedules", "kills", "ends", "naps", "late ms", "seconds");
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        struct scenario scenario = scenarios[i];
        const char *often = getenv("MMF_TEST_PREEMPTIONS");

        if (scenario.preemptions == 0)
            scenario.preemptions = often != NULL          ? atoi(often)
                                   : is_long              ? 99
                                   : !scenario.threads[2] ? 2
                                   : scenario.kills > 0   ? 1
                                   : scenario.ticks > 0   ? 1
                                   : scenario.threads[3]  ? 1
                                                          : 2;

        if (strstr(scenario.name, only) == NULL ||
            (scenario.only_long && !is_long && strcmp(scenario.name, only) != 0))
            continue;
        run(&scenario, "");
        if (!is_long)
            continue;
        scenario.ticks++;
        run(&scenario, "  a tick more");
        scenario.ticks--;
        scenario.kills++;
        run(&scenario, "  a kill more");
    }
    printf("FIGURES: %llu states, %llu steps, %llu of them kills, %.0f s\n",
           (unsigned long long)total.search.states,
           (unsigned long long)total.search.steps,
           (unsigned long long)total.search.kills, seconds() - begin);
    printf("model: %d passed, %d failed, 0 skipped\n", runs - failures, failures);
    return failures == 0 && runs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
