/*
 * topic_victim.c - see topic_victim.h.
 */
#include "topic_victim.h"

#include "trace.h"

#include <string.h>

const struct operation *current;
struct ledger *ledger;

void
fill(uint8_t *bytes, uint64_t number)
{
    memcpy(bytes, &number, 8);
    for (size_t i = 8; i < SIZE; i++)
        bytes[i] = (uint8_t)(number * 31 + i * 7);
}

void
note(uint64_t number, enum fate fate)
{
    ledger->fates[number] = (int)fate;
}

void
must(int rc)
{
    if (rc != MMF_OK)
        ledger->failed = rc < 0 ? rc : 1000;
}

/*
 * Handles.
 */

static mmf_channel_options
options_for(mmf_role role)
{
    mmf_channel_options options;

    mmf_channel_options_init(&options);
    options.role = role;
    options.max_senders = options.max_receivers = PARTICIPANTS;
    options.strategy = MMF_STRATEGY_WAIT;
    return options;
}

mmf_topic *
open_topic(mmf_role role)
{
    mmf_channel_options options = options_for(role);
    mmf_topic *opened = NULL;

    return mmf_topic_open_existing("T", &options, &opened) == MMF_OK ? opened : NULL;
}

mmf_latest *
open_latest(mmf_role role)
{
    mmf_channel_options options = options_for(role);
    mmf_latest *opened = NULL;

    return mmf_latest_open_existing("L", &options, &opened) == MMF_OK ? opened : NULL;
}

int
create_topic(mmf_role role, mmf_topic **out, int *created)
{
    mmf_channel_options options = options_for(role);

    return mmf_topic_create_or_open("T", SIZE, SLOTS,
                                    current->flags & DROP ? MMF_OVERFLOW_DROP_OLDEST
                                                          : MMF_OVERFLOW_BLOCK,
                                    &options, created, out);
}

int
create_latest(mmf_role role, mmf_latest **out, int *created)
{
    mmf_channel_options options = options_for(role);

    return mmf_latest_create_or_open("L", SIZE, &options, created, out);
}

/*
 * The victim's calls.
 */

mmf_topic *topic;
mmf_latest *latest;
static void *reserved;
static mmf_message taken;

void
publish_number(uint64_t number, size_t length)
{
    uint8_t bytes[SIZE];

    fill(bytes, number);
    note(number, COMMITTING);
    must(mmf_topic_send(topic, bytes, length, LONG_MS, NULL));
    note(number, COMMITTED);
}

static void
run_publish(void)
{
    publish_number(1, 8);
}

static void
run_publish_twice(void)
{
    publish_number(1, SIZE);
    publish_number(2, 60);
}

static void
run_publish_many(void)
{
    static uint8_t bytes[3][SIZE];
    mmf_buffer buffers[3];
    size_t published = 0;

    for (int i = 0; i < 3; i++) {
        fill(bytes[i], (uint64_t)i + 1);
        buffers[i].bytes = bytes[i];
        buffers[i].length = (size_t)(8 + i);
        note((uint64_t)i + 1, COMMITTING);
    }
    must(mmf_topic_send_many(topic, buffers, 3, 0, &published));
    must(published == 3 ? MMF_OK : 1001);
    for (size_t i = 0; i < published; i++)
        note((uint64_t)i + 1, COMMITTED);
}

static void
run_publish_in_vain(void)
{
    must(mmf_topic_send(topic, "x", 1, 30, NULL) == MMF_TIMED_OUT ? MMF_OK : 1002);
}

void
run_reserve(void)
{
    must(mmf_topic_reserve(topic, SIZE, LONG_MS, &reserved));
}

static void
run_commit(void)
{
    fill(reserved, 1);
    note(1, COMMITTING);
    must(mmf_topic_commit(topic, SIZE, NULL));
    note(1, COMMITTED);
}

static void
run_abandon(void)
{
    must(mmf_topic_abandon(topic));
}

