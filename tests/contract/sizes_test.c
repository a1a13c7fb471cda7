/*
 * sizes_test.c - sizes, pointers and flushes: rules 3.2 to 3.4. On Linux every size is
 * exact; Windows rounds up to pages: map_size says which.
 */
#include "support.h"

static void
check_exact(mmf_map *map, int64_t asked_for)
{
    int64_t capacity = map_size(asked_for);
    mmf_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    mmf_stream *stream = stream_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    int64_t got = -1;
    size_t size = 0;
    void *bytes;
    uint8_t value;

    CHECK_STATUS(mmf_map_capacity(map, &got), MMF_OK);
    CHECK_INT(got, capacity);
    CHECK_INT(mmf_accessor_capacity(view), capacity);
    CHECK_INT(mmf_stream_length(stream), capacity);
    CHECK_OK(mmf_accessor_pointer(view, &bytes, &size));
    CHECK_INT(size, capacity);
    CHECK_FAILS(mmf_accessor_read_byte(view, capacity, &value), MMF_E_RANGE);
    CHECK_FAILS(mmf_accessor_write_byte(view, capacity, 1), MMF_E_RANGE);
    mmf_stream_close(stream);
    mmf_accessor_close(view);
}

TEST(rule_3_2_2_capacity_is_exact)
{
    static const int64_t capacities[] = {1,    2,    100,   4095,  4096,
                                         4097, 8191, 10000, 65535, 65537};
    size_t i;

    for (i = 0; i < COUNT_OF(capacities); i++)
        for_each_sample(capacities[i], check_exact);
}

TEST(rule_3_2_3_explicit_size_is_exact)
{
    static const int64_t sizes[] = {1, 2, 100, 4095, 4096, 4097, 9000};
    static const int64_t offsets[] = {0, 1, 1000};
    mmf_accessor *view;
    mmf_stream *stream;
    size_t i, k;
    mmf_map *map;

    map = create_new(NULL, 10000, NULL);
    for (i = 0; i < COUNT_OF(sizes); i++) {
        for (k = 0; k < COUNT_OF(offsets); k++) {
            view = view_of(map, offsets[k], sizes[i], MMF_ACCESS_READ_WRITE);
            CHECK_INT(mmf_accessor_capacity(view), sizes[i]);
            mmf_accessor_close(view);
            stream = stream_of(map, offsets[k], sizes[i], MMF_ACCESS_READ_WRITE);
            CHECK_INT(mmf_stream_length(stream), sizes[i]);
            CHECK_INT(mmf_stream_capacity(stream), sizes[i]);
            mmf_stream_close(stream);
        }
    }
    mmf_map_close(map);
}

static void
check_view_of_nothing(mmf_map *map, int64_t asked_for)
{
    int64_t capacity = map_size(asked_for);
    mmf_accessor *view = view_of(map, capacity, 0, MMF_ACCESS_READ_WRITE);
    size_t size = 0;
    void *bytes = NULL;
    uint8_t value;

    CHECK_INT(mmf_accessor_capacity(view), 0);
    /* .NET counts the pages before it, where mappings are aligned to more than one. */
    CHECK_INT(mmf_accessor_pointer_offset(view),
              capacity % granularity() / page_size() * page_size());
    CHECK_OK(mmf_accessor_pointer(view, &bytes, &size));
    CHECK(bytes != NULL);
    CHECK_INT(size, 0);
    CHECK_FAILS_PARAM(mmf_accessor_read_byte(view, 0, &value), MMF_E_RANGE, "position");
    CHECK_FAILS_PARAM(mmf_accessor_write_byte(view, 0, 1), MMF_E_RANGE, "position");
    CHECK_OK(mmf_accessor_flush(view));
    mmf_accessor_close(view);
}

TEST(rule_3_2_5_view_of_nothing)
{
    for_each_sample(page_size(), check_view_of_nothing);
    for_each_sample(100, check_view_of_nothing);
}

