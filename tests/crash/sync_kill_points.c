/*
 * sync_kill_points.c - kill a process at every place of every call of mutexes, events and
 * semaphores.
 *
 * Two others take part: the sleeper waits for the object that the victim signals,
 * and the partner signals the victim's object once it sleeps. After each kill
 *
 *   - the sleeper goes on by itself if its object is available, within a deadline,
 *   - a process that was not there before gets the mutex (abandoned only if the victim
 *     may have owned it, and once), finds event and semaphore in a state that they may
 *     be in, and takes all of them with one wait for all and one for any,
 *   - of a name that only the victim had nothing is left.
 */
#include "kill.h"

#include <mmf/mmf.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/page/control.h"
#include "shared/sync/word.h"

#define FRESH "fresh" /* the victim's alone */

enum {
    SAMPLE = 30,          /* instructions for each operation, unless all are wanted */
    DEADLINE_MS = 120000, /* only a bug makes a process wait so long */
    LATE_MS = 1000,       /* a sleeper is woken in a tenth of it */
    TOO_LATE_MS = 5000,   /* machines have loads */
    SHORT_MS = 20
};

enum object { MUTEX, EVENT, MANUAL, SEMAPHORE, OBJECTS, NOTHING = -1 };

static const char *const names[OBJECTS + 1] = {"mutex", "event", "manual", "semaphore",
                                               NULL};

/* How things stand before the operation. */
#define EVENT_SET 1u     /* else reset */
#define MANUAL_SET 2u    /* likewise */
#define SEMAPHORE_ONE 4u /* else 0 */
#define MUTEX_DEAD 8u    /* its owner has just died */
#define PARTNER_OWNS 16u /* the mutex, until the victim sleeps */
#define FRESH_HELD 32u   /* the sleeper has a mutex of that name */
#define FRESH_DEAD 64u   /* an orphaned object has that name */
/* What may be left. */
#define MAY_ABANDON 128u  /* the victim may have owned the mutex */
#define MUST_ABANDON 256u /* it did, or the one before it died */
/* What the sleeper waits for, what the partner signals when the victim sleeps, and the
 * semaphore's count at most. */
#define BESIDE(object) ((unsigned)((object) + 1) << 12)
#define SIGNALLED(object) ((unsigned)((object) + 1) << 16)
#define MOST(count) ((unsigned)(count) << 20)

enum { OPENS = 1 }; /* role: the victim has opened all four before */

static struct kill_peer sleeper, partner;

static enum object
object_at(unsigned shift)
{
    return (enum object)((int)(kill_current->flags >> shift & 7) - 1);
}

static enum object
sleepers_object(void)
{
    return object_at(12);
}

/* What the partner signals, at the latest when the victim is dead. */
static enum object
partners_object(void)
{
    if (object_at(16) == NOTHING && kill_has(PARTNER_OWNS))
        return MUTEX;
    return object_at(16);
}

