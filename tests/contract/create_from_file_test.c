/*
 * create_from_file_test.c - MemoryMappedFile.CreateFromFile by path: rule 2.2. By an
 * open file: create_from_fd_test.c.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const mmf_file_mode creating_modes[] = {
    MMF_FILE_MODE_CREATE_NEW, MMF_FILE_MODE_CREATE, MMF_FILE_MODE_OPEN_OR_CREATE};

TEST(rule_2_2_1_null_path)
{
    REFUSES_FILE(NULL, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_NULL, "path");
    REFUSES_FILE(NULL, MMF_FILE_MODE_OPEN, "Cat", 4096, NULL, MMF_E_NULL, "path");
    REFUSES_FILE(NULL, MMF_FILE_MODE_OPEN, "Cat", 4096, WITH_ACCESS(MMF_ACCESS_READ),
                 MMF_E_NULL, "path");
}

/* The file is not touched by any of the argument checks. */
TEST(rule_2_2_2_empty_name)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, "", 4096, NULL, MMF_E_INVALID, "");
    CHECK_INT(file_length(path), -1);
}

TEST(rule_2_2_3_negative_capacity)
{
    static const int64_t bad[] = {-1, -100, INT64_MIN};
    char path[FILE_PATH_SIZE];
    size_t i;

    file_path(path);
    for (i = 0; i < COUNT_OF(bad); i++)
        REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, bad[i], NULL, MMF_E_RANGE,
                     "capacity");
    CHECK_INT(file_length(path), -1);
}

TEST(rule_2_2_4_access_out_of_range)
{
    static const mmf_access bad[] = {-2, -1, ACCESS_COUNT, 42};
    char path[FILE_PATH_SIZE];
    size_t i;

    file_path(path);
    for (i = 0; i < COUNT_OF(bad); i++)
        REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 4096, WITH_ACCESS(bad[i]),
                     MMF_E_RANGE, "access");
    CHECK_INT(file_length(path), -1);
}

TEST(rule_2_2_5_access_write)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 4096, WITH_ACCESS(MMF_ACCESS_WRITE),
                 MMF_E_INVALID, "access");
    CHECK_INT(file_length(path), -1);
}

static void
refuse_mode(mmf_file_mode mode, int status)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    REFUSES_FILE(path, mode, NULL, 4096, NULL, status, "mode");
    CHECK_INT(file_length(path), -1);
    make_file(path, 100);
    REFUSES_FILE(path, mode, NULL, 4096, NULL, status, "mode");
    CHECK_INT(file_length(path), 100);
    remove_file(path);
}

TEST(rule_2_2_6_mode_append)
{
    refuse_mode(MMF_FILE_MODE_APPEND, MMF_E_INVALID);
}

TEST(rule_2_2_7_mode_truncate)
{
    refuse_mode(MMF_FILE_MODE_TRUNCATE, MMF_E_INVALID);
}

TEST(rule_2_2_8_mode_out_of_range)
{
    refuse_mode(-1, MMF_E_RANGE);
    refuse_mode(0, MMF_E_RANGE);
    refuse_mode(7, MMF_E_RANGE);
    refuse_mode(42, MMF_E_RANGE);
}

TEST(rule_2_2_8_empty_path)
{
    REFUSES_FILE("", MMF_FILE_MODE_OPEN, NULL, 4096, NULL, MMF_E_INVALID, "path");
    REFUSES_FILE("", MMF_FILE_MODE_CREATE, "Cat", 4096, NULL, MMF_E_INVALID, "path");
}

TEST(rule_2_2_8_missing_file)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_NOT_FOUND, NULL);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "Cat", 4096, WITH_ACCESS(MMF_ACCESS_READ),
                 MMF_E_NOT_FOUND, NULL);
    CHECK_INT(file_length(path), -1);
}

