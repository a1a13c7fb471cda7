/*
 * create_from_fd_test.c - MemoryMappedFile.CreateFromFile by stream or handle:
 * rule 2.3.
 */
#include "support.h"

/* A new file of `length` bytes, open for reading and writing. */
static intptr_t
open_new(char path[FILE_PATH_SIZE], int64_t length)
{
    file_path(path);
    make_file(path, length);
    return open_file(path, FOR_BOTH, 0);
}

/* A number that is no handle. */
static intptr_t
closed_handle(void)
{
    char path[FILE_PATH_SIZE];
    intptr_t handle = open_new(path, 0);

    close_file(handle);
    remove_file(path);
    return handle;
}

static mmf_map_options
leaving_open(mmf_access access)
{
    mmf_map_options options = options_with(access, 0, 0);

    options.leave_open = 1;
    return options;
}

/* .NET's null stream: a number that is no open file. */
TEST(rule_2_3_1_no_file)
{
    REFUSES_HANDLE(-1, NULL, 4096, NULL, MMF_E_DISPOSED, NULL);
    REFUSES_HANDLE(-1, NULL, 0, NULL, MMF_E_DISPOSED, NULL);
    REFUSES_HANDLE(INT32_MIN, NULL, 4096, NULL, MMF_E_DISPOSED, NULL);
}

TEST(rule_2_3_2_empty_name)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);

    REFUSES_HANDLE(fd, "", 100, NULL, MMF_E_INVALID, "");
    CHECK(is_open(fd));
    close_file(fd);
    remove_file(path);
}

TEST(rule_2_3_3_negative_capacity)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);

    REFUSES_HANDLE(fd, NULL, -1, NULL, MMF_E_RANGE, "capacity");
    REFUSES_HANDLE(fd, NULL, INT64_MIN, NULL, MMF_E_RANGE, "capacity");
    CHECK(is_open(fd));
    close_file(fd);
    remove_file(path);
}

TEST(rule_2_3_4_access_out_of_range)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);

    REFUSES_HANDLE(fd, NULL, 100, WITH_ACCESS(-1), MMF_E_RANGE, "access");
    REFUSES_HANDLE(fd, NULL, 100, WITH_ACCESS(ACCESS_COUNT), MMF_E_RANGE, "access");
    CHECK(is_open(fd));
    close_file(fd);
    remove_file(path);
}

TEST(rule_2_3_5_access_write)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);

    REFUSES_HANDLE(fd, NULL, 100, WITH_ACCESS(MMF_ACCESS_WRITE), MMF_E_INVALID,
                   "access");
    CHECK(is_open(fd));
    close_file(fd);
    remove_file(path);
}

TEST(rule_2_3_6_pipe_and_closed)
{
    intptr_t ends[2];

    make_pipe(ends);
    REFUSES_HANDLE(ends[0], NULL, 0, WITH_ACCESS(MMF_ACCESS_READ), MMF_E_NOT_SUPPORTED,
                   NULL);
    REFUSES_HANDLE(ends[0], NULL, 4096, WITH_ACCESS(MMF_ACCESS_READ),
                   MMF_E_NOT_SUPPORTED, NULL);
    REFUSES_HANDLE(ends[1], NULL, 4096, NULL, MMF_E_NOT_SUPPORTED, NULL);
    CHECK(is_open(ends[0]) && is_open(ends[1]));
    close_file(ends[0]);
    close_file(ends[1]);
    REFUSES_HANDLE(closed_handle(), NULL, 4096, NULL, MMF_E_DISPOSED, NULL);
}

TEST(rule_2_3_6_socket)
{
    intptr_t handle = open_socket();

    REFUSES_HANDLE(handle, NULL, 4096, NULL, MMF_E_NOT_SUPPORTED, NULL);
    CHECK(is_open(handle));
    close_file(handle);
}

TEST(rule_2_3_7_empty_file_without_capacity)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 0);

    REFUSES_HANDLE(fd, NULL, 0, NULL, MMF_E_INVALID, "");
    REFUSES_HANDLE(fd, NULL, 0, WITH_ACCESS(MMF_ACCESS_READ), MMF_E_INVALID, "");
    CHECK(is_open(fd));
    CHECK_INT(file_length(path), 0);
    close_file(fd);
    remove_file(path);
}

TEST(rule_2_3_8_inheritability_out_of_range)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);

    REFUSES_HANDLE(fd, NULL, 100, WITH(0, 0, -1), MMF_E_RANGE, "inheritability");
    REFUSES_HANDLE(fd, NULL, 100, WITH(0, 0, 42), MMF_E_RANGE, "inheritability");
    CHECK(is_open(fd));
    close_file(fd);
    remove_file(path);
}

