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

enum { SIZE = 8, COUNT = 4, SOON_MS = 120000 };

/* Not those of opening: what is not there is made. */
static const int create_statuses[] = {
    MMF_E_NO_SPACE,       MMF_E_NO_MEMORY,     MMF_E_ACCESS,
    MMF_E_BUSY,           MMF_E_CORRUPT,       MMF_E_IO,
    MMF_E_PATH_NOT_FOUND, MMF_E_PATH_TOO_LONG, 0};

static mmf_channel_options
options_for(mmf_role role, uint32_t flags)
{
    mmf_channel_options options;

    mmf_channel_options_init(&options);
    options.role = role;
    options.flags = flags;
    return options;
}

/*
 * Creating. Where there is one already, it is opened.
 */

static int
make_queue(const char *name, mmf_role role, uint32_t flags, mmf_queue **out)
{
    mmf_channel_options options = options_for(role, flags);

    return mmf_queue_create_or_open(name, SIZE, COUNT, MMF_OVERFLOW_BLOCK, &options,
                                    NULL, out);
}

static int
create_queue(struct stage *stage)
{
    return make_queue("Cat", MMF_ROLE_BOTH, 0, &stage->queue);
}

static int
create_single(struct stage *stage)
{
    return make_queue("Cat", MMF_ROLE_BOTH, MMF_CHANNEL_SPSC, &stage->queue);
}

/* The umask takes bits that the mode wants: they are put back by another call. */
static int
create_global(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_BOTH, 0);
    mode_t mask = umask(0277);
    int rc;

    options.mode = 0660;
    rc = mmf_queue_create_or_open("Global\\Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                  &options, NULL, &stage->queue);
    umask(mask);
    return rc;
}

/* Of 1 MiB and more the machine is asked first whether it has that much. */
static int
create_large(struct stage *stage)
{
    return mmf_queue_create_or_open("Cat", 1 << 16, 32, MMF_OVERFLOW_BLOCK, NULL, NULL,
                                    &stage->queue);
}

static int
create_topic(struct stage *stage)
{
    return mmf_topic_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK, NULL, NULL,
                                    &stage->topic);
}

/* Its slots are mapped apart, to read only. */
static int
create_topic_to_subscribe(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE, 0);

    return mmf_topic_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK, &options,
                                    NULL, &stage->topic);
}

static int
create_latest(struct stage *stage)
{
    return mmf_latest_create_or_open("Cat", SIZE, NULL, NULL, &stage->latest);
}

/*
 * The processes that have one already. What they have sent stays for the process that
 * opens it.
 */

static mmf_queue *their_queue;
static mmf_topic *their_topic;
static mmf_latest *their_latest;

static const uint64_t theirs = 4711;

static void
make_their_queue(void)
{
    CHECK_OK(make_queue("Cat", MMF_ROLE_BOTH, 0, &their_queue));
    CHECK_STATUS(mmf_queue_send(their_queue, &theirs, SIZE, 0, NULL), MMF_OK);
}

static void
make_their_single(void)
{
    CHECK_OK(make_queue("Cat", MMF_ROLE_SEND, MMF_CHANNEL_SPSC, &their_queue));
    CHECK_STATUS(mmf_queue_send(their_queue, &theirs, SIZE, 0, NULL), MMF_OK);
}

static void
make_their_topic(void)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);

    CHECK_OK(mmf_topic_create_or_open("Cat", SIZE, COUNT, MMF_OVERFLOW_BLOCK, &options,
                                      NULL, &their_topic));
}

static void
make_their_latest(void)
{
    CHECK_OK(mmf_latest_create_or_open("Cat", SIZE, NULL, NULL, &their_latest));
    CHECK_OK(mmf_latest_send(their_latest, &theirs, SIZE, NULL));
}

static void
publish_there(void)
{
    CHECK_STATUS(mmf_topic_send(their_topic, &theirs, SIZE, SOON_MS, NULL), MMF_OK);
}

