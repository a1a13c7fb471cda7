/*
 * sync_kill_points.c - kill a process at every system call and at every instruction of
 * mmf while it uses mutexes, events and semaphores.
 *
 *     sync_kill_points [PATTERN]    only the operations whose name has PATTERN in it
 *
 * For each operation a child runs it between two marks, under ptrace, and is killed
 *
 *   - at the entry and at the exit of every system call it makes,
 *   - while it sleeps, if it does, and
 *   - before every instruction that it executes in libmmf.so. One run single-steps
 *     through the operation and writes down where it comes by; then one child for each
 *     of these places runs there with a breakpoint and is killed. Without
 *     MMF_TEST_LONG=1 a part of the places is taken.
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
#include "site.h"
#include "trace.h"
#include "walk.h"

#include <mmf/mmf.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/page/control.h"
#include "shared/sync/word.h"

#define FRESH "fresh" /* the victim's alone */

enum {
    SAMPLE = 30, /* instructions for each operation, unless all are wanted */
    WALKS = 3,
    MOST_TRIES = 8,      /* a way can go elsewhere than the one that was written down */
    FEW_TRIES = 2,       /* and often does where only the longest walk went */
    DEADLINE_MS = 10000, /* only a bug makes a process wait so long */
    LATE_MS = 1000,      /* a sleeper is woken in a tenth of it; machines have loads */
    VICTIM_TIMEOUT_MS = 20
};

enum object { MUTEX, EVENT, MANUAL, SEMAPHORE, OBJECTS, NOTHING };

static const char *const names[OBJECTS] = {"mutex", "event", "manual", "semaphore"};

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

/* In the order in which the table reads best.
 * NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct operation {
    const char *name;
    unsigned flags;
    enum object sleeper; /* what the sleeper waits for */
    enum object partner; /* what the partner signals when the victim sleeps */
    void (*prepare)(void);
    void (*run)(void);
    int most; /* the semaphore's count at most */
};

static char dir[] = "/dev/shm/mmf-test-XXXXXX";
static const struct operation *current;
static int all_instructions;
static double slowest; /* sleeper, milliseconds */

/* Calls, by what the operations' names begin with. */
static const struct {
    const char *call;
    const char *begins[3];
} calls[] = {
    {"wait", {"mutex wait", "event wait", "semaphore wait"}},
    {"release", {"mutex release", "semaphore release"}},
    {"set and reset", {"event set", "event reset"}},
    {"wait-any", {"wait any"}},
    {"wait-all", {"wait all"}},
    {"signal-and-wait", {"signal"}},
    {"create and open", {"create", "open"}},
    {"close", {"close"}},
    {"others", {""}},
};

