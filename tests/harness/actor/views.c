/*
 * views.c - the actor's calls on what accessors and streams have in common.
 */
#include "harness/actor/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where mappings begin. */
#ifdef _WIN32
enum { ALIGNMENT = 65536 };
#else
enum { ALIGNMENT = 4096 };
#endif

static const char *const accesses[] = {
    "read_write",         "read", "write", "copy_on_write", "read_execute",
    "read_write_execute", NULL};

/*
 * Views.
 */

/* The map's capacity, from which `end` is counted. */
static int64_t
size_of(mmf_map *map)
{
    int64_t capacity = 0;

    if (map != NULL)
        mmf_map_capacity(map, &capacity);
    return capacity;
}

/* accessor MAP OFFSET SIZE ACCESS, stream MAP ... */
static int
call_view(struct call *call)
{
    struct handle map = handle_of(text_at(call, 1));
    int64_t capacity = size_of(map.object);
    int64_t offset = offset_at(call, 2, capacity), size = offset_at(call, 3, capacity);
    mmf_access access = (mmf_access)choice_of(text_at(call, 4), accesses);
    mmf_accessor *accessor = NO_HANDLE;
    mmf_stream *stream = NO_HANDLE;
    mmf_view_options own;
    void *space;
    const mmf_view_options *options = view_options_of(call, &own, &space);
    int status;

    if (strcmp(call->words[0], "accessor") == 0) {
        status = mmf_accessor_create(map.object, offset, size, access, options,
                                     is_null(call, "out") ? NULL : &accessor);
        keep_handle(call, ACCESSOR, status, accessor);
    } else {
        status = mmf_stream_create(map.object, offset, size, access, options,
                                   is_null(call, "out") ? NULL : &stream);
        keep_handle(call, STREAM, status, stream);
    }
    free(space);
    return status;
}

struct handle
view_at(const struct call *call, int i)
{
    struct handle handle = handle_of(text_at(call, i));
    const char *kind = option_of(call, "kind");

    if (kind == NULL)
        return handle;
    handle.kind = strcmp(kind, "stream") == 0 ? STREAM : ACCESSOR;
    for (int number = MMF_KIND_MAP; number <= MMF_KIND_SEMAPHORE; number++)
        if (strcmp(mmf_kind_name((mmf_kind)number), kind) == 0)
            handle.kind = number;
    return handle;
}

/* A map's, or a view's. */
static int
call_capacity(struct call *call)
{
    struct handle handle = view_at(call, 1);
    int64_t capacity = UNTOUCHED;
    int status = MMF_OK;

    if (handle.kind == ACCESSOR)
        capacity = mmf_accessor_capacity(handle.object);
    else if (handle.kind == STREAM)
        capacity = mmf_stream_capacity(handle.object);
    else
        status =
            mmf_map_capacity(handle.object, is_null(call, "value") ? NULL : &capacity);
    say_output(call, "value", capacity);
    return status;
}

static int
call_can_read(struct call *call)
{
    struct handle handle = view_at(call, 1);

    say_number(call, "value",
               handle.kind == STREAM ? mmf_stream_can_read(handle.object)
                                     : mmf_accessor_can_read(handle.object));
    return MMF_OK;
}

static int
call_can_write(struct call *call)
{
    struct handle handle = view_at(call, 1);

    say_number(call, "value",
               handle.kind == STREAM ? mmf_stream_can_write(handle.object)
                                     : mmf_accessor_can_write(handle.object));
    return MMF_OK;
}

static int
call_pointer_offset(struct call *call)
{
    struct handle handle = view_at(call, 1);

    say_number(call, "value",
               handle.kind == STREAM ? mmf_stream_pointer_offset(handle.object)
                                     : mmf_accessor_pointer_offset(handle.object));
    return MMF_OK;
}

static int
call_flush(struct call *call)
{
    struct handle handle = view_at(call, 1);

    return handle.kind == STREAM ? mmf_stream_flush(handle.object)
                                 : mmf_accessor_flush(handle.object);
}

/*
 * Bytes in memory: an address is a handle.
 */

static int
keep_bytes(struct call *call, int status, void *bytes, size_t size)
{
    say_output(call, "size", size == (size_t)UNTOUCHED ? UNTOUCHED : (long long)size);
    call->size = size;
    keep_handle(call, BYTES, status, bytes);
    return status;
}

/* pointer VIEW: the mapping begins `pointer_offset` before it, at a page. */
static int
call_pointer(struct call *call)
{
    struct handle view = view_at(call, 1);
    bool is_stream = view.kind == STREAM;
    void *bytes = NO_HANDLE, **to = is_null(call, "bytes") ? NULL : &bytes;
    size_t size = (size_t)UNTOUCHED, *size_to = is_null(call, "size") ? NULL : &size;
    int status = is_stream ? mmf_stream_pointer(view.object, to, size_to)
                           : mmf_accessor_pointer(view.object, to, size_to);
    int64_t offset = is_stream ? mmf_stream_pointer_offset(view.object)
                               : mmf_accessor_pointer_offset(view.object);

    if (status == MMF_OK)
        say_number(call, "lead",
                   (long long)((uintptr_t)bytes - (uintptr_t)offset) % 4096);
    return keep_bytes(call, status, bytes, size);
}

/* bytes MAP ACCESS */
static int
call_bytes(struct call *call)
{
    struct handle map = handle_of(text_at(call, 1));
    void *bytes = NO_HANDLE;
    size_t size = (size_t)UNTOUCHED;
    int status = mmf_map_bytes(
        map.object, (mmf_access)choice_of(text_at(call, 2), accesses),
        is_null(call, "bytes") ? NULL : &bytes, is_null(call, "size") ? NULL : &size);

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
static int
call_native_handle(struct call *call)
{
    intptr_t handle = UNTOUCHED;
    int status = mmf_map_native_handle(handle_of(text_at(call, 1)).object,
                                       is_null(call, "handle") ? NULL : &handle);

    say_output(call, "value", handle);
    return status;
}

/* same BYTES BYTES */
static int
call_same(struct call *call)
{
    say_number(call, "value",
               handle_of(text_at(call, 1)).object ==
                   handle_of(text_at(call, 2)).object);
    return MMF_OK;
}

const struct named_call view_calls[] = {{"accessor", call_view},
                                        {"stream", call_view},
                                        {"capacity", call_capacity},
                                        {"can_read", call_can_read},
                                        {"can_write", call_can_write},
                                        {"pointer_offset", call_pointer_offset},
                                        {"flush", call_flush},
                                        {"pointer", call_pointer},
                                        {"bytes", call_bytes},
                                        {"load", call_load},
                                        {"store", call_store},
                                        {"same", call_same},
                                        {"native_handle", call_native_handle},
                                        {NULL, NULL}};