static void
close_theirs(void)
{
    mmf_queue_close(their_queue);
    mmf_topic_close(their_topic);
    mmf_latest_close(their_latest);
}

static void
hold_queue(struct stage *stage)
{
    static const struct elsewhere life = {.begin = make_their_queue,
                                          .end = close_theirs};

    (void)stage;
    round_live_elsewhere(&life);
}

static void
hold_single(struct stage *stage)
{
    static const struct elsewhere life = {.begin = make_their_single,
                                          .end = close_theirs};

    (void)stage;
    round_live_elsewhere(&life);
}

static void
hold_topic(struct stage *stage)
{
    static const struct elsewhere life = {
        .begin = make_their_topic, .act = publish_there, .end = close_theirs};

    (void)stage;
    round_live_elsewhere(&life);
}

static void
hold_latest(struct stage *stage)
{
    static const struct elsewhere life = {.begin = make_their_latest,
                                          .end = close_theirs};

    (void)stage;
    round_live_elsewhere(&life);
}

static void
leave_dead_queue(struct stage *stage)
{
    (void)stage;
    round_die_elsewhere(make_their_queue);
}

/* Both table entries of a living queue are a dead participant's, and so is the
 * message. */
static void
take_table_entries(void)
{
    mmf_channel_options options = options_for(MMF_ROLE_BOTH, 0);
    mmf_message message;
    mmf_queue *queue;

    CHECK_OK(mmf_queue_open_existing("Cat", &options, &queue));
    CHECK_STATUS(mmf_queue_take(queue, 0, &message), MMF_OK);
}

static void
hold_queue_of_the_dead(struct stage *stage)
{
    hold_queue(stage);
    round_die_elsewhere(take_table_entries);
}

/* The sizes of the holder's queue, which stand in its page, make no sense. */
static void
hold_damaged(struct stage *stage)
{
    uint8_t nonsense[32];
    struct stat status;
    int fd;

    hold_queue(stage);
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

static int
open_queue(struct stage *stage)
{
    return mmf_queue_open_existing("Cat", NULL, &stage->queue);
}

static int
open_to_receive(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE, 0);

    return mmf_queue_open_existing("Cat", &options, &stage->queue);
}

static int
open_to_send(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);

    return mmf_queue_open_existing("Cat", &options, &stage->queue);
}

static int
open_to_subscribe(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE, 0);

    return mmf_topic_open_existing("Cat", &options, &stage->topic);
}

static int
open_latest(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE, 0);

    return mmf_latest_open_existing("Cat", &options, &stage->latest);
}

/*
 * Is it good?
 */

static void
passes_messages(mmf_queue *queue)
{
    for (uint64_t number = 1; number <= COUNT + 1; number++) {
        uint64_t got = 0;
        size_t length;

        CHECK_STATUS(mmf_queue_send(queue, &number, SIZE, 0, NULL), MMF_OK);
        CHECK_STATUS(mmf_queue_receive(queue, &got, SIZE, 0, &length, NULL), MMF_OK);
        CHECK_INT(got, number);
    }
}

static void
queue_works(struct stage *stage)
{
    passes_messages(stage->queue);
}

static void
large_queue_works(struct stage *stage)
{
    static uint8_t bytes[1 << 16];
    size_t length;

    for (int i = 0; i < 32; i++)
        CHECK_STATUS(mmf_queue_send(stage->queue, bytes, sizeof(bytes), 0, NULL),
                     MMF_OK);
    CHECK_STATUS(
        mmf_queue_receive(stage->queue, bytes, sizeof(bytes), 0, &length, NULL),
        MMF_OK);
    CHECK_INT(length, sizeof(bytes));
}

static void
hears_theirs(struct stage *stage)
{
    uint64_t got = 0;
    size_t length;

    CHECK_STATUS(mmf_queue_receive(stage->queue, &got, SIZE, SOON_MS, &length, NULL),
                 MMF_OK);
    CHECK_INT(got, theirs);
}

static void
queue_is_theirs(struct stage *stage)
{
    hears_theirs(stage);
    passes_messages(stage->queue);
}

