/*
 * channel_fault.c - creating, opening, closing, looking at and polling channels, while
 * something fails.
 */
#include "round.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/page/control.h"

enum { SIZE = 8, COUNT = 4 };

/* Not those of opening: what is not there is made. */
static const int create_statuses[] = {
    MMF_E_NO_SPACE,       MMF_E_NO_MEMORY,     MMF_E_ACCESS,
    MMF_E_BUSY,           MMF_E_CORRUPT,       MMF_E_IO,
    MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG, 0};

/*
 * Creating. Where there is one already, it is opened.
 */

static int
make_queue(const char *name, mmf_role role, uint32_t flags, mmf_queue **out)
{
    return mmf_queue_create_or_open(name, SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                    CHANNEL_OPTIONS(.role = role, .flags = flags), NULL,
                                    out);
}

CALL(create_queue, make_queue("Cat", MMF_ROLE_BOTH, 0, &stage.queue));
CALL(create_single, make_queue("Cat", MMF_ROLE_BOTH, MMF_CHANNEL_SPSC, &stage.queue));

/* The umask takes bits that the mode wants: they are put back by another call. */
static int
create_global(void)
{
    mode_t mask = umask(0277);
    int rc;

    rc = mmf_queue_create_or_open("Global\\Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                  CHANNEL_OPTIONS(.role = MMF_ROLE_BOTH, .mode = 0660),
                                  NULL, &stage.queue);
    umask(mask);
    return rc;
}

/* Of 1 MiB and more the machine is asked first whether it has that much. */
CALL(create_large, mmf_queue_create_or_open("Cat", 1 << 16, 32, MMF_OVERFLOW_BLOCK,
                                            NULL, NULL, &stage.queue));
CALL(create_topic, mmf_topic_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                            NULL, NULL, &stage.topic));

/* Its slots are mapped apart, to read only. */
CALL(create_topic_to_subscribe,
     mmf_topic_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                              CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE), NULL,
                              &stage.topic));
CALL(create_latest, mmf_latest_create_or_open("Cat", SIZE, NULL, NULL, &stage.latest));

/*
 * The processes that have one already. What they have sent stays for the process that
 * opens it.
 */

static mmf_queue *their_queue;
static mmf_topic *their_topic;
static mmf_latest *their_latest;

static const uint64_t theirs = 4711; /* what they send */

static void
make_their_queue(void)
{
    CHECK_OK(make_queue("Cat", MMF_ROLE_BOTH, 0, &their_queue));
    send_number(their_queue, theirs);
}

static void
make_their_single(void)
{
    CHECK_OK(make_queue("Cat", MMF_ROLE_SEND, MMF_CHANNEL_SPSC, &their_queue));
    send_number(their_queue, theirs);
}

static void
make_their_topic(void)
{
    CHECK_OK(mmf_topic_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                      CHANNEL_OPTIONS(.role = MMF_ROLE_SEND), NULL,
                                      &their_topic));
}

static void
make_their_latest(void)
{
    CHECK_OK(mmf_latest_create_or_open("Cat", SIZE, NULL, NULL, &their_latest));
    send_number(their_latest, theirs);
}

static void
publish_there(void)
{
    CHECK_STATUS(mmf_topic_send(their_topic, &theirs, SIZE, LONG_MS, NULL), MMF_OK);
}

static void
close_theirs(void)
{
    mmf_queue_close(their_queue);
    mmf_topic_close(their_topic);
    mmf_latest_close(their_latest);
}

LIFE(hold_queue, make_their_queue, NULL, close_theirs);
LIFE(hold_single, make_their_single, NULL, close_theirs);

LIFE(hold_topic, make_their_topic, publish_there, close_theirs);

LIFE(hold_latest, make_their_latest, NULL, close_theirs);
STEP(leave_dead_queue, round_die_elsewhere(make_their_queue));

/* Both table entries of a living queue are a dead participant's, and so is the
 * message. */
static void
take_table_entries(void)
{
    mmf_message message;
    mmf_queue *queue;

    CHECK_OK(
        mmf_queue_open_existing("Cat", CHANNEL_OPTIONS(.role = MMF_ROLE_BOTH), &queue));
    CHECK_STATUS(mmf_queue_take(queue, 0, &message), MMF_OK);
}

