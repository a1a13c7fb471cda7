/*
 * arguments_test.c - what mutexes, events, semaphores and waits refuse, in which order,
 * and what they say: contract 2.10.
 */
#include "support.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/*
 * WaitOne.
 */

static void
refuse_wait_of_null(int32_t timeout_ms)
{
    CHECK_FAILS_PARAM(mmf_mutex_wait(NULL, timeout_ms), MMF_E_NULL, "mutex");
    CHECK_FAILS_PARAM(mmf_event_wait(NULL, timeout_ms), MMF_E_NULL, "event");
    CHECK_FAILS_PARAM(mmf_semaphore_wait(NULL, timeout_ms), MMF_E_NULL, "semaphore");
    CHECK_FAILS_PARAM(mmf_wait_one(NULL, timeout_ms), MMF_E_NULL, "object");
}

static void
rule_2_10_wait_one_object_before_timeout(void **state)
{
    (void)state;
    refuse_wait_of_null(0);
    refuse_wait_of_null(-1);
    refuse_wait_of_null(-2);
}

static void
refuse_timeout(const struct object *object, int32_t timeout_ms)
{
    CHECK_CONTEXT("kind %d, %d ms", object->kind, timeout_ms);
    CHECK_FAILS_PARAM(object_wait(object, timeout_ms), MMF_E_RANGE,
                      "millisecondsTimeout");
    CHECK_FAILS_PARAM(mmf_wait_one(object_waitable(object), timeout_ms), MMF_E_RANGE,
                      "millisecondsTimeout");
    /* Nothing was taken. */
    CHECK_STATUS(object_wait(object, 0), MMF_OK);
    CHECK_STATUS(object_signal(object), MMF_OK);
}

static void
timeouts_of(const char *name)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = new_object(kind, name);

        refuse_timeout(&object, -2);
        refuse_timeout(&object, -100);
        refuse_timeout(&object, INT32_MIN);
        CHECK_STATUS(object_wait(&object, -1), MMF_OK);
        CHECK_STATUS(object_signal(&object), MMF_OK);
        CHECK_STATUS(object_wait(&object, INT32_MAX), MMF_OK);
        CHECK_STATUS(object_signal(&object), MMF_OK);
        object_close(&object);
    }
}

static void
rule_2_10_timeouts(void **state)
{
    (void)state;
    for_each_name(timeouts_of);
}

/* The longest timeouts, with a thread that ends the wait. */
static void
rule_2_10_longest_timeouts_wait(void **state)
{
    static const int32_t timeouts[] = {MMF_INFINITE, INT32_MAX};
    struct worker *worker = worker_start();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        mmf_event *event = auto_event(i % 2 == 0 ? NULL : "Cat", 0);
        struct several wait = {
            .objects = {W(event)}, .count = 1, .timeout_ms = timeouts[i]};

        worker_begin(worker, job_wait_any, &wait);
        worker_await_sleep(worker);
        CHECK(worker_is_busy(worker));
        CHECK_STATUS(mmf_event_set(event), MMF_OK);
        CHECK_INT(worker_result(worker), MMF_OK);
        mmf_event_close(event);
    }
    worker_end(worker);
}

/* A wait ends with its timeout: not before, and not much later. */
static void
a_timeout_takes_as_long_as_it_says(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        mmf_event *event = auto_event(named ? "Cat" : NULL, 0);
        mmf_semaphore *semaphore = new_semaphore(named ? "Dog" : NULL, 0, 1);
        mmf_waitable *both[] = {W(event), W(semaphore)};

        for (int way = 0; way < 3; way++) {
            int64_t before = now_us();
            int64_t took;
            int index = -7;

            CHECK_CONTEXT("named %d, way %d", named, way);
            if (way == 0)
                CHECK_STATUS(mmf_wait_one(both[0], 130), MMF_TIMED_OUT);
            else if (way == 1)
                CHECK_STATUS(mmf_wait_any(both, 2, 130, &index), MMF_TIMED_OUT);
            else
                CHECK_STATUS(mmf_wait_all(both, 2, 130), MMF_TIMED_OUT);
            CHECK_INT(index, -7);
            took = now_us() - before;
            if (took < 130000 || took > 5000000)
                CHECK_FAIL("130 ms took %lld us", (long long)took);
        }
        mmf_event_close(event);
        mmf_semaphore_close(semaphore);
    }
}

