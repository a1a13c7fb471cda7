/*
 * jobs.c - a queue: each job goes to one consumer, and no job is lost with a consumer.
 *
 *     jobs produce    send three jobs, keep the queue open until Enter
 *     jobs consume    do jobs, each until Enter, until the last producer has closed
 */
#include "guide.h"

struct job {
    int number;
    char text[60];
};

static void
produce(void)
{
    mmf_channel_options options = {.size = sizeof(options), .role = MMF_ROLE_SEND};
    mmf_queue *jobs;

    check(mmf_queue_create_or_open("Jobs", sizeof(struct job), 256, MMF_OVERFLOW_BLOCK,
                                   &options, NULL, &jobs));
    for (int i = 1; i <= 3; i++) {
        struct job job = {.number = i, .text = "count the sheep"};

        check(mmf_queue_send(jobs, &job, sizeof(job), MMF_INFINITE, NULL));
    }
    say("Sent 3 jobs.");
    wait_for_enter();
    mmf_queue_close(jobs);
}

static mmf_queue *
open_jobs(void)
{
    mmf_channel_options options = {
        .size = sizeof(options),
        .role = MMF_ROLE_RECEIVE,
        .flags = MMF_CHANNEL_PEER_CLOSED, /* a wait ends when the last producer does */
        .wait_ms = 10000,                 /* the producer may start after us */
    };
    mmf_queue *jobs;

    check(mmf_queue_open_existing("Jobs", &options, &jobs));
    return jobs;
}

static void
work_on(const struct job *job, bool again)
{
    say("Job %d: %s%s", job->number, job->text, again ? ", again" : "");
    wait_for_enter();
}

static void
consume(void)
{
    mmf_queue *jobs = open_jobs();
    mmf_message message;
    int rc;

    while ((rc = mmf_queue_take(jobs, MMF_INFINITE, &message)) == MMF_OK) {
        bool again = message.flags & MMF_MESSAGE_REDELIVERED;

        work_on(message.bytes, again);            /* in place, without a copy */
        check(mmf_queue_release(jobs, &message)); /* done: it is not redelivered */
    }
    if (rc != MMF_E_PEER_CLOSED)
        check(rc);
    say("No producer is left.");
    mmf_queue_close(jobs);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "produce") == 0)
        produce();
    else
        consume();
    return 0;
}
