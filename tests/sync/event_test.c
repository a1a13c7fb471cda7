/*
 * event_test.c - EventWaitHandle, AutoResetEvent, ManualResetEvent: cases EV-01 to
 * EV-38 (EV-02 and EV-22 are in arguments_test.c) and rule 7.3.
 *
 * .NET has each case once; here it runs unnamed and under each kind of name. What .NET
 * refuses on Unix is done.
 */
#include "support.h"

#include <string.h>

static void
set(mmf_event *event)
{
    CHECK_STATUS(mmf_event_set(event), MMF_OK);
}

static void
reset(mmf_event *event)
{
    CHECK_STATUS(mmf_event_reset(event), MMF_OK);
}

/* A wait that takes, or that finds nothing for its whole timeout. */
static void
is_set(mmf_event *event, int32_t timeout_ms)
{
    CHECK_STATUS(mmf_event_wait(event, timeout_ms), MMF_OK);
}

static void
is_not_set(mmf_event *event, int32_t timeout_ms)
{
    CHECK_STATUS(mmf_event_wait(event, timeout_ms), MMF_TIMED_OUT);
}

static void
starts_as_asked(const char *name)
{
    for (int state = 0; state < 2; state++) {
        for (int mode = 0; mode < 2; mode++) {
            mmf_event *event = NULL;

            CHECK_OK(mmf_event_create_or_open(name, state, mode, NULL, NULL, &event));
            CHECK_STATUS(mmf_event_wait(event, 0), state ? MMF_OK : MMF_TIMED_OUT);
            mmf_event_close(event);
        }
    }
}

static void
ev_01_initial_state(void **state)
{
    (void)state;
    for_each_name(starts_as_asked);
}

/* Any other number than 0 is true, as for all booleans. */
static void
any_number_is_a_state(void **state)
{
    static const int numbers[] = {-1, 2, 1 << 30};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        mmf_event *event = NULL;

        CHECK_OK(mmf_event_create_or_open("Cat", numbers[i], 0, NULL, NULL, &event));
        is_set(event, 0);
        is_not_set(event, 0);
        mmf_event_close(event);
    }
}

static void
ev_03_names(void **state)
{
    static const char hex[] = "0123456789abcdef0123456789abcdef";
    char large[1033];

    (void)state;
    memset(large, 'a', sizeof(large));
    memcpy(large, hex, strlen(hex));
    large[1032] = '\0';
    for (int i = 0; i < 2; i++) {
        mmf_event *event = NULL;
        int created = -7;

        CHECK_OK(mmf_event_create_or_open(i == 0 ? hex : large, 0, 0, NULL, &created,
                                          &event));
        CHECK_INT(created, 1);
        mmf_event_close(event);
    }
}

static void
ev_04_a_name_on_unix(void **state)
{
    mmf_event *event = NULL;
    int created = -7;

    (void)state;
    CHECK_OK(mmf_event_create_or_open("anything", 0, MMF_EVENT_AUTO_RESET, NULL, NULL,
                                      &event));
    mmf_event_close(event);
    CHECK_OK(mmf_event_create_or_open("anything", 0, MMF_EVENT_MANUAL_RESET, NULL,
                                      &created, &event));
    CHECK_INT(created, 1);
    mmf_event_close(event);
}

/* The second create opens; its state and mode do not count. */
static void
ev_05_the_same_name_twice(void **state)
{
    (void)state;
    for (int row = 0; row < 4; row++) {
        int first_state = row & 1;
        int first_mode = row >> 1;

        for (int other = 0; other < 4; other++) {
            mmf_event *one = NULL, *two = NULL;
            int created = -7;

            CHECK_CONTEXT("row %d, then %d", row, other);
            CHECK_OK(mmf_event_create_or_open("Cat", first_state, first_mode, NULL,
                                              &created, &one));
            CHECK_INT(created, 1);
            CHECK_OK(mmf_event_create_or_open("Cat", other & 1, other >> 1, NULL,
                                              &created, &two));
            CHECK_INT(created, 0);
            CHECK_STATUS(mmf_event_wait(two, 0), first_state ? MMF_OK : MMF_TIMED_OUT);
            set(two);
            is_set(one, 0);
            if (first_mode == MMF_EVENT_MANUAL_RESET)
                is_set(two, 0);
            else
                is_not_set(two, 0);
            mmf_event_close(one);
            mmf_event_close(two);
        }
    }
}