/*
 * WaitAny, WaitAll.
 */

/* Both refuse it; neither `*index` nor any object has changed. */
static void
refuse_several(mmf_waitable *const *objects, int count, int32_t timeout_ms, int status,
               const char *parameter)
{
    int index = -7;

    CHECK_FAILS_PARAM(mmf_wait_any(objects, count, timeout_ms, &index), status,
                      parameter);
    CHECK_INT(index, -7);
    CHECK_FAILS_PARAM(mmf_wait_all(objects, count, timeout_ms), status, parameter);
}

static void
ev_22_no_array(void **state)
{
    (void)state;
    refuse_several(NULL, 0, MMF_INFINITE, MMF_E_NULL, "waitHandles");
    refuse_several(NULL, 1, 0, MMF_E_NULL, "waitHandles");
    refuse_several(NULL, 1, 1000, MMF_E_NULL, "waitHandles");
    refuse_several(NULL, 65, -2, MMF_E_NULL, "waitHandles");
}

static void
rule_2_10_number_of_objects(void **state)
{
    mmf_waitable *none[100] = {NULL};

    (void)state;
    refuse_several(none, 0, 0, MMF_E_INVALID, "waitHandles");
    refuse_several(none, 0, -2, MMF_E_INVALID, "waitHandles");
    refuse_several(none, -1, 0, MMF_E_INVALID, "waitHandles");
    refuse_several(none, INT_MIN, 0, MMF_E_INVALID, "waitHandles");
    refuse_several(none, MMF_WAIT_MAXIMUM + 1, 0, MMF_E_NOT_SUPPORTED, "");
    refuse_several(none, MMF_WAIT_MAXIMUM + 1, -2, MMF_E_NOT_SUPPORTED, "");
    refuse_several(none, INT_MAX, 0, MMF_E_NOT_SUPPORTED, "");
}

static void
rule_2_10_timeout_before_elements(void **state)
{
    mmf_waitable *none[2] = {NULL};

    (void)state;
    refuse_several(none, 2, -2, MMF_E_RANGE, "millisecondsTimeout");
    refuse_several(none, 2, INT32_MIN, MMF_E_RANGE, "millisecondsTimeout");
}

static void
rule_2_10_a_null_element_says_which(void **state)
{
    mmf_event *event = auto_event(NULL, 1);
    mmf_waitable *objects[MMF_WAIT_MAXIMUM];

    (void)state;
    for (int i = 0; i < MMF_WAIT_MAXIMUM; i++)
        objects[i] = W(event);
    objects[63] = NULL;
    refuse_several(objects, 64, 0, MMF_E_NULL, "waitHandles[63]");
    objects[3] = NULL;
    refuse_several(objects, 64, 0, MMF_E_NULL, "waitHandles[3]");
    objects[0] = NULL;
    refuse_several(objects, 64, 0, MMF_E_NULL, "waitHandles[0]");
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    mmf_event_close(event);
}

static void
rule_2_10_index_is_null(void **state)
{
    mmf_event *event = auto_event(NULL, 1);
    mmf_waitable *objects[] = {W(event), NULL};

    (void)state;
    CHECK_FAILS_PARAM(mmf_wait_any(objects, 2, 0, NULL), MMF_E_NULL, "waitHandles[1]");
    CHECK_FAILS_PARAM(mmf_wait_any(objects, 1, 0, NULL), MMF_E_NULL, "index");
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK); /* it was not taken */
    mmf_event_close(event);
}

