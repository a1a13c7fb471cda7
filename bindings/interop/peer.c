/*
 * peer.c - a process that does what it is told, a command a line, and answers each with
 * a line. peer.cpp, peer.py and csharp/peer are the same program in other languages;
 * matrix.py drives them, and the C# tests this one.
 *
 *   map-new NAME CAPACITY, map-open NAME, map-close, write POSITION VALUE, read POSITION
 *   mutex NAME free|owned, event NAME auto|manual, semaphore NAME INITIAL MAXIMUM
 *   queue NAME, topic NAME, latest NAME     messages of up to 64 bytes, 8 slots
 *   wait KIND MS, release KIND              of a mutex, an event, a semaphore
 *   wait-all MS, wait-any MS                over all three; not in C++ and Python
 *   service NAME, ask TEXT, answer MS       its client: the next answer, more or the last
 *   serve MS, hold MS       its server: an answer for each letter; none, and it is kept
 *   send KIND TEXT, receive KIND MS, take KIND MS   take does not release
 *   close KIND, gc
 *
 * Answers: ok [NUMBER or TEXT], again TEXT (redelivered), created, opened, timed-out,
 * abandoned, failed STATUS.
 */
#include <mmf/mmf.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mmf_map *map;
static mmf_accessor *view;
static mmf_mutex *mutex;
static mmf_event *event;
static mmf_semaphore *semaphore;
static mmf_queue *queue;
static mmf_topic *topic;
static mmf_latest *latest;
static mmf_service *service;

static void
answer(int rc)
{
    if (rc == MMF_OK)
        puts("ok");
    else if (rc == MMF_TIMED_OUT)
        puts("timed-out");
    else if (rc == MMF_ABANDONED)
        puts("abandoned");
    else
        printf("failed %s\n", mmf_status_name(rc));
}

static void
answer_number(int rc, int32_t number)
{
    if (rc == MMF_OK)
        printf("ok %d\n", number);
    else
        answer(rc);
}

static void
answer_created(int rc, int created)
{
    if (rc == MMF_OK)
        puts(created ? "created" : "opened");
    else
        answer(rc);
}

static void
answer_message(int rc, const mmf_message *message)
{
    if (rc == MMF_OK)
        printf("%s %.*s\n", message->flags & MMF_MESSAGE_REDELIVERED ? "again" : "ok",
               (int)message->length, (const char *)message->bytes);
    else
        answer(rc);
}

static void
do_map(const char *command, char *const *word)
{
    int64_t position = word[1] != NULL ? atoll(word[1]) : 0;
    int32_t value = 0;
    int rc = MMF_OK;

    if (strcmp(command, "write") == 0) {
        answer(mmf_accessor_write_int32(view, position, atoi(word[2])));
    } else if (strcmp(command, "read") == 0) {
        rc = mmf_accessor_read_int32(view, position, &value);
        answer_number(rc, value);
    } else if (strcmp(command, "map-close") == 0) {
        mmf_accessor_close(view);
        mmf_map_close(map);
        answer(MMF_OK);
    } else {
        rc = strcmp(command, "map-new") == 0
                 ? mmf_map_create_new(word[1], atoll(word[2]), NULL, &map)
                 : mmf_map_open_existing(word[1], NULL, &map);
        if (rc == MMF_OK)
            rc = mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view);
        answer(rc);
    }
}

static int
do_create(const char *kind, char *const *word)
{
    const char *name = word[1];
    int created = 0;
    int rc;

    if (strcmp(kind, "mutex") == 0)
        rc = mmf_mutex_create_or_open(name, strcmp(word[2], "owned") == 0, NULL,
                                      &created, &mutex);
    else if (strcmp(kind, "event") == 0)
        rc = mmf_event_create_or_open(name, 0,
                                      strcmp(word[2], "auto") == 0
                                          ? MMF_EVENT_AUTO_RESET
                                          : MMF_EVENT_MANUAL_RESET,
                                      NULL, &created, &event);
    else if (strcmp(kind, "semaphore") == 0)
        rc = mmf_semaphore_create_or_open(name, atoi(word[2]), atoi(word[3]), NULL,
                                          &created, &semaphore);
    else if (strcmp(kind, "queue") == 0)
        rc = mmf_queue_create_or_open(name, 64, 8, MMF_OVERFLOW_BLOCK, NULL, &created,
                                      &queue);
    else if (strcmp(kind, "topic") == 0)
        rc = mmf_topic_create_or_open(name, 64, 8, MMF_OVERFLOW_DROP_OLDEST, NULL,
                                      &created, &topic);
    else if (strcmp(kind, "latest") == 0)
        rc = mmf_latest_create_or_open(name, 64, NULL, &created, &latest);
    else if (strcmp(kind, "service") == 0)
        rc = mmf_service_create_or_open(name, 64, 64, 8, NULL, &created, &service);
    else
        return -1;
    answer_created(rc, created);
    return 0;
}

static mmf_waitable *
waitable(const char *kind)
{
    if (strcmp(kind, "mutex") == 0)
        return mmf_mutex_waitable(mutex);
    if (strcmp(kind, "event") == 0)
        return mmf_event_waitable(event);
    return mmf_semaphore_waitable(semaphore);
}

static void
do_wait_for_several(const char *command, int32_t ms)
{
    mmf_waitable *objects[] = {waitable("mutex"), waitable("event"),
                               waitable("semaphore")};
    int index = 0;
    int rc;

    if (strcmp(command, "wait-all") == 0) {
        answer(mmf_wait_all(objects, 3, ms));
    } else {
        rc = mmf_wait_any(objects, 3, ms, &index);
        answer_number(rc, index);
    }
}

