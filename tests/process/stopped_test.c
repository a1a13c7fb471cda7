/*
 * stopped_test.c - a process that is stopped in the middle of opening hinders no other;
 * stopped in the middle of collecting or closing it makes others wait, but not forever:
 * MMF_E_BUSY after about two seconds.
 */
#include "children.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The process that is stopped: it does one thing between the marks, then says what came
 * of it and, if it got a handle, holds it until it is killed.
 */
static int report[2];
static mmf_map *its_map;

static void
say_and_stay(int rc)
{
    CHECK(write(report[1], &rc, sizeof(rc)) == sizeof(rc));
    for (;;)
        pause();
}

static void
open_it(void *argument)
{
    int rc;

    (void)argument;
    trace_begin();
    rc = mmf_map_open_existing("Cat", NULL, &its_map);
    say_and_stay(rc);
}

static void
create_it(void *argument)
{
    int rc;

    (void)argument;
    trace_begin();
    rc = mmf_map_create_new("Cat", 100, NULL, &its_map);
    say_and_stay(rc);
}

static void
close_it(void *argument)
{
    (void)argument;
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &its_map));
    trace_begin();
    mmf_map_close(its_map);
    say_and_stay(MMF_OK);
}

static int
reported(void)
{
    int rc = 1;

    CHECK(read(report[0], &rc, sizeof(rc)) == sizeof(rc));
    return rc;
}

__attribute__((constructor)) static void
make_report(void)
{
    if (pipe2(report, O_CLOEXEC) != 0)
        abort();
}

static int
need_ptrace(void **state)
{
    (void)state;
    if (!trace_possible())
        harness_skip("this process may not trace its children");
    return 0;
}

/* Just after which system call it shall stop. */
enum point {
    ASKED,      /* an opener has asked for the holders of the object */
    HELD,       /* an opener holds it, and has not looked whether it has its name */
    COLLECTING, /* a collecting process has write-locked it all */
    PREPARED    /* a creator holds what has no name yet */
};

static int
is_at(enum point point, pid_t pid, const struct trace_stop *stop)
{
    struct flock lock;

    if (stop->place != TRACE_EXIT || stop->number != SYS_fcntl || stop->result != 0 ||
        (stop->arguments[1] != F_OFD_SETLK && stop->arguments[1] != F_OFD_GETLK))
        return 0;
    CHECK(trace_read(pid, stop->arguments[2], &lock, sizeof(lock)) == 0);
    switch (point) {
    case ASKED:
        return stop->arguments[1] == F_OFD_GETLK;
    case HELD:
    case PREPARED:
        return stop->arguments[1] == F_OFD_SETLK && lock.l_type == F_WRLCK &&
               lock.l_len == 1;
    default:
        return stop->arguments[1] == F_OFD_SETLK && lock.l_type == F_WRLCK &&
               lock.l_len > 1;
    }
}

static void
run_to(enum point point, pid_t pid, struct trace_stop *stop)
{
    do {
        trace_system_call(pid, stop);
        if (stop->place == TRACE_GONE)
            CHECK_FAIL("it has ended before it came there");
    } while (!is_at(point, pid, stop));
}

/* A process that runs `run` and is stopped at `point`, as by SIGSTOP. */
static pid_t
stopped_at(enum point point, void (*run)(void *))
{
    struct trace_stop stop = {0};
    pid_t pid = trace_fork(run, NULL);

    harness_expect_dead();
    run_to(point, pid, &stop);
    trace_leave_stopped(pid);
    return pid;
}

/* It goes on, and this is what comes of it. */
static int
goes_on(pid_t pid)
{
    kill(pid, SIGCONT);
    return reported();
}

static void
end_it(pid_t pid)
{
    int status;

    kill(pid, SIGKILL);
    CHECK(waitpid(pid, &status, 0) == pid);
}

