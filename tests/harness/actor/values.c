/*
 * values.c - the actor's calls that read and write an accessor's values.
 */
#include "harness/actor/actor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An array is as large as the largest view that is read as one, and a guard behind it. */
enum { ARRAY_SIZE = 4096 + 64, GUARD = 64 };

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
    mmf_decimal decimal;
    unsigned char bytes[64];
};

/*
 * The types whose value is passed: the name, the field of `union value`, and how that is
 * printed.
 */
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

/* A real number; a NaN by its bits, nan:7fc00000. */
static float
parse_single(const char *text)
{
    union value value = {.single = strtof(text, NULL)};

    if (strncmp(text, "nan:", 4) == 0)
        value.u32 = (uint32_t)strtoul(text + 4, NULL, 16);
    return value.single;
}

static double
parse_double(const char *text)
{
    union value value = {.real = strtod(text, NULL)};

    if (strncmp(text, "nan:", 4) == 0)
        value.u64 = strtoull(text + 4, NULL, 16);
    return value.real;
}

/* A whole number has all 64 bits in strtoll or strtoull, a real one in strtod. */
#define PARSE(field, text)                                                             \
    _Generic(((union value *)0)->field, float                                          \
             : parse_single(text), double                                              \
             : parse_double(text), uint64_t                                            \
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
        return mmf_accessor_read_##type(view, position,                                \
                                        value != NULL ? &value->field : NULL);         \
    }                                                                                  \
    static int type##_write(mmf_accessor *view, int64_t position,                      \
                            const union value *value)                                  \
    {                                                                                  \
        return mmf_accessor_write_##type(view, position, value->field);                \
    }
TYPES(DEFINE)

/* LOW, or LOW:MIDDLE:HIGH:FLAGS. */
static void
decimal_print(char *text, size_t size, const union value *value)
{
    const mmf_decimal *d = &value->decimal;

    if ((d->middle | d->high | d->flags) == 0)
        snprintf(text, size, "%d", (int)d->low);
    else
        snprintf(text, size, "%d:%d:%d:%d", (int)d->low, (int)d->middle, (int)d->high,
                 (int)d->flags);
}

static void
decimal_parse(const char *text, union value *value)
{
    int32_t *part[] = {&value->decimal.low, &value->decimal.middle,
                       &value->decimal.high, &value->decimal.flags};
    char *end;

    for (int i = 0; i < 4; i++, text = end + 1) {
        *part[i] = (int32_t)strtoll(text, &end, 0);
        if (*end != ':')
            break;
    }
}

static int
decimal_read(const mmf_accessor *view, int64_t position, union value *value)
{
    return mmf_accessor_read_decimal(view, position,
                                     value != NULL ? &value->decimal : NULL);
}

static int
decimal_write(mmf_accessor *view, int64_t position, const union value *value)
{
    return mmf_accessor_write_decimal(view, position,
                                      value != NULL ? &value->decimal : NULL);
}

#define ROW(type, field, format)                                                       \
    {#type,        sizeof(((union value *)0)->field),                                  \
     type##_print, type##_read,                                                        \
     type##_write, type##_parse},
static const struct type types[] = {TYPES(ROW){"decimal", sizeof(mmf_decimal),
                                               decimal_print, decimal_read,
                                               decimal_write, decimal_parse}};

/*
 * The types that have no name are so many bytes, in hexadecimal; there may be any number,
 * as long as the call refuses it.
 */
static struct type
type_at(const struct call *call, int i)
{
    const char *name = text_at(call, i);
    struct type bytes = {.name = NULL, .size = size_at(call, i)};

    for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
        if (strcmp(types[k].name, name) == 0)
            return types[k];
    if (strpbrk(name, "0123456789Z") == NULL)
        complain("no such type", name);
    return bytes;
}

static void
print_nan(const struct type *type, const union value *value, char *text, size_t size)
{
    if (strcmp(type->name, "single") == 0 && value->single != value->single)
        snprintf(text, size, "nan:%08" PRIx32, value->u32);
    if (strcmp(type->name, "double") == 0 && value->real != value->real)
        snprintf(text, size, "nan:%016" PRIx64, value->u64);
}

static void
print(const struct type *type, const unsigned char *bytes, char *text, size_t size)
{
    union value value = {0};

    if (type->size > sizeof(value) || size < 2 * type->size + 1)
        complain("too large a value", "print");
    memcpy(&value, bytes, type->size);
    if (type->print == NULL) {
        for (size_t i = 0; i < type->size; i++)
            snprintf(text + 2 * i, 3, "%02x", bytes[i]);
        return;
    }
    type->print(text, size, &value);
    print_nan(type, &value, text, size);
}

static void
parse(const struct type *type, const char *text, union value *value)
{
    memset(value, 0, sizeof(*value));
    if (type->parse != NULL)
        type->parse(text, value);
    else
        parse_bytes(text, value->bytes, sizeof(value->bytes));
}

static int64_t
position_at(const struct call *call, mmf_accessor *view, int i)
{
    return offset_at(call, i, mmf_accessor_capacity(view));
}

/* What a call must leave alone: so it was filled before. */
enum { FILL = 0x5a };

static bool
is_untouched(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != FILL)
            return false;
    return true;
}