TEST(rule_2_3_10_capacity_0_is_the_length)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 777);
    mmf_map *map;

    map = create_from_handle(fd, NULL, 0, NULL);
    validate_map(map, 777, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    remove_file(path);
}

/* Steps 12 and 13 of rule 2.2. */
TEST(rule_2_3_capacity_and_length)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);

    REFUSES_HANDLE(fd, NULL, 101, WITH_ACCESS(MMF_ACCESS_READ), MMF_E_INVALID, "");
    REFUSES_HANDLE(fd, NULL, 99, NULL, MMF_E_RANGE, "capacity");
    REFUSES_HANDLE(fd, NULL, 99, WITH_ACCESS(MMF_ACCESS_READ), MMF_E_RANGE, "capacity");
    REFUSES_HANDLE(fd, NULL, 101, WITH_ACCESS(MMF_ACCESS_COPY_ON_WRITE), MMF_E_IO,
                   NULL);
    CHECK(is_open(fd));
    CHECK_INT(file_length(path), 100);
    close_file(fd);
    remove_file(path);
}

TEST(rule_2_3_the_file_grows_exactly)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);
    mmf_map *map;

    map = create_from_handle(fd, NULL, 4097, NULL);
    CHECK_INT(file_length(path), 4097);
    validate_map(map, 4097, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    CHECK_INT(file_length(path), 4097);
    remove_file(path);
}

TEST(rule_2_3_name_is_taken)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);
    mmf_map *live;

    live = create_new("Cat", 10, NULL);
    REFUSES_HANDLE(fd, "Cat", 0, NULL, MMF_E_EXISTS, NULL);
    CHECK(is_open(fd));
    CHECK_INT(file_length(path), 100); /* never removed */
    mmf_map_close(live);
    close_file(fd);
    remove_file(path);
}

/* Every call breaks all rules from its own on. */
TEST(rule_2_3_order_of_checks)
{
    char path[FILE_PATH_SIZE], full[FILE_PATH_SIZE];
    intptr_t bad = closed_handle();
    intptr_t fd, ends[2];

    REFUSES_HANDLE(bad, "", -1, WITH(42, 0, 42), MMF_E_INVALID, "");
    REFUSES_HANDLE(bad, "Cat", -1, WITH(42, 0, 42), MMF_E_RANGE, "capacity");
    REFUSES_HANDLE(bad, "Cat", 0, WITH(42, 0, 42), MMF_E_RANGE, "access");
    REFUSES_HANDLE(bad, "Cat", 0, WITH(MMF_ACCESS_WRITE, 0, 42), MMF_E_INVALID,
                   "access");
    REFUSES_HANDLE(bad, "Cat", 0, WITH(0, 0, 42), MMF_E_DISPOSED, NULL);
    make_pipe(ends);
    REFUSES_HANDLE(ends[0], "Cat", 0, WITH(0, 0, 42), MMF_E_NOT_SUPPORTED, NULL);
    close_file(ends[0]);
    close_file(ends[1]);
    fd = open_new(path, 0);
    REFUSES_HANDLE(fd, "Cat", 0, WITH(0, 0, 42), MMF_E_INVALID, "");
    close_file(fd);
    remove_file(path);
    fd = open_new(full, 100);
    REFUSES_HANDLE(fd, "no\\prefix", 99, WITH(0, 0, 42), MMF_E_RANGE, "inheritability");
    REFUSES_HANDLE(fd, "no\\prefix", 99, NULL, MMF_E_RANGE, "capacity");
    REFUSES_HANDLE(fd, "no\\prefix", 0, NULL, MMF_E_PATH_NOT_FOUND, NULL);
    close_file(fd);
    remove_file(full);
}

/* The caller's file is never removed, whether the caller or the map closes it. */
TEST(rule_2_3_the_file_is_never_removed)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 0);

    REFUSES_HANDLE(fd, NULL, 0, NULL, MMF_E_INVALID, "");
    CHECK_INT(file_length(path), 0);
    mmf_map_close(create_from_handle(fd, NULL, 50, NULL));
    CHECK_INT(file_length(path), 50);
    remove_file(path);
}

