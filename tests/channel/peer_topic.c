/*
 * peer_topic.c - the peer's commands for a topic "T" and a latest value "L".
 */
#include "peer_topic.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

enum { SIZE = 300 };

static mmf_topic *topic;
static mmf_latest *latest;

static void
answer(int status, const char *text)
{
    const char *rest = status < 0 ? mmf_last_message() : text;

    printf("%s%s%s\n", mmf_status_name(status), rest[0] != '\0' ? " " : "", rest);
    fflush(stdout);
}

/* The message that belongs to a number: its length, from 8, and its bytes. */
static size_t
make(uint64_t number, uint8_t *bytes)
{
    size_t length = 8 + (size_t)(number * 2654435761u % (SIZE - 7));

    memcpy(bytes, &number, 8);
    for (size_t i = 8; i < length; i++)
        bytes[i] = (uint8_t)(number * 31 + i * 7);
    return length;
}

/* Its number; 0 if it is not whole. */
static uint64_t
number_of(const uint8_t *bytes, size_t length)
{
    uint8_t expected[SIZE];
    uint64_t number = 0;

    if (length < 8)
        return 0;
    memcpy(&number, bytes, 8);
    if (make(number, expected) != length || memcmp(bytes, expected, length) != 0)
        return 0;
    return number;
}

static void
answer_number(int status, const uint8_t *bytes, size_t length, uint64_t extra)
{
    char text[64] = "";

    if (status == MMF_OK)
        snprintf(text, sizeof(text), "%llu %llu",
                 (unsigned long long)number_of(bytes, length),
                 (unsigned long long)extra);
    answer(status, text);
}

static mmf_channel_options
options_for(const char *role)
{
    mmf_channel_options options;

    mmf_channel_options_init(&options);
    options.role = (mmf_role)atoi(role);
    return options;
}

/*
 * Topic.
 */

static void
create_topic(char *const *words)
{
    mmf_channel_options options = options_for(words[0]);
    int created = 0;
    int rc = mmf_topic_create_or_open("T", SIZE, (size_t)atoll(words[1]),
                                      (mmf_overflow)atoi(words[2]), &options, &created,
                                      &topic);

    answer(rc, created ? "new" : "old");
}

static void
open_topic(const char *role)
{
    mmf_channel_options options = options_for(role);

    answer(mmf_topic_open_existing("T", &options, &topic), "");
}

static void
receive(int32_t timeout)
{
    uint8_t bytes[SIZE];
    mmf_message message = {.lost = 0};
    size_t length = 0;
    int rc = mmf_topic_receive(topic, bytes, SIZE, timeout, &length, &message);

    answer_number(rc, bytes, length, message.lost);
}

static void
publish(uint64_t first, uint64_t count)
{
    uint8_t bytes[SIZE];
    int rc = MMF_OK;

    for (uint64_t i = first; i < first + count && rc == MMF_OK; i++)
        rc = mmf_topic_send(topic, bytes, make(i, bytes), -1, NULL);
    answer(rc, "");
}

static void
drain(uint64_t first, uint64_t count)
{
    uint8_t bytes[SIZE];
    mmf_message message;
    size_t length;

    for (uint64_t i = first; i < first + count; i++) {
        int rc = mmf_topic_receive(topic, bytes, SIZE, -1, &length, &message);

        if (rc != MMF_OK) {
            answer(rc, "");
            return;
        }
        if (number_of(bytes, length) != i || message.lost != 0) {
            printf("message %llu is another one\n", (unsigned long long)i);
            fflush(stdout);
            return;
        }
    }
    answer(MMF_OK, "");
}

static void *reserved; /* on the topic */

static void
commit(uint64_t number)
{
    if (reserved != NULL)
        memcpy(reserved, &number, 8);
    answer(mmf_topic_commit(topic, 8, NULL), "");
    reserved = NULL;
}