/* read ACCESSOR TYPE POSITION */
static int
call_read(struct call *call)
{
    mmf_accessor *view = object_at(call, 1);
    struct type type = type_at(call, 2);
    int64_t position = position_at(call, view, 3);
    union value value, *to = is_null(call, "value") ? NULL : &value;
    char text[256] = "untouched";
    int status;

    memset(&value, FILL, sizeof(value));
    if (type.read != NULL)
        status = type.read(view, position, to);
    else
        status = mmf_accessor_read(view, position, to, (int64_t)type.size);
    if (status == MMF_OK || !is_untouched(value.bytes, sizeof(value)))
        print(&type, value.bytes, text, sizeof(text));
    say_text(call, "value", text);
    return status;
}

/* write ACCESSOR TYPE POSITION VALUE */
static int
call_write(struct call *call)
{
    mmf_accessor *view = object_at(call, 1);
    struct type type = type_at(call, 2);
    int64_t position = position_at(call, view, 3);
    const char *text = text_at(call, 4);
    union value value, *from = text == NULL ? NULL : &value;

    if (text != NULL)
        parse(&type, text, &value);
    if (type.write != NULL)
        return type.write(view, position, from);
    return mmf_accessor_write(view, position, from, (int64_t)type.size);
}

/* read_array ACCESSOR TYPE POSITION COUNT: values with commas between them */
static int
call_read_array(struct call *call)
{
    mmf_accessor *view = object_at(call, 1);
    struct type type = type_at(call, 2);
    unsigned char array[ARRAY_SIZE];
    size_t read = (size_t)UNTOUCHED, there;
    char text[ANSWER_SIZE / 2] = "";
    int status;

    if (mmf_accessor_capacity(view) > ARRAY_SIZE - GUARD)
        complain("too large a view", call->words[1]);
    memset(array, FILL, sizeof(array));
    status = mmf_accessor_read_array(
        view, position_at(call, view, 3), is_null(call, "array") ? NULL : array,
        type.size, size_at(call, 4), is_null(call, "read") ? NULL : &read);
    say_size(call, "read", read);
    there = status == MMF_OK ? read * type.size : 0;
    if (!is_untouched(array + there, sizeof(array) - there))
        complain("it has written behind the elements", call->words[0]);
    if (status < 0)
        return status;
    for (size_t i = 0, length = 0; i < read; i++) {
        if (i > 0)
            text[length++] = ',';
        print(&type, array + i * type.size, text + length, sizeof(text) - length);
        length += strlen(text + length);
    }
    say_text(call, "value", text);
    return status;
}

/* write_array ACCESSOR TYPE POSITION VALUES [count=N] */
static int
call_write_array(struct call *call)
{
    mmf_accessor *view = object_at(call, 1);
    struct type type = type_at(call, 2);
    unsigned char array[ARRAY_SIZE];
    const char *values = text_at(call, 4), *text = values;
    size_t count = 0;

    while (text != NULL && *text != '\0' && (count + 1) * type.size <= sizeof(array)) {
        union value value;

        parse(&type, text, &value);
        memcpy(array + count++ * type.size, &value, type.size);
        text = strchr(text, ',');
        text = text != NULL ? text + 1 : NULL;
    }
    if (option_of(call, "count") != NULL)
        count = parse_size(option_of(call, "count"));
    return mmf_accessor_write_array(view, position_at(call, view, 3),
                                    values != NULL ? array : NULL, type.size, count);
}

const struct named_call value_calls[] = {
    CALL(read), CALL(write), CALL(read_array), CALL(write_array), {NULL, NULL}};
