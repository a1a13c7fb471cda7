/*
 * view_stream_test.c - MemoryMappedViewStream: every row of rule 5.
 */
#include "support.h"

#include <inttypes.h>
#include <string.h>

enum { LENGTH = 100 };

/* A map of LENGTH bytes that count up from 0, and a stream of it. */
struct sample {
    mmf_map *map;
    mmf_stream *stream;
    unsigned char *bytes;
};

static void
open_sample(struct sample *sample, mmf_access access)
{
    mmf_accessor *view;
    void *bytes;
    int i;

    sample->map = create_new(NULL, 4096 + LENGTH, NULL);
    view = view_of(sample->map, 1000, LENGTH, MMF_ACCESS_READ_WRITE);
    for (i = 0; i < LENGTH; i++)
        CHECK_OK(mmf_accessor_write_byte(view, i, (uint8_t)i));
    mmf_accessor_close(view);
    sample->stream = stream_of(sample->map, 1000, LENGTH, access);
    CHECK_OK(mmf_stream_pointer(sample->stream, &bytes, NULL));
    sample->bytes = bytes;
}

static void
close_sample(struct sample *sample)
{
    mmf_stream_close(sample->stream);
    mmf_map_close(sample->map);
}

static void
go_to(struct sample *sample, int64_t position)
{
    CHECK_STATUS(mmf_stream_set_position(sample->stream, position), MMF_OK);
}

static void
check_position(const struct sample *sample, int64_t expected)
{
    CHECK_INT(mmf_stream_position(sample->stream), expected);
}

/* The bytes are as open_sample made them, and so are those around them. */
static void
check_unchanged(const struct sample *sample)
{
    int i;

    for (i = 0; i < LENGTH; i++)
        CHECK_INT(sample->bytes[i], i);
    CHECK_INT(byte_at(sample->map, 999), 0);
    CHECK_INT(byte_at(sample->map, 1000 + LENGTH), 0);
}

TEST(rule_5_length_and_seeking)
{
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    CHECK_INT(mmf_stream_length(sample.stream), LENGTH);
    CHECK_INT(mmf_stream_capacity(sample.stream), LENGTH);
    CHECK_INT(mmf_stream_can_seek(sample.stream), 1);
    CHECK_INT(mmf_stream_can_read(sample.stream), 1);
    CHECK_INT(mmf_stream_can_write(sample.stream), 1);
    CHECK_INT(mmf_stream_pointer_offset(sample.stream), 1000);
    check_position(&sample, 0);
    close_sample(&sample);
}

/*
 * Read.
 */

static void
read_and_check(struct sample *sample, size_t count, size_t expected)
{
    int64_t from = mmf_stream_position(sample->stream);
    unsigned char buffer[LENGTH + 10];
    size_t got = 7777, i;

    memset(buffer, 0xee, sizeof(buffer));
    CHECK_STATUS(mmf_stream_read(sample->stream, buffer, count, &got), MMF_OK);
    CHECK_INT(got, expected);
    for (i = 0; i < got; i++)
        CHECK_INT(buffer[i], from + (int64_t)i);
    for (; i < sizeof(buffer); i++)
        CHECK_INT(buffer[i], 0xee);
    check_position(sample, from + (int64_t)got);
}

TEST(rule_5_read)
{
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ);
    read_and_check(&sample, 10, 10);
    read_and_check(&sample, 0, 0);
    read_and_check(&sample, 80, 80);
    read_and_check(&sample, 20, 10); /* what is there */
    read_and_check(&sample, 1, 0);   /* the end */
    go_to(&sample, LENGTH + 1000);
    read_and_check(&sample, 1, 0); /* past it */
    go_to(&sample, INT64_MAX);
    read_and_check(&sample, 1, 0);
    go_to(&sample, 0);
    read_and_check(&sample, LENGTH, LENGTH);
    go_to(&sample, 99);
    read_and_check(&sample, SIZE_MAX, 1);
    read_and_check(&sample, SIZE_MAX, 0);
    close_sample(&sample);
}