static _Noreturn void
die(const char *what)
{
    fprintf(stderr, "sync_kill_points: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/*
 * Handles: the victim's, a peer's or our own, as the process may be.
 */
static mmf_mutex *mutex;
static mmf_event *event, *manual;
static mmf_semaphore *semaphore;

static int
open_all(void)
{
    int created;

    if (mmf_mutex_create_or_open(names[MUTEX], 0, NULL, &created, &mutex) < 0 ||
        mmf_event_create_or_open(names[EVENT], 0, MMF_EVENT_AUTO_RESET, NULL, &created,
                                 &event) < 0 ||
        mmf_event_create_or_open(names[MANUAL], 0, MMF_EVENT_MANUAL_RESET, NULL,
                                 &created, &manual) < 0 ||
        mmf_semaphore_create_or_open(names[SEMAPHORE], 0, 4, NULL, &created,
                                     &semaphore) < 0)
        return -1;
    return 0;
}

static void
close_all(void)
{
    mmf_mutex_close(mutex);
    mmf_event_close(event);
    mmf_event_close(manual);
    mmf_semaphore_close(semaphore);
}

static mmf_waitable *
waitable(enum object object)
{
    switch (object) {
    case MUTEX:
        return mmf_mutex_waitable(mutex);
    case EVENT:
        return mmf_event_waitable(event);
    case MANUAL:
        return mmf_event_waitable(manual);
    default:
        return mmf_semaphore_waitable(semaphore);
    }
}

static int
signal_object(enum object object)
{
    switch (object) {
    case MUTEX:
        return mmf_mutex_release(mutex);
    case EVENT:
        return mmf_event_set(event);
    case MANUAL:
        return mmf_event_set(manual);
    default:
        return mmf_semaphore_release(semaphore, 1, NULL);
    }
}

/*
 * What the peers do.
 */

PEER_DOES(open_in_peer, open_all() == 0);

PEER_DOES(close_in_peer, (close_all(), 1));

/* The sleeper: take it whenever it is available. */
static int
sleep_for(int object, int unused)
{
    int rc = mmf_wait_one(waitable((enum object)object), MMF_INFINITE);

    (void)unused;
    if (rc < 0 || (object == MUTEX && mmf_mutex_release(mutex) < 0))
        return 'x';
    return rc == MMF_ABANDONED ? 'a' : 'o';
}

/* The partner. */
static int owns; /* the mutex */
static int signalled;

PEER_DOES(own_mutex, (owns = mmf_mutex_wait(mutex, DEADLINE_MS) >= 0));

/*
 * Signal once the victim sleeps. And again if it sleeps on: the sleeper may have got
 * it. It slept first, so the second is for the victim: soon, before it checks by itself.
 */
static int
signal_when_asleep(int object, int victim)
{
    signalled = 0;
    while (!kill_is_asked(signalled > 0 ? 2 : 1)) {
        if (signalled < 2 && victim != 0 && kill_is_asleep(victim)) {
            signal_object((enum object)object);
            signalled += object == MUTEX ? 2 : 1;
            owns = owns && object != MUTEX;
        }
    }
    return 1;
}

static int
signal_at_last(int object, int unused)
{
    (void)unused;
    if (signalled == 0 && object != MUTEX)
        signal_object((enum object)object);
    if (owns)
        mmf_mutex_release(mutex);
    owns = 0;
    return 1;
}

static mmf_mutex *fresh_of_peer;

PEER_DOES(hold_fresh_name,
          mmf_mutex_create_or_open(FRESH, 0, NULL, NULL, &fresh_of_peer) >= 0);

PEER_DOES(close_fresh_name, (mmf_mutex_close(fresh_of_peer), 1));

/*
 * The operations.
 */
static mmf_mutex *fresh_mutex;
static mmf_event *fresh_event;
static mmf_semaphore *fresh_semaphore;
static int poll_fd;

static void
open_victim(uint32_t unused)
{
    (void)unused;
    if (open_all() < 0) {
        fprintf(stderr, "sync_kill_points: %s\n", mmf_last_message());
        _exit(1);
    }
}

static void
wait_for_several(int all, int timeout_ms)
{
    mmf_waitable *objects[3] = {waitable(EVENT), waitable(SEMAPHORE), waitable(MUTEX)};
    int index;

    if (all)
        mmf_wait_all(objects, 3, timeout_ms);
    else
        mmf_wait_any(objects, 3, timeout_ms, &index);
}

STEP(own, mmf_mutex_wait(mutex, DEADLINE_MS));
STEP(own_twice, own(); own());
STEP(run_mutex_wait, mmf_mutex_wait(mutex, DEADLINE_MS));
STEP(run_mutex_wait_shortly, mmf_mutex_wait(mutex, SHORT_MS));
STEP(run_mutex_release, mmf_mutex_release(mutex));
STEP(run_event_set, mmf_event_set(event));
STEP(run_event_reset, mmf_event_reset(event));
STEP(run_event_wait, mmf_event_wait(event, DEADLINE_MS));
STEP(run_manual_set, mmf_event_set(manual));
STEP(run_manual_wait, mmf_event_wait(manual, DEADLINE_MS));
STEP(run_semaphore_release, mmf_semaphore_release(semaphore, 1, NULL));
STEP(run_semaphore_release_two, mmf_semaphore_release(semaphore, 2, NULL));
STEP(run_semaphore_wait, mmf_semaphore_wait(semaphore, DEADLINE_MS));
STEP(run_wait_any, wait_for_several(0, DEADLINE_MS));
STEP(run_wait_any_shortly, wait_for_several(0, SHORT_MS));
STEP(run_wait_all, wait_for_several(1, DEADLINE_MS));
STEP(run_wait_all_shortly, wait_for_several(1, SHORT_MS));
STEP(run_signal_and_wait,
     mmf_signal_and_wait(waitable(EVENT), waitable(SEMAPHORE), DEADLINE_MS));
STEP(run_create_mutex, mmf_mutex_create_or_open(FRESH, 1, NULL, NULL, &fresh_mutex));
STEP(run_create_event, mmf_event_create_or_open(FRESH, 1, MMF_EVENT_MANUAL_RESET, NULL,
                                                NULL, &fresh_event));
STEP(run_create_semaphore,
     mmf_semaphore_create_or_open(FRESH, 1, 2, NULL, NULL, &fresh_semaphore));
STEP(run_open_mutex, mmf_mutex_open_existing(FRESH, NULL, &fresh_mutex));
STEP(run_close_mutex, mmf_mutex_close(fresh_mutex));
STEP(run_close_semaphore, mmf_semaphore_close(fresh_semaphore));
STEP(run_close_owned, mmf_mutex_close(mutex));
STEP(run_poll_fd, mmf_waitable_fd(waitable(EVENT), &poll_fd));

static const struct kill_operation operations[] = {
    {"mutex: wait", MAY_ABANDON, OPENS, NULL, run_mutex_wait},
    {"mutex: wait, again", MUST_ABANDON, OPENS, own, run_mutex_wait},
    {"mutex: wait, of the dead", MUTEX_DEAD | MUST_ABANDON, OPENS, NULL,
     run_mutex_wait},
    {"mutex: wait, sleeps", PARTNER_OWNS | MAY_ABANDON | SIGNALLED(MUTEX) | KILL_ASLEEP,
     OPENS, NULL, run_mutex_wait},
    {"mutex: wait, sleeps beside another",
     PARTNER_OWNS | MAY_ABANDON | BESIDE(MUTEX) | SIGNALLED(MUTEX) | KILL_ASLEEP, OPENS,
     NULL, run_mutex_wait},
    {"mutex: wait, times out", PARTNER_OWNS, OPENS, NULL, run_mutex_wait_shortly},
    {"mutex: release", MAY_ABANDON, OPENS, own, run_mutex_release},
    {"mutex: release, of two", MUST_ABANDON, OPENS, own_twice, run_mutex_release},
    {"mutex: release, a sleeper", MAY_ABANDON | BESIDE(MUTEX), OPENS, own,
     run_mutex_release},
    {"event: set", 0, OPENS, NULL, run_event_set},
    {"event: set, a sleeper", BESIDE(EVENT), OPENS, NULL, run_event_set},
    {"event: set, manual, a sleeper", BESIDE(MANUAL), OPENS, NULL, run_manual_set},
    {"event: reset", EVENT_SET, OPENS, NULL, run_event_reset},
    {"event: wait", EVENT_SET, OPENS, NULL, run_event_wait},
    {"event: wait, manual", MANUAL_SET, OPENS, NULL, run_manual_wait},
    {"event: wait, sleeps", SIGNALLED(EVENT) | KILL_ASLEEP, OPENS, NULL,
     run_event_wait},
    {"event: wait, sleeps beside another",
     BESIDE(EVENT) | SIGNALLED(EVENT) | KILL_ASLEEP, OPENS, NULL, run_event_wait},
    {"semaphore: release", MOST(1), OPENS, NULL, run_semaphore_release},
    {"semaphore: release, a sleeper", BESIDE(SEMAPHORE) | MOST(2), OPENS, NULL,
     run_semaphore_release_two},
    {"semaphore: wait", SEMAPHORE_ONE | MOST(1), OPENS, NULL, run_semaphore_wait},
    {"semaphore: wait, sleeps", SIGNALLED(SEMAPHORE) | MOST(2) | KILL_ASLEEP, OPENS,
     NULL, run_semaphore_wait},
    {"wait_any", MAY_ABANDON, OPENS, NULL, run_wait_any},
    {"wait_any, sleeps", PARTNER_OWNS | MAY_ABANDON | SIGNALLED(EVENT) | KILL_ASLEEP,
     OPENS, NULL, run_wait_any},
    {"wait_any, sleeps beside another",
     PARTNER_OWNS | MAY_ABANDON | BESIDE(SEMAPHORE) | SIGNALLED(SEMAPHORE) | MOST(2) |
         KILL_ASLEEP,
     OPENS, NULL, run_wait_any},
    {"wait_any, times out", PARTNER_OWNS, OPENS, NULL, run_wait_any_shortly},
    {"wait_all", EVENT_SET | SEMAPHORE_ONE | MAY_ABANDON | MOST(1), OPENS, NULL,
     run_wait_all},
    {"wait_all, of the dead",
     EVENT_SET | SEMAPHORE_ONE | MUTEX_DEAD | MUST_ABANDON | MOST(1), OPENS, NULL,
     run_wait_all},
    {"wait_all, sleeps",
     SEMAPHORE_ONE | MAY_ABANDON | SIGNALLED(EVENT) | MOST(1) | KILL_ASLEEP, OPENS,
     NULL, run_wait_all},
    {"wait_all, sleeps for the mutex",
     EVENT_SET | SEMAPHORE_ONE | PARTNER_OWNS | MAY_ABANDON | SIGNALLED(MUTEX) |
         MOST(1) | KILL_ASLEEP,
     OPENS, NULL, run_wait_all},
    {"wait_all, sleeps beside another",
     EVENT_SET | MAY_ABANDON | BESIDE(SEMAPHORE) | SIGNALLED(SEMAPHORE) | MOST(2) |
         KILL_ASLEEP,
     OPENS, NULL, run_wait_all},
    {"wait_all, times out", SEMAPHORE_ONE | MOST(1), OPENS, NULL, run_wait_all_shortly},
    {"signal_and_wait, sleeps",
     BESIDE(EVENT) | SIGNALLED(SEMAPHORE) | MOST(2) | KILL_ASLEEP, OPENS, NULL,
     run_signal_and_wait},
    {"event: fd", EVENT_SET, OPENS, NULL, run_poll_fd},
    {"mutex: create", 0, 0, NULL, run_create_mutex},
    {"event: create", 0, 0, NULL, run_create_event},
    {"semaphore: create", 0, 0, NULL, run_create_semaphore},
    {"mutex: create over an orphan", FRESH_DEAD, 0, NULL, run_create_mutex},
    {"mutex: create, opens", FRESH_HELD, 0, NULL, run_create_mutex},
    {"mutex: open", FRESH_HELD, 0, NULL, run_open_mutex},
    {"mutex: open, none there", 0, 0, NULL, run_open_mutex},
    {"mutex: close, last, owned", 0, 0, run_create_mutex, run_close_mutex},
    {"semaphore: close, last", 0, 0, run_create_semaphore, run_close_semaphore},
    {"mutex: close, not last", FRESH_HELD, 0, run_open_mutex, run_close_mutex},
    {"mutex: close, owned, not last", MUST_ABANDON, OPENS, own, run_close_owned},
};

/*
 * Before.
 */

static void
set_state(void)
{
    open_all();
    if (kill_has(EVENT_SET))
        mmf_event_set(event);
    if (kill_has(MANUAL_SET))
        mmf_event_set(manual);
    if (kill_has(SEMAPHORE_ONE))
        mmf_semaphore_release(semaphore, 1, NULL);
    close_all();
}

static void
make_ready(void)
{
    set_state();
    if (kill_has(MUTEX_DEAD))
        kill_elsewhere(OPENS, own, 0);
    if (kill_has(FRESH_DEAD))
        kill_elsewhere(0, run_create_semaphore, 0);
    if (kill_has(FRESH_HELD))
        kill_do(&sleeper, hold_fresh_name, 0, "holds the fresh name");
    if (kill_has(PARTNER_OWNS))
        kill_do(&partner, own_mutex, 0, "owns the mutex");
}

/* The others are in their places; without an object of its own the partner signals only
 * on request. */
static void
meet(pid_t victim)
{
    if (sleepers_object() != NOTHING) {
        kill_ask(&sleeper, sleep_for, sleepers_object(), 0);
        if (victim != 0)
            kill_await_sleep(sleeper.pid);
    }
    if (partners_object() != NOTHING)
        kill_ask(&partner, signal_when_asleep, partners_object(),
                 object_at(16) != NOTHING ? (int)victim : 0);
}

/*
 * After.
 */

static uint64_t
read_word(enum object object)
{
    char path[128];
    const struct mmf_control_shared *page;
    uint64_t word;
    struct stat status;
    int fd;

    snprintf(path, sizeof(path), "%s/mmf-%u/%s", kill_dir, (unsigned)geteuid(),
             names[object]);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        die(path);
    page = mmap(NULL, MMF_CONTROL_SIZE, PROT_READ, MAP_SHARED, fd,
                status.st_size - MMF_CONTROL_SIZE);
    if (page == MAP_FAILED)
        die(path);
    word = mmf_load_acquire_u64(&((struct mmf_sync_shared *)(void *)page->state)->word);
    munmap((void *)(uintptr_t)page, MMF_CONTROL_SIZE);
    close(fd);
    return word;
}

/* Only the victim could own the mutex. */
static int
is_available(enum object object)
{
    if (object == MUTEX)
        return 1;
    if (object == SEMAPHORE)
        return mmf_sync_count(read_word(object)) != 0;
    return (read_word(object) & MMF_WORD_SIGNALLED) != 0;
}

/* What the sleeper says, if its object is available, or once we signal it. */
static int
hear_sleeper(enum object object)
{
    int64_t begin = now_ms();
    int letter;

    if (is_available(object)) {
        letter = kill_hear(&sleeper, DEADLINE_MS);
        kill_late(now_ms() - begin);
        if (letter < 0)
            kill_fail("the sleeper", "sleeps, although its object is available");
        else if (now_ms() - begin > TOO_LATE_MS)
            kill_fail("the sleeper", "was notified late");
    } else {
        /* It has been given the partner's signal, or is given what the dead one had. */
        letter = kill_hear(&sleeper, object_at(16) == object ? LATE_MS : 0);
    }
    if (letter >= 0)
        return letter;
    open_all();
    signal_object(object);
    close_all();
    return kill_hear(&sleeper, DEADLINE_MS);
}

static void
check_sleeper(enum object object)
{
    int letter = hear_sleeper(object);

    if (letter < 0) {
        kill_fail("the sleeper", "sleeps forever");
        die("the sleeper");
    }
    if (letter == 'a' && (object != MUTEX || !kill_has(MAY_ABANDON | MUST_ABANDON)))
        kill_fail("the sleeper", "got it as abandoned");
    if (letter == 'x')
        kill_fail("the sleeper", "its wait failed");
}

static void
check_mutex(void)
{
    int rc = mmf_mutex_wait(mutex, DEADLINE_MS);

    if (rc != MMF_OK && rc != MMF_ABANDONED)
        kill_fail("the mutex", rc < 0 ? mmf_last_message() : "cannot be had");
    else if (rc == MMF_ABANDONED && !kill_has(MAY_ABANDON | MUST_ABANDON))
        kill_fail("the mutex", "is abandoned");
    else if (rc == MMF_OK && kill_has(MUST_ABANDON))
        kill_fail("the mutex", "is not abandoned");
    if (rc >= 0 && mmf_mutex_release(mutex) < 0)
        kill_fail("the mutex", mmf_last_message());
    /* Only one waiter is notified. */
    rc = mmf_mutex_wait(mutex, 0);
    if (rc != MMF_OK)
        kill_fail("the mutex, again", rc < 0 ? mmf_last_message() : "cannot be had");
    else
        mmf_mutex_release(mutex);
}

/* Take what is there. */
static void
check_counts(void)
{
    int count = 0;
    int rc;

    while ((rc = mmf_semaphore_wait(semaphore, 0)) == MMF_OK)
        count++;
    if (rc < 0 || count > (int)(kill_current->flags >> 20 & 7))
        kill_fail("the semaphore", rc < 0 ? mmf_last_message() : "has too many");
    rc = mmf_event_wait(event, 0);
    if (rc == MMF_OK)
        rc = mmf_event_wait(event, 0);
    if (rc != MMF_TIMED_OUT)
        kill_fail("the event", rc < 0 ? mmf_last_message() : "is set twice");
    rc = mmf_event_reset(manual);
    if (rc < 0 || mmf_event_wait(manual, 0) != MMF_TIMED_OUT)
        kill_fail("the manual event", "cannot be reset");
}

/* Everything is reset: it works again, one by one and together. */
static void
check_waits(void)
{
    mmf_waitable *objects[4] = {waitable(EVENT), waitable(SEMAPHORE), waitable(MANUAL),
                                waitable(MUTEX)};
    int index = -1;

    mmf_event_set(event);
    mmf_event_set(manual);
    mmf_semaphore_release(semaphore, 1, NULL);
    if (mmf_wait_all(objects, 4, DEADLINE_MS) != MMF_OK)
        kill_fail("wait for all", "does not get all");
    mmf_event_reset(manual);
    mmf_mutex_release(mutex);
    if (mmf_wait_any(objects, 4, 0, &index) != MMF_OK || index != 3)
        kill_fail("wait for any", "does not get the mutex alone");
    else
        mmf_mutex_release(mutex);
}

static void
check_held_name(void)
{
    mmf_mutex *seen;

    if (mmf_mutex_open_existing(FRESH, NULL, &seen) < 0) {
        kill_fail("the name that is held", mmf_last_message());
    } else {
        if (mmf_mutex_wait(seen, 0) != MMF_OK)
            kill_fail("the name that is held", "its mutex cannot be had");
        else
            mmf_mutex_release(seen);
        mmf_mutex_close(seen);
    }
    kill_do(&sleeper, close_fresh_name, 0, "closes the fresh name");
}

static void
check_names(void)
{
    mmf_mutex *seen;
    int created = 0;
    const char *left = NULL;
    int rc;

    if (kill_has(FRESH_HELD))
        check_held_name();
    rc = mmf_mutex_open_existing(FRESH, NULL, &seen);
    if (rc != MMF_E_NOT_FOUND)
        kill_fail("the victim's name", rc < 0 ? mmf_last_message() : "still exists");
    if (rc >= 0)
        mmf_mutex_close(seen);
    if (mmf_mutex_create_or_open(FRESH, 0, NULL, &created, &seen) < 0) {
        kill_fail("the victim's name", mmf_last_message());
    } else {
        if (!created || mmf_mutex_wait(seen, 0) != MMF_OK)
            kill_fail("the victim's name", "is not fresh");
        mmf_mutex_release(seen);
        mmf_mutex_close(seen);
    }
    if ((left = kill_find_left(names)) != NULL) {
        kill_fail("left in the directory", left);
        mmf_gc(0, NULL);
    }
}

static void
check(void)
{
    if (partners_object() != NOTHING) {
        kill_do(&partner, signal_at_last, partners_object(), "stops watching");
        if (kill_hear(&partner, DEADLINE_MS) != 1)
            kill_fail("the partner", "does not signal");
    }
    if (sleepers_object() != NOTHING)
        check_sleeper(sleepers_object());
    if (open_all() < 0) {
        kill_fail("open", mmf_last_message());
        return;
    }
    check_mutex();
    check_counts();
    check_waits();
    close_all();
    check_names();
}

static void
begin(void)
{
    kill_start_peer(&sleeper);
    kill_start_peer(&partner);
    kill_ask(&sleeper, open_in_peer, 0, 0);
    kill_ask(&partner, open_in_peer, 0, 0);
    if (kill_hear(&sleeper, DEADLINE_MS) != 1 || kill_hear(&partner, DEADLINE_MS) != 1)
        die("a peer does not start");
}

static void
end(void)
{
    kill_do(&partner, close_in_peer, 0, "closes");
    kill_do(&sleeper, close_in_peer, 0, "closes");
    kill_stop_peer(&partner);
    kill_stop_peer(&sleeper);
}

int
main(int argc, char **argv)
{
    static const struct kill_suite suite = {
        .program = "sync_kill_points",
        .operations = operations,
        .count = sizeof(operations) / sizeof(operations[0]),
        .begin = begin,
        .end = end,
        .make_ready = make_ready,
        .open = open_victim,
        .meet = meet,
        .check = check,
        .sample = SAMPLE,
        .walks = 3,
        .tries = 8,
        .rare_tries = 2,
        .spare = 5,
    };

    return kill_main(argc, argv, &suite);
}
