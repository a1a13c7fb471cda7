/*
 * channel_users_test.c - channels that several users share, and what a user without
 * permission gets.
 *
 * Run as root: the others are children that have become 65534 or 65533.
 */
#include "children.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRANGER = 65534, OTHER = 65533, SIZE = 8, COUNT = 4, SOON_MS = 10000 };

/* The test's directory as /dev/shm is: every user may create in it, and only that. */
static int
share_directory(void **state)
{
    (void)state;
    if (getuid() != 0 || !may_change_user())
        harness_skip("another user is needed: run as root");
    return chmod(harness_dir(), 01777);
}

static mmf_channel_options
with_mode(uint32_t mode)
{
    mmf_channel_options options;

    mmf_channel_options_init(&options);
    options.mode = mode;
    return options;
}

static mmf_queue *
create_queue(uint32_t mode)
{
    mmf_channel_options options = with_mode(mode);
    mmf_queue *queue;
    int created = 0;

    CHECK_OK(mmf_queue_create_or_open("Global\\Jobs", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                      &options, &created, &queue));
    CHECK_INT(created, 1);
    return queue;
}

static mmf_topic *
create_topic(uint32_t mode)
{
    mmf_channel_options options = with_mode(mode);
    mmf_topic *topic;

    CHECK_OK(mmf_topic_create_or_open("Global\\News", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                      &options, NULL, &topic));
    return topic;
}

static mmf_latest *
create_latest(uint32_t mode)
{
    mmf_channel_options options = with_mode(mode);
    mmf_latest *latest;

    CHECK_OK(mmf_latest_create_or_open("Global\\Price", SIZE, &options, NULL, &latest));
    return latest;
}

static mmf_queue *
open_queue(void)
{
    mmf_queue *queue;

    CHECK_OK(mmf_queue_open_existing("Global\\Jobs", NULL, &queue));
    return queue;
}

static void
send_number(mmf_queue *queue, uint64_t number)
{
    CHECK_STATUS(mmf_queue_send(queue, &number, SIZE, SOON_MS, NULL), MMF_OK);
}

static void
expect_number(mmf_queue *queue, uint64_t number, uint32_t flags)
{
    mmf_message message = {.flags = 0};
    uint64_t got = 0;
    size_t length;

    CHECK_STATUS(mmf_queue_receive(queue, &got, SIZE, SOON_MS, &length, &message),
                 MMF_OK);
    CHECK_INT(got, number);
    CHECK_INT(message.flags, flags);
}

/* The last failure's message names the object's owner, and the object. */
static void
check_message(const char *owner, const char *name)
{
    if (strstr(mmf_last_message(), owner) == NULL ||
        strstr(mmf_last_message(), name) == NULL)
        CHECK_FAIL("the message is \"%s\", without \"%s\" or \"%s\"",
                   mmf_last_message(), owner, name);
}

/*
 * Every way to take part is refused, and nothing else happens.
 */
static void
check_closed(const char *owner)
{
    mmf_channel_options receive, send;
    mmf_queue *queue;
    mmf_topic *topic;
    mmf_latest *latest;

    receive = send = with_mode(0666); /* which is a creator's */
    receive.role = MMF_ROLE_RECEIVE;
    send.role = MMF_ROLE_SEND;
    CHECK_FAILS(mmf_queue_open_existing("Global\\Jobs", &receive, &queue),
                MMF_E_ACCESS);
    check_message(owner, "Jobs");
    CHECK_FAILS(mmf_queue_open_existing("Global\\Jobs", &send, &queue), MMF_E_ACCESS);
    check_message(owner, "Jobs");
    CHECK_FAILS(mmf_queue_create_or_open("Global\\Jobs", SIZE, COUNT,
                                         MMF_OVERFLOW_BLOCK, &send, NULL, &queue),
                MMF_E_ACCESS);
    check_message(owner, "Jobs");
    /* A subscriber writes its cursor, though no message. */
    CHECK_FAILS(mmf_topic_open_existing("Global\\News", &receive, &topic),
                MMF_E_ACCESS);
    check_message(owner, "News");
    CHECK_FAILS(mmf_topic_create_or_open("Global\\News", SIZE, COUNT,
                                         MMF_OVERFLOW_BLOCK, &receive, NULL, &topic),
                MMF_E_ACCESS);
    check_message(owner, "News");
    CHECK_FAILS(mmf_latest_open_existing("Global\\Price", &receive, &latest),
                MMF_E_ACCESS);
    check_message(owner, "Price");
    CHECK_FAILS(mmf_latest_create_or_open("Global\\Price", SIZE, &send, NULL, &latest),
                MMF_E_ACCESS);
    check_message(owner, "Price");
}

