/*
 * patient.c - a test program with every mistake the harness must notice. harness_test.c
 * runs its tests one by one and says which must fail; it is no test itself.
 */
#include "harness/check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void
passes(void **state)
{
    mmf_map *map = NULL;

    (void)state;
    CHECK_OK(MMF_TIMED_OUT);
    CHECK_STATUS(MMF_ABANDONED, MMF_ABANDONED);
    CHECK_FAILS(mmf_map_open_existing(NULL, NULL, &map), MMF_E_NULL);
    CHECK_FAILS_PARAM(mmf_map_open_existing("", NULL, &map), MMF_E_INVALID, "mapName");
    CHECK(1);
    CHECK_INT(3, 3);
    CHECK_TEXT("a", "a");
    CHECK_BYTES("ab", "ab", 2);
}

static void
fails_ok(void **state)
{
    (void)state;
    CHECK_OK(MMF_E_IO);
}

static void
fails_status(void **state)
{
    (void)state;
    CHECK_STATUS(MMF_OK, MMF_TIMED_OUT);
}

static void
fails_another_status(void **state)
{
    (void)state;
    CHECK_FAILS(mmf_map_open_existing(NULL, NULL, NULL), MMF_E_INVALID);
}

static void
fails_success(void **state)
{
    (void)state;
    CHECK_FAILS(MMF_OK, MMF_E_INVALID);
}

static void
fails_parameter(void **state)
{
    mmf_map *map = NULL;

    (void)state;
    CHECK_FAILS_PARAM(mmf_map_open_existing("", NULL, &map), MMF_E_INVALID, "capacity");
}

/* A call that fails and does not say why, after another that failed the same way. */
static void
fails_stale_error(void **state)
{
    mmf_map *map = NULL;

    (void)state;
    mmf_map_open_existing("", NULL, &map);
    CHECK_FAILS(MMF_E_INVALID, MMF_E_INVALID);
}

static void
fails_stale_null(void **state)
{
    mmf_map *map = NULL;

    (void)state;
    mmf_map_open_existing(NULL, NULL, &map);
    CHECK_FAILS(MMF_E_NULL, MMF_E_NULL);
}

static void
fails_condition(void **state)
{
    (void)state;
    CHECK(0);
}

static void
fails_integer(void **state)
{
    (void)state;
    CHECK_CONTEXT("row %d", 5);
    CHECK_INT(1, 2);
}

static void
fails_text(void **state)
{
    (void)state;
    CHECK_TEXT("a", "b");
}

static void
fails_bytes(void **state)
{
    (void)state;
    CHECK_BYTES("ab", "ac", 2);
}

