/*
 * inherit_test.c - what a child gets by fork, exec and posix_spawn, contract 3.7, as far as
 * tests/scenarios/fork.scn cannot say it: forks beside a thread that opens, and programs
 * that are executed. Those have the descriptors of inheritable maps and take them over
 * with mmf_map_open_inherited; tests/contract/inheritance_test.c has the rest of that.
 */
#include "children.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static mmf_map *
create_inheritable(int64_t capacity)
{
    mmf_map *map;

    CHECK_OK(mmf_map_create_new("Cat", capacity, INHERITABLE_MAP, &map));
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
check_held(void)
{
    mmf_map *map;

    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
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

    CHECK_OK(mmf_map_open_inherited(handle, NULL, &map));
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

/* What it is told: the number of the map's descriptor. */
static const char *
number_of(const mmf_map *map)
{
    static char number[24];
    intptr_t handle;

    CHECK_OK(mmf_map_native_handle(map, &handle));
    snprintf(number, sizeof(number), "%ld", (long)handle);
    return number;
}

static struct process *
start_heir(const mmf_map *map)
{
    return process_start("heir", (const char *[]){number_of(map), NULL});
}

TEST(a_spawned_program_adopts_an_inheritable_map)
{
    mmf_map *map = create_inheritable(10000);
    mmf_accessor *view = view_of(map);
    struct process *heir;

    CHECK_OK(mmf_accessor_write_int32(view, 0, 41));
    heir = start_heir(map);
    process_expect(heir, "10000 41");
    check_value(view, 42);
    mmf_accessor_close(view);
    mmf_map_close(map);
    check_held(); /* by the heir */
    process_send(heir, "close");
    process_expect(heir, "closed");
    check_free("Cat");
    CHECK_INT(process_finish(heir), 0);
}

TEST(an_heir_s_death_frees_the_name)
{
    mmf_map *map = create_inheritable(100);
    struct process *heir = start_heir(map);

    process_expect(heir, "100 0");
    process_kill(heir);
    check_held();
    heir = start_heir(map);
    process_expect(heir, "100 1");
    mmf_map_close(map);
    check_held();
    process_kill(heir);
    check_free("Cat");
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
    check_held();
    CHECK_INT(process_finish(heir), 0); /* by its exit */
    harness_expect_dead();
    check_free("Cat");
}

/* The classical pair: fork, then exec in the child. */
static void
be_executed(struct child *self, void *argument)
{
    CHECK(dup2(self->out, STDIN_FILENO) == STDIN_FILENO);
    CHECK(dup2(self->in, STDOUT_FILENO) == STDOUT_FILENO);
    execl("/proc/self/exe", "test", "--role", "heir", number_of(argument),
          (char *)NULL);
    CHECK_FAIL("exec");
}

TEST(an_executed_program_adopts_an_inheritable_map)
{
    mmf_map *map = create_inheritable(100);
    struct child child;
    char text[8] = "";

    child_start(&child, be_executed, map);
    CHECK(read(child.out, text, 6) == 6);
    CHECK_TEXT(text, "100 0\n");
    mmf_map_close(map);
    check_held();
    child_kill(&child);
    check_free("Cat");
}

TEST(a_directory_is_no_map)
{
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mmf_map *map;

    CHECK(fd >= 0);
    CHECK_FAILS(mmf_map_open_inherited(fd, NULL, &map), MMF_E_CORRUPT);
    CHECK(close(fd) == 0); /* it stays ours */
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
    check_held();
    CHECK(system("true") == 0);
    check_held();
    mmf_map_close(map);
    check_free("Cat");
    mmf_accessor_close(view);
}