static void
ev_06_a_mutex_has_the_name(void **state)
{
    mmf_mutex *mutex = new_mutex("Cat");
    mmf_event *event = UNTOUCHED;
    int created = -7;

    (void)state;
    CHECK_FAILS(
        mmf_event_create_or_open("Cat", 0, MMF_EVENT_AUTO_RESET, NULL, NULL, &event),
        MMF_E_WRONG_KIND);
    CHECK(strstr(mmf_last_message(), "mutex") != NULL);
    CHECK_FAILS(mmf_event_create_or_open("Cat", 0, MMF_EVENT_MANUAL_RESET, NULL,
                                         &created, &event),
                MMF_E_WRONG_KIND);
    CHECK_INT(created, -7);
    CHECK(event == UNTOUCHED);
    mmf_mutex_close(mutex);
}

static void
auto_set_and_reset(const char *name)
{
    mmf_event *event = auto_event(name, 0);

    is_not_set(event, 0);
    is_not_set(event, SHORT_MS);
    set(event);
    is_set(event, 0);
    is_not_set(event, 0);
    is_not_set(event, SHORT_MS);
    set(event);
    reset(event);
    is_not_set(event, 0);
    mmf_event_close(event);
}

static void
ev_07_auto_set_and_reset(void **state)
{
    (void)state;
    for_each_name(auto_set_and_reset);
}

static void
manual_set_and_reset(const char *name)
{
    mmf_event *event = manual_event(name, 0);

    is_not_set(event, 0);
    set(event);
    is_set(event, 0);
    is_set(event, 0);
    set(event);
    is_set(event, 0);
    reset(event);
    is_not_set(event, 0);
    is_not_set(event, SHORT_MS);
    mmf_event_close(event);
}

static void
ev_08_manual_set_and_reset(void **state)
{
    (void)state;
    for_each_name(manual_set_and_reset);
}

/* Each signal is taken exactly once, by whichever handle. */
static void
crosswise(mmf_event *one, mmf_event *other)
{
    set(one);
    is_set(other, 0);
    is_not_set(other, 0);
    is_not_set(one, 0);
    set(other);
    is_set(one, 0);
    is_not_set(one, 0);
    is_not_set(other, 0);
}

static void
ev_09_open_existing(void **state)
{
    mmf_event *third = UNTOUCHED, *one, *other = NULL;

    (void)state;
    CHECK_FAILS(mmf_event_open_existing("Cat", NULL, &third), MMF_E_NOT_FOUND);
    CHECK(third == UNTOUCHED);
    one = auto_event("Cat", 0);
    CHECK_OK(mmf_event_open_existing("Cat", NULL, &other));
    crosswise(one, other);
    CHECK_OK(mmf_event_open_existing("Cat", NULL, &third));
    crosswise(one, third);
    crosswise(third, other);
    mmf_event_close(one);
    crosswise(third, other);
    mmf_event_close(other);
    mmf_event_close(third);
}

static void
ev_09_in_two_processes(void **state)
{
    mmf_event *event = auto_event("Cat", 0);
    struct process *peer = peer_start();

    (void)state;
    peer_does(peer, "open event 0 Cat");
    set(event);
    peer_does(peer, "wait 0 0");
    peer_answers(peer, "MMF_TIMED_OUT", "wait 0 0");
    is_not_set(event, 0);
    peer_does(peer, "set 0");
    is_set(event, 0);
    is_not_set(event, 0);
    peer_answers(peer, "MMF_TIMED_OUT", "wait 0 0");
    peer_does(peer, "set 0");
    peer_does(peer, "reset 0");
    is_not_set(event, 0);
    peer_end(peer);
    mmf_event_close(event);
}