/* 64 are as good as one; every index can win. */
static void
rule_7_1_7_as_many_as_the_maximum(void **state)
{
    mmf_event *events[MMF_WAIT_MAXIMUM];
    mmf_waitable *objects[MMF_WAIT_MAXIMUM];
    int index;

    (void)state;
    CHECK_INT(MMF_WAIT_MAXIMUM, 64);
    for (int i = 0; i < MMF_WAIT_MAXIMUM; i++) {
        char name[32];

        snprintf(name, sizeof(name), "Cat %d", i);
        events[i] = auto_event(i % 2 == 0 ? NULL : name, 0);
        objects[i] = W(events[i]);
    }
    CHECK_STATUS(mmf_wait_any(objects, 64, SHORT_MS, &index), MMF_TIMED_OUT);
    for (int i = 0; i < MMF_WAIT_MAXIMUM; i++) {
        CHECK_STATUS(mmf_event_set(events[i]), MMF_OK);
        CHECK_STATUS(mmf_wait_any(objects, 64, LONG_MS, &index), MMF_OK);
        CHECK_INT(index, i);
        CHECK_STATUS(mmf_wait_all(objects, 64, 0), MMF_TIMED_OUT);
    }
    for (int i = 0; i < MMF_WAIT_MAXIMUM; i++)
        CHECK_STATUS(mmf_event_set(events[i]), MMF_OK);
    CHECK_STATUS(mmf_wait_all(objects, 64, LONG_MS), MMF_OK);
    CHECK_STATUS(mmf_wait_any(objects, 64, 0, &index), MMF_TIMED_OUT);
    for (int i = 0; i < MMF_WAIT_MAXIMUM; i++)
        mmf_event_close(events[i]);
}

static void
duplicates_of(const char *name)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object one = new_object(kind, name);
        struct object other = new_object(kind, name != NULL ? "another" : NULL);
        struct object again = {0};
        mmf_waitable *same[] = {object_waitable(&other), object_waitable(&one),
                                object_waitable(&one)};
        int index = -7;

        CHECK_FAILS_PARAM(mmf_wait_all(same, 3, 0), MMF_E_INVALID, "waitHandles");
        CHECK_FAILS_PARAM(mmf_wait_all(same, 3, MMF_INFINITE), MMF_E_INVALID,
                          "waitHandles");
        CHECK_FAILS_PARAM(mmf_wait_all(same + 1, 2, 0), MMF_E_INVALID, "waitHandles");
        if (name != NULL) {
            CHECK_STATUS(object_open(&again, kind, name, NULL), MMF_OK);
            same[1] = object_waitable(&again);
            CHECK_FAILS_PARAM(mmf_wait_all(same, 3, 0), MMF_E_INVALID, "waitHandles");
        }
        /* None was taken. WaitAny takes duplicates, and answers the lower index. */
        CHECK_STATUS(mmf_wait_any(same, 3, 0, &index), MMF_OK);
        CHECK_INT(index, 0);
        if (kind != MMF_KIND_MUTEX) { /* which its owner may take again */
            CHECK_STATUS(mmf_wait_any(same, 3, 0, &index), MMF_OK);
            CHECK_INT(index, 1);
            CHECK_STATUS(mmf_wait_any(same, 3, SHORT_MS, &index), MMF_TIMED_OUT);
        } else {
            CHECK_STATUS(mmf_wait_any(same + 1, 2, 0, &index), MMF_OK);
            CHECK_INT(index, 0);
            CHECK_STATUS(mmf_mutex_release(one.mutex), MMF_OK);
            CHECK_STATUS(mmf_mutex_release(other.mutex), MMF_OK);
        }
        object_close(&one);
        object_close(&other);
        object_close(&again);
    }
}

static void
rule_2_10_duplicates(void **state)
{
    (void)state;
    for_each_name(duplicates_of);
}

/* A wait for the same object by two indices ends when it is signalled. */
static void
a_duplicate_wakes(void **state)
{
    mmf_event *event = auto_event("Cat", 0);
    struct several wait = {
        .objects = {W(event), W(event), W(event)}, .count = 3, .timeout_ms = LONG_MS};
    struct worker *worker = worker_start();

    (void)state;
    worker_begin(worker, job_wait_any, &wait);
    worker_await_sleep(worker);
    CHECK_STATUS(mmf_event_set(event), MMF_OK);
    CHECK_INT(worker_result(worker), MMF_OK);
    CHECK_INT(wait.index, 0);
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    worker_end(worker);
    mmf_event_close(event);
}

/*
 * SignalAndWait.
 */