TEST(rule_2_2_8_missing_directory)
{
    char path[FILE_PATH_SIZE], below[FILE_PATH_SIZE + 16];
    size_t i;

    file_path(path);
    snprintf(below, sizeof(below), "%s/file", path);
    REFUSES_FILE(below, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_PATH_NOT_FOUND, NULL);
    for (i = 0; i < COUNT_OF(creating_modes); i++)
        REFUSES_FILE(below, creating_modes[i], NULL, 4096, NULL, MMF_E_PATH_NOT_FOUND,
                     NULL);
    make_file(path, 1); /* a file where a directory should be */
    REFUSES_FILE(below, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_PATH_NOT_FOUND, NULL);
    remove_file(path);
}

TEST(rule_2_2_8_path_too_long)
{
    static char path[40000];
    char dir[FILE_PATH_SIZE];

    memset(path, 'a', sizeof(path) - 1);
    path[0] = '/';
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 4096, NULL, MMF_E_PATH_TOO_LONG,
                 NULL);
    if (kernel_has_names())
        return;     /* there the file system's limit for one part is an invalid name */
    file_path(dir); /* one name of more than 255 bytes */
    strcpy(path, dir);
    memset(path + strlen(dir), 'b', 300);
    path[strlen(dir) + 300] = '\0';
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 4096, NULL, MMF_E_PATH_TOO_LONG,
                 NULL);
}

TEST(rule_2_2_8_create_new_and_file_exists)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    make_file(path, 100);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE_NEW, NULL, 4096, NULL, MMF_E_EXISTS, NULL);
    CHECK_INT(file_length(path), 100);
    remove_file(path);
}

TEST(rule_2_2_8_creating_for_reading_is_refused)
{
    static const mmf_file_mode modes[] = {MMF_FILE_MODE_CREATE_NEW,
                                          MMF_FILE_MODE_CREATE};
    static const mmf_access accesses[] = {MMF_ACCESS_READ, MMF_ACCESS_READ_EXECUTE};
    char path[FILE_PATH_SIZE];
    size_t i, k;

    for (i = 0; i < COUNT_OF(modes); i++) {
        for (k = 0; k < COUNT_OF(accesses); k++) {
            file_path(path);
            REFUSES_FILE(path, modes[i], NULL, 4096, WITH_ACCESS(accesses[k]),
                         MMF_E_INVALID, "access");
            CHECK_INT(file_length(path), -1);
        }
    }
}

static void
open_read_only_file(void *path)
{
    uint8_t byte = 0;
    mmf_map *map;

    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_ACCESS, NULL);
    /* Copy-on-write opens the file for writing, too. */
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0,
                 WITH_ACCESS(MMF_ACCESS_COPY_ON_WRITE), MMF_E_ACCESS, NULL);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 4096, NULL, MMF_E_ACCESS, NULL);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0,
                           WITH_ACCESS(MMF_ACCESS_READ));
    byte = byte_at(map, 99);
    CHECK_INT(byte, 7);
    mmf_map_close(map);
}

TEST(rule_2_2_8_no_permission)
{
    static char path[FILE_PATH_SIZE];
    static const char bytes[100] = {[99] = 7};
    char after[100];

    need_files_for_stranger();
    file_path(path);
    write_file(path, bytes, sizeof(bytes));
    set_mode(path, 0444);
    as_stranger(open_read_only_file, path);
    read_file(path, after, sizeof(after));
    CHECK_BYTES(after, bytes, sizeof(after));
    remove_file(path);
}

static void
create_where_one_may_not(void *dir)
{
    char path[FILE_PATH_SIZE + 8];
    size_t i;

    snprintf(path, sizeof(path), "%s/new", (const char *)dir);
    for (i = 0; i < COUNT_OF(creating_modes); i++)
        REFUSES_FILE(path, creating_modes[i], NULL, 4096, NULL, MMF_E_ACCESS, NULL);
}

TEST(rule_2_2_8_no_permission_to_create)
{
    static char dir[FILE_PATH_SIZE];

    need_files_for_stranger();
    file_path(dir);
    make_directory(dir);
    as_stranger(create_where_one_may_not, dir);
    remove_directory(dir);
}

