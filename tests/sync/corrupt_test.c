/*
 * corrupt_test.c - shared words that make no sense, written by another process while
 * the object is in use: MMF_E_CORRUPT or another definite answer, never a hang or a
 * crash.
 */
#include "support.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/page/control.h"
#include "shared/sync/word.h"

/* An answer comes this long after its timeout at the latest, on a busy machine. */
enum { LATEST_US = 5000000 };

/* The words as this test writes them: struct mmf_sync_shared without its atomics. */
struct words {
    uint64_t word;
    uint64_t reserver;
    uint64_t watch[2];
    uint32_t recursion;
    int32_t maximum;
    int32_t manual;
    uint32_t watch_epoch;
    uint64_t arrivals;
    uint32_t slots_used;
    uint32_t pid_space;
    struct {
        uint64_t state;
        uint64_t arrival;
        uint64_t since;
        uint64_t thread;
    } slots[MMF_SYNC_SLOTS_HERE];
};

/* After the state come the name and the rest: src/shared/page/control.h. */
enum { STATE_IN_PAGE = 192 };

static const char *
path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/mmf-%u/%s", harness_dir(), (unsigned)geteuid(),
             name);
    return path;
}

static int
open_state(const char *name, off_t *offset)
{
    struct stat status;
    int fd = open(path_of(name), O_RDWR | O_CLOEXEC);

    CHECK(fd >= 0);
    CHECK(fstat(fd, &status) == 0);
    *offset = status.st_size - 4096 + STATE_IN_PAGE;
    return fd;
}

static struct words
read_words(const char *name)
{
    struct words words;
    off_t offset;
    int fd = open_state(name, &offset);

    CHECK_INT(sizeof(words), sizeof(struct mmf_sync_shared));
    CHECK(pread(fd, &words, sizeof(words), offset) == sizeof(words));
    close(fd);
    return words;
}

static void
write_state(const char *name, const void *bytes, size_t size, size_t offset)
{
    off_t at;
    int fd = open_state(name, &at);

    CHECK(pwrite(fd, bytes, size, at + (off_t)offset) == (ssize_t)size);
    close(fd);
}

static void
write_words(const char *name, const struct words *words)
{
    write_state(name, words, sizeof(*words), 0);
}

/* Whatever the words say, these are all answers there are. */
static void
check_answer(int rc, int64_t begun, int32_t timeout_ms)
{
    static const int known[] = {MMF_OK,          MMF_TIMED_OUT,   MMF_ABANDONED,
                                MMF_E_CORRUPT,   MMF_E_NOT_OWNER, MMF_E_MAXIMUM,
                                MMF_E_RECURSION, MMF_E_STATE};
    int64_t took = now_us() - begun - timeout_ms * 1000;
    int found = 0;

    for (size_t i = 0; i < COUNT_OF(known); i++)
        found |= rc == known[i];
    if (!found)
        CHECK_FAIL("an answer of its own: %s: %s", mmf_status_name(rc),
                   mmf_last_message());
    if (rc < 0) {
        mmf_error error;

        mmf_last_error(&error);
        CHECK_INT(error.status, rc);
        CHECK(error.message[0] != '\0');
    }
    if (took > LATEST_US)
        CHECK_FAIL("an answer came %lld ms late", (long long)took / 1000);
}

