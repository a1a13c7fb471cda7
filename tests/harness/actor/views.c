/*
 * views.c - the actor's calls on maps, accessors and streams.
 */
#include "harness/actor/actor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ELEMENTS = 64 };

static const char *const accesses[] = {
    "read_write",         "read", "write", "copy_on_write", "read_execute",
    "read_write_execute", NULL};
static const char *const origins[] = {"begin", "current", "end", NULL};

/*
 * Maps.
 */

static int
number_option(const struct call *call, const char *key, int *found)
{
    const char *value = option_of(call, key);

    if (value == NULL)
        return 0;
    *found = 1;
    return strcmp(key, "access") == 0 ? choice_of(value, accesses)
                                      : (int)strtol(value, NULL, *key == 'm' ? 8 : 0);
}

const mmf_map_options *
map_options_of(const struct call *call, mmf_map_options *options)
{
    int found = 0;

    mmf_map_options_init(options);
    options->access = (mmf_access)number_option(call, "access", &found);
    options->rights = (mmf_rights)number_option(call, "rights", &found);
    options->inheritability =
        (mmf_inheritability)number_option(call, "inheritability", &found);
    options->allocation = (mmf_map_allocation)number_option(call, "allocation", &found);
    options->share = (mmf_file_share)number_option(call, "share", &found);
    options->all_users = number_option(call, "all_users", &found);
    options->mode = (uint32_t)number_option(call, "mode", &found);
    options->exact_capacity = number_option(call, "exact_capacity", &found);
    options->wait_ms = number_option(call, "wait_ms", &found);
    return found ? options : NULL;
}

int
make_map(struct call *call, const char *how, int first)
{
    mmf_map_options space;
    const mmf_map_options *options = map_options_of(call, &space);
    const char *name = text_at(call, first);
    mmf_map *map = NO_HANDLE;
    int created = UNTOUCHED, status;

    if (strcmp(how, "open") == 0)
        status = mmf_map_open_existing(name, options, &map);
    else if (strcmp(how, "new") == 0)
        status = mmf_map_create_new(name, number_at(call, first + 1), options, &map);
    else {
        status = mmf_map_create_or_open(name, number_at(call, first + 1), options,
                                        &created, &map);
        say_output(call, "created", created);
    }
    keep_handle(call, MMF_KIND_MAP, status, map);
    return status;
}

static int
call_view(struct call *call)
{
    struct handle map = handle_of(text_at(call, 1));
    int64_t offset = number_at(call, 2), size = number_at(call, 3);
    mmf_access access = (mmf_access)choice_of(text_at(call, 4), accesses);
    mmf_accessor *accessor = NO_HANDLE;
    mmf_stream *stream = NO_HANDLE;
    int status;

    if (strcmp(call->words[0], "accessor") == 0) {
        status = mmf_accessor_create(map.object, offset, size, access, NULL, &accessor);
        keep_handle(call, ACCESSOR, status, accessor);
    } else {
        status = mmf_stream_create(map.object, offset, size, access, NULL, &stream);
        keep_handle(call, STREAM, status, stream);
    }
    return status;
}

/* A map's, or a view's. */
static int
call_capacity(struct call *call)
{
    struct handle handle = handle_of(text_at(call, 1));
    int64_t capacity = UNTOUCHED;
    int status = MMF_OK;

    if (handle.kind == ACCESSOR)
        capacity = mmf_accessor_capacity(handle.object);
    else if (handle.kind == STREAM)
        capacity = mmf_stream_capacity(handle.object);
    else
        status = mmf_map_capacity(handle.object, &capacity);
    say_output(call, "value", capacity);
    return status;
}

static int
call_property(struct call *call)
{
    struct handle handle = handle_of(text_at(call, 1));
    const char *what = call->words[0];
    bool is_stream = handle.kind == STREAM;

    if (strcmp(what, "can_read") == 0)
        say_number(call, "value",
                   is_stream ? mmf_stream_can_read(handle.object)
                             : mmf_accessor_can_read(handle.object));
    else if (strcmp(what, "can_write") == 0)
        say_number(call, "value",
                   is_stream ? mmf_stream_can_write(handle.object)
                             : mmf_accessor_can_write(handle.object));
    else
        say_number(call, "value", mmf_stream_position(handle.object));
    return MMF_OK;
}