/* How many channels there are, and how many of them show their counters. */
static void
check_list(int all, int readable)
{
    mmf_list *list;
    int counted = 0;

    CHECK_OK(mmf_list_create(MMF_LIST_GLOBAL, &list));
    CHECK_INT(mmf_list_count(list), all);
    for (int i = 0; i < all; i++)
        counted += mmf_list_get(list, i)->channel != NULL;
    CHECK_INT(counted, readable);
    mmf_list_close(list);
}

static void
stat_in_vain(struct child *self, void *argument)
{
    static const char *const names[] = {"Global\\Jobs", "Global\\News",
                                        "Global\\Price"};
    mmf_channel_stats stats = {.senders = -7};

    (void)self;
    (void)argument;
    become_user(STRANGER);
    check_closed("root");
    for (int i = 0; i < 3; i++) {
        CHECK_FAILS(mmf_channel_stat(names[i], &stats), MMF_E_ACCESS);
        check_message("root", names[i] + 7);
    }
    CHECK_INT(stats.senders, -7);
    check_list(3, 0);
}

static mode_t
mode_of_only_file(void)
{
    struct stat status;

    CHECK(stat(only_file(), &status) == 0);
    return status.st_mode & 07777;
}

TEST_WITH(mode_0600_is_the_default, share_directory)
{
    mmf_queue *queue = create_queue(0);
    mmf_topic *topic;
    mmf_latest *latest;

    CHECK_INT(mode_of_only_file(), 0600);
    topic = create_topic(0);
    latest = create_latest(0);
    in_child(stat_in_vain, NULL);
    /* No participant has joined, and the channels go on working. */
    send_number(queue, 1);
    expect_number(queue, 1, 0);
    mmf_queue_close(queue);
    mmf_topic_close(topic);
    mmf_latest_close(latest);
}

/* A user with read permission gets the counters, and nothing else. */
static void
look(struct child *self, void *argument)
{
    mmf_channel_stats stats;

    (void)argument;
    become_user(STRANGER);
    check_closed("root");
    CHECK_OK(mmf_channel_stat("Global\\Jobs", &stats));
    CHECK_INT(stats.message_size, SIZE);
    CHECK_INT(stats.capacity, COUNT);
    CHECK_INT(stats.sent, 3);
    CHECK_INT(stats.received, 1);
    CHECK_INT(stats.depth, 2);
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 1);
    CHECK_INT(stats.overflow, MMF_OVERFLOW_BLOCK);
    CHECK_OK(mmf_channel_stat("Global\\News", &stats));
    CHECK_INT(stats.sent, 1);
    CHECK_INT(stats.depth, 1);
    CHECK_OK(mmf_channel_stat("Global\\Price", &stats));
    CHECK_INT(stats.sent, 1);
    check_list(3, 0); /* a list reads nothing that another user made */
    child_send(self, 'l');
    child_expect(self, 'g');
    CHECK_FAILS(mmf_channel_stat("Global\\Jobs", &stats), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_channel_stat("Global\\News", &stats), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_channel_stat("Global\\Price", &stats), MMF_E_NOT_FOUND);
}

TEST_WITH(mode_0644_lets_others_stat, share_directory)
{
    mmf_queue *queue = create_queue(0644);
    mmf_topic *topic;
    mmf_latest *latest;
    mmf_channel_stats stats;
    struct child child;

    CHECK_INT(mode_of_only_file(), 0644);
    topic = create_topic(0644);
    latest = create_latest(0644);
    for (uint64_t i = 0; i < 3; i++)
        send_number(queue, i);
    expect_number(queue, 0, 0);
    CHECK_STATUS(mmf_topic_send(topic, "12345678", SIZE, 0, NULL), MMF_OK);
    CHECK_OK(mmf_latest_send(latest, "12345678", SIZE, NULL));
    child_start(&child, look, NULL);
    child_expect(&child, 'l');
    CHECK_OK(mmf_queue_stat(queue, &stats));
    CHECK_INT(stats.receivers, 1); /* a reader of the counters is no participant */
    mmf_queue_close(queue);
    mmf_topic_close(topic);
    mmf_latest_close(latest);
    child_send(&child, 'g');
    child_finish(&child);
    CHECK_INT(count_files(NULL, 0), 0);
}

