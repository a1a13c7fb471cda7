/*
 * inherit_test.c - what a child gets by fork, exec and posix_spawn: contract 3.7.
 *
 * A child of fork has the parent's views and its inheritable maps; the others are dead
 * in it, and it never keeps their names. A program that was executed has the
 * descriptors of inheritable maps and takes them over with mmf_map_open_inherited.
 */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static mmf_map *
create_inheritable(const char *name, int64_t capacity)
{
    mmf_map *map;

    CHECK_OK(mmf_map_create_new(name, capacity, INHERITABLE_MAP, &map));
    return map;
}

static mmf_accessor *
view_of(mmf_map *map)
{
    mmf_accessor *view;

    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    return view;
}

static void
check_value(const mmf_accessor *view, int32_t expected)
{
    int32_t value = -1;

    CHECK_OK(mmf_accessor_read_int32(view, 0, &value));
    CHECK_INT(value, expected);
}

static void
check_held(const char *name)
{
    mmf_map *map;

    CHECK_OK(mmf_map_open_existing(name, NULL, &map));
    mmf_map_close(map);
}

static void
check_free(const char *name)
{
    mmf_map *map;

    CHECK_FAILS(mmf_map_open_existing(name, NULL, &map), MMF_E_NOT_FOUND);
    CHECK_OK(mmf_map_create_new(name, 64, NULL, &map));
    mmf_map_close(map);
}

/* The call fails because of a fork, and says so. */
#define CHECK_DEAD_AFTER_FORK(call)                                                    \
    do {                                                                               \
        CHECK_FAILS(call, MMF_E_DISPOSED);                                             \
        CHECK(strstr(mmf_last_message(), "fork") != NULL);                             \
    } while (0)

/*
 * Fork.
 */

struct held {
    mmf_map *map;
    mmf_accessor *view;
};

