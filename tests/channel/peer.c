/*
 * peer.c - reads commands, calls the library, writes answers.
 */
#include "peer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "peer_topic.h"

enum { WORDS = 8, MOST_HELD = 16, LONGEST = 4096 };

static mmf_queue *queue;
static mmf_message held[MOST_HELD];
static int held_count;
static int fd = -1;

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

static mmf_channel_options
read_options(char *const *words)
{
    mmf_channel_options options;

    mmf_channel_options_init(&options);
    options.role = (mmf_role)atoi(words[0]);
    options.flags = (uint32_t)atoi(words[1]);
    options.strategy = (mmf_strategy)atoi(words[2]);
    return options;
}

static void
create(char *const *words)
{
    mmf_channel_options options = read_options(words);
    int created = 0;
    int rc = mmf_queue_create_or_open(
        "Q", (size_t)atoll(words[3]), (size_t)atoll(words[4]),
        (mmf_overflow)atoi(words[5]), &options, &created, &queue);

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
    uint64_t number = 0;
    int rc = mmf_queue_take(queue, timeout, &held[held_count]);

    if (rc != MMF_OK) {
        answer(rc);
        return;
    }
    memcpy(&number, held[held_count].bytes, 8);
    answer_number(rc, number, held[held_count].flags);
    held_count++;
}

static void
release(void)
{
    int rc = mmf_queue_release(queue, &held[0]);

    if (rc == MMF_OK && held_count > 0)
        memmove(&held[0], &held[1], (size_t)--held_count * sizeof(held[0]));
    answer(rc);
}

static void *reserved;

static void
commit(uint64_t number)
{
    if (reserved != NULL)
        memcpy(reserved, &number, 8);
    answer(mmf_queue_commit(queue, 8, NULL));
    reserved = NULL;
}

static void
answer_counters(void)
{
    mmf_channel_stats stats;
    char text[96];
    int rc = mmf_queue_stat(queue, &stats);

    snprintf(text, sizeof(text), "%llu %llu %lld", (unsigned long long)stats.sent,
             (unsigned long long)stats.received, (long long)stats.depth);
    if (rc == MMF_OK)
        say(rc, text);
    else
        answer(rc);
}

/* The message that belongs to a number: its length and its bytes. */
static size_t
make(uint64_t number, uint8_t *bytes, size_t most)
{
    size_t length = (size_t)(number * 2654435761u % (most + 1));

    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(number * 31 + i * 7);
    return length;
}

static size_t
largest(void)
{
    mmf_channel_stats stats = {.message_size = 0};

    mmf_queue_stat(queue, &stats);
    return stats.message_size < LONGEST ? (size_t)stats.message_size : LONGEST;
}

static void
fill(uint64_t first, uint64_t count)
{
    uint8_t bytes[LONGEST];
    size_t most = largest();
    int rc = MMF_OK;

    for (uint64_t i = first; i < first + count && rc == MMF_OK; i++)
        rc = mmf_queue_send(queue, bytes, make(i, bytes, most), -1, NULL);
    answer(rc);
}

static void
drain(uint64_t first, uint64_t count)
{
    uint8_t bytes[LONGEST], expected[LONGEST];
    size_t most = largest();
    size_t length = 0;

    for (uint64_t i = first; i < first + count; i++) {
        int rc = mmf_queue_receive(queue, bytes, LONGEST, -1, &length, NULL);

        if (rc != MMF_OK) {
            answer(rc);
            return;
        }
        if (length != make(i, expected, most) || memcmp(bytes, expected, length) != 0) {
            printf("message %llu is another one\n", (unsigned long long)i);
            fflush(stdout);
            return;
        }
    }
    answer(MMF_OK);
}

static void
run_with_numbers(const char *word, uint64_t first, uint64_t second)
{
    if (strcmp(word, "send") == 0)
        answer(mmf_queue_send(queue, &first, 8, (int32_t)second, NULL));
    else if (strcmp(word, "receive") == 0)
        receive((int32_t)first);
    else if (strcmp(word, "reserve") == 0)
        answer(mmf_queue_reserve(queue, 8, (int32_t)first, &reserved));
    else if (strcmp(word, "commit") == 0)
        commit(first);
    else if (strcmp(word, "take") == 0)
        take((int32_t)first);
    else if (strcmp(word, "poll") == 0)
        say(MMF_OK, peer_is_readable(fd, (int)first) ? "yes" : "no");
    else if (strcmp(word, "fill") == 0)
        fill(first, second);
    else if (strcmp(word, "drain") == 0)
        drain(first, second);
    else
        printf("peer: no such command\n");
    fflush(stdout);
}

static void
run(char *const *words, int count)
{
    mmf_channel_options options;

    if (peer_topic_run(words, count))
        return;
    if (strcmp(words[0], "create") == 0 && count == 7) {
        create(words + 1);
    } else if (strcmp(words[0], "open") == 0 && count == 4) {
        options = read_options(words + 1);
        answer(mmf_queue_open_existing("Q", &options, &queue));
    } else if (strcmp(words[0], "close") == 0) {
        mmf_queue_close(queue);
        queue = NULL;
        held_count = 0;
        answer(MMF_OK);
    } else if (strcmp(words[0], "abandon") == 0) {
        answer(mmf_queue_abandon(queue));
    } else if (strcmp(words[0], "release") == 0) {
        release();
    } else if (strcmp(words[0], "fd") == 0) {
        answer(mmf_queue_fd(queue, &fd));
    } else if (strcmp(words[0], "stat") == 0) {
        answer_counters();
    } else {
        run_with_numbers(words[0],
                         count > 1 ? (uint64_t)strtoll(words[1], NULL, 10) : 0,
                         count > 2 ? (uint64_t)strtoll(words[2], NULL, 10) : 0);
    }
}

int
peer_run(void)
{
    char line[256];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *words[WORDS];
        char *rest = NULL;
        int count = 0;

        for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < WORDS;
             word = strtok_r(NULL, " \n", &rest))
            words[count++] = word;
        if (count > 0)
            run(words, count);
    }
    mmf_queue_close(queue);
    peer_topic_close();
    return 0;
}