/* Takes one, has one in flight, and a reservation. */
static void
work(struct child *self, void *argument)
{
    mmf_message message;
    mmf_queue *queue;
    void *bytes;

    (void)argument;
    become_user(STRANGER);
    queue = open_queue();
    expect_number(queue, 1, 0);
    CHECK_STATUS(mmf_queue_take(queue, SOON_MS, &message), MMF_OK);
    CHECK_STATUS(mmf_queue_reserve(queue, SIZE, SOON_MS, &bytes), MMF_OK);
    child_send(self, 'w');
    for (;;)
        pause();
}

static void
serve_another_user(mmf_queue *queue)
{
    struct child child;

    CHECK_INT(mode_of_only_file(), 0666);
    send_number(queue, 1);
    send_number(queue, 2);
    child_start(&child, work, NULL);
    child_expect(&child, 'w');
    child_kill(&child);
    /* Another user's death is noticed as well, and its slots come back. */
    expect_number(queue, 2, MMF_MESSAGE_REDELIVERED);
    for (uint64_t lap = 0; lap < 2; lap++) {
        for (uint64_t i = 0; i < COUNT; i++)
            send_number(queue, i);
        for (uint64_t i = 0; i < COUNT; i++)
            expect_number(queue, i, 0);
    }
    mmf_queue_close(queue);
}

TEST_WITH(mode_0666_is_for_every_user, share_directory)
{
    serve_another_user(create_queue(0666));
}

/* all_users is the prefix and mode 0666 in one. */
TEST_WITH(all_users_is_for_every_user, share_directory)
{
    mmf_channel_options options = with_mode(0);
    mmf_queue *queue;

    options.all_users = 1;
    CHECK_OK(mmf_queue_create_new("Jobs", SIZE, COUNT, MMF_OVERFLOW_BLOCK, &options,
                                  &queue));
    serve_another_user(queue);
    CHECK_FAILS(mmf_queue_create_new("Local\\Jobs", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                     &options, &queue),
                MMF_E_INVALID);
}

/* The other way round: root makes it and dies, and another user goes on alone. */
static void
make_and_die(struct child *self, void *argument)
{
    mmf_queue *queue = create_queue(0666);
    mmf_message message;

    (void)argument;
    send_number(queue, 1);
    send_number(queue, 2);
    CHECK_STATUS(mmf_queue_take(queue, 0, &message), MMF_OK);
    child_send(self, 'm');
    for (;;)
        pause();
}

static void
inherit(struct child *self, void *argument)
{
    mmf_queue *queue;
    mmf_channel_stats stats;

    (void)argument;
    become_user(STRANGER);
    queue = open_queue();
    expect_number(queue, 2, 0);
    child_send(self, 'o');
    child_expect(self, 'd');
    expect_number(queue, 1, MMF_MESSAGE_REDELIVERED);
    CHECK_OK(mmf_queue_stat(queue, &stats));
    CHECK_INT(stats.senders, 1);
    CHECK_INT(stats.receivers, 1);
    for (uint64_t i = 0; i < 2 * COUNT; i++) {
        send_number(queue, i);
        expect_number(queue, i, 0);
    }
    mmf_queue_close(queue);
    CHECK_FAILS(mmf_queue_open_existing("Global\\Jobs", NULL, &queue), MMF_E_NOT_FOUND);
}

TEST_WITH(another_user_survives_the_creator, share_directory)
{
    struct child creator, heir;
    mmf_queue *queue;

    child_start(&creator, make_and_die, NULL);
    child_expect(&creator, 'm');
    child_start(&heir, inherit, NULL);
    child_expect(&heir, 'o');
    child_kill(&creator);
    child_send(&heir, 'd');
    child_finish(&heir);
    /* The heir might not remove root's file; root may. */
    queue = create_queue(0);
    mmf_queue_close(queue);
    CHECK_INT(count_files(NULL, 0), 0);
    harness_expect_dead();
}

static void
create_for_others(struct child *self, void *argument)
{
    mmf_queue *queue;

    (void)argument;
    become_user(STRANGER);
    queue = create_queue(0644);
    child_send(self, 'c');
    child_expect(self, 'e');
    mmf_queue_close(queue);
}

static void
be_refused_by_stranger(struct child *self, void *argument)
{
    mmf_channel_stats stats;
    mmf_queue *queue;

    (void)self;
    (void)argument;
    become_user(OTHER);
    CHECK_FAILS(mmf_queue_open_existing("Global\\Jobs", NULL, &queue), MMF_E_ACCESS);
    check_message("65534", "Jobs");
    CHECK_OK(mmf_channel_stat("Global\\Jobs", &stats));
}

