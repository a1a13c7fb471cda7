/*
 * fork_test.c - channels and forks: a child's handles are dead, and keep no participant alive.
 */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
in_child_all_is_dead(mmf_queue *queue)
{
    mmf_message message = {.sequence = 1};
    mmf_channel_stats stats;
    mmf_buffer buffer = {"x", 1};
    uint64_t position;
    size_t length;
    size_t count;
    void *bytes;
    char byte;
    int fd;

    CHECK_FAILS(mmf_queue_reserve(queue, 1, 0, &bytes), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_commit(queue, 1, NULL), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_commit_from(queue, 1, 1, 1, NULL), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_applied(queue, 1, &position), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_abandon(queue), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_send(queue, "x", 1, 0, NULL), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_send_many(queue, &buffer, 1, 0, &count), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_take(queue, 0, &message), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_take_many(queue, 1, 0, &message, &count), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_release(queue, &message), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_release_many(queue, &message, 1), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_receive(queue, &byte, 1, 0, &length, NULL), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_fd(queue, &fd), MMF_E_DISPOSED);
    CHECK_FAILS(mmf_queue_stat(queue, &stats), MMF_E_DISPOSED);
}

static void
forked(uint32_t flags)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, flags, 8, 8, MMF_OVERFLOW_BLOCK);
    mmf_message message;
    void *bytes;
    int status = -1;
    pid_t pid;

    send_number(queue, 1);
    send_number(queue, 2);
    message = take_number(queue, 1);
    CHECK_STATUS(mmf_queue_reserve(queue, 8, 0, &bytes), MMF_OK);
    pid = fork();
    if (pid == 0) {
        mmf_queue *own;
        mmf_channel_options options = options_for(MMF_ROLE_RECEIVE, 0);

        in_child_all_is_dead(queue);
        mmf_queue_close(queue);
        /* The parent is alive for it, and has its places. */
        if (flags == 0) {
            own = open_queue(MMF_ROLE_BOTH, 0);
            CHECK_INT(stats_of(own).senders, 2);
            expect_number(own, 2);
            expect_none(own);
            mmf_queue_close(own);
        } else {
            CHECK_FAILS(mmf_queue_open_existing("Q", &options, &own), MMF_E_SHARING);
        }
        _exit(0);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
    CHECK_STATUS(mmf_queue_release(queue, &message), MMF_OK);
    if (flags != 0)
        expect_number(queue, 2);
    memcpy(bytes, &(uint64_t){3}, 8);
    CHECK_STATUS(mmf_queue_commit(queue, 8, NULL), MMF_OK);
    expect_number(queue, 3);
    mmf_queue_close(queue);
}

static void
in_a_forked_child_a_queues_handle_is_dead(void **state)
{
    (void)state;
    for_each_kind(forked);
}

/* A child that keeps a copy of the mapping keeps no participant alive. */
static void
a_child_does_not_stand_for_its_parent(void **state)
{
    mmf_queue *receiver = new_receiver(0, 8, 1);
    struct process *parent = process_start("lender", NULL);
    char line[64];
    mmf_queue *sender;

    (void)state;
    CHECK(process_read_line(parent, line, sizeof(line)) != NULL);
    CHECK_INT(stats_of(receiver).senders, 1);
    kill(process_id(parent), SIGKILL);
    process_kill(parent);
    CHECK_INT(stats_of(receiver).senders, 0);
    sender = open_queue(MMF_ROLE_SEND, 0);
    CHECK_STATUS(mmf_queue_send(sender, "12345678", 8, LONG_MS, NULL), MMF_OK);
    expect_number(receiver, 0x3837363534333231u);
    kill((pid_t)strtol(line, NULL, 10), SIGKILL);
    mmf_queue_close(sender);
    mmf_queue_close(receiver);
}

/*
 * Reserves the one slot, and leaves a copy of the handle to a child, which it names when
 * that has come out of the fork, where it gives up its copy of the locks. The child
 * ends by itself should the test fail.
 */
static int
lend(int argc, char **argv)
{
    mmf_queue *queue = open_queue(MMF_ROLE_SEND, 0);
    int ready[2];
    void *bytes;
    char byte;
    pid_t pid;

    (void)argc;
    (void)argv;
    CHECK_STATUS(mmf_queue_reserve(queue, 8, 0, &bytes), MMF_OK);
    CHECK_INT(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        alarm(2 * (unsigned)harness_deadline_ms() / 1000);
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(ready[1]);
        for (;;)
            pause();
    }
    close(ready[1]);
    CHECK_INT(read(ready[0], &byte, 1), 0);
    role_say("%d", (int)pid);
    pause();
    return EXIT_FAILURE;
}

static void
a_topics_handle_is_dead_there(void **state)
{
    mmf_topic *topic;
    mmf_message message;
    uint64_t got = 0;
    size_t length;
    pid_t child;
    int status;

    (void)state;
    CHECK_OK(
        mmf_topic_create_or_open("T", 8, 4, MMF_OVERFLOW_BLOCK, NULL, NULL, &topic));
    CHECK_OK(mmf_topic_send(topic, &(uint64_t){1}, 8, 0, NULL));
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        mmf_channel_stats stats;
        void *bytes;
        int fd;

        CHECK_FAILS(mmf_topic_send(topic, "a", 1, 0, NULL), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_topic_reserve(topic, 1, 0, &bytes), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_topic_commit(topic, 1, NULL), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_topic_abandon(topic), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_topic_take(topic, 0, &message), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_topic_release(topic), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_topic_fd(topic, &fd), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_topic_stat(topic, &stats), MMF_E_DISPOSED);
        mmf_topic_close(topic);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_OK(mmf_topic_receive(topic, &got, 8, 0, &length, NULL));
    CHECK_INT(got, 1);
    mmf_topic_close(topic);
}

static void
a_latest_values_handle_is_dead_there(void **state)
{
    mmf_latest *latest;
    uint64_t got = 0, version;
    size_t length;
    pid_t child;
    int status;

    (void)state;
    CHECK_OK(mmf_latest_create_or_open("L", 8, NULL, NULL, &latest));
    CHECK_OK(mmf_latest_send(latest, &(uint64_t){1}, 8, NULL));
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        mmf_message message;
        mmf_channel_stats stats;
        void *bytes;

        CHECK_FAILS(mmf_latest_send(latest, "a", 1, NULL), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_latest_reserve(latest, 1, &bytes), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_latest_commit(latest, 1, NULL), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_latest_abandon(latest), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_latest_receive(latest, &got, 8, &length, &version),
                    MMF_E_DISPOSED);
        CHECK_FAILS(mmf_latest_take(latest, &message), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_latest_release(latest), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_latest_wait(latest, 0, 0), MMF_E_DISPOSED);
        CHECK_FAILS(mmf_latest_stat(latest, &stats), MMF_E_DISPOSED);
        mmf_latest_close(latest);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_OK(mmf_latest_receive(latest, &got, 8, &length, &version));
    CHECK_INT(got, 1);
    mmf_latest_close(latest);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"lender", lend}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_a_forked_child_a_queues_handle_is_dead),
        cmocka_unit_test(a_topics_handle_is_dead_there),
        cmocka_unit_test(a_latest_values_handle_is_dead_there),
        cmocka_unit_test(a_child_does_not_stand_for_its_parent),
    };

    return harness_main(argc, argv, "channel.fork", tests, COUNT_OF(tests), roles);
}
