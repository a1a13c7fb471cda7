/*
 * jobs.c - a queue of jobs, of which one kills every worker that begins it: after three
 * deliveries it is set aside.
 *
 *     jobs send COUNT    send so many jobs, wait until all are done, say what was set aside
 *     jobs work          do jobs until the sender has closed; start it again when it dies
 */
#include <mmf/mmf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POISON = 3, MOST_DELIVERIES = 3, CAPACITY = 64, LONG_MS = 60000 };

struct job {
    int number;
};

static void
check(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "jobs: %s\n", mmf_last_message());
        exit(EXIT_FAILURE);
    }
}

static mmf_queue *
open_queue(const char *name, mmf_role role, uint32_t flags)
{
    mmf_channel_options options = {
        .size = sizeof(options), .role = role, .flags = flags, .wait_ms = LONG_MS};
    mmf_queue *queue;

    if (role == MMF_ROLE_RECEIVE)
        check(mmf_queue_open_existing(name, &options, &queue));
    else
        check(mmf_queue_create_or_open(name, sizeof(struct job), CAPACITY,
                                       MMF_OVERFLOW_BLOCK, &options, NULL, &queue));
    return queue;
}

static void
send(int count)
{
    mmf_queue *aside = open_queue("Jobs set aside", MMF_ROLE_BOTH, 0);
    mmf_queue *jobs = open_queue("Jobs", MMF_ROLE_SEND, 0);
    struct job job;
    size_t length;

    for (job.number = 1; job.number <= count; job.number++)
        check(mmf_queue_send(jobs, &job, sizeof(job), MMF_INFINITE, NULL));
    printf("%d jobs sent.\n", count);
    fflush(stdout);
    check(mmf_queue_drain(jobs, MMF_INFINITE)); /* until each is released */
    printf("All jobs are done.\n");
    while (mmf_queue_receive(aside, &job, sizeof(job), 0, &length, NULL) == MMF_OK)
        printf("Job %d was set aside.\n", job.number);
    mmf_queue_close(jobs);
    mmf_queue_close(aside);
}

static void
work_on(const struct job *job)
{
    printf("Job %d begins.\n", job->number);
    fflush(stdout);
    if (job->number == POISON)
        abort();
    printf("Job %d is done.\n", job->number);
}

static void
work(void)
{
    mmf_queue *jobs = open_queue("Jobs", MMF_ROLE_RECEIVE, MMF_CHANNEL_PEER_CLOSED);
    mmf_queue *aside = open_queue("Jobs set aside", MMF_ROLE_SEND, 0);
    mmf_message message;
    int rc;

    while ((rc = mmf_queue_take(jobs, MMF_INFINITE, &message)) == MMF_OK) {
        const struct job *job = message.bytes;

        if (message.deliveries > MOST_DELIVERIES) {
            printf("Job %d was delivered %u times: set aside.\n", job->number,
                   message.deliveries - 1);
            check(mmf_queue_send(aside, job, sizeof(*job), MMF_INFINITE, NULL));
        } else {
            work_on(job);
        }
        check(mmf_queue_release(jobs, &message)); /* the acknowledgement */
    }
    if (rc != MMF_E_PEER_CLOSED)
        check(rc);
    mmf_queue_close(aside);
    mmf_queue_close(jobs);
}

int
main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "send") == 0) {
        send(atoi(argv[2]));
    } else if (argc > 1 && strcmp(argv[1], "work") == 0) {
        work();
    } else {
        fprintf(stderr, "usage: jobs send COUNT | jobs work\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
