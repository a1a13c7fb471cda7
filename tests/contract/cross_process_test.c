/*
 * cross_process_test.c - two processes and one map: case XP-01, rule 3.8, and what .NET
 * never tested, a name that one process makes and another opens.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LENGTH = 4096 };

/* An unnamed map of the file's length over a handle that others may share. */
static mmf_map *
map_file(const char *path)
{
    return create_from_handle(open_file(path, FOR_BOTH, 0), NULL, 0,
                              WITH_ACCESS(MMF_ACCESS_READ_WRITE));
}

/* XP-01's other process: finds the pattern and leaves its own. */
static int
answer(int argc, char **argv)
{
    mmf_map *map;
    mmf_accessor *view;
    uint8_t value;
    int64_t i;

    (void)argc;
    map = map_file(argv[1]);
    view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    for (i = 0; i < mmf_accessor_capacity(view); i++) {
        CHECK_OK(mmf_accessor_read_byte(view, i, &value));
        CHECK_INT(value, i % 256);
    }
    for (i = 0; i < LENGTH; i++)
        CHECK_OK(mmf_accessor_write_byte(view, i, (uint8_t)(LENGTH - i - 1)));
    CHECK_OK(mmf_accessor_flush(view));
    mmf_accessor_close(view);
    mmf_map_close(map);
    return EXIT_SUCCESS;
}

TEST(xp_01_file_backed_map_in_two_processes)
{
    char path[FILE_PATH_SIZE];
    const char *const args[] = {path, NULL};
    mmf_accessor *view;
    uint8_t value;
    int64_t i;
    mmf_map *map;

    file_path(path);
    make_file(path, LENGTH);
    map = map_file(path);
    view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    for (i = 0; i < LENGTH; i++)
        CHECK_OK(mmf_accessor_write_byte(view, i, (uint8_t)i));
    CHECK_OK(mmf_accessor_flush(view));
    CHECK_INT(process_finish(process_start("answer", args)), EXIT_SUCCESS);
    for (i = 0; i < LENGTH; i++) {
        CHECK_OK(mmf_accessor_read_byte(view, i, &value));
        CHECK_INT(value, (LENGTH - i - 1) % 256);
    }
    mmf_accessor_close(view);
    mmf_map_close(map);
    remove_file(path);
}

/*
 * Another process with a named map: opens it on request, reads and writes bytes.
 * "open", "create_or_open", "close", "read POSITION", "write POSITION VALUE".
 */
static int
visit(int argc, char **argv)
{
    mmf_map *map = NULL;
    char line[64];
    long position, value;
    int64_t capacity;

    (void)argc;
    role_say("ready");
    while (role_hear(line, sizeof(line))) {
        if (strcmp(line, "open") == 0) {
            role_say("%s", mmf_status_name(mmf_map_open_existing(argv[1], NULL, &map)));
        } else if (strcmp(line, "create_or_open") == 0) {
            role_say("%s", mmf_status_name(
                               mmf_map_create_or_open(argv[1], 1, NULL, NULL, &map)));
        } else if (strcmp(line, "capacity") == 0) {
            CHECK_OK(mmf_map_capacity(map, &capacity));
            role_say("%ld", (long)capacity);
        } else if (sscanf(line, "read %ld", &position) == 1) {
            role_say("%d", byte_at(map, position));
        } else if (sscanf(line, "write %ld %ld", &position, &value) == 2) {
            poke(map, position, (uint8_t)value);
            role_say("written");
        } else if (strcmp(line, "close") == 0) {
            mmf_map_close(map);
            map = NULL;
            role_say("closed");
        } else {
            CHECK_FAIL("unknown command \"%s\"", line);
        }
    }
    mmf_map_close(map);
    return EXIT_SUCCESS;
}

static struct process *
start_visitor(const char *name)
{
    const char *const args[] = {name, NULL};
    struct process *visitor = process_start("visit", args);

    process_expect(visitor, "ready");
    return visitor;
}

static void
say_to(struct process *visitor, const char *line, const char *answer_line)
{
    process_send(visitor, line);
    process_expect(visitor, answer_line);
}

/* Visitor and we see one memory of `capacity` bytes. */
static void
check_shares(struct process *visitor, mmf_map *map, int64_t capacity)
{
    char line[64], expected[64];

    snprintf(expected, sizeof(expected), "%ld", (long)map_size(capacity));
    say_to(visitor, "capacity", expected);
    poke(map, 0, 123);
    say_to(visitor, "read 0", "123");
    snprintf(line, sizeof(line), "write %ld 45", (long)capacity - 1);
    say_to(visitor, line, "written");
    CHECK_INT(byte_at(map, capacity - 1), 45);
}

static void
check_name_in_two_processes(const char *name, const char *how)
{
    struct process *visitor = start_visitor(name);
    mmf_map *map = create_new(name, 10000, NULL);

    CHECK_CONTEXT("%s %.40s", how, name);
    say_to(visitor, how, "MMF_OK");
    check_shares(visitor, map, 10000);
    say_to(visitor, "close", "closed");
    mmf_map_close(map);
    say_to(visitor, "open", "MMF_E_NOT_FOUND");
    CHECK_INT(process_finish(visitor), EXIT_SUCCESS);
}

TEST(rule_3_8_a_name_in_two_processes)
{
    struct names names;
    size_t i;

    make_names(&names);
    for (i = 0; i < NAME_COUNT; i++) {
        check_name_in_two_processes(names.text[i], "open");
        check_name_in_two_processes(names.text[i], "create_or_open");
    }
    check_name_in_two_processes("Local\\Cat", "open");
    check_name_in_two_processes("Global\\Cat", "open");
}

