/*
 * bytes_test.c - mmf_map_bytes: the whole map in memory by one call. It stays mapped
 * until the map is closed.
 */
#include "support.h"

#include <string.h>

/* Must fail, and leave the outputs alone. */
static void
refuse_bytes(mmf_map *map, mmf_access access, int status, const char *parameter)
{
    void *bytes = UNTOUCHED;
    size_t size = 7777;

    if (parameter == NULL)
        CHECK_FAILS(mmf_map_bytes(map, access, &bytes, &size), status);
    else
        CHECK_FAILS_PARAM(mmf_map_bytes(map, access, &bytes, &size), status, parameter);
    CHECK(bytes == UNTOUCHED);
    CHECK_INT(size, 7777);
}

static unsigned char *
bytes_of(mmf_map *map, mmf_access access, size_t expected)
{
    void *bytes = NULL, *again = NULL;
    size_t size = 0;

    CHECK_STATUS(mmf_map_bytes(map, access, &bytes, &size), MMF_OK);
    CHECK_INT(size, expected);
    /* A second call returns the same address. */
    CHECK_STATUS(mmf_map_bytes(map, access, &again, &size), MMF_OK);
    CHECK(bytes != NULL && bytes == again);
    CHECK_INT(size, expected);
    return bytes;
}

static void
check_bytes_of_sample(mmf_map *map, int64_t capacity)
{
    unsigned char *bytes;
    int64_t size = 0;

    /* On Windows a map of a file is as long as the file, other maps have whole
     * pages. */
    CHECK_OK(mmf_map_capacity(map, &size));
    bytes = bytes_of(map, MMF_ACCESS_READ_WRITE, (size_t)size);
    CHECK_INT(bytes[0], 0);
    bytes[capacity - 1] = 42;
    CHECK_INT(byte_at(map, capacity - 1), 42);
    poke(map, 0, 43);
    CHECK_INT(bytes[0], 43);
}

TEST(bytes_of_each_kind_of_map)
{
    for_each_sample(1, check_bytes_of_sample);
    for_each_sample(5000, check_bytes_of_sample);
    for_each_sample(70000, check_bytes_of_sample);
}

TEST(bytes_for_each_access)
{
    unsigned char *bytes;
    mmf_map *first, *map;

    first = create_new("Cat", 8192, NULL);
    poke(first, 5000, 7);
    map = open_existing("Cat", WITH_ACCESS(MMF_ACCESS_READ));
    CHECK_INT(bytes_of(map, MMF_ACCESS_READ, 8192)[5000], 7);
    mmf_map_close(map);
    map = open_existing("Cat", WITH_ACCESS(MMF_ACCESS_WRITE));
    bytes_of(map, MMF_ACCESS_WRITE, 8192)[5000] = 8;
    mmf_map_close(map);
    CHECK_INT(byte_at(first, 5000), 8);
    map = open_existing("Cat", NULL);
    bytes = bytes_of(map, MMF_ACCESS_COPY_ON_WRITE, 8192);
    CHECK_INT(bytes[5000], 8);
    bytes[5000] = 9;
    CHECK_INT(byte_at(first, 5000), 8);
    mmf_map_close(map);
    mmf_map_close(first);
}

/* One mapping for each handle: another access needs another handle, or a view. */
TEST(bytes_with_another_access)
{
    unsigned char *bytes;
    mmf_map *map, *other;

    map = create_new("Cat", 4096, NULL);
    bytes = bytes_of(map, MMF_ACCESS_READ_WRITE, 4096);
    refuse_bytes(map, MMF_ACCESS_READ, MMF_E_STATE, NULL);
    refuse_bytes(map, MMF_ACCESS_COPY_ON_WRITE, MMF_E_STATE, NULL);
    CHECK(bytes_of(map, MMF_ACCESS_READ_WRITE, 4096) == bytes);
    other = open_existing("Cat", NULL);
    bytes[9] = 99;
    CHECK_INT(bytes_of(other, MMF_ACCESS_READ, 4096)[9], 99);
    mmf_map_close(other);
    CHECK_INT(bytes[9], 99);
    mmf_map_close(map);
}

TEST(bytes_that_the_map_does_not_allow)
{
    mmf_map *first, *map;

    first = create_new("Cat", 4096, NULL);
    map = open_existing("Cat", WITH_ACCESS(MMF_ACCESS_READ));
    refuse_bytes(map, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    refuse_bytes(map, MMF_ACCESS_WRITE, MMF_E_ACCESS, NULL);
    refuse_bytes(map, MMF_ACCESS_READ_WRITE_EXECUTE, MMF_E_ACCESS, NULL);
    /* A failure maps nothing, so the first success chooses. */
    bytes_of(map, MMF_ACCESS_READ, 4096);
    mmf_map_close(map);
    mmf_map_close(first);
}

TEST(bytes_order_of_checks)
{
    void *bytes = UNTOUCHED;
    size_t size = 7777;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    CHECK_FAILS(mmf_map_bytes(NULL, 42, &bytes, &size), MMF_E_NULL);
    CHECK_FAILS(mmf_map_bytes(map, 42, NULL, &size), MMF_E_NULL);
    CHECK_FAILS(mmf_map_bytes(map, 42, &bytes, NULL), MMF_E_NULL);
    refuse_bytes(map, 42, MMF_E_RANGE, "access");
    refuse_bytes(map, -1, MMF_E_RANGE, "access");
    CHECK(bytes == UNTOUCHED);
    CHECK_INT(size, 7777);
    mmf_map_close(map);
}

/* Views are mappings of their own and outlive the map's. */
TEST(bytes_and_views)
{
    mmf_accessor *view;
    uint8_t value = 0;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    bytes_of(map, MMF_ACCESS_READ_WRITE, 4096)[100] = 77;
    view = view_of(map, 0, 0, MMF_ACCESS_READ);
    mmf_map_close(map);
    CHECK_OK(mmf_accessor_read_byte(view, 100, &value));
    CHECK_INT(value, 77);
    mmf_accessor_close(view);
}

static void
map_in_child(void *argument)
{
    refuse_bytes(argument, MMF_ACCESS_READ_WRITE, MMF_E_DISPOSED, NULL);
    mmf_map_close(argument);
}

TEST(bytes_of_a_dead_map)
{
    mmf_map *map;

    need_fork();
    map = create_new("Cat", 4096, NULL);
    in_child(map_in_child, map);
    bytes_of(map, MMF_ACCESS_READ_WRITE, 4096);
    in_child(map_in_child, map);
    mmf_map_close(map);
}