static void
be_busy(struct child *self, void *argument)
{
    int way = *(int *)argument;
    mmf_map *map;
    int rc = way == 0   ? mmf_map_open_existing("Cat", NULL, &map)
             : way == 1 ? mmf_map_create_new("Cat", 100, NULL, &map)
                        : mmf_map_create_or_open("Cat", 100, NULL, NULL, &map);

    CHECK_INT(rc, MMF_E_BUSY);
    CHECK(strstr(mmf_last_message(), "Cat") != NULL);
    child_send(self, 'b');
}

/* Three processes try at once; all must give up after about two seconds. */
static void
check_all_busy(void)
{
    struct child children[3];
    int64_t begin = now_ms();
    int i;

    for (i = 0; i < 3; i++)
        child_start(&children[i], be_busy, &i);
    for (i = 0; i < 3; i++) {
        child_expect(&children[i], 'b');
        child_finish(&children[i]);
    }
    if (now_ms() - begin < 1500 || now_ms() - begin > 15000)
        CHECK_FAIL("they gave up after %d ms", (int)(now_ms() - begin));
}

/*
 * Tools do not wait for a stopped process: each wait takes two seconds. A busy
 * machine takes that long now and then.
 */
static void
check_tools_do_not_wait(void)
{
    enum { TRIES = 5 };
    int64_t took = 0;

    for (int i = 0; i < TRIES; i++) {
        int64_t begin = now_ms();
        mmf_gc_result collected;
        mmf_list *list;

        CHECK_OK(mmf_gc(0, &collected));
        CHECK_INT(collected.removed, 0);
        CHECK_OK(mmf_list_create(0, &list));
        mmf_list_close(list);
        took = now_ms() - begin;
        if (took < 1900)
            return;
    }
    CHECK_FAIL("list and gc took %d ms", (int)took);
}

static mmf_map *
create_cat(void)
{
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
    return map;
}

static void
check_held(void)
{
    mmf_map *map;

    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    mmf_map_close(map);
}

static void
check_free(void)
{
    mmf_map *map;

    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_FOUND);
    mmf_map_close(create_cat());
}

TEST_WITH(a_stopped_opener_beside_a_holder_hinders_no_process, need_ptrace)
{
    static const enum point points[] = {ASKED, HELD};
    size_t i;

    for (i = 0; i < 2; i++) {
        mmf_map *map = create_cat(), *other;
        pid_t pid = stopped_at(points[i], open_it);

        /* One that waited for it would answer MMF_E_BUSY in the end. */
        check_held();
        CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &other), MMF_E_EXISTS);
        CHECK_STATUS(goes_on(pid), MMF_OK);
        mmf_map_close(map);
        check_held();
        end_it(pid);
        check_free();
    }
}

/*
 * It has seen the holder, and the holder leaves before it holds: the name is free, and
 * for whatever is made of it meanwhile. It looks again when it goes on.
 */
TEST_WITH(a_stopped_opener_alone_hinders_no_process, need_ptrace)
{
    mmf_map *map = create_cat(), *other;
    pid_t pid = stopped_at(ASKED, open_it);
    int64_t capacity;

    mmf_map_close(map);
    CHECK_INT(count_files(NULL, 0), 0);
    check_free();
    CHECK_INT(goes_on(pid), MMF_E_NOT_FOUND);
    end_it(pid);

    map = create_cat();
    pid = stopped_at(ASKED, open_it);
    mmf_map_close(map);
    CHECK_OK(mmf_map_create_new("Cat", 200, NULL, &map));
    CHECK_STATUS(goes_on(pid), MMF_OK);
    mmf_map_close(map);
    CHECK_OK(
        mmf_map_open_existing("Cat", NULL, &other)); /* the new one, which it holds */
    CHECK_OK(mmf_map_capacity(other, &capacity));
    CHECK_INT(capacity, 200);
    mmf_map_close(other);
    end_it(pid);
    check_free();
}

/* Holders were killed, and no process has noticed: one that saw them takes over what
 * they left. */
TEST_WITH(a_stopped_opener_may_save_what_it_saw, need_ptrace)
{
    struct child holder;
    pid_t pid;

    child_holds(&holder, "Cat");
    pid = stopped_at(ASKED, open_it);
    child_kill(&holder);
    CHECK_STATUS(goes_on(pid), MMF_OK);
    check_held();
    end_it(pid);
    check_free();
}