/* Each function once. */
static void
use_object(const struct object *object, mmf_waitable *other, int32_t timeout_ms)
{
    mmf_waitable *objects[2] = {object_waitable(object), other};
    int64_t begun;
    int32_t previous;
    int index;

#define DEFINITE(call, timeout)                                                        \
    do {                                                                               \
        begun = now_us();                                                              \
        check_answer((call), begun, (timeout));                                        \
    } while (0)
    DEFINITE(object_wait(object, 0), 0);
    DEFINITE(object_signal(object), 0);
    DEFINITE(object_wait(object, timeout_ms), timeout_ms);
    DEFINITE(mmf_wait_any(objects, 2, 0, &index), 0);
    DEFINITE(mmf_wait_any(objects, 1, timeout_ms, &index), timeout_ms);
    DEFINITE(mmf_wait_all(objects, 2, 0), 0);
    DEFINITE(mmf_wait_all(objects, 2, timeout_ms), timeout_ms);
    DEFINITE(mmf_signal_and_wait(objects[1], objects[0], timeout_ms), timeout_ms);
    DEFINITE(mmf_signal_and_wait(objects[0], objects[1], 0), 0);
    if (object->event != NULL)
        DEFINITE(mmf_event_reset(object->event), 0);
    if (object->semaphore != NULL)
        DEFINITE(mmf_semaphore_release(object->semaphore, INT32_MAX, &previous), 0);
    DEFINITE(object_signal(object), 0);
#undef DEFINITE
}

/* Words that were chosen for what they say; more are made of random bits. */
static const uint64_t chosen[] = {
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    15,
    UINT64_MAX,
    UINT64_MAX << 4,
    UINT64_MAX >> 1,
    16,                    /* a thread, but no ticket; count 1 */
    1 << 24 | 1 << 4,      /* ticket 1, thread 1: us, perhaps */
    1 << 24 | 999999 << 4, /* a thread that we have not */
    1 << 24 | 1 << 4 | 2,  /* owned and abandoned */
    1 << 24 | 1 << 4 | 4,
    UINT64_C(12345) << 24 | 1 << 4, /* a dead thread */
    UINT64_C(12345) << 24 | 1 << 4 | 13,
    (uint64_t)INT32_MAX << 4,
    ((uint64_t)INT32_MAX + 1) << 4,
    UINT64_C(1) << 36,
    UINT64_C(1) << 63,
};

static uint64_t
some_word(uint64_t *state)
{
    uint64_t random = next_random(state);

    switch (random >> 60) {
    case 0:
    case 1:
    case 2:
        return next_random(state);
    case 3:
        return next_random(state) >> (random % 64);
    default:
        return chosen[random % COUNT_OF(chosen)];
    }
}

/* Some of the words are as before, the others are nonsense. */
static struct words
some_words(const struct words *sound, uint64_t *state)
{
    uint64_t which = next_random(state);
    struct words words = *sound;

    if (which & 1)
        words.word = some_word(state);
    if (which & 2)
        words.reserver = some_word(state) >> (which & 64 ? 4 : 0);
    if (which & 4)
        words.watch[which >> 9 & 1] = some_word(state);
    if ((which & 24) == 8)
        words.recursion = (uint32_t)some_word(state);
    if ((which & 96) == 32)
        words.maximum = (int32_t)some_word(state);
    if ((which & 384) == 128)
        words.manual = (int32_t)some_word(state);
    words.watch_epoch = (uint32_t)which;
    if ((which & 0x600) == 0x200)
        words.slots_used =
            which & 0x800 ? (uint32_t)some_word(state) : (uint32_t)(which >> 12 & 15);
    for (size_t i = 0; i < COUNT_OF(words.slots); i++) {
        if ((which & 0x600) == 0x200 && (which >> (16 + i) & 1))
            words.slots[i].state = some_word(state);
    }
    return words;
}

