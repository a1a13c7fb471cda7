/*
 * channel_space_test.c - channels without space: on a tmpfs of 1 MiB.
 *
 * A channel that could be made has all of its bytes: no process that uses it gets
 * SIGBUS, however full the file system becomes. Mounting needs root.
 */
#include "children.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    SIZE = 40000, /* of a message */
    COUNT = 4,
    LARGE = 1 << 20, /* of a message that makes it too much */
    MOST = 8,
    PARTICIPANTS = 64 /* of each role: the default */
};

/* How much there is, and how much it takes. */
static void
check_sizes(const char *needed)
{
    check_says("holds 1024 KiB");
    check_says(needed);
    check_says("MMF_DIR");
}

TEST_IN_CHILD(what_does_not_fit_is_refused_with_sizes, need_mounts)
{
    mmf_queue *queue;
    mmf_topic *topic;
    mmf_latest *latest;
    mmf_channel_stats stats;
    uint64_t before;
    int created = -7;

    mount_small("size=1m,mode=1777");
    before = free_blocks();
    CHECK_FAILS(mmf_queue_create_or_open("Jobs", LARGE, COUNT, MMF_OVERFLOW_BLOCK, NULL,
                                         &created, &queue),
                MMF_E_NO_SPACE);
    check_sizes("needs 41"); /* four messages of 1,024 KiB, tables and page */
    CHECK_FAILS(mmf_queue_create_or_open("Global\\Jobs", LARGE, COUNT,
                                         MMF_OVERFLOW_BLOCK, NULL, &created, &queue),
                MMF_E_NO_SPACE);
    CHECK_FAILS(mmf_topic_create_or_open("News", LARGE, COUNT, MMF_OVERFLOW_BLOCK, NULL,
                                         &created, &topic),
                MMF_E_NO_SPACE);
    check_sizes("needs 41");
    CHECK_FAILS(mmf_latest_create_or_open("Price", LARGE, NULL, &created, &latest),
                MMF_E_NO_SPACE);
    check_sizes("needs 82"); /* it has eight slots */
    CHECK_INT(created, -7);
    CHECK_INT(count_files(NULL, 0), 0);
    CHECK_INT(free_blocks(), before);
    CHECK_FAILS(mmf_queue_open_existing("Jobs", NULL, &queue), MMF_E_NOT_FOUND);
    CHECK_FAILS(mmf_channel_stat("News", &stats), MMF_E_NOT_FOUND);
}

/* No byte is left. */
static void
fill_up(void)
{
    static const uint8_t bytes[4096];
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "%s/filler", harness_dir());
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    while (write(fd, bytes, sizeof(bytes)) > 0)
        continue;
    close(fd);
    CHECK_INT(free_blocks(), 0);
}

static void
remove_filler(void)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/filler", harness_dir());
    CHECK(unlink(path) == 0);
}

/* Every byte of every slot, and of both tables. */
static void
use_queue(mmf_queue *queue)
{
    static uint8_t sent[SIZE], got[SIZE];
    mmf_queue *others[PARTICIPANTS - 1];
    size_t length;

    for (int i = 0; i < 2 * COUNT; i++) {
        memset(sent, i + 1, SIZE);
        for (int slot = 0; slot < COUNT; slot++)
            CHECK_STATUS(mmf_queue_send(queue, sent, SIZE, 0, NULL), MMF_OK);
        for (int slot = 0; slot < COUNT; slot++) {
            CHECK_STATUS(mmf_queue_receive(queue, got, SIZE, 0, &length, NULL), MMF_OK);
            CHECK_BYTES(got, sent, SIZE);
        }
    }
    for (int i = 0; i < PARTICIPANTS - 1; i++)
        CHECK_OK(mmf_queue_open_existing("Global\\0", NULL, &others[i]));
    for (int i = 0; i < PARTICIPANTS - 1; i++)
        mmf_queue_close(others[i]);
}

static void
use_topic(mmf_topic *topic)
{
    static uint8_t sent[SIZE], got[SIZE];
    size_t length;

    for (int i = 0; i < 2 * COUNT; i++) {
        memset(sent, i + 1, SIZE);
        CHECK_STATUS(mmf_topic_send(topic, sent, SIZE, 0, NULL), MMF_OK);
        CHECK_STATUS(mmf_topic_receive(topic, got, SIZE, 0, &length, NULL), MMF_OK);
        CHECK_BYTES(got, sent, SIZE);
    }
}

