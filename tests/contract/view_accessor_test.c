/*
 * view_accessor_test.c - MemoryMappedViewAccessor: cases VA-01 to VA-24 and rule 2.6.
 * Formats, arrays and strides: accessor_format_test.c.
 */
#include "support.h"
#include "types.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
refuse_negative_offset(mmf_map *map, int64_t capacity)
{
    (void)capacity;
    REFUSES_VIEW(map, -1, 0, MMF_ACCESS_READ_WRITE, MMF_E_RANGE, "offset");
    REFUSES_VIEW(map, INT64_MIN, 10, MMF_ACCESS_READ, MMF_E_RANGE, "offset");
}

TEST(va_01_negative_offset)
{
    for_each_sample(page_size(), refuse_negative_offset);
}

static void
refuse_negative_size(mmf_map *map, int64_t capacity)
{
    (void)capacity;
    REFUSES_VIEW(map, 0, -1, MMF_ACCESS_READ_WRITE, MMF_E_RANGE, "size");
    REFUSES_VIEW(map, 0, INT64_MIN, MMF_ACCESS_READ, MMF_E_RANGE, "size");
}

TEST(va_02_negative_size)
{
    for_each_sample(page_size(), refuse_negative_size);
}

static void
refuse_size_beyond_addresses(mmf_map *map, int64_t capacity)
{
    (void)capacity;
    if (sizeof(void *) == 4) {
        REFUSES_VIEW(map, 0, INT64_C(1) << 32, MMF_ACCESS_READ_WRITE, MMF_E_RANGE,
                     "size");
        return;
    }
    REFUSES_VIEW(map, 0, INT64_MAX, MMF_ACCESS_READ_WRITE, MMF_E_NO_MEMORY, NULL);
    REFUSES_VIEW(map, 0, INT64_MAX, MMF_ACCESS_READ, MMF_E_NO_MEMORY, NULL);
    CHECK_IO_ERROR(MMF_E_NO_MEMORY);
}

TEST(va_03_size_beyond_addresses)
{
    for_each_sample(page_size(), refuse_size_beyond_addresses);
}

static void
refuse_one_more(mmf_map *map, int64_t capacity)
{
    REFUSES_VIEW(map, 0, map_size(capacity) + 1, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS,
                 NULL);
    REFUSES_VIEW(map, 0, map_size(capacity) + 1, MMF_ACCESS_READ, MMF_E_ACCESS, NULL);
}

TEST(va_04_one_byte_more)
{
    for_each_sample(page_size(), refuse_one_more);
    for_each_sample(100, refuse_one_more); /* exact, or whole pages */
}