STEP(hold_queue_of_the_dead, hold_queue(); round_die_elsewhere(take_table_entries));

/* The sizes of the holder's queue, which stand in its page, make no sense. */
static void
hold_damaged(void)
{
    uint8_t nonsense[32];
    struct stat status;
    int fd;

    hold_queue();
    memset(nonsense, 0xff, sizeof(nonsense));
    fd = open(round_file_of("Cat"), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    CHECK(pwrite(fd, nonsense, sizeof(nonsense),
                 status.st_size - MMF_CONTROL_SIZE +
                     (off_t)offsetof(struct mmf_control_shared, state)) ==
          (ssize_t)sizeof(nonsense));
    close(fd);
}

/*
 * Opening.
 */

CALL(open_queue, mmf_queue_open_existing("Cat", NULL, &stage.queue));
CALL(open_to_receive,
     mmf_queue_open_existing("Cat", CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE),
                             &stage.queue));
CALL(open_to_send,
     mmf_queue_open_existing("Cat", CHANNEL_OPTIONS(.role = MMF_ROLE_SEND),
                             &stage.queue));
CALL(open_to_subscribe,
     mmf_topic_open_existing("Cat", CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE),
                             &stage.topic));
CALL(open_latest,
     mmf_latest_open_existing("Cat", CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE),
                              &stage.latest));

/*
 * Is it good?
 */

static void
passes_messages(mmf_queue *queue)
{
    for (uint64_t number = 1; number <= COUNT + 1; number++) {
        send_number(queue, number);
        expect_at_once(queue, number);
    }
}

STEP(queue_works, passes_messages(stage.queue));

static void
large_queue_works(void)
{
    static uint8_t bytes[1 << 16];
    size_t length;

    for (int i = 0; i < 32; i++)
        CHECK_STATUS(mmf_queue_send(stage.queue, bytes, sizeof(bytes), 0, NULL),
                     MMF_OK);
    CHECK_STATUS(mmf_queue_receive(stage.queue, bytes, sizeof(bytes), 0, &length, NULL),
                 MMF_OK);
    CHECK_INT(length, sizeof(bytes));
}

STEP(hears_theirs, expect_number(stage.queue, theirs));
STEP(queue_is_theirs, hears_theirs(); passes_messages(stage.queue));

static void
sends_after_theirs(void)
{
    mmf_channel_stats stats;

    send_number(stage.queue, theirs);
    CHECK_OK(mmf_channel_stat("Cat", &stats));
    CHECK_INT(stats.depth, 2);
}

static void
topic_works(void)
{
    for (uint64_t number = 1; number <= COUNT + 1; number++) {
        send_number(stage.topic, number);
        expect_at_once(stage.topic, number);
    }
}

/* This handle only subscribes: another one publishes. */
static void
topic_is_heard(void)
{
    mmf_topic *publisher;

    CHECK_OK(mmf_topic_open_existing("Cat", CHANNEL_OPTIONS(.role = MMF_ROLE_SEND),
                                     &publisher));
    send_number(publisher, theirs);
    expect_at_once(stage.topic, theirs);
    mmf_topic_close(publisher);
}

STEP(topic_is_theirs, round_act_elsewhere(); expect_number(stage.topic, theirs));

static void
latest_works(void)
{
    send_number(stage.latest, theirs);
    expect_at_once(stage.latest, theirs);
}

STEP(latest_is_theirs, expect_at_once(stage.latest, theirs));

/*
 * Closing what was given.
 */

STEP(give_queue, CHECK_OK(make_queue("Cat", MMF_ROLE_BOTH, 0, &stage.given_queue)));

/* With a message in flight, a reservation, and a descriptor to poll. */
static void
use_queue(mmf_queue *queue)
{
    mmf_message message;
    void *bytes;
    int fd;

    CHECK_STATUS(mmf_queue_take(queue, 0, &message), MMF_OK);
    CHECK_STATUS(mmf_queue_reserve(queue, SIZE, 0, &bytes), MMF_OK);
    CHECK_OK(mmf_queue_fd(queue, &fd));
}

static void
give_used_queue(void)
{
    give_queue();
    send_number(stage.given_queue, theirs);
    use_queue(stage.given_queue);
}