TEST(rule_2_2_8_directory)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    make_directory(path);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_ACCESS, NULL);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 4096, WITH_ACCESS(MMF_ACCESS_READ),
                 MMF_E_ACCESS, NULL);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN_OR_CREATE, NULL, 4096, NULL, MMF_E_ACCESS,
                 NULL);
    remove_directory(path);
}

/* Whether a second open of a path beside a first one is refused. */
static void
check_sharing(mmf_access first_access, mmf_access second_access, mmf_file_share share,
              int refused)
{
    mmf_map_options first_options = options_with(first_access, 0, 0);
    mmf_map_options second_options = options_with(second_access, 0, 0);
    char path[FILE_PATH_SIZE];
    mmf_map *first;

    CHECK_CONTEXT("%s beside %s, share %d", access_name(second_access),
                  access_name(first_access), share);
    first_options.share = share;
    second_options.share = share;
    file_path(path);
    make_file(path, 4096);
    first = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, &first_options);
    if (refused) {
        REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0, &second_options, MMF_E_SHARING,
                     NULL);
        REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "Cat", 8192, &second_options,
                     MMF_E_SHARING, NULL);
        CHECK_INT(file_length(path), 4096);
    } else {
        mmf_map_close(
            create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, &second_options));
    }
    mmf_map_close(first);
    /* In use no more. */
    mmf_map_close(create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, &second_options));
    remove_file(path);
}

/* A map by path lets others read the file, not write it; copy-on-write opens to write.
 */
/* Programs that share files by flock, as .NET's FileStream does. */
TEST(rule_2_2_8_sharing_with_those_who_flock)
{
    char path[FILE_PATH_SIZE];
    mmf_map *map;
    intptr_t fd;

    file_path(path);
    make_file(path, 4096);
    fd = open_file(path, FOR_READING, 0);
    CHECK(try_flock(fd, 1));
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_SHARING, NULL);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0, WITH_ACCESS(MMF_ACCESS_READ),
                 MMF_E_SHARING, NULL);
    CHECK(try_flock(fd, 0));
    map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL);
    CHECK(!try_flock(fd, 1));
    CHECK(try_flock(fd, 0));
    mmf_map_close(map);
    CHECK(try_flock(fd, 1));
    close_file(fd);
    remove_file(path);
}

TEST(rule_2_2_8_sharing)
{
    static const mmf_access accesses[] = {MMF_ACCESS_READ, MMF_ACCESS_READ_WRITE,
                                          MMF_ACCESS_COPY_ON_WRITE};
    size_t i, k;

    for (i = 0; i < COUNT_OF(accesses); i++) {
        for (k = 0; k < COUNT_OF(accesses); k++) {
            int both_read =
                accesses[i] == MMF_ACCESS_READ && accesses[k] == MMF_ACCESS_READ;

            check_sharing(accesses[i], accesses[k], MMF_FILE_SHARE_DEFAULT, !both_read);
            check_sharing(accesses[i], accesses[k], MMF_FILE_SHARE_READ, !both_read);
            check_sharing(accesses[i], accesses[k], MMF_FILE_SHARE_READ_WRITE, 0);
        }
    }
    CHECK_IO_ERROR(MMF_E_SHARING);
}

/* A file that is in use is not truncated before that is noticed. */
TEST(rule_2_2_8_sharing_violation_leaves_the_file_alone)
{
    char path[FILE_PATH_SIZE];
    mmf_map *first;

    file_path(path);
    make_file(path, 100);
    first = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL);
    poke(first, 99, 8);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 50, NULL, MMF_E_SHARING, NULL);
    CHECK_INT(file_length(path), 100);
    CHECK_INT(byte_at(first, 99), 8);
    mmf_map_close(first);
    remove_file(path);
}