static void
use_dead_handle(void *argument)
{
    struct held *held = argument;
    mmf_accessor *view;
    mmf_stream *stream;
    intptr_t handle;
    mmf_map *map;

    CHECK_DEAD_AFTER_FORK(
        mmf_accessor_create(held->map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_DEAD_AFTER_FORK(
        mmf_stream_create(held->map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &stream));
    CHECK_DEAD_AFTER_FORK(mmf_map_native_handle(held->map, &handle));
    /* The view is there, and shared. */
    check_value(held->view, 1);
    CHECK_OK(mmf_accessor_write_int32(held->view, 0, 2));
    /* The child may open the name itself. */
    CHECK_FAILS(mmf_map_create_new("Cat", 10, NULL, &map), MMF_E_EXISTS);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    view = view_of(map);
    check_value(view, 2);
    mmf_accessor_close(view);
    mmf_map_close(map);
    mmf_map_close(held->map);
    mmf_accessor_close(held->view);
}

TEST(a_fork_s_child_has_views_and_no_handle)
{
    struct held held;

    CHECK_OK(mmf_map_create_new("Cat", 10000, NULL, &held.map));
    held.view = view_of(held.map);
    CHECK_OK(mmf_accessor_write_int32(held.view, 0, 1));
    in_child(use_dead_handle, &held);
    /* Nothing that the child did concerns us. */
    check_value(held.view, 2);
    check_held("Cat");
    mmf_accessor_close(held.view);
    mmf_map_close(held.map);
    check_free("Cat");
}

static void
leave_dead_handle_open(void *argument)
{
    (void)argument;
}

TEST(exit_of_the_child_leaves_the_name)
{
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
    in_child(leave_dead_handle_open, NULL);
    check_held("Cat");
    mmf_map_close(map);
    check_free("Cat");
}

static void
wait_in_child(struct child *self, void *argument)
{
    struct held *held = argument;

    child_send(self, 'r');
    /* Whatever becomes of the parent: the view works. */
    child_expect(self, 'v');
    if (held->view != NULL) {
        check_value(held->view, 7);
        CHECK_OK(mmf_accessor_write_int32(held->view, 0, 8));
        check_value(held->view, 8);
    }
    child_send(self, 'd');
    child_expect(self, 'q');
}

/*
 * A parent that holds maps, forks and is killed while its child lives on. It is a child
 * of ours itself; the grandchild talks to us through pipes that we made.
 */
struct family {
    int inheritable;
    int with_view;
    int in_way; /* 0 create, 1 open, 2 open to read */
    int full;   /* no descriptor is free when it forks */
    struct child grandchild_here, grandchild_there;
};

static void
fill_descriptors(void)
{
    struct rlimit limit;

    /* A descriptor above those in use is the limit; then all below it are taken. */
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 64;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while (dup(STDIN_FILENO) >= 0)
        ;
    CHECK(errno == EMFILE);
}

static void
be_parent(struct child *self, void *argument)
{
    struct family *family = argument;
    struct held held = {NULL, NULL};
    mmf_map_options options;
    pid_t pid;

    mmf_map_options_init(&options);
    if (family->inheritable)
        options.inheritability = MMF_INHERITABILITY_INHERITABLE;
    if (family->in_way == 0 && family->inheritable) {
        held.map = create_inheritable("Cat", 10000);
    } else if (family->in_way == 0) {
        CHECK_OK(mmf_map_create_new("Cat", 10000, NULL, &held.map));
    } else {
        if (family->in_way == 2)
            options.rights = MMF_RIGHTS_READ;
        CHECK_OK(mmf_map_open_existing("Cat", &options, &held.map));
    }
    if (family->with_view && family->in_way != 2) {
        held.view = view_of(held.map);
        CHECK_OK(mmf_accessor_write_int32(held.view, 0, 7));
    } else if (family->with_view) {
        mmf_accessor *view;

        CHECK_OK(mmf_accessor_create(held.map, 0, 0, MMF_ACCESS_READ, NULL, &view));
    }
    if (family->full)
        fill_descriptors();
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        wait_in_child(&family->grandchild_there, &held);
        _exit(EXIT_SUCCESS);
    }
    if (held.view != NULL)
        check_value(held.view, 7); /* the parent has its view at any rate */
    child_send(self, 'f');
    child_hear(self); /* until it is killed */
}

static void
make_pipes(struct family *family)
{
    int to[2], from[2];

    CHECK(pipe2(to, O_CLOEXEC) == 0);
    CHECK(pipe2(from, O_CLOEXEC) == 0);
    family->grandchild_here = (struct child){.pid = 0, .in = to[1], .out = from[0]};
    family->grandchild_there = (struct child){.pid = 0, .in = from[1], .out = to[0]};
}

static void
close_here(struct child *child)
{
    close(child->in);
    close(child->out);
}

/*
 * Kill the parent while the grandchild lives; then the name lives or is free. `mine` is
 * closed before, so that the parent is the last to hold it.
 */
static void
kill_parent_of_living_child(struct family *family, mmf_map *mine, int name_exists)
{
    struct child parent;

    make_pipes(family);
    child_start(&parent, be_parent, family);
    close_here(&family->grandchild_there);
    child_expect(&parent, 'f');
    child_expect(&family->grandchild_here, 'r');
    mmf_map_close(mine);
    check_held("Cat");
    child_kill(&parent);
    if (name_exists)
        check_held("Cat");
    else
        check_free("Cat");
    child_send(&family->grandchild_here, 'v');
    child_expect(&family->grandchild_here, 'd');
    child_send(&family->grandchild_here, 'q');
    CHECK_INT(child_hear(&family->grandchild_here), 0); /* it is gone */
    close_here(&family->grandchild_here);
    check_free("Cat");
}

TEST(a_living_child_keeps_no_name)
{
    int with_view;

    for (with_view = 0; with_view < 2; with_view++) {
        struct family family = {.with_view = with_view};

        check_context("with_view %d", with_view);
        kill_parent_of_living_child(&family, NULL, 0);
    }
}

TEST(a_living_child_of_an_opener_keeps_no_name)
{
    int in_way;

    for (in_way = 1; in_way < 3; in_way++) {
        struct family family = {.with_view = 1, .in_way = in_way};
        mmf_map *map;

        check_context("in_way %d", in_way);
        CHECK_OK(mmf_map_create_new("Cat", 10000, NULL, &map));
        kill_parent_of_living_child(&family, map, 0);
    }
}

TEST(a_living_child_keeps_an_inheritable_name)
{
    int with_view;

    for (with_view = 0; with_view < 2; with_view++) {
        struct family family = {.inheritable = 1, .with_view = with_view};

        check_context("with_view %d", with_view);
        kill_parent_of_living_child(&family, NULL, 1);
    }
}

/* Where no descriptor is free the child has its views and keeps no name. */
TEST(a_full_descriptor_table_breaks_no_promise)
{
    struct family family = {.with_view = 1, .full = 1};

    if (HARNESS_TSAN || HARNESS_ASAN)
        harness_skip("a sanitizer needs descriptors of its own");
    kill_parent_of_living_child(&family, NULL, 0);
}

static void
use_inherited_handle(void *argument)
{
    struct held *held = argument;
    mmf_accessor *view;
    mmf_map *map;

    view = view_of(held->map);
    check_value(view, 3);
    CHECK_OK(mmf_accessor_write_int32(view, 0, 4));
    check_value(held->view, 4);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    mmf_map_close(map);
    mmf_accessor_close(view);
    mmf_accessor_close(held->view);
    mmf_map_close(held->map);
    check_held("Cat"); /* by the parent */
}

TEST(a_fork_s_child_has_inheritable_handles)
{
    struct held held;

    held.map = create_inheritable("Cat", 10000);
    held.view = view_of(held.map);
    CHECK_OK(mmf_accessor_write_int32(held.view, 0, 3));
    in_child(use_inherited_handle, &held);
    check_value(held.view, 4);
    check_held("Cat");
    mmf_accessor_close(held.view);
    mmf_map_close(held.map);
    check_free("Cat");
}

static void
hold_until_told(struct child *self, void *argument)
{
    mmf_map *map = argument;

    child_send(self, 'r');
    child_expect(self, 'c');
    mmf_map_close(map);
    child_send(self, 'd');
    child_expect(self, 'q');
}

TEST(the_child_s_copy_outlives_the_parent_s_close)
{
    struct child child;
    mmf_map *map;

    map = create_inheritable("Cat", 100);
    child_start(&child, hold_until_told, map);
    child_expect(&child, 'r');
    mmf_map_close(map);
    check_held("Cat");
    child_send(&child, 'c');
    child_expect(&child, 'd');
    check_free("Cat");
    child_send(&child, 'q');
    child_finish(&child);
}

static void
fork_again(void *argument)
{
    struct held *held = argument;
    mmf_accessor *view;

    CHECK_DEAD_AFTER_FORK(
        mmf_accessor_create(held->map, 0, 0, MMF_ACCESS_READ, NULL, &view));
    in_child(use_dead_handle, held);
    check_value(held->view, 2);
}

TEST(a_grandchild_is_like_a_child)
{
    struct held held;

    CHECK_OK(mmf_map_create_new("Cat", 10000, NULL, &held.map));
    held.view = view_of(held.map);
    CHECK_OK(mmf_accessor_write_int32(held.view, 0, 1));
    in_child(fork_again, &held);
    check_value(held.view, 2);
    check_held("Cat");
    mmf_accessor_close(held.view);
    mmf_map_close(held.map);
    check_free("Cat");
}

static void
create_and_die(struct child *self, void *argument)
{
    mmf_map *map;

    (void)argument;
    CHECK_OK(mmf_map_create_new("Dog", 100, NULL, &map));
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    child_send(self, 'r');
    child_hear(self);
}

TEST(a_child_s_own_maps_are_its_own)
{
    struct child child;
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
    child_start(&child, create_and_die, NULL);
    child_expect(&child, 'r');
    check_held("Dog");
    mmf_map_close(map);
    check_held("Cat");
    child_kill(&child);
    check_free("Dog");
    check_free("Cat");
}

/* A map made after a fork, viewed, forked over again: the claim is parted each time. */
TEST(parent_keeps_holding_over_many_forks)
{
    struct held held;
    int i;

    CHECK_OK(mmf_map_create_new("Cat", 10000, NULL, &held.map));
    held.view = view_of(held.map);
    for (i = 0; i < 10; i++) {
        mmf_accessor *more = view_of(held.map);

        CHECK_OK(mmf_accessor_write_int32(held.view, 0, 1));
        in_child(use_dead_handle, &held);
        check_value(more, 2);
        check_held("Cat");
        mmf_accessor_close(more);
    }
    mmf_accessor_close(held.view);
    mmf_map_close(held.map);
    check_free("Cat");
}

/*
 * Forks while another thread opens and closes: no claim may leak into a child.
 */

enum { FORKS = 60, NAMES = 4 };

static _Atomic int stop_churning;

static void *
churn(void *argument)
{
    mmf_map *maps[NAMES] = {NULL};
    mmf_accessor *views[NAMES] = {NULL};
    unsigned i;

    (void)argument;
    for (i = 0; !stop_churning; i++) {
        char name[32];
        unsigned n = i * 2654435761u >> 16 & (NAMES - 1);

        snprintf(name, sizeof(name), "churn %u", n);
        if (maps[n] == NULL) {
            CHECK_OK(mmf_map_create_or_open(name, 5000, NULL, NULL, &maps[n]));
            if (i % 3 == 0)
                views[n] = view_of(maps[n]);
        } else {
            mmf_map_close(maps[n]);
            maps[n] = NULL;
            if (views[n] != NULL)
                mmf_accessor_close(views[n]);
            views[n] = NULL;
        }
    }
    return NULL;
}

static void
fork_while_churning(struct child *self, void *argument)
{
    pthread_t thread;
    char ready = 'r';
    int *children = argument; /* a pipe: they write one byte, and hold it open */
    int i;

    close(children[0]);
    close(children[3]); /* else its readers would never see its end */
    CHECK(pthread_create(&thread, NULL, churn, NULL) == 0);
    for (i = 0; i < FORKS; i++) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0) {
            CHECK(write(children[1], &ready, 1) == 1);
            close(children[1]);
            /* Live on until the test closes its end. */
            CHECK(read(children[2], &ready, 1) == 0);
            _exit(EXIT_SUCCESS);
        }
    }
    child_send(self, 'f');
    child_hear(self);
}

