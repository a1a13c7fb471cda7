/*
 * types.c - the thirteen types: thin wrappers that make all of them look alike.
 */
#include "types.h"

#include <string.h>

/* A reader must not write on failure: `value` stays as it is unless it succeeded. */
#define DEFINE_TYPE(name, c_type)                                                      \
    static int read_##name(const mmf_accessor *view, int64_t position, void *value)    \
    {                                                                                  \
        c_type got;                                                                    \
        int rc;                                                                        \
                                                                                       \
        memcpy(&got, value, sizeof(got));                                              \
        rc = mmf_accessor_read_##name(view, position, &got);                           \
        memcpy(value, &got, sizeof(got));                                              \
        return rc;                                                                     \
    }                                                                                  \
    static int write_##name(mmf_accessor *view, int64_t position, const void *value)   \
    {                                                                                  \
        c_type give;                                                                   \
                                                                                       \
        memcpy(&give, value, sizeof(give));                                            \
        return mmf_accessor_write_##name(view, position, give);                        \
    }

DEFINE_TYPE(byte, uint8_t)
DEFINE_TYPE(sbyte, int8_t)
DEFINE_TYPE(char, uint16_t)
DEFINE_TYPE(int16, int16_t)
DEFINE_TYPE(uint16, uint16_t)
DEFINE_TYPE(int32, int32_t)
DEFINE_TYPE(uint32, uint32_t)
DEFINE_TYPE(int64, int64_t)
DEFINE_TYPE(uint64, uint64_t)
DEFINE_TYPE(single, float)
DEFINE_TYPE(double, double)

/* A boolean is an int to C and a byte to the view. */
static int
read_boolean(const mmf_accessor *view, int64_t position, void *value)
{
    int got = *(unsigned char *)value;
    int rc = mmf_accessor_read_boolean(view, position, &got);

    *(unsigned char *)value = (unsigned char)got;
    return rc;
}

static int
write_boolean(mmf_accessor *view, int64_t position, const void *value)
{
    return mmf_accessor_write_boolean(view, position, *(const unsigned char *)value);
}

static int
read_decimal(const mmf_accessor *view, int64_t position, void *value)
{
    mmf_decimal got;
    int rc;

    memcpy(&got, value, sizeof(got));
    rc = mmf_accessor_read_decimal(view, position, &got);
    memcpy(value, &got, sizeof(got));
    return rc;
}

static int
write_decimal(mmf_accessor *view, int64_t position, const void *value)
{
    mmf_decimal give;

    memcpy(&give, value, sizeof(give));
    return mmf_accessor_write_decimal(view, position, &give);
}

#define TYPE(name, size)                                                               \
    {                                                                                  \
#name, (size), {0 }, read_##name, write_##name                                 \
    }

static struct type types[TYPE_COUNT] = {
    TYPE(boolean, 1), TYPE(byte, 1),   TYPE(sbyte, 1),  TYPE(char, 2),
    TYPE(int16, 2),   TYPE(uint16, 2), TYPE(int32, 4),  TYPE(uint32, 4),
    TYPE(int64, 8),   TYPE(uint64, 8), TYPE(single, 4), TYPE(double, 8),
    TYPE(decimal, 16)};

static void
set_sample(size_t index, const void *sample)
{
    memcpy(types[index].sample, sample, (size_t)types[index].size);
}

/* .NET's values: true, 42, 14, 'c', 11, 16, 12, 17, 13, 17, 15f, 10.0, 9m. */
static void
fill_samples(void)
{
    set_sample(0, &(uint8_t){1});
    set_sample(1, &(uint8_t){42});
    set_sample(2, &(int8_t){14});
    set_sample(3, &(uint16_t){'c'});
    set_sample(4, &(int16_t){11});
    set_sample(5, &(uint16_t){16});
    set_sample(6, &(int32_t){12});
    set_sample(7, &(uint32_t){17});
    set_sample(8, &(int64_t){13});
    set_sample(9, &(uint64_t){17});
    set_sample(10, &(float){15});
    set_sample(11, &(double){10});
    set_sample(12, &(mmf_decimal){.low = 9});
}

const struct type *
type_at(size_t index)
{
    fill_samples();
    return &types[index];
}
