/*
 * peer.c - another process of a test: reads commands, calls the library, writes answers.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "support.h"

enum { WORDS = 8, LONGEST = 300 };

static mmf_queue *queue;
static mmf_topic *topic;
static mmf_latest *latest;

static void
say(int status, const char *text)
{
    printf("%s%s%s\n", mmf_status_name(status), text[0] != '\0' ? " " : "", text);
    fflush(stdout);
}

static void
answer(int status)
{
    say(status, status < 0 ? mmf_last_message() : "");
}

static void
answer_number(int status, uint64_t number, uint32_t flags)
{
    char text[64];

    snprintf(text, sizeof(text), "%llu %u", (unsigned long long)number, flags);
    if (status == MMF_OK)
        say(status, text);
    else
        answer(status);
}

static void
create(char *const *words, const mmf_channel_options *options)
{
    int created = 0;
    int rc = mmf_queue_create_or_open(
        "Q", (size_t)atoll(words[3]), (size_t)atoll(words[4]),
        (mmf_overflow)atoi(words[5]), options, &created, &queue);

    if (rc == MMF_OK)
        say(rc, created ? "new" : "old");
    else
        answer(rc);
}

static void
receive(int32_t timeout)
{
    uint64_t number = 0;
    size_t length = 0;
    mmf_message message = {.flags = 0};
    int rc = mmf_queue_receive(queue, &number, 8, timeout, &length, &message);

    answer_number(rc, number, message.flags);
}

static void
take(int32_t timeout)
{
    mmf_message message;
    uint64_t number = 0;
    int rc = mmf_queue_take(queue, timeout, &message);

    if (rc == MMF_OK)
        memcpy(&number, message.bytes, 8);
    answer_number(rc, number, message.flags);
}

static void
sleep_at_topic(void)
{
    char bytes[LONGEST];
    size_t length;

    answer(mmf_topic_receive(topic, bytes, sizeof(bytes), -1, &length, NULL));
}

static void
run(char *const *words, int count)
{
    mmf_channel_options options;
    long first = count > 1 ? strtol(words[1], NULL, 10) : 0;
    int timeout = count > 2 ? atoi(words[2]) : 0;
    const char *word = words[0];
    void *bytes;

    mmf_channel_options_init(&options);
    options.role = (mmf_role)first;
    if (count > 3) {
        options.flags = (uint32_t)atoi(words[2]);
        options.strategy = (mmf_strategy)atoi(words[3]);
    }
    if (strcmp(word, "create") == 0)
        create(words + 1, &options);
    else if (strcmp(word, "open") == 0)
        answer(mmf_queue_open_existing("Q", &options, &queue));
    else if (strcmp(word, "open_topic") == 0)
        answer(mmf_topic_open_existing("T", &options, &topic));
    else if (strcmp(word, "open_latest") == 0)
        answer(mmf_latest_open_existing("L", &options, &latest));
    else if (strcmp(word, "send") == 0)
        answer(mmf_queue_send(queue, &(uint64_t){(uint64_t)first}, 8, timeout, NULL));
    else if (strcmp(word, "receive") == 0)
        receive((int32_t)first);
    else if (strcmp(word, "take") == 0)
        take((int32_t)first);
    else if (strcmp(word, "reserve") == 0)
        answer(mmf_queue_reserve(queue, 8, (int32_t)first, &bytes));
    else if (strcmp(word, "sleep_at_topic") == 0)
        sleep_at_topic();
    else if (strcmp(word, "sleep_at_latest") == 0)
        answer(mmf_latest_wait(latest, 0, -1));
    else
        printf("peer: no such command\n");
    fflush(stdout);
}

ROLE(peer)
{
    char line[256];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *words[WORDS], *rest = NULL;
        int count = 0;

        for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < WORDS;
             word = strtok_r(NULL, " \n", &rest))
            words[count++] = word;
        if (count > 0)
            run(words, count);
    }
    mmf_queue_close(queue);
    mmf_topic_close(topic);
    mmf_latest_close(latest);
    return 0;
}

struct process *
peer_start(void)
{
    return process_start("peer", NULL);
}
