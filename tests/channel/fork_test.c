/*
 * fork_test.c - channels and forks: a child is a participant of its own, and keeps no other
 * alive. That its handles are dead is in tests/scenarios.
 */
#include "support.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The parent is alive for it, and has its places. */
TEST(a_child_opens_the_queue_itself)
{
    mmf_queue *queue = new_queue(MMF_ROLE_BOTH, 0, 8, 8, MMF_OVERFLOW_BLOCK);
    mmf_message message;
    int status = -1;
    pid_t pid;

    send_number(queue, 1);
    send_number(queue, 2);
    message = take_number(queue, 1);
    pid = fork();
    if (pid == 0) {
        mmf_queue *own;

        mmf_queue_close(queue);
        own = open_queue(MMF_ROLE_BOTH, 0);
        CHECK_INT(stats_of(own).senders, 2);
        expect_number(own, 2);
        expect_none(own);
        mmf_queue_close(own);
        _exit(0);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
    CHECK_STATUS(mmf_queue_release(queue, &message), MMF_OK);
    mmf_queue_close(queue);
}

/* A child that keeps a copy of the mapping keeps no participant alive. */
TEST(a_child_does_not_stand_for_its_parent)
{
    mmf_queue *receiver = new_receiver(0, 8, 1);
    struct process *parent = process_start("lender", NULL);
    char line[64];
    mmf_queue *sender;

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
ROLE(lender)
{
    mmf_queue *queue = open_queue(MMF_ROLE_SEND, 0);
    int ready[2];
    void *bytes;
    char byte;
    pid_t pid;

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