static void
run_close(void)
{
    mmf_topic_close(topic);
    mmf_latest_close(latest);
}

static void
run_subscribe(void)
{
    topic = open_topic(MMF_ROLE_RECEIVE);
    must(topic != NULL ? MMF_OK : 1003);
}

static void
run_subscribe_with_replay(void)
{
    mmf_channel_options options = options_for(MMF_ROLE_RECEIVE);

    options.replay = 2;
    must(mmf_topic_open_existing("T", &options, &topic));
}

static void
run_open_to_publish(void)
{
    topic = open_topic(MMF_ROLE_SEND);
    must(topic != NULL ? MMF_OK : 1003);
}

static void
run_create_topic(void)
{
    must(create_topic(MMF_ROLE_BOTH, &topic, NULL));
    run_publish();
}

static void
run_topic_stat(void)
{
    mmf_channel_stats stats;

    must(mmf_topic_stat(topic, &stats));
}

/* Messages of ours that the victim, a subscriber by now, has before it. */
static void
prepare_messages(void)
{
    mmf_topic *subscriber = topic;
    int count = current->flags & FULL ? SLOTS : 2;

    topic = open_topic(MMF_ROLE_SEND);
    for (int i = 0; i < count; i++)
        publish_number(OURS + (uint64_t)i, 8);
    mmf_topic_close(topic);
    topic = subscriber;
}

static void
run_take(void)
{
    must(mmf_topic_take(topic, LONG_MS, &taken));
}

static void
prepare_take(void)
{
    prepare_messages();
    run_take();
}

static void
run_release(void)
{
    must(mmf_topic_release(topic));
}

static void
run_receive(void)
{
    uint64_t number = 0;
    size_t length;

    must(mmf_topic_receive(topic, &number, 8, LONG_MS, &length, NULL));
    must(number == OURS ? MMF_OK : 1004);
}

/* Some were overwritten before it came to them. */
static void
prepare_overtaken(void)
{
    mmf_topic *subscriber = topic;

    topic = open_topic(MMF_ROLE_SEND);
    for (int i = 0; i < SLOTS * 2; i++)
        publish_number(OURS + (uint64_t)i, 8);
    mmf_topic_close(topic);
    topic = subscriber;
}

static void
run_receive_overtaken(void)
{
    uint64_t number = 0;
    size_t length;
    mmf_message message;

    must(mmf_topic_receive(topic, &number, 8, LONG_MS, &length, &message));
    must(message.lost == number - OURS && message.lost > 0 ? MMF_OK : 1005);
}

static void
run_receive_too_small(void)
{
    size_t length;
    char byte;
    int rc = mmf_topic_receive(topic, &byte, 1, LONG_MS, &length, NULL);

    must(rc == MMF_E_RANGE ? MMF_OK : 1006);
}

static void
run_receive_in_vain(void)
{
    uint64_t number;
    size_t length;
    int rc = mmf_topic_receive(topic, &number, 8, 30, &length, NULL);

    must(rc == MMF_TIMED_OUT ? MMF_OK : 1007);
}

static void
run_topic_fd(void)
{
    int fd;

    must(mmf_topic_fd(topic, &fd));
}

static void
write_value(uint64_t number, size_t length)
{
    uint8_t bytes[SIZE];

    fill(bytes, number);
    note(number, COMMITTING);
    must(mmf_latest_send(latest, bytes, length, NULL));
    note(number, COMMITTED);
}

static void
run_write(void)
{
    write_value(OURS + 10, SIZE);
}

/* A lap and a half: it comes to the newest's slot, too. */
static void
run_write_often(void)
{
    for (uint64_t i = 0; i < (uint64_t)LATEST_SLOTS * 3 / 2; i++)
        write_value(OURS + 10 + i, 8 + (size_t)i);
}

void
run_latest_reserve(void)
{
    must(mmf_latest_reserve(latest, SIZE, &reserved));
}

