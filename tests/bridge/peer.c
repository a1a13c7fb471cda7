/*
 * peer.c - programs on both sides of a bridge, to be killed at any time.
 *
 *   peer hold [KIND NAME SIZE CAPACITY]...     makes channels; until the end of its input
 *   peer send QUEUE COUNT SIZE [PAUSE_MS]      messages 1 to COUNT, each exactly once; with
 *                                              a pause after each 4,096
 *   peer take QUEUE COUNT ACCOUNT [SLOW_US]    takes and accounts for them, forever
 *   peer keep QUEUE                            takes one, and has it until the end of its input
 *   peer serve SERVICE                         answers with the request and its own pid
 *   peer call SERVICE TEXT TIMEOUT_MS          prints the answer, or the status
 *
 * The account is a file, which support.py reads: how often what happened, then for each number
 * the sequence in the queue that it had. The same number with another sequence came twice; the same with the
 * same sequence was redelivered by the queue, since a consumer died.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <mmf/mmf.h>

#include "harness/options.h"

enum { SOURCE = 7 };

struct account {
    uint64_t twice, disordered, damaged, redelivered;
    uint64_t sequences[]; /* + 1, of the numbers 1 to COUNT; 0: it has not come */
};

static void
demand(int status, const char *what)
{
    if (status >= 0)
        return;
    (void)fprintf(stderr, "peer: %s: %s\n", what, mmf_last_message());
    exit(1);
}

static int64_t
now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void
nap(long microseconds)
{
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};

    (void)nanosleep(&time, NULL);
}

static void
say(const char *line)
{
    puts(line);
    (void)fflush(stdout);
}

/* A dead predecessor may still have its entry in a queue for one producer and consumer. */
static mmf_queue *
open_queue(const char *name, mmf_role role)
{
    mmf_queue *queue = NULL;
    int64_t deadline = now_ns() + INT64_C(60000000000);
    int status;

    while ((status =
                mmf_queue_open_existing(name,
                                        CHANNEL_OPTIONS(.role = role, .wait_ms = 60000,
                                                        .strategy = MMF_STRATEGY_WAIT),
                                        &queue)) == MMF_E_SHARING &&
           now_ns() < deadline)
        nap(1000);
    demand(status, name);
    return queue;
}

static int
make_service(const char *name)
{
    mmf_service *service;

    return mmf_service_create_new(name, 64, 64, 16,
                                  SERVICE_OPTIONS(.role = MMF_ROLE_CLIENT), &service);
}

/* It keeps the channel, as a sender that never sends. */
static void
make_channel(char **arguments)
{
    size_t size = strtoul(arguments[2], NULL, 10);
    size_t capacity = strtoul(arguments[3], NULL, 10);
    mmf_channel_options options;
    mmf_queue *queue;
    mmf_topic *topic;
    mmf_latest *latest;
    int status;

    mmf_channel_options_init(&options);
    options.role = MMF_ROLE_SEND;
    if (strcmp(arguments[0], "queue") == 0)
        status = mmf_queue_create_new(arguments[1], size, capacity, MMF_OVERFLOW_BLOCK,
                                      &options, &queue);
    else if (strcmp(arguments[0], "topic") == 0)
        status = mmf_topic_create_new(arguments[1], size, capacity,
                                      MMF_OVERFLOW_DROP_OLDEST, &options, &topic);
    else if (strcmp(arguments[0], "latest") == 0)
        status = mmf_latest_create_new(arguments[1], size, &options, &latest);
    else
        status = make_service(arguments[1]);
    demand(status, arguments[1]);
}

static int
hold(int count, char **arguments)
{
    for (int i = 0; i + 4 <= count; i += 4)
        make_channel(arguments + i);
    say("ready");
    while (getchar() != EOF)
        ;
    return 0;
}

/* What a message of this number looks like. */
static void
fill(uint64_t *words, size_t size, uint64_t number)
{
    for (size_t i = 0; i < size / sizeof *words; i++)
        words[i] = number + i * UINT64_C(0x9e3779b97f4a7c15);
}

static bool
is_filled(const void *bytes, size_t size, uint64_t *number)
{
    uint64_t word;

    if (size < sizeof word)
        return false;
    memcpy(number, bytes, sizeof *number);
    for (size_t i = 0; i < size / sizeof word; i++) {
        memcpy(&word, (const char *)bytes + i * sizeof word, sizeof word);
        if (word != *number + i * UINT64_C(0x9e3779b97f4a7c15))
            return false;
    }
    return true;
}

