/*
 * trial.c - the last check: create, open, use and close a small object of each kind, as a
 * program does. Whatever the other checks have not thought of fails here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/text.h"
#include "doctor/doctor.h"
#include "os/os.h"

static const char *step; /* what was tried last */

/* Do the next step, if those before have succeeded. */
#define STEP(name, call)                                                               \
    do {                                                                               \
        if (rc == MMF_OK) {                                                            \
            step = (name);                                                             \
            rc = (call);                                                               \
        }                                                                              \
    } while (0)

static int
check_bytes(const void *one, const void *other)
{
    return memcmp(one, other, 4) == 0 ? MMF_OK : MMF_E_CORRUPT;
}

static int
try_map(const char *name)
{
    mmf_map *made = NULL, *opened = NULL;
    void *bytes = NULL, *same = NULL;
    size_t size;
    int rc = MMF_OK;

    STEP("create", mmf_map_create_new(name, 4096, NULL, &made));
    STEP("open", mmf_map_open_existing(name, NULL, &opened));
    STEP("write", mmf_map_bytes(made, MMF_ACCESS_READ_WRITE, &bytes, &size));
    if (rc == MMF_OK)
        memcpy(bytes, "mmf", 4);
    STEP("read", mmf_map_bytes(opened, MMF_ACCESS_READ, &same, &size));
    STEP("read", check_bytes(bytes, same));
    mmf_map_close(opened);
    mmf_map_close(made);
    return rc;
}

static int
try_mutex(const char *name)
{
    mmf_mutex *made = NULL, *opened = NULL;
    int rc = MMF_OK;

    STEP("create", mmf_mutex_create_new(name, 0, NULL, &made));
    STEP("open", mmf_mutex_open_existing(name, NULL, &opened));
    STEP("lock", mmf_mutex_wait(opened, 1000));
    STEP("release", mmf_mutex_release(opened));
    mmf_mutex_close(opened);
    mmf_mutex_close(made);
    return rc;
}

static int
try_event(const char *name)
{
    mmf_event *made = NULL, *opened = NULL;
    int rc = MMF_OK;

    STEP("create", mmf_event_create_new(name, 0, MMF_EVENT_AUTO_RESET, NULL, &made));
    STEP("open", mmf_event_open_existing(name, NULL, &opened));
    STEP("signal", mmf_event_set(made));
    STEP("wait for", mmf_event_wait(opened, 1000));
    mmf_event_close(opened);
    mmf_event_close(made);
    return rc;
}

static int
try_semaphore(const char *name)
{
    mmf_semaphore *made = NULL, *opened = NULL;
    int rc = MMF_OK;

    STEP("create", mmf_semaphore_create_new(name, 0, 1, NULL, &made));
    STEP("open", mmf_semaphore_open_existing(name, NULL, &opened));
    STEP("release", mmf_semaphore_release(made, 1, NULL));
    STEP("wait for", mmf_semaphore_wait(opened, 1000));
    mmf_semaphore_close(opened);
    mmf_semaphore_close(made);
    return rc;
}

static int
try_queue(const char *name)
{
    mmf_channel_options receiver = {.size = sizeof(receiver), .role = MMF_ROLE_RECEIVE};
    mmf_queue *made = NULL, *opened = NULL;
    char bytes[4];
    size_t length;
    int rc = MMF_OK;

    STEP("create", mmf_queue_create_new(name, 4, 2, MMF_OVERFLOW_BLOCK, NULL, &made));
    STEP("open", mmf_queue_open_existing(name, &receiver, &opened));
    STEP("send to", mmf_queue_send(made, "mmf", 4, 1000, NULL));
    STEP("receive from",
         mmf_queue_receive(opened, bytes, sizeof(bytes), 1000, &length, NULL));
    STEP("receive from", check_bytes(bytes, "mmf"));
    mmf_queue_close(opened);
    mmf_queue_close(made);
    return rc;
}