static void
use_latest(mmf_latest *latest)
{
    static uint8_t sent[SIZE], got[SIZE];
    uint64_t version;
    size_t length;

    for (int i = 0; i < 16; i++) {
        memset(sent, i + 1, sizeof(sent));
        CHECK_OK(mmf_latest_send(latest, sent, SIZE / 4, NULL));
        CHECK_OK(mmf_latest_receive(latest, got, SIZE / 4, &length, &version));
        CHECK_BYTES(got, sent, SIZE / 4);
    }
}

TEST_IN_CHILD(a_channel_that_exists_never_runs_out, need_mounts)
{
    mmf_queue *queues[MOST], *more;
    mmf_topic *topic;
    mmf_latest *latest;
    uint64_t before;
    int count = 0, created = -7, rc = MMF_OK;

    mount_small("size=1m,mode=1777");
    before = free_blocks();
    CHECK_OK(mmf_topic_create_or_open("News", SIZE, COUNT, MMF_OVERFLOW_BLOCK, NULL,
                                      NULL, &topic));
    CHECK_OK(mmf_latest_create_or_open("Price", SIZE / 4, NULL, NULL, &latest));
    while (count < MOST && rc == MMF_OK) {
        char name[24];

        snprintf(name, sizeof(name), "Global\\%d", count);
        rc = mmf_queue_create_or_open(name, SIZE, COUNT, MMF_OVERFLOW_BLOCK, NULL, NULL,
                                      &queues[count]);
        count += rc == MMF_OK;
    }
    CHECK_INT(rc, MMF_E_NO_SPACE);
    CHECK(count >= 2);
    fill_up();
    for (int i = 0; i < count; i++)
        use_queue(queues[i]);
    use_topic(topic);
    use_latest(latest);
    /* A queue that exists opens on a full file system; another size is no lack of
     * space. */
    CHECK_OK(mmf_queue_create_or_open("Global\\0", SIZE, COUNT, MMF_OVERFLOW_BLOCK,
                                      NULL, &created, &more));
    CHECK_INT(created, 0);
    mmf_queue_close(more);
    CHECK_FAILS(mmf_queue_create_or_open("Global\\0", LARGE, COUNT, MMF_OVERFLOW_BLOCK,
                                         NULL, NULL, &more),
                MMF_E_MISMATCH);
    remove_filler();
    for (int i = 0; i < count; i++)
        mmf_queue_close(queues[i]);
    mmf_topic_close(topic);
    mmf_latest_close(latest);
    CHECK_INT(count_files(NULL, 0), 0);
    CHECK_INT(free_blocks(), before);
}

/* Leaves an orphan of most of the space, with messages in it. */
static void
take_room_and_die(void *argument)
{
    static const uint8_t bytes[SIZE];
    mmf_queue *queue;

    (void)argument;
    CHECK_OK(mmf_queue_create_or_open("dead", SIZE, 16, MMF_OVERFLOW_BLOCK, NULL, NULL,
                                      &queue));
    CHECK_STATUS(mmf_queue_send(queue, bytes, SIZE, 0, NULL), MMF_OK);
}

TEST_IN_CHILD(the_dead_make_room, need_mounts)
{
    mmf_queue *queue;
    mmf_topic *topic;

    mount_small("size=1m,mode=1777");
    in_child(take_room_and_die, NULL);
    CHECK_INT(count_files(NULL, 0), 1);
    CHECK_OK(mmf_topic_create_or_open("News", SIZE, 16, MMF_OVERFLOW_BLOCK, NULL, NULL,
                                      &topic));
    use_topic(topic);
    CHECK_INT(count_files(NULL, 0), 1);
    /* The living keep theirs. */
    CHECK_FAILS(mmf_queue_create_or_open("Jobs", SIZE, 16, MMF_OVERFLOW_BLOCK, NULL,
                                         NULL, &queue),
                MMF_E_NO_SPACE);
    mmf_topic_close(topic);
}