TEST(rule_2_2_9_pipes_and_sockets)
{
    char path[FILE_PATH_SIZE];
    intptr_t fd;

    file_path(path);
    make_fifo(path);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_NOT_SUPPORTED, NULL);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 4096, NULL, MMF_E_NOT_SUPPORTED, NULL);
    /* Without a process at the other end a blocking open would hang here. */
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 4096, WITH_ACCESS(MMF_ACCESS_READ),
                 MMF_E_NOT_SUPPORTED, NULL);
    remove_file(path);

    file_path(path);
    if (!make_socket(path, &fd))
        return;
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 4096, NULL, MMF_E_NOT_SUPPORTED, NULL);
    close_file(fd);
    remove_file(path);
}

TEST(rule_2_2_10_empty_file_without_capacity)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    make_file(path, 0);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_INVALID, "");
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "Cat", 0, WITH_ACCESS(MMF_ACCESS_READ),
                 MMF_E_INVALID, "");
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN_OR_CREATE, NULL, 0, NULL, MMF_E_INVALID, "");
    CHECK_INT(file_length(path), 0);
    remove_file(path);
}

/* The file goes again if this call made it. */
TEST(rule_2_2_10_created_file_is_removed)
{
    char path[FILE_PATH_SIZE];
    size_t i;

    file_path(path);
    for (i = 0; i < COUNT_OF(creating_modes); i++) {
        REFUSES_FILE(path, creating_modes[i], NULL, 0, NULL, MMF_E_INVALID, "");
        CHECK_INT(file_length(path), -1);
    }
}

TEST(rule_2_2_11_capacity_0_is_the_length)
{
    static const int64_t lengths[] = {1, 100, 4096, 4097, 10000};
    char path[FILE_PATH_SIZE];
    int64_t capacity;
    size_t i;
    mmf_map *map;

    for (i = 0; i < COUNT_OF(lengths); i++) {
        file_path(path);
        make_file(path, lengths[i]);
        map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL);
        CHECK_OK(mmf_map_capacity(map, &capacity));
        CHECK_INT(capacity, map_size(lengths[i]));
        validate_map(map, lengths[i], MMF_ACCESS_READ_WRITE, 0);
        mmf_map_close(map);
        CHECK_INT(file_length(path), lengths[i]);
        remove_file(path);
    }
}

TEST(rule_2_2_12_reading_beyond_the_file)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    make_file(path, 100);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 101, WITH_ACCESS(MMF_ACCESS_READ),
                 MMF_E_INVALID, "");
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "Cat", 4096, WITH_ACCESS(MMF_ACCESS_READ),
                 MMF_E_INVALID, "");
    CHECK_INT(file_length(path), 100);
    remove_file(path);
    /* OpenOrCreate with an absent file: it is made, found too short, and removed. */
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN_OR_CREATE, NULL, 100,
                 WITH_ACCESS(MMF_ACCESS_READ), MMF_E_INVALID, "");
    CHECK_INT(file_length(path), -1);
}

TEST(rule_2_2_13_less_than_the_file)
{
    static const mmf_access accesses[] = {MMF_ACCESS_READ_WRITE, MMF_ACCESS_READ,
                                          MMF_ACCESS_COPY_ON_WRITE};
    char path[FILE_PATH_SIZE];
    size_t i;

    file_path(path);
    make_file(path, 100);
    for (i = 0; i < COUNT_OF(accesses); i++) {
        REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 99, WITH_ACCESS(accesses[i]),
                     MMF_E_RANGE, "capacity");
        REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "Cat", 1, WITH_ACCESS(accesses[i]),
                     MMF_E_RANGE, "capacity");
    }
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN_OR_CREATE, NULL, 99, NULL, MMF_E_RANGE,
                 "capacity");
    CHECK_INT(file_length(path), 100);
    remove_file(path);
}