static void
do_release(const char *kind)
{
    int32_t previous = 0;
    int rc;

    if (strcmp(kind, "mutex") == 0) {
        answer(mmf_mutex_release(mutex));
    } else if (strcmp(kind, "event") == 0) {
        answer(mmf_event_set(event));
    } else {
        rc = mmf_semaphore_release(semaphore, 1, &previous);
        answer_number(rc, previous);
    }
}

static void
do_send(const char *kind, const char *text)
{
    if (strcmp(kind, "queue") == 0)
        answer(mmf_queue_send(queue, text, strlen(text), 20000, NULL));
    else if (strcmp(kind, "topic") == 0)
        answer(mmf_topic_send(topic, text, strlen(text), 20000, NULL));
    else
        answer(mmf_latest_send(latest, text, strlen(text), NULL));
}

static void
do_receive(const char *kind, int32_t ms)
{
    mmf_message message = {0};
    char buffer[64];
    uint64_t version;
    size_t length = 0;
    int rc;

    if (strcmp(kind, "queue") == 0) {
        rc = mmf_queue_receive(queue, buffer, sizeof(buffer), ms, &length, &message);
    } else if (strcmp(kind, "topic") == 0) {
        rc = mmf_topic_receive(topic, buffer, sizeof(buffer), ms, &length, &message);
    } else {
        rc = mmf_latest_wait(latest, 0, ms);
        if (rc == MMF_OK)
            rc = mmf_latest_receive(latest, buffer, sizeof(buffer), &length, &version);
    }
    message.bytes = buffer;
    message.length = length;
    answer_message(rc, &message);
}

static void
do_take(const char *kind, int32_t ms)
{
    mmf_message message;
    int rc;

    if (strcmp(kind, "queue") == 0)
        rc = mmf_queue_take(queue, ms, &message);
    else if (strcmp(kind, "topic") == 0)
        rc = mmf_topic_take(topic, ms, &message);
    else
        rc = mmf_latest_take(latest, &message);
    answer_message(rc, &message);
}

static void
do_ask(const char *text)
{
    uint64_t call;

    answer(mmf_service_send(service, text, strlen(text), 20000, &call));
}

static void
do_answer(int32_t ms)
{
    mmf_message got;
    int rc = mmf_service_take_answer(service, 0, ms, &got);

    if (rc != MMF_OK) {
        answer(rc);
        return;
    }
    printf("%s %.*s\n", got.flags & MMF_MESSAGE_LAST ? "last" : "more", (int)got.length,
           (const char *)got.bytes);
    mmf_service_release_answer(service, &got);
}

static void
do_serve(int32_t ms, int answers)
{
    mmf_message request;
    int rc = mmf_service_take(service, ms, &request);

    answer_message(rc, &request);
    for (size_t i = 0; rc == MMF_OK && answers && i < request.length; i++)
        mmf_service_answer(service, &request, (const char *)request.bytes + i, 1,
                           i + 1 < request.length ? MMF_ANSWER_MORE : MMF_ANSWER_LAST,
                           20000);
}

static void
do_close(const char *kind)
{
    if (strcmp(kind, "mutex") == 0)
        mmf_mutex_close(mutex);
    else if (strcmp(kind, "event") == 0)
        mmf_event_close(event);
    else if (strcmp(kind, "semaphore") == 0)
        mmf_semaphore_close(semaphore);
    else if (strcmp(kind, "queue") == 0)
        mmf_queue_close(queue);
    else if (strcmp(kind, "topic") == 0)
        mmf_topic_close(topic);
    else
        mmf_latest_close(latest);
    answer(MMF_OK);
}

static void
do_command(char *const *word)
{
    const char *command = word[0];

    if (strcmp(command, "wait") == 0)
        answer(mmf_wait_one(waitable(word[1]), atoi(word[2])));
    else if (strncmp(command, "wait-", 5) == 0)
        do_wait_for_several(command, atoi(word[1]));
    else if (strcmp(command, "release") == 0)
        do_release(word[1]);
    else if (strcmp(command, "send") == 0)
        do_send(word[1], word[2]);
    else if (strcmp(command, "receive") == 0)
        do_receive(word[1], atoi(word[2]));
    else if (strcmp(command, "take") == 0)
        do_take(word[1], atoi(word[2]));
    else if (strcmp(command, "ask") == 0)
        do_ask(word[1]);
    else if (strcmp(command, "answer") == 0)
        do_answer(atoi(word[1]));
    else if (strcmp(command, "serve") == 0 || strcmp(command, "hold") == 0)
        do_serve(atoi(word[1]), command[0] == 's');
    else if (strcmp(command, "close") == 0)
        do_close(word[1]);
    else if (strcmp(command, "gc") == 0)
        answer(mmf_gc(0, NULL));
    else if (do_create(command, word) < 0)
        do_map(command, word);
}

int
main(void)
{
    char line[5000];

    setvbuf(stdout, NULL, _IONBF, 0); /* Windows has no buffer of a line */
    puts("ready");
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char *word[6] = {NULL};
        int count = 0;

        for (char *next = strtok(line, " \n"); next != NULL && count < 5;
             next = strtok(NULL, " \n"))
            word[count++] = next;
        if (count > 0)
            do_command(word);
    }
    return 0;
}
