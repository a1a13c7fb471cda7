/*
 * echo.c - the C half of the round trips that the benchmark measures.
 *
 *   echo answer NAME   sends back what comes through the queue NAME-there, by NAME-back
 *   echo ask NAME      for each line with a number: so many round trips; answers with
 *                      the nanoseconds of one
 *
 * `answer` creates the queues, says "ready", and ends when the other side has closed.
 */
#include <mmf/mmf.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE = 64, CAPACITY = 8 };

static mmf_queue *there;
static mmf_queue *back;

static void
must(int rc)
{
    mmf_error error;

    if (rc == MMF_OK)
        return;
    mmf_last_error(&error);
    fprintf(stderr, "echo: %s\n", error.message);
    exit(1);
}

static mmf_queue *
open_queue(const char *name, const char *suffix, mmf_role role)
{
    mmf_channel_options options = {.size = sizeof(options),
                                   .role = role,
                                   .flags = MMF_CHANNEL_SPSC | MMF_CHANNEL_PEER_CLOSED};
    mmf_queue *queue = NULL;
    char full[200];

    snprintf(full, sizeof(full), "%s-%s", name, suffix);
    must(mmf_queue_create_or_open(full, SIZE, CAPACITY, MMF_OVERFLOW_BLOCK, &options,
                                  NULL, &queue));
    return queue;
}

static int64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void
answer_all(void)
{
    char buffer[SIZE];
    size_t length = 0;

    puts("ready");
    while (mmf_queue_receive(there, buffer, sizeof(buffer), MMF_INFINITE, &length,
                             NULL) == MMF_OK)
        must(mmf_queue_send(back, buffer, length, MMF_INFINITE, NULL));
}

static void
ask(long times)
{
    int64_t start = now_ns();
    char buffer[SIZE] = {0};
    size_t length = 0;

    for (long i = 0; i < times; i++) {
        must(mmf_queue_send(there, buffer, sizeof(buffer), MMF_INFINITE, NULL));
        must(mmf_queue_receive(back, buffer, sizeof(buffer), MMF_INFINITE, &length,
                               NULL));
    }
    printf("%" PRId64 "\n", (now_ns() - start) / times);
}

int
main(int argc, char **argv)
{
    char line[100];

    if (argc != 3 || (strcmp(argv[1], "answer") != 0 && strcmp(argv[1], "ask") != 0)) {
        fprintf(stderr, "usage: echo answer NAME, echo ask NAME\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(argv[1], "answer") == 0) {
        there = open_queue(argv[2], "there", MMF_ROLE_RECEIVE);
        back = open_queue(argv[2], "back", MMF_ROLE_SEND);
        answer_all();
        return 0;
    }
    there = open_queue(argv[2], "there", MMF_ROLE_SEND);
    back = open_queue(argv[2], "back", MMF_ROLE_RECEIVE);
    puts("ready");
    while (fgets(line, sizeof(line), stdin) != NULL)
        ask(atol(line));
    return 0;
}
