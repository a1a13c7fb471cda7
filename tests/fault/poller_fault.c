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
is_readable(mmf_poller *poller)
{
    struct pollfd ready = {.events = POLLIN};

    CHECK_OK(mmf_poller_fd(poller, &ready.fd));
    return poll(&ready, 1, 0) == 1;
}

static void
expect(mmf_poller *poller, void *data)
{
    size_t some = 0;

    CHECK(is_readable(poller));
    CHECK_OK(mmf_poller_ready(poller, found, 4, &some));
    CHECK_INT(some, data != NULL);
    CHECK(data == NULL || found[0] == data);
}

/* Asleep until a signal, then readable as long as there is one. */
static void
works(mmf_poller *poller, mmf_event *event)
{
    for (int i = 0; i < 3; i++) {
        for (int tries = 0; is_readable(poller) && tries < 3; tries++)
            expect(poller, NULL);
        CHECK(!is_readable(poller));
        CHECK_OK(mmf_event_set(event));
        expect(poller, event);
        expect(poller, event);
        CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    }
}

static void
make_objects(struct stage *stage)
{
    (void)stage;
    CHECK_OK(mmf_event_create_new("Cat", 0, MMF_EVENT_AUTO_RESET, NULL, &named));
    CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &unnamed));
    CHECK_OK(
        mmf_queue_create_new("Jobs", SIZE, COUNT, MMF_OVERFLOW_BLOCK, NULL, &queue));
}

static void
close_objects(struct stage *stage)
{
    (void)stage;
    mmf_event_close(named);
    mmf_event_close(unnamed);
    mmf_queue_close(queue);
}

static void
make_poller(struct stage *stage)
{
    make_objects(stage);
    CHECK_OK(mmf_poller_create(&given));
}

static void
make_full(struct stage *stage)
{
    make_poller(stage);
    CHECK_OK(mmf_poller_add(given, mmf_event_waitable(named), named));
    CHECK_OK(mmf_poller_add(given, mmf_event_waitable(unnamed), unnamed));
    CHECK_OK(mmf_poller_add(given, mmf_queue_waitable(queue), queue));
}

static void
make_signalled(struct stage *stage)
{
    make_full(stage);
    CHECK_OK(mmf_event_set(unnamed));
    CHECK_STATUS(mmf_queue_send(queue, "12345678", SIZE, 0, NULL), MMF_OK);
}

static void
close_all(struct stage *stage)
{
    mmf_poller_close(given);
    close_objects(stage);
}

/*
 * The calls.
 */

static int
create(struct stage *stage)
{
    return mmf_poller_create(&stage->poller);
}

static void
new_one_works(struct stage *stage)
{
    CHECK_OK(mmf_poller_add(stage->poller, mmf_event_waitable(named), named));
    works(stage->poller, named);
    CHECK_OK(mmf_poller_remove(stage->poller, mmf_event_waitable(named)));
}

static void
close_new_one(struct stage *stage)
{
    mmf_poller_close(stage->poller);
}

static int
add_named(struct stage *stage)
{
    (void)stage;
    return mmf_poller_add(given, mmf_event_waitable(named), named);
}

static void
named_works(struct stage *stage)
{
    (void)stage;
    CHECK(is_readable(given)); /* it might have been available before */
    works(given, named);
}

/* What failed is not in the poller. */
static void
is_not_added(struct stage *stage)
{
    (void)stage;
    CHECK_FAILS(mmf_poller_remove(given, mmf_event_waitable(named)), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_poller_remove(given, mmf_event_waitable(unnamed)), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_poller_remove(given, mmf_queue_waitable(queue)), MMF_E_NOT_FOUND);
}

/* The counter of an unnamed object stays until its handle is closed. */
static void
make_counter(struct stage *stage)
{
    int fd;

    make_poller(stage);
    CHECK_OK(mmf_waitable_fd(mmf_event_waitable(unnamed), &fd));
}

static void
make_unnamed_again(struct stage *stage)
{
    (void)stage;
    mmf_event_close(unnamed);
    CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &unnamed));
}

static void
remove_and_make_again(struct stage *stage)
{
    CHECK_OK(mmf_poller_remove(given, mmf_event_waitable(unnamed)));
    make_unnamed_again(stage);
}

static void
is_not_added_but_counts(struct stage *stage)
{
    is_not_added(stage);
    make_unnamed_again(stage);
}

static int
add_unnamed(struct stage *stage)
{
    (void)stage;
    return mmf_poller_add(given, mmf_event_waitable(unnamed), unnamed);
}

