/*
 * validate.c - the checks that .NET's tests make of every map and view they create.
 */
#include "support.h"

#include <string.h>

/* What an access lets a view do (the third table of rule 2.7). */
static int
can_read(mmf_access access)
{
    return access != MMF_ACCESS_WRITE;
}

static int
can_write(mmf_access access)
{
    return access == MMF_ACCESS_READ_WRITE || access == MMF_ACCESS_WRITE ||
           access == MMF_ACCESS_COPY_ON_WRITE ||
           access == MMF_ACCESS_READ_WRITE_EXECUTE;
}

/* The handle is the same on each get, an open descriptor, inheritable or not. */
static void
validate_handle(mmf_map *map, mmf_inheritability inheritability)
{
    intptr_t handle = -1, again = -1;

    CHECK_STATUS(mmf_map_native_handle(map, &handle), MMF_OK);
    CHECK_STATUS(mmf_map_native_handle(map, &again), MMF_OK);
    CHECK_INT(again, handle);
    CHECK(is_open(handle));
    CHECK_INT(is_inheritable(handle), inheritability == MMF_INHERITABILITY_INHERITABLE);
}

static void
check_accessor_byte(mmf_accessor *view, int64_t position, mmf_access access)
{
    uint8_t value = 0xee;

    if (can_read(access)) {
        CHECK_STATUS(mmf_accessor_read_byte(view, position, &value), MMF_OK);
        CHECK_INT(value, 0);
    }
    if (!can_write(access))
        return;
    CHECK_STATUS(mmf_accessor_write_byte(view, position, 42), MMF_OK);
    if (can_read(access)) {
        CHECK_STATUS(mmf_accessor_read_byte(view, position, &value), MMF_OK);
        CHECK_INT(value, 42);
    }
    CHECK_STATUS(mmf_accessor_write_byte(view, position, 0), MMF_OK);
}

void
validate_accessor(mmf_accessor *view, int64_t capacity, mmf_access access)
{
    void *bytes = NULL, *again = NULL;
    size_t size = 0;
    uint8_t value = 0xee;

    CHECK_STATUS(mmf_accessor_pointer(view, &bytes, &size), MMF_OK);
    CHECK_STATUS(mmf_accessor_pointer(view, &again, NULL), MMF_OK);
    CHECK(bytes != NULL && bytes == again);
    CHECK_INT(mmf_accessor_capacity(view), capacity);
    CHECK_INT(size, capacity);
    CHECK_INT(mmf_accessor_pointer_offset(view), 0);
    CHECK_INT(mmf_accessor_can_read(view), can_read(access));
    CHECK_INT(mmf_accessor_can_write(view), can_write(access));
    check_accessor_byte(view, 0, access);
    check_accessor_byte(view, capacity - 1, access);
    if (!can_read(access)) {
        CHECK_FAILS(mmf_accessor_read_byte(view, 0, &value), MMF_E_NOT_SUPPORTED);
        CHECK_INT(value, 0xee);
    }
    if (!can_write(access))
        CHECK_FAILS(mmf_accessor_write_byte(view, 0, 42), MMF_E_NOT_SUPPORTED);
}

static void
write_stream_byte(mmf_stream *stream, int64_t position, uint8_t value)
{
    CHECK_STATUS(mmf_stream_set_position(stream, position), MMF_OK);
    CHECK_STATUS(mmf_stream_write_byte(stream, value), MMF_OK);
    CHECK_INT(mmf_stream_position(stream), position + 1);
}

static void
check_stream_byte(mmf_stream *stream, int64_t position, int expected)
{
    int64_t got = -1;
    int32_t value = -2;

    CHECK_STATUS(mmf_stream_seek(stream, position, MMF_SEEK_BEGIN, &got), MMF_OK);
    CHECK_INT(got, position);
    CHECK_STATUS(mmf_stream_read_byte(stream, &value), MMF_OK);
    CHECK_INT(value, expected);
    CHECK_INT(mmf_stream_position(stream), position + 1);
}

static void
check_stream_writes(mmf_stream *stream, int64_t length, mmf_access access)
{
    write_stream_byte(stream, 0, 42);
    write_stream_byte(stream, length - 1, 42);
    if (can_read(access)) {
        check_stream_byte(stream, 0, 42);
        check_stream_byte(stream, length - 1, 42);
    }
    write_stream_byte(stream, 0, 0);
    write_stream_byte(stream, length - 1, 0);
}

void
validate_stream(mmf_stream *stream, int64_t capacity, mmf_access access)
{
    void *bytes = NULL, *again = NULL;
    size_t size = 0;
    int32_t value = -2;

    CHECK_STATUS(mmf_stream_pointer(stream, &bytes, &size), MMF_OK);
    CHECK_STATUS(mmf_stream_pointer(stream, &again, NULL), MMF_OK);
    CHECK(bytes != NULL && bytes == again);
    CHECK_INT(size, capacity);
    CHECK_INT(mmf_stream_length(stream), capacity);
    CHECK_INT(mmf_stream_capacity(stream), capacity);
    CHECK_INT(mmf_stream_can_seek(stream), 1);
    CHECK_INT(mmf_stream_can_read(stream), can_read(access));
    CHECK_INT(mmf_stream_can_write(stream), can_write(access));
    if (can_read(access)) {
        CHECK_INT(mmf_stream_position(stream), 0);
        check_stream_byte(stream, 0, 0);
        check_stream_byte(stream, capacity - 1, 0);
    } else {
        CHECK_FAILS(mmf_stream_read_byte(stream, &value), MMF_E_NOT_SUPPORTED);
    }
    if (can_write(access)) {
        check_stream_writes(stream, capacity, access);
    } else {
        CHECK_STATUS(mmf_stream_set_position(stream, 0), MMF_OK);
        CHECK_FAILS(mmf_stream_write_byte(stream, 42), MMF_E_NOT_SUPPORTED);
    }
}

static void
validate_views(mmf_map *map, int64_t capacity, mmf_access access)
{
    mmf_accessor *view = view_of(map, 0, capacity, access);
    mmf_stream *stream;

    validate_accessor(view, capacity, access);
    mmf_accessor_close(view);
    stream = stream_of(map, 0, capacity, access);
    validate_stream(stream, capacity, access);
    mmf_stream_close(stream);
}

void
validate_map(mmf_map *map, int64_t capacity, mmf_access access,
             mmf_inheritability inheritability)
{
    int64_t got = -1;

    validate_handle(map, inheritability);
    CHECK_STATUS(mmf_map_capacity(map, &got), MMF_OK);
    CHECK_INT(got, map_size(capacity));
    switch (access) {
    case MMF_ACCESS_READ_WRITE:
    case MMF_ACCESS_READ_WRITE_EXECUTE:
        validate_views(map, capacity, MMF_ACCESS_READ);
        validate_views(map, capacity, MMF_ACCESS_WRITE);
        validate_views(map, capacity, MMF_ACCESS_READ_WRITE);
        break;
    case MMF_ACCESS_WRITE:
        validate_views(map, capacity, MMF_ACCESS_WRITE);
        break;
    case MMF_ACCESS_READ:
    case MMF_ACCESS_READ_EXECUTE:
    case MMF_ACCESS_COPY_ON_WRITE:
        validate_views(map, capacity, MMF_ACCESS_READ);
        break;
    default:
        REFUSES_VIEW(map, 0, capacity, MMF_ACCESS_READ, MMF_E_ACCESS, NULL);
        REFUSES_VIEW(map, 0, capacity, MMF_ACCESS_WRITE, MMF_E_ACCESS, NULL);
        REFUSES_VIEW(map, 0, capacity, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
        break;
    }
}