static void
rule_2_10_signal_and_wait(void **state)
{
    mmf_event *event = auto_event(NULL, 0);
    mmf_event *other = auto_event("Cat", 1);

    (void)state;
    CHECK_FAILS_PARAM(mmf_signal_and_wait(NULL, NULL, -2), MMF_E_NULL, "toSignal");
    CHECK_FAILS_PARAM(mmf_signal_and_wait(NULL, W(other), 0), MMF_E_NULL, "toSignal");
    CHECK_FAILS_PARAM(mmf_signal_and_wait(W(event), NULL, -2), MMF_E_NULL, "toWaitOn");
    CHECK_FAILS_PARAM(mmf_signal_and_wait(W(event), NULL, 0), MMF_E_NULL, "toWaitOn");
    CHECK_FAILS_PARAM(mmf_signal_and_wait(W(event), W(other), -2), MMF_E_RANGE,
                      "millisecondsTimeout");
    CHECK_FAILS_PARAM(mmf_signal_and_wait(W(event), W(other), INT32_MIN), MMF_E_RANGE,
                      "millisecondsTimeout");
    /* Nothing was signalled, nothing taken. */
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_event_wait(other, 0), MMF_OK);
    mmf_event_close(event);
    mmf_event_close(other);
}

/*
 * Constructors.
 */

static void
refuse_semaphore(int32_t initial, int32_t maximum, int status, const char *parameter)
{
    static const char *const names[] = {NULL, "", "Cat", "a\\b"};

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        mmf_semaphore *semaphore = UNTOUCHED;
        int created = -7;

        CHECK_CONTEXT("%d of %d, name %zu", initial, maximum, i);
        CHECK_FAILS_PARAM(mmf_semaphore_create_or_open(names[i], initial, maximum, NULL,
                                                       &created, &semaphore),
                          status, parameter);
        CHECK(semaphore == UNTOUCHED);
        CHECK_INT(created, -7);
    }
    CHECK_INT(count_files(), 0);
}

static void
rule_2_10_semaphore_counts(void **state)
{
    (void)state;
    refuse_semaphore(-1, 1, MMF_E_RANGE, "initialCount");
    refuse_semaphore(INT32_MIN, 1, MMF_E_RANGE, "initialCount");
    refuse_semaphore(-1, 0, MMF_E_RANGE, "initialCount"); /* the first check */
    refuse_semaphore(0, 0, MMF_E_RANGE, "maximumCount");
    refuse_semaphore(0, -1, MMF_E_RANGE, "maximumCount");
    refuse_semaphore(1, INT32_MIN, MMF_E_RANGE, "maximumCount");
    refuse_semaphore(2, 1, MMF_E_INVALID, "");
    refuse_semaphore(INT32_MAX, INT32_MAX - 1, MMF_E_INVALID, "");
}

static void
ev_02_mode(void **state)
{
    static const mmf_event_mode modes[] = {12345, 2, -1, INT32_MIN, INT32_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        for (int named = 0; named < 2; named++) {
            mmf_event *event = UNTOUCHED;
            int created = -7;

            CHECK_FAILS_PARAM(mmf_event_create_or_open(named ? "Cat" : NULL, 0,
                                                       modes[i], NULL, &created,
                                                       &event),
                              MMF_E_INVALID, "mode");
            CHECK(event == UNTOUCHED);
            CHECK_INT(created, -7);
        }
    }
    CHECK_INT(count_files(), 0);
}

static void
rule_2_10_out_is_null(void **state)
{
    int created = -7;

    (void)state;
    CHECK_FAILS_PARAM(mmf_mutex_create_or_open(NULL, 1, NULL, NULL, NULL), MMF_E_NULL,
                      "out");
    CHECK_FAILS_PARAM(mmf_mutex_create_or_open("Cat", 1, NULL, NULL, NULL), MMF_E_NULL,
                      "out");
    CHECK_FAILS_PARAM(mmf_event_create_or_open("Cat", 1, 0, NULL, NULL, NULL),
                      MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_semaphore_create_or_open("Cat", 1, 1, NULL, NULL, NULL),
                      MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_mutex_open_existing("Cat", NULL, NULL), MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_event_open_existing("Cat", NULL, NULL), MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_semaphore_open_existing("Cat", NULL, NULL), MMF_E_NULL,
                      "out");
    CHECK_FAILS_PARAM(mmf_mutex_create_or_open("Cat", 1, NULL, &created, NULL),
                      MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_event_create_or_open("Cat", 1, 0, NULL, &created, NULL),
                      MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_semaphore_create_or_open("Cat", 1, 1, NULL, &created, NULL),
                      MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_mutex_create_new("Cat", 1, NULL, NULL), MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_event_create_new("Cat", 1, 0, NULL, NULL), MMF_E_NULL, "out");
    CHECK_FAILS_PARAM(mmf_semaphore_create_new("Cat", 1, 1, NULL, NULL), MMF_E_NULL,
                      "out");
    CHECK_INT(created, -7);
    CHECK_INT(count_files(), 0);
}