static void
unnamed_works(struct stage *stage)
{
    (void)stage;
    CHECK(is_readable(given));
    works(given, unnamed);
}

static int
add_queue(struct stage *stage)
{
    (void)stage;
    return mmf_poller_add(given, mmf_queue_waitable(queue), queue);
}

static void
queue_works(struct stage *stage)
{
    uint64_t number = 1;
    size_t length;

    (void)stage;
    CHECK_STATUS(mmf_queue_send(queue, &number, SIZE, 0, NULL), MMF_OK);
    expect(given, queue);
    CHECK_STATUS(mmf_queue_receive(queue, &number, SIZE, 0, &length, NULL), MMF_OK);
}

static int
ask(struct stage *stage)
{
    (void)stage;
    return mmf_poller_ready(given, found, 4, &count);
}

/* Both are found, by this call or, as long as the poller is readable, by the next. */
static void
both_are_found(struct stage *stage)
{
    size_t some = count;

    (void)stage;
    for (int tries = 0; some < 2 && tries < 3; tries++) {
        CHECK(is_readable(given));
        CHECK_OK(mmf_poller_ready(given, found, 4, &some));
    }
    CHECK_INT(some, 2);
    CHECK((found[0] == queue && found[1] == unnamed) ||
          (found[0] == unnamed && found[1] == queue));
    CHECK(is_readable(given));
}

static void
count_is_untouched(struct stage *stage)
{
    (void)stage;
    CHECK_INT(count, 77);
}

static int
remove_all(struct stage *stage)
{
    int rc = mmf_poller_remove(given, mmf_event_waitable(named));

    (void)stage;
    if (rc == MMF_OK)
        rc = mmf_poller_remove(given, mmf_event_waitable(unnamed));
    return rc == MMF_OK ? mmf_poller_remove(given, mmf_queue_waitable(queue)) : rc;
}

/* Whatever the system still says of them, they are not in the poller. */
static void
none_is_found(struct stage *stage)
{
    size_t some = 77;

    (void)stage;
    CHECK_OK(mmf_event_set(named));
    CHECK_OK(mmf_event_set(unnamed));
    CHECK_OK(mmf_poller_ready(given, found, 4, &some));
    CHECK_INT(some, 0);
    CHECK_OK(mmf_poller_add(given, mmf_event_waitable(named), named));
    expect(given, named);
}

static int
close_given(struct stage *stage)
{
    (void)stage;
    mmf_poller_close(given);
    given = NULL;
    return MMF_OK;
}

static struct scenario scenarios[] = {
    {.name = "create",
     .documented = create_statuses,
     .arrange = make_objects,
     .act = create,
     .inspect = new_one_works,
     .clean = close_new_one,
     .disarrange = close_objects},
    {.name = "add_named",
     .arrange = make_poller,
     .act = add_named,
     .inspect = named_works,
     .inspect_failure = is_not_added,
     .disarrange = close_all},
    {.name = "add_unnamed",
     .arrange = make_counter,
     .act = add_unnamed,
     .inspect = unnamed_works,
     .inspect_failure = is_not_added,
     .disarrange = close_all},
    {.name = "add_unnamed_first",
     .immune = " epoll_ctl timerfd_settime ",
     .arrange = make_poller,
     .act = add_unnamed,
     .inspect = unnamed_works,
     .clean = remove_and_make_again,
     .inspect_failure = is_not_added_but_counts,
     .disarrange = close_all},
    {.name = "add_queue",
     .arrange = make_poller,
     .act = add_queue,
     .inspect = queue_works,
     .inspect_failure = is_not_added,
     .disarrange = close_all},
    {.name = "ready",
     .documented = ready_statuses,
     .arrange = make_signalled,
     .act = ask,
     .inspect = both_are_found,
     .inspect_failure = count_is_untouched,
     .disarrange = close_all},
    {.name = "remove",
     .documented = round_no_statuses,
     .arrange = make_full,
     .act = remove_all,
     .inspect = none_is_found,
     .disarrange = close_all},
    {.name = "close",
     .documented = round_no_statuses,
     .arrange = make_signalled,
     .act = close_given,
     .disarrange = close_all},
};

int
main(int argc, char **argv)
{
    enum { COUNT_OF_ALL = sizeof(scenarios) / sizeof(scenarios[0]) };

    return harness_main(argc, argv, "fault_poller",
                        round_make_tests(scenarios, COUNT_OF_ALL, add_statuses),
                        COUNT_OF_ALL, NULL);
}