static void
refuse_past_the_end(mmf_map *map, int64_t capacity)
{
    REFUSES_VIEW(map, map_size(capacity), 1, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    REFUSES_VIEW(map, map_size(capacity), 1, MMF_ACCESS_READ, MMF_E_ACCESS, NULL);
}

TEST(va_05_one_byte_behind)
{
    for_each_sample(page_size(), refuse_past_the_end);
    for_each_sample(100, refuse_past_the_end);
}

static void
refuse_access(mmf_map *map, int64_t capacity)
{
    (void)capacity;
    REFUSES_VIEW(map, 0, 0, -1, MMF_E_RANGE, "access");
    REFUSES_VIEW(map, 0, 0, 42, MMF_E_RANGE, "access");
    REFUSES_VIEW(map, 0, 0, ACCESS_COUNT, MMF_E_RANGE, "access");
}

TEST(va_06_access_out_of_range)
{
    for_each_sample(page_size(), refuse_access);
}

/* A row of .NET's tables of map access and view access. */
struct pair {
    mmf_access map;
    mmf_access view;
};

#define PAIR(map, view)                                                                \
    {                                                                                  \
        MMF_ACCESS_##map, MMF_ACCESS_##view                                            \
    }

TEST(va_07_allowed_accesses)
{
    static const struct pair pairs[] = {
        PAIR(READ_WRITE_EXECUTE, READ),
        PAIR(READ_WRITE_EXECUTE, WRITE),
        PAIR(READ_WRITE_EXECUTE, READ_WRITE),
        PAIR(READ_WRITE_EXECUTE, COPY_ON_WRITE),
        PAIR(READ_WRITE_EXECUTE, READ_EXECUTE),
        PAIR(READ_WRITE_EXECUTE, READ_WRITE_EXECUTE),
        PAIR(READ_EXECUTE, READ),
        PAIR(READ_EXECUTE, COPY_ON_WRITE),
        PAIR(READ_EXECUTE, READ_EXECUTE),
        PAIR(COPY_ON_WRITE, READ),
        PAIR(COPY_ON_WRITE, COPY_ON_WRITE),
        PAIR(READ_WRITE, READ),
        PAIR(READ_WRITE, WRITE),
        PAIR(READ_WRITE, READ_WRITE),
        PAIR(READ_WRITE, COPY_ON_WRITE),
        PAIR(READ, READ),
        PAIR(READ, COPY_ON_WRITE),
    };
    mmf_accessor *view;
    int executes;
    size_t i;
    mmf_map *map;

    for (i = 0; i < COUNT_OF(pairs); i++) {
        CHECK_CONTEXT("map %s, view %s", access_name(pairs[i].map),
                      access_name(pairs[i].view));
        map = create_new(NULL, 4096, WITH_ACCESS(pairs[i].map));
        executes = pairs[i].view == MMF_ACCESS_READ_EXECUTE ||
                   pairs[i].view == MMF_ACCESS_READ_WRITE_EXECUTE;
        if (executes && !host_executes_unnamed()) {
            REFUSES_VIEW(map, 0, 4096, pairs[i].view, MMF_E_ACCESS, NULL);
        } else {
            view = view_of(map, 0, 4096, pairs[i].view);
            validate_accessor(view, 4096, pairs[i].view);
            mmf_accessor_close(view);
        }
        mmf_map_close(map);
    }
}

static void
refuse_pairs(const struct pair *pairs, size_t count)
{
    size_t i;
    mmf_map *map;

    for (i = 0; i < count; i++) {
        CHECK_CONTEXT("map %s, view %s", access_name(pairs[i].map),
                      access_name(pairs[i].view));
        map = create_new(NULL, 4096, WITH_ACCESS(pairs[i].map));
        REFUSES_VIEW(map, 0, 4096, pairs[i].view, MMF_E_ACCESS, NULL);
        mmf_map_close(map);
    }
}

TEST(va_08_refused_accesses)
{
    static const struct pair pairs[] = {
        PAIR(READ_EXECUTE, WRITE),
        PAIR(READ_EXECUTE, READ_WRITE),
        PAIR(COPY_ON_WRITE, WRITE),
        PAIR(COPY_ON_WRITE, READ_WRITE),
        PAIR(COPY_ON_WRITE, READ_EXECUTE),
        PAIR(READ_WRITE, READ_EXECUTE),
        PAIR(READ, WRITE),
        PAIR(READ, READ_WRITE),
        PAIR(READ, READ_EXECUTE),
    };

    refuse_pairs(pairs, COUNT_OF(pairs));
}

TEST(va_09_refused_read_write_execute)
{
    static const struct pair pairs[] = {
        PAIR(READ_EXECUTE, READ_WRITE_EXECUTE),
        PAIR(COPY_ON_WRITE, READ_WRITE_EXECUTE),
        PAIR(READ_WRITE, READ_WRITE_EXECUTE),
        PAIR(READ, READ_WRITE_EXECUTE),
    };

    refuse_pairs(pairs, COUNT_OF(pairs));
}

static void
check_pointer_offset_0(mmf_map *map, int64_t capacity)
{
    mmf_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);

    CHECK_INT(mmf_accessor_pointer_offset(view), 0);
    CHECK_INT(mmf_accessor_capacity(view), map_size(capacity));
    mmf_accessor_close(view);
    view = view_of(map, 0, capacity, MMF_ACCESS_READ_WRITE);
    CHECK_INT(mmf_accessor_pointer_offset(view), 0);
    mmf_accessor_close(view);
}

TEST(va_10_pointer_offset_of_whole_views)
{
    static const int64_t capacities[] = {1, 4095, 4096, 4099, 12290, 70000};
    size_t i;

    for (i = 0; i < COUNT_OF(capacities); i++)
        for_each_sample(capacities[i], check_pointer_offset_0);
}

/*
 * VA-11: the seven views that VA-12 to VA-17 look at.
 */
static const struct window {
    int64_t map;
    int64_t offset;
    int64_t length;
} windows[] = {
    {8192, 0, 8192},  {8192, 8100, 92}, {8192, 0, 20},      {8192, 1, 8191},
    {8192, 17, 8175}, {8192, 17, 20},   {70000, 69900, 16},
};

