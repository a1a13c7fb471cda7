/*
 * fork_test.c - programs that fork: with a lock of their own above the library's, and
 * after they have changed their root or their user.
 */
#include "children.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A library above this one: it has a lock, which it holds while it calls us, and sees
 * to forks in the standard way, from the start, before its first call.
 */

/* Each round has a deadline of its own: a fork beside a sanitizer takes long. */
enum { ROUNDS = HARNESS_ASAN ? 20 : 100, FORKS = 10 };

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool is_over;

static void
lock_library(void)
{
    pthread_mutex_lock(&library);
}

static void
unlock_library(void)
{
    pthread_mutex_unlock(&library);
}

static void *
call_with_lock(void *unused)
{
    while (!atomic_load(&is_over)) {
        mmf_map *map;

        lock_library();
        CHECK_OK(mmf_map_create_or_open("Cat", 4096, NULL, NULL, &map));
        mmf_map_close(map);
        unlock_library();
    }
    return unused;
}

ROLE(fork_beside_calls)
{
    pthread_t thread;
    int status;

    CHECK(pthread_atfork(lock_library, unlock_library, unlock_library) == 0);
    CHECK(pthread_create(&thread, NULL, call_with_lock, NULL) == 0);
    for (int i = 1; i <= ROUNDS * FORKS; i++) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        CHECK(waitpid(child, &status, 0) == child);
        if (i % FORKS == 0)
            role_say("goes on");
    }
    atomic_store(&is_over, true);
    CHECK(pthread_join(thread, NULL) == 0);
    role_say("done");
    return 0;
}

TEST(a_library_above_may_lock_around_calls)
{
    struct process *process;

    process = process_start("fork_beside_calls", NULL);
    for (int i = 0; i < ROUNDS; i++)
        process_expect(process, "goes on"); /* or the deadline passes */
    process_expect(process, "done");
    CHECK_INT(process_finish(process), 0);
}

/*
 * A program makes a map, changes so that the map's path leads there no longer, forks,
 * and is killed while its child lives on. The child has the views; the name is free.
 */

enum { STRANGER = 65534 };

enum change { CHANGE_ROOT, CHANGE_USER, CHANGE_BOTH, NO_DESCRIPTORS };

static const char *const changes[] = {"root", "user", "both", "descriptors"};

static void
change(enum change what)
{
    if (what == CHANGE_ROOT || what == CHANGE_BOTH) {
        CHECK(chroot(harness_dir()) == 0);
        CHECK(chdir("/") == 0);
    }
    if (what == CHANGE_USER || what == CHANGE_BOTH)
        CHECK(setuid(STRANGER) == 0);
    if (what == NO_DESCRIPTORS)
        take_descriptors(0);
}

struct family {
    enum change what;
    int closes; /* the parent closes a descriptor of the file after the fork */
};

/* It hears when its parent is dead, and sees that the bytes are there. */
static _Noreturn void
be_grandchild(struct child *self, const char *bytes)
{
    child_expect(self, 'v');
    CHECK_TEXT(bytes, "score");
    child_send(self, 'y');
    child_hear(self);
    _exit(0);
}

static void
be_parent(struct child *self, void *argument)
{
    const struct family *family = argument;
    mmf_map *map;
    mmf_map *again = NULL;
    mmf_accessor *view;
    void *bytes;
    size_t size;

    CHECK_OK(mmf_map_create_new("Board", 65536, NULL, &map));
    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_pointer(view, &bytes, &size));
    strcpy(bytes, "score");
    change(family->what);
    if (fork() == 0)
        be_grandchild(self, bytes);
    if (family->closes) {
        /* A POSIX lock would be gone with the first descriptor that is closed. */
        close(20);
        close(21);
        CHECK_OK(mmf_map_open_existing("Board", NULL, &again));
        mmf_map_close(again);
    }
    CHECK_TEXT(bytes, "score");
    child_send(self, 'r');
    pause();
}

/* The grandchild has its parent's pipes, and the parent no longer. */
static void
check_family(enum change what, int closes)
{
    struct family family = {.what = what, .closes = closes};
    struct child parent;
    mmf_map *map;
    int status;

    harness_expect_dead();
    child_start(&parent, be_parent, &family);
    child_expect(&parent, 'r');
    CHECK_FAILS(mmf_map_create_new("Board", 100, NULL, &map), MMF_E_EXISTS);
    CHECK(kill(parent.pid, SIGKILL) == 0);
    CHECK(waitpid(parent.pid, &status, 0) == parent.pid);
    CHECK_OK(mmf_map_create_new("Board", 100, NULL, &map));
    mmf_map_close(map);
    child_send(&parent, 'v');
    child_expect(&parent, 'y');
    close(parent.in);
    close(parent.out);
}

TEST(a_fork_takes_no_view_away)
{
    need_other_users();
    for (enum change what = CHANGE_ROOT; what <= NO_DESCRIPTORS; what++) {
        if (what == NO_DESCRIPTORS && (HARNESS_TSAN || HARNESS_ASAN))
            continue; /* a sanitizer needs descriptors of its own */
        CHECK_CONTEXT("%s", changes[what]);
        check_family(what, 0);
    }
}

