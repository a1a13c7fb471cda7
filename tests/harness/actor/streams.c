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
    mmf_stream *stream = handle_of(text_at(call, 1)).object;
    unsigned char bytes[MAX_HEX + 1];
    size_t count = size_at(call, 2), read = (size_t)UNTOUCHED, there;
    int status;

    if (count > MAX_HEX && mmf_stream_length(stream) > MAX_HEX)
        complain("too many bytes", call->words[2]);
    memset(bytes, 0x5a, sizeof(bytes));
    status = mmf_stream_read(stream, is_null(call, "buffer") ? NULL : bytes, count,
                             is_null(call, "read") ? NULL : &read);
    say_output(call, "read", read == (size_t)UNTOUCHED ? UNTOUCHED : (long long)read);
    there = status < 0 ? 0 : read;
    for (size_t i = there; i < sizeof(bytes); i++)
        if (bytes[i] != 0x5a)
            complain("it has written behind what it has read", call->words[0]);
    if (status >= 0)
        say_hex(call, "value", bytes, read);
    return status;
}

static int
call_read_byte(struct call *call)
{
    mmf_stream *stream = handle_of(text_at(call, 1)).object;
    int32_t value = UNTOUCHED;
    int status = mmf_stream_read_byte(stream, is_null(call, "value") ? NULL : &value);

    say_output(call, "value", value);
    return status;
}

/* write_bytes STREAM BYTES [count=N] */
static int
call_write_bytes(struct call *call)
{
    mmf_stream *stream = handle_of(text_at(call, 1)).object;
    const char *text = text_at(call, 2), *more = option_of(call, "count");
    unsigned char bytes[MAX_HEX];
    size_t count = text == NULL ? 0 : parse_bytes(text, bytes, sizeof(bytes));

    return mmf_stream_write(stream, text == NULL ? NULL : bytes,
                            more != NULL ? parse_size(more) : count);
}

static int
call_write_byte(struct call *call)
{
    return mmf_stream_write_byte(handle_of(text_at(call, 1)).object,
                                 (uint8_t)number_at(call, 2));
}

/* seek STREAM OFFSET ORIGIN */
static int
call_seek(struct call *call)
{
    mmf_stream *stream = handle_of(text_at(call, 1)).object;
    int64_t position = UNTOUCHED;
    int status = mmf_stream_seek(stream, number_at(call, 2),
                                 (mmf_seek_origin)choice_of(text_at(call, 3), origins),
                                 is_null(call, "position") ? NULL : &position);

    say_output(call, "position", position);
    return status;
}

static int
call_set_position(struct call *call)
{
    return mmf_stream_set_position(handle_of(text_at(call, 1)).object,
                                   number_at(call, 2));
}

static int
call_position(struct call *call)
{
    say_number(call, "value", mmf_stream_position(handle_of(text_at(call, 1)).object));
    return MMF_OK;
}

static int
call_length(struct call *call)
{
    say_number(call, "value", mmf_stream_length(handle_of(text_at(call, 1)).object));
    return MMF_OK;
}

static int
call_set_length(struct call *call)
{
    return mmf_stream_set_length(handle_of(text_at(call, 1)).object,
                                 number_at(call, 2));
}

static int
call_can_seek(struct call *call)
{
    say_number(call, "value", mmf_stream_can_seek(handle_of(text_at(call, 1)).object));
    return MMF_OK;
}

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
    mmf_stream *stream = handle_of(text_at(call, 1)).object;
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
static int
call_copy(struct call *call)
{
    return mmf_stream_copy_to_stream(handle_of(text_at(call, 1)).object,
                                     handle_of(text_at(call, 2)).object,
                                     size_at(call, 3));
}

const struct named_call stream_calls[] = {{"read_bytes", call_read_bytes},
                                          {"read_byte", call_read_byte},
                                          {"write_bytes", call_write_bytes},
                                          {"write_byte", call_write_byte},
                                          {"seek", call_seek},
                                          {"set_position", call_set_position},
                                          {"position", call_position},
                                          {"length", call_length},
                                          {"set_length", call_set_length},
                                          {"can_seek", call_can_seek},
                                          {"copy_to", call_copy_to},
                                          {"copy", call_copy},
                                          {NULL, NULL}};
