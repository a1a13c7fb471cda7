/*
 * views.c - the actor's calls on what accessors and streams have in common.
 */
#include "harness/actor/actor.h"

#include <stdio.h>
#include <string.h>

/* The function `name` of an accessor or a stream, with the arguments in brackets. */
#define OF_VIEW(view, name, arguments)                                                 \
    ((view).kind == STREAM ? mmf_stream_##name arguments                               \
                           : mmf_accessor_##name arguments)

/*
 * Views.
 */

/* A map's, or a view's. */
static int
call_capacity(struct call *call)
{
    struct handle handle = view_at(call, 1);
    int64_t capacity = UNTOUCHED;
    int status = MMF_OK;

    if (handle.kind == MMF_KIND_MAP)
        status = mmf_map_capacity(handle.object, unless_null(call, "value", &capacity));
    else
        capacity = OF_VIEW(handle, capacity, (handle.object));
    say_output(call, "value", capacity);
    return status;
}

/* What is said of the view of the first word. */
#define DEFINE_SAYS(name)                                                              \
    static int call_##name(struct call *call)                                          \
    {                                                                                  \
        struct handle view = view_at(call, 1);                                         \
                                                                                       \
        say_number(call, "value", OF_VIEW(view, name, (view.object)));                 \
        return MMF_OK;                                                                 \
    }

DEFINE_SAYS(can_read)
DEFINE_SAYS(can_write)
DEFINE_SAYS(pointer_offset)
DEFINE_SAYS(granted)

static int
call_flush(struct call *call)
{
    struct handle view = view_at(call, 1);

    return OF_VIEW(view, flush, (view.object));
}

/*
 * views MAP SIZE: an accessor and a stream of each access. Those that can be made must do
 * what their access says, at both ends, and nothing else.
 */

static void
demand(bool holds, const char *what, int access)
{
    if (!holds)
        complain(what, access_words[access]);
}

static bool
reads(int access)
{
    return access != MMF_ACCESS_WRITE;
}

static bool
writes(int access)
{
    return access != MMF_ACCESS_READ && access != MMF_ACCESS_READ_EXECUTE;
}

static int
read_accessor(mmf_accessor *accessor, int64_t position, int *value)
{
    uint8_t byte = 0;
    int status = mmf_accessor_read_byte(accessor, position, &byte);

    if (status == MMF_OK || byte != 0)
        *value = byte;
    return status;
}

/* A stream goes on by one if it has read or written. */
static int
read_stream(mmf_stream *stream, int64_t position, int *value)
{
    int64_t got = -1;
    int status = mmf_stream_seek(stream, position, MMF_SEEK_BEGIN, &got);

    demand(status == MMF_OK && got == position, "a seek", 0);
    status = mmf_stream_read_byte(stream, value);
    demand(mmf_stream_position(stream) == position + (status == MMF_OK),
           "the position after a read", 0);
    return status;
}

static int
write_stream(mmf_stream *stream, int64_t position, uint8_t value)
{
    int status;

    mmf_stream_set_position(stream, position);
    status = mmf_stream_write_byte(stream, value);
    demand(mmf_stream_position(stream) == position + (status == MMF_OK),
           "the position after a write", 0);
    return status;
}

static void
try_byte(struct handle view, const uint8_t *bytes, int64_t position, int access)
{
    bool is_stream = view.kind == STREAM;
    uint8_t before = bytes[position], other = before ^ 42;
    int value = -2;
    int status = is_stream ? read_stream(view.object, position, &value)
                           : read_accessor(view.object, position, &value);

    demand(status == (reads(access) ? MMF_OK : MMF_E_NOT_SUPPORTED), "a byte to read",
           access);
    demand(value == (reads(access) ? before : -2), "the byte that it reads", access);
    status = is_stream ? write_stream(view.object, position, other)
                       : mmf_accessor_write_byte(view.object, position, other);
    demand(status == (writes(access) ? MMF_OK : MMF_E_NOT_SUPPORTED), "a byte to write",
           access);
    demand(bytes[position] == (writes(access) ? other : before),
           "the byte that it has written", access);
    if (is_stream)
        write_stream(view.object, position, before);
    else
        mmf_accessor_write_byte(view.object, position, before);
}

static void
check_view(struct handle view, int64_t size, int access)
{
    void *bytes = NULL, *again = NULL;
    size_t length = 0;

    demand(OF_VIEW(view, pointer, (view.object, &bytes, &length)) == MMF_OK &&
               OF_VIEW(view, pointer, (view.object, &again, NULL)) == MMF_OK &&
               bytes == again && length == (size_t)size,
           "a view's pointer", access);
    demand(OF_VIEW(view, capacity, (view.object)) == size, "a view's capacity", access);
    demand(OF_VIEW(view, pointer_offset, (view.object)) == 0, "a view's offset",
           access);
    demand(OF_VIEW(view, can_read, (view.object)) == reads(access), "can_read", access);
    demand(OF_VIEW(view, can_write, (view.object)) == writes(access), "can_write",
           access);
    if (view.kind == STREAM)
        demand(mmf_stream_length(view.object) == size &&
                   mmf_stream_can_seek(view.object) == 1 &&
                   mmf_stream_position(view.object) == 0,
               "a stream's length, can_seek and first position", access);
    try_byte(view, bytes, 0, access);
    try_byte(view, bytes, size - 1, access);
}

/* The status of both. */
static int
make_views(mmf_map *map, int64_t size, int access)
{
    mmf_accessor *accessor = NO_HANDLE;
    mmf_stream *stream = NO_HANDLE;
    int status = mmf_accessor_create(map, 0, size, (mmf_access)access, NULL, &accessor);
    int other = mmf_stream_create(map, 0, size, (mmf_access)access, NULL, &stream);

    demand(status == other, "a stream like the accessor", access);
    if (status < 0) {
        demand(mmf_last_message()[0] != '\0', "a message", access);
        demand((void *)accessor == NO_HANDLE && (void *)stream == NO_HANDLE,
               "outputs untouched", access);
        return status;
    }
    check_view((struct handle){.kind = ACCESSOR, .object = accessor}, size, access);
    check_view((struct handle){.kind = STREAM, .object = stream}, size, access);
    mmf_accessor_close(accessor);
    mmf_stream_close(stream);
    return status;
}

/* Which accesses had each status: ok=r,cow access=rw,w,rx,rwx */
static int
call_views(struct call *call)
{
    enum { OK, REFUSED, BEYOND, OTHER, COUNT };
    static const char *const keys[COUNT] = {"ok", "access", "io", "other"};
    static const char *const shorts[] = {"rw", "r", "w", "cow", "rx", "rwx"};
    mmf_map *map = object_at(call, 1);
    int64_t size = 0;
    char lists[COUNT][128] = {""};

    call->is_several = true;
    if (call->count > 2)
        size = number_at(call, 2);
    else if (mmf_map_capacity(map, &size) < 0)
        complain("no capacity", call->words[1]);
    for (int access = 0; access < 6; access++) {
        int status = make_views(map, size, access);
        char *list = lists[status == MMF_OK         ? OK
                           : status == MMF_E_ACCESS ? REFUSED
                           : status == MMF_E_IO     ? BEYOND
                                                    : OTHER];

        snprintf(list + strlen(list), sizeof(lists[0]) - strlen(list), "%s%s",
                 *list == '\0' ? "" : ",", shorts[access]);
    }
    for (int i = 0; i < COUNT; i++)
        say_text(call, keys[i], lists[i]);
    return MMF_OK;
}

/*
 * Bytes in memory: an address is a handle.
 */

static int
keep_bytes(struct call *call, int status, void *bytes, size_t size)
{
    say_size(call, "size", size);
    call->size = size;
    keep_handle(call, BYTES, status, bytes);
    return status;
}

/* pointer VIEW: the mapping begins `pointer_offset` before it, at a page. */
static int
call_pointer(struct call *call)
{
    struct handle view = view_at(call, 1);
    void *bytes = NO_HANDLE, **to = unless_null(call, "bytes", &bytes);
    size_t size = (size_t)UNTOUCHED, *size_to = unless_null(call, "size", &size);
    int status = OF_VIEW(view, pointer, (view.object, to, size_to));
    int64_t offset = OF_VIEW(view, pointer_offset, (view.object));

    if (status == MMF_OK)
        say_number(call, "lead",
                   (long long)((uintptr_t)bytes - (uintptr_t)offset) % 4096);
    return keep_bytes(call, status, bytes, size);
}

/* bytes MAP ACCESS */
static int
call_bytes(struct call *call)
{
    void *bytes = NO_HANDLE;
    size_t size = (size_t)UNTOUCHED;
    int status = mmf_map_bytes(object_at(call, 1), access_at(call, 2),
                               unless_null(call, "bytes", &bytes),
                               unless_null(call, "size", &size));

    return keep_bytes(call, status, bytes, size);
}

/* load BYTES POSITION COUNT */
static int
call_load(struct call *call)
{
    struct handle handle = handle_of(text_at(call, 1));
    const unsigned char *bytes = handle.object;

    say_hex(call, "value", bytes + offset_at(call, 2, (int64_t)handle.size),
            size_at(call, 3));
    return MMF_OK;
}

/* store BYTES POSITION HEXADECIMAL */
static int
call_store(struct call *call)
{
    struct handle handle = handle_of(text_at(call, 1));
    unsigned char *bytes = handle.object;

    parse_bytes(text_at(call, 3), bytes + offset_at(call, 2, (int64_t)handle.size),
                MAX_HEX);
    return MMF_OK;
}

/* native_handle MAP */
OUTPUT_CALL(native_handle, intptr_t, "handle", "value",
            mmf_map_native_handle(object_at(call, 1), out))

/* same BYTES BYTES */
VALUE_CALL(same, object_at(call, 1) == object_at(call, 2))

const struct named_call view_calls[] = {
    CALL(capacity),      CALL(can_read), CALL(can_write), CALL(pointer_offset),
    CALL(granted),       CALL(flush),    CALL(views),     CALL(pointer),
    CALL(bytes),         CALL(load),     CALL(store),     CALL(same),
    CALL(native_handle), {NULL, NULL}};