static const struct window *window;
static void (*check_window)(mmf_accessor *view, int64_t length);

static void
open_window(mmf_map *map, int64_t capacity)
{
    mmf_accessor *view =
        view_of(map, window->offset, window->length, MMF_ACCESS_READ_WRITE);

    (void)capacity;
    CHECK_INT(mmf_accessor_capacity(view), window->length);
    CHECK_INT(mmf_accessor_pointer_offset(view), window->offset % granularity());
    if (check_window != NULL)
        check_window(view, window->length);
    mmf_accessor_close(view);
}

static void
for_each_window(void (*check)(mmf_accessor *view, int64_t length))
{
    size_t i;

    check_window = check;
    for (i = 0; i < COUNT_OF(windows); i++) {
        window = &windows[i];
        for_each_sample(window->map, open_window);
    }
}

TEST(va_11_views_inside_maps)
{
    for_each_window(NULL);
}

static void
write_and_read(mmf_accessor *view, const struct type *type, int64_t position)
{
    unsigned char got[16];

    memset(got, 0xee, sizeof(got));
    CHECK_STATUS(type->write(view, position, type->sample), MMF_OK);
    CHECK_STATUS(type->read(view, position, got), MMF_OK);
    CHECK_BYTES(got, type->sample, type->size);
}

static void
check_types_at_start(mmf_accessor *view, int64_t length)
{
    static const unsigned char no[16];
    unsigned char got = 0xee;
    size_t i;

    (void)length;
    CHECK_STATUS(type_at(0)->write(view, 0, no), MMF_OK);
    CHECK_STATUS(type_at(0)->read(view, 0, &got), MMF_OK);
    CHECK_INT(got, 0);
    for (i = 0; i < TYPE_COUNT; i++)
        write_and_read(view, type_at(i), 0);
}

TEST(va_12_types_at_the_start)
{
    for_each_window(check_types_at_start);
}

static void
check_types_at_end(mmf_accessor *view, int64_t length)
{
    size_t i;

    for (i = 0; i < TYPE_COUNT; i++)
        write_and_read(view, type_at(i), length - type_at(i)->size);
}

TEST(va_13_types_at_the_end)
{
    for_each_window(check_types_at_end);
}

static void
refuse_read(const mmf_accessor *view, const struct type *type, int64_t position,
            int status)
{
    unsigned char before[16], got[16];

    memset(before, 1, sizeof(before));
    memcpy(got, before, sizeof(got));
    CHECK_FAILS_PARAM(type->read(view, position, got), status, "position");
    CHECK_BYTES(got, before, sizeof(got));
}

/* Nothing in the view changes. */
static void
refuse_write(mmf_accessor *view, const struct type *type, int64_t position, int status)
{
    unsigned char before[64], after[64];
    void *bytes;
    size_t size, tail;

    CHECK_OK(mmf_accessor_pointer(view, &bytes, &size));
    tail = size < 64 ? size : 64;
    memcpy(before, (unsigned char *)bytes + size - tail, tail);
    CHECK_FAILS_PARAM(type->write(view, position, type->sample), status, "position");
    memcpy(after, (unsigned char *)bytes + size - tail, tail);
    CHECK_BYTES(after, before, tail);
}

/* What straddles the end is INVALID, what lies behind it RANGE. */
static int
status_one_past(const struct type *type)
{
    return type->size == 1 ? MMF_E_RANGE : MMF_E_INVALID;
}

static void
check_straddling_reads(mmf_accessor *view, int64_t length)
{
    size_t i;

    for (i = 0; i < TYPE_COUNT; i++)
        refuse_read(view, type_at(i), length + 1 - type_at(i)->size,
                    status_one_past(type_at(i)));
}

TEST(va_14_reads_one_byte_too_far)
{
    for_each_window(check_straddling_reads);
}

static void
check_straddling_writes(mmf_accessor *view, int64_t length)
{
    size_t i;

    for (i = 0; i < TYPE_COUNT; i++)
        refuse_write(view, type_at(i), length + 1 - type_at(i)->size,
                     status_one_past(type_at(i)));
}

TEST(va_15_writes_one_byte_too_far)
{
    for_each_window(check_straddling_writes);
}

static void
check_behind(mmf_accessor *view, int64_t length)
{
    size_t i;

    for (i = 0; i < TYPE_COUNT; i++) {
        refuse_read(view, type_at(i), length + 20 - type_at(i)->size, MMF_E_RANGE);
        refuse_write(view, type_at(i), length + 20 - type_at(i)->size, MMF_E_RANGE);
    }
}