static uint64_t
new_seed(void)
{
    const char *given = getenv("MMF_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)now_us();

    print_message("MMF_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

/*
 * One process.
 */
TEST(random_words_give_definite_answers)
{
    uint64_t random = new_seed();
    int rounds = harness_long() ? 20000 : 150;

    for (int round = 0; round < rounds; round++) {
        mmf_kind kind = FIRST_KIND + round % 3;
        struct object object = new_object(kind, "Cat");
        mmf_event *other = manual_event(NULL, 1);
        struct words words = read_words("Cat");

        CHECK_CONTEXT("round %d", round);
        if (round % 2 == 0)
            CHECK_STATUS(object_wait(&object, 0), MMF_OK);
        words = some_words(&words, &random);
        write_words("Cat", &words);
        use_object(&object, W(other), 1);
        object_close(&object);
        mmf_event_close(other);
        CHECK_INT(count_files(), 0);
    }
}

/*
 * What each kind knows to be nonsense.
 */

static void
check_corrupt(const struct object *object)
{
    mmf_event *other = manual_event(NULL, 1);
    mmf_waitable *objects[2] = {object_waitable(object), W(other)};
    int index = -7;

    CHECK_FAILS_PARAM(object_wait(object, 0), MMF_E_CORRUPT, "");
    CHECK_FAILS(object_wait(object, MMF_INFINITE), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_wait_any(objects, 2, MMF_INFINITE, &index), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_wait_all(objects, 2, MMF_INFINITE), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_signal_and_wait(objects[1], objects[0], MMF_INFINITE),
                MMF_E_CORRUPT);
    CHECK_INT(index, -7);
    if (object->kind == MMF_KIND_EVENT) {
        CHECK_FAILS(mmf_event_set(object->event), MMF_E_CORRUPT);
        CHECK_FAILS(mmf_event_reset(object->event), MMF_E_CORRUPT);
    } else if (object->kind == MMF_KIND_SEMAPHORE) {
        CHECK_FAILS(mmf_semaphore_release(object->semaphore, 1, NULL), MMF_E_CORRUPT);
    } else {
        CHECK_FAILS(mmf_mutex_release(object->mutex), MMF_E_NOT_OWNER);
    }
    mmf_event_close(other);
}

TEST(nonsense_is_called_corrupt)
{
    static const struct {
        mmf_kind kind;
        struct words words;
    } rows[] = {
        /* An owner without a ticket; with one, and abandoned. */
        {MMF_KIND_MUTEX, {.word = 5 << 4}},
        {MMF_KIND_MUTEX, {.word = UINT64_C(77) << 24 | 1 << 4 | MMF_WORD_ABANDONED}},
        /* Neither manual nor automatic. */
        {MMF_KIND_EVENT, {.word = 0, .manual = 2}},
        {MMF_KIND_EVENT, {.word = MMF_WORD_SIGNALLED, .manual = -1}},
        {MMF_KIND_EVENT, {.word = MMF_WORD_SIGNALLED, .manual = INT32_MIN}},
        /* More than the maximum; no maximum; a flag that it has not. */
        {MMF_KIND_SEMAPHORE, {.word = 11 << 4, .maximum = 10}},
        {MMF_KIND_SEMAPHORE, {.word = 1 << 4, .maximum = 0}},
        {MMF_KIND_SEMAPHORE, {.word = 0, .maximum = -1}},
        {MMF_KIND_SEMAPHORE, {.word = UINT64_MAX << 4, .maximum = INT32_MAX}},
        {MMF_KIND_SEMAPHORE, {.word = 1 << 4 | MMF_WORD_SIGNALLED, .maximum = 10}},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object = new_object(rows[i].kind, "Cat");

        CHECK_CONTEXT("row %zu", i);
        write_words("Cat", &rows[i].words);
        check_corrupt(&object);
        object_close(&object);
        CHECK_INT(count_files(), 0);
    }
}

/* As often as a mutex can be owned. */
TEST(rule_7_2_7_recursion_overflows)
{
    mmf_mutex *mutex;
    mmf_event *event;
    mmf_waitable *objects[2];
    uint32_t recursion = INT32_MAX - 3;
    int index = -7;

    mutex = owned_mutex("Cat");
    event = auto_event("Dog", 1);
    objects[0] = W(event);
    objects[1] = W(mutex);
    /* As if it had been taken INT32_MAX - 2 times. */
    write_state("Cat", &recursion, sizeof(recursion),
                offsetof(struct words, recursion));
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_FAILS(mmf_mutex_wait(mutex, 0), MMF_E_RECURSION);
    CHECK_FAILS(mmf_mutex_wait(mutex, MMF_INFINITE), MMF_E_RECURSION);
    CHECK_FAILS(mmf_wait_any(objects + 1, 1, 0, &index), MMF_E_RECURSION);
    CHECK_FAILS(mmf_wait_all(objects, 2, MMF_INFINITE), MMF_E_RECURSION);
    CHECK_INT(index, -7);
    /* It is still owned, and nothing else was taken. */
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_FAILS(mmf_mutex_wait(mutex, 0), MMF_E_RECURSION);
    recursion = 0;
    write_state("Cat", &recursion, sizeof(recursion),
                offsetof(struct words, recursion));
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_FAILS(mmf_mutex_release(mutex), MMF_E_NOT_OWNER);
    mmf_mutex_close(mutex);
    mmf_event_close(event);
}

/* A mutex that we own and cannot own so often. */
TEST(recursion_that_cannot_be)
{
    mmf_mutex *mutex = owned_mutex("Cat");
    struct words words = read_words("Cat");

    words.recursion = UINT32_MAX;
    write_words("Cat", &words);
    CHECK_FAILS(mmf_mutex_release(mutex), MMF_E_CORRUPT);
    CHECK_FAILS(mmf_mutex_wait(mutex, MMF_INFINITE), MMF_E_RECURSION);
    words.recursion = 0;
    write_words("Cat", &words);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
}

/* An owner that no thread has ever been counts as dead. */
TEST(an_owner_who_never_was)
{
    mmf_mutex *mutex = new_mutex("Cat");
    struct words words = read_words("Cat");

    words.word = UINT64_C(123456789) << 24 | UINT64_C(3) << 4;
    write_words("Cat", &words);
    CHECK_STATUS(mmf_mutex_wait(mutex, MMF_INFINITE), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
}

/*
 * A mark of a wait for all of a waiter that is dead, never was, or is not named at all:
 * it goes, and others get on.
 */
static void
reserve_for(uint64_t reserver)
{
    struct words words = read_words("Cat");

    words.word |= MMF_WORD_RESERVED;
    words.reserver = reserver;
    write_words("Cat", &words);
}

TEST(a_reservation_without_an_owner)
{
    static const uint64_t reservers[] = {0, UINT64_C(987654321) << 20 | 1, UINT64_MAX,
                                         5};

    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        for (size_t i = 0; i < COUNT_OF(reservers); i++) {
            struct object object = new_object(kind, "Cat");
            mmf_event *other = manual_event(NULL, 1);
            mmf_waitable *objects[2] = {W(other), object_waitable(&object)};
            struct worker *waiter = worker_start();

            CHECK_CONTEXT("%s, reserver %zu", mmf_kind_name(kind), i);
            reserve_for(reservers[i]);
            CHECK_INT(worker_does(waiter, job_wait_forever, object_waitable(&object)),
                      MMF_OK);
            if (kind == MMF_KIND_MUTEX)
                CHECK_INT(worker_does(waiter, job_release, object.mutex), MMF_OK);
            else
                CHECK_OK(object_signal(&object));
            /* A poll too. */
            reserve_for(reservers[i]);
            CHECK_STATUS(object_wait(&object, 0), MMF_OK);
            CHECK_OK(object_signal(&object));
            /* And another wait for all. */
            reserve_for(reservers[i]);
            CHECK_STATUS(mmf_wait_all(objects, 2, MMF_INFINITE), MMF_OK);
            CHECK_OK(object_signal(&object));
            CHECK_STATUS(object_wait(&object, 0), MMF_OK);
            CHECK_INT(read_words("Cat").word & MMF_WORD_RESERVED, 0);
            worker_end(waiter);
            object_close(&object);
            mmf_event_close(other);
        }
    }
}

/*
 * Waiting forever on random words: the wait ends at once, or when the words make sense
 * again. A waiter looks again by itself; no process wakes it here.
 */
TEST(waiters_survive_random_words)
{
    uint64_t random = new_seed();
    int rounds = harness_long() ? 1000 : 24;

    for (int round = 0; round < rounds; round++) {
        mmf_kind kind = FIRST_KIND + round % 3;
        struct object object = new_object(kind, "Cat");
        mmf_event *other = manual_event(NULL, 1);
        struct several wait = {.objects = {W(other), object_waitable(&object)},
                               .count = 2,
                               .timeout_ms = MMF_INFINITE};
        struct worker *waiter = worker_start();
        struct words sound = read_words("Cat"), words = some_words(&sound, &random);
        int64_t until;
        int rc;

        CHECK_CONTEXT("round %d: word %llx, reserver %llx", round,
                      (unsigned long long)words.word,
                      (unsigned long long)words.reserver);
        /* It sleeps, then the words go bad. */
        CHECK_STATUS(object_wait(&object, 0), MMF_OK);
        if (round % 2 == 0)
            worker_begin(waiter, job_wait_forever, wait.objects[1]);
        else
            worker_begin(waiter, job_wait_all, &wait);
        worker_await_sleep(waiter);
        write_words("Cat", &words);
        until = now_us() + 100000;
        while (worker_is_busy(waiter) && now_us() < until)
            usleep(1000);
        /* Sound, and available. */
        if (worker_is_busy(waiter))
            write_words("Cat", &sound);
        rc = worker_result(waiter);
        if (rc != MMF_OK && rc != MMF_ABANDONED && rc != MMF_E_CORRUPT &&
            rc != MMF_E_RECURSION)
            CHECK_FAIL("answer %s", mmf_status_name(rc));
        worker_end(waiter);
        object_close(&object);
        mmf_event_close(other);
    }
}

/*
 * A process that writes nonsense all the time, while threads use the objects.
 */
struct storm {
    struct object objects[3];
    atomic_int stop;
};

static int
job_brave_storm(void *argument)
{
    struct storm *storm = argument;
    mmf_event *other = manual_event(NULL, 1);

    while (!atomic_load(&storm->stop)) {
        for (int i = 0; i < 3; i++) {
            struct object again = {0};
            int64_t begun = now_us();

            use_object(&storm->objects[i], W(other), 1);
            CHECK_STATUS(object_open(&again, FIRST_KIND + i,
                                     mmf_kind_name(FIRST_KIND + i), NULL),
                         MMF_OK);
            check_answer(object_wait(&again, 0), begun, 0);
            object_close(&again);
        }
    }
    mmf_event_close(other);
    return MMF_OK;
}

TEST(threads_survive_a_storm)
{
    enum { THREADS = 3 };
    uint64_t random = new_seed();
    int64_t until = now_us() + (harness_long() ? 30000000 : 1500000);
    struct crew crew = {0};
    struct words sound[3];
    struct storm storm = {.stop = 0};

    for (int i = 0; i < 3; i++) {
        storm.objects[i] = new_object(FIRST_KIND + i, mmf_kind_name(FIRST_KIND + i));
        sound[i] = read_words(mmf_kind_name(FIRST_KIND + i));
    }
    crew_begin(&crew, THREADS, job_brave_storm, &storm, 0);
    for (int round = 0; now_us() < until; round++) {
        int i = round % 3;
        const char *name = mmf_kind_name(FIRST_KIND + i);
        struct words words = some_words(&sound[i], &random);

        write_words(name, &words);
        usleep(200);
        if (round % 5 == 0)
            write_words(name, &sound[i]);
    }
    atomic_store(&storm.stop, 1);
    crew_end(&crew);
    for (int i = 0; i < 3; i++)
        object_close(&storm.objects[i]);
}

/*
 * What a thread owns when the words change under it.
 */

static int
job_take_and_release(void *mutex)
{
    int rc = mmf_mutex_wait(mutex, LONG_MS);

    return rc < 0 ? rc : mmf_mutex_release(mutex);
}

/* Another process frees it behind its owner's back: a thread may take it. Both end. */
TEST(freed_behind_the_owner_s_back)
{
    for (int round = 0; round < 20; round++) {
        mmf_mutex *mutex = new_mutex("Cat"), *second = new_mutex("Dog");
        struct words free_words = read_words("Cat");
        struct worker *owner = worker_start(), *other = worker_start();

        /* Both in the owner's list, in either order. */
        CHECK_INT(worker_does(owner, job_wait, round & 1 ? W(mutex) : W(second)),
                  MMF_OK);
        CHECK_INT(worker_does(owner, job_wait, round & 1 ? W(second) : W(mutex)),
                  MMF_OK);
        write_words("Cat", &free_words);
        if (round & 2) {
            CHECK_INT(worker_does(other, job_take_and_release, mutex), MMF_OK);
        } else {
            CHECK_INT(worker_does(other, job_wait, W(mutex)), MMF_OK);
            worker_end(other);
            other = worker_start();
        }
        if (round & 4) {
            CHECK_INT(worker_does(owner, job_release, second), MMF_OK);
            mmf_mutex_close(second);
            second = NULL;
        }
        if (round & 8)
            CHECK_INT(worker_does(owner, job_release, mutex), MMF_E_NOT_OWNER);
        worker_end(round & 16 ? owner : other);
        worker_end(round & 16 ? other : owner);
        mmf_mutex_close(mutex);
        mmf_mutex_close(second);
        CHECK_INT(count_files(), 0);
    }
}

/*
 * The counter of tickets.
 */

static void
write_tickets(const char *name, uint64_t tickets)
{
    /* It lies before the state. */
    size_t distance = offsetof(struct mmf_control_shared, state) -
                      offsetof(struct mmf_control_shared, tickets);

    write_state(name, &tickets, sizeof(tickets), (size_t)0 - distance);
}

TEST(tickets_that_cannot_be)
{
    static const uint64_t wrong[] = {0, MMF_TICKET_MAX + 1, UINT64_MAX,
                                     UINT64_C(1) << 63};

    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = new_object(kind, "Cat");
        struct process *peer = peer_start();
        const char *word = mmf_kind_name(kind);

        for (size_t i = 0; i < COUNT_OF(wrong); i++) {
            CHECK_CONTEXT("%s %zu", word, i);
            write_tickets("Cat", wrong[i]);
            peer_fails(peer, MMF_E_CORRUPT, "ticket", "a = open %s Cat", word);
        }
        /* One that is ours: the next one, then, which is free. */
        write_tickets("Cat", 1);
        peer_does(peer, "a = open %s Cat", word);
        CHECK_STATUS(object_wait(&object, 0), MMF_OK);
        peer_answers(peer, "MMF_TIMED_OUT", "wait a 0");
        CHECK_OK(object_signal(&object));
        peer_does(peer, "wait a %d", LONG_MS);
        peer_end(peer);
        object_close(&object);
        CHECK_INT(count_files(), 0);
    }
}

/* The last ticket is as good as the first. */
TEST(the_last_ticket)
{
    mmf_mutex *mutex = new_mutex("Cat");
    struct process *peer = peer_start(), *other = peer_start();

    write_tickets("Cat", MMF_TICKET_MAX);
    peer_does(peer, "a = open mutex Cat");
    peer_fails(other, MMF_E_CORRUPT, "ticket", "a = open mutex Cat");
    peer_does(peer, "wait a 0");
    CHECK_STATUS(mmf_mutex_wait(mutex, SHORT_MS), MMF_TIMED_OUT);
    process_kill(peer);
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mutex));
    peer_end(other);
    mmf_mutex_close(mutex);
}