static _Noreturn void
die(const char *what)
{
    fprintf(stderr, "sync_kill_points: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static double
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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
 * Peers: processes that do what they are asked for, over a socket.
 */
struct peer {
    pid_t pid;
    int socket;
};

struct request {
    char what;
    char object;
    pid_t victim;
};

static struct peer sleeper, partner;

/* The state letter of a process in /proc, or 0. */
static char
state_of(pid_t pid)
{
    char path[40], text[256];
    const char *after;
    ssize_t size;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    size = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    after = strrchr(text, ')');
    if (after == NULL || after[1] != ' ')
        return '\0';
    return after[2];
}

/* Asleep, and not just on its way. */
static int
is_asleep(pid_t pid)
{
    static const struct timespec moment = {.tv_nsec = 500000};

    if (state_of(pid) != 'S')
        return 0;
    nanosleep(&moment, NULL);
    return state_of(pid) == 'S';
}

static int
wait_until_asleep(pid_t pid)
{
    double end = seconds() + DEADLINE_MS / 1000.0;

    while (!is_asleep(pid))
        if (seconds() > end)
            return -1;
    return 0;
}

static void
answer(int fd, char letter)
{
    if (write(fd, &letter, 1) != 1)
        _exit(0);
}

/* In the sleeper: take it whenever it is available. */
static char
sleep_for(enum object object)
{
    int rc = mmf_wait_one(waitable(object), MMF_INFINITE);

    if (rc < 0)
        return 'x';
    if (object == MUTEX && mmf_mutex_release(mutex) < 0)
        return 'x';
    return rc == MMF_ABANDONED ? 'a' : 'o';
}

static int owns; /* in the partner: the mutex */

/*
 * In the partner: signal once the victim sleeps, or when the request comes. And
 * again if it sleeps on: the sleeper may have got it.
 */
static void
signal_when_asleep(int fd, enum object object, pid_t victim)
{
    struct pollfd input = {.fd = fd, .events = POLLIN};
    struct request request;
    int often = 0;
    int ms = 1;

    while (poll(&input, 1, ms) == 0) {
        if (often < 2 && victim != 0 && is_asleep(victim)) {
            signal_object(object);
            often += object == MUTEX ? 2 : 1;
            owns = owns && object != MUTEX;
            /* The sleeper slept first, so the second is for the victim: soon, before it
             * checks by itself. */
            ms = 2;
        }
    }
    if (read(fd, &request, sizeof(request)) != sizeof(request))
        _exit(0);
    if (often == 0 && object != MUTEX)
        signal_object(object);
    if (owns)
        mmf_mutex_release(mutex);
    owns = 0;
    answer(fd, 'y');
}

static _Noreturn void
peer_main(int fd)
{
    struct request request;
    mmf_mutex *fresh = NULL;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (open_all() < 0) {
        fprintf(stderr, "sync_kill_points: peer: %s\n", mmf_last_message());
        _exit(1);
    }
    answer(fd, 'y');
    while (read(fd, &request, sizeof(request)) == sizeof(request)) {
        switch (request.what) {
        case 's': /* sleep */
            answer(fd, 'y');
            answer(fd, sleep_for((enum object)request.object));
            break;
        case 'l': /* signal */
            signal_when_asleep(fd, (enum object)request.object, request.victim);
            break;
        case 'o': /* own the mutex */
            owns = mmf_mutex_wait(mutex, DEADLINE_MS) >= 0;
            answer(fd, owns ? 'y' : 'n');
            break;
        case 'f': /* hold the fresh name */
            answer(fd, mmf_mutex_create_or_open(FRESH, 0, NULL, NULL, &fresh) >= 0
                           ? 'y'
                           : 'n');
            break;
        default: /* close it */
            mmf_mutex_close(fresh);
            fresh = NULL;
            answer(fd, 'y');
        }
    }
    close_all();
    _exit(0);
}

static void
ask(struct peer *peer, char what, enum object object, pid_t victim)
{
    struct request request;

    memset(&request, 0, sizeof(request));
    request.what = what;
    request.object = (char)object;
    request.victim = victim;
    if (write(peer->socket, &request, sizeof(request)) != sizeof(request))
        die("a peer is gone");
}

/* The next answer; 0 if it says nothing within `ms`. */
static char
hear(struct peer *peer, int ms)
{
    struct pollfd input = {.fd = peer->socket, .events = POLLIN};
    char letter;

    if (poll(&input, 1, ms) <= 0 || read(peer->socket, &letter, 1) != 1)
        return 0;
    return letter;
}

static void
expect_yes(struct peer *peer, const char *what)
{
    if (hear(peer, DEADLINE_MS) != 'y')
        site_fail(what, "a peer does not do it");
}

static void
start_peer(struct peer *peer)
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
        die("socketpair");
    peer->pid = fork();
    if (peer->pid < 0)
        die("fork");
    if (peer->pid == 0) {
        close(fd[0]);
        if (peer != &sleeper)
            close(sleeper.socket);
        peer_main(fd[1]);
    }
    close(fd[1]);
    peer->socket = fd[0];
    if (hear(peer, DEADLINE_MS) != 'y')
        die("a peer does not start");
}

static void
stop_peer(struct peer *peer)
{
    close(peer->socket);
    peer->socket = -1;
    waitpid(peer->pid, NULL, 0);
}

/*
 * The operations.
 */
static mmf_mutex *fresh_mutex;
static mmf_event *fresh_event;
static mmf_semaphore *fresh_semaphore;
static int rc_of_run;

static void
open_victim(void)
{
    if (open_all() < 0) {
        fprintf(stderr, "sync_kill_points: victim: %s\n", mmf_last_message());
        _exit(1);
    }
}

static void
open_and_own(void)
{
    open_victim();
    mmf_mutex_wait(mutex, DEADLINE_MS);
}

static void
open_and_own_twice(void)
{
    open_and_own();
    mmf_mutex_wait(mutex, DEADLINE_MS);
}

static void
run_mutex_wait(void)
{
    rc_of_run = mmf_mutex_wait(mutex, DEADLINE_MS);
}

static void
run_mutex_wait_shortly(void)
{
    rc_of_run = mmf_mutex_wait(mutex, VICTIM_TIMEOUT_MS);
}

static void
run_mutex_release(void)
{
    rc_of_run = mmf_mutex_release(mutex);
}

static void
run_event_set(void)
{
    rc_of_run = mmf_event_set(event);
}

static void
run_event_reset(void)
{
    rc_of_run = mmf_event_reset(event);
}

static void
run_event_wait(void)
{
    rc_of_run = mmf_event_wait(event, DEADLINE_MS);
}

static void
run_manual_set(void)
{
    rc_of_run = mmf_event_set(manual);
}

static void
run_manual_wait(void)
{
    rc_of_run = mmf_event_wait(manual, DEADLINE_MS);
}

static void
run_semaphore_release(void)
{
    rc_of_run = mmf_semaphore_release(semaphore, 1, NULL);
}

static void
run_semaphore_release_two(void)
{
    rc_of_run = mmf_semaphore_release(semaphore, 2, NULL);
}

static void
run_semaphore_wait(void)
{
    rc_of_run = mmf_semaphore_wait(semaphore, DEADLINE_MS);
}

static void
wait_for_several(int all, int timeout_ms)
{
    mmf_waitable *objects[3] = {waitable(EVENT), waitable(SEMAPHORE), waitable(MUTEX)};
    int index;

    if (all)
        rc_of_run = mmf_wait_all(objects, 3, timeout_ms);
    else
        rc_of_run = mmf_wait_any(objects, 3, timeout_ms, &index);
}

static void
run_wait_any(void)
{
    wait_for_several(0, DEADLINE_MS);
}

static void
run_wait_any_shortly(void)
{
    wait_for_several(0, VICTIM_TIMEOUT_MS);
}

static void
run_wait_all(void)
{
    wait_for_several(1, DEADLINE_MS);
}

static void
run_wait_all_shortly(void)
{
    wait_for_several(1, VICTIM_TIMEOUT_MS);
}

static void
run_signal_and_wait(void)
{
    rc_of_run = mmf_signal_and_wait(waitable(EVENT), waitable(SEMAPHORE), DEADLINE_MS);
}

static void
run_create_mutex(void)
{
    rc_of_run = mmf_mutex_create_or_open(FRESH, 1, NULL, NULL, &fresh_mutex);
}

static void
run_create_event(void)
{
    rc_of_run = mmf_event_create_or_open(FRESH, 1, MMF_EVENT_MANUAL_RESET, NULL, NULL,
                                         &fresh_event);
}

static void
run_create_semaphore(void)
{
    rc_of_run = mmf_semaphore_create_or_open(FRESH, 1, 2, NULL, NULL, &fresh_semaphore);
}

static void
run_open_mutex(void)
{
    rc_of_run = mmf_mutex_open_existing(FRESH, NULL, &fresh_mutex);
}

static void
run_close_mutex(void)
{
    mmf_mutex_close(fresh_mutex);
}

static void
run_close_semaphore(void)
{
    mmf_semaphore_close(fresh_semaphore);
}

static void
run_close_owned(void)
{
    mmf_mutex_close(mutex);
}

static void
run_poll_fd(void)
{
    int fd;

    rc_of_run = mmf_waitable_fd(waitable(EVENT), &fd);
}

static const struct operation operations[] = {
    {"mutex wait", MAY_ABANDON, NOTHING, NOTHING, open_victim, run_mutex_wait, 0},
    {"mutex wait, again", MUST_ABANDON, NOTHING, NOTHING, open_and_own, run_mutex_wait,
     0},
    {"mutex wait, of the dead", MUTEX_DEAD | MUST_ABANDON, NOTHING, NOTHING,
     open_victim, run_mutex_wait, 0},
    {"mutex wait, sleeps", PARTNER_OWNS | MAY_ABANDON, NOTHING, MUTEX, open_victim,
     run_mutex_wait, 0},
    {"mutex wait, sleeps beside another", PARTNER_OWNS | MAY_ABANDON, MUTEX, MUTEX,
     open_victim, run_mutex_wait, 0},
    {"mutex wait, times out", PARTNER_OWNS, NOTHING, NOTHING, open_victim,
     run_mutex_wait_shortly, 0},
    {"mutex release", MAY_ABANDON, NOTHING, NOTHING, open_and_own, run_mutex_release,
     0},
    {"mutex release, of two", MUST_ABANDON, NOTHING, NOTHING, open_and_own_twice,
     run_mutex_release, 0},
    {"mutex release, a sleeper", MAY_ABANDON, MUTEX, NOTHING, open_and_own,
     run_mutex_release, 0},
    {"event set", 0, NOTHING, NOTHING, open_victim, run_event_set, 0},
    {"event set, a sleeper", 0, EVENT, NOTHING, open_victim, run_event_set, 0},
    {"event set, manual, a sleeper", 0, MANUAL, NOTHING, open_victim, run_manual_set,
     0},
    {"event reset", EVENT_SET, NOTHING, NOTHING, open_victim, run_event_reset, 0},
    {"event wait", EVENT_SET, NOTHING, NOTHING, open_victim, run_event_wait, 0},
    {"event wait, manual", MANUAL_SET, NOTHING, NOTHING, open_victim, run_manual_wait,
     0},
    {"event wait, sleeps", 0, NOTHING, EVENT, open_victim, run_event_wait, 0},
    {"event wait, sleeps beside another", 0, EVENT, EVENT, open_victim, run_event_wait,
     0},
    {"semaphore release", 0, NOTHING, NOTHING, open_victim, run_semaphore_release, 1},
    {"semaphore release, a sleeper", 0, SEMAPHORE, NOTHING, open_victim,
     run_semaphore_release_two, 2},
    {"semaphore wait", SEMAPHORE_ONE, NOTHING, NOTHING, open_victim, run_semaphore_wait,
     1},
    {"semaphore wait, sleeps", 0, NOTHING, SEMAPHORE, open_victim, run_semaphore_wait,
     2},
    {"wait any", MAY_ABANDON, NOTHING, NOTHING, open_victim, run_wait_any, 0},
    {"wait any, sleeps", PARTNER_OWNS | MAY_ABANDON, NOTHING, EVENT, open_victim,
     run_wait_any, 0},
    {"wait any, sleeps beside another", PARTNER_OWNS | MAY_ABANDON, SEMAPHORE,
     SEMAPHORE, open_victim, run_wait_any, 2},
    {"wait any, times out", PARTNER_OWNS, NOTHING, NOTHING, open_victim,
     run_wait_any_shortly, 0},
    {"wait all", EVENT_SET | SEMAPHORE_ONE | MAY_ABANDON, NOTHING, NOTHING, open_victim,
     run_wait_all, 1},
    {"wait all, of the dead", EVENT_SET | SEMAPHORE_ONE | MUTEX_DEAD | MUST_ABANDON,
     NOTHING, NOTHING, open_victim, run_wait_all, 1},
    {"wait all, sleeps", SEMAPHORE_ONE | MAY_ABANDON, NOTHING, EVENT, open_victim,
     run_wait_all, 1},
    {"wait all, sleeps for the mutex",
     EVENT_SET | SEMAPHORE_ONE | PARTNER_OWNS | MAY_ABANDON, NOTHING, MUTEX,
     open_victim, run_wait_all, 1},
    {"wait all, sleeps beside another", EVENT_SET | MAY_ABANDON, SEMAPHORE, SEMAPHORE,
     open_victim, run_wait_all, 2},
    {"wait all, times out", SEMAPHORE_ONE, NOTHING, NOTHING, open_victim,
     run_wait_all_shortly, 1},
    {"signal and wait, sleeps", 0, EVENT, SEMAPHORE, open_victim, run_signal_and_wait,
     2},
    {"descriptor to poll", EVENT_SET, NOTHING, NOTHING, open_victim, run_poll_fd, 0},
    {"create mutex", 0, NOTHING, NOTHING, NULL, run_create_mutex, 0},
    {"create event", 0, NOTHING, NOTHING, NULL, run_create_event, 0},
    {"create semaphore", 0, NOTHING, NOTHING, NULL, run_create_semaphore, 0},
    {"create mutex over an orphan", FRESH_DEAD, NOTHING, NOTHING, NULL,
     run_create_mutex, 0},
    {"create mutex, opens", FRESH_HELD, NOTHING, NOTHING, NULL, run_create_mutex, 0},
    {"open mutex", FRESH_HELD, NOTHING, NOTHING, NULL, run_open_mutex, 0},
    {"open mutex, none there", 0, NOTHING, NOTHING, NULL, run_open_mutex, 0},
    {"close mutex, last, owned", 0, NOTHING, NOTHING, run_create_mutex, run_close_mutex,
     0},
    {"close semaphore, last", 0, NOTHING, NOTHING, run_create_semaphore,
     run_close_semaphore, 0},
    {"close mutex, not last", FRESH_HELD, NOTHING, NOTHING, run_open_mutex,
     run_close_mutex, 0},
    {"close mutex, owned, not last", MUST_ABANDON, NOTHING, NOTHING, open_and_own,
     run_close_owned, 0},
};

/*
 * Before.
 */

/* A process that comes, does something and is killed. */
static void
do_and_die(void (*something)(void))
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork");
    if (pid == 0) {
        something();
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
}

static void
set_state(void)
{
    open_all();
    if (current->flags & EVENT_SET)
        mmf_event_set(event);
    if (current->flags & MANUAL_SET)
        mmf_event_set(manual);
    if (current->flags & SEMAPHORE_ONE)
        mmf_semaphore_release(semaphore, 1, NULL);
    close_all();
}

static void
make_ready(void)
{
    set_state();
    if (current->flags & MUTEX_DEAD)
        do_and_die(open_and_own);
    if (current->flags & FRESH_DEAD)
        do_and_die(run_create_semaphore);
    if (current->flags & FRESH_HELD) {
        ask(&sleeper, 'f', NOTHING, 0);
        expect_yes(&sleeper, "hold the fresh name");
    }
    if (current->flags & PARTNER_OWNS) {
        ask(&partner, 'o', NOTHING, 0);
        expect_yes(&partner, "own the mutex");
    }
}

static void
victim(void *argument)
{
    (void)argument;
    close(sleeper.socket);
    close(partner.socket);
    if (current->prepare != NULL)
        current->prepare();
    trace_begin();
    current->run();
    trace_end();
}

/* What the partner signals, at the latest when the victim is dead. */
static enum object
partner_object(void)
{
    if (current->partner != NOTHING)
        return current->partner;
    return current->flags & PARTNER_OWNS ? MUTEX : NOTHING;
}

/* A victim that stands at its begin, with the others in their places. */
static pid_t
start_victim(void)
{
    pid_t pid;

    make_ready();
    pid = trace_fork(victim, NULL);
    if (current->sleeper != NOTHING) {
        ask(&sleeper, 's', current->sleeper, 0);
        expect_yes(&sleeper, "sleep");
        if (wait_until_asleep(sleeper.pid) < 0)
            site_fail("the sleeper", "does not sleep");
    }
    /* Without an object of its own it signals only on request. */
    if (partner_object() != NOTHING)
        ask(&partner, 'l', partner_object(), current->partner != NOTHING ? pid : 0);
    return pid;
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

    snprintf(path, sizeof(path), "%s/mmf-%u/%s", dir, (unsigned)geteuid(),
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

/* The sleeper gets its object if that is available, or else once we signal it. */
static void
check_sleeper(void)
{
    double begin = seconds();
    char letter = 0;

    if (current->sleeper == NOTHING)
        return;
    if (is_available(current->sleeper)) {
        letter = hear(&sleeper, DEADLINE_MS);
        if ((seconds() - begin) * 1000 > slowest)
            slowest = (seconds() - begin) * 1000;
        if (letter == 0)
            site_fail("the sleeper", "sleeps, although its object is available");
        else if ((seconds() - begin) * 1000 > LATE_MS)
            site_fail("the sleeper", "was notified late");
    } else {
        /* It has been given the partner's signal, or is given what the dead one had. */
        letter = hear(&sleeper, current->partner == current->sleeper ? LATE_MS : 0);
    }
    if (letter == 0) {
        open_all();
        signal_object(current->sleeper);
        close_all();
        letter = hear(&sleeper, DEADLINE_MS);
    }
    if (letter == 0) {
        site_fail("the sleeper", "sleeps forever");
        die("the sleeper");
    }
    if (letter == 'a' && (current->sleeper != MUTEX ||
                          (current->flags & (MAY_ABANDON | MUST_ABANDON)) == 0))
        site_fail("the sleeper", "got it as abandoned");
    if (letter == 'x')
        site_fail("the sleeper", "its wait failed");
}

static void
check_mutex(void)
{
    int rc = mmf_mutex_wait(mutex, DEADLINE_MS);

    if (rc != MMF_OK && rc != MMF_ABANDONED)
        site_fail("the mutex", rc < 0 ? mmf_last_message() : "cannot be had");
    else if (rc == MMF_ABANDONED &&
             (current->flags & (MAY_ABANDON | MUST_ABANDON)) == 0)
        site_fail("the mutex", "is abandoned");
    else if (rc == MMF_OK && (current->flags & MUST_ABANDON) != 0)
        site_fail("the mutex", "is not abandoned");
    if (rc >= 0 && mmf_mutex_release(mutex) < 0)
        site_fail("the mutex", mmf_last_message());
    /* Only one waiter is notified. */
    rc = mmf_mutex_wait(mutex, 0);
    if (rc != MMF_OK)
        site_fail("the mutex, again", rc < 0 ? mmf_last_message() : "cannot be had");
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
    if (rc < 0 || count > current->most)
        site_fail("the semaphore", rc < 0 ? mmf_last_message() : "has too many");
    rc = mmf_event_wait(event, 0);
    if (rc == MMF_OK)
        rc = mmf_event_wait(event, 0);
    if (rc != MMF_TIMED_OUT)
        site_fail("the event", rc < 0 ? mmf_last_message() : "is set twice");
    rc = mmf_event_reset(manual);
    if (rc < 0 || mmf_event_wait(manual, 0) != MMF_TIMED_OUT)
        site_fail("the manual event", "cannot be reset");
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
        site_fail("wait for all", "does not get all");
    mmf_event_reset(manual);
    mmf_mutex_release(mutex);
    if (mmf_wait_any(objects, 4, 0, &index) != MMF_OK || index != 3)
        site_fail("wait for any", "does not get the mutex alone");
    else
        mmf_mutex_release(mutex);
}

/* Files in the namespace, but for the four. */
static unsigned
count_files(char *first, size_t size)
{
    const struct dirent *entry;
    unsigned n = 0;
    char path[64];
    DIR *d;

    snprintf(path, sizeof(path), "%s/mmf-%u", dir, (unsigned)geteuid());
    d = opendir(path);
    if (d == NULL)
        return 0;
    while ((entry = readdir(d)) != NULL) {
        int known = entry->d_name[0] == '.' && entry->d_type == DT_DIR;
        int i;

        for (i = 0; i < OBJECTS && !known; i++)
            known = sleeper.socket >= 0 && strcmp(entry->d_name, names[i]) == 0;
        if (!known && n++ == 0)
            snprintf(first, size, "%s", entry->d_name);
    }
    closedir(d);
    return n;
}

static void
check_held_name(void)
{
    mmf_mutex *seen;

    if (mmf_mutex_open_existing(FRESH, NULL, &seen) < 0) {
        site_fail("the name that is held", mmf_last_message());
    } else {
        if (mmf_mutex_wait(seen, 0) != MMF_OK)
            site_fail("the name that is held", "its mutex cannot be had");
        else
            mmf_mutex_release(seen);
        mmf_mutex_close(seen);
    }
    ask(&sleeper, 'g', NOTHING, 0);
    expect_yes(&sleeper, "close the fresh name");
}

static void
check_names(void)
{
    mmf_mutex *seen;
    int created = 0;
    char left[256];
    int rc;

    if (current->flags & FRESH_HELD)
        check_held_name();
    rc = mmf_mutex_open_existing(FRESH, NULL, &seen);
    if (rc != MMF_E_NOT_FOUND)
        site_fail("the victim's name", rc < 0 ? mmf_last_message() : "still exists");
    if (rc >= 0)
        mmf_mutex_close(seen);
    if (mmf_mutex_create_or_open(FRESH, 0, NULL, &created, &seen) < 0) {
        site_fail("the victim's name", mmf_last_message());
    } else {
        if (!created || mmf_mutex_wait(seen, 0) != MMF_OK)
            site_fail("the victim's name", "is not fresh");
        mmf_mutex_release(seen);
        mmf_mutex_close(seen);
    }
    if (count_files(left, sizeof(left)) > 0) {
        site_fail("left in the directory", left);
        mmf_gc(0, NULL);
    }
}

static void
check_survivors(void)
{
    if (partner_object() != NOTHING) {
        ask(&partner, 'q', NOTHING, 0);
        expect_yes(&partner, "signal");
    }
    check_sleeper();
    if (open_all() < 0) {
        site_fail("open", mmf_last_message());
        return;
    }
    check_mutex();
    check_counts();
    check_waits();
    close_all();
    check_names();
}

/*
 * The kills.
 */

static pid_t
start(void)
{
    pid_t pid;

    site_step("makes ready");
    pid = start_victim();
    site_step("runs the victim");
    return pid;
}

static void
check(void)
{
    site_step("looks at the survivors");
    check_survivors();
}

struct counts {
    unsigned long calls;  /* stops at system calls */
    unsigned long asleep; /* kills in the sleep */
    unsigned long places; /* instructions executed in libmmf.so */
    unsigned long killed; /* before so many of them */
    unsigned long missed; /* a repetition did not come by there */
    unsigned long must;   /* of these, places that every walk came by */
};

/* A victim that is killed at its n-th stop at a system call. 0 if it has fewer. */
static int
kill_at_call(unsigned long n)
{
    struct trace_stop stop;
    unsigned long i;
    int done = 0;
    pid_t pid;

    site_say("killed at its stop %lu at a system call", n);
    pid = start();
    memset(&stop, 0, sizeof(stop));
    for (i = 0; i < n && !done; i++) {
        trace_system_call(pid, &stop);
        done = stop.place == TRACE_END || stop.place == TRACE_GONE;
    }
    if (stop.place == TRACE_GONE)
        site_fail("the victim", "it ended by itself");
    else
        trace_kill(pid);
    if (done)
        site_say("killed after it");
    else
        site_say("killed %s system call %llu",
                 stop.place == TRACE_ENTRY ? "before" : "after",
                 (unsigned long long)stop.number);
    check();
    return !done;
}

static void
kill_at_calls(struct counts *counts)
{
    unsigned long n;

    for (n = 1; kill_at_call(n); n++)
        counts->calls++;
}

/* Kill it where it sleeps in the kernel. The partner stays away. */
static void
kill_asleep(struct counts *counts)
{
    pid_t pid;

    site_say("killed asleep");
    site_step("makes ready");
    make_ready();
    pid = trace_fork(victim, NULL);
    site_step("runs the victim");
    trace_detach(pid);
    if (wait_until_asleep(pid) < 0)
        site_fail("the victim", "does not sleep");
    counts->asleep++;
    trace_kill(pid);
    if (current->sleeper != NOTHING) {
        ask(&sleeper, 's', current->sleeper, 0);
        expect_yes(&sleeper, "sleep");
    }
    if (partner_object() != NOTHING)
        ask(&partner, 'l', partner_object(), 0);
    check();
}

/* Single-step once through the operation, and kill it at its end. */
static void
walk_through(struct walk *walk)
{
    struct trace_stop stop;
    pid_t pid;

    site_say("killed after it");
    pid = start();
    walk_record(pid, walk, &stop);
    if (stop.place == TRACE_END)
        trace_kill(pid);
    else
        site_fail("the victim", "it ended by itself");
    check();
}

/* Steps take their time, so sleeps end in different ways: the shortest and the longest.
 */
static void
walk_often(struct walk *shortest, struct walk *longest)
{
    static struct walk walk;
    int i;

    shortest->count = SIZE_MAX;
    longest->count = 0;
    for (i = 0; i < WALKS; i++) {
        walk_through(&walk);
        if (walk.count < shortest->count)
            walk_copy(shortest, &walk);
        if (walk.count > longest->count)
            walk_copy(longest, &walk);
    }
}

/* A victim that is killed before it executes `place` for the `times`-th time. */
static int
kill_at_instruction(uintptr_t place, unsigned times)
{
    struct trace_stop stop;
    pid_t pid = start();

    trace_run_to(pid, place, times, &stop);
    if (stop.place != TRACE_GONE)
        trace_kill(pid);
    check();
    return stop.place == TRACE_STEP;
}

/* A kill before each `stride`-th place of the walk; but not where `except` comes by. */
static void
kill_along(const struct walk *walk, const struct walk *except, size_t stride,
           struct counts *counts)
{
    for (size_t n = 0; n < walk->count; n += stride) {
        uintptr_t place = walk->sites[n];
        int most_tries = except == NULL ? MOST_TRIES : FEW_TRIES;
        unsigned times = walk_times(walk, n);
        int tries = 0;

        if (except != NULL && walk_comes_by(except, place))
            continue;
        walk_report_site(walk, n);
        /* A loop may have had fewer rounds this time. */
        while (!kill_at_instruction(place, times) && tries < most_tries) {
            times -= times > 1;
            tries++;
        }
        if (tries < most_tries)
            counts->killed++;
        else
            counts->missed++;
        counts->must += tries == most_tries && except == NULL;
    }
}

static void
kill_at_instructions(struct counts *counts)
{
    static struct walk shortest, longest;
    size_t stride;

    walk_often(&shortest, &longest);
    counts->places = shortest.count;
    stride = all_instructions || shortest.count < SAMPLE ? 1 : shortest.count / SAMPLE;
    kill_along(&shortest, NULL, stride, counts);
    /* What only some runs come by is often missed. */
    kill_along(&longest, &shortest, 4 * stride, counts);
}

static int
sleeps(void)
{
    return strstr(current->name, "sleeps") != NULL;
}

static const char *
current_call(void)
{
    for (size_t call = 0;; call++) {
        for (int i = 0; i < 3 && calls[call].begins[i] != NULL; i++) {
            const char *begins = calls[call].begins[i];

            if (strncmp(current->name, begins, strlen(begins)) == 0)
                return calls[call].call; /* the last one's is "" */
        }
    }
}

static void
run_operation(void)
{
    struct counts counts = {0};
    double begin = seconds();

    slowest = 0;
    kill_at_calls(&counts);
    if (sleeps())
        kill_asleep(&counts);
    if (trace_knows_instructions())
        kill_at_instructions(&counts);
    site_count(current_call(), counts.calls + counts.asleep + counts.killed);
    printf("%-36s %7lu %7lu %7lu %7lu %7lu %9.0f %8.1f\n", current->name, counts.calls,
           counts.asleep, counts.places, counts.killed, counts.missed, slowest,
           seconds() - begin);
    fflush(stdout);
    if (counts.must * 5 > counts.killed)
        site_fail("coverage", "too many places were missed");
}

static void
run_all(const char *only, unsigned *run, unsigned *failed)
{
    char left[256];
    size_t i;

    printf("%-36s %7s %7s %7s %7s %7s %9s %8s\n", "operation", "calls", "asleep",
           "places", "killed", "missed", "late ms", "seconds");
    sleeper.socket = partner.socket = -1;
    start_peer(&sleeper);
    start_peer(&partner);
    for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        unsigned long failures_before = site_failures();

        current = &operations[i];
        if (only != NULL && strstr(current->name, only) == NULL)
            continue;
        site_operation(current->name);
        run_operation();
        ++*run;
        *failed += site_failures() != failures_before;
    }
    stop_peer(&partner);
    stop_peer(&sleeper);
    site_say("in the end");
    if (*run > 0 && count_files(left, sizeof(left)) > 0) {
        site_fail("left in the directory", left);
        ++*failed;
    }
}

int
main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    const char *count = getenv("MMF_TEST_LONG");
    unsigned run = 0, failed = 0;
    char own[64];

    /* The linker's lazy work disturbs the count of instructions. */
    if (getenv("LD_BIND_NOW") == NULL) {
        setenv("LD_BIND_NOW", "1", 1);
        execv("/proc/self/exe", argv);
    }
    all_instructions = count != NULL && strcmp(count, "1") == 0;
    if (!trace_possible()) {
        printf("SKIPPED: this process may not trace its children\n"
               "SUITE: 0 passed, 0 failed, 1 skipped\n");
        return EXIT_SUCCESS;
    }
    if (!trace_knows_instructions())
        printf("SKIPPED: kills at instructions are for x86-64 only\n");
    if (!walk_find_code()) {
        fprintf(stderr, "sync_kill_points: libmmf.so is not loaded\n");
        return EXIT_FAILURE;
    }
    if (mkdtemp(dir) == NULL)
        die("/dev/shm");
    setenv("MMF_DIR", dir, 1);
    site_begin("sync_kill_points");
    fflush(stdout);
    run_all(only, &run, &failed);
    snprintf(own, sizeof(own), "%s/mmf-%u", dir, (unsigned)geteuid());
    rmdir(own);
    rmdir(dir);
    site_print_counts("");
    printf("SUITE: %u passed, %u failed, 0 skipped\n", run - failed, failed);
    return failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
