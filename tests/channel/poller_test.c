/*
 * poller_test.c - one descriptor for many objects and channels; words that are damaged while
 * a process waits for both.
 */
#include "support.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static mmf_poller *
new_poller(int *fd)
{
    mmf_poller *poller;

    CHECK_OK(mmf_poller_create(&poller));
    CHECK_OK(mmf_poller_fd(poller, fd));
    return poller;
}

/* As an event loop: the poller must answer with `data`, and no other. */
static void
expect_ready(mmf_poller *poller, int fd, void *data)
{
    void *found[4];
    size_t count;

    do {
        CHECK(is_readable(fd, LONG_MS));
        CHECK_OK(mmf_poller_ready(poller, found, 4, &count));
    } while (count == 0);
    CHECK_INT(count, 1);
    CHECK(found[0] == data);
}

/* Nothing is available: the descriptor becomes quiet. */
static void
expect_quiet(mmf_poller *poller, int fd)
{
    int64_t deadline = now_us() + LONG_MS * INT64_C(1000);
    void *found[4];
    size_t count;

    while (is_readable(fd, 10) && now_us() < deadline) {
        CHECK_OK(mmf_poller_ready(poller, found, 4, &count));
        CHECK_INT(count, 0);
    }
    CHECK(now_us() < deadline);
}

enum { MANY = 400 };

TEST(four_hundred_named_events_have_one_descriptor)
{
    static mmf_event *events[MANY];
    mmf_poller *poller;
    int fd;

    poller = new_poller(&fd);
    for (int i = 0; i < MANY; i++) {
        char name[32];

        snprintf(name, sizeof(name), "Event %d", i);
        CHECK_OK(mmf_event_create_new(name, 0, MMF_EVENT_AUTO_RESET, NULL, &events[i]));
        CHECK_OK(mmf_poller_add(poller, mmf_event_waitable(events[i]), &events[i]));
    }
    expect_quiet(poller, fd);
    for (int i = 0; i < MANY; i += 37) {
        CHECK_OK(mmf_event_set(events[i]));
        expect_ready(poller, fd, &events[i]);
        expect_ready(poller, fd, &events[i]); /* as long as it is available */
        CHECK_OK(mmf_event_wait(events[i], 0));
        expect_quiet(poller, fd);
    }
    mmf_poller_close(poller);
    for (int i = 0; i < MANY; i++)
        mmf_event_close(events[i]);
}

TEST(unnamed_objects_and_channels_are_beside_each_other)
{
    mmf_semaphore *semaphore;
    mmf_queue *receiver = new_receiver(0, 8, 8);
    mmf_queue *sender = open_queue(MMF_ROLE_SEND, 0);
    mmf_poller *poller, *other;
    int fd, other_fd;

    poller = new_poller(&fd);
    other = new_poller(&other_fd);
    CHECK_OK(mmf_semaphore_create_new(NULL, 2, 9, NULL, &semaphore));
    CHECK_OK(mmf_poller_add(poller, mmf_semaphore_waitable(semaphore), semaphore));
    CHECK_OK(mmf_poller_add(other, mmf_semaphore_waitable(semaphore), semaphore));
    CHECK_OK(mmf_poller_add(poller, mmf_queue_waitable(receiver), receiver));
    for (int i = 0; i < 2; i++) { /* what was available before */
        expect_ready(poller, fd, semaphore);
        expect_ready(other, other_fd, semaphore);
        CHECK_OK(mmf_semaphore_wait(semaphore, 0));
    }
    for (uint64_t i = 0; i < 20; i++) {
        expect_quiet(poller, fd);
        expect_quiet(other, other_fd);
        send_number(sender, i);
        expect_ready(poller, fd, receiver);
        expect_number(receiver, i);
        expect_quiet(poller, fd);
        CHECK_OK(mmf_semaphore_release(semaphore, 1, NULL));
        expect_ready(poller, fd, semaphore);
        expect_ready(other, other_fd, semaphore);
        CHECK_OK(mmf_semaphore_wait(semaphore, 0));
    }
    CHECK_OK(mmf_poller_remove(poller, mmf_queue_waitable(receiver)));
    send_number(sender, 1);
    expect_quiet(poller, fd);
    CHECK_OK(mmf_poller_add(poller, mmf_queue_waitable(receiver), receiver));
    expect_ready(poller, fd, receiver);
    mmf_poller_close(poller);
    mmf_poller_close(other);
    mmf_semaphore_close(semaphore);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

TEST(little_room_goes_round)
{
    mmf_event *events[3];
    mmf_poller *poller;
    void *found[1];
    size_t count;
    int fd, seen = 0;

    poller = new_poller(&fd);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(
            mmf_event_create_new(NULL, 1, MMF_EVENT_MANUAL_RESET, NULL, &events[i]));
        CHECK_OK(mmf_poller_add(poller, mmf_event_waitable(events[i]), &events[i]));
    }
    for (int i = 0; i < 3; i++) {
        CHECK(is_readable(fd, LONG_MS));
        CHECK_OK(mmf_poller_ready(poller, found, 1, &count));
        CHECK_INT(count, 1);
        seen |= 1 << ((mmf_event **)found[0] - events);
    }
    CHECK_INT(seen, 7);
    mmf_poller_close(poller);
    for (int i = 0; i < 3; i++)
        mmf_event_close(events[i]);
}