static void
run_latest_commit(void)
{
    fill(reserved, OURS + 10);
    note(OURS + 10, COMMITTING);
    must(mmf_latest_commit(latest, SIZE, NULL));
    note(OURS + 10, COMMITTED);
}

static void
run_latest_abandon(void)
{
    must(mmf_latest_abandon(latest));
}

static void
run_open_to_write(void)
{
    latest = open_latest(MMF_ROLE_SEND);
    must(latest != NULL ? MMF_OK : 1003);
}

static void
run_open_to_read(void)
{
    latest = open_latest(MMF_ROLE_RECEIVE);
    must(latest != NULL ? MMF_OK : 1003);
}

static void
run_create_latest(void)
{
    must(create_latest(MMF_ROLE_BOTH, &latest, NULL));
    run_write();
}

static void
run_read(void)
{
    uint8_t bytes[SIZE];
    uint64_t number, version;
    size_t length;

    must(mmf_latest_receive(latest, bytes, SIZE, &length, &version));
    memcpy(&number, bytes, 8);
    must(number == OURS + 1 && version > 0 ? MMF_OK : 1008);
}

static void
run_latest_take(void)
{
    must(mmf_latest_take(latest, &taken));
}

static void
run_latest_release(void)
{
    must(mmf_latest_release(latest));
}

static void
run_wait(void)
{
    must(mmf_latest_wait(latest, 0, LONG_MS));
}

static void
run_wait_in_vain(void)
{
    must(mmf_latest_wait(latest, 0, 30) == MMF_TIMED_OUT ? MMF_OK : 1009);
}

static void
run_latest_fd(void)
{
    int fd;

    must(mmf_latest_fd(latest, &fd));
}

static void
run_latest_stat(void)
{
    mmf_channel_stats stats;

    must(mmf_latest_stat(latest, &stats));
}

#define SEND MMF_ROLE_SEND
#define RECEIVE MMF_ROLE_RECEIVE