TEST_WITH(an_unprivileged_creator_serves_root, share_directory)
{
    struct child stranger;
    mmf_queue *queue;

    child_start(&stranger, create_for_others, NULL);
    child_expect(&stranger, 'c');
    in_child(be_refused_by_stranger, NULL);
    queue = open_queue(); /* root may */
    send_number(queue, 1);
    expect_number(queue, 1, 0);
    child_send(&stranger, 'e');
    child_finish(&stranger);
    send_number(queue, 2);
    expect_number(queue, 2, 0);
    mmf_queue_close(queue);
    CHECK_INT(count_files(NULL, 0), 0);
}

static void
meet_a_dead_one(struct child *self, void *argument)
{
    mmf_channel_stats stats;
    mmf_queue *queue;

    (void)self;
    (void)argument;
    become_user(STRANGER);
    CHECK_FAILS(mmf_channel_stat("Global\\Jobs", &stats), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_queue_open_existing("Global\\Jobs", NULL, &queue), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_queue_create_or_open("Global\\Jobs", SIZE, COUNT,
                                         MMF_OVERFLOW_BLOCK, NULL, NULL, &queue),
                MMF_E_ACCESS);
    check_message("root", "Jobs");
}

TEST_WITH(a_dead_channel_of_another_user_is_reported, share_directory)
{
    struct child creator;
    mmf_queue *queue;

    child_start(&creator, make_and_die, NULL);
    child_expect(&creator, 'm');
    child_kill(&creator);
    in_child(meet_a_dead_one, NULL);
    queue = create_queue(0);
    mmf_queue_close(queue);
    harness_expect_dead();
}

/* What was open before stays open; only a watch, and its notification, ask again. */
static void
poll_without_permission(struct child *self, void *argument)
{
    mmf_poller *poller;
    mmf_queue *queue;
    mmf_event *event;

    (void)argument;
    become_user(STRANGER);
    queue = open_queue();
    CHECK_OK(mmf_event_open_existing("Global\\Stop", NULL, &event));
    CHECK_OK(mmf_poller_create(&poller));
    child_send(self, 'o');
    child_expect(self, 'g');
    CHECK_FAILS(mmf_poller_add(poller, mmf_queue_waitable(queue), queue), MMF_E_ACCESS);
    check_message("which notifies its pollers", "Jobs");
    CHECK_FAILS(mmf_poller_add(poller, mmf_event_waitable(event), event), MMF_E_IO);
    check_message("the file's mode has changed", "Stop");
    CHECK_FAILS(mmf_poller_remove(poller, mmf_queue_waitable(queue)), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_poller_remove(poller, mmf_event_waitable(event)), MMF_E_NOT_FOUND);
    expect_number(queue, 1, 0);
    CHECK_STATUS(mmf_event_wait(event, SOON_MS), MMF_OK);
    mmf_poller_close(poller);
    mmf_queue_close(queue);
    mmf_event_close(event);
}

TEST_WITH(a_poller_says_which_file_it_may_not_watch, share_directory)
{
    mmf_queue *queue = create_queue(0666);
    mmf_sync_options options = {.size = sizeof(options), .mode = 0666};
    struct child stranger;
    char jobs[512], stop[512];
    mmf_event *event;

    snprintf(jobs, sizeof(jobs), "%s", only_file());
    snprintf(stop, sizeof(stop), "%.*sStop", (int)(strlen(jobs) - strlen("Jobs")),
             jobs);
    CHECK_OK(mmf_event_create_new("Global\\Stop", 1, MMF_EVENT_AUTO_RESET, &options,
                                  &event));
    send_number(queue, 1);
    child_start(&stranger, poll_without_permission, NULL);
    child_expect(&stranger, 'o');
    CHECK(chmod(jobs, 0600) == 0 && chmod(stop, 0600) == 0);
    child_send(&stranger, 'g');
    child_finish(&stranger);
    mmf_queue_close(queue);
    mmf_event_close(event);
}

TEST_WITH(the_umask_does_not_matter, share_directory)
{
    static const uint32_t modes[] = {0600, 0640, 0606, 0666, 0777};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        mode_t mask = umask(0777);
        mmf_queue *queue = create_queue(modes[i]);

        umask(mask);
        CHECK_INT(mode_of_only_file(), modes[i]);
        mmf_queue_close(queue);
    }
}
