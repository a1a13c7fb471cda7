/*
 * poller_fault.c - making, filling, asking, emptying and closing a poller, while something
 * fails.
 */
#include "round.h"

#include <poll.h>

enum { SIZE = 8, COUNT = 4 };

/* What the header says of each. */
static const int create_statuses[] = {MMF_E_NO_MEMORY, MMF_E_IO, 0};
static const int add_statuses[] = {MMF_E_NO_SPACE, MMF_E_NO_MEMORY, MMF_E_ACCESS,
                                   MMF_E_IO, 0};
static const int ready_statuses[] = {MMF_E_NO_MEMORY, MMF_E_IO, 0};

/* Of one round, which has its own process. */
static mmf_poller *given;
static mmf_event *named, *unnamed;
static mmf_queue *queue;
static void *found[4];
static size_t count = 77;

static int
poller_is_readable(mmf_poller *poller)
{
    int fd;

    CHECK_OK(mmf_poller_fd(poller, &fd));
    return is_readable(fd, 0);
}

static void
expect(mmf_poller *poller, void *data)
{
    size_t some = 0;

    CHECK(poller_is_readable(poller));
    CHECK_OK(mmf_poller_ready(poller, found, 4, &some));
    CHECK_INT(some, data != NULL);
    CHECK(data == NULL || found[0] == data);
}

/* Asleep until a signal, then readable as long as there is one. */
static void
works(mmf_poller *poller, mmf_event *event)
{
    for (int i = 0; i < 3; i++) {
        for (int tries = 0; poller_is_readable(poller) && tries < 3; tries++)
            expect(poller, NULL);
        CHECK(!poller_is_readable(poller));
        CHECK_OK(mmf_event_set(event));
        expect(poller, event);
        expect(poller, event);
        CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    }
}

static void
make_objects(void)
{
    CHECK_OK(mmf_event_create_new("Cat", 0, MMF_EVENT_AUTO_RESET, NULL, &named));
    CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &unnamed));
    CHECK_OK(
        mmf_queue_create_new("Jobs", SIZE, COUNT, MMF_OVERFLOW_BLOCK, NULL, &queue));
}

static void
close_objects(void)
{
    mmf_event_close(named);
    mmf_event_close(unnamed);
    mmf_queue_close(queue);
}

STEP(make_poller, make_objects(); CHECK_OK(mmf_poller_create(&given)));

static void
make_full(void)
{
    make_poller();
    CHECK_OK(mmf_poller_add(given, mmf_event_waitable(named), named));
    CHECK_OK(mmf_poller_add(given, mmf_event_waitable(unnamed), unnamed));
    CHECK_OK(mmf_poller_add(given, mmf_queue_waitable(queue), queue));
}

static void
make_signalled(void)
{
    make_full();
    CHECK_OK(mmf_event_set(unnamed));
    CHECK_STATUS(mmf_queue_send(queue, "12345678", SIZE, 0, NULL), MMF_OK);
}

STEP(close_all, mmf_poller_close(given); close_objects());

/*
 * The calls.
 */

CALL(create, mmf_poller_create(&stage.poller));

static void
new_one_works(void)
{
    CHECK_OK(mmf_poller_add(stage.poller, mmf_event_waitable(named), named));
    works(stage.poller, named);
    CHECK_OK(mmf_poller_remove(stage.poller, mmf_event_waitable(named)));
}

CALL(add_named, mmf_poller_add(given, mmf_event_waitable(named), named));

static void
named_works(void)
{
    CHECK(poller_is_readable(given)); /* it might have been available before */
    works(given, named);
}

/* What failed is not in the poller. */
static void
is_not_added(void)
{
    CHECK_FAILS(mmf_poller_remove(given, mmf_event_waitable(named)), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_poller_remove(given, mmf_event_waitable(unnamed)), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_poller_remove(given, mmf_queue_waitable(queue)), MMF_E_NOT_FOUND);
}

/* The counter of an unnamed object stays until its handle is closed. */
static void
make_counter(void)
{
    int fd;

    make_poller();
    CHECK_OK(mmf_waitable_fd(mmf_event_waitable(unnamed), &fd));
}