TEST(rule_5_read_order_of_checks)
{
    struct sample sample;
    char buffer[4] = "abc";
    size_t got = 7777;

    open_sample(&sample, MMF_ACCESS_WRITE);
    CHECK_FAILS_PARAM(mmf_stream_read(sample.stream, NULL, SIZE_MAX, &got), MMF_E_NULL,
                      "buffer");
    CHECK_FAILS_PARAM(mmf_stream_read(sample.stream, NULL, 0, &got), MMF_E_NULL,
                      "buffer");
    CHECK_FAILS(mmf_stream_read(sample.stream, buffer, SIZE_MAX, &got),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_stream_read(sample.stream, buffer, 1, &got), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_stream_read(sample.stream, buffer, 0, &got), MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_stream_read(sample.stream, buffer, 1, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_stream_read(NULL, buffer, 1, &got), MMF_E_NULL);
    CHECK_INT(got, 7777);
    CHECK_TEXT(buffer, "abc");
    check_position(&sample, 0);
    close_sample(&sample);
}

TEST(rule_5_read_byte)
{
    struct sample sample;
    int32_t value;
    int i;

    open_sample(&sample, MMF_ACCESS_READ);
    for (i = 0; i < LENGTH; i++) {
        CHECK_STATUS(mmf_stream_read_byte(sample.stream, &value), MMF_OK);
        CHECK_INT(value, i);
        check_position(&sample, i + 1);
    }
    for (i = 0; i < 2; i++) {
        CHECK_STATUS(mmf_stream_read_byte(sample.stream, &value), MMF_OK);
        CHECK_INT(value, -1);
        check_position(&sample, LENGTH);
    }
    go_to(&sample, INT64_MAX);
    CHECK_STATUS(mmf_stream_read_byte(sample.stream, &value), MMF_OK);
    CHECK_INT(value, -1);
    check_position(&sample, INT64_MAX);
    CHECK_FAILS(mmf_stream_read_byte(sample.stream, NULL), MMF_E_NULL);
    CHECK_FAILS(mmf_stream_read_byte(NULL, &value), MMF_E_NULL);
    close_sample(&sample);

    open_sample(&sample, MMF_ACCESS_WRITE);
    value = -7;
    CHECK_FAILS(mmf_stream_read_byte(sample.stream, &value), MMF_E_NOT_SUPPORTED);
    CHECK_INT(value, -7);
    check_position(&sample, 0);
    close_sample(&sample);
}

/* A byte is 0 to 255, never negative. */
TEST(rule_5_read_byte_is_unsigned)
{
    struct sample sample;
    int32_t value;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    CHECK_OK(mmf_stream_write_byte(sample.stream, 255));
    go_to(&sample, 0);
    CHECK_OK(mmf_stream_read_byte(sample.stream, &value));
    CHECK_INT(value, 255);
    close_sample(&sample);
}

/*
 * Write.
 */

TEST(rule_5_write)
{
    static const unsigned char bytes[LENGTH] = {[0] = 201, [LENGTH - 1] = 202};
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    CHECK_STATUS(mmf_stream_write(sample.stream, "abc", 3), MMF_OK);
    check_position(&sample, 3);
    CHECK_BYTES(sample.bytes, "abc\3", 4);
    go_to(&sample, LENGTH - 3);
    CHECK_STATUS(mmf_stream_write(sample.stream, "xyz", 3), MMF_OK);
    check_position(&sample, LENGTH);
    CHECK_BYTES(sample.bytes + LENGTH - 4, "\140xyz", 4);
    go_to(&sample, 0);
    CHECK_STATUS(mmf_stream_write(sample.stream, bytes, LENGTH), MMF_OK);
    CHECK_BYTES(sample.bytes, bytes, LENGTH);
    check_position(&sample, LENGTH);
    CHECK_INT(byte_at(sample.map, 1000 + LENGTH), 0);
    close_sample(&sample);
}

static void
refuse_write(struct sample *sample, const void *buffer, uint64_t count, int status,
             const char *parameter)
{
    int64_t position = mmf_stream_position(sample->stream);

    if (parameter == NULL)
        CHECK_FAILS(mmf_stream_write(sample->stream, buffer, (size_t)count), status);
    else
        CHECK_FAILS_PARAM(mmf_stream_write(sample->stream, buffer, (size_t)count),
                          status, parameter);
    check_position(sample, position);
    check_unchanged(sample);
}

TEST(rule_5_write_beyond_the_end)
{
    static const char bytes[LENGTH + 10];
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    refuse_write(&sample, bytes, LENGTH + 1, MMF_E_NOT_SUPPORTED, NULL);
    go_to(&sample, LENGTH - 2);
    refuse_write(&sample, bytes, 3, MMF_E_NOT_SUPPORTED, NULL);
    go_to(&sample, LENGTH);
    refuse_write(&sample, bytes, 1, MMF_E_NOT_SUPPORTED, NULL);
    go_to(&sample, LENGTH + 50);
    refuse_write(&sample, bytes, 1, MMF_E_NOT_SUPPORTED, NULL);
    refuse_write(&sample, bytes, INT64_MAX - LENGTH - 50, MMF_E_NOT_SUPPORTED, NULL);
    refuse_write(&sample, bytes, INT64_MAX - LENGTH - 49, MMF_E_IO, NULL);
    refuse_write(&sample, bytes, SIZE_MAX, MMF_E_IO, NULL);
    go_to(&sample, INT64_MAX);
    refuse_write(&sample, bytes, 1, MMF_E_IO, NULL);
    refuse_write(&sample, bytes, SIZE_MAX, MMF_E_IO, NULL);
    go_to(&sample, 0);
    refuse_write(&sample, bytes, SIZE_MAX, MMF_E_IO, NULL);
    close_sample(&sample);
}

TEST(rule_5_write_order_of_checks)
{
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ);
    go_to(&sample, INT64_MAX);
    refuse_write(&sample, NULL, SIZE_MAX, MMF_E_NULL, "buffer");
    refuse_write(&sample, NULL, 0, MMF_E_NULL, "buffer");
    refuse_write(&sample, "abc", SIZE_MAX, MMF_E_NOT_SUPPORTED, NULL);
    refuse_write(&sample, "abc", 3, MMF_E_NOT_SUPPORTED, NULL);
    refuse_write(&sample, "abc", 0, MMF_E_NOT_SUPPORTED, NULL);
    CHECK_FAILS(mmf_stream_write(NULL, "abc", 3), MMF_E_NULL);
    CHECK_FAILS(mmf_stream_write_byte(sample.stream, 1), MMF_E_NOT_SUPPORTED);
    close_sample(&sample);
}