/* Null and empty: no name. Several of them are several objects. */
static void
rule_2_10_no_name_and_empty_name(void **state)
{
    static const char *const names[] = {NULL, ""};

    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object objects[4] = {{0}};

        for (int i = 0; i < 4; i++) {
            int created = 0;

            CHECK_STATUS(object_create(&objects[i], kind, names[i % 2], NULL, &created),
                         MMF_OK);
            CHECK_INT(created, 1);
        }
        CHECK_INT(count_files(), 0);
        for (int i = 0; i < 4; i++)
            CHECK_STATUS(object_wait(&objects[i], 0), MMF_OK);
        for (int i = 0; i < 4; i++)
            object_close(&objects[i]);
    }
}

/* What kinds of names are refused, by each function that takes one. */
static void
refuse_name(const char *name, int status)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = {0};
        int number = -7;

        CHECK_FAILS_PARAM(object_create(&object, kind, name, NULL, &number), status,
                          "name");
        CHECK_INT(number, -7);
        CHECK_FAILS_PARAM(object_create_new(&object, kind, name, NULL), status, "name");
        CHECK_FAILS_PARAM(object_open(&object, kind, name, NULL), status, "name");
    }
}

static void
rule_2_10_names_that_cannot_be(void **state)
{
    static char too_long[40000];

    (void)state;
    memset(too_long, 'a', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    refuse_name(too_long, MMF_E_PATH_TOO_LONG);
    refuse_name("Local\\", MMF_E_INVALID);
    refuse_name("Global\\", MMF_E_INVALID);
    if (!kernel_has_names()) /* there it may lead to a session */
        refuse_name("Session\\1\\Cat", MMF_E_PATH_NOT_FOUND);
    refuse_name("local\\Cat", MMF_E_PATH_NOT_FOUND);
    refuse_name("Global\\a\\b", MMF_E_PATH_NOT_FOUND);
    CHECK_INT(count_files(), 0);
}

/*
 * OpenExisting.
 */

static void
rule_2_10_open_existing(void **state)
{
    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = {0};

        CHECK_FAILS_PARAM(object_open(&object, kind, NULL, NULL), MMF_E_NULL, "name");
        CHECK_FAILS_PARAM(object_open(&object, kind, "", NULL), MMF_E_INVALID, "name");
        CHECK_FAILS(object_open(&object, kind, "Cat", NULL), MMF_E_NOT_FOUND);
        CHECK(strstr(mmf_last_message(), "Cat") != NULL);
        CHECK(strstr(mmf_last_message(), mmf_kind_name(kind)) != NULL);
        CHECK_INT(object.kind, 0);
    }
}

/* A success leaves the last failure as it was, whether it creates, opens or waits. */
static void
a_success_leaves_the_last_failure(void **state)
{
    struct object map = new_object(MMF_KIND_MAP, "Map");
    mmf_error before, after;

    (void)state;
    CHECK_FAILS(mmf_mutex_release(NULL), MMF_E_NULL);
    mmf_last_error(&before);
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object made = {0}, opened = {0}, found = {0};
        int created = -7;

        CHECK_OK(object_create_new(&made, kind, "New", NULL));
        CHECK_OK(object_create(&opened, kind, "New", NULL, &created));
        CHECK_INT(created, 0);
        CHECK_OK(object_open(&found, kind, "New", NULL));
        object_close(&found);
        object_close(&opened);
        object_close(&made);
    }
    mmf_last_error(&after);
    CHECK_BYTES(&after, &before, sizeof(before));
    object_close(&map);
}

/*
 * CreateNew.
 */