static void
make_unnamed_again(void)
{
    mmf_event_close(unnamed);
    CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &unnamed));
}

static void
remove_and_make_again(void)
{
    CHECK_OK(mmf_poller_remove(given, mmf_event_waitable(unnamed)));
    make_unnamed_again();
}

STEP(is_not_added_but_counts, is_not_added(); make_unnamed_again());

CALL(add_unnamed, mmf_poller_add(given, mmf_event_waitable(unnamed), unnamed));
STEP(unnamed_works, CHECK(poller_is_readable(given)); works(given, unnamed));

CALL(add_queue, mmf_poller_add(given, mmf_queue_waitable(queue), queue));

static void
queue_works(void)
{
    uint64_t number = 1;
    size_t length;

    CHECK_STATUS(mmf_queue_send(queue, &number, SIZE, 0, NULL), MMF_OK);
    expect(given, queue);
    CHECK_STATUS(mmf_queue_receive(queue, &number, SIZE, 0, &length, NULL), MMF_OK);
}

CALL(ask, mmf_poller_ready(given, found, 4, &count));

/* Both are found, by this call or, as long as the poller is readable, by the next. */
static void
both_are_found(void)
{
    size_t some = count;

    for (int tries = 0; some < 2 && tries < 3; tries++) {
        CHECK(poller_is_readable(given));
        CHECK_OK(mmf_poller_ready(given, found, 4, &some));
    }
    CHECK_INT(some, 2);
    CHECK((found[0] == queue && found[1] == unnamed) ||
          (found[0] == unnamed && found[1] == queue));
    CHECK(poller_is_readable(given));
}

STEP(count_is_untouched, CHECK_INT(count, 77));

static int
remove_all(void)
{
    int rc = mmf_poller_remove(given, mmf_event_waitable(named));

    if (rc == MMF_OK)
        rc = mmf_poller_remove(given, mmf_event_waitable(unnamed));
    return rc == MMF_OK ? mmf_poller_remove(given, mmf_queue_waitable(queue)) : rc;
}

/* Whatever the system still says of them, they are not in the poller. */
static void
none_is_found(void)
{
    size_t some = 77;

    CHECK_OK(mmf_event_set(named));
    CHECK_OK(mmf_event_set(unnamed));
    CHECK_OK(mmf_poller_ready(given, found, 4, &some));
    CHECK_INT(some, 0);
    CHECK_OK(mmf_poller_add(given, mmf_event_waitable(named), named));
    expect(given, named);
}

static int
close_given(void)
{
    mmf_poller_close(given);
    given = NULL;
    return MMF_OK;
}

static struct scenario scenarios[] = {
    {"create", create, .arrange = make_objects, .inspect = new_one_works,
     .disarrange = close_objects, .documented = create_statuses},
    {"add_named", add_named, .arrange = make_poller, .inspect = named_works,
     .inspect_failure = is_not_added, .disarrange = close_all},
    {"add_unnamed", add_unnamed, .arrange = make_counter, .inspect = unnamed_works,
     .inspect_failure = is_not_added, .disarrange = close_all},
    {"add_unnamed_first", add_unnamed, .arrange = make_poller, .inspect = unnamed_works,
     .inspect_failure = is_not_added_but_counts, .clean = remove_and_make_again,
     .disarrange = close_all, .immune = " epoll_ctl timerfd_settime "},
    {"add_queue", add_queue, .arrange = make_poller, .inspect = queue_works,
     .inspect_failure = is_not_added, .disarrange = close_all},
    {"ready", ask, .arrange = make_signalled, .inspect = both_are_found,
     .inspect_failure = count_is_untouched, .disarrange = close_all,
     .documented = ready_statuses},
    {"remove", remove_all, .arrange = make_full, .inspect = none_is_found,
     .disarrange = close_all, .documented = round_no_statuses},
    {"close", close_given, .arrange = make_signalled, .disarrange = close_all,
     .documented = round_no_statuses},
};

SCENARIOS(add_statuses);
