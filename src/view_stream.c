/*
 * view_stream.c - a view with a position (contract 5).
 */
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>
#include <mmf/view.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/invariant.h"
#include "view.h"

struct mmf_stream {
    struct mmf_view view;
    int64_t position;
};

int
mmf_stream_create(mmf_map *map, int64_t offset, int64_t size, mmf_access access,
                  const mmf_view_options *options, mmf_stream **out)
{
    mmf_stream *stream;
    int rc;

    if (out == NULL)
        return mmf_fail_null("out");
    stream = mmf_alloc(sizeof(*stream));
    if (stream == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a view stream");
    rc = mmf_view_open(map, offset, size, access, options, &stream->view);
    if (rc < 0) {
        free(stream);
        return rc;
    }
    *out = stream;
    return MMF_OK;
}

void
mmf_stream_close(mmf_stream *stream)
{
    if (stream == NULL)
        return;
    mmf_view_close(&stream->view);
    free(stream);
}

int
mmf_stream_can_read(const mmf_stream *stream)
{
    return stream != NULL && stream->view.can_read;
}

int
mmf_stream_can_write(const mmf_stream *stream)
{
    return stream != NULL && stream->view.can_write;
}

int
mmf_stream_can_seek(const mmf_stream *stream)
{
    return stream != NULL;
}

int64_t
mmf_stream_length(const mmf_stream *stream)
{
    return stream != NULL ? stream->view.size : 0;
}

int64_t
mmf_stream_capacity(const mmf_stream *stream)
{
    return mmf_stream_length(stream);
}

int64_t
mmf_stream_pointer_offset(const mmf_stream *stream)
{
    return stream != NULL ? stream->view.pointer_offset : 0;
}

mmf_view_flags
mmf_stream_granted(const mmf_stream *stream)
{
    return stream != NULL ? stream->view.granted : 0;
}

int64_t
mmf_stream_position(const mmf_stream *stream)
{
    return stream != NULL ? stream->position : 0;
}

static int
fail_range(const char *parameter, int64_t value)
{
    return mmf_fail_argument(MMF_E_RANGE, parameter, "invalid %s %lld: at least 0",
                             parameter, (long long)value);
}

int
mmf_stream_set_position(mmf_stream *stream, int64_t position)
{
    if (stream == NULL)
        return mmf_fail_null("stream");
    if (position < 0)
        return fail_range("value", position);
    stream->position = position;
    return MMF_OK;
}

int
mmf_stream_seek(mmf_stream *stream, int64_t offset, mmf_seek_origin origin,
                int64_t *position)
{
    int64_t base;
    int64_t result;

    if (stream == NULL)
        return mmf_fail_null("stream");
    switch (origin) {
    case MMF_SEEK_BEGIN:
        base = 0;
        break;
    case MMF_SEEK_CURRENT:
        base = stream->position;
        break;
    case MMF_SEEK_END:
        base = stream->view.size;
        break;
    default:
        return mmf_fail_argument(MMF_E_INVALID, "origin",
                                 "unknown origin %d: MMF_SEEK_... are 0 to 2",
                                 (int)origin);
    }
    if (__builtin_add_overflow(base, offset, &result) || result < 0)
        return mmf_fail(MMF_E_IO, "invalid position: seek by %lld from %lld",
                        (long long)offset, (long long)base);
    stream->position = result;
    if (position != NULL)
        *position = result;
    return MMF_OK;
}

/* Bytes from the position to the end; 0 at or past it. */
static size_t
bytes_left(const mmf_stream *stream)
{
    MMF_ASSERT(stream->position >= 0);
    return stream->position < stream->view.size
               ? (size_t)(stream->view.size - stream->position)
               : 0;
}

static int
fail_unreadable(void)
{
    return mmf_fail(MMF_E_NOT_SUPPORTED, "the stream cannot be read");
}

int
mmf_stream_read(mmf_stream *stream, void *buffer, size_t count, size_t *read)
{
    size_t left;

    if (stream == NULL || buffer == NULL || read == NULL)
        return mmf_fail_null(stream == NULL   ? "stream"
                             : buffer == NULL ? "buffer"
                                              : "read");
    if (!stream->view.can_read)
        return fail_unreadable();
    left = bytes_left(stream);
    if (count > left)
        count = left;
    if (count > 0)
        memcpy(buffer, stream->view.bytes + stream->position, count);
    stream->position += (int64_t)count;
    *read = count;
    return MMF_OK;
}

int
mmf_stream_read_byte(mmf_stream *stream, int32_t *value)
{
    if (stream == NULL || value == NULL)
        return mmf_fail_null(stream == NULL ? "stream" : "value");
    if (!stream->view.can_read)
        return fail_unreadable();
    *value = bytes_left(stream) > 0 ? stream->view.bytes[stream->position++] : -1;
    return MMF_OK;
}

static int
check_write(const mmf_stream *stream, size_t count)
{
    int64_t end;

    if (!stream->view.can_write)
        return mmf_fail(MMF_E_NOT_SUPPORTED, "the stream cannot be written");
    if (__builtin_add_overflow(stream->position, count, &end))
        return mmf_fail(MMF_E_IO, "write %zu bytes at %lld: past the end of any stream",
                        count, (long long)stream->position);
    if (end > stream->view.size)
        return mmf_fail(MMF_E_NOT_SUPPORTED,
                        "write %zu bytes at %lld: the stream has %lld and cannot grow",
                        count, (long long)stream->position,
                        (long long)stream->view.size);
    return MMF_OK;
}

int
mmf_stream_write(mmf_stream *stream, const void *buffer, size_t count)
{
    int rc;

    if (stream == NULL || buffer == NULL)
        return mmf_fail_null(stream == NULL ? "stream" : "buffer");
    rc = check_write(stream, count);
    if (rc < 0)
        return rc;
    if (count > 0)
        memcpy(stream->view.bytes + stream->position, buffer, count);
    stream->position += (int64_t)count;
    return MMF_OK;
}

int
mmf_stream_write_byte(mmf_stream *stream, uint8_t value)
{
    return mmf_stream_write(stream, &value, 1);
}

int
mmf_stream_set_length(mmf_stream *stream, int64_t length)
{
    if (stream == NULL)
        return mmf_fail_null("stream");
    if (length < 0)
        return fail_range("value", length);
    return mmf_fail(MMF_E_NOT_SUPPORTED, "a view's length is fixed");
}

int
mmf_stream_flush(mmf_stream *stream)
{
    return stream != NULL ? mmf_view_flush(&stream->view) : mmf_fail_null("stream");
}

int
mmf_stream_pointer(const mmf_stream *stream, void **bytes, size_t *size)
{
    if (stream == NULL || bytes == NULL)
        return mmf_fail_null(stream == NULL ? "stream" : "bytes");
    *bytes = stream->view.bytes;
    if (size != NULL)
        *size = (size_t)stream->view.size;
    return MMF_OK;
}

static int
fail_buffer_size(void)
{
    return mmf_fail_argument(MMF_E_RANGE, "bufferSize",
                             "invalid buffer_size 0: at least 1 byte");
}

int
mmf_stream_copy_to(mmf_stream *stream, mmf_stream_sink sink, void *payload,
                   size_t buffer_size)
{
    if (stream == NULL || sink == NULL)
        return mmf_fail_null(stream == NULL ? "stream" : "destination");
    if (buffer_size == 0)
        return fail_buffer_size();
    if (!stream->view.can_read)
        return fail_unreadable();
    while (bytes_left(stream) > 0) {
        size_t count =
            bytes_left(stream) < buffer_size ? bytes_left(stream) : buffer_size;
        int rc = sink(payload, stream->view.bytes + stream->position, count);

        if (rc < 0)
            return rc;
        stream->position += (int64_t)count;
    }
    return MMF_OK;
}

int
mmf_stream_copy_to_stream(mmf_stream *stream, mmf_stream *destination,
                          size_t buffer_size)
{
    size_t count;
    int rc;

    if (stream == NULL || destination == NULL)
        return mmf_fail_null(stream == NULL ? "stream" : "destination");
    if (buffer_size == 0)
        return fail_buffer_size();
    if (!stream->view.can_read)
        return fail_unreadable();
    count = bytes_left(stream);
    rc = check_write(destination, count);
    if (rc < 0)
        return rc;
    /*
     * Both are in memory: no buffer is needed. What arrives where two views of one map
     * overlap is undefined: their addresses do not show it.
     */
    if (count > 0)
        memmove(destination->view.bytes + destination->position,
                stream->view.bytes + stream->position, count);
    stream->position += (int64_t)count;
    destination->position += (int64_t)count;
    return MMF_OK;
}