static void
sends_after_theirs(struct stage *stage)
{
    mmf_channel_stats stats;

    CHECK_STATUS(mmf_queue_send(stage->queue, &theirs, SIZE, 0, NULL), MMF_OK);
    CHECK_OK(mmf_channel_stat("Cat", &stats));
    CHECK_INT(stats.depth, 2);
}

static void
topic_works(struct stage *stage)
{
    for (uint64_t number = 1; number <= COUNT + 1; number++) {
        uint64_t got = 0;
        size_t length;

        CHECK_STATUS(mmf_topic_send(stage->topic, &number, SIZE, 0, NULL), MMF_OK);
        CHECK_STATUS(mmf_topic_receive(stage->topic, &got, SIZE, 0, &length, NULL),
                     MMF_OK);
        CHECK_INT(got, number);
    }
}

/* This handle only subscribes: another one publishes. */
static void
topic_is_heard(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_SEND, 0);
    mmf_topic *publisher;
    uint64_t got = 0;
    size_t length;

    CHECK_OK(mmf_topic_open_existing("Cat", &options, &publisher));
    CHECK_STATUS(mmf_topic_send(publisher, &theirs, SIZE, 0, NULL), MMF_OK);
    CHECK_STATUS(mmf_topic_receive(stage->topic, &got, SIZE, 0, &length, NULL), MMF_OK);
    CHECK_INT(got, theirs);
    mmf_topic_close(publisher);
}

static void
topic_is_theirs(struct stage *stage)
{
    uint64_t got = 0;
    size_t length;

    round_act_elsewhere();
    CHECK_STATUS(mmf_topic_receive(stage->topic, &got, SIZE, SOON_MS, &length, NULL),
                 MMF_OK);
    CHECK_INT(got, theirs);
}

static void
latest_works(struct stage *stage)
{
    uint64_t got = 0, version;
    size_t length;

    CHECK_OK(mmf_latest_send(stage->latest, &theirs, SIZE, NULL));
    CHECK_OK(mmf_latest_receive(stage->latest, &got, SIZE, &length, &version));
    CHECK_INT(got, theirs);
}

static void
latest_is_theirs(struct stage *stage)
{
    uint64_t got = 0, version;
    size_t length;

    CHECK_OK(mmf_latest_receive(stage->latest, &got, SIZE, &length, &version));
    CHECK_INT(got, theirs);
}

/*
 * Closing what was given.
 */

static void
give_queue(struct stage *stage)
{
    CHECK_OK(make_queue("Cat", MMF_ROLE_BOTH, 0, &stage->given_queue));
}

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
give_used_queue(struct stage *stage)
{
    give_queue(stage);
    CHECK_STATUS(mmf_queue_send(stage->given_queue, &theirs, SIZE, 0, NULL), MMF_OK);
    use_queue(stage->given_queue);
}

static void
give_theirs(struct stage *stage)
{
    hold_queue(stage);
    CHECK_OK(mmf_queue_open_existing("Cat", NULL, &stage->given_queue));
    use_queue(stage->given_queue);
}

static void
give_two(struct stage *stage)
{
    give_used_queue(stage);
    CHECK_OK(mmf_queue_open_existing("Cat", NULL, &stage->kept_queue));
}

static void
give_topic_of_theirs(struct stage *stage)
{
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE, 0);

    hold_topic(stage);
    CHECK_OK(mmf_topic_open_existing("Cat", &options, &stage->given_topic));
}

static void
give_latest(struct stage *stage)
{
    CHECK_OK(mmf_latest_create_or_open("Cat", SIZE, NULL, NULL, &stage->given_latest));
}

static int
close_given(struct stage *stage)
{
    mmf_queue_close(stage->given_queue);
    mmf_topic_close(stage->given_topic);
    mmf_latest_close(stage->given_latest);
    stage->given_queue = NULL;
    stage->given_topic = NULL;
    stage->given_latest = NULL;
    return MMF_OK;
}

