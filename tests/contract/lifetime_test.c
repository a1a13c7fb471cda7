/*
 * lifetime_test.c - what maps and views hold, share and keep: rules 3.1 and 3.5.
 * Races and kills in quantity are the process, crash and torture suites' business.
 */
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Rule 3.1.
 */

static void
check_zero(mmf_map *map, int64_t capacity)
{
    mmf_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ);
    const unsigned char *bytes;
    void *pointer;
    int64_t i;

    CHECK_OK(mmf_accessor_pointer(view, &pointer, NULL));
    bytes = pointer;
    for (i = 0; i < capacity; i++)
        CHECK_INT(bytes[i], 0);
    mmf_accessor_close(view);
}

static void
check_zero_and_spoil(mmf_map *map, int64_t capacity)
{
    mmf_accessor *view;
    void *bytes;

    check_zero(map, capacity);
    view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    CHECK_OK(mmf_accessor_pointer(view, &bytes, NULL));
    memset(bytes, 0xee, (size_t)capacity);
    mmf_accessor_close(view);
}

TEST(rule_3_1_1_new_memory_is_zero)
{
    static const int64_t capacities[] = {1, 4095, 4096, 4097, 70000};
    size_t i;
    int again;
    mmf_map *map;

    for (i = 0; i < COUNT_OF(capacities); i++) {
        for_each_sample(capacities[i], check_zero_and_spoil);
        for (again = 0; again < 3; again++) {
            map = create_new("Cat", capacities[i], NULL);
            check_zero_and_spoil(map, capacities[i]);
            mmf_map_close(map);
        }
    }
}

TEST(rule_3_1_2_maps_of_one_name_share)
{
    mmf_map *first, *second, *third;

    first = create_new("Cat", 4096, NULL);
    second = create_or_open("Cat", 4096, NULL);
    third = open_existing("Cat", NULL);
    poke(first, 1, 11);
    CHECK_INT(byte_at(second, 1), 11);
    CHECK_INT(byte_at(third, 1), 11);
    poke(third, 1, 33);
    CHECK_INT(byte_at(first, 1), 33);
    CHECK_INT(byte_at(second, 1), 33);
    mmf_map_close(first);
    mmf_map_close(second);
    mmf_map_close(third);
}

TEST(rule_3_1_2_maps_of_one_file_share)
{
    mmf_map_options options = options_with(MMF_ACCESS_READ_WRITE, 0, 0);
    char path[FILE_PATH_SIZE];
    mmf_map *first, *second, *third;
    unsigned char bytes[2];
    intptr_t fd;

    file_path(path);
    make_file(path, 4096);
    options.share = MMF_FILE_SHARE_READ_WRITE;
    first = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, &options);
    second = create_from_file(path, MMF_FILE_MODE_OPEN, "Cat", 0, &options);
    fd = open_file(path, FOR_BOTH, 0);
    third = create_from_handle(fd, NULL, 0, NULL);
    poke(first, 1, 11);
    CHECK_INT(byte_at(second, 1), 11);
    CHECK_INT(byte_at(third, 1), 11);
    poke(third, 1, 33);
    CHECK_INT(byte_at(first, 1), 33);
    CHECK_INT(byte_at(second, 1), 33);
    mmf_map_close(first);
    mmf_map_close(second);
    mmf_map_close(third);
    read_file(path, bytes, 2);
    CHECK_INT(bytes[1], 33);
    remove_file(path);
}

static void
check_private(mmf_map *map)
{
    mmf_accessor *one = view_of(map, 0, 0, MMF_ACCESS_COPY_ON_WRITE);
    mmf_accessor *other = view_of(map, 0, 0, MMF_ACCESS_COPY_ON_WRITE);
    uint8_t value = 99;

    CHECK_OK(mmf_accessor_write_byte(one, 5, 42));
    CHECK_OK(mmf_accessor_read_byte(one, 5, &value));
    CHECK_INT(value, 42);
    CHECK_OK(mmf_accessor_read_byte(other, 5, &value));
    CHECK_INT(value, 0);
    CHECK_INT(byte_at(map, 5), 0);
    mmf_accessor_close(one);
    CHECK_INT(byte_at(map, 5), 0);
    mmf_accessor_close(other);
}

TEST(rule_3_1_3_copy_on_write_maps_never_share)
{
    char path[FILE_PATH_SIZE];
    unsigned char bytes[6] = {[5] = 99};
    mmf_map *map, *second;

    map = create_new(NULL, 4096, WITH_ACCESS(MMF_ACCESS_COPY_ON_WRITE));
    check_private(map);
    mmf_map_close(map);
    map = create_new("Cat", 4096, WITH_ACCESS(MMF_ACCESS_COPY_ON_WRITE));
    second = open_existing("Cat", NULL);
    check_private(map);
    check_private(second);
    mmf_map_close(second);
    mmf_map_close(map);
    file_path(path);
    make_file(path, 4096);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0,
                           WITH_ACCESS(MMF_ACCESS_COPY_ON_WRITE));
    check_private(map);
    mmf_map_close(map);
    read_file(path, bytes, 6);
    CHECK_INT(bytes[5], 0);
    remove_file(path);
}