static void
create_new_of(const char *name)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object one = {0}, other = {0};

        CHECK_CONTEXT("%s", mmf_kind_name(kind));
        CHECK_OK(object_create_new(&one, kind, name, NULL));
        CHECK_STATUS(object_wait(&one, 0), MMF_OK);
        if (name == NULL) {
            CHECK_OK(object_create_new(&other, kind, name, NULL));
            object_close(&other);
        } else {
            CHECK_FAILS(object_create_new(&other, kind, name, NULL), MMF_E_EXISTS);
            CHECK_INT(other.kind, 0);
            CHECK_OK(object_open(&other, kind, name, NULL));
            object_close(&other);
        }
        object_close(&one);
        CHECK_OK(object_create_new(&one, kind, name, NULL));
        object_close(&one);
        CHECK_INT(count_files(), 0);
    }
}

static void
create_new_refuses_a_taken_name(void **state)
{
    (void)state;
    for_each_name(create_new_of);
}

/*
 * The rest.
 */

static void
rule_2_10_release_count(void **state)
{
    static const int32_t counts[] = {0, -1, INT32_MIN};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        mmf_semaphore *semaphore = new_semaphore(i == 0 ? NULL : "Cat", 1, 2);
        int32_t previous = -7;

        CHECK_FAILS_PARAM(mmf_semaphore_release(semaphore, counts[i], &previous),
                          MMF_E_RANGE, "releaseCount");
        CHECK_INT(previous, -7);
        CHECK_STATUS(mmf_semaphore_release(semaphore, 1, &previous), MMF_OK);
        CHECK_INT(previous, 1);
        mmf_semaphore_close(semaphore);
    }
}

static void
null_handles(void **state)
{
    int fd = -7;

    (void)state;
    CHECK_FAILS_PARAM(mmf_mutex_release(NULL), MMF_E_NULL, "mutex");
    CHECK_FAILS_PARAM(mmf_event_set(NULL), MMF_E_NULL, "event");
    CHECK_FAILS_PARAM(mmf_event_reset(NULL), MMF_E_NULL, "event");
    CHECK_FAILS_PARAM(mmf_semaphore_release(NULL, 1, NULL), MMF_E_NULL, "semaphore");
    CHECK_FAILS_PARAM(mmf_semaphore_release(NULL, 0, NULL), MMF_E_NULL, "semaphore");
    CHECK_FAILS_PARAM(mmf_waitable_fd(NULL, &fd), MMF_E_NULL, "object");
    CHECK_INT(fd, -7);
    CHECK(mmf_mutex_waitable(NULL) == NULL);
    CHECK(mmf_event_waitable(NULL) == NULL);
    CHECK(mmf_semaphore_waitable(NULL) == NULL);
    mmf_mutex_close(NULL);
    mmf_event_close(NULL);
    mmf_semaphore_close(NULL);
    mmf_sync_options_init(NULL);
}

static void
fd_is_null(void **state)
{
    struct usage before;

    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = new_object(kind, "Cat");

        usage_take(&before);
        CHECK_FAILS_PARAM(mmf_waitable_fd(object_waitable(&object), NULL), MMF_E_NULL,
                          "fd");
        usage_check_same(&before);
        object_close(&object);
    }
}

/* Outputs that may be NULL. */
static void
outputs_that_may_be_null(void **state)
{
    mmf_semaphore *semaphore = new_semaphore("Cat", 0, 1);

    (void)state;
    CHECK_STATUS(mmf_semaphore_release(semaphore, 1, NULL), MMF_OK);
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_OK);
    mmf_semaphore_close(semaphore);
}

/*
 * The options struct, as of any version.
 */

struct large_options {
    mmf_sync_options options;
    uint32_t later[20];
};

static void
refuse_options(const void *options, int status, const char *parameter)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = {0};
        int number = -7;

        CHECK_FAILS_PARAM(object_create(&object, kind, "Cat", options, &number), status,
                          parameter);
        CHECK_FAILS_PARAM(object_open(&object, kind, "Cat", options), status,
                          parameter);
        CHECK_FAILS_PARAM(object_create_new(&object, kind, "Cat", options), status,
                          parameter);
        CHECK_INT(number, -7);
    }
    CHECK_INT(count_files(), 0);
}