/* What it had in flight is redelivered, marked, and its reservation is gone. */
static void
is_redelivered(mmf_queue *queue)
{
    mmf_message message = {.flags = 0};
    mmf_channel_stats stats;
    uint64_t got = 0;
    size_t length;

    CHECK_STATUS(mmf_queue_receive(queue, &got, SIZE, SOON_MS, &length, &message),
                 MMF_OK);
    CHECK_INT(got, theirs);
    CHECK_INT(message.flags, MMF_MESSAGE_REDELIVERED);
    CHECK_STATUS(mmf_queue_receive(queue, &got, SIZE, 0, &length, NULL), MMF_TIMED_OUT);
    passes_messages(queue);
    CHECK_OK(mmf_queue_stat(queue, &stats));
    CHECK_INT(stats.depth, 0);
}

static void
kept_gets_it(struct stage *stage)
{
    is_redelivered(stage->kept_queue);
}

static void
others_get_it(struct stage *stage)
{
    mmf_queue *queue;

    (void)stage;
    CHECK_OK(mmf_queue_open_existing("Cat", NULL, &queue));
    is_redelivered(queue);
    mmf_queue_close(queue);
}

static void
their_topic_goes_on(struct stage *stage)
{
    for (int i = 0; i < 2 * COUNT; i++)
        round_act_elsewhere(); /* no subscriber is left that could hold it up */
    (void)stage;
}

static void
close_kept(struct stage *stage)
{
    mmf_queue_close(stage->kept_queue);
}

static void
close_queue(struct stage *stage)
{
    mmf_queue_close(stage->queue);
}

static void
close_topic(struct stage *stage)
{
    mmf_topic_close(stage->topic);
}

static void
close_latest(struct stage *stage)
{
    mmf_latest_close(stage->latest);
}

static void
close_what_was_given(struct stage *stage)
{
    close_given(stage);
}

/*
 * Looking, and polling.
 */

static int
look(struct stage *stage)
{
    return mmf_channel_stat("Cat", &stage->stats);
}

static void
counts_theirs(struct stage *stage)
{
    CHECK_INT(stage->stats.capacity, COUNT);
    CHECK_INT(stage->stats.sent, 1);
    CHECK_INT(stage->stats.depth, 1);
    CHECK_INT(stage->stats.senders, 1);
}

static void
is_a_topic(struct stage *stage)
{
    CHECK_INT(stage->stats.message_size, SIZE);
    CHECK_INT(stage->stats.senders, 1);
    CHECK_INT(stage->stats.receivers, 0);
}

static int
list_all(struct stage *stage)
{
    return mmf_list_create(0, &stage->list);
}

static void
lists_queue(struct stage *stage)
{
    const mmf_object_info *info = mmf_list_get(stage->list, 0);

    if (stage->says_less)
        return;
    CHECK_INT(mmf_list_count(stage->list), 1);
    CHECK_TEXT(info->name, "Cat");
    CHECK_INT(info->kind, MMF_KIND_QUEUE);
    CHECK_INT(info->status, MMF_OBJECT_IN_USE);
    if (info->channel != NULL) /* it may have failed to be looked at */
        CHECK_INT(info->channel->sent, 1);
}

static void
close_list(struct stage *stage)
{
    mmf_list_close(stage->list);
}

static int
ask_for_fd(struct stage *stage)
{
    return mmf_queue_fd(stage->given_queue, &stage->poll_fd);
}

static int
is_readable(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    return poll(&ready, 1, 0) == 1;
}

/* Readable at first, then quiet, then readable when there is a message. */
static void
is_readable_for_messages(struct stage *stage)
{
    int fd = stage->poll_fd;
    uint64_t got;
    size_t length;

    CHECK(is_readable(fd));
    for (int i = 0; i < 3 && is_readable(fd); i++)
        CHECK_STATUS(
            mmf_queue_receive(stage->given_queue, &got, SIZE, 0, &length, NULL),
            MMF_TIMED_OUT);
    CHECK(!is_readable(fd));
    CHECK_STATUS(mmf_queue_send(stage->given_queue, &theirs, SIZE, 0, NULL), MMF_OK);
    CHECK(is_readable(fd));
    CHECK_STATUS(mmf_queue_receive(stage->given_queue, &got, SIZE, 0, &length, NULL),
                 MMF_OK);
}