TEST(rule_3_5_6_leave_open)
{
    const mmf_map_options keep = leaving_open(MMF_ACCESS_READ_WRITE);
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);
    mmf_accessor *view;
    mmf_map *map;

    map = create_from_handle(fd, NULL, 0, &keep);
    view = view_of(map, 0, 100, MMF_ACCESS_READ_WRITE);
    mmf_map_close(map);
    CHECK(is_open(fd));
    mmf_accessor_close(view);
    CHECK(is_open(fd));
    map = create_from_handle(fd, "Cat", 0, &keep);
    mmf_map_close(map);
    CHECK(is_open(fd));

    map = create_from_handle(fd, NULL, 0, NULL);
    view = view_of(map, 0, 100, MMF_ACCESS_READ_WRITE);
    CHECK(is_open(fd));
    mmf_map_close(map);
    CHECK(!is_open(fd));
    /* 3.5.2: the view does not mind that the file is closed. */
    validate_accessor(view, 100, MMF_ACCESS_READ_WRITE);
    mmf_accessor_close(view);
    remove_file(path);
}

/* A file's map: the descriptor itself is the handle, and becomes what was asked for. */
static void
check_inherits(const char *name, mmf_inheritability inheritability, int inherited)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd;
    mmf_map *map;

    file_path(path);
    make_file(path, 100);
    fd = open_file(path, FOR_BOTH, inherited);
    map = create_from_handle(fd, name, 0, WITH(0, 0, inheritability));
    validate_map(map, 100, MMF_ACCESS_READ_WRITE, inheritability);
    mmf_map_close(map);
    remove_file(path);
}

TEST(rule_3_7_inheritable_file)
{
    check_inherits(NULL, MMF_INHERITABILITY_INHERITABLE, 0);
    check_inherits("Cat", MMF_INHERITABILITY_INHERITABLE, 0);
    check_inherits(NULL, MMF_INHERITABILITY_NONE, 0);
    check_inherits(NULL, MMF_INHERITABILITY_NONE, 1);
    check_inherits("Cat", MMF_INHERITABILITY_NONE, 1);
}

TEST(rule_2_9_character_devices_by_handle)
{
    intptr_t fd = open_zero_device();
    mmf_map *map;

    map = create_from_handle(fd, NULL, 255, NULL);
    validate_map(map, 255, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
}

/* A name must lead others to the file: it needs a path that still is this file. */
TEST(rule_2_3_a_name_needs_a_path)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_nameless_file(100);
    mmf_map *map;

    REFUSES_HANDLE(fd, "Cat", 0, NULL, MMF_E_NOT_SUPPORTED, NULL);
    map = create_from_handle(fd, NULL, 0, NULL);
    validate_map(map, 100, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    fd = open_new(path, 100);
    remove_file(path);
    REFUSES_HANDLE(fd, "Cat", 0, NULL, MMF_E_NOT_SUPPORTED, NULL);
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
    close_file(fd);
}

/* Named by handle, opened by name: the same bytes. */
TEST(rule_2_3_named)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);
    mmf_map *map, *second;

    map = create_from_handle(fd, "Cat", 0, NULL);
    second = open_existing("Cat", NULL);
    poke(second, 50, 5);
    CHECK_INT(byte_at(map, 50), 5);
    mmf_map_close(map);
    CHECK_INT(byte_at(second, 50), 5);
    mmf_map_close(second);
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
    remove_file(path);
}

/*
 * The C runtime's descriptor: the same as the handle on Linux. On Windows a library
 * cannot know which runtime it belongs to, and says so, after the arguments' own rules.
 */
TEST(rule_2_3_by_descriptor)
{
    char path[FILE_PATH_SIZE];
    mmf_map *map = UNTOUCHED;
    intptr_t fd;

    CHECK_FAILS_PARAM(mmf_map_create_from_fd(-1, "", 0, NULL, &map), MMF_E_INVALID, "");
    CHECK_FAILS_PARAM(mmf_map_create_from_fd(-1, NULL, -1, NULL, &map), MMF_E_RANGE,
                      "capacity");
    CHECK_FAILS(mmf_map_create_from_fd(-1, NULL, 0, NULL, NULL), MMF_E_NULL);
    if (!has_descriptors()) {
        CHECK_FAILS(mmf_map_create_from_fd(0, NULL, 0, NULL, &map), MMF_E_PLATFORM);
        CHECK((void *)map == UNTOUCHED);
        return;
    }
    CHECK_FAILS(mmf_map_create_from_fd(-1, NULL, 0, NULL, &map), MMF_E_DISPOSED);
    CHECK((void *)map == UNTOUCHED);
    fd = open_new(path, 100);
    CHECK_OK(mmf_map_create_from_fd((int)fd, "Cat", 0, NULL, &map));
    validate_map(map, 100, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    CHECK(!is_open(fd));
    remove_file(path);
}

TEST(rule_2_3_out_is_null)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd = open_new(path, 100);

    CHECK_FAILS(mmf_map_create_from_handle(fd, NULL, 0, NULL, NULL), MMF_E_NULL);
    CHECK(is_open(fd));
    close_file(fd);
    remove_file(path);
}