static void
accept_options(const void *options)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = {0}, other = {0};
        int number = -7;

        CHECK_STATUS(object_create(&object, kind, "Cat", options, &number), MMF_OK);
        CHECK_INT(number, 1);
        CHECK_STATUS(object_open(&other, kind, "Cat", options), MMF_OK);
        object_close(&other);
        object_close(&object);
        CHECK_STATUS(object_create_new(&object, kind, "Cat", options), MMF_OK);
        object_close(&object);
    }
}

static void
options_of_other_versions(void **state)
{
    static const mmf_sync_options zero = {0};
    struct large_options large = {.later = {0}};
    uint32_t size;

    (void)state;
    memset(&large.options, 0xff, sizeof(large.options));
    mmf_sync_options_init(&large.options);
    CHECK_INT(large.options.size, sizeof(mmf_sync_options));
    CHECK_BYTES((char *)&large.options + sizeof(uint32_t),
                (char *)&zero + sizeof(uint32_t), sizeof(zero) - sizeof(uint32_t));
    accept_options(&large.options);

    for (size = 4; size <= sizeof(large); size += 4) {
        CHECK_CONTEXT("size %u", size);
        large.options.size = size;
        accept_options(&large);
    }
    for (size = 0; size < 4; size++) {
        CHECK_CONTEXT("size %u", size);
        large.options.size = size;
        refuse_options(&large, MMF_E_INVALID, "options");
    }
    large.options.size = 1u << 31;
    refuse_options(&large, MMF_E_INVALID, "options");
    large.options.size = sizeof(large);
    large.later[19] = 1u << 24;
    refuse_options(&large, MMF_E_INVALID, "options");
    large.options.size -= 4;
    accept_options(&large);
}

/* It is a creator's: open_existing does not read it. */
static void
refuse_mode(const mmf_sync_options *options)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object object = {0};
        int created = -7;

        CHECK_FAILS_PARAM(object_create(&object, kind, "Cat", options, &created),
                          MMF_E_RANGE, "mode");
        CHECK_INT(created, -7);
        CHECK_FAILS_PARAM(object_create_new(&object, kind, "Cat", options), MMF_E_RANGE,
                          "mode");
        CHECK_FAILS(object_open(&object, kind, "Cat", options), MMF_E_NOT_FOUND);
    }
}

static void
options_out_of_range(void **state)
{
    mmf_sync_options options;

    (void)state;
    mmf_sync_options_init(&options);
    options.mode = 01000;
    refuse_mode(&options);
    options.mode = UINT32_MAX;
    refuse_mode(&options);
    mmf_sync_options_init(&options);
    options.all_users = 2;
    refuse_options(&options, MMF_E_INVALID, "options");
    mmf_sync_options_init(&options);
    options.this_user_only = -1;
    refuse_options(&options, MMF_E_INVALID, "options");
}

/*
 * Disposed. In C a closed handle is gone; the dead ones are those of a fork's child.
 */

struct dead {
    struct object objects[3];
    struct object living;
};