static void
give_theirs(void)
{
    hold_queue();
    CHECK_OK(mmf_queue_open_existing("Cat", NULL, &stage.given_queue));
    use_queue(stage.given_queue);
}

static void
give_two(void)
{
    give_used_queue();
    CHECK_OK(mmf_queue_open_existing("Cat", NULL, &stage.kept_queue));
}

static void
give_topic_of_theirs(void)
{
    hold_topic();
    CHECK_OK(mmf_topic_open_existing("Cat", CHANNEL_OPTIONS(.role = MMF_ROLE_RECEIVE),
                                     &stage.given_topic));
}

STEP(give_latest,
     CHECK_OK(mmf_latest_create_or_open("Cat", SIZE, NULL, NULL, &stage.given_latest)));

/* What it had in flight is redelivered, marked, and its reservation is gone. */
static void
is_redelivered(mmf_queue *queue)
{
    mmf_message message = {.flags = 0};
    mmf_channel_stats stats;
    uint64_t got = 0;
    size_t length;

    CHECK_STATUS(mmf_queue_receive(queue, &got, SIZE, LONG_MS, &length, &message),
                 MMF_OK);
    CHECK_INT(got, theirs);
    CHECK_INT(message.flags, MMF_MESSAGE_REDELIVERED);
    expect_none(queue);
    passes_messages(queue);
    CHECK_OK(mmf_queue_stat(queue, &stats));
    CHECK_INT(stats.depth, 0);
}

STEP(kept_gets_it, is_redelivered(stage.kept_queue));

static void
others_get_it(void)
{
    mmf_queue *queue;

    CHECK_OK(mmf_queue_open_existing("Cat", NULL, &queue));
    is_redelivered(queue);
    mmf_queue_close(queue);
}

static void
their_topic_goes_on(void)
{
    for (int i = 0; i < 2 * COUNT; i++)
        round_act_elsewhere(); /* no subscriber is left that could hold it up */
}

/*
 * Looking, and polling.
 */

CALL(look, mmf_channel_stat("Cat", &stage.stats));

static void
counts_theirs(void)
{
    CHECK_INT(stage.stats.capacity, COUNT);
    CHECK_INT(stage.stats.sent, 1);
    CHECK_INT(stage.stats.depth, 1);
    CHECK_INT(stage.stats.senders, 1);
}

static void
is_a_topic(void)
{
    CHECK_INT(stage.stats.message_size, SIZE);
    CHECK_INT(stage.stats.senders, 1);
    CHECK_INT(stage.stats.receivers, 0);
}

CALL(list_all, mmf_list_create(0, &stage.list));

static void
lists_queue(void)
{
    const mmf_object_info *info = mmf_list_get(stage.list, 0);

    if (stage.says_less)
        return;
    CHECK_INT(mmf_list_count(stage.list), 1);
    CHECK_TEXT(info->name, "Cat");
    CHECK_INT(info->kind, MMF_KIND_QUEUE);
    CHECK_INT(info->status, MMF_OBJECT_IN_USE);
    if (info->channel != NULL) /* it may have failed to be looked at */
        CHECK_INT(info->channel->sent, 1);
}

CALL(ask_for_fd, mmf_queue_fd(stage.given_queue, &stage.poll_fd));

/* Readable at first, then quiet, then readable when there is a message. */
static void
is_readable_for_messages(void)
{
    int fd = stage.poll_fd;

    CHECK(is_readable(fd, 0));
    for (int i = 0; i < 3 && is_readable(fd, 0); i++)
        expect_none(stage.given_queue);
    CHECK(!is_readable(fd, 0));
    send_number(stage.given_queue, theirs);
    CHECK(is_readable(fd, 0));
    expect_at_once(stage.given_queue, theirs);
}

/* The watch goes with the handle, which the round counts before that. */
STEP(close_and_give_again, mmf_queue_close(stage.given_queue); give_queue());