TEST(no_claim_leaks_into_a_fork_of_another_thread)
{
    struct child parent;
    int children[4]; /* say: [0] from [1]; end: [2] from [3] */
    char byte;
    int i;

    CHECK(pipe2(children, O_CLOEXEC) == 0);
    CHECK(pipe2(children + 2, O_CLOEXEC) == 0);
    stop_churning = 0;
    /* The parent and its children must not keep our end of the last pipe. */
    child_start(&parent, fork_while_churning, children);
    close(children[1]);
    close(children[2]);
    child_expect(&parent, 'f');
    for (i = 0; i < FORKS; i++)
        CHECK(read(children[0], &byte, 1) == 1);
    child_kill(&parent);
    for (i = 0; i < NAMES; i++) {
        char name[32];

        snprintf(name, sizeof(name), "churn %d", i);
        check_free(name);
    }
    close(children[3]);
    CHECK(read(children[0], &byte, 1) == 0);
    close(children[0]);
}

/*
 * Exec and posix_spawn.
 */

/* A program that gets a descriptor's number: adopt it and obey commands. */
ROLE(heir)
{
    intptr_t handle = argc > 1 ? atoi(argv[1]) : -1;
    mmf_accessor *view;
    char line[64];
    int64_t capacity;
    int32_t value;
    static mmf_map *map; /* open at the end on purpose; no checker of leaks minds */
    int rc = mmf_map_open_inherited(handle, NULL, &map);

    if (rc < 0) {
        role_say("%s", mmf_status_name(rc));
        return EXIT_SUCCESS;
    }
    CHECK_OK(mmf_map_capacity(map, &capacity));
    view = view_of(map);
    CHECK_OK(mmf_accessor_read_int32(view, 0, &value));
    CHECK_OK(mmf_accessor_write_int32(view, 0, value + 1));
    mmf_accessor_close(view);
    role_say("%lld %d", (long long)capacity, value);
    while (role_hear(line, sizeof(line)))
        if (strcmp(line, "close") == 0) {
            mmf_map_close(map);
            role_say("closed");
        }
    return EXIT_SUCCESS;
}