/* It holds it, and the last other holder leaves: it has got the name, stopped or not.
 */
TEST_WITH(a_stopped_opener_that_holds_holds, need_ptrace)
{
    mmf_map *map = create_cat(), *other;
    pid_t pid = stopped_at(HELD, open_it);

    mmf_map_close(map);
    check_held();
    CHECK_FAILS(mmf_map_create_new("Cat", 100, NULL, &other), MMF_E_EXISTS);
    CHECK_STATUS(goes_on(pid), MMF_OK);
    end_it(pid);
    check_free();
}

/*
 * An opener holds what has been collected since it asked; a creator that had come
 * across it before must not take that for a living name.
 */
TEST_WITH(a_creator_sees_who_came_too_late, need_ptrace)
{
    struct child holder;
    struct trace_stop opening = {0}, creating = {0};
    pid_t opener, creator;

    harness_expect_dead();
    child_holds(&holder, "Cat");
    opener = trace_fork(open_it, NULL);
    run_to(ASKED, opener, &opening);
    creator = trace_fork(create_it, NULL);
    do /* until the name is taken, */
        trace_system_call(creator, &creating);
    while (creating.place != TRACE_EXIT || creating.number != SYS_linkat);
    do /* and it has opened the file that is there */
        trace_system_call(creator, &creating);
    while (creating.place != TRACE_EXIT || creating.number != SYS_openat);
    child_kill(&holder);
    CHECK_OK(mmf_gc(0, NULL));
    CHECK_INT(count_files(NULL, 0), 0);
    run_to(HELD, opener, &opening);
    trace_leave_stopped(opener);
    trace_leave_stopped(creator);
    CHECK_STATUS(goes_on(creator), MMF_OK);
    CHECK_STATUS(goes_on(opener), MMF_OK); /* the new one */
    end_it(opener);
    end_it(creator);
    check_free();
}

TEST_WITH(others_give_up_on_a_stopped_collector, need_ptrace)
{
    struct child holder;
    pid_t pid;

    child_holds(&holder, "Cat");
    child_kill(&holder);
    pid = stopped_at(COLLECTING, open_it);
    check_all_busy();
    check_tools_do_not_wait();
    CHECK_INT(goes_on(pid), MMF_E_NOT_FOUND);
    check_free();
    end_it(pid);
    check_free();
}

TEST_WITH(others_give_up_on_a_stopped_closer, need_ptrace)
{
    struct trace_stop stop = {0};
    mmf_map *map = create_cat();
    pid_t pid;

    /* Its open comes before the mark; then we leave, and it is the last to close. */
    pid = trace_fork(close_it, NULL);
    mmf_map_close(map);
    run_to(COLLECTING, pid, &stop);
    trace_leave_stopped(pid);
    harness_expect_dead();
    check_all_busy();
    check_tools_do_not_wait();
    CHECK_STATUS(goes_on(pid), MMF_OK);
    check_free();
    end_it(pid);
}

TEST_WITH(killing_the_stopped_one_frees_the_name, need_ptrace)
{
    static const enum point points[] = {ASKED, HELD, COLLECTING};
    size_t i;

    for (i = 0; i < 3; i++) {
        struct child holder;
        pid_t pid;

        child_holds(&holder, "Cat");
        if (points[i] == COLLECTING)
            child_kill(&holder);
        pid = stopped_at(points[i], open_it);
        if (points[i] != COLLECTING)
            child_kill(&holder);
        end_it(pid);
        check_free();
    }
}

TEST_WITH(a_stopped_creator_has_no_name_yet, need_ptrace)
{
    pid_t pid = stopped_at(PREPARED, create_it);
    mmf_map *map;

    CHECK_INT(count_files(NULL, 0), 0);
    check_free();
    map = create_cat();
    CHECK_INT(goes_on(pid), MMF_E_EXISTS);
    check_held();
    mmf_map_close(map);
    end_it(pid);
    check_free();
}