static struct scenario scenarios[] = {
    {"create_queue", create_queue, .inspect = queue_works,
     .documented = create_statuses},
    {"create_single", create_single, .inspect = queue_works,
     .documented = create_statuses},
    {"create_topic", create_topic, .inspect = topic_works,
     .documented = create_statuses},
    {"create_topic_to_subscribe", create_topic_to_subscribe, .inspect = topic_is_heard,
     .documented = create_statuses},
    {"create_latest", create_latest, .inspect = latest_works,
     .documented = create_statuses},
    {"create_global", create_global, .inspect = queue_works,
     .documented = create_statuses},
    {"create_large", create_large, .inspect = large_queue_works, .host = HOST_CGROUP,
     .documented = create_statuses},
    {"create_without_tmpfile", create_queue, .inspect = queue_works,
     .host = HOST_NO_TMPFILE, .documented = create_statuses},
    {"create_over_dead", create_queue, .arrange = leave_dead_queue,
     .inspect = queue_works, .documented = create_statuses},
    {"create_theirs", create_queue, .arrange = hold_queue, .inspect = queue_is_theirs,
     .documented = create_statuses},
    {"create_full", create_queue, .host = HOST_FULL, .expected = MMF_E_NO_SPACE,
     .documented = create_statuses},
    {"create_full_of_dead", create_topic, .arrange = leave_dead_queue,
     .inspect = topic_works, .host = HOST_FULL_OF_DEAD,
     .immune = " unlink getdents open ", .or_else = MMF_E_NO_SPACE,
     .documented = create_statuses},
    {"create_another_kind", create_topic, .arrange = hold_queue,
     .expected = MMF_E_WRONG_KIND, .documented = create_statuses},
    {"open_queue", open_queue, .arrange = hold_queue, .inspect = queue_is_theirs},
    {"open_to_send", open_to_send, .arrange = hold_queue,
     .inspect = sends_after_theirs},
    {"open_single", open_to_receive, .arrange = hold_single, .inspect = hears_theirs},
    {"open_single_taken", open_to_send, .arrange = hold_single,
     .expected = MMF_E_SHARING},
    {"open_topic_to_subscribe", open_to_subscribe, .arrange = hold_topic,
     .inspect = topic_is_theirs},
    {"open_latest", open_latest, .arrange = hold_latest, .inspect = latest_is_theirs},
    {"open_again", open_queue, .arrange = give_queue, .inspect = queue_works},
    {"open_among_the_dead", open_queue, .arrange = hold_queue_of_the_dead,
     .inspect = queue_is_theirs},
    {"open_dead", open_queue, .arrange = leave_dead_queue, .expected = MMF_E_NOT_FOUND},
    {"open_absent", open_queue, .expected = MMF_E_NOT_FOUND},
    {"open_denied", open_queue, .arrange = hold_queue, .host = HOST_READ_ONLY,
     .expected = MMF_E_ACCESS},
    {"open_damaged", open_queue, .arrange = hold_damaged, .expected = MMF_E_CORRUPT},
    {"close_last", step_close_given, .arrange = give_used_queue,
     .inspect = step_is_gone},
    {"close_last_latest", step_close_given, .arrange = give_latest,
     .inspect = step_is_gone},
    {"close_one_of_two", step_close_given, .arrange = give_two,
     .inspect = kept_gets_it},
    {"close_not_last", step_close_given, .arrange = give_theirs,
     .inspect = others_get_it},
    {"close_subscriber", step_close_given, .arrange = give_topic_of_theirs,
     .inspect = their_topic_goes_on},
    {"stat_queue", look, .arrange = hold_queue, .inspect = counts_theirs},
    {"stat_topic", look, .arrange = hold_topic, .inspect = is_a_topic},
    {"stat_of_a_reader", look, .arrange = hold_queue, .inspect = counts_theirs,
     .host = HOST_READ_ONLY},
    {"stat_dead", look, .arrange = leave_dead_queue, .expected = MMF_E_NOT_FOUND},
    {"stat_damaged", look, .arrange = hold_damaged, .expected = MMF_E_CORRUPT},
    {"stat_map", look, .arrange = step_hold_elsewhere, .expected = MMF_E_WRONG_KIND},
    {"list_queue", list_all, .arrange = hold_queue, .inspect = lists_queue,
     .documented = round_list_statuses},
    {"poll_queue", ask_for_fd, .arrange = give_queue,
     .inspect = is_readable_for_messages, .clean = close_and_give_again,
     .documented = round_poll_statuses},
};

SCENARIOS(round_channel_statuses);