TEST(rule_5_write_of_nothing)
{
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    CHECK_STATUS(mmf_stream_write(sample.stream, "", 0), MMF_OK);
    go_to(&sample, LENGTH);
    CHECK_STATUS(mmf_stream_write(sample.stream, "", 0), MMF_OK);
    check_position(&sample, LENGTH);
    go_to(&sample, LENGTH + 1);
    refuse_write(&sample, "", 0, MMF_E_NOT_SUPPORTED, NULL);
    check_unchanged(&sample);
    close_sample(&sample);
}

TEST(rule_5_write_byte)
{
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    go_to(&sample, LENGTH);
    CHECK_FAILS(mmf_stream_write_byte(sample.stream, 1), MMF_E_NOT_SUPPORTED);
    check_position(&sample, LENGTH);
    go_to(&sample, LENGTH + 1);
    CHECK_FAILS(mmf_stream_write_byte(sample.stream, 1), MMF_E_NOT_SUPPORTED);
    check_position(&sample, LENGTH + 1);
    go_to(&sample, INT64_MAX);
    CHECK_FAILS(mmf_stream_write_byte(sample.stream, 1), MMF_E_IO);
    check_position(&sample, INT64_MAX);
    check_unchanged(&sample);
    go_to(&sample, LENGTH - 1);
    CHECK_STATUS(mmf_stream_write_byte(sample.stream, 222), MMF_OK);
    check_position(&sample, LENGTH);
    CHECK_INT(sample.bytes[LENGTH - 1], 222);
    CHECK_FAILS(mmf_stream_write_byte(NULL, 1), MMF_E_NULL);
    close_sample(&sample);
}