TEST(va_16_reads_and_writes_past_the_end)
{
    for_each_window(check_behind);
}

/* Random bytes of the same sequence everywhere. */
static uint8_t
random_byte(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint8_t)(*seed >> 24);
}

static void
check_against_pointer(mmf_accessor *view, int64_t length)
{
    unsigned char *bytes;
    uint32_t seed = 1;
    uint8_t value;
    void *pointer;
    int64_t i;

    CHECK_OK(mmf_accessor_pointer(view, &pointer, NULL));
    CHECK_INT((uintptr_t)pointer % (uintptr_t)granularity(),
              mmf_accessor_pointer_offset(view));
    bytes = pointer;
    for (i = 0; i < length; i++)
        bytes[i] = random_byte(&seed);
    for (i = 0; i < length; i++) {
        CHECK_OK(mmf_accessor_read_byte(view, i, &value));
        CHECK_INT(value, bytes[i]);
        CHECK_OK(mmf_accessor_write_byte(view, i, (uint8_t)(value + 1)));
        CHECK_INT(bytes[i], (uint8_t)(value + 1));
    }
}

TEST(va_17_accessor_and_pointer_agree)
{
    for_each_window(check_against_pointer);
}

static void
flush_each_view(mmf_map *map, int64_t capacity)
{
    static const mmf_access accesses[] = {MMF_ACCESS_READ, MMF_ACCESS_WRITE,
                                          MMF_ACCESS_READ_WRITE,
                                          MMF_ACCESS_COPY_ON_WRITE};
    mmf_accessor *view;
    mmf_stream *stream;
    size_t i;

    for (i = 0; i < COUNT_OF(accesses); i++) {
        view = view_of(map, 0, capacity, accesses[i]);
        CHECK_STATUS(mmf_accessor_flush(view), MMF_OK);
        mmf_accessor_close(view);
        stream = stream_of(map, 0, capacity, accesses[i]);
        CHECK_STATUS(mmf_stream_flush(stream), MMF_OK);
        mmf_stream_close(stream);
    }
}

TEST(va_18_flush)
{
    for_each_sample(256, flush_each_view);
}

static void
check_count(mmf_accessor *view)
{
    uint8_t value;
    int i;

    for (i = 0; i < 256; i++) {
        CHECK_OK(mmf_accessor_read_byte(view, i, &value));
        CHECK_INT(value, i);
    }
}

static void
check_views_share(mmf_map *map, int64_t capacity)
{
    mmf_accessor *first = view_of(map, 0, capacity, MMF_ACCESS_READ_WRITE);
    mmf_accessor *second = view_of(map, 0, capacity, MMF_ACCESS_READ_WRITE);
    mmf_stream *stream;
    int32_t value;
    int i;

    for (i = 0; i < 256; i++)
        CHECK_OK(mmf_accessor_write_byte(first, i, (uint8_t)i));
    CHECK_OK(mmf_accessor_flush(first));
    check_count(second);
    mmf_accessor_close(first);
    mmf_accessor_close(second);
    second = view_of(map, 0, capacity, MMF_ACCESS_READ);
    check_count(second);
    mmf_accessor_close(second);
    stream = stream_of(map, 0, capacity, MMF_ACCESS_READ);
    for (i = 0; i < 256; i++) {
        CHECK_OK(mmf_stream_read_byte(stream, &value));
        CHECK_INT(value, i);
    }
    mmf_stream_close(stream);
}

TEST(va_19_views_share)
{
    for_each_sample(256, check_views_share);
}

static void
check_int32(mmf_accessor *view, int32_t expected)
{
    int32_t value = -1;

    CHECK_OK(mmf_accessor_read_int32(view, 0, &value));
    CHECK_INT(value, expected);
}

static void
check_copy_on_write(mmf_map *map, int64_t capacity)
{
    mmf_accessor *view = view_of(map, 0, capacity, MMF_ACCESS_READ_WRITE);

    check_int32(view, 0);
    CHECK_OK(mmf_accessor_write_int32(view, 0, 42));
    mmf_accessor_close(view);
    view = view_of(map, 0, capacity, MMF_ACCESS_COPY_ON_WRITE);
    check_int32(view, 42);
    CHECK_OK(mmf_accessor_write_int32(view, 0, 84));
    check_int32(view, 84);
    mmf_accessor_close(view);
    view = view_of(map, 0, capacity, MMF_ACCESS_READ);
    check_int32(view, 42);
    mmf_accessor_close(view);
}

