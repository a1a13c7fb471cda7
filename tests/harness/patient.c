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

TEST(passes)
{
    mmf_map *map = NULL;

    CHECK_OK(MMF_TIMED_OUT);
    CHECK_STATUS(MMF_ABANDONED, MMF_ABANDONED);
    CHECK_FAILS(mmf_map_open_existing(NULL, NULL, &map), MMF_E_NULL);
    CHECK_FAILS_PARAM(mmf_map_open_existing("", NULL, &map), MMF_E_INVALID, "mapName");
    CHECK(1);
    CHECK_INT(3, 3);
    CHECK_TEXT("a", "a");
    CHECK_BYTES("ab", "ab", 2);
}

TEST(fails_ok)
{
    CHECK_OK(MMF_E_IO);
}

TEST(fails_status)
{
    CHECK_STATUS(MMF_OK, MMF_TIMED_OUT);
}

TEST(fails_another_status)
{
    CHECK_FAILS(mmf_map_open_existing(NULL, NULL, NULL), MMF_E_INVALID);
}

TEST(fails_success)
{
    CHECK_FAILS(MMF_OK, MMF_E_INVALID);
}

TEST(fails_parameter)
{
    mmf_map *map = NULL;

    CHECK_FAILS_PARAM(mmf_map_open_existing("", NULL, &map), MMF_E_INVALID, "capacity");
}

/* A call that fails and does not say why, after another that failed the same way. */
TEST(fails_stale_error)
{
    mmf_map *map = NULL;

    mmf_map_open_existing("", NULL, &map);
    CHECK_FAILS(MMF_E_INVALID, MMF_E_INVALID);
}

TEST(fails_stale_null)
{
    mmf_map *map = NULL;

    mmf_map_open_existing(NULL, NULL, &map);
    CHECK_FAILS(MMF_E_NULL, MMF_E_NULL);
}

TEST(fails_condition)
{
    CHECK(0);
}

TEST(fails_integer)
{
    CHECK_CONTEXT("row %d", 5);
    CHECK_INT(1, 2);
}

TEST(fails_text)
{
    CHECK_TEXT("a", "b");
}

TEST(fails_bytes)
{
    CHECK_BYTES("ab", "ac", 2);
}

TEST(leaks_descriptor)
{
    CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

static int
make_file(void)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/left", harness_dir());
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

TEST(leaks_file)
{
    close(make_file());
}

TEST(leaks_mapping)
{
    char path[128];
    int fd = make_file();

    CHECK(ftruncate(fd, 4096) == 0);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    close(fd);
    snprintf(path, sizeof(path), "%s/left", harness_dir());
    unlink(path);
}

TEST(leaks_memfd)
{
    int fd = memfd_create("mmf-left", MFD_CLOEXEC);

    CHECK(ftruncate(fd, 4096) == 0);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED);
    close(fd);
}

TEST(leaks_process)
{
    process_start("echo", NULL);
}

TEST(finds_leak_in_the_middle)
{
    struct usage before;

    usage_take(&before);
    leaks_descriptor(state);
    usage_check_same(&before);
}

TEST(skips)
{
    harness_skip("for the sake of the %s", "test");
}

TEST(talks_to_a_role)
{
    static const char *const args[] = {"one", "two words", NULL};
    struct process *p = process_start("echo", args);
    struct usage before;
    char line[64];

    usage_take(&before);
    process_expect(p, "echo one two words");
    process_send(p, "hello");
    process_expect(p, "hello");
    process_send(p, "bye");
    CHECK_TEXT(process_read_line(p, line, sizeof(line)), "bye");
    usage_check_same(&before);
    CHECK_INT(process_finish(p), 7);
}

TEST(kills_a_role)
{
    struct process *p = process_start("echo", NULL);
    struct process *q = process_start("echo", NULL);
    char line[64];

    process_send(p, "said before");
    process_expect(p, "echo");
    process_expect(p, "said before");
    process_kill(p);
    CHECK(process_read_line(p, line, sizeof(line)) == NULL);
    CHECK_INT(process_finish(p), 128 + 9);
    process_kill(q); /* and leave the rest to the harness */
}

TEST(fails_expectation)
{
    struct process *p = process_start("echo", NULL);

    process_expect(p, "ohce");
}

TEST(fails_when_a_role_is_gone)
{
    struct process *p = process_start("gone", NULL);

    process_expect(p, "ready");
}

TEST(fails_when_a_role_is_silent)
{
    struct process *p = process_start("echo", NULL);

    process_expect(p, "echo");
    process_expect(p, "never said");
}

TEST(fails_when_a_role_does_not_end)
{
    struct process *p = process_start("deaf", NULL);

    process_finish(p);
}

static void *
fail_in_thread(void *nothing)
{
    CHECK_INT(1, 2);
    return nothing;
}

TEST(fails_in_a_thread)
{
    pthread_t thread;

    pthread_create(&thread, NULL, fail_in_thread, NULL);
    pthread_join(thread, NULL);
}

TEST(reports_a_failed_child)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        CHECK_INT(1, 2);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
}

ROLE(echo)
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

ROLE(gone)
{
    return 3;
}

ROLE(deaf)
{
    while (pause() < 0)
        continue;
    return 0;
}