/*
 * Position and Seek.
 */

TEST(rule_5_position)
{
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    go_to(&sample, 7);
    check_position(&sample, 7);
    go_to(&sample, LENGTH);
    check_position(&sample, LENGTH);
    go_to(&sample, INT64_MAX);
    check_position(&sample, INT64_MAX);
    CHECK_FAILS_PARAM(mmf_stream_set_position(sample.stream, -1), MMF_E_RANGE, "value");
    CHECK_FAILS_PARAM(mmf_stream_set_position(sample.stream, INT64_MIN), MMF_E_RANGE,
                      "value");
    check_position(&sample, INT64_MAX);
    CHECK_FAILS(mmf_stream_set_position(NULL, 0), MMF_E_NULL);
    CHECK_INT(mmf_stream_position(NULL), 0);
    close_sample(&sample);
}

static void
seek_and_check(struct sample *sample, int64_t offset, mmf_seek_origin origin,
               int64_t expected)
{
    int64_t got = -7;

    CHECK_STATUS(mmf_stream_seek(sample->stream, offset, origin, &got), MMF_OK);
    CHECK_INT(got, expected);
    check_position(sample, expected);
}

static void
refuse_seek(struct sample *sample, int64_t offset, mmf_seek_origin origin, int status)
{
    int64_t before = mmf_stream_position(sample->stream);
    int64_t got = -7;

    CHECK_FAILS(mmf_stream_seek(sample->stream, offset, origin, &got), status);
    CHECK_INT(got, -7);
    check_position(sample, before);
}

TEST(rule_5_seek)
{
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    seek_and_check(&sample, 10, MMF_SEEK_BEGIN, 10);
    seek_and_check(&sample, 5, MMF_SEEK_CURRENT, 15);
    seek_and_check(&sample, -15, MMF_SEEK_CURRENT, 0);
    seek_and_check(&sample, -10, MMF_SEEK_END, LENGTH - 10);
    seek_and_check(&sample, 0, MMF_SEEK_END, LENGTH);
    seek_and_check(&sample, 50, MMF_SEEK_END, LENGTH + 50);
    seek_and_check(&sample, -LENGTH, MMF_SEEK_END, 0);
    seek_and_check(&sample, INT64_MAX, MMF_SEEK_BEGIN, INT64_MAX);
    seek_and_check(&sample, 0, MMF_SEEK_CURRENT, INT64_MAX);
    seek_and_check(&sample, -INT64_MAX, MMF_SEEK_CURRENT, 0);
    CHECK_STATUS(mmf_stream_seek(sample.stream, 3, MMF_SEEK_BEGIN, NULL), MMF_OK);
    check_position(&sample, 3);
    close_sample(&sample);
}

TEST(rule_5_seek_out_of_range)
{
    struct sample sample;
    int64_t got = -7;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    go_to(&sample, 10);
    refuse_seek(&sample, -1, MMF_SEEK_BEGIN, MMF_E_IO);
    refuse_seek(&sample, -11, MMF_SEEK_CURRENT, MMF_E_IO);
    refuse_seek(&sample, -LENGTH - 1, MMF_SEEK_END, MMF_E_IO);
    refuse_seek(&sample, INT64_MIN, MMF_SEEK_BEGIN, MMF_E_IO);
    refuse_seek(&sample, INT64_MIN, MMF_SEEK_CURRENT, MMF_E_IO);
    refuse_seek(&sample, INT64_MAX, MMF_SEEK_CURRENT, MMF_E_IO); /* wraps around */
    refuse_seek(&sample, INT64_MAX, MMF_SEEK_END, MMF_E_IO);
    refuse_seek(&sample, 0, -1, MMF_E_INVALID);
    refuse_seek(&sample, 0, 3, MMF_E_INVALID);
    refuse_seek(&sample, 0, 42, MMF_E_INVALID);
    CHECK_FAILS(mmf_stream_seek(NULL, 0, MMF_SEEK_BEGIN, &got), MMF_E_NULL);
    CHECK_INT(got, -7);
    close_sample(&sample);
}