/* Give the heir a number that is no map. */
ROLE(fool)
{
    static const char *const bad[] = {"none", "negative", "pipe", "directory"};
    int pipe_ends[2];
    mmf_map *map;

    CHECK(pipe(pipe_ends) == 0);
    if (strcmp(argv[1], bad[0]) == 0)
        CHECK_FAILS(mmf_map_open_inherited(900, NULL, &map), MMF_E_DISPOSED);
    else if (strcmp(argv[1], bad[1]) == 0)
        CHECK_FAILS(mmf_map_open_inherited(-1, NULL, &map), MMF_E_DISPOSED);
    else if (strcmp(argv[1], bad[2]) == 0)
        CHECK_FAILS(mmf_map_open_inherited(pipe_ends[0], NULL, &map), MMF_E_CORRUPT);
    else if (strcmp(argv[1], bad[3]) == 0)
        CHECK_FAILS(
            mmf_map_open_inherited(open("/", O_RDONLY | O_DIRECTORY), NULL, &map),
            MMF_E_CORRUPT);
    else
        return EXIT_FAILURE;
    CHECK(fcntl(pipe_ends[0], F_GETFD) >= 0); /* a refused one stays ours */
    role_say("refused");
    return EXIT_SUCCESS;
}

static struct process *
start_heir(const mmf_map *map)
{
    char number[24];
    const char *args[] = {number, NULL};
    intptr_t handle;

    CHECK_OK(mmf_map_native_handle(map, &handle));
    snprintf(number, sizeof(number), "%ld", (long)handle);
    return process_start("heir", args);
}