/* Beside .NET's rules a view of nothing still needs the right to it. */
TEST(rule_3_2_5_view_of_nothing_needs_the_right)
{
    mmf_map *map;

    map = create_new(NULL, 4096, WITH_ACCESS(MMF_ACCESS_READ));
    REFUSES_VIEW(map, 4096, 0, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    mmf_accessor_close(view_of(map, 4096, 0, MMF_ACCESS_READ));
    mmf_map_close(map);
}

TEST(rule_3_2_6_delayed_pages_make_no_difference)
{
    static const char *const names[] = {NULL, "Cat"};
    size_t i;
    mmf_map *map;

    for (i = 0; i < COUNT_OF(names); i++) {
        map = create_new(names[i], 100000,
                         WITH(MMF_ACCESS_READ_WRITE, MMF_DELAY_ALLOCATE_PAGES, 0));
        validate_map(map, 100000, MMF_ACCESS_READ_WRITE, 0);
        check_exact(map, 100000);
        mmf_map_close(map);
    }
}

TEST(rule_3_2_7_first_size_holds)
{
    mmf_map *first, *map;

    first = create_new("Cat", 10000, NULL);
    map = open_existing("Cat", NULL);
    check_exact(map, 10000);
    mmf_map_close(map);
    map = create_or_open("Cat", 1, NULL);
    check_exact(map, 10000);
    mmf_map_close(map);
    map = create_or_open("Cat", INT64_C(1) << 30, NULL);
    check_exact(map, 10000);
    mmf_map_close(first);
    check_exact(map, 10000);
    mmf_map_close(map);
}

/*
 * Rule 3.3.
 */

TEST(rule_3_3_pointers)
{
    static const int64_t offsets[] = {0,    1,    17,   4095, 4096,
                                      4097, 8100, 8192, 9999, 65536};
    int64_t aligned = granularity();
    size_t size;
    mmf_accessor *view;
    mmf_stream *stream;
    void *bytes, *stream_bytes;
    size_t i;
    mmf_map *map;

    map = create_new(NULL, 70000, NULL);
    for (i = 0; i < COUNT_OF(offsets); i++) {
        poke(map, offsets[i], (uint8_t)(i + 1));
        view = view_of(map, offsets[i], 100, MMF_ACCESS_READ_WRITE);
        stream = stream_of(map, offsets[i], 100, MMF_ACCESS_READ_WRITE);
        CHECK_INT(mmf_accessor_pointer_offset(view), offsets[i] % aligned);
        CHECK_INT(mmf_stream_pointer_offset(stream), offsets[i] % aligned);
        CHECK_OK(mmf_accessor_pointer(view, &bytes, &size));
        CHECK_INT(size, 100);
        CHECK_OK(mmf_stream_pointer(stream, &stream_bytes, &size));
        CHECK_INT(size, 100);
        /* The mapping starts PointerOffset before, at a page. */
        CHECK_INT((uintptr_t)bytes % (uintptr_t)aligned, offsets[i] % aligned);
        CHECK_INT((uintptr_t)stream_bytes % (uintptr_t)aligned, offsets[i] % aligned);
        CHECK_INT(*(unsigned char *)bytes, (int)i + 1);
        CHECK_INT(*(unsigned char *)stream_bytes, (int)i + 1);
        mmf_stream_close(stream);
        mmf_accessor_close(view);
    }
    mmf_map_close(map);
}

/*
 * Rule 3.4.
 */

/* What is written and flushed, the file has; the view's last bytes included. */
TEST(rule_3_4_flush_writes_the_file)
{
    char path[FILE_PATH_SIZE];
    unsigned char bytes[10000];
    mmf_accessor *view;
    mmf_map *map;

    file_path(path);
    make_file(path, 10000);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL);
    view = view_of(map, 4000, 200, MMF_ACCESS_READ_WRITE); /* crosses a page */
    CHECK_OK(mmf_accessor_write_byte(view, 0, 1));
    CHECK_OK(mmf_accessor_write_byte(view, 199, 2));
    CHECK_OK(mmf_accessor_flush(view));
    read_file(path, bytes, sizeof(bytes));
    CHECK_INT(bytes[4000], 1);
    CHECK_INT(bytes[4199], 2);
    mmf_accessor_close(view);
    mmf_map_close(map);
    remove_file(path);
}

TEST(rule_3_4_5_close_writes_the_file)
{
    char path[FILE_PATH_SIZE];
    unsigned char bytes[100];
    mmf_accessor *view;
    mmf_stream *stream;
    mmf_map *map;

    file_path(path);
    make_file(path, 100);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0, NULL);
    view = view_of(map, 10, 90, MMF_ACCESS_READ_WRITE);
    CHECK_OK(mmf_accessor_write_byte(view, 89, 3));
    mmf_accessor_close(view);
    stream = stream_of(map, 0, 10, MMF_ACCESS_READ_WRITE);
    CHECK_OK(mmf_stream_write_byte(stream, 4));
    mmf_stream_close(stream);
    view = view_of(map, 0, 100, MMF_ACCESS_COPY_ON_WRITE);
    CHECK_OK(mmf_accessor_write_byte(view, 50, 5)); /* stays private */
    mmf_accessor_close(view);
    mmf_accessor_close(view_of(map, 100, 0, MMF_ACCESS_READ_WRITE));
    mmf_map_close(map);
    read_file(path, bytes, sizeof(bytes));
    CHECK_INT(bytes[99], 3);
    CHECK_INT(bytes[0], 4);
    CHECK_INT(bytes[50], 0);
    remove_file(path);
}

static void
flush_changes_nothing(mmf_map *map, int64_t capacity)
{
    mmf_accessor *view = view_of(map, 0, capacity, MMF_ACCESS_READ_WRITE);
    uint8_t value = 0;

    CHECK_OK(mmf_accessor_write_byte(view, capacity - 1, 9));
    CHECK_STATUS(mmf_accessor_flush(view), MMF_OK);
    CHECK_STATUS(mmf_accessor_flush(view), MMF_OK);
    CHECK_OK(mmf_accessor_read_byte(view, capacity - 1, &value));
    CHECK_INT(value, 9);
    mmf_accessor_close(view);
}

TEST(rule_3_4_6_flush_has_no_other_effect)
{
    for_each_sample(10000, flush_changes_nothing);
}

TEST(rule_3_2_null_arguments)
{
    int64_t capacity = -7;
    intptr_t handle = -7;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    CHECK_FAILS(mmf_map_capacity(NULL, &capacity), MMF_E_NULL);
    CHECK_FAILS(mmf_map_capacity(map, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_map_native_handle(NULL, &handle), MMF_E_NULL);
    CHECK_FAILS(mmf_map_native_handle(map, NULL), MMF_E_NULL);
    CHECK(capacity == -7 && handle == -7);
    mmf_map_close(map);
}
