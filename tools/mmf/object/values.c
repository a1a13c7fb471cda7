/* values.c - see values.h. */
#include "object/values.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/view.h>

#include "base/say.h"
#include "base/table.h"
#include "base/text.h"

/*
 * Whole numbers.
 */

static int
read_signed(const char *text, int64_t least, int64_t most, int64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoll(text, &end, 0);
    return end != text && *end == '\0' && errno == 0 && *value >= least &&
           *value <= most;
}

static int
read_unsigned(const char *text, uint64_t most, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 0);
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 &&
           *value <= most;
}

#define SIGNED_TYPE(type, name, least, most)                                           \
    static void show_##name(const void *bytes, char text[VALUES_TEXT_SIZE])            \
    {                                                                                  \
        type value;                                                                    \
        memcpy(&value, bytes, sizeof(value));                                          \
        snprintf(text, VALUES_TEXT_SIZE, "%" PRId64, (int64_t)value);                  \
    }                                                                                  \
    static int read_##name(const char *text, void *bytes)                              \
    {                                                                                  \
        int64_t wide;                                                                  \
        type value;                                                                    \
        int good = read_signed(text, least, most, &wide);                              \
        value = (type)wide;                                                            \
        memcpy(bytes, &value, sizeof(value));                                          \
        return good;                                                                   \
    }

#define UNSIGNED_TYPE(type, name, most)                                                \
    static void show_##name(const void *bytes, char text[VALUES_TEXT_SIZE])            \
    {                                                                                  \
        type value;                                                                    \
        memcpy(&value, bytes, sizeof(value));                                          \
        snprintf(text, VALUES_TEXT_SIZE, "%" PRIu64, (uint64_t)value);                 \
    }                                                                                  \
    static int read_##name(const char *text, void *bytes)                              \
    {                                                                                  \
        uint64_t wide;                                                                 \
        type value;                                                                    \
        int good = read_unsigned(text, most, &wide);                                   \
        value = (type)wide;                                                            \
        memcpy(bytes, &value, sizeof(value));                                          \
        return good;                                                                   \
    }

SIGNED_TYPE(int8_t, sbyte, INT8_MIN, INT8_MAX)
SIGNED_TYPE(int16_t, int16, INT16_MIN, INT16_MAX)
SIGNED_TYPE(int32_t, int32, INT32_MIN, INT32_MAX)
SIGNED_TYPE(int64_t, int64, INT64_MIN, INT64_MAX)
UNSIGNED_TYPE(uint8_t, byte, UINT8_MAX)
UNSIGNED_TYPE(uint16_t, uint16, UINT16_MAX)
UNSIGNED_TYPE(uint32_t, uint32, UINT32_MAX)
UNSIGNED_TYPE(uint64_t, uint64, UINT64_MAX)

/*
 * Floating point: as many digits as distinguish the value from its neighbours.
 */

static void
show_single(const void *bytes, char text[VALUES_TEXT_SIZE])
{
    float value;

    memcpy(&value, bytes, sizeof(value));
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, VALUES_TEXT_SIZE, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
}

static int
read_single(const char *text, void *bytes)
{
    char *end;
    float value = strtof(text, &end);

    memcpy(bytes, &value, sizeof(value));
    return end != text && *end == '\0' &&
           (fabsf(value) <= FLT_MAX || strchr(text, 'n') != NULL ||
            strchr(text, 'N') != NULL);
}

static void
show_double(const void *bytes, char text[VALUES_TEXT_SIZE])
{
    double value;

    memcpy(&value, bytes, sizeof(value));
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, VALUES_TEXT_SIZE, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
}

static int
read_double(const char *text, void *bytes)
{
    char *end;
    double value = strtod(text, &end);

    memcpy(bytes, &value, sizeof(value));
    return end != text && *end == '\0' &&
           (fabs(value) <= DBL_MAX || strchr(text, 'n') != NULL ||
            strchr(text, 'N') != NULL);
}

/*
 * Truth, and UTF-16 code units.
 */