TEST(a_spawned_program_adopts_an_inheritable_map)
{
    mmf_map *map = create_inheritable("Cat", 10000);
    mmf_accessor *view = view_of(map);
    struct process *heir;

    CHECK_OK(mmf_accessor_write_int32(view, 0, 41));
    heir = start_heir(map);
    process_expect(heir, "10000 41");
    check_value(view, 42);
    mmf_accessor_close(view);
    mmf_map_close(map);
    check_held("Cat"); /* by the heir */
    process_send(heir, "close");
    process_expect(heir, "closed");
    check_free("Cat");
    CHECK_INT(process_finish(heir), 0);
}

TEST(an_heir_s_death_frees_the_name)
{
    mmf_map *map = create_inheritable("Cat", 100);
    struct process *heir = start_heir(map);

    process_expect(heir, "100 0");
    process_kill(heir);
    check_held("Cat");
    heir = start_heir(map);
    process_expect(heir, "100 1");
    mmf_map_close(map);
    check_held("Cat");
    process_kill(heir);
    check_free("Cat");
}

TEST(a_spawned_program_gets_no_other_map)
{
    struct process *heir;
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
    heir = start_heir(map);
    process_expect(heir, "MMF_E_DISPOSED");
    CHECK_INT(process_finish(heir), 0);
    mmf_map_close(map);
    check_free("Cat");
}

TEST(an_unnamed_map_is_inherited_too)
{
    mmf_map *map = create_inheritable(NULL, 5000);
    mmf_accessor *view = view_of(map);
    struct process *heir;

    CHECK_OK(mmf_accessor_write_int32(view, 0, 5));
    heir = start_heir(map);
    process_expect(heir, "5000 5");
    check_value(view, 6);
    CHECK_INT(process_finish(heir), 0);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

TEST(an_opened_map_is_inherited_too)
{
    struct process *heir;
    mmf_map *map, *opened;

    CHECK_OK(mmf_map_create_new("Cat", 300, NULL, &map));
    CHECK_OK(mmf_map_open_existing("Cat", INHERITABLE_MAP, &opened));
    heir = start_heir(opened);
    process_expect(heir, "300 0");
    mmf_map_close(opened);
    mmf_map_close(map);
    check_held("Cat");
    CHECK_INT(process_finish(heir), 0); /* by its exit */
    harness_expect_dead();
    check_free("Cat");
}

/* The classical pair: fork, then exec in the child. */
static void
be_executed(struct child *self, void *argument)
{
    mmf_map *map = argument;
    char number[24];
    intptr_t handle;

    CHECK_OK(mmf_map_native_handle(map, &handle));
    snprintf(number, sizeof(number), "%ld", (long)handle);
    CHECK(dup2(self->out, STDIN_FILENO) == STDIN_FILENO);
    CHECK(dup2(self->in, STDOUT_FILENO) == STDOUT_FILENO);
    execl("/proc/self/exe", "test", "--role", "heir", number, (char *)NULL);
    CHECK_FAIL("exec");
}

TEST(an_executed_program_adopts_an_inheritable_map)
{
    mmf_map *map = create_inheritable("Cat", 100);
    struct child child;
    char text[8] = "";

    child_start(&child, be_executed, map);
    CHECK(read(child.out, text, 6) == 6);
    CHECK_TEXT(text, "100 0\n");
    mmf_map_close(map);
    check_held("Cat");
    child_kill(&child);
    check_free("Cat");
}

TEST(what_is_no_map_is_refused)
{
    static const char *const bad[] = {"none", "negative", "pipe", "directory"};
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *args[] = {bad[i], NULL};
        struct process *fool = process_start("fool", args);

        process_expect(fool, "refused");
        CHECK_INT(process_finish(fool), 0);
    }
}

/* posix_spawn and vfork run no fork handlers: the parent goes on unharmed. */
TEST(a_spawn_leaves_the_parent_s_maps_alone)
{
    static char program[] = "/bin/true";
    char *const argv[] = {program, NULL};
    mmf_map *map;
    mmf_accessor *view;
    int status;
    pid_t pid;

    CHECK_OK(mmf_map_create_new("Cat", 100, NULL, &map));
    view = view_of(map);
    CHECK(posix_spawn(&pid, program, NULL, NULL, argv, environ) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    check_held("Cat");
    CHECK(system("true") == 0);
    check_held("Cat");
    mmf_map_close(map);
    check_free("Cat");
    mmf_accessor_close(view);
}