/* .NET on Unix refuses names here. */
TEST(rule_2_2_14_names_are_accepted)
{
    char path[FILE_PATH_SIZE];
    struct names names;
    mmf_map *map, *second;
    size_t i;

    make_names(&names);
    for (i = 0; i < NAME_COUNT; i++) {
        CHECK_CONTEXT("name N%zu", i + 1);
        file_path(path);
        map =
            create_from_file(path, MMF_FILE_MODE_CREATE_NEW, names.text[i], 4096, NULL);
        validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
        second = open_existing(names.text[i], NULL);
        validate_map(second, 4096, MMF_ACCESS_READ_WRITE, 0);
        mmf_map_close(second);
        mmf_map_close(map);
        REFUSES_OPEN(names.text[i], NULL, MMF_E_NOT_FOUND, NULL);
        CHECK_INT(file_length(path), 4096);
        remove_file(path);
    }
}

/* A bad capacity is reported before a bad name; then the name. */
TEST(rule_2_2_14_capacity_before_the_name)
{
    char path[FILE_PATH_SIZE];
    mmf_map *live;

    live = create_new("Cat", 10, NULL);
    file_path(path);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, "Cat", 0, NULL, MMF_E_INVALID, "");
    CHECK_INT(file_length(path), -1);
    make_file(path, 100);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "Cat", 99, NULL, MMF_E_RANGE, "capacity");
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "Cat", 101, WITH_ACCESS(MMF_ACCESS_READ),
                 MMF_E_INVALID, "");
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "no\\prefix", 99, NULL, MMF_E_RANGE,
                 "capacity");
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "no\\prefix", 0, NULL, MMF_E_PATH_NOT_FOUND,
                 NULL);
    remove_file(path);
    mmf_map_close(live);
}

TEST(rule_2_2_15_the_file_grows_exactly)
{
    static const int64_t capacities[] = {101, 4095, 4096, 4097, 10000};
    char path[FILE_PATH_SIZE];
    char bytes[100];
    size_t i;
    mmf_map *map;

    memset(bytes, 7, sizeof(bytes));
    for (i = 0; i < COUNT_OF(capacities); i++) {
        file_path(path);
        write_file(path, bytes, sizeof(bytes));
        map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, capacities[i], NULL);
        CHECK_INT(file_length(path), capacities[i]);
        CHECK_INT(byte_at(map, 99), 7);
        CHECK_INT(byte_at(map, 100), 0); /* 3.1.7: new bytes are zero */
        CHECK_INT(byte_at(map, capacities[i] - 1), 0);
        poke(map, capacities[i] - 1, 9);
        mmf_map_close(map);
        CHECK_INT(file_length(path), capacities[i]);
        remove_file(path);
    }
}

static void
check_cannot_grow(const char *path, mmf_file_mode mode, int64_t capacity)
{
    mmf_map *map = UNTOUCHED;
    int rc = mmf_map_create_from_file(path, mode, NULL, capacity, NULL, &map);

    CHECK_FAILS(mmf_map_create_from_file(path, mode, NULL, capacity, NULL, &map), rc);
    CHECK_IO_ERROR(rc);
    CHECK((void *)map == UNTOUCHED);
}

TEST(rule_2_2_15_file_cannot_grow)
{
    char path[FILE_PATH_SIZE];
    size_t i;

    if (sizeof(void *) == 4)
        harness_skip("no such capacity in a 32-bit process");
    file_path(path);
    make_file(path, 100);
    check_cannot_grow(path, MMF_FILE_MODE_OPEN, INT64_MAX);
    CHECK_INT(file_length(path), 100);
    remove_file(path);
    for (i = 0; i < COUNT_OF(creating_modes); i++) {
        check_cannot_grow(path, creating_modes[i], INT64_MAX);
        CHECK_INT(file_length(path), -1);
    }
}

/* Windows grows a file for writing only; what cannot be written cannot grow. */
TEST(rule_2_2_15_only_writers_grow)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    make_file(path, 100);
    set_mode(path, 0755);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 101,
                 WITH_ACCESS(MMF_ACCESS_COPY_ON_WRITE), MMF_E_IO, NULL);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 101,
                 WITH_ACCESS(MMF_ACCESS_READ_EXECUTE), MMF_E_IO, NULL);
    CHECK_INT(file_length(path), 100);
    remove_file(path);
}