static void
ev_10_opening_on_unix(void **state)
{
    mmf_event *event = auto_event("anything", 1), *other = NULL;

    (void)state;
    CHECK_OK(mmf_event_open_existing("anything", NULL, &other));
    is_set(other, 0);
    mmf_event_close(other);
    CHECK_OK(mmf_event_open_existing("anything", NULL, &other));
    is_not_set(other, 0); /* the same object */
    mmf_event_close(other);
    mmf_event_close(event);
}

static void
ev_11_opening_without_a_name(void **state)
{
    mmf_event *event = UNTOUCHED;

    (void)state;
    CHECK_FAILS_PARAM(mmf_event_open_existing(NULL, NULL, &event), MMF_E_NULL, "name");
    CHECK_FAILS_PARAM(mmf_event_open_existing("", NULL, &event), MMF_E_INVALID, "name");
    CHECK(event == UNTOUCHED);
}

static void
check_absent(void)
{
    mmf_event *event = UNTOUCHED;

    CHECK_FAILS(mmf_event_open_existing("Cat", NULL, &event), MMF_E_NOT_FOUND);
    CHECK(event == UNTOUCHED);
}

static void
ev_12_opening_what_is_not_there(void **state)
{
    (void)state;
    check_absent();
    mmf_event_close(auto_event("Cat", 1));
    check_absent();
}

static void
ev_13_opening_a_mutex_s_name(void **state)
{
    mmf_mutex *mutex = new_mutex("Cat");
    mmf_event *event = UNTOUCHED;

    (void)state;
    CHECK_FAILS(mmf_event_open_existing("Cat", NULL, &event), MMF_E_WRONG_KIND);
    CHECK(event == UNTOUCHED);
    mmf_mutex_close(mutex);
}

static void
ev_14_ping_pong_of_processes(void **state)
{
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        mmf_event *there = NULL, *back = NULL;
        struct process *peer = peer_start();

        CHECK_OK(mmf_event_create_or_open("there", 0, mode, NULL, NULL, &there));
        CHECK_OK(mmf_event_create_or_open("back", 0, mode, NULL, NULL, &back));
        peer_does(peer, "open event 0 there");
        peer_does(peer, "open event 1 back");
        for (int round = 0; round < 10; round++) {
            peer_begins(peer, "wait 0 %d", LONG_MS);
            set(there);
            process_expect(peer, "MMF_OK");
            if (mode == MMF_EVENT_MANUAL_RESET)
                peer_does(peer, "reset 0");
            peer_does(peer, "set 1");
            is_set(back, LONG_MS);
            if (mode == MMF_EVENT_MANUAL_RESET)
                reset(back);
        }
        peer_end(peer);
        mmf_event_close(there);
        mmf_event_close(back);
    }
}

static void
ev_20_auto_initial_state(void **state)
{
    mmf_event *unset = auto_event(NULL, 0), *is_already = auto_event(NULL, 1);

    (void)state;
    is_not_set(unset, 0);
    is_set(is_already, 0);
    mmf_event_close(unset);
    mmf_event_close(is_already);
}

static void
auto_sequence(const char *name)
{
    mmf_event *event = auto_event(name, 0);

    set(event);
    is_set(event, 0);
    is_not_set(event, 0);
    set(event);
    reset(event);
    is_not_set(event, 0);
    mmf_event_close(event);
}

static void
ev_21_auto_sequence(void **state)
{
    (void)state;
    for_each_name(auto_sequence);
}

/*
 * Ten events.
 */

enum { TEN = 10 };

struct ten {
    mmf_event *events[TEN];
    struct several wait;
};