static int
run_topic(char *const *words, int count)
{
    uint64_t first = count > 1 ? (uint64_t)strtoll(words[1], NULL, 10) : 0;
    uint64_t second = count > 2 ? (uint64_t)strtoll(words[2], NULL, 10) : 0;

    if (strcmp(words[0], "create") == 0 && count == 4) {
        create_topic(words + 1);
    } else if (strcmp(words[0], "open") == 0 && count == 2) {
        open_topic(words[1]);
    } else if (strcmp(words[0], "close") == 0) {
        mmf_topic_close(topic);
        topic = NULL;
        answer(MMF_OK, "");
    } else if (strcmp(words[0], "send") == 0 && count == 3) {
        publish(first, second);
    } else if (strcmp(words[0], "drain") == 0 && count == 3) {
        drain(first, second);
    } else if (strcmp(words[0], "receive") == 0 && count == 2) {
        receive((int32_t)first);
    } else if (strcmp(words[0], "reserve") == 0) {
        answer(mmf_topic_reserve(topic, 8, 0, &reserved), "");
    } else if (strcmp(words[0], "commit") == 0 && count == 2) {
        commit(first);
    } else {
        return 0;
    }
    return 1;
}

/*
 * Latest value.
 */

static void
create_latest(const char *role)
{
    mmf_channel_options options = options_for(role);
    int created = 0;
    int rc = mmf_latest_create_or_open("L", SIZE, &options, &created, &latest);

    answer(rc, created ? "new" : "old");
}

static void
open_latest(const char *role)
{
    mmf_channel_options options = options_for(role);

    answer(mmf_latest_open_existing("L", &options, &latest), "");
}

/* After `version`, or without a wait if it is 0: version and number. */
static void
read_after(uint64_t version, int32_t timeout)
{
    uint8_t bytes[SIZE];
    uint64_t now = 0;
    size_t length = 0;
    int rc = timeout != 0 ? mmf_latest_wait(latest, version, timeout) : MMF_OK;

    if (rc == MMF_OK)
        rc = mmf_latest_receive(latest, bytes, SIZE, &length, &now);
    answer_number(rc, bytes, length, now);
}

static void
write_values(uint64_t first, uint64_t count)
{
    uint8_t bytes[SIZE];
    int rc = MMF_OK;

    for (uint64_t i = first; i < first + count && rc == MMF_OK; i++)
        rc = mmf_latest_send(latest, bytes, make(i, bytes), NULL);
    answer(rc, "");
}

/* Read until it is `last`: every value whole, and none after a greater one. */
static void
watch(uint64_t last)
{
    uint8_t bytes[SIZE];
    uint64_t version = 0, before = 0, number = 0;
    size_t length;

    while (number != last) {
        int rc = mmf_latest_wait(latest, version, -1);

        if (rc == MMF_OK)
            rc = mmf_latest_receive(latest, bytes, SIZE, &length, &version);
        if (rc != MMF_OK) {
            answer(rc, "");
            return;
        }
        number = number_of(bytes, length);
        if (number < before || number == 0) {
            printf("value %llu after %llu\n", (unsigned long long)number,
                   (unsigned long long)before);
            fflush(stdout);
            return;
        }
        before = number;
    }
    answer(MMF_OK, "");
}

static int
run_latest(char *const *words, int count)
{
    uint64_t first = count > 1 ? (uint64_t)strtoll(words[1], NULL, 10) : 0;
    uint64_t second = count > 2 ? (uint64_t)strtoll(words[2], NULL, 10) : 0;
    void *bytes;

    if (strcmp(words[0], "create") == 0 && count == 2) {
        create_latest(words[1]);
    } else if (strcmp(words[0], "open") == 0 && count == 2) {
        open_latest(words[1]);
    } else if (strcmp(words[0], "close") == 0) {
        mmf_latest_close(latest);
        latest = NULL;
        answer(MMF_OK, "");
    } else if (strcmp(words[0], "send") == 0 && count == 3) {
        write_values(first, second);
    } else if (strcmp(words[0], "receive") == 0 && count == 3) {
        read_after(first, (int32_t)second);
    } else if (strcmp(words[0], "watch") == 0 && count == 2) {
        watch(first);
    } else if (strcmp(words[0], "reserve") == 0) {
        answer(mmf_latest_reserve(latest, 8, &bytes), "");
    } else {
        return 0;
    }
    return 1;
}

int
peer_topic_run(char *const *words, int count)
{
    if (count > 1 && strcmp(words[0], "topic") == 0)
        return run_topic(words + 1, count - 1);
    if (count > 1 && strcmp(words[0], "latest") == 0)
        return run_latest(words + 1, count - 1);
    return 0;
}

void
peer_topic_close(void)
{
    mmf_topic_close(topic);
    mmf_latest_close(latest);
}