static void
check_copy_on_write_view(mmf_map *map, int64_t capacity)
{
    int64_t page = page_size();
    mmf_accessor *view;
    uint8_t value = 99;

    (void)capacity;
    poke(map, 0, 1);
    view = view_of(map, 0, 0, MMF_ACCESS_COPY_ON_WRITE);
    CHECK_OK(mmf_accessor_read_byte(view, 0, &value));
    CHECK_INT(value, 1);
    CHECK_OK(mmf_accessor_write_byte(view, 0, 2));
    CHECK_INT(byte_at(map, 0), 1);
    poke(map, 0, 3); /* this page is the view's own now */
    CHECK_OK(mmf_accessor_read_byte(view, 0, &value));
    CHECK_INT(value, 2);
    poke(map, page, 4); /* this one still is the map's */
    CHECK_OK(mmf_accessor_read_byte(view, page, &value));
    CHECK_INT(value, 4);
    mmf_accessor_close(view);
    CHECK_INT(byte_at(map, 0), 3);
}

TEST(rule_3_1_4_copy_on_write_views)
{
    for_each_sample(2 * page_size(), check_copy_on_write_view);
}

TEST(rule_3_1_5_read_only_unnamed_maps_are_zero)
{
    static const mmf_access accesses[] = {MMF_ACCESS_READ, MMF_ACCESS_READ_EXECUTE};
    mmf_accessor *view;
    size_t i;
    mmf_map *map;

    for (i = 0; i < COUNT_OF(accesses); i++) {
        map = create_new(NULL, 10000, WITH_ACCESS(accesses[i]));
        check_zero(map, 10000);
        view = view_of(map, 0, 0, MMF_ACCESS_COPY_ON_WRITE);
        CHECK_OK(mmf_accessor_write_byte(view, 0, 1));
        check_zero(map, 10000);
        mmf_accessor_close(view);
        mmf_map_close(map);
    }
}

/*
 * Rule 3.5.
 */

/* The name lives until the last of three handles is closed, in whichever order. */
TEST(rule_3_5_3_the_last_handle_takes_the_name)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    mmf_map *handles[3];
    size_t i;
    int k;

    for (i = 0; i < COUNT_OF(orders); i++) {
        handles[0] = create_new("Cat", 4096, NULL);
        handles[1] = open_existing("Cat", WITH_RIGHTS(MMF_RIGHTS_READ));
        handles[2] = create_or_open("Cat", 4096, NULL);
        for (k = 0; k < 3; k++) {
            REFUSES_CREATE_NEW("Cat", 4096, NULL, MMF_E_EXISTS, NULL);
            mmf_map_close(open_existing("Cat", NULL));
            mmf_map_close(handles[orders[i][k]]);
        }
        REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
    }
}

/* The protection is the first creator's while any handle lives, and goes with the last.
 */
TEST(rule_3_5_3_protection_goes_with_the_name)
{
    mmf_map *first, *map;

    if (!host_keeps_protection())
        harness_skip("this host maps beyond what a section's creator gave");
    first = create_new("Cat", 4096, WITH_ACCESS(MMF_ACCESS_READ));
    map = open_existing("Cat", NULL);
    mmf_map_close(first);
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_READ_WRITE, MMF_E_IO, NULL);
    mmf_map_close(map);
    map = create_new("Cat", 100, NULL);
    validate_map(map, 100, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
}

/* Opens the map, says so, and closes or just ends on request. */
static int
hold(int argc, char **argv)
{
    char line[32];
    mmf_map *map;

    (void)argc;
    map = open_existing(argv[1], NULL);
    poke(map, 0, 77);
    role_say("holding");
    while (role_hear(line, sizeof(line))) {
        if (strcmp(line, "close") == 0) {
            mmf_map_close(map);
            role_say("closed");
        } else if (strcmp(line, "exit") == 0) {
            _Exit(EXIT_SUCCESS); /* a leak checker must not find the map */
        }
    }
    return EXIT_SUCCESS;
}

static struct process *
start_holder(const char *name)
{
    const char *const args[] = {name, NULL};
    struct process *process = process_start("hold", args);

    process_expect(process, "holding");
    return process;
}

static void
check_is_held(const char *name)
{
    mmf_map *map = open_existing(name, NULL);

    CHECK_INT(byte_at(map, 0), 77);
    mmf_map_close(map);
    REFUSES_CREATE_NEW(name, 4096, NULL, MMF_E_EXISTS, NULL);
}

/* No process has it open: it is not found, and a new map has none of its bytes. */
static void
check_is_gone(const char *name)
{
    mmf_map *map;

    REFUSES_OPEN(name, NULL, MMF_E_NOT_FOUND, NULL);
    map = create_new(name, 4096, NULL);
    check_zero(map, 4096);
    mmf_map_close(map);
}