static void
make_ten(struct ten *ten, const char *name, mmf_event_mode mode)
{
    static const char *const suffixes[TEN] = {" 0", " 1", " 2", " 3", " 4",
                                              " 5", " 6", " 7", " 8", " 9"};

    for (int i = 0; i < TEN; i++) {
        const char *own = with_suffix(name, suffixes[i]);

        ten->events[i] =
            mode == MMF_EVENT_AUTO_RESET ? auto_event(own, 0) : manual_event(own, 0);
        ten->wait.objects[i] = W(ten->events[i]);
    }
    ten->wait.count = TEN;
    ten->wait.timeout_ms = MMF_INFINITE;
}

static void
close_ten(struct ten *ten)
{
    for (int i = 0; i < TEN; i++)
        mmf_event_close(ten->events[i]);
}

/* EV-23 and EV-36: the wait is over with the last one, not before. */
static void
wait_for_all_ten(const char *name, mmf_event_mode mode)
{
    struct worker *worker = worker_start();
    struct ten ten;

    make_ten(&ten, name, mode);
    worker_begin(worker, job_wait_all, &ten.wait);
    for (int i = 0; i < TEN; i++) {
        worker_await_sleep(worker);
        CHECK(worker_is_busy(worker));
        set(ten.events[i]);
    }
    CHECK_INT(worker_result(worker), MMF_OK);
    CHECK_STATUS(mmf_wait_all(ten.wait.objects, TEN, 0),
                 mode == MMF_EVENT_AUTO_RESET ? MMF_TIMED_OUT : MMF_OK);
    close_ten(&ten);
    worker_end(worker);
}

/* EV-24 and EV-37. */
static void
wait_for_any_of_ten(const char *name, mmf_event_mode mode)
{
    struct worker *worker = worker_start();
    struct ten ten;
    int index = -7;

    make_ten(&ten, name, mode);
    worker_begin(worker, job_wait_any, &ten.wait);
    worker_await_sleep(worker);
    CHECK(worker_is_busy(worker));
    set(ten.events[5]);
    CHECK_INT(worker_result(worker), MMF_OK);
    CHECK_INT(ten.wait.index, 5);
    if (mode == MMF_EVENT_AUTO_RESET) {
        CHECK_STATUS(mmf_wait_any(ten.wait.objects, TEN, 0, &index), MMF_TIMED_OUT);
        CHECK_INT(index, -7);
    } else {
        CHECK_STATUS(mmf_wait_any(ten.wait.objects, TEN, 0, &index), MMF_OK);
        CHECK_INT(index, 5);
    }
    close_ten(&ten);
    worker_end(worker);
}

static void
auto_all_ten(const char *name)
{
    wait_for_all_ten(name, MMF_EVENT_AUTO_RESET);
}

static void
auto_any_of_ten(const char *name)
{
    wait_for_any_of_ten(name, MMF_EVENT_AUTO_RESET);
}

static void
manual_all_ten(const char *name)
{
    wait_for_all_ten(name, MMF_EVENT_MANUAL_RESET);
}

static void
manual_any_of_ten(const char *name)
{
    wait_for_any_of_ten(name, MMF_EVENT_MANUAL_RESET);
}

static void
ev_23_auto_wait_all(void **state)
{
    (void)state;
    for_each_name(auto_all_ten);
}

static void
ev_24_auto_wait_any(void **state)
{
    (void)state;
    for_each_name(auto_any_of_ten);
}

static void
ev_36_manual_wait_all(void **state)
{
    (void)state;
    for_each_name(manual_all_ten);
}

static void
ev_37_manual_wait_any(void **state)
{
    (void)state;
    for_each_name(manual_any_of_ten);
}

/*
 * Two threads.
 */

struct ping_pong {
    mmf_event *there, *back;
    mmf_event_mode mode;
    int rounds;
};

static int
answer_pings(void *argument)
{
    struct ping_pong *game = argument;

    for (int round = 0; round < game->rounds; round++) {
        is_set(game->there, LONG_MS);
        if (game->mode == MMF_EVENT_MANUAL_RESET)
            reset(game->there);
        set(game->back);
    }
    return MMF_OK;
}