static void
leaks_descriptor(void **state)
{
    (void)state;
    CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

static int
make_file(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/left", harness_dir());
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void
leaks_file(void **state)
{
    (void)state;
    close(make_file());
}

static void
leaks_mapping(void **state)
{
    char path[128];
    int fd = make_file();

    (void)state;
    CHECK(ftruncate(fd, 4096) == 0);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    close(fd);
    snprintf(path, sizeof(path), "%s/left", harness_dir());
    unlink(path);
}

static void
leaks_memfd(void **state)
{
    int fd = memfd_create("mmf-left", MFD_CLOEXEC);

    (void)state;
    CHECK(ftruncate(fd, 4096) == 0);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    close(fd);
}

static void
leaks_process(void **state)
{
    (void)state;
    process_start("echo", NULL);
}

static void
finds_leak_in_the_middle(void **state)
{
    struct usage before;

    (void)state;
    usage_take(&before);
    leaks_descriptor(state);
    usage_check_same(&before);
}

static void
skips(void **state)
{
    (void)state;
    harness_skip("for the sake of the %s", "test");
}

static void
talks_to_a_role(void **state)
{
    static const char *const args[] = {"one", "two words", NULL};
    struct process *p = process_start("echo", args);
    struct usage before;
    char line[64];

    (void)state;
    usage_take(&before);
    process_expect(p, "echo one two words");
    process_send(p, "hello");
    process_expect(p, "hello");
    process_send(p, "bye");
    CHECK_TEXT(process_read_line(p, line, sizeof(line)), "bye");
    usage_check_same(&before);
    CHECK_INT(process_finish(p), 7);
}

static void
kills_a_role(void **state)
{
    struct process *p = process_start("echo", NULL);
    struct process *q = process_start("echo", NULL);
    char line[64];

    (void)state;
    process_send(p, "said before");
    process_expect(p, "echo");
    process_expect(p, "said before");
    process_kill(p);
    CHECK(process_read_line(p, line, sizeof(line)) == NULL);
    CHECK_INT(process_finish(p), 128 + 9);
    process_kill(q); /* and leave the rest to the harness */
}

static void
fails_expectation(void **state)
{
    struct process *p = process_start("echo", NULL);

    (void)state;
    process_expect(p, "ohce");
}

static void
fails_when_a_role_is_gone(void **state)
{
    struct process *p = process_start("gone", NULL);

    (void)state;
    process_expect(p, "ready");
}

static void
fails_when_a_role_is_silent(void **state)
{
    struct process *p = process_start("echo", NULL);

    (void)state;
    process_expect(p, "echo");
    process_expect(p, "never said");
}

static void
fails_when_a_role_does_not_end(void **state)
{
    struct process *p = process_start("deaf", NULL);

    (void)state;
    process_finish(p);
}

static void *
fail_in_thread(void *nothing)
{
    CHECK_INT(1, 2);
    return nothing;
}

static void
fails_in_a_thread(void **state)
{
    pthread_t thread;

    (void)state;
    pthread_create(&thread, NULL, fail_in_thread, NULL);
    pthread_join(thread, NULL);
}

static void
reports_a_failed_child(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        CHECK_INT(1, 2);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
}

static int
echo(int argc, char **argv)
{
    char line[128];
    int i;

    for (i = 0; i < argc; i++)
        printf("%s%s", i == 0 ? "" : " ", argv[i]);
    role_say("%s", "");
    while (role_hear(line, sizeof(line)))
        role_say("%s", line);
    return 7;
}

static int
gone(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 3;
}

static int
deaf(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    while (pause() < 0)
        continue;
    return 0;
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {
        {"echo", echo}, {"gone", gone}, {"deaf", deaf}, {NULL, NULL}};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes),
        cmocka_unit_test(fails_ok),
        cmocka_unit_test(fails_status),
        cmocka_unit_test(fails_another_status),
        cmocka_unit_test(fails_success),
        cmocka_unit_test(fails_parameter),
        cmocka_unit_test(fails_stale_error),
        cmocka_unit_test(fails_stale_null),
        cmocka_unit_test(fails_condition),
        cmocka_unit_test(fails_integer),
        cmocka_unit_test(fails_text),
        cmocka_unit_test(fails_bytes),
        cmocka_unit_test(leaks_descriptor),
        cmocka_unit_test(leaks_file),
        cmocka_unit_test(leaks_mapping),
        cmocka_unit_test(leaks_memfd),
        cmocka_unit_test(leaks_process),
        cmocka_unit_test(finds_leak_in_the_middle),
        cmocka_unit_test(skips),
        cmocka_unit_test(talks_to_a_role),
        cmocka_unit_test(kills_a_role),
        cmocka_unit_test(fails_expectation),
        cmocka_unit_test(fails_when_a_role_is_gone),
        cmocka_unit_test(fails_when_a_role_is_silent),
        cmocka_unit_test(fails_when_a_role_does_not_end),
        cmocka_unit_test(fails_in_a_thread),
        cmocka_unit_test(reports_a_failed_child),
    };

    return harness_main(argc, argv, "patient", tests, sizeof(tests) / sizeof(tests[0]),
                        roles);
}