TEST(rule_2_2_16_name_is_taken)
{
    char path[FILE_PATH_SIZE], other[FILE_PATH_SIZE];
    mmf_map *live;
    size_t i;

    file_path(path);
    live = create_new("Cat", 10, NULL);
    for (i = 0; i < COUNT_OF(creating_modes); i++) {
        REFUSES_FILE(path, creating_modes[i], "Cat", 4096, NULL, MMF_E_EXISTS, NULL);
        CHECK_INT(file_length(path), -1); /* made by the call, so removed */
    }
    make_file(path, 100);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL, MMF_E_EXISTS, NULL);
    CHECK_INT(file_length(path), 100);
    mmf_map_close(live);

    live = create_from_file(path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL);
    file_path(other);
    REFUSES_FILE(other, MMF_FILE_MODE_CREATE_NEW, "Cat", 4096, NULL, MMF_E_EXISTS,
                 NULL);
    CHECK_INT(file_length(other), -1);
    REFUSES_CREATE_NEW("Cat", 4096, NULL, MMF_E_EXISTS, NULL);
    mmf_map_close(live);
    remove_file(path);
}

/* A file that was there, and that mode Create has emptied, stays. */
TEST(rule_2_2_truncated_file_stays)
{
    char path[FILE_PATH_SIZE];
    mmf_map *live;

    live = create_new("Cat", 10, NULL);
    file_path(path);
    make_file(path, 100);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 0, NULL, MMF_E_INVALID, "");
    CHECK_INT(file_length(path), 0);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, "Cat", 4096, NULL, MMF_E_EXISTS, NULL);
    CHECK(file_length(path) >= 0);
    mmf_map_close(live);
    remove_file(path);
}

/* What each mode does to a file that is there, and to one that is not. */
TEST(rule_2_2_modes)
{
    char path[FILE_PATH_SIZE];
    static const char bytes[3] = "abc";
    mmf_map *map;

    file_path(path);
    map = create_from_file(path, MMF_FILE_MODE_CREATE_NEW, NULL, 100, NULL);
    validate_map(map, 100, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    CHECK_INT(file_length(path), 100);
    write_file(path, bytes, sizeof(bytes));
    map = create_from_file(path, MMF_FILE_MODE_OPEN_OR_CREATE, NULL, 100, NULL);
    CHECK_INT(byte_at(map, 0), 'a');
    mmf_map_close(map);
    map = create_from_file(path, MMF_FILE_MODE_CREATE, NULL, 50, NULL);
    validate_map(map, 50, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    CHECK_INT(file_length(path), 50);
    remove_file(path);
    map = create_from_file(path, MMF_FILE_MODE_OPEN_OR_CREATE, NULL, 70, NULL);
    validate_map(map, 70, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    CHECK_INT(file_length(path), 70);
    remove_file(path);
    map = create_from_file(path, MMF_FILE_MODE_CREATE, NULL, 60, NULL);
    mmf_map_close(map);
    CHECK_INT(file_length(path), 60);
    remove_file(path);
}

/* Every call breaks all rules from its own on. */
TEST(rule_2_2_order_of_checks)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    REFUSES_FILE(NULL, MMF_FILE_MODE_APPEND, "", -1, WITH_ACCESS(42), MMF_E_NULL,
                 "path");
    REFUSES_FILE("", MMF_FILE_MODE_APPEND, "", -1, WITH_ACCESS(42), MMF_E_INVALID, "");
    REFUSES_FILE("", MMF_FILE_MODE_APPEND, "Cat", -1, WITH_ACCESS(42), MMF_E_RANGE,
                 "capacity");
    REFUSES_FILE("", MMF_FILE_MODE_APPEND, "Cat", 0, WITH_ACCESS(42), MMF_E_RANGE,
                 "access");
    REFUSES_FILE("", MMF_FILE_MODE_APPEND, "Cat", 0, WITH_ACCESS(MMF_ACCESS_WRITE),
                 MMF_E_INVALID, "access");
    REFUSES_FILE("", MMF_FILE_MODE_APPEND, "Cat", 0, NULL, MMF_E_INVALID, "mode");
    REFUSES_FILE("", MMF_FILE_MODE_TRUNCATE, "Cat", 0, NULL, MMF_E_INVALID, "mode");
    REFUSES_FILE("", 7, "Cat", 0, NULL, MMF_E_INVALID, "path");
    REFUSES_FILE(path, 7, "Cat", 0, WITH_ACCESS(MMF_ACCESS_READ), MMF_E_RANGE, "mode");
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, "no\\prefix", 0, NULL, MMF_E_NOT_FOUND,
                 NULL);
    CHECK_INT(file_length(path), -1);
}

/* The shorter overloads open, with the file's length, for reading and writing. */
TEST(rule_1_1_create_from_file_defaults)
{
    char path[FILE_PATH_SIZE];
    mmf_map *map;

    file_path(path);
    make_file(path, 300);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL);
    validate_map(map, 300, MMF_ACCESS_READ_WRITE, MMF_INHERITABILITY_NONE);
    mmf_map_close(map);
    remove_file(path);
}