static void
show_boolean(const void *bytes, char text[VALUES_TEXT_SIZE])
{
    snprintf(text, VALUES_TEXT_SIZE, "%s",
             *(const unsigned char *)bytes != 0 ? "true" : "false");
}

static int
read_boolean(const char *text, void *bytes)
{
    int is_true = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

    *(unsigned char *)bytes = (unsigned char)is_true;
    return is_true || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

static size_t
encode(uint16_t unit, unsigned char utf8[3])
{
    if (unit < 0x80) {
        utf8[0] = (unsigned char)unit;
        return 1;
    }
    if (unit < 0x800) {
        utf8[0] = (unsigned char)(0xc0 | unit >> 6);
        utf8[1] = (unsigned char)(0x80 | (unit & 0x3f));
        return 2;
    }
    utf8[0] = (unsigned char)(0xe0 | unit >> 12);
    utf8[1] = (unsigned char)(0x80 | (unit >> 6 & 0x3f));
    utf8[2] = (unsigned char)(0x80 | (unit & 0x3f));
    return 3;
}

static void
show_char(const void *bytes, char text[VALUES_TEXT_SIZE])
{
    unsigned char utf8[3];
    uint16_t unit;
    size_t length;

    memcpy(&unit, bytes, sizeof(unit));
    length = encode(unit, utf8);
    if (text_character(utf8, length) == length)
        snprintf(text, VALUES_TEXT_SIZE, "%.*s", (int)length, (const char *)utf8);
    else
        snprintf(text, VALUES_TEXT_SIZE, "\\u%04x", unit);
}

/* One character of the basic plane, or \uNNNN. */
static int
read_char(const char *text, void *bytes)
{
    const unsigned char *utf8 = (const unsigned char *)text;
    size_t length = strlen(text);
    uint16_t unit = utf8[0];
    char *end;

    if (length == 6 && strncmp(text, "\\u", 2) == 0) {
        unit = (uint16_t)strtoul(text + 2, &end, 16);
        length = *end == '\0' && isxdigit(utf8[2]) ? 1 : 0;
    } else if (length == 2 && utf8[0] >= 0xc2 && utf8[0] < 0xe0) {
        unit = (uint16_t)((utf8[0] & 0x1f) << 6 | (utf8[1] & 0x3f));
        length = 1;
    } else if (length == 3 && utf8[0] >= 0xe0 && utf8[0] < 0xf0) {
        unit = (uint16_t)((utf8[0] & 0xf) << 12 | (utf8[1] & 0x3f) << 6 |
                          (utf8[2] & 0x3f));
        length = 1;
    } else if (utf8[0] >= 0x80) {
        length = 0;
    }
    memcpy(bytes, &unit, sizeof(unit));
    return length == 1;
}

/*
 * Decimals: 96 bits and a scale.
 */

static void
show_decimal(const void *bytes, char text[VALUES_TEXT_SIZE])
{
    mmf_decimal value;
    char digits[VALUES_TEXT_SIZE];
    uint32_t parts[3];
    int scale;
    int at = sizeof(digits) - 1;
    int count = 0;

    memcpy(&value, bytes, sizeof(value));
    parts[0] = (uint32_t)value.high;
    parts[1] = (uint32_t)value.middle;
    parts[2] = (uint32_t)value.low;
    scale = value.flags >> 16 & 0xff;
    if (((uint32_t)value.flags & 0x7f00ffffu) != 0 || scale > 28) {
        snprintf(text, VALUES_TEXT_SIZE, "invalid decimal");
        return;
    }
    digits[at] = '\0';
    while (parts[0] != 0 || parts[1] != 0 || parts[2] != 0 || count <= scale) {
        uint64_t rest = 0;

        for (int i = 0; i < 3; i++) {
            rest = rest << 32 | parts[i];
            parts[i] = (uint32_t)(rest / 10);
            rest %= 10;
        }
        if (count == scale && scale > 0)
            digits[--at] = '.';
        digits[--at] = (char)('0' + rest);
        count++;
    }
    snprintf(text, VALUES_TEXT_SIZE, "%s%s", value.flags < 0 ? "-" : "", digits + at);
}

static int
times_ten_plus(uint32_t parts[3], uint32_t digit)
{
    uint64_t carry = digit;

    for (int i = 0; i < 3; i++) {
        carry += (uint64_t)parts[i] * 10;
        parts[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return carry == 0;
}

static int
read_decimal(const char *text, void *bytes)
{
    uint32_t parts[3] = {0, 0, 0};
    uint32_t flags = text[0] == '-' ? 0x80000000u : 0;
    uint32_t scale = 0;
    int seen_point = 0;
    int digits = 0;
    mmf_decimal value;

    if (text[0] == '-')
        text++;
    for (; *text != '\0'; text++) {
        if (*text == '.' && !seen_point) {
            seen_point = 1;
            continue;
        }
        if (!isdigit((unsigned char)*text) ||
            !times_ten_plus(parts, (uint32_t)(*text - '0')))
            return 0;
        scale += (uint32_t)seen_point;
        digits++;
    }
    value.low = (int32_t)parts[0];
    value.middle = (int32_t)parts[1];
    value.high = (int32_t)parts[2];
    value.flags = (int32_t)(flags | scale << 16);
    memcpy(bytes, &value, sizeof(value));
    return digits > 0 && scale <= 28;
}

/*
 * All of them.
 */

#define ROW(name, size, example, is_text)                                              \
    {                                                                                  \
#name, size, show_##name, read_##name, example, is_text                        \
    }

static const struct value_type types[] = {
    ROW(boolean, 1, "true or false", 0),
    ROW(byte, 1, "0 to 255", 0),
    ROW(sbyte, 1, "-128 to 127", 0),
    ROW(char, 2, "one character, or \\u20ac", 1),
    ROW(int16, 2, "-32768 to 32767", 0),
    ROW(uint16, 2, "0 to 65535", 0),
    ROW(int32, 4, "a whole number of 32 bits, or 0x7fffffff", 0),
    ROW(uint32, 4, "a whole number of 32 bits, not negative", 0),
    ROW(int64, 8, "a whole number of 64 bits", 0),
    ROW(uint64, 8, "a whole number of 64 bits, not negative", 0),
    ROW(single, 4, "1.5, 1e10 or nan", 0),
    ROW(double, 8, "1.5, 1e10 or nan", 0),
    ROW(decimal, 16, "12.34, at most 28 digits after the point", 1),
};

enum { TYPES = sizeof(types) / sizeof(types[0]) };

/* Other names, as C and Rust have them. */
static const char *const aliases[][2] = {
    {"u8", "byte"},    {"i8", "sbyte"},   {"u16", "uint16"},   {"i16", "int16"},
    {"u32", "uint32"}, {"i32", "int32"},  {"u64", "uint64"},   {"i64", "int64"},
    {"f32", "single"}, {"f64", "double"}, {"bool", "boolean"}, {"float", "single"}};

const struct value_type *
values_type(const char *name)
{
    const char *wanted = name;

    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (strcmp(name, aliases[i][0]) == 0)
            wanted = aliases[i][1];
    for (size_t i = 0; i < TYPES; i++)
        if (strcmp(wanted, types[i].name) == 0)
            return &types[i];
    say_usage("unknown type \"%s\" (boolean, byte, sbyte, char, int16, uint16, int32, "
              "uint32, int64, uint64, single, double, decimal; or bool, u8, i8, ..., "
              "u64, i64, f32, f64)",
              name);
}

void
values_read(const struct value_type *type, const char *text, void *bytes)
{
    if (!type->read(text, bytes))
        say_usage("invalid value \"%s\" for %s: use %s", text, type->name,
                  type->example);
}

json_t *
values_json(const struct value_type *type, const void *bytes)
{
    char text[VALUES_TEXT_SIZE];
    json_t *value;

    type->show(bytes, text);
    if (type->is_text)
        return table_json_text(text);
    /* JSON has neither infinity nor nan, and jansson no more than 63 bits. */
    value = json_loads(text, JSON_DECODE_ANY, NULL);
    return value != NULL ? value : table_json_text(text);
}
