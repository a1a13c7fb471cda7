/*
 * peer.c - a process that does what it is told, a command a line, and answers each with
 * a line; the C half of tests in which C and C# programs share objects. Peer.cs is the
 * same program in C#.
 *
 *   map-new NAME CAPACITY, map-open NAME, map-close, write POSITION VALUE, read
 * POSITION mutex NAME owned|free, event NAME auto|manual, semaphore NAME INITIAL
 * MAXIMUM wait KIND MS, wait-all MS, wait-any MS (over mutex, event, semaphore) release
 * KIND, close KIND
 *
 * Answers: ok [NUMBER], created, opened, timed-out, abandoned, failed STATUS.
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
answer_number(int rc, long long number)
{
    if (rc == MMF_OK)
        printf("ok %lld\n", number);
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

static mmf_waitable *
named(const char *kind)
{
    if (strcmp(kind, "mutex") == 0)
        return mmf_mutex_waitable(mutex);
    if (strcmp(kind, "event") == 0)
        return mmf_event_waitable(event);
    return mmf_semaphore_waitable(semaphore);
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

static void
do_create(const char *kind, char *const *word)
{
    int created = 0;
    int rc;

    if (strcmp(kind, "mutex") == 0)
        rc = mmf_mutex_create_or_open(word[1], strcmp(word[2], "owned") == 0, NULL,
                                      &created, &mutex);
    else if (strcmp(kind, "event") == 0)
        rc = mmf_event_create_or_open(word[1], 0,
                                      strcmp(word[2], "auto") == 0
                                          ? MMF_EVENT_AUTO_RESET
                                          : MMF_EVENT_MANUAL_RESET,
                                      NULL, &created, &event);
    else
        rc = mmf_semaphore_create_or_open(word[1], atoi(word[2]), atoi(word[3]), NULL,
                                          &created, &semaphore);
    answer_created(rc, created);
}

static void
do_wait_for_several(const char *command, int32_t timeout_ms)
{
    mmf_waitable *objects[3] = {named("mutex"), named("event"), named("semaphore")};
    int index = 0;
    int rc;

    if (strcmp(command, "wait-all") == 0) {
        answer(mmf_wait_all(objects, 3, timeout_ms));
    } else {
        rc = mmf_wait_any(objects, 3, timeout_ms, &index);
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
do_close(const char *kind)
{
    if (strcmp(kind, "mutex") == 0)
        mmf_mutex_close(mutex);
    else if (strcmp(kind, "event") == 0)
        mmf_event_close(event);
    else
        mmf_semaphore_close(semaphore);
    answer(MMF_OK);
}

static void
do_command(char *const *word)
{
    const char *command = word[0];

    if (strcmp(command, "wait") == 0)
        answer(mmf_wait_one(named(word[1]), atoi(word[2])));
    else if (strncmp(command, "wait-", 5) == 0)
        do_wait_for_several(command, atoi(word[1]));
    else if (strcmp(command, "release") == 0)
        do_release(word[1]);
    else if (strcmp(command, "close") == 0)
        do_close(word[1]);
    else if (strcmp(command, "mutex") == 0 || strcmp(command, "event") == 0 ||
             strcmp(command, "semaphore") == 0)
        do_create(command, word);
    else
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