/* It goes on where its predecessor was killed. */
static int
send_all(int arguments_count, char **arguments)
{
    uint64_t count = strtoull(arguments[1], NULL, 10);
    size_t size = strtoul(arguments[2], NULL, 10);
    long pause = arguments_count > 3 ? strtol(arguments[3], NULL, 10) : 0;
    mmf_queue *queue = open_queue(arguments[0], MMF_ROLE_SEND);
    uint64_t number = 0;

    demand(mmf_queue_applied(queue, SOURCE, &number), "applied");
    say("ready");
    while (number < count) {
        void *bytes;

        demand(mmf_queue_reserve(queue, size, -1, &bytes), "reserve");
        fill(bytes, size, ++number);
        demand(mmf_queue_commit_from(queue, size, SOURCE, number, NULL), "commit");
        if (pause > 0 && number % 4096 == 0)
            nap(pause * 1000);
    }
    say("done");
    while (getchar() != EOF)
        ;
    mmf_queue_close(queue);
    return 0;
}

static struct account *
open_account(const char *path, uint64_t count)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    size_t bytes = sizeof(struct account) + count * sizeof(uint64_t);
    void *at = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0)
        at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        (void)fprintf(stderr, "peer: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    return at;
}

static void
account_for(struct account *account, uint64_t count, const mmf_message *message,
            uint64_t *last)
{
    uint64_t number = 0;
    bool again = (message->flags & MMF_MESSAGE_REDELIVERED) != 0;

    if (!is_filled(message->bytes, message->length, &number) || number < 1 ||
        number > count) {
        account->damaged++;
        return;
    }
    if (!again && *last != 0 && number != *last + 1)
        account->disordered++;
    if (!again)
        *last = number;
    account->redelivered += again;
    if (account->sequences[number - 1] == 0) {
        account->sequences[number - 1] = message->sequence + 1;
    } else if (account->sequences[number - 1] != message->sequence + 1) {
        account->twice++;
    }
}

static _Noreturn void
take_all(int arguments_count, char **arguments)
{
    uint64_t count = strtoull(arguments[1], NULL, 10), last = 0;
    long slow = arguments_count > 3 ? strtol(arguments[3], NULL, 10) : 0;
    mmf_queue *queue = open_queue(arguments[0], MMF_ROLE_RECEIVE);
    struct account *account = open_account(arguments[2], count);
    mmf_message message;

    say("ready");
    for (;;) {
        demand(mmf_queue_take(queue, -1, &message), "take");
        account_for(account, count, &message, &last);
        demand(mmf_queue_release(queue, &message), "release");
        if (slow > 0)
            nap(slow);
    }
}

static int
keep(char **arguments)
{
    mmf_queue *queue = open_queue(arguments[0], MMF_ROLE_RECEIVE);
    mmf_message message;

    say("ready");
    demand(mmf_queue_take(queue, -1, &message), "take");
    say("it is taken");
    while (getchar() != EOF)
        ;
    mmf_queue_close(queue);
    return 0;
}

static _Noreturn void
serve(char **arguments)
{
    mmf_service *service;
    mmf_message request;
    char text[256];

    demand(mmf_service_create_or_open(
               arguments[0], 64, 64, 16,
               SERVICE_OPTIONS(.role = MMF_ROLE_SERVER, .wait_ms = 60000), NULL,
               &service),
           arguments[0]);
    say("ready");
    for (;;) {
        int length;

        demand(mmf_service_take(service, -1, &request), "take");
        length = snprintf(text, sizeof text, "%.*s by %d", (int)request.length,
                          (const char *)request.bytes, (int)getpid());
        demand(mmf_service_answer(service, &request, text, (size_t)length,
                                  MMF_ANSWER_LAST, -1),
               "answer");
    }
}

static int
call(char **arguments)
{
    mmf_service *service;
    char text[65] = "";
    size_t length = 0;
    int status;

    demand(mmf_service_open_existing(arguments[0],
                                     SERVICE_OPTIONS(.role = MMF_ROLE_CLIENT,
                                                     .flags = MMF_CHANNEL_PEER_CLOSED),
                                     &service),
           arguments[0]);
    status = mmf_service_call(service, arguments[1], strlen(arguments[1]), text,
                              sizeof text - 1, (int32_t)strtol(arguments[2], NULL, 10),
                              &length);
    puts(status == MMF_OK ? text : mmf_status_name(status));
    mmf_service_close(service);
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc >= 6 && strcmp(argv[1], "hold") == 0)
        return hold(argc - 2, argv + 2);
    if (argc >= 5 && strcmp(argv[1], "send") == 0)
        return send_all(argc - 2, argv + 2);
    if (argc >= 5 && strcmp(argv[1], "take") == 0)
        take_all(argc - 2, argv + 2);
    if (argc == 3 && strcmp(argv[1], "keep") == 0)
        return keep(argv + 2);
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        serve(argv + 2);
    if (argc == 5 && strcmp(argv[1], "call") == 0)
        return call(argv + 2);
    (void)fprintf(stderr, "peer: usage: see the head of peer.c\n");
    return 2;
}