TEST(deaths_are_told)
{
    mmf_queue *receiver = new_receiver(MMF_CHANNEL_PEER_CLOSED, 8, 8);
    mmf_poller *poller;
    uint64_t number, random = 3;
    size_t length;
    int fd;

    poller = new_poller(&fd);
    CHECK_OK(mmf_poller_add(poller, mmf_queue_waitable(receiver), receiver));
    for (uint64_t i = 0; i < 10; i++) {
        struct process *sender = peer_start();

        peer_does(sender, "open %u 0 0", MMF_ROLE_SEND);
        peer_does(sender, "send %d 0", (int)i);
        expect_ready(poller, fd, receiver);
        expect_number(receiver, i);
        nap_us((int64_t)(next_random(&random) % 10000));
        process_kill(sender);
        expect_ready(poller, fd, receiver);
        CHECK_STATUS(mmf_queue_receive(receiver, &number, 8, 0, &length, NULL),
                     MMF_E_PEER_CLOSED);
    }
    mmf_poller_close(poller);
    mmf_queue_close(receiver);
}

/* The system keeps so many events for a poller that does not ask; then it drops them. */
static long
most_events(void)
{
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    long most = 0;

    CHECK(file != NULL);
    CHECK_INT(fscanf(file, "%ld", &most), 1);
    fclose(file);
    return most;
}

TEST(what_the_system_has_dropped_is_found)
{
    mmf_event *last, *busy[2];
    mmf_poller *poller;
    int fd, is_found = 0;

    poller = new_poller(&fd);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(mmf_event_create_new(i == 0 ? "First" : "Second", 0,
                                      MMF_EVENT_AUTO_RESET, NULL, &busy[i]));
        CHECK_OK(mmf_poller_add(poller, mmf_event_waitable(busy[i]), busy[i]));
    }
    CHECK_OK(mmf_event_create_new("Last", 0, MMF_EVENT_AUTO_RESET, NULL, &last));
    CHECK_OK(mmf_poller_add(poller, mmf_event_waitable(last), last));
    expect_quiet(poller, fd);
    for (long i = most_events() + 1; i >= 0; i--) { /* equal ones in a row are one */
        CHECK_OK(mmf_event_set(busy[i % 2]));
        CHECK_STATUS(mmf_event_wait(busy[i % 2], 0), MMF_OK);
    }
    CHECK_OK(mmf_event_set(last));
    while (!is_found) {
        void *found[4];
        size_t count;

        CHECK(is_readable(fd, LONG_MS));
        CHECK_OK(mmf_poller_ready(poller, found, 4, &count));
        is_found = count > 0 && found[0] == last;
    }
    CHECK_STATUS(mmf_event_wait(last, 0), MMF_OK);
    expect_quiet(poller, fd);
    mmf_poller_close(poller);
    mmf_event_close(last);
    for (int i = 0; i < 2; i++)
        mmf_event_close(busy[i]);
}