/*
 * SetLength, Flush.
 */

static void
check_set_length(mmf_access access)
{
    static const int64_t lengths[] = {0, 1, LENGTH, LENGTH + 1, INT64_MAX};
    struct sample sample;
    size_t i;

    open_sample(&sample, access);
    go_to(&sample, 10);
    CHECK_FAILS_PARAM(mmf_stream_set_length(sample.stream, -1), MMF_E_RANGE, "value");
    CHECK_FAILS_PARAM(mmf_stream_set_length(sample.stream, INT64_MIN), MMF_E_RANGE,
                      "value");
    for (i = 0; i < COUNT_OF(lengths); i++)
        CHECK_FAILS(mmf_stream_set_length(sample.stream, lengths[i]),
                    MMF_E_NOT_SUPPORTED);
    check_position(&sample, 10);
    CHECK_INT(mmf_stream_length(sample.stream), LENGTH);
    close_sample(&sample);
}

TEST(rule_5_set_length)
{
    check_set_length(MMF_ACCESS_READ_WRITE);
    check_set_length(MMF_ACCESS_READ);
    check_set_length(MMF_ACCESS_WRITE);
    CHECK_FAILS(mmf_stream_set_length(NULL, 0), MMF_E_NULL);
}

TEST(rule_5_flush)
{
    static const mmf_access accesses[] = {MMF_ACCESS_READ, MMF_ACCESS_WRITE,
                                          MMF_ACCESS_READ_WRITE,
                                          MMF_ACCESS_COPY_ON_WRITE};
    struct sample sample;
    size_t i;

    for (i = 0; i < COUNT_OF(accesses); i++) {
        open_sample(&sample, accesses[i]);
        go_to(&sample, 10);
        CHECK_STATUS(mmf_stream_flush(sample.stream), MMF_OK);
        check_position(&sample, 10);
        close_sample(&sample);
    }
    CHECK_FAILS(mmf_stream_flush(NULL), MMF_E_NULL);
}

/*
 * CopyTo.
 */

/* Takes what a copy gives, and looks at the size of its pieces. */
struct catcher {
    unsigned char bytes[LENGTH];
    size_t length;
    size_t largest;
    int calls;
    int refuse_at; /* the call that returns a failure; 0: no call does */
};

static int
catch_bytes(void *payload, const void *bytes, size_t count)
{
    struct catcher *catcher = payload;

    catcher->calls++;
    if (catcher->calls == catcher->refuse_at)
        return MMF_E_BUSY;
    CHECK(count > 0 && catcher->length + count <= LENGTH);
    memcpy(catcher->bytes + catcher->length, bytes, count);
    catcher->length += count;
    if (count > catcher->largest)
        catcher->largest = count;
    return MMF_OK;
}

static void
copy_and_check(struct sample *sample, int64_t from, size_t buffer_size)
{
    struct catcher catcher = {.length = 0};
    int64_t i, expected = from < LENGTH ? LENGTH - from : 0;

    CHECK_CONTEXT("from %" PRId64 ", %zu at a time", from, buffer_size);
    go_to(sample, from);
    CHECK_STATUS(mmf_stream_copy_to(sample->stream, catch_bytes, &catcher, buffer_size),
                 MMF_OK);
    CHECK_INT(catcher.length, expected);
    CHECK(catcher.largest <= buffer_size);
    for (i = 0; i < expected; i++)
        CHECK_INT(catcher.bytes[i], from + i);
    if (from <= LENGTH)
        check_position(sample, LENGTH);
}