/* The watch goes with the handle, which the round counts before that. */
static void
close_and_give_again(struct stage *stage)
{
    mmf_queue_close(stage->given_queue);
    give_queue(stage);
}

static struct scenario scenarios[] = {
    {.name = "create_queue",
     .documented = create_statuses,
     .act = create_queue,
     .inspect = queue_works,
     .clean = close_queue},
    {.name = "create_single",
     .documented = create_statuses,
     .act = create_single,
     .inspect = queue_works,
     .clean = close_queue},
    {.name = "create_topic",
     .documented = create_statuses,
     .act = create_topic,
     .inspect = topic_works,
     .clean = close_topic},
    {.name = "create_topic_to_subscribe",
     .documented = create_statuses,
     .act = create_topic_to_subscribe,
     .inspect = topic_is_heard,
     .clean = close_topic},
    {.name = "create_latest",
     .documented = create_statuses,
     .act = create_latest,
     .inspect = latest_works,
     .clean = close_latest},
    {.name = "create_global",
     .documented = create_statuses,
     .act = create_global,
     .inspect = queue_works,
     .clean = close_queue},
    {.name = "create_large",
     .documented = create_statuses,
     .host = HOST_CGROUP,
     .act = create_large,
     .inspect = large_queue_works,
     .clean = close_queue},
    {.name = "create_without_tmpfile",
     .documented = create_statuses,
     .host = HOST_NO_TMPFILE,
     .act = create_queue,
     .inspect = queue_works,
     .clean = close_queue},
    {.name = "create_over_dead",
     .documented = create_statuses,
     .act = create_queue,
     .arrange = leave_dead_queue,
     .inspect = queue_works,
     .clean = close_queue},
    {.name = "create_theirs",
     .documented = create_statuses,
     .act = create_queue,
     .arrange = hold_queue,
     .inspect = queue_is_theirs,
     .clean = close_queue,
     .disarrange = step_close_elsewhere},
    {.name = "create_full",
     .documented = create_statuses,
     .host = HOST_FULL,
     .act = create_queue,
     .expected = MMF_E_NO_SPACE},
    {.name = "create_full_of_dead",
     .documented = create_statuses,
     .host = HOST_FULL_OF_DEAD,
     .immune = " unlink getdents open ",
     .act = create_topic,
     .or_else = MMF_E_NO_SPACE,
     .arrange = leave_dead_queue,
     .inspect = topic_works,
     .clean = close_topic},
    {.name = "create_another_kind",
     .documented = create_statuses,
     .act = create_topic,
     .expected = MMF_E_WRONG_KIND,
     .arrange = hold_queue,
     .disarrange = step_close_elsewhere},
    {.name = "open_queue",
     .act = open_queue,
     .arrange = hold_queue,
     .inspect = queue_is_theirs,
     .clean = close_queue,
     .disarrange = step_close_elsewhere},
    {.name = "open_to_send",
     .act = open_to_send,
     .arrange = hold_queue,
     .inspect = sends_after_theirs,
     .clean = close_queue,
     .disarrange = step_close_elsewhere},
    {.name = "open_single",
     .act = open_to_receive,
     .arrange = hold_single,
     .inspect = hears_theirs,
     .clean = close_queue,
     .disarrange = step_close_elsewhere},
    {.name = "open_single_taken",
     .act = open_to_send,
     .expected = MMF_E_SHARING,
     .arrange = hold_single,
     .disarrange = step_close_elsewhere},
    {.name = "open_topic_to_subscribe",
     .act = open_to_subscribe,
     .arrange = hold_topic,
     .inspect = topic_is_theirs,
     .clean = close_topic,
     .disarrange = step_close_elsewhere},
    {.name = "open_latest",
     .act = open_latest,
     .arrange = hold_latest,
     .inspect = latest_is_theirs,
     .clean = close_latest,
     .disarrange = step_close_elsewhere},
    {.name = "open_again",
     .act = open_queue,
     .arrange = give_queue,
     .inspect = queue_works,
     .clean = close_queue,
     .disarrange = close_what_was_given},
    {.name = "open_among_the_dead",
     .act = open_queue,
     .arrange = hold_queue_of_the_dead,
     .inspect = queue_is_theirs,
     .clean = close_queue,
     .disarrange = step_close_elsewhere},
    {.name = "open_dead",
     .act = open_queue,
     .expected = MMF_E_NOT_FOUND,
     .arrange = leave_dead_queue},
    {.name = "open_absent", .act = open_queue, .expected = MMF_E_NOT_FOUND},
    {.name = "open_denied",
     .host = HOST_READ_ONLY,
     .act = open_queue,
     .expected = MMF_E_ACCESS,
     .arrange = hold_queue,
     .disarrange = step_close_elsewhere},
    {.name = "open_damaged",
     .act = open_queue,
     .expected = MMF_E_CORRUPT,
     .arrange = hold_damaged,
     .disarrange = step_close_elsewhere},
    {.name = "close_last",
     .act = close_given,
     .arrange = give_used_queue,
     .inspect = step_is_gone},
    {.name = "close_last_latest",
     .act = close_given,
     .arrange = give_latest,
     .inspect = step_is_gone},
    {.name = "close_one_of_two",
     .act = close_given,
     .arrange = give_two,
     .inspect = kept_gets_it,
     .disarrange = close_kept},
    {.name = "close_not_last",
     .act = close_given,
     .arrange = give_theirs,
     .inspect = others_get_it,
     .disarrange = step_close_elsewhere},
    {.name = "close_subscriber",
     .act = close_given,
     .arrange = give_topic_of_theirs,
     .inspect = their_topic_goes_on,
     .disarrange = step_close_elsewhere},
    {.name = "stat_queue",
     .act = look,
     .arrange = hold_queue,
     .inspect = counts_theirs,
     .disarrange = step_close_elsewhere},
    {.name = "stat_topic",
     .act = look,
     .arrange = hold_topic,
     .inspect = is_a_topic,
     .disarrange = step_close_elsewhere},
    {.name = "stat_of_a_reader",
     .host = HOST_READ_ONLY,
     .act = look,
     .arrange = hold_queue,
     .inspect = counts_theirs,
     .disarrange = step_close_elsewhere},
    {.name = "stat_dead",
     .act = look,
     .expected = MMF_E_NOT_FOUND,
     .arrange = leave_dead_queue},
    {.name = "stat_damaged",
     .act = look,
     .expected = MMF_E_CORRUPT,
     .arrange = hold_damaged,
     .disarrange = step_close_elsewhere},
    {.name = "stat_map",
     .act = look,
     .expected = MMF_E_WRONG_KIND,
     .arrange = step_hold_elsewhere,
     .disarrange = step_close_elsewhere},
    {.name = "list_queue",
     .documented = round_list_statuses,
     .act = list_all,
     .arrange = hold_queue,
     .inspect = lists_queue,
     .clean = close_list,
     .disarrange = step_close_elsewhere},
    {.name = "poll_queue",
     .documented = round_poll_statuses,
     .act = ask_for_fd,
     .arrange = give_queue,
     .inspect = is_readable_for_messages,
     .clean = close_and_give_again,
     .disarrange = close_what_was_given},
};

int
main(int argc, char **argv)
{
    enum { COUNT_OF_ALL = sizeof(scenarios) / sizeof(scenarios[0]) };

    return harness_main(
        argc, argv, "fault_channel",
        round_make_tests(scenarios, COUNT_OF_ALL, round_channel_statuses), COUNT_OF_ALL,
        NULL);
}