static void
use_the_dead(void *argument)
{
    struct dead *dead = argument;
    struct object living = new_object(MMF_KIND_EVENT, NULL);
    int index = -7;
    int fd = -7;

    for (int i = 0; i < 3; i++) {
        const struct object *object = &dead->objects[i];
        mmf_waitable *lists[3] = {object_waitable(object), object_waitable(&living),
                                  NULL};

        CHECK_CONTEXT("kind %d in a child", object->kind);
        CHECK_FAILS_PARAM(object_wait(object, -2), MMF_E_RANGE, "millisecondsTimeout");
        CHECK_FAILS_PARAM(object_wait(object, 0), MMF_E_DISPOSED, "");
        CHECK(strstr(mmf_last_message(), "fork") != NULL);
        CHECK_FAILS(object_wait(object, MMF_INFINITE), MMF_E_DISPOSED);
        CHECK_FAILS(object_signal(object), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_wait_one(lists[0], 0), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_waitable_fd(lists[0], &fd), MMF_E_DISPOSED);
        CHECK_INT(fd, -7);
        /* Elements are looked at in order. */
        CHECK_FAILS(mmf_wait_any(lists, 3, 0, &index), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_wait_all(lists, 3, 0), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_wait_any(lists, 1, 0, NULL), MMF_E_DISPOSED);
        lists[0] = object_waitable(&living);
        lists[1] = NULL;
        lists[2] = object_waitable(object);
        CHECK_FAILS_PARAM(mmf_wait_any(lists, 3, 0, &index), MMF_E_NULL,
                          "waitHandles[1]");
        CHECK_FAILS_PARAM(mmf_wait_all(lists, 3, 0), MMF_E_NULL, "waitHandles[1]");
        lists[1] = lists[2];
        CHECK_FAILS(mmf_wait_any(lists, 2, 0, &index), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_wait_all(lists, 2, 0), MMF_E_DISPOSED);
        CHECK_FAILS_PARAM(mmf_wait_all(lists, 2, -2), MMF_E_RANGE,
                          "millisecondsTimeout");
        CHECK_INT(index, -7);
        /* Nothing was signalled, nothing taken. */
        CHECK_FAILS(mmf_signal_and_wait(lists[1], lists[0], 0), MMF_E_DISPOSED);
        CHECK_STATUS(object_wait(&living, 0), MMF_OK);
        CHECK_FAILS(mmf_signal_and_wait(lists[0], lists[1], 0), MMF_E_DISPOSED);
        CHECK_STATUS(object_wait(&living, 0), MMF_TIMED_OUT);
        CHECK_STATUS(object_signal(&living), MMF_OK);
    }
    CHECK_FAILS(mmf_event_reset(dead->objects[1].event), MMF_E_DISPOSED);
    object_close(&living);
    for (int i = 0; i < 3; i++)
        object_close(&dead->objects[i]);
}

static void
dead_handles_of(const char *name)
{
    struct dead dead;

    for (int i = 0; i < 3; i++)
        dead.objects[i] =
            new_object(FIRST_KIND + i, with_suffix(name, i == 0   ? " 0"
                                                         : i == 1 ? " 1"
                                                                  : " 2"));
    in_child(use_the_dead, &dead);
    /* And here all is as before. */
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(object_wait(&dead.objects[i], 0), MMF_OK);
        CHECK_STATUS(object_signal(&dead.objects[i]), MMF_OK);
        object_close(&dead.objects[i]);
    }
}

static void
rule_2_10_disposed(void **state)
{
    (void)state;
    need_fork();
    dead_handles_of(NULL);
    dead_handles_of("Cat");
    dead_handles_of("Global\\Cat");
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_2_10_wait_one_object_before_timeout),
        cmocka_unit_test(rule_2_10_timeouts),
        cmocka_unit_test(rule_2_10_longest_timeouts_wait),
        cmocka_unit_test(a_timeout_takes_as_long_as_it_says),
        cmocka_unit_test(ev_22_no_array),
        cmocka_unit_test(rule_2_10_number_of_objects),
        cmocka_unit_test(rule_2_10_timeout_before_elements),
        cmocka_unit_test(rule_2_10_a_null_element_says_which),
        cmocka_unit_test(rule_2_10_index_is_null),
        cmocka_unit_test(rule_7_1_7_as_many_as_the_maximum),
        cmocka_unit_test(rule_2_10_duplicates),
        cmocka_unit_test(a_duplicate_wakes),
        cmocka_unit_test(rule_2_10_signal_and_wait),
        cmocka_unit_test(rule_2_10_semaphore_counts),
        cmocka_unit_test(ev_02_mode),
        cmocka_unit_test(rule_2_10_out_is_null),
        cmocka_unit_test(rule_2_10_no_name_and_empty_name),
        cmocka_unit_test(rule_2_10_names_that_cannot_be),
        cmocka_unit_test(rule_2_10_open_existing),
        cmocka_unit_test(a_success_leaves_the_last_failure),
        cmocka_unit_test(create_new_refuses_a_taken_name),
        cmocka_unit_test(rule_2_10_release_count),
        cmocka_unit_test(null_handles),
        cmocka_unit_test(fd_is_null),
        cmocka_unit_test(outputs_that_may_be_null),
        cmocka_unit_test(options_of_other_versions),
        cmocka_unit_test(options_out_of_range),
        cmocka_unit_test(rule_2_10_disposed),
    };

    return harness_main(argc, argv, "sync_arguments", tests, COUNT_OF(tests), NULL);
}