static void
play(const char *name, mmf_event_mode mode)
{
    struct worker *worker = worker_start();
    struct ping_pong game = {.mode = mode, .rounds = 10};

    CHECK_OK(mmf_event_create_or_open(with_suffix(name, " there"), 0, mode, NULL, NULL,
                                      &game.there));
    CHECK_OK(mmf_event_create_or_open(with_suffix(name, " back"), 0, mode, NULL, NULL,
                                      &game.back));
    worker_begin(worker, answer_pings, &game);
    for (int round = 0; round < game.rounds; round++) {
        set(game.there);
        is_set(game.back, LONG_MS);
        if (mode == MMF_EVENT_MANUAL_RESET)
            reset(game.back);
    }
    CHECK_INT(worker_result(worker), MMF_OK);
    worker_end(worker);
    mmf_event_close(game.there);
    mmf_event_close(game.back);
}

static void
play_auto(const char *name)
{
    play(name, MMF_EVENT_AUTO_RESET);
}

static void
play_manual(const char *name)
{
    play(name, MMF_EVENT_MANUAL_RESET);
}

static void
ev_25_auto_ping_pong(void **state)
{
    (void)state;
    for_each_name(play_auto);
}

static void
ev_38_manual_ping_pong(void **state)
{
    (void)state;
    for_each_name(play_manual);
}

/*
 * ManualResetEvent.
 */

/* A disposed event is, in C, one of a fork's child. */
static void
use_dead_event(void *argument)
{
    mmf_event *event = argument;

    CHECK_FAILS(mmf_event_reset(event), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_event_set(event), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_event_wait(event, 0), MMF_E_DISPOSED);
    mmf_event_close(event);
}

static void
manual_states(const char *name)
{
    mmf_event *event = manual_event(name, 0);

    is_not_set(event, 0);
    if (host_forks())
        in_child(use_dead_event, event);
    is_not_set(event, 0);
    mmf_event_close(event);
    event = manual_event(name, 1);
    is_set(event, 0);
    mmf_event_close(event);
}

static void
ev_30_manual_initial_state_and_disposed(void **state)
{
    (void)state;
    for_each_name(manual_states);
}

static void
manual_sequence(const char *name)
{
    mmf_event *event = manual_event(name, 1);

    reset(event);
    is_not_set(event, 0);
    is_not_set(event, 0);
    reset(event);
    is_not_set(event, 0);
    set(event);
    is_set(event, 0);
    is_set(event, 0);
    set(event);
    is_set(event, 0);
    mmf_event_close(event);
}

static void
ev_31_manual_sequence(void **state)
{
    (void)state;
    for_each_name(manual_sequence);
}

static void
manual_infinite(const char *name)
{
    mmf_event *event = manual_event(name, 1);

    is_set(event, MMF_INFINITE);
    is_set(event, MMF_INFINITE);
    reset(event);
    is_not_set(event, SHORT_MS);
    mmf_event_close(event);
}

static void
ev_32_manual_infinite_wait(void **state)
{
    (void)state;
    for_each_name(manual_infinite);
}

/* Four manual events, those in `states` set. */
static void
make_four(const char *name, const int states[4], mmf_event *events[4],
          mmf_waitable *objects[4])
{
    static const char *const suffixes[] = {" 0", " 1", " 2", " 3"};

    for (int i = 0; i < 4; i++) {
        events[i] = manual_event(with_suffix(name, suffixes[i]), states[i]);
        objects[i] = W(events[i]);
    }
}

static void
check_four(mmf_event *events[4], const int states[4])
{
    for (int i = 0; i < 4; i++)
        CHECK_STATUS(mmf_event_wait(events[i], 0), states[i] ? MMF_OK : MMF_TIMED_OUT);
}

static void
close_four(mmf_event *events[4])
{
    for (int i = 0; i < 4; i++)
        mmf_event_close(events[i]);
}