const struct operation operations[] = {
    {"topic: create, publish", ALONE, 0, NULL, run_create_topic},
    {"topic: open to publish", MESSAGES, 0, NULL, run_open_to_publish},
    {"topic: subscribe", MESSAGES, 0, NULL, run_subscribe},
    {"topic: subscribe with replay", MESSAGES, 0, NULL, run_subscribe_with_replay},
    {"topic: subscribe over a dead one", MESSAGES | DEAD_READER | SLOW, 0, NULL,
     run_subscribe},
    {"topic: publish", MESSAGES, SEND, NULL, run_publish},
    {"topic: publish, twice", 0, SEND, NULL, run_publish_twice},
    {"topic: publish, dropping the oldest", DROP | FULL, SEND, NULL, run_publish_twice},
    {"topic: publish to a full topic", FULL | SLOW, SEND, NULL, run_publish_in_vain},
    {"topic: publish to a sleeper", SLEEPER | SLOW, SEND, NULL, run_publish},
    {"topic: publish over a dead one's slot", DEAD_WRITER | SLOW, SEND, NULL,
     run_publish_many},
    {"topic: publish_many", 0, SEND, NULL, run_publish_many},
    {"topic: reserve", MESSAGES, SEND, NULL, run_reserve},
    {"topic: commit", MESSAGES, SEND, run_reserve, run_commit},
    {"topic: abandon", MESSAGES, SEND, run_reserve, run_abandon},
    {"topic: abandon to a sleeper", SLEEPER | SLOW, SEND, run_reserve, run_abandon},
    {"topic: close with a reservation", MESSAGES, SEND, run_reserve, run_close},
    {"topic: reserve, dropping the oldest", DROP | FULL, SEND, NULL, run_reserve},
    {"topic: commit, dropping the oldest", DROP | FULL, SEND, run_reserve, run_commit},
    {"topic: abandon, dropping the oldest", DROP | FULL, SEND, run_reserve,
     run_abandon},
    {"topic: take", 0, RECEIVE, prepare_messages, run_take},
    {"topic: release", 0, RECEIVE, prepare_take, run_release},
    {"topic: release to a publisher that waits", FULL | WRITER | SLOW, RECEIVE,
     prepare_take, run_release},
    {"topic: receive", 0, RECEIVE, prepare_messages, run_receive},
    {"topic: receive, overtaken", DROP, RECEIVE, prepare_overtaken,
     run_receive_overtaken},
    {"topic: receive, too small a buffer", 0, RECEIVE, prepare_messages,
     run_receive_too_small},
    {"topic: receive from an empty topic", SLOW, RECEIVE, NULL, run_receive_in_vain},
    {"topic: receive past a dead one", DEAD_WRITER | SLOW, RECEIVE, prepare_messages,
     run_receive},
    {"topic: close with a message", 0, RECEIVE, prepare_take, run_close},
    {"topic: fd", 0, RECEIVE, prepare_messages, run_topic_fd},
    {"topic: stat", MESSAGES, RECEIVE, NULL, run_topic_stat},
    {"latest: create, write", LATEST | ALONE, 0, NULL, run_create_latest},
    {"latest: open to write", LATEST | MESSAGES, 0, NULL, run_open_to_write},
    {"latest: open to read", LATEST | MESSAGES, 0, NULL, run_open_to_read},
    {"latest: write", LATEST | MESSAGES, SEND, NULL, run_write},
    {"latest: write the first", LATEST, SEND, NULL, run_write},
    {"latest: write a lap and a half", LATEST | MESSAGES, SEND, NULL, run_write_often},
    {"latest: write to a sleeper", LATEST | SLEEPER | SLOW, SEND, NULL, run_write},
    {"latest: write over a dead one's slot", LATEST | MESSAGES | DEAD_WRITER, SEND,
     NULL, run_write_often},
    {"latest: reserve", LATEST | MESSAGES, SEND, NULL, run_latest_reserve},
    {"latest: commit", LATEST | MESSAGES, SEND, run_latest_reserve, run_latest_commit},
    {"latest: abandon", LATEST | MESSAGES, SEND, run_latest_reserve,
     run_latest_abandon},
    {"latest: close with a reservation", LATEST | MESSAGES, SEND, run_latest_reserve,
     run_close},
    {"latest: read", LATEST | MESSAGES, RECEIVE, NULL, run_read},
    {"latest: read behind a dead one", LATEST | MESSAGES | DEAD_WRITER, RECEIVE, NULL,
     run_read},
    {"latest: take", LATEST | MESSAGES, RECEIVE, NULL, run_latest_take},
    {"latest: release", LATEST | MESSAGES, RECEIVE, run_latest_take,
     run_latest_release},
    {"latest: wait", LATEST | MESSAGES, RECEIVE, NULL, run_wait},
    {"latest: wait in vain", LATEST | SLOW, RECEIVE, NULL, run_wait_in_vain},
    {"latest: close with a value", LATEST | MESSAGES, RECEIVE, run_latest_take,
     run_close},
    {"latest: fd", LATEST | MESSAGES, RECEIVE, NULL, run_latest_fd},
    {"latest: stat", LATEST | MESSAGES, RECEIVE, NULL, run_latest_stat},
};

const size_t operation_count = sizeof(operations) / sizeof(operations[0]);

void
open_handle(mmf_role role)
{
    if (current->flags & LATEST)
        latest = open_latest(role);
    else
        topic = open_topic(role);
    must(latest != NULL || topic != NULL ? MMF_OK : 1010);
}

void
victim(void *argument)
{
    (void)argument;
    topic = NULL;
    latest = NULL;
    if (current->role != 0)
        open_handle(current->role);
    if (current->prepare != NULL)
        current->prepare();
    trace_begin();
    current->run();
    trace_end();
}