static int
call_flush(struct call *call)
{
    struct handle handle = handle_of(text_at(call, 1));

    return handle.kind == STREAM ? mmf_stream_flush(handle.object)
                                 : mmf_accessor_flush(handle.object);
}

/*
 * Values.
 */

union value {
    int boolean;
    uint8_t u8;
    int8_t s8;
    uint16_t u16;
    int16_t s16;
    uint32_t u32;
    int32_t s32;
    uint64_t u64;
    int64_t s64;
    float single;
    double real;
    unsigned char bytes[8];
};

/* The type's name, its field of `union value`, and how that is printed. */
#define TYPES(_)                                                                       \
    _(boolean, boolean, "%d")                                                          \
    _(byte, u8, "%" PRIu8)                                                             \
    _(sbyte, s8, "%" PRId8)                                                            \
    _(char, u16, "%" PRIu16)                                                           \
    _(int16, s16, "%" PRId16)                                                          \
    _(uint16, u16, "%" PRIu16)                                                         \
    _(int32, s32, "%" PRId32)                                                          \
    _(uint32, u32, "%" PRIu32)                                                         \
    _(int64, s64, "%" PRId64)                                                          \
    _(uint64, u64, "%" PRIu64)                                                         \
    _(single, single, "%.9g")                                                          \
    _(double, real, "%.17g")

struct type {
    const char *name;
    size_t size;
    void (*print)(char *text, size_t size, const union value *value);
    int (*read)(const mmf_accessor *view, int64_t position, union value *value);
    int (*write)(mmf_accessor *view, int64_t position, const union value *value);
    void (*parse)(const char *text, union value *value);
};

/* A whole number has all 64 bits in strtoll or strtoull, a real one in strtod. */
#define PARSE(field, text)                                                             \
    _Generic(((union value *)0)->field, float                                          \
             : strtof(text, NULL), double                                              \
             : strtod(text, NULL), uint64_t                                            \
             : strtoull(text, NULL, 0), default                                        \
             : strtoll(text, NULL, 0))

#define DEFINE(type, field, format)                                                    \
    static void type##_print(char *text, size_t size, const union value *value)        \
    {                                                                                  \
        snprintf(text, size, format, value->field);                                    \
    }                                                                                  \
    static void type##_parse(const char *text, union value *value)                     \
    {                                                                                  \
        value->field = (__typeof__(value->field))PARSE(field, text);                   \
    }                                                                                  \
    static int type##_read(const mmf_accessor *view, int64_t position,                 \
                           union value *value)                                         \
    {                                                                                  \
        return mmf_accessor_read_##type(view, position, &value->field);                \
    }                                                                                  \
    static int type##_write(mmf_accessor *view, int64_t position,                      \
                            const union value *value)                                  \
    {                                                                                  \
        return mmf_accessor_write_##type(view, position, value->field);                \
    }
TYPES(DEFINE)