static void
all_four_set(const char *name)
{
    static const int32_t timeouts[] = {0, LONG_MS, MMF_INFINITE};
    static const int states[4] = {1, 1, 1, 1};
    mmf_event *events[4];
    mmf_waitable *objects[4];

    make_four(name, states, events, objects);
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        int index = -7;

        CHECK_STATUS(mmf_wait_any(objects, 4, timeouts[i], &index), MMF_OK);
        CHECK_INT(index, 0);
        CHECK_STATUS(mmf_wait_all(objects, 4, timeouts[i]), MMF_OK);
        check_four(events, states);
    }
    close_four(events);
}

static void
ev_33_all_set(void **state)
{
    (void)state;
    for_each_name(all_four_set);
}

static void
two_of_four_set(const char *name)
{
    static const int states[4] = {0, 1, 1, 0};
    mmf_event *events[4];
    mmf_waitable *objects[4];
    int index = -7;

    make_four(name, states, events, objects);
    CHECK_STATUS(mmf_wait_any(objects, 4, 0, &index), MMF_OK);
    CHECK_INT(index, 1);
    CHECK_STATUS(mmf_wait_any(objects, 4, MMF_INFINITE, &index), MMF_OK);
    CHECK_INT(index, 1);
    CHECK_STATUS(mmf_wait_all(objects, 4, 0), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_wait_all(objects, 4, SHORT_MS), MMF_TIMED_OUT);
    check_four(events, states);
    close_four(events);
}

static void
ev_34_some_set(void **state)
{
    (void)state;
    for_each_name(two_of_four_set);
}

static void
none_of_four_set(const char *name)
{
    static const int states[4] = {0, 0, 0, 0};
    mmf_event *events[4];
    mmf_waitable *objects[4];
    int index = -7;

    make_four(name, states, events, objects);
    CHECK_STATUS(mmf_wait_any(objects, 4, 0, &index), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_wait_any(objects, 4, SHORT_MS, &index), MMF_TIMED_OUT);
    CHECK_INT(index, -7);
    CHECK_STATUS(mmf_wait_all(objects, 4, 0), MMF_TIMED_OUT);
    CHECK_STATUS(mmf_wait_all(objects, 4, SHORT_MS), MMF_TIMED_OUT);
    check_four(events, states);
    close_four(events);
}

static void
ev_35_none_set(void **state)
{
    (void)state;
    for_each_name(none_of_four_set);
}

/*
 * Rule 7.3.
 */

enum { WAITERS = 4 };

/* One set lets one waiter through, whichever; the others sleep on. */
static void
one_waiter_per_set(const char *name)
{
    mmf_event *event = auto_event(name, 0);
    struct worker *workers[WAITERS];
    int released = 0;

    for (int i = 0; i < WAITERS; i++) {
        workers[i] = worker_start();
        worker_begin(workers[i], job_wait_forever, W(event));
        worker_await_sleep(workers[i]);
    }
    for (int round = 1; round <= WAITERS; round++) {
        int64_t deadline = now_us() + LONG_MS * 1000;

        set(event);
        do {
            released = 0;
            for (int i = 0; i < WAITERS; i++)
                released += !worker_is_busy(workers[i]);
            CHECK(now_us() < deadline);
        } while (released < round);
        CHECK_INT(released, round);
        is_not_set(event, round == 1 ? SHORT_MS : 0);
    }
    for (int i = 0; i < WAITERS; i++) {
        CHECK_INT(worker_result(workers[i]), MMF_OK);
        worker_end(workers[i]);
    }
    mmf_event_close(event);
}

static void
rule_7_3_a_set_lets_one_waiter_through(void **state)
{
    (void)state;
    for_each_name(one_waiter_per_set);
}