static int
try_topic(const char *name)
{
    mmf_channel_options receiver = {.size = sizeof(receiver), .role = MMF_ROLE_RECEIVE};
    mmf_topic *made = NULL, *opened = NULL;
    char bytes[4];
    size_t length;
    int rc = MMF_OK;

    STEP("create", mmf_topic_create_new(name, 4, 2, MMF_OVERFLOW_BLOCK, NULL, &made));
    STEP("open", mmf_topic_open_existing(name, &receiver, &opened));
    STEP("send to", mmf_topic_send(made, "mmf", 4, 1000, NULL));
    STEP("receive from",
         mmf_topic_receive(opened, bytes, sizeof(bytes), 1000, &length, NULL));
    STEP("receive from", check_bytes(bytes, "mmf"));
    mmf_topic_close(opened);
    mmf_topic_close(made);
    return rc;
}

static int
try_latest(const char *name)
{
    mmf_channel_options receiver = {.size = sizeof(receiver), .role = MMF_ROLE_RECEIVE};
    mmf_latest *made = NULL, *opened = NULL;
    char bytes[4];
    size_t length;
    uint64_t version = 0;
    int rc = MMF_OK;

    STEP("create", mmf_latest_create_new(name, 4, NULL, &made));
    STEP("open", mmf_latest_open_existing(name, &receiver, &opened));
    STEP("send to", mmf_latest_send(made, "mmf", 4, NULL));
    STEP("receive from",
         mmf_latest_receive(opened, bytes, sizeof(bytes), &length, &version));
    STEP("receive from", check_bytes(bytes, "mmf"));
    mmf_latest_close(opened);
    mmf_latest_close(made);
    return rc;
}

/* The server's half would wait: the client sends, and asks for the answer afterwards. */
static int
try_service(const char *name)
{
    mmf_service_options server = {.size = sizeof(server), .role = MMF_ROLE_SERVER};
    mmf_service *made = NULL, *opened = NULL;
    mmf_message request;
    char bytes[4];
    size_t length;
    uint64_t call = 0;
    int rc = MMF_OK;

    STEP("create", mmf_service_create_new(name, 4, 4, 2, NULL, &made));
    STEP("open", mmf_service_open_existing(name, &server, &opened));
    STEP("call", mmf_service_send(made, "mmf", 4, 1000, &call));
    STEP("serve", mmf_service_take(opened, 1000, &request));
    STEP("serve", mmf_service_answer(opened, &request, request.bytes, request.length,
                                     MMF_ANSWER_LAST, 1000));
    STEP("call", mmf_service_receive_answer(made, call, bytes, 4, 1000, &length, NULL));
    STEP("call", check_bytes(bytes, "mmf"));
    mmf_service_close(opened);
    mmf_service_close(made);
    return rc;
}

static const struct {
    const char *kind;
    int (*run)(const char *name);
} trials[] = {{"map", try_map},
              {"mutex", try_mutex},
              {"event", try_event},
              {"semaphore", try_semaphore},
              {"queue", try_queue},
              {"topic", try_topic},
              {"latest value", try_latest},
              {"service", try_service}};

enum { TRIALS = sizeof(trials) / sizeof(trials[0]) };

/* One reason is one finding, however many kinds it stops. */
void
doctor_try(void)
{
    char name[64];
    int done = 0;

    snprintf(name, sizeof(name), "mmf-doctor-%d", os_process());
    for (int i = 0; i < TRIALS; i++) {
        int rc = trials[i].run(name);
        char *what, *why;

        if (rc == MMF_OK) {
            done++;
            continue;
        }
        what = text_format("cannot %s a %s: %s", step, trials[i].kind,
                           rc < 0 ? mmf_last_message() : "timed out");
        why = text_format("A program gets this error, %s.", mmf_status_name(rc));
        doctor_report_made(DOCTOR_BAD, "trial", what, why, doctor_remedy(rc));
        free(why);
        if (strcmp(step, "create") == 0)
            return; /* the others fail for the same reason */
    }
    if (done == TRIALS)
        doctor_report(DOCTOR_GOOD, "trial",
                      "an object of each kind was created, opened, used and closed",
                      NULL, NULL);
}