/* Its owner is a child, which is killed before and after the mutex was added. */
static void
own_mutex(void *unused)
{
    mmf_mutex *mutex;

    (void)unused;
    CHECK_OK(mmf_mutex_open_existing("M", NULL, &mutex));
    CHECK_STATUS(mmf_mutex_wait(mutex, LONG_MS), MMF_OK);
}

TEST(a_dead_owner_is_told)
{
    for (int i = 0; i < 10; i++) {
        mmf_mutex *mutex;
        mmf_poller *poller;
        pid_t owner;
        int fd;

        CHECK_OK(mmf_mutex_create_new("M", 0, NULL, &mutex));
        owner = fork_until_killed(own_mutex, NULL, NULL);
        poller = new_poller(&fd);
        if (i % 2 == 1) {
            CHECK_OK(mmf_poller_add(poller, mmf_mutex_waitable(mutex), mutex));
            expect_quiet(poller, fd);
        }
        kill(owner, SIGKILL);
        CHECK_INT(waitpid(owner, NULL, 0), owner);
        if (i % 2 == 0)
            CHECK_OK(mmf_poller_add(poller, mmf_mutex_waitable(mutex), mutex));
        expect_ready(poller, fd, mutex);
        CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_ABANDONED);
        CHECK_OK(mmf_mutex_release(mutex));
        mmf_poller_close(poller);
        mmf_mutex_close(mutex);
    }
}