/* .NET's form has no inheritability: the file is never inherited. */
TEST(rule_2_2_inheritability_is_not_used)
{
    char path[FILE_PATH_SIZE];
    mmf_map *map;

    file_path(path);
    map = create_from_file(path, MMF_FILE_MODE_CREATE, NULL, 100,
                           WITH(0, 0, MMF_INHERITABILITY_INHERITABLE));
    validate_map(map, 100, MMF_ACCESS_READ_WRITE, MMF_INHERITABILITY_NONE);
    mmf_map_close(map);
    remove_file(path);
}

/* Unused settings of the struct are still checked: no silent nonsense. */
TEST(rule_2_2_settings_out_of_range)
{
    mmf_map_options options = options_with(MMF_ACCESS_READ_WRITE, 0, 0);
    char path[FILE_PATH_SIZE];

    file_path(path);
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 4096, WITH(0, 42, 0), MMF_E_RANGE,
                 "options");
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 4096, WITH(0, 0, 42), MMF_E_RANGE,
                 "inheritability");
    options.share = 42;
    REFUSES_FILE(path, MMF_FILE_MODE_CREATE, NULL, 4096, &options, MMF_E_RANGE,
                 "share");
    CHECK_INT(file_length(path), -1);
}

/*
 * A device has no length to check and nothing to grow. By a link: a library that
 * removed the file of a failed call by mistake would take that, not the machine's
 * device.
 */
TEST(rule_2_9_character_devices)
{
    char zero[FILE_PATH_SIZE];
    mmf_map *map, *second;

    file_path(zero);
    link_to_zero_device(zero);
    map = create_from_file(zero, MMF_FILE_MODE_OPEN, NULL, 255, NULL);
    validate_map(map, 255, MMF_ACCESS_READ_WRITE, 0);
    /* Devices may be shared freely: no sharing violation. */
    second = create_from_file(zero, MMF_FILE_MODE_OPEN, NULL, 255,
                              WITH_ACCESS(MMF_ACCESS_READ));
    validate_map(second, 255, MMF_ACCESS_READ, 0);
    mmf_map_close(second);
    mmf_map_close(map);
    REFUSES_FILE(zero, MMF_FILE_MODE_OPEN, NULL, 0, NULL, MMF_E_INVALID, "");
    remove_file(zero);
}

TEST(rule_2_2_out_is_null)
{
    char path[FILE_PATH_SIZE];

    file_path(path);
    CHECK_FAILS(
        mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE, NULL, 4096, NULL, NULL),
        MMF_E_NULL);
    CHECK_INT(file_length(path), -1);
}