TEST(va_20_copy_on_write)
{
    for_each_sample(256, check_copy_on_write);
}

/* C closes a view once; closing NULL is what may be done any number of times. */
TEST(va_21_closing_nothing_is_fine)
{
    mmf_accessor_close(NULL);
    mmf_accessor_close(NULL);
}

/* After close there is nothing left to call on; NULL answers like a closed view. */
TEST(va_22_no_view)
{
    size_t size = 7;
    uint8_t value = 7;
    void *bytes = &value;

    CHECK_FAILS(mmf_accessor_read_byte(NULL, 0, &value), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_write_byte(NULL, 0, 1), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_flush(NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_pointer(NULL, &bytes, &size), MMF_E_NULL);
    CHECK_INT(value, 7);
    CHECK(bytes == &value && size == 7);
    CHECK_INT(mmf_accessor_can_read(NULL), 0);
    CHECK_INT(mmf_accessor_can_write(NULL), 0);
    CHECK_INT(mmf_accessor_capacity(NULL), 0);
    CHECK_INT(mmf_accessor_pointer_offset(NULL), 0);
}

static void
check_outlives_map(mmf_map *map, int64_t capacity)
{
    mmf_accessor *view = view_of(map, 0, capacity, MMF_ACCESS_READ_WRITE);

    mmf_map_close(map);
    validate_accessor(view, capacity, MMF_ACCESS_READ_WRITE);
    CHECK_STATUS(mmf_accessor_flush(view), MMF_OK);
    mmf_accessor_close(view);
}

TEST(va_23_view_outlives_map)
{
    for_each_owned_sample(8192, check_outlives_map);
}

/* A process that ends with everything open. What it leaves is looked at by the test. */
static int
leave_open(int argc, char **argv)
{
    mmf_accessor *view;
    mmf_stream *stream;
    mmf_map *map;

    (void)argc;
    (void)argv;
    map = create_new("Left", 4096, NULL);
    view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    stream = stream_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    CHECK_OK(mmf_accessor_write_byte(view, 0, 1));
    CHECK_OK(mmf_stream_write_byte(stream, 1));
    role_say("ready");
    fflush(stdout);
    _Exit(EXIT_SUCCESS); /* a leak checker must not find what is left on purpose */
}

TEST(va_24_exit_without_closing)
{
    struct process *process = process_start("leave_open", NULL);

    process_expect(process, "ready");
    CHECK_INT(process_finish(process), EXIT_SUCCESS);
    harness_expect_dead();
    REFUSES_OPEN("Left", NULL, MMF_E_NOT_FOUND, NULL);
}

/*
 * Rule 2.6.
 */

/* Every call breaks all rules from its own on. */
TEST(rule_2_6_order_of_checks)
{
    mmf_map *map;

    map = create_new(NULL, 4096, WITH_ACCESS(MMF_ACCESS_READ));
    REFUSES_VIEW(map, -1, -1, 42, MMF_E_RANGE, "offset");
    REFUSES_VIEW(map, 8192, -1, 42, MMF_E_RANGE, "size");
    REFUSES_VIEW(map, 8192, INT64_MAX, 42, MMF_E_RANGE, "access");
    if (sizeof(void *) > 4)
        REFUSES_VIEW(map, 8192, INT64_MAX, MMF_ACCESS_READ_WRITE, MMF_E_NO_MEMORY,
                     NULL);
    REFUSES_VIEW(map, 8192, 1, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    mmf_map_close(map);
}

TEST(rule_2_6_offset_before_size)
{
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    REFUSES_VIEW(map, -1, -1, MMF_ACCESS_READ_WRITE, MMF_E_RANGE, "offset");
    REFUSES_VIEW(map, -1, INT64_MAX, MMF_ACCESS_READ_WRITE, MMF_E_RANGE, "offset");
    mmf_map_close(map);
}

static void
check_disposed_order(void *payload)
{
    mmf_map *map = payload;

    REFUSES_VIEW(map, -1, -1, 42, MMF_E_RANGE, "offset");
    REFUSES_VIEW(map, 0, -1, 42, MMF_E_RANGE, "size");
    REFUSES_VIEW(map, 0, 0, 42, MMF_E_RANGE, "access");
    REFUSES_VIEW(map, 0, 4097, MMF_ACCESS_READ_WRITE, MMF_E_DISPOSED, NULL);
    REFUSES_VIEW(map, 4097, 0, MMF_ACCESS_READ, MMF_E_DISPOSED, NULL);
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_READ, MMF_E_DISPOSED, NULL);
    mmf_map_close(map);
}

/* A dead handle (after fork) is reported after the arguments, before the rest. */
TEST(rule_2_6_8_disposed_map)
{
    mmf_map *map;

    need_fork();
    map = create_new(NULL, 4096, WITH_ACCESS(MMF_ACCESS_READ));
    in_child(check_disposed_order, map);
    mmf_map_close(map);
}

/*
 * As on Windows: the system refuses, unless .NET comes first, which counts the rest
 * from the mapping's start, in the same 64 KiB.
 */
TEST(rule_2_6_5_offset_beyond_the_map)
{
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    REFUSES_VIEW(map, 4097, 0, MMF_ACCESS_READ_WRITE, MMF_E_RANGE, "offset");
    REFUSES_VIEW(map, 65535, 0, MMF_ACCESS_READ, MMF_E_RANGE, "offset");
    REFUSES_VIEW(map, 65536, 0, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    REFUSES_VIEW(map, 4097, 1, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    REFUSES_VIEW(map, INT64_MAX, 0, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    mmf_map_close(map);
}

TEST(rule_2_6_6_size_beyond_the_address_space)
{
    mmf_map *map;

    if (sizeof(void *) == 4)
        harness_skip("a rule for 64-bit processes");
    map = create_new(NULL, 4096, NULL);
    REFUSES_VIEW(map, 0, INT64_C(1) << 62, MMF_ACCESS_READ, MMF_E_NO_MEMORY, NULL);
    REFUSES_VIEW(map, 4096, INT64_MAX, MMF_ACCESS_READ, MMF_E_NO_MEMORY, NULL);
    REFUSES_VIEW(map, 0, INT64_C(1) << 40, MMF_ACCESS_READ, MMF_E_ACCESS, NULL);
    mmf_map_close(map);
}

/* The sum is never formed: it could wrap around. */
TEST(rule_2_6_7_offset_and_size_together)
{
    mmf_map *map;

    map = create_new(NULL, 10000, NULL);
    REFUSES_VIEW(map, 5000, map_size(10000) - 4999, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS,
                 NULL);
    REFUSES_VIEW(map, map_size(10000) - 1, 2, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS,
                 NULL);
    REFUSES_VIEW(map, INT64_MAX, 1, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    REFUSES_VIEW(map, INT64_MAX - 1, 10000, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    mmf_accessor_close(view_of(map, 5000, 5000, MMF_ACCESS_READ_WRITE));
    mmf_accessor_close(view_of(map, 9999, 1, MMF_ACCESS_READ_WRITE));
    mmf_map_close(map);
}

TEST(rule_2_6_9_size_0_is_the_rest)
{
    static const int64_t offsets[] = {0, 1, 4095, 4096, 4097, 9999};
    mmf_accessor *view;
    mmf_stream *stream;
    size_t i;
    mmf_map *map;

    map = create_new(NULL, 10000, NULL);
    for (i = 0; i < COUNT_OF(offsets); i++) {
        view = view_of(map, offsets[i], 0, MMF_ACCESS_READ_WRITE);
        CHECK_INT(mmf_accessor_capacity(view), map_size(10000) - offsets[i]);
        mmf_accessor_close(view);
        stream = stream_of(map, offsets[i], 0, MMF_ACCESS_READ_WRITE);
        CHECK_INT(mmf_stream_length(stream), map_size(10000) - offsets[i]);
        mmf_stream_close(stream);
    }
    mmf_map_close(map);
}

TEST(rule_2_6_null_arguments)
{
    mmf_accessor *view = UNTOUCHED;
    mmf_stream *stream = UNTOUCHED;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    CHECK_FAILS(mmf_accessor_create(NULL, 0, 0, 0, NULL, &view), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_create(map, 0, 0, 0, NULL, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_stream_create(NULL, 0, 0, 0, NULL, &stream), MMF_E_NULL);
    CHECK_FAILS(mmf_stream_create(map, 0, 0, 0, NULL, NULL), MMF_E_NULL);
    CHECK((void *)view == UNTOUCHED && (void *)stream == UNTOUCHED);
    mmf_map_close(map);
}

ROLE("leave_open", leave_open);