TEST(a_close_after_such_a_fork_keeps_the_name)
{
    if (HARNESS_TSAN || HARNESS_ASAN)
        harness_skip("a sanitizer needs descriptors of its own");
    check_family(NO_DESCRIPTORS, 1);
}

/*
 * What polls is asked for after the change.
 */

static void
ask_for_descriptor(void *argument)
{
    mmf_queue *queue;
    int fd = -1;
    int rc;

    CHECK_OK(mmf_queue_create_new("Queue", 8, 4, MMF_OVERFLOW_BLOCK, NULL, &queue));
    change(*(const enum change *)argument);
    rc = mmf_queue_fd(queue, &fd);
    if (rc == MMF_OK)
        CHECK(fcntl(fd, F_GETFD) >= 0);
    else
        CHECK_INT(rc, MMF_E_IO); /* what queue.h says */
    mmf_queue_close(queue);
}

TEST(a_queue_s_descriptor_is_of_the_open_file)
{
    need_other_users();
    harness_expect_dead();
    for (enum change what = CHANGE_ROOT; what <= CHANGE_BOTH; what++) {
        CHECK_CONTEXT("%s", changes[what]);
        in_child(ask_for_descriptor, &what);
    }
}

/*
 * posix_spawn runs no handlers: its child has the parent's descriptors until it executes
 * the program, and here a file action keeps it from that.
 */

static char fifo[4096];
static char mark[4096];

static _Noreturn void
spawn_a_waiting_child(void)
{
    char program[] = "/bin/true";
    char *arguments[] = {program, NULL};
    posix_spawn_file_actions_t actions;
    mmf_map *map;
    pid_t child;

    CHECK_OK(mmf_map_create_new("Cat", 4096, NULL, &map));
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 8, mark, O_WRONLY | O_CREAT,
                                           0600) == 0);
    CHECK(posix_spawn_file_actions_addopen(&actions, 9, fifo, O_WRONLY, 0) == 0);
    posix_spawn(&child, program, &actions, NULL, arguments, arguments + 1);
    _exit(0);
}

static void
wait_for_mark(void)
{
    struct timespec pause = {.tv_nsec = 1000000};

    for (int i = 0; access(mark, F_OK) != 0; i++) {
        CHECK(i < 60000);
        nanosleep(&pause, NULL);
    }
}

TEST(a_spawn_s_child_keeps_names_until_it_executes)
{
    mmf_map *map;
    pid_t parent;
    int status;
    int fd;
    char c;

    snprintf(fifo, sizeof(fifo), "%s/fifo", harness_dir());
    snprintf(mark, sizeof(mark), "%s/mark", harness_dir());
    CHECK(mkfifo(fifo, 0600) == 0);
    parent = fork();
    CHECK(parent >= 0);
    if (parent == 0)
        spawn_a_waiting_child();
    wait_for_mark();
    CHECK(kill(parent, SIGKILL) == 0);
    CHECK(waitpid(parent, &status, 0) == parent);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    mmf_map_close(map);
    fd = open(fifo, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && read(fd, &c, 1) == 0); /* the child has executed and ended */
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_FOUND);
    close(fd);
    unlink(fifo);
    unlink(mark);
}

/*
 * A close after the change.
 */

struct closing {
    enum change what;
    mmf_inheritability inheritability;
};

static void
close_after(void *argument)
{
    const struct closing *closing = argument;
    mmf_map *map;
    mmf_map *other;
    mmf_error before;
    mmf_error after;

    CHECK_OK(mmf_map_create_new(
        "Board", 4096, MAP_OPTIONS(.inheritability = closing->inheritability), &map));
    CHECK_OK(mmf_map_create_new("Other", 4096, NULL, &other));
    CHECK_FAILS(mmf_map_create_new("", 4096, NULL, &map), MMF_E_INVALID);
    mmf_last_error(&before);
    mmf_map_close(other);
    mmf_last_error(&after);
    CHECK_TEXT(after.message, before.message);
    change(closing->what);
    mmf_map_close(map);
    mmf_last_error(&after);
    CHECK_INT(after.status, MMF_E_ACCESS);
    check_says("Board stays");
    check_says("mmf gc");
}

static void
close_in_child(enum change what, mmf_inheritability inheritability)
{
    struct closing closing = {what, inheritability};
    mmf_map *map;
    mmf_gc_result result;

    CHECK_CONTEXT("%s, %d", changes[what], (int)inheritability);
    in_child(close_after, &closing);
    CHECK_OK(mmf_gc(MMF_LIST_KEEP_ORPHANED, &result));
    CHECK_INT(result.removed, 1);
    CHECK_OK(mmf_map_create_new("Board", 100, NULL, &map));
    mmf_map_close(map);
    CHECK_OK(mmf_gc(0, &result));
    CHECK_INT(result.removed, 0);
}

TEST(a_close_that_cannot_remove_the_file_says_so)
{
    need_other_users();
    for (enum change what = CHANGE_ROOT; what <= CHANGE_BOTH; what++) {
        close_in_child(what, MMF_INHERITABILITY_NONE);
        close_in_child(what, MMF_INHERITABILITY_INHERITABLE);
    }
}
