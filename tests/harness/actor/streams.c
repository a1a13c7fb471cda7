/*
 * streams.c - the actor's calls on streams. Bytes are hexadecimal.
 */
#include "harness/actor/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const origins[] = {"begin", "current", "end", NULL};

/* read_bytes STREAM COUNT */
static int
call_read_bytes(struct call *call)
{
    mmf_stream *stream = object_at(call, 1);
    unsigned char bytes[MAX_HEX + 1];
    size_t count = size_at(call, 2), read = (size_t)UNTOUCHED, there;
    int status;

    if (count > MAX_HEX && mmf_stream_length(stream) > MAX_HEX)
        complain("too many bytes", call->words[2]);
    memset(bytes, 0x5a, sizeof(bytes));
    status = mmf_stream_read(stream, unless_null(call, "buffer", bytes), count,
                             unless_null(call, "read", &read));
    say_size(call, "read", read);
    there = status < 0 ? 0 : read;
    for (size_t i = there; i < sizeof(bytes); i++)
        if (bytes[i] != 0x5a)
            complain("it has written behind what it has read", call->words[0]);
    if (status >= 0)
        say_hex(call, "value", bytes, read);
    return status;
}

OUTPUT_CALL(read_byte, int32_t, "value", "value",
            mmf_stream_read_byte(object_at(call, 1), out))

/* write_bytes STREAM BYTES [count=N] */
static int
call_write_bytes(struct call *call)
{
    mmf_stream *stream = object_at(call, 1);
    const char *text = text_at(call, 2), *more = option_of(call, "count");
    unsigned char bytes[MAX_HEX];
    size_t count = text == NULL ? 0 : parse_bytes(text, bytes, sizeof(bytes));

    return mmf_stream_write(stream, text == NULL ? NULL : bytes,
                            more != NULL ? parse_size(more) : count);
}

STATUS_CALL(write_byte,
            mmf_stream_write_byte(object_at(call, 1), (uint8_t)number_at(call, 2)))

/* seek STREAM OFFSET ORIGIN */
OUTPUT_CALL(seek, int64_t, "position", "position",
            mmf_stream_seek(object_at(call, 1), number_at(call, 2),
                            (mmf_seek_origin)choice_of(text_at(call, 3), origins), out))

STATUS_CALL(set_position,
            mmf_stream_set_position(object_at(call, 1), number_at(call, 2)))
STATUS_CALL(set_length, mmf_stream_set_length(object_at(call, 1), number_at(call, 2)))
VALUE_CALL(position, mmf_stream_position(object_at(call, 1)))
VALUE_CALL(length, mmf_stream_length(object_at(call, 1)))
VALUE_CALL(can_seek, mmf_stream_can_seek(object_at(call, 1)))

/*
 * Copies.
 */

/* What a copy has been given, and when to refuse more. */
struct catcher {
    unsigned char bytes[MAX_HEX];
    size_t length, largest;
    long long calls, refuse_at;
};

static int
catch_bytes(void *payload, const void *bytes, size_t count)
{
    struct catcher *catcher = payload;

    if (++catcher->calls == catcher->refuse_at)
        return MMF_E_BUSY;
    if (count == 0 || count > sizeof(catcher->bytes) - catcher->length)
        complain("a copy of no bytes, or of too many", "copy_to");
    memcpy(catcher->bytes + catcher->length, bytes, count);
    catcher->length += count;
    if (count > catcher->largest)
        catcher->largest = count;
    return MMF_OK;
}

/* copy_to STREAM BUFFER_SIZE [refuse_at=N] */
static int
call_copy_to(struct call *call)
{
    mmf_stream *stream = object_at(call, 1);
    const char *refuse_at = option_of(call, "refuse_at");
    struct catcher catcher = {.refuse_at = refuse_at != NULL ? atoi(refuse_at) : 0};
    int status =
        mmf_stream_copy_to(stream, is_null(call, "destination") ? NULL : catch_bytes,
                           &catcher, size_at(call, 2));

    if (status < 0 && catcher.calls == 0)
        return status;
    if (refuse_at != NULL)
        say_number(call, "refused", status == MMF_E_BUSY);
    say_number(call, "calls", catcher.calls);
    say_number(call, "largest", (long long)catcher.largest);
    say_hex(call, "value", catcher.bytes, catcher.length);
    return MMF_OK;
}

/* copy STREAM STREAM BUFFER_SIZE */
STATUS_CALL(copy, mmf_stream_copy_to_stream(object_at(call, 1), object_at(call, 2),
                                            size_at(call, 3)))

const struct named_call stream_calls[] = {
    CALL(read_bytes), CALL(read_byte),    CALL(write_bytes), CALL(write_byte),
    CALL(seek),       CALL(set_position), CALL(position),    CALL(length),
    CALL(set_length), CALL(can_seek),     CALL(copy_to),     CALL(copy),
    {NULL, NULL}};