/* One set of a manual event wakes all waiters, and lets later ones pass. */
static void
all_waiters_per_set(const char *name)
{
    mmf_event *event = manual_event(name, 0);
    struct worker *workers[WAITERS];

    for (int i = 0; i < WAITERS; i++) {
        workers[i] = worker_start();
        worker_begin(workers[i], job_wait_forever, W(event));
        worker_await_sleep(workers[i]);
    }
    set(event);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_INT(worker_result(workers[i]), MMF_OK);
        worker_end(workers[i]);
    }
    is_set(event, 0);
    mmf_event_close(event);
}

static void
rule_7_3_a_manual_set_lets_all_through(void **state)
{
    (void)state;
    for_each_name(all_waiters_per_set);
}

static void
count_of_sets(const char *name)
{
    mmf_event *event = auto_event(name, 0);

    for (int sets = 1; sets < 20; sets++) {
        for (int i = 0; i < sets; i++)
            set(event);
        is_set(event, 0);
        is_not_set(event, 0);
    }
    mmf_event_close(event);
}

static void
rule_7_3_two_sets_are_one_signal(void **state)
{
    (void)state;
    for_each_name(count_of_sets);
}

/* An event has no owner: the process that set it may die, and any may reset it. */
static void
rule_7_3_no_owner_and_no_abandonment(void **state)
{
    mmf_event *event = auto_event("Cat", 0);
    struct process *peer = peer_start();

    (void)state;
    peer_does(peer, "open event 0 Cat");
    peer_does(peer, "set 0");
    process_kill(peer);
    is_set(event, 0);
    is_not_set(event, SHORT_MS);
    /* One that took the signal takes it along. */
    set(event);
    peer = peer_start();
    peer_does(peer, "open event 0 Cat");
    peer_does(peer, "wait 0 0");
    process_kill(peer);
    is_not_set(event, SHORT_MS);
    mmf_event_close(event);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ev_01_initial_state),
        cmocka_unit_test(any_number_is_a_state),
        cmocka_unit_test(ev_03_names),
        cmocka_unit_test(ev_04_a_name_on_unix),
        cmocka_unit_test(ev_05_the_same_name_twice),
        cmocka_unit_test(ev_06_a_mutex_has_the_name),
        cmocka_unit_test(ev_07_auto_set_and_reset),
        cmocka_unit_test(ev_08_manual_set_and_reset),
        cmocka_unit_test(ev_09_open_existing),
        cmocka_unit_test(ev_09_in_two_processes),
        cmocka_unit_test(ev_10_opening_on_unix),
        cmocka_unit_test(ev_11_opening_without_a_name),
        cmocka_unit_test(ev_12_opening_what_is_not_there),
        cmocka_unit_test(ev_13_opening_a_mutex_s_name),
        cmocka_unit_test(ev_14_ping_pong_of_processes),
        cmocka_unit_test(ev_20_auto_initial_state),
        cmocka_unit_test(ev_21_auto_sequence),
        cmocka_unit_test(ev_23_auto_wait_all),
        cmocka_unit_test(ev_24_auto_wait_any),
        cmocka_unit_test(ev_25_auto_ping_pong),
        cmocka_unit_test(ev_30_manual_initial_state_and_disposed),
        cmocka_unit_test(ev_31_manual_sequence),
        cmocka_unit_test(ev_32_manual_infinite_wait),
        cmocka_unit_test(ev_33_all_set),
        cmocka_unit_test(ev_34_some_set),
        cmocka_unit_test(ev_35_none_set),
        cmocka_unit_test(ev_36_manual_wait_all),
        cmocka_unit_test(ev_37_manual_wait_any),
        cmocka_unit_test(ev_38_manual_ping_pong),
        cmocka_unit_test(rule_7_3_a_set_lets_one_waiter_through),
        cmocka_unit_test(rule_7_3_a_manual_set_lets_all_through),
        cmocka_unit_test(rule_7_3_two_sets_are_one_signal),
        cmocka_unit_test(rule_7_3_no_owner_and_no_abandonment),
    };

    return harness_main(argc, argv, "sync_event", tests, COUNT_OF(tests), roles);
}
