/*
 * accessor_format_test.c - how values and arrays lie in a view, and the order of checks
 * of the accessor's methods: rule 4.
 */
#include "support.h"
#include "types.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

/* A view of `size` bytes that are all `fill`, and its first byte. */
static mmf_accessor *
filled_view(mmf_map *map, int64_t offset, int64_t size, int fill, unsigned char **bytes)
{
    mmf_accessor *view = view_of(map, offset, size, MMF_ACCESS_READ_WRITE);
    void *pointer;

    CHECK_OK(mmf_accessor_pointer(view, &pointer, NULL));
    memset(pointer, fill, (size_t)size);
    *bytes = pointer;
    return view;
}

static void
check_all_are(const unsigned char *bytes, int64_t from, int64_t to, int fill)
{
    int64_t i;

    for (i = from; i < to; i++)
        CHECK_INT(bytes[i], fill);
}

/*
 * Rule 4.1.
 */

TEST(rule_4_1_not_readable_before_position)
{
    static const int64_t positions[] = {-1, 0, 4096, INT64_MAX, INT64_MIN};
    unsigned char value[16];
    mmf_accessor *view;
    size_t i, k;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    view = view_of(map, 0, 0, MMF_ACCESS_WRITE);
    memset(value, 0xee, sizeof(value));
    for (i = 0; i < TYPE_COUNT; i++) {
        CHECK_CONTEXT("%s", type_at(i)->name);
        for (k = 0; k < COUNT_OF(positions); k++)
            CHECK_FAILS(type_at(i)->read(view, positions[k], value),
                        MMF_E_NOT_SUPPORTED);
    }
    check_all_are(value, 0, 16, 0xee);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

TEST(rule_4_1_not_writable_before_position)
{
    static const int64_t positions[] = {-1, 0, 4096, INT64_MAX, INT64_MIN};
    mmf_accessor *view;
    size_t i, k;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    view = view_of(map, 0, 0, MMF_ACCESS_READ);
    for (i = 0; i < TYPE_COUNT; i++) {
        CHECK_CONTEXT("%s", type_at(i)->name);
        for (k = 0; k < COUNT_OF(positions); k++)
            CHECK_FAILS(type_at(i)->write(view, positions[k], type_at(i)->sample),
                        MMF_E_NOT_SUPPORTED);
    }
    mmf_accessor_close(view);
    CHECK_INT(byte_at(map, 0), 0);
    mmf_map_close(map);
}

static void
check_both_refused(mmf_accessor *view, const struct type *type, int64_t position,
                   int status)
{
    unsigned char value[16];

    memset(value, 0, sizeof(value));
    CHECK_CONTEXT("%s at %" PRId64, type->name, position);
    CHECK_FAILS_PARAM(type->read(view, position, value), status, "position");
    CHECK_FAILS_PARAM(type->write(view, position, type->sample), status, "position");
}

/* Negative or at the end: RANGE. Straddling the end: INVALID. */
TEST(rule_4_1_positions)
{
    mmf_accessor *view;
    unsigned char *bytes;
    size_t i;
    int64_t at;
    mmf_map *map;

    map = create_new(NULL, 10000, NULL);
    view = filled_view(map, 5000, 100, 0xee, &bytes);
    for (i = 0; i < TYPE_COUNT; i++) {
        const struct type *type = type_at(i);

        check_both_refused(view, type, -1, MMF_E_RANGE);
        check_both_refused(view, type, INT64_MIN, MMF_E_RANGE);
        for (at = 100 - type->size + 1; at < 100; at++)
            check_both_refused(view, type, at, MMF_E_INVALID);
        check_both_refused(view, type, 100, MMF_E_RANGE);
        check_both_refused(view, type, 101, MMF_E_RANGE);
        check_both_refused(view, type, INT64_MAX, MMF_E_RANGE);
        check_both_refused(view, type, INT64_MAX - type->size + 1, MMF_E_RANGE);
    }
    check_all_are(bytes, 0, 100, 0xee);
    CHECK_INT(byte_at(map, 4999), 0);
    CHECK_INT(byte_at(map, 5100), 0);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* A view that is smaller than the type: position 0 straddles, or is past the end. */
TEST(rule_4_1_view_smaller_than_the_type)
{
    mmf_accessor *view;
    size_t i;
    int64_t size;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    for (i = 0; i < TYPE_COUNT; i++) {
        for (size = 1; size < type_at(i)->size; size++) {
            view = view_of(map, 0, size, MMF_ACCESS_READ_WRITE);
            check_both_refused(view, type_at(i), 0, MMF_E_INVALID);
            mmf_accessor_close(view);
        }
        view = view_of(map, 4096, 0, MMF_ACCESS_READ_WRITE);
        check_both_refused(view, type_at(i), 0, MMF_E_RANGE);
        mmf_accessor_close(view);
    }
    mmf_map_close(map);
}

TEST(rule_4_1_null_arguments)
{
    mmf_accessor *view;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    CHECK_FAILS(mmf_accessor_read_boolean(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_byte(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_sbyte(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_char(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_int16(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_uint16(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_int32(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_uint32(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_int64(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_uint64(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_single(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_double(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read_decimal(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_write_decimal(view, 0, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_read(view, 0, NULL, 1), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_write(view, 0, NULL, 1), MMF_E_NULL);
    CHECK_FAILS(mmf_accessor_pointer(view, NULL, NULL), MMF_E_NULL);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/*
 * Rule 4.2.
 */

TEST(rule_4_2_boolean)
{
    mmf_accessor *view;
    unsigned char *bytes;
    int byte, value;
    mmf_map *map;

    map = create_new(NULL, 8, NULL);
    view = filled_view(map, 0, 8, 0, &bytes);
    for (byte = 0; byte < 256; byte++) {
        bytes[3] = (unsigned char)byte;
        value = 77;
        CHECK_OK(mmf_accessor_read_boolean(view, 3, &value));
        CHECK_INT(value, byte != 0);
    }
    CHECK_OK(mmf_accessor_write_boolean(view, 3, 1));
    CHECK_INT(bytes[3], 1);
    CHECK_OK(mmf_accessor_write_boolean(view, 3, 0));
    CHECK_INT(bytes[3], 0);
    CHECK_OK(mmf_accessor_write_boolean(view, 3, -1));
    CHECK_INT(bytes[3], 1);
    CHECK_OK(mmf_accessor_write_boolean(view, 3, 256)); /* its low byte is 0 */
    CHECK_INT(bytes[3], 1);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* Any position, any alignment: exactly the type's bytes, in the machine's order. */
TEST(rule_4_2_bytes_at_any_position)
{
    mmf_accessor *view;
    unsigned char *bytes, got[16];
    size_t i;
    int64_t at;
    mmf_map *map;

    map = create_new(NULL, 64, NULL);
    for (i = 0; i < TYPE_COUNT; i++) {
        const struct type *type = type_at(i);

        for (at = 0; at <= 64 - type->size; at++) {
            CHECK_CONTEXT("%s at %" PRId64, type->name, at);
            view = filled_view(map, 0, 64, 0xee, &bytes);
            CHECK_STATUS(type->write(view, at, type->sample), MMF_OK);
            CHECK_BYTES(bytes + at, type->sample, type->size);
            check_all_are(bytes, 0, at, 0xee);
            check_all_are(bytes, at + type->size, 64, 0xee);
            CHECK_STATUS(type->read(view, at, got), MMF_OK);
            CHECK_BYTES(got, type->sample, type->size);
            mmf_accessor_close(view);
        }
    }
    mmf_map_close(map);
}

TEST(rule_4_2_extreme_integers)
{
    mmf_accessor *view;
    unsigned char *bytes;
    uint64_t u64;
    int64_t i64;
    int32_t i32;
    int16_t i16;
    int8_t i8;
    uint16_t c;
    mmf_map *map;

    map = create_new(NULL, 64, NULL);
    view = filled_view(map, 0, 64, 0, &bytes);
    CHECK_OK(mmf_accessor_write_uint64(view, 1, UINT64_MAX));
    CHECK_OK(mmf_accessor_read_uint64(view, 1, &u64));
    CHECK(u64 == UINT64_MAX);
    CHECK_OK(mmf_accessor_write_int64(view, 1, INT64_MIN));
    CHECK_OK(mmf_accessor_read_int64(view, 1, &i64));
    CHECK(i64 == INT64_MIN);
    CHECK_OK(mmf_accessor_write_int32(view, 1, INT32_MIN));
    CHECK_OK(mmf_accessor_read_int32(view, 1, &i32));
    CHECK_INT(i32, INT32_MIN);
    CHECK_OK(mmf_accessor_write_int16(view, 1, INT16_MIN));
    CHECK_OK(mmf_accessor_read_int16(view, 1, &i16));
    CHECK_INT(i16, INT16_MIN);
    CHECK_OK(mmf_accessor_write_sbyte(view, 1, INT8_MIN));
    CHECK_OK(mmf_accessor_read_sbyte(view, 1, &i8));
    CHECK_INT(i8, INT8_MIN);
    CHECK_OK(mmf_accessor_write_char(view, 1, 0xD83D)); /* half of a pair */
    CHECK_OK(mmf_accessor_read_char(view, 1, &c));
    CHECK_INT(c, 0xD83D);
    CHECK_BYTES(bytes + 1, &(uint16_t){0xD83D}, 2);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* Bit patterns pass unchanged, a NaN's payload included. */
TEST(rule_4_2_floating_point_bits)
{
    static const uint32_t singles[] = {0x80000000u, 0x7f800000u, 0xff800000u,
                                       0x7fc12345u, 0x00000001u};
    static const uint64_t doubles[] = {
        UINT64_C(0x8000000000000000), UINT64_C(0x7ff0000000000000),
        UINT64_C(0xfff8123456789abc), UINT64_C(0x0000000000000001)};
    mmf_accessor *view;
    unsigned char *bytes;
    size_t i;
    double d;
    float f;
    mmf_map *map;

    map = create_new(NULL, 16, NULL);
    view = filled_view(map, 0, 16, 0, &bytes);
    for (i = 0; i < COUNT_OF(singles); i++) {
        memcpy(&f, &singles[i], sizeof(f));
        CHECK_OK(mmf_accessor_write_single(view, 3, f));
        CHECK_BYTES(bytes + 3, &singles[i], sizeof(f));
        CHECK_OK(mmf_accessor_read_single(view, 3, &f));
        CHECK_BYTES(&f, &singles[i], sizeof(f));
    }
    for (i = 0; i < COUNT_OF(doubles); i++) {
        memcpy(&d, &doubles[i], sizeof(d));
        CHECK_OK(mmf_accessor_write_double(view, 3, d));
        CHECK_BYTES(bytes + 3, &doubles[i], sizeof(d));
        CHECK_OK(mmf_accessor_read_double(view, 3, &d));
        CHECK_BYTES(&d, &doubles[i], sizeof(d));
    }
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* Low, middle, high, flags. */
TEST(rule_4_2_decimal_layout)
{
    static const mmf_decimal value = {.low = 0x01020304,
                                      .middle = 0x05060708,
                                      .high = 0x090a0b0c,
                                      .flags = INT32_MIN | 28 << 16};
    mmf_accessor *view;
    unsigned char *bytes;
    int32_t part;
    mmf_decimal got;
    mmf_map *map;

    map = create_new(NULL, 64, NULL);
    view = filled_view(map, 0, 64, 0, &bytes);
    CHECK_OK(mmf_accessor_write_decimal(view, 5, &value));
    CHECK_OK(mmf_accessor_read_int32(view, 5, &part));
    CHECK_INT(part, value.low);
    CHECK_OK(mmf_accessor_read_int32(view, 9, &part));
    CHECK_INT(part, value.middle);
    CHECK_OK(mmf_accessor_read_int32(view, 13, &part));
    CHECK_INT(part, value.high);
    CHECK_OK(mmf_accessor_read_int32(view, 17, &part));
    CHECK_INT(part, value.flags);
    CHECK_OK(mmf_accessor_read_decimal(view, 5, &got));
    CHECK_BYTES(&got, &value, sizeof(got));
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* 1 if no decimal has these flags: bit 31 and a scale of 0 to 28 are all there is. */
static int
are_bad_flags(uint32_t flags)
{
    return (flags & ~(UINT32_C(0x80000000) | UINT32_C(0x00ff0000))) != 0 ||
           ((flags >> 16) & 0xff) > 28;
}

static void
check_decimal_flags(mmf_accessor *view, uint32_t flags)
{
    mmf_decimal value = {.low = 1, .flags = (int32_t)flags};
    mmf_decimal got = {.low = 99};

    CHECK_CONTEXT("flags 0x%08x", flags);
    CHECK_OK(mmf_accessor_write_decimal(view, 0, &value)); /* never the value */
    if (are_bad_flags(flags)) {
        CHECK_FAILS(mmf_accessor_read_decimal(view, 0, &got), MMF_E_INVALID);
        CHECK_INT(got.low, 99);
    } else {
        CHECK_OK(mmf_accessor_read_decimal(view, 0, &got));
        CHECK_BYTES(&got, &value, sizeof(got));
    }
}

TEST(rule_4_2_decimal_flags)
{
    mmf_accessor *view;
    unsigned char *bytes;
    uint32_t scale;
    int bit;
    mmf_map *map;

    map = create_new(NULL, 16, NULL);
    view = filled_view(map, 0, 16, 0, &bytes);
    for (bit = 0; bit < 32; bit++)
        check_decimal_flags(view, UINT32_C(1) << bit);
    for (scale = 0; scale < 256; scale++) {
        check_decimal_flags(view, scale << 16);
        check_decimal_flags(view, UINT32_C(0x80000000) | scale << 16);
    }
    check_decimal_flags(view, UINT32_MAX);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/*
 * Rule 4.3.
 */

/* A type of C's own, as T. */
struct point {
    int32_t x;
    double y;
    char name[7];
};

TEST(rule_4_3_any_type)
{
    struct point point, got;
    mmf_accessor *view;
    unsigned char *bytes;
    mmf_map *map;

    memset(&point, 0, sizeof(point)); /* its padding is compared too */
    point.x = 5;
    point.y = 2.5;
    strcpy(point.name, "corner");
    map = create_new(NULL, 100, NULL);
    view = filled_view(map, 0, 100, 0xee, &bytes);
    CHECK_STATUS(mmf_accessor_write(view, 13, &point, sizeof(point)), MMF_OK);
    CHECK_BYTES(bytes + 13, &point, sizeof(point));
    check_all_are(bytes, 0, 13, 0xee);
    check_all_are(bytes, 13 + (int64_t)sizeof(point), 100, 0xee);
    CHECK_STATUS(mmf_accessor_read(view, 13, &got, sizeof(got)), MMF_OK);
    CHECK_BYTES(&got, &point, sizeof(got));
    mmf_accessor_close(view);
    mmf_map_close(map);
}

static void
check_generic(mmf_accessor *view, int64_t position, int64_t size, int status,
              const char *parameter)
{
    unsigned char value[64];

    CHECK_CONTEXT("%" PRId64 " bytes at %" PRId64, size, position);
    memset(value, 0xee, sizeof(value));
    CHECK_FAILS_PARAM(mmf_accessor_read(view, position, value, size), status,
                      parameter);
    check_all_are(value, 0, 64, 0xee);
    CHECK_FAILS_PARAM(mmf_accessor_write(view, position, value, size), status,
                      parameter);
}

TEST(rule_4_3_bounds)
{
    mmf_accessor *view;
    unsigned char *bytes, value[64];
    mmf_map *map;

    map = create_new(NULL, 100, NULL);
    view = filled_view(map, 0, 100, 0, &bytes);
    check_generic(view, -1, 12, MMF_E_RANGE, "position");
    check_generic(view, INT64_MIN, 12, MMF_E_RANGE, "position");
    check_generic(view, 100, 12, MMF_E_RANGE, "position");
    check_generic(view, INT64_MAX, 12, MMF_E_RANGE, "position");
    check_generic(view, 89, 12, MMF_E_INVALID, "position");
    check_generic(view, 99, 12, MMF_E_INVALID, "position");
    check_generic(view, 0, 101, MMF_E_INVALID, "position");
    check_generic(view, 1, INT64_MAX, MMF_E_INVALID, "position");
    check_all_are(bytes, 0, 100, 0);
    CHECK_OK(mmf_accessor_read(view, 88, value, 12));
    CHECK_OK(mmf_accessor_write(view, 88, value, 12));
    CHECK_FAILS(mmf_accessor_read(view, 0, value, 0), MMF_E_INVALID);
    CHECK_FAILS(mmf_accessor_read(view, 0, value, -1), MMF_E_INVALID);
    CHECK_FAILS(mmf_accessor_write(view, 0, value, 0), MMF_E_INVALID);
    CHECK_FAILS(mmf_accessor_write(view, 0, value, INT64_MIN), MMF_E_INVALID);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* Unlike the typed methods: a negative position before "cannot read". */
TEST(rule_4_3_negative_position_first)
{
    mmf_accessor *reader, *writer;
    char value[4] = {0};
    mmf_map *map;

    map = create_new(NULL, 100, NULL);
    reader = view_of(map, 0, 0, MMF_ACCESS_READ);
    writer = view_of(map, 0, 0, MMF_ACCESS_WRITE);
    CHECK_FAILS_PARAM(mmf_accessor_read(writer, -1, value, 4), MMF_E_RANGE, "position");
    CHECK_FAILS_PARAM(mmf_accessor_write(reader, -1, value, 4), MMF_E_RANGE,
                      "position");
    CHECK_FAILS(mmf_accessor_read(writer, 100, value, 4), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_accessor_write(reader, 100, value, 4), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_accessor_read(writer, 0, value, 0), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_accessor_write(reader, 0, value, 0), MMF_E_NOT_SUPPORTED);
    mmf_accessor_close(writer);
    mmf_accessor_close(reader);
    mmf_map_close(map);
}

/*
 * Rules 4.4 to 4.6.
 */

/* Must fail, and leave the array and the count alone. */
static void
refuse_read_array(mmf_accessor *view, int64_t position, void *array,
                  size_t element_size, size_t count, int status, const char *parameter)
{
    size_t got = 7777;

    if (parameter == NULL)
        CHECK_FAILS(
            mmf_accessor_read_array(view, position, array, element_size, count, &got),
            status);
    else
        CHECK_FAILS_PARAM(
            mmf_accessor_read_array(view, position, array, element_size, count, &got),
            status, parameter);
    CHECK_INT(got, 7777);
}

static size_t
read_array(mmf_accessor *view, int64_t position, void *array, size_t element_size,
           size_t count)
{
    size_t got = 7777;

    CHECK_STATUS(
        mmf_accessor_read_array(view, position, array, element_size, count, &got),
        MMF_OK);
    return got;
}

TEST(rule_4_4_order_of_checks)
{
    mmf_accessor *writer, *view;
    int32_t array[4];
    mmf_map *map;

    map = create_new(NULL, 100, NULL);
    writer = view_of(map, 0, 100, MMF_ACCESS_WRITE);
    view = view_of(map, 0, 100, MMF_ACCESS_READ);
    refuse_read_array(writer, -1, NULL, 4, SIZE_MAX, MMF_E_NULL, "array");
    refuse_read_array(writer, -1, array, 4, SIZE_MAX, MMF_E_NOT_SUPPORTED, NULL);
    refuse_read_array(writer, -1, array, 4, 1, MMF_E_NOT_SUPPORTED, NULL);
    refuse_read_array(view, -1, array, 4, 1, MMF_E_RANGE, "position");
    refuse_read_array(view, 100, array, 4, 1, MMF_E_RANGE, "position");
    refuse_read_array(view, INT64_MAX, array, 4, 1, MMF_E_RANGE, "position");
    refuse_read_array(view, 0, array, 0, 1, MMF_E_INVALID, NULL);
    refuse_read_array(view, 0, array, 0, SIZE_MAX, MMF_E_INVALID, NULL);
    refuse_read_array(NULL, 0, array, 4, 1, MMF_E_NULL, NULL);
    CHECK_FAILS(mmf_accessor_read_array(view, 0, array, 4, 1, NULL), MMF_E_NULL);
    mmf_accessor_close(view);
    mmf_accessor_close(writer);
    mmf_map_close(map);
}

/* Even for a read of nothing. */
TEST(rule_4_4_position_is_checked_for_count_0)
{
    mmf_accessor *view;
    int32_t array[1];
    mmf_map *map;

    map = create_new(NULL, 100, NULL);
    view = view_of(map, 0, 100, MMF_ACCESS_READ);
    refuse_read_array(view, 100, array, 4, 0, MMF_E_RANGE, "position");
    refuse_read_array(view, -1, array, 4, 0, MMF_E_RANGE, "position");
    refuse_read_array(view, 0, NULL, 4, 0, MMF_E_NULL, "array");
    CHECK_INT(read_array(view, 99, array, 4, 0), 0);
    mmf_accessor_close(view);
    view = view_of(map, map_size(100), 0, MMF_ACCESS_READ);
    refuse_read_array(view, 0, array, 4, 0, MMF_E_RANGE, "position");
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* As many as there are; the rest of the array is left alone. */
TEST(rule_4_4_reads_what_is_there)
{
    mmf_accessor *view;
    unsigned char *bytes;
    int32_t array[30], i;
    mmf_map *map;

    map = create_new(NULL, 103, NULL);
    view = filled_view(map, 0, 103, 0, &bytes);
    for (i = 0; i < 25; i++)
        memcpy(bytes + 4 * i, &i, 4);
    memset(array, 0xee, sizeof(array));
    CHECK_INT(read_array(view, 0, array, 4, 30), 25); /* 3 bytes are no element */
    for (i = 0; i < 25; i++)
        CHECK_INT(array[i], i);
    check_all_are((const unsigned char *)array, 100, 120, 0xee);
    CHECK_INT(read_array(view, 96, array, 4, SIZE_MAX), 1);
    CHECK_INT(array[0], 24);
    CHECK_INT(read_array(view, 100, array, 4, 1), 0); /* not even one: no error */
    CHECK_INT(array[0], 24);
    CHECK_INT(read_array(view, 0, array, 4, 2), 2);
    CHECK_INT(read_array(view, 0, array, PTRDIFF_MAX, 1), 0);
    CHECK_INT(read_array(view, 0, array, PTRDIFF_MAX - 2, PTRDIFF_MAX), 0);
    CHECK_INT(read_array(view, 0, array, SIZE_MAX, 1), 0);
    CHECK_INT(read_array(view, 0, array, SIZE_MAX - 2, SIZE_MAX), 0);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

TEST(rule_4_5_order_of_checks)
{
    static const int32_t array[4] = {1, 2, 3, 4};
    mmf_accessor *reader, *view;
    mmf_map *map;

    map = create_new(NULL, 100, NULL);
    reader = view_of(map, 0, 100, MMF_ACCESS_READ);
    view = view_of(map, 0, 100, MMF_ACCESS_WRITE);
    CHECK_FAILS_PARAM(mmf_accessor_write_array(reader, -1, NULL, 4, SIZE_MAX),
                      MMF_E_NULL, "array");
    CHECK_FAILS_PARAM(mmf_accessor_write_array(reader, -1, array, 4, SIZE_MAX),
                      MMF_E_RANGE, "position");
    /* Unlike reading: the position before "cannot write". */
    CHECK_FAILS_PARAM(mmf_accessor_write_array(reader, -1, array, 4, 1), MMF_E_RANGE,
                      "position");
    CHECK_FAILS_PARAM(mmf_accessor_write_array(reader, 100, array, 4, 1), MMF_E_RANGE,
                      "position");
    CHECK_FAILS(mmf_accessor_write_array(reader, 0, array, 4, 100),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_accessor_write_array(view, 0, array, 4, 26), MMF_E_INVALID);
    CHECK_FAILS_PARAM(mmf_accessor_write_array(view, 100, array, 4, 0), MMF_E_RANGE,
                      "position");
    CHECK_FAILS(mmf_accessor_write_array(view, 0, array, 0, 1), MMF_E_INVALID);
    CHECK_FAILS(mmf_accessor_write_array(view, 0, array, 0, 0), MMF_E_INVALID);
    CHECK_FAILS(mmf_accessor_write_array(NULL, 0, array, 4, 1), MMF_E_NULL);
    CHECK_STATUS(mmf_accessor_write_array(view, 99, array, 4, 0), MMF_OK);
    mmf_accessor_close(view);
    mmf_accessor_close(reader);
    mmf_map_close(map);
}

/* All or none. */
TEST(rule_4_5_no_partial_write)
{
    static const int32_t array[30] = {1, 2, 3, 4};
    static const size_t large[] = {PTRDIFF_MAX, SIZE_MAX / 4 + 1, SIZE_MAX};
    mmf_accessor *view;
    unsigned char *bytes;
    size_t i;
    mmf_map *map;

    map = create_new(NULL, 103, NULL);
    view = filled_view(map, 0, 103, 0xee, &bytes);
    CHECK_FAILS(mmf_accessor_write_array(view, 0, array, 4, 26), MMF_E_INVALID);
    CHECK_FAILS(mmf_accessor_write_array(view, 100, array, 4, 1), MMF_E_INVALID);
    CHECK_FAILS(mmf_accessor_write_array(view, 4, array, 4, 25), MMF_E_INVALID);
    for (i = 0; i < COUNT_OF(large); i++) {
        CHECK_FAILS(mmf_accessor_write_array(view, 0, array, 4, large[i]),
                    MMF_E_INVALID);
        CHECK_FAILS(mmf_accessor_write_array(view, 0, array, large[i], 1),
                    MMF_E_INVALID);
        CHECK_FAILS(mmf_accessor_write_array(view, 0, array, large[i], large[i]),
                    MMF_E_INVALID);
    }
    check_all_are(bytes, 0, 103, 0xee);
    CHECK_STATUS(mmf_accessor_write_array(view, 0, array, 4, 25), MMF_OK);
    CHECK_BYTES(bytes, array, 100);
    check_all_are(bytes, 100, 103, 0xee);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* .NET's spacing in the view. */
static int64_t
stride_of(int64_t size)
{
    return size <= 2 ? size : (size + 3) / 4 * 4;
}

static int
write_array(mmf_accessor *view, int64_t position, const void *array, int64_t size,
            int64_t count)
{
    return mmf_accessor_write_array(view, position, array, (size_t)size, (size_t)count);
}

/* Elements of `size` bytes: spaced in the view, packed in the array, padding as it was.
 */
static void
check_stride(int64_t size)
{
    enum { COUNT = 5, AT = 3, FIRST = 1 };
    int64_t stride = stride_of(size);
    unsigned char array[COUNT * 16], got[COUNT * 16 + 1];
    mmf_map *map = create_new(NULL, 200, NULL);
    mmf_accessor *view;
    unsigned char *bytes;
    int64_t i;

    CHECK_CONTEXT("elements of %" PRId64 " bytes", size);
    view = filled_view(map, 0, 200, 0xee, &bytes);
    for (i = 0; i < COUNT * size; i++)
        array[i] = (unsigned char)(FIRST + i);
    CHECK_STATUS(write_array(view, AT, array, size, COUNT), MMF_OK);
    check_all_are(bytes, 0, AT, 0xee);
    for (i = 0; i < COUNT; i++) {
        CHECK_BYTES(bytes + AT + i * stride, array + i * size, size);
        check_all_are(bytes, AT + i * stride + size, AT + (i + 1) * stride, 0xee);
    }
    check_all_are(bytes, AT + COUNT * stride, 200, 0xee);
    memset(got, 0xdd, sizeof(got));
    CHECK_INT(read_array(view, AT, got, (size_t)size, COUNT), COUNT);
    CHECK_BYTES(got, array, COUNT * size);
    CHECK_INT(got[COUNT * size], 0xdd);
    mmf_accessor_close(view);

    /* A whole stride counts, the padding behind the last element included. */
    view = view_of(map, 0, COUNT * stride, MMF_ACCESS_READ_WRITE);
    CHECK_OK(write_array(view, 0, array, size, COUNT));
    CHECK_INT(read_array(view, 0, got, (size_t)size, COUNT + 1), COUNT);
    mmf_accessor_close(view);
    view = view_of(map, 0, COUNT * stride - 1, MMF_ACCESS_READ_WRITE);
    CHECK_FAILS(write_array(view, 0, array, size, COUNT), MMF_E_INVALID);
    CHECK_INT(read_array(view, 0, got, (size_t)size, COUNT), COUNT - 1);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

TEST(rule_4_6_stride)
{
    int64_t size;

    for (size = 1; size <= 16; size++)
        check_stride(size);
}

/* .NET's own example: three bytes stand four apart. */
TEST(rule_4_6_three_bytes_stand_four_apart)
{
    static const unsigned char array[6] = {1, 2, 3, 4, 5, 6};
    static const unsigned char expected[8] = {1, 2, 3, 0xee, 4, 5, 6, 0xee};
    mmf_accessor *view;
    unsigned char *bytes;
    mmf_map *map;

    map = create_new(NULL, 8, NULL);
    view = filled_view(map, 0, 8, 0xee, &bytes);
    CHECK_OK(mmf_accessor_write_array(view, 0, array, 3, 2));
    CHECK_BYTES(bytes, expected, 8);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/*
 * Rule 4.7: threads may use one accessor without locks.
 */

struct worker {
    pthread_t thread;
    mmf_accessor *view;
    int64_t position;
};

static void *
count_up(void *payload)
{
    struct worker *worker = payload;
    int32_t i, value;

    for (i = 1; i <= 10000; i++) {
        CHECK_OK(mmf_accessor_write_int32(worker->view, worker->position, i));
        CHECK_OK(mmf_accessor_read_int32(worker->view, worker->position, &value));
        CHECK_INT(value, i);
    }
    return NULL;
}

TEST(rule_4_7_threads)
{
    struct worker workers[4];
    mmf_accessor *view;
    size_t i;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    for (i = 0; i < COUNT_OF(workers); i++) {
        workers[i].view = view;
        workers[i].position = (int64_t)i * 4;
        CHECK(pthread_create(&workers[i].thread, NULL, count_up, &workers[i]) == 0);
    }
    for (i = 0; i < COUNT_OF(workers); i++)
        pthread_join(workers[i].thread, NULL);
    mmf_accessor_close(view);
    mmf_map_close(map);
}
