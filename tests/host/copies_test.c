/*
 * copies_test.c - several copies of the library in one process: the program's own, which is
 * shared, and two plug-ins that have it in themselves. They are to each other like
 * processes: a name lives until the last of them closes it, and what one owns no other does.
 */
#include "../harness/check.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COPIES = 3, OPENED = 40 };

/* The calls of one copy. */
struct copy {
    __typeof__(&mmf_map_create_new) map_create_new;
    __typeof__(&mmf_map_open_existing) map_open_existing;
    __typeof__(&mmf_map_bytes) map_bytes;
    __typeof__(&mmf_map_close) map_close;
    __typeof__(&mmf_mutex_create_or_open) mutex_create_or_open;
    __typeof__(&mmf_mutex_wait) mutex_wait;
    __typeof__(&mmf_mutex_release) mutex_release;
    __typeof__(&mmf_mutex_close) mutex_close;
    __typeof__(&mmf_queue_create_or_open) queue_create_or_open;
    __typeof__(&mmf_queue_send) queue_send;
    __typeof__(&mmf_queue_receive) queue_receive;
    __typeof__(&mmf_queue_close) queue_close;
    __typeof__(&mmf_gc) gc;
};

static struct copy copies[COPIES];

#define FIND(copy, plugin, name)                                                       \
    do {                                                                               \
        void *found = dlsym(plugin, "mmf_" #name);                                     \
                                                                                       \
        CHECK(found != NULL);                                                          \
        memcpy(&(copy)->name, &found, sizeof(found));                                  \
    } while (0)

static void
find_all(struct copy *copy, const char *file)
{
    void *from = dlopen(file, RTLD_NOW | RTLD_LOCAL);

    CHECK_CONTEXT("%s", from != NULL ? "" : dlerror());
    CHECK(from != NULL);
    FIND(copy, from, map_create_new);
    FIND(copy, from, map_open_existing);
    FIND(copy, from, map_bytes);
    FIND(copy, from, map_close);
    FIND(copy, from, mutex_create_or_open);
    FIND(copy, from, mutex_wait);
    FIND(copy, from, mutex_release);
    FIND(copy, from, mutex_close);
    FIND(copy, from, queue_create_or_open);
    FIND(copy, from, queue_send);
    FIND(copy, from, queue_receive);
    FIND(copy, from, queue_close);
    FIND(copy, from, gc);
}

static void
load_copies(void)
{
    if (copies[0].gc != NULL)
        return;
    find_all(&copies[0], NULL);
    find_all(&copies[1], COPY_ONE);
    find_all(&copies[2], COPY_TWO);
    for (int i = 1; i < COPIES; i++)
        CHECK(copies[i].map_close != copies[i - 1].map_close);
    CHECK(copies[2].map_close != copies[0].map_close);
}

/* Another process can open it. */
static int
is_there(void)
{
    mmf_map *map;
    pid_t child = fork();
    int status;

    CHECK(child >= 0);
    if (child == 0) {
        int rc = mmf_map_open_existing("Cat", NULL, &map);

        if (rc != MMF_OK)
            _exit(rc == MMF_E_NOT_FOUND ? 1 : 2);
        mmf_map_close(map);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 0;
}

/* The map "Cat" in all copies, with its bytes. */
static void
open_all(mmf_map *maps[COPIES])
{
    for (int i = 0; i < COPIES; i++) {
        void *bytes;
        size_t size;

        if (i == 0)
            CHECK_OK(copies[0].map_create_new("Cat", 100, NULL, &maps[0]));
        else
            CHECK_OK(copies[i].map_open_existing("Cat", NULL, &maps[i]));
        CHECK_OK(copies[i].map_bytes(maps[i], MMF_ACCESS_READ_WRITE, &bytes, &size));
        CHECK_INT(*(char *)bytes, i);
        *(char *)bytes = (char)(i + 1);
    }
}

TEST(the_last_copy_s_close_releases_the_name)
{
    load_copies();
    for (int last = 0; last < COPIES; last++) {
        mmf_map *maps[COPIES];
        mmf_gc_result result;

        CHECK_CONTEXT("the last is %d", last);
        open_all(maps);
        for (int i = 0; i < COPIES; i++) {
            if (i != last)
                copies[i].map_close(maps[i]);
            CHECK(is_there());
            CHECK_OK(copies[i].gc(0, &result));
            CHECK(is_there());
        }
        copies[last].map_close(maps[last]);
        CHECK(!is_there());
    }
}

/* They choose bytes to lock in the same order. */
TEST(many_handles_of_two_copies)
{
    mmf_map *maps[COPIES][OPENED], *first;

    load_copies();
    CHECK_OK(copies[0].map_create_new("Cat", 100, NULL, &first));
    for (int i = 0; i < COPIES; i++)
        for (int j = 0; j < OPENED; j++)
            CHECK_OK(copies[i].map_open_existing("Cat", NULL, &maps[i][j]));
    for (int i = 0; i < COPIES; i++)
        for (int j = 0; j < OPENED; j++)
            copies[i].map_close(maps[i][j]);
    CHECK(is_there());
    copies[0].map_close(first);
    CHECK(!is_there());
}

/* In the child all handles of all copies are dead, and it keeps no name. */
TEST(a_fork_keeps_no_name_of_any_copy)
{
    mmf_map *maps[COPIES];
    void *bytes;
    size_t size;
    int to[2], status;
    pid_t child;

    load_copies();
    open_all(maps);
    CHECK(pipe(to) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char c;

        for (int i = 0; i < COPIES; i++)
            if (copies[i].map_bytes(maps[i], MMF_ACCESS_READ_WRITE, &bytes, &size) !=
                MMF_E_DISPOSED)
                _exit(1);
        close(to[1]);
        _exit(read(to[0], &c, 1) == 0 ? 0 : 1); /* until the parent closes it */
    }
    close(to[0]);
    for (int i = 0; i < COPIES; i++) {
        CHECK(is_there());
        copies[i].map_close(maps[i]);
    }
    CHECK(!is_there());
    close(to[1]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
}

TEST(a_mutex_has_one_owner)
{
    mmf_mutex *mutexes[COPIES];

    load_copies();
    for (int i = 0; i < COPIES; i++)
        CHECK_OK(copies[i].mutex_create_or_open("Lock", 0, NULL, NULL, &mutexes[i]));
    for (int i = 0; i < COPIES; i++) {
        CHECK_STATUS(copies[i].mutex_wait(mutexes[i], 0), MMF_OK);
        for (int j = 0; j < COPIES; j++)
            if (j != i)
                CHECK_STATUS(copies[j].mutex_wait(mutexes[j], 0), MMF_TIMED_OUT);
        CHECK_OK(copies[i].mutex_release(mutexes[i]));
    }
    for (int i = 0; i < COPIES; i++)
        copies[i].mutex_close(mutexes[i]);
}

TEST(a_queue_goes_from_copy_to_copy)
{
    mmf_channel_options options = {.size = sizeof(options)};
    mmf_queue *queues[COPIES];

    load_copies();
    options.flags = MMF_CHANNEL_PEER_CLOSED;
    for (int i = 0; i < COPIES; i++) {
        options.role = i == 0 ? MMF_ROLE_SEND : MMF_ROLE_RECEIVE;
        CHECK_OK(copies[i].queue_create_or_open("Queue", 8, 4, MMF_OVERFLOW_BLOCK,
                                                &options, NULL, &queues[i]));
    }
    for (int i = 1; i < COPIES; i++) {
        char buffer[8];
        size_t length;

        CHECK_OK(copies[0].queue_send(queues[0], "12345678", 8, 0, NULL));
        CHECK_OK(copies[i].queue_receive(queues[i], buffer, 8, 0, &length, NULL));
        CHECK_BYTES(buffer, "12345678", 8);
    }
    copies[0].queue_close(queues[0]);
    for (int i = 1; i < COPIES; i++) {
        char buffer[8];
        size_t length;

        CHECK_STATUS(copies[i].queue_receive(queues[i], buffer, 8, 100, &length, NULL),
                     MMF_E_PEER_CLOSED);
        copies[i].queue_close(queues[i]);
    }
}