TEST(rule_5_copy_to)
{
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ);
    copy_and_check(&sample, 0, LENGTH);
    copy_and_check(&sample, 0, 7);
    copy_and_check(&sample, 0, 1);
    copy_and_check(&sample, 0, SIZE_MAX);
    copy_and_check(&sample, 33, 10);
    copy_and_check(&sample, LENGTH, 10);
    copy_and_check(&sample, LENGTH + 1, 10);
    copy_and_check(&sample, INT64_MAX, 10);
    close_sample(&sample);
}

TEST(rule_5_copy_to_order_of_checks)
{
    struct catcher catcher = {.length = 0};
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_WRITE);
    CHECK_FAILS_PARAM(mmf_stream_copy_to(sample.stream, NULL, NULL, 0), MMF_E_NULL,
                      "destination");
    CHECK_FAILS_PARAM(mmf_stream_copy_to(sample.stream, catch_bytes, &catcher, 0),
                      MMF_E_RANGE, "bufferSize");
    CHECK_FAILS(mmf_stream_copy_to(sample.stream, catch_bytes, &catcher, SIZE_MAX),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_stream_copy_to(sample.stream, catch_bytes, &catcher, 10),
                MMF_E_NOT_SUPPORTED);
    CHECK_FAILS(mmf_stream_copy_to(NULL, catch_bytes, &catcher, 10), MMF_E_NULL);
    CHECK_INT(catcher.calls, 0);
    close_sample(&sample);
}

/* The sink's answer ends the copy; the position stands behind what it took. */
TEST(rule_5_copy_to_sink_refuses)
{
    struct catcher catcher = {.refuse_at = 3};
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ);
    CHECK_STATUS(mmf_stream_copy_to(sample.stream, catch_bytes, &catcher, 10),
                 MMF_E_BUSY);
    CHECK_INT(catcher.calls, 3);
    CHECK_INT(catcher.length, 20);
    check_position(&sample, 20);
    close_sample(&sample);
}

TEST(rule_5_copy_to_stream)
{
    struct sample from, to;
    int i;

    open_sample(&from, MMF_ACCESS_READ);
    open_sample(&to, MMF_ACCESS_READ_WRITE);
    memset(to.bytes, 0xee, LENGTH);
    go_to(&from, 40);
    go_to(&to, 10);
    CHECK_STATUS(mmf_stream_copy_to_stream(from.stream, to.stream, 7), MMF_OK);
    check_position(&from, LENGTH);
    check_position(&to, 70);
    for (i = 0; i < 10; i++)
        CHECK_INT(to.bytes[i], 0xee);
    for (i = 10; i < 70; i++)
        CHECK_INT(to.bytes[i], i + 30);
    for (i = 70; i < LENGTH; i++)
        CHECK_INT(to.bytes[i], 0xee);
    check_unchanged(&from);
    close_sample(&to);
    close_sample(&from);
}

static void
refuse_copy(mmf_stream *from, mmf_stream *to, size_t buffer_size, int status,
            const char *parameter)
{
    if (parameter == NULL)
        CHECK_FAILS(mmf_stream_copy_to_stream(from, to, buffer_size), status);
    else
        CHECK_FAILS_PARAM(mmf_stream_copy_to_stream(from, to, buffer_size), status,
                          parameter);
}

TEST(rule_5_copy_to_stream_order_of_checks)
{
    struct sample reader, writer;

    open_sample(&reader, MMF_ACCESS_READ);
    open_sample(&writer, MMF_ACCESS_WRITE);
    refuse_copy(writer.stream, NULL, 0, MMF_E_NULL, "destination");
    refuse_copy(writer.stream, reader.stream, 0, MMF_E_RANGE, "bufferSize");
    refuse_copy(writer.stream, reader.stream, SIZE_MAX, MMF_E_NOT_SUPPORTED, NULL);
    refuse_copy(writer.stream, reader.stream, 10, MMF_E_NOT_SUPPORTED, NULL);
    refuse_copy(reader.stream, reader.stream, 10, MMF_E_NOT_SUPPORTED, NULL);
    refuse_copy(NULL, writer.stream, 10, MMF_E_NULL, NULL);
    go_to(&writer, 1); /* one byte too few */
    refuse_copy(reader.stream, writer.stream, 10, MMF_E_NOT_SUPPORTED, NULL);
    check_position(&reader, 0);
    check_position(&writer, 1);
    check_unchanged(&reader);
    check_unchanged(&writer);
    close_sample(&writer);
    close_sample(&reader);
}