TEST(mistakes_are_refused)
{
    mmf_event *event;
    mmf_queue *sender = new_sender(0, 8, 8);
    mmf_poller *poller;
    void *data;
    size_t count = 7;
    int fd, status;
    pid_t child;

    poller = new_poller(&fd);
    CHECK_OK(mmf_event_create_new(NULL, 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    CHECK_STATUS(mmf_poller_create(NULL), MMF_E_NULL);
    CHECK_STATUS(mmf_poller_add(NULL, mmf_event_waitable(event), NULL), MMF_E_NULL);
    CHECK_STATUS(mmf_poller_add(poller, NULL, NULL), MMF_E_NULL);
    CHECK_STATUS(mmf_poller_remove(poller, mmf_event_waitable(event)), MMF_E_NOT_FOUND);
    CHECK_OK(mmf_poller_add(poller, mmf_event_waitable(event), NULL));
    CHECK_STATUS(mmf_poller_add(poller, mmf_event_waitable(event), NULL), MMF_E_EXISTS);
    CHECK(strstr(mmf_last_message(), "has been added to this poller") != NULL);
    CHECK_STATUS(mmf_poller_add(poller, mmf_queue_waitable(sender), NULL),
                 MMF_E_NOT_SUPPORTED);
    CHECK_STATUS(mmf_poller_ready(poller, &data, 0, &count), MMF_E_RANGE);
    CHECK_STATUS(mmf_poller_ready(poller, NULL, 1, &count), MMF_E_NULL);
    CHECK_STATUS(mmf_poller_fd(poller, NULL), MMF_E_NULL);
    CHECK_INT(count, 7);
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(mmf_poller_ready(poller, &data, 1, &count) != MMF_E_DISPOSED);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    mmf_poller_close(NULL);
    mmf_poller_close(poller);
    mmf_event_close(event);
    mmf_queue_close(sender);
}

/*
 * Words that another process damages while a wait for an event and a topic sleeps.
 */

static void
expect_damage(mmf_topic *topic)
{
    size_t length = 77;
    char buffer[8];

    CHECK_FAILS(mmf_topic_receive(topic, buffer, 8, 100, &length, NULL), MMF_E_CORRUPT);
    CHECK_INT(length, 77);
}

/* It says for which of both it was woken. */
ROLE(waiter)
{
    mmf_topic *topic = join_topic(MMF_ROLE_RECEIVE);
    mmf_event *event;
    mmf_waitable *objects[2];
    int index = -1;

    CHECK_OK(mmf_event_open_existing("Stop", NULL, &event));
    objects[0] = mmf_event_waitable(event);
    objects[1] = mmf_topic_waitable(topic);
    role_say("ready");
    CHECK_STATUS(mmf_wait_any(objects, 2, LONG_MS, &index), MMF_OK);
    if (index == 1)
        expect_damage(topic);
    role_say("%d", index);
    mmf_topic_close(topic);
    mmf_event_close(event);
    return 0;
}

/* As docs/internals/layout.md says, for messages of 8 bytes. */
enum { TAIL = 0, DOORBELL = 384, SLOT_1 = 64, LENGTH = 48, WORD = 56, COMMITTED = 2 };

/* A message of more bytes than a slot has. */
static void
damage_message(void)
{
    overwrite("T", IN_SLOTS, SLOT_1 + LENGTH, &(uint32_t){9}, 4);
    overwrite("T", IN_SLOTS, SLOT_1 + WORD, &(uint64_t){1 << 16 | COMMITTED}, 8);
    overwrite("T", IN_RING, TAIL, &(uint64_t){2}, 8);
}

/* The damage ends the wait by itself; or else the event does, whatever the words say. */
static void
damage_under_a_waiter(void (*damage)(void), uint64_t words, const char *woken_for)
{
    struct process *waiter;
    mmf_topic *topic;
    mmf_event *event;

    CHECK_CONTEXT("words %llx", (unsigned long long)words);
    CHECK_OK(mmf_event_create_new("Stop", 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    CHECK_OK(mmf_topic_create_new(
        "T", 8, 4, MMF_OVERFLOW_BLOCK,
        CHANNEL_OPTIONS(.role = MMF_ROLE_SEND, .max_senders = 1, .max_receivers = 1),
        &topic));
    waiter = process_ready("waiter", " ");
    peer_await_sleep(waiter);
    if (damage != NULL) {
        damage();
    } else {
        overwrite("T", IN_RING, DOORBELL, &words, 8);
        CHECK_OK(mmf_event_set(event));
    }
    process_expect(waiter, woken_for);
    process_finish(waiter);
    mmf_topic_close(topic);
    mmf_event_close(event);
}

TEST(damage_ends_a_mixed_wait)
{
    damage_under_a_waiter(damage_message, 0, "1");
}

TEST(a_damaged_doorbell_keeps_no_mixed_wait)
{
    static const uint64_t words[] = {0, 1, 2, 0x7fffffff, UINT32_MAX, UINT64_MAX};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        damage_under_a_waiter(NULL, words[i], "0");
}

TEST(a_poller_says_that_a_channel_is_damaged)
{
    mmf_poller *poller;
    mmf_topic *sender, *topic;
    int fd;

    CHECK_OK(mmf_topic_create_new(
        "T", 8, 4, MMF_OVERFLOW_BLOCK,
        CHANNEL_OPTIONS(.role = MMF_ROLE_SEND, .max_senders = 1, .max_receivers = 1),
        &sender));
    topic = join_topic(MMF_ROLE_RECEIVE);
    poller = new_poller(&fd);
    CHECK_OK(mmf_poller_add(poller, mmf_topic_waitable(topic), topic));
    expect_quiet(poller, fd);
    CHECK_STATUS(mmf_topic_send(sender, "12345678", 8, 0, NULL), MMF_OK);
    damage_message();
    expect_ready(poller, fd, topic);
    expect_damage(topic);
    mmf_poller_close(poller);
    mmf_topic_close(topic);
    mmf_topic_close(sender);
}