TEST(rule_3_5_3_another_process_keeps_the_name)
{
    struct process *process;
    mmf_map *map;

    map = create_new("Cat", 4096, NULL);
    process = start_holder("Cat");
    mmf_map_close(map);
    check_is_held("Cat");
    process_send(process, "close");
    process_expect(process, "closed");
    check_is_gone("Cat");
    CHECK_INT(process_finish(process), EXIT_SUCCESS);
}

TEST(rule_3_5_3_exit_closes)
{
    struct process *process;
    mmf_map *map;

    map = create_new("Cat", 4096, NULL);
    process = start_holder("Cat");
    mmf_map_close(map);
    check_is_held("Cat");
    process_send(process, "exit");
    CHECK_INT(process_finish(process), EXIT_SUCCESS);
    check_is_gone("Cat");
}

TEST(rule_3_5_3_a_kill_closes)
{
    struct process *process;
    mmf_map *map;

    map = create_new("Cat", 4096, NULL);
    process = start_holder("Cat");
    mmf_map_close(map);
    check_is_held("Cat");
    process_kill(process);
    check_is_gone("Cat");
}

TEST(rule_3_5_3_the_creators_death_does_not_matter_to_holders)
{
    struct process *process;
    mmf_map *first, *map;

    first = create_new("Cat", 4096, NULL);
    process = start_holder("Cat");
    map = open_existing("Cat", NULL);
    mmf_map_close(first);
    process_kill(process);
    check_is_held("Cat"); /* by us */
    mmf_map_close(map);
    check_is_gone("Cat");
}

static void
check_views_in_any_order(mmf_map *map, int64_t capacity)
{
    mmf_accessor *one = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    mmf_stream *stream = stream_of(map, 0, capacity, MMF_ACCESS_READ_WRITE);
    mmf_accessor *two = view_of(map, 0, capacity, MMF_ACCESS_READ_WRITE);

    mmf_accessor_close(one);
    mmf_map_close(map);
    validate_stream(stream, capacity, MMF_ACCESS_READ_WRITE);
    validate_accessor(two, capacity, MMF_ACCESS_READ_WRITE);
    mmf_stream_close(stream);
    validate_accessor(two, capacity, MMF_ACCESS_READ_WRITE);
    CHECK_OK(mmf_accessor_flush(two));
    mmf_accessor_close(two);
}

TEST(rule_3_5_4_views_keep_the_memory)
{
    for_each_owned_sample(256, check_views_in_any_order);
    for_each_owned_sample(8192, check_views_in_any_order);
}

/* With views only the name is free; the new object is another one. */
TEST(rule_3_5_5_views_do_not_keep_the_name)
{
    mmf_accessor *old_view, *new_view;
    uint8_t value = 0;
    mmf_map *map;

    map = create_new("Cat", 4096, NULL);
    old_view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    CHECK_OK(mmf_accessor_write_byte(old_view, 0, 1));
    mmf_map_close(map);
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);

    map = create_new("Cat", 4096, NULL);
    new_view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    CHECK_OK(mmf_accessor_read_byte(new_view, 0, &value));
    CHECK_INT(value, 0);
    CHECK_OK(mmf_accessor_write_byte(new_view, 0, 2));
    CHECK_OK(mmf_accessor_read_byte(old_view, 0, &value));
    CHECK_INT(value, 1);
    mmf_accessor_close(new_view);
    mmf_map_close(map);
    CHECK_OK(mmf_accessor_read_byte(old_view, 0, &value));
    CHECK_INT(value, 1);
    mmf_accessor_close(old_view);
}

/* A map by path holds its file open, and lets it go. */
TEST(rule_3_5_6_maps_by_path_close_the_file)
{
    char path[FILE_PATH_SIZE];
    struct usage before;
    mmf_map *map;

    file_path(path);
    make_file(path, 100);
    usage_take(&before);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL);
    mmf_map_close(map);
    usage_check_same(&before);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL);
    mmf_map_close(map);
    usage_check_same(&before);
    remove_file(path);
}

/* A failed call leaves no descriptor, no mapping, no file. */
TEST(rule_3_5_failed_calls_leave_nothing)
{
    struct usage before;
    mmf_map *live;

    live = create_new("Cat", 4096, WITH_ACCESS(MMF_ACCESS_READ));
    usage_take(&before);
    REFUSES_CREATE_NEW("Cat", 4096, NULL, MMF_E_EXISTS, NULL);
    REFUSES_OPEN("Dog", NULL, MMF_E_NOT_FOUND, NULL);
    REFUSES_CREATE_OR_OPEN("Dog", 1, WITH_ACCESS(MMF_ACCESS_WRITE), MMF_E_INVALID,
                           NULL);
    REFUSES_OPEN("Cat", WITH_RIGHTS(MMF_RIGHTS_ACCESS_SYSTEM_SECURITY), MMF_E_IO, NULL);
    REFUSES_VIEW(live, 0, 0, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    REFUSES_VIEW(live, 0, 4097, MMF_ACCESS_READ, MMF_E_ACCESS, NULL);
    usage_check_same(&before);
    mmf_map_close(live);
}

ROLE("hold", hold);