#define ROW(type, field, format)                                                       \
    {#type,        sizeof(((union value *)0)->field),                                  \
     type##_print, type##_read,                                                        \
     type##_write, type##_parse},
static const struct type types[] = {TYPES(ROW){NULL, 0, NULL, NULL, NULL, NULL}};

static const struct type *
type_at(const struct call *call, int i)
{
    const char *name = text_at(call, i);

    for (const struct type *type = types; type->name != NULL; type++)
        if (strcmp(type->name, name) == 0)
            return type;
    complain("no such type", name);
}

/* read VIEW TYPE POSITION */
static int
call_read(struct call *call)
{
    struct handle view = handle_of(text_at(call, 1));
    const struct type *type = type_at(call, 2);
    union value value, untouched;
    char text[64] = "untouched";
    int status;

    memset(&untouched, 0x5a, sizeof(untouched));
    value = untouched;
    status = type->read(view.object, number_at(call, 3), &value);
    if (memcmp(&value, &untouched, sizeof(value)) != 0)
        type->print(text, sizeof(text), &value);
    say_text(call, "value", text);
    return status;
}

/* write VIEW TYPE POSITION VALUE */
static int
call_write(struct call *call)
{
    struct handle view = handle_of(text_at(call, 1));
    const struct type *type = type_at(call, 2);
    union value value = {0};

    type->parse(text_at(call, 4), &value);
    return type->write(view.object, number_at(call, 3), &value);
}

/* read_array VIEW TYPE POSITION COUNT: values with commas between them */
static int
call_read_array(struct call *call)
{
    struct handle view = handle_of(text_at(call, 1));
    const struct type *type = type_at(call, 2);
    unsigned char array[MAX_ELEMENTS * sizeof(union value)];
    size_t read = (size_t)UNTOUCHED, count = (size_t)number_at(call, 4);
    char text[MAX_ELEMENTS * 32] = "";
    int status;

    if (count > MAX_ELEMENTS)
        complain("too many elements", call->words[4]);
    status = mmf_accessor_read_array(view.object, number_at(call, 3), array, type->size,
                                     count, &read);
    say_output(call, "read", read == (size_t)UNTOUCHED ? UNTOUCHED : (long long)read);
    if (status < 0)
        return status;
    for (size_t i = 0, length = 0; i < read; i++) {
        union value value;

        memcpy(&value, array + i * type->size, type->size);
        if (i > 0)
            text[length++] = ',';
        type->print(text + length, sizeof(text) - length, &value);
        length = strlen(text);
    }
    say_text(call, "value", text);
    return status;
}

/* write_array VIEW TYPE POSITION VALUES */
static int
call_write_array(struct call *call)
{
    struct handle view = handle_of(text_at(call, 1));
    const struct type *type = type_at(call, 2);
    unsigned char array[MAX_ELEMENTS * sizeof(union value)];
    const char *text = text_at(call, 4);
    size_t count = 0;

    while (text != NULL && *text != '\0' && count < MAX_ELEMENTS) {
        union value value = {0};

        type->parse(text, &value);
        memcpy(array + count++ * type->size, &value, type->size);
        text = strchr(text, ',');
        text = text != NULL ? text + 1 : NULL;
    }
    return mmf_accessor_write_array(view.object, number_at(call, 3), array, type->size,
                                    count);
}

/*
 * Streams. Bytes are hexadecimal.
 */

static int
call_read_bytes(struct call *call)
{
    struct handle stream = handle_of(text_at(call, 1));
    unsigned char bytes[MAX_BYTES];
    size_t count = (size_t)number_at(call, 2), read = (size_t)UNTOUCHED;
    int status;

    if (count > MAX_BYTES)
        complain("too many bytes", call->words[2]);
    status = mmf_stream_read(stream.object, bytes, count, &read);
    say_output(call, "read", read == (size_t)UNTOUCHED ? UNTOUCHED : (long long)read);
    if (status >= 0)
        say_bytes(call, "value", bytes, read);
    return status;
}

static int
call_write_bytes(struct call *call)
{
    struct handle stream = handle_of(text_at(call, 1));
    const char *text = text_at(call, 2);
    unsigned char bytes[MAX_BYTES];
    size_t count = 0;
    unsigned byte;

    for (; count < MAX_BYTES && sscanf(text, "%2x", &byte) == 1; text += 2)
        bytes[count++] = (unsigned char)byte;
    return mmf_stream_write(stream.object, bytes, count);
}

static int
call_seek(struct call *call)
{
    struct handle stream = handle_of(text_at(call, 1));
    int64_t position = UNTOUCHED;
    int status = mmf_stream_seek(stream.object, number_at(call, 2),
                                 (mmf_seek_origin)choice_of(text_at(call, 3), origins),
                                 &position);

    say_output(call, "position", position);
    return status;
}

static int
call_set_position(struct call *call)
{
    struct handle stream = handle_of(text_at(call, 1));

    return mmf_stream_set_position(stream.object, number_at(call, 2));
}

const struct named_call view_calls[] = {{"accessor", call_view},
                                        {"stream", call_view},
                                        {"capacity", call_capacity},
                                        {"can_read", call_property},
                                        {"can_write", call_property},
                                        {"position", call_property},
                                        {"flush", call_flush},
                                        {"read", call_read},
                                        {"write", call_write},
                                        {"read_array", call_read_array},
                                        {"write_array", call_write_array},
                                        {"read_bytes", call_read_bytes},
                                        {"write_bytes", call_write_bytes},
                                        {"seek", call_seek},
                                        {"set_position", call_set_position},
                                        {NULL, NULL}};