TEST(rule_3_8_created_there_opened_here)
{
    struct process *visitor = start_visitor("Cat");
    mmf_map *map;

    say_to(visitor, "create_or_open", "MMF_OK");
    say_to(visitor, "write 0 99", "written");
    map = open_existing("Cat", NULL);
    CHECK_INT(byte_at(map, 0), 99);
    REFUSES_CREATE_NEW("Cat", 10, NULL, MMF_E_EXISTS, NULL);
    mmf_map_close(map);
    say_to(visitor, "close", "closed");
    map = create_new("Cat", 10, NULL);
    mmf_map_close(map);
    CHECK_INT(process_finish(visitor), EXIT_SUCCESS);
}

/* A file's map by name, opened in another process by each of the two ways. */
static void
check_file_in_two_processes(const char *how)
{
    struct process *visitor = start_visitor("Cat");
    char path[FILE_PATH_SIZE];
    unsigned char bytes[10000];
    mmf_map *map;

    file_path(path);
    make_file(path, 9000);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, "Cat", 10000, NULL);
    say_to(visitor, how, "MMF_OK");
    check_shares(visitor, map, 10000);
    mmf_map_close(map); /* the visitor still holds the name */
    REFUSES_CREATE_NEW("Cat", 10, NULL, MMF_E_EXISTS, NULL);
    map = open_existing("Cat", NULL);
    check_shares(visitor, map, 10000);
    mmf_map_close(map);
    say_to(visitor, "close", "closed");
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
    CHECK_INT(process_finish(visitor), EXIT_SUCCESS);
    read_file(path, bytes, sizeof(bytes)); /* the bytes are the file's, and stay */
    CHECK_INT(bytes[0], 123);
    CHECK_INT(bytes[9999], 45);
    remove_file(path);
}

TEST(rule_3_8_a_named_file_in_two_processes)
{
    check_file_in_two_processes("open");
    check_file_in_two_processes("create_or_open");
}

/* The creator's path may be relative: the visitor stands elsewhere. */
TEST(rule_3_8_a_named_file_by_relative_path)
{
    struct process *visitor = start_visitor("Cat");
    char path[FILE_PATH_SIZE], dir[FILE_PATH_SIZE], before[FILE_PATH_SIZE];
    mmf_map *map;

    file_path(path);
    make_file(path, 100);
    strcpy(dir, path);
    *strrchr(dir, '/') = '\0';
    CHECK(getcwd(before, sizeof(before)) != NULL && chdir(dir) == 0);
    map = create_from_file(strrchr(path, '/') + 1, MMF_FILE_MODE_OPEN, "Cat", 0, NULL);
    CHECK(chdir(before) == 0);
    say_to(visitor, "open", "MMF_OK");
    check_shares(visitor, map, 100);
    say_to(visitor, "close", "closed");
    mmf_map_close(map);
    CHECK_INT(process_finish(visitor), EXIT_SUCCESS);
    remove_file(path);
}

/* Another file under the path is not the one that the name means. */
TEST(rule_3_8_a_named_file_that_was_replaced)
{
    struct process *visitor = start_visitor("Cat");
    char path[FILE_PATH_SIZE], other[FILE_PATH_SIZE];
    mmf_map *map;

    file_path(path);
    file_path(other);
    make_file(path, 100);
    make_file(other, 100);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL);
    if (!replace_file(other, path)) {
        mmf_map_close(map);
        process_finish(visitor);
        remove_file(path);
        remove_file(other);
        harness_skip("Windows replaces no file that is mapped");
    }
    say_to(visitor, "open", "MMF_E_CORRUPT");
    say_to(visitor, "create_or_open", "MMF_E_CORRUPT");
    CHECK_INT(byte_at(map, 0), 0); /* ours still is the old one */
    mmf_map_close(map);
    CHECK_INT(process_finish(visitor), EXIT_SUCCESS);
    remove_file(path);
}

/* Maps the file by path, says how that went, and holds it until it is asked to end. */
static int
map_by_path(int argc, char **argv)
{
    mmf_access access = argc > 2 ? MMF_ACCESS_READ : MMF_ACCESS_READ_WRITE;
    char line[32];
    mmf_map *map = NULL;

    role_say("%s",
             mmf_status_name(mmf_map_create_from_file(argv[1], MMF_FILE_MODE_OPEN, NULL,
                                                      0, WITH_ACCESS(access), &map)));
    role_hear(line, sizeof(line));
    mmf_map_close(map);
    return EXIT_SUCCESS;
}

static void
check_sharing(const char *path, mmf_access ours, const char *theirs,
              const char *expected)
{
    const char *const args[] = {path, theirs, NULL};
    mmf_map *map =
        create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, WITH_ACCESS(ours));
    struct process *other = process_start("map_by_path", args);

    process_expect(other, expected);
    CHECK_INT(process_finish(other), EXIT_SUCCESS);
    mmf_map_close(map);
}

TEST(rule_2_2_8_sharing_between_processes)
{
    char path[FILE_PATH_SIZE];
    const char *const args[] = {path, NULL};
    struct process *other;

    file_path(path);
    make_file(path, 100);
    check_sharing(path, MMF_ACCESS_READ, "reading", "MMF_OK");
    check_sharing(path, MMF_ACCESS_READ, NULL, "MMF_E_SHARING");
    check_sharing(path, MMF_ACCESS_READ_WRITE, "reading", "MMF_E_SHARING");
    check_sharing(path, MMF_ACCESS_READ_WRITE, NULL, "MMF_E_SHARING");
    other = process_start("map_by_path", args);
    process_expect(other, "MMF_OK");
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_SHARING, NULL);
    process_kill(other); /* and its claim on the file dies with it */
    mmf_map_close(create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL));
    remove_file(path);
}

ROLE("answer", answer);
ROLE("visit", visit);
ROLE("map_by_path", map_by_path);