/* A stream into itself: what is left is where it should be already. */
TEST(rule_5_copy_to_the_same_stream)
{
    struct sample sample;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    go_to(&sample, LENGTH);
    CHECK_STATUS(mmf_stream_copy_to_stream(sample.stream, sample.stream, 10), MMF_OK);
    check_position(&sample, LENGTH);
    check_unchanged(&sample);
    close_sample(&sample);
}

/*
 * What is there of the pointer, and of no stream at all.
 */

TEST(rule_5_pointer_is_the_first_byte)
{
    struct sample sample;
    void *bytes = NULL;
    size_t size = 0;

    open_sample(&sample, MMF_ACCESS_READ_WRITE);
    go_to(&sample, 50);
    CHECK_OK(mmf_stream_pointer(sample.stream, &bytes, &size));
    CHECK(bytes == sample.bytes);
    CHECK_INT(size, LENGTH);
    check_unchanged(&sample);
    CHECK_FAILS(mmf_stream_pointer(sample.stream, NULL, &size), MMF_E_NULL);
    CHECK_FAILS(mmf_stream_pointer(NULL, &bytes, &size), MMF_E_NULL);
    close_sample(&sample);
}

TEST(rule_5_no_stream)
{
    mmf_stream_close(NULL);
    mmf_stream_close(NULL);
    CHECK_INT(mmf_stream_can_read(NULL), 0);
    CHECK_INT(mmf_stream_can_write(NULL), 0);
    CHECK_INT(mmf_stream_can_seek(NULL), 0);
    CHECK_INT(mmf_stream_length(NULL), 0);
    CHECK_INT(mmf_stream_capacity(NULL), 0);
    CHECK_INT(mmf_stream_pointer_offset(NULL), 0);
}

/* A stream of nothing is at its end. */
TEST(rule_5_stream_of_0_bytes)
{
    mmf_stream *stream;
    int32_t value = -7;
    char byte = 'x';
    size_t got = 7777;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    stream = stream_of(map, 4096, 0, MMF_ACCESS_READ_WRITE);
    CHECK_INT(mmf_stream_length(stream), 0);
    CHECK_OK(mmf_stream_read_byte(stream, &value));
    CHECK_INT(value, -1);
    CHECK_OK(mmf_stream_read(stream, &byte, 1, &got));
    CHECK_INT(got, 0);
    CHECK_OK(mmf_stream_write(stream, &byte, 0));
    CHECK_FAILS(mmf_stream_write_byte(stream, 1), MMF_E_NOT_SUPPORTED);
    CHECK_OK(mmf_stream_flush(stream));
    mmf_stream_close(stream);
    mmf_map_close(map);
}

/* Each sample, written by one stream, read by another, as far as the map reaches. */
static void
check_round_trip(mmf_map *map, int64_t capacity)
{
    mmf_stream *stream = stream_of(map, 0, capacity, MMF_ACCESS_READ_WRITE);
    int32_t value;
    int64_t i;

    for (i = 0; i < capacity; i++)
        CHECK_OK(mmf_stream_write_byte(stream, (uint8_t)(i * 7)));
    CHECK_FAILS(mmf_stream_write_byte(stream, 1), MMF_E_NOT_SUPPORTED);
    CHECK_OK(mmf_stream_flush(stream));
    mmf_stream_close(stream);
    stream = stream_of(map, 0, 0, MMF_ACCESS_READ);
    for (i = 0; i < capacity; i++) {
        CHECK_OK(mmf_stream_read_byte(stream, &value));
        CHECK_INT(value, (uint8_t)(i * 7));
    }
    mmf_stream_close(stream);
}

TEST(rule_5_streams_of_each_kind_of_map)
{
    for_each_sample(1, check_round_trip);
    for_each_sample(5000, check_round_trip);
}
