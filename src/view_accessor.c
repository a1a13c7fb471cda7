/*
 * view_accessor.c - typed reads and writes at a position (contract 4).
 */
#include <stdlib.h>
#include <string.h>

#include <mmf/status.h>
#include <mmf/view.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/invariant.h"
#include "view.h"

struct mmf_accessor {
    struct mmf_view view;
};

int
mmf_accessor_create(mmf_map *map, int64_t offset, int64_t size, mmf_access access,
                    const mmf_view_options *options, mmf_accessor **out)
{
    mmf_accessor *accessor;
    int rc;

    if (out == NULL)
        return mmf_fail_null("out");
    accessor = mmf_alloc(sizeof(*accessor));
    if (accessor == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a view accessor");
    rc = mmf_view_open(map, offset, size, access, options, &accessor->view);
    if (rc < 0) {
        free(accessor);
        return rc;
    }
    *out = accessor;
    return MMF_OK;
}

void
mmf_accessor_close(mmf_accessor *accessor)
{
    if (accessor == NULL)
        return;
    mmf_view_close(&accessor->view);
    free(accessor);
}

int64_t
mmf_accessor_capacity(const mmf_accessor *accessor)
{
    return accessor != NULL ? accessor->view.size : 0;
}

int
mmf_accessor_can_read(const mmf_accessor *accessor)
{
    return accessor != NULL && accessor->view.can_read;
}

int
mmf_accessor_can_write(const mmf_accessor *accessor)
{
    return accessor != NULL && accessor->view.can_write;
}

int64_t
mmf_accessor_pointer_offset(const mmf_accessor *accessor)
{
    return accessor != NULL ? accessor->view.pointer_offset : 0;
}

mmf_view_flags
mmf_accessor_granted(const mmf_accessor *accessor)
{
    return accessor != NULL ? accessor->view.granted : 0;
}

static int
fail_null(void)
{
    return mmf_fail_argument(MMF_E_NULL, "", "an argument is NULL");
}

int
mmf_accessor_pointer(const mmf_accessor *accessor, void **bytes, size_t *size)
{
    if (accessor == NULL || bytes == NULL)
        return fail_null();
    *bytes = accessor->view.bytes;
    if (size != NULL)
        *size = (size_t)accessor->view.size;
    return MMF_OK;
}

int
mmf_accessor_flush(mmf_accessor *accessor)
{
    return accessor != NULL ? mmf_view_flush(&accessor->view) : fail_null();
}

/*
 * The checks of contract 4.1, 4.3 to 4.5. Each fails by a function of its own, so that
 * the fast path of a read is a few comparisons.
 */

static int
fail_unreadable(void)
{
    return mmf_fail(MMF_E_NOT_SUPPORTED, "the view cannot be read");
}

static int
fail_unwritable(void)
{
    return mmf_fail(MMF_E_NOT_SUPPORTED, "the view cannot be written");
}

static int
fail_position(const struct mmf_view *view, int64_t position, size_t size)
{
    if (position < 0 || position >= view->size)
        return mmf_fail_argument(MMF_E_RANGE, "position",
                                 "position %lld is not in a view of %lld bytes",
                                 (long long)position, (long long)view->size);
    return mmf_fail_argument(
        MMF_E_INVALID, "position",
        "%zu bytes at position %lld pass the end of a view of %lld", size,
        (long long)position, (long long)view->size);
}

static inline int
fits(const struct mmf_view *view, int64_t position, int64_t size)
{
    MMF_ASSERT(size > 0);
    return position >= 0 && position <= view->size - size;
}

static inline int
load(const mmf_accessor *accessor, int64_t position, void *value, int64_t size)
{
    if (accessor == NULL || value == NULL)
        return fail_null();
    if (!accessor->view.can_read)
        return fail_unreadable();
    if (!fits(&accessor->view, position, size))
        return fail_position(&accessor->view, position, (size_t)size);
    memcpy(value, accessor->view.bytes + position, (size_t)size);
    return MMF_OK;
}

static inline int
store(mmf_accessor *accessor, int64_t position, const void *value, int64_t size)
{
    if (accessor == NULL || value == NULL)
        return fail_null();
    if (!accessor->view.can_write)
        return fail_unwritable();
    if (!fits(&accessor->view, position, size))
        return fail_position(&accessor->view, position, (size_t)size);
    memcpy(accessor->view.bytes + position, value, (size_t)size);
    return MMF_OK;
}

/* A read and a write of a type whose bytes are its value; a function per C type. */
#define DEFINE_TYPE(name, type)                                                        \
    int mmf_accessor_read_##name(const mmf_accessor *accessor, int64_t position,       \
                                 type *value)                                          \
    {                                                                                  \
        return load(accessor, position, value, (int64_t)sizeof(type));                 \
    }                                                                                  \
    int mmf_accessor_write_##name(mmf_accessor *accessor, int64_t position,            \
                                  type value)                                          \
    {                                                                                  \
        return store(accessor, position, &value, (int64_t)sizeof(type));               \
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

int
mmf_accessor_read_boolean(const mmf_accessor *accessor, int64_t position, int *value)
{
    uint8_t byte = 0;
    int rc;

    if (value == NULL)
        return fail_null();
    rc = load(accessor, position, &byte, 1);
    if (rc == MMF_OK)
        *value = byte != 0;
    return rc;
}

int
mmf_accessor_write_boolean(mmf_accessor *accessor, int64_t position, int value)
{
    uint8_t byte = value != 0;

    return store(accessor, position, &byte, 1);
}

/* The flags a decimal can have: a sign, and a scale of 0 to 28. */
static int
is_decimal(const mmf_decimal *value)
{
    uint32_t flags = (uint32_t)value->flags;
    uint32_t scale = flags >> 16 & 0xFF;

    return (flags & 0x7F00FFFFu) == 0 && scale <= 28;
}

int
mmf_accessor_read_decimal(const mmf_accessor *accessor, int64_t position,
                          mmf_decimal *value)
{
    mmf_decimal read;
    int rc;

    if (value == NULL)
        return fail_null();
    rc = load(accessor, position, &read, (int64_t)sizeof(read));
    if (rc < 0)
        return rc;
    if (!is_decimal(&read))
        return mmf_fail_argument(MMF_E_INVALID, "",
                                 "invalid decimal at position %lld (flags 0x%x)",
                                 (long long)position, (unsigned)read.flags);
    *value = read;
    return MMF_OK;
}

int
mmf_accessor_write_decimal(mmf_accessor *accessor, int64_t position,
                           const mmf_decimal *value)
{
    return store(accessor, position, value, (int64_t)sizeof(*value));
}

/*
 * Values and arrays of any type.
 */

static int
check_size(int64_t size, const char *parameter)
{
    if (size < 1)
        return mmf_fail_argument(MMF_E_INVALID, parameter,
                                 "invalid %s %lld: at least 1 byte", parameter,
                                 (long long)size);
    return MMF_OK;
}

static int
fail_negative(const char *parameter, int64_t value)
{
    return mmf_fail_argument(MMF_E_RANGE, parameter, "invalid %s %lld: at least 0",
                             parameter, (long long)value);
}

int
mmf_accessor_read(const mmf_accessor *accessor, int64_t position, void *value,
                  int64_t value_size)
{
    int rc;

    if (accessor == NULL || value == NULL)
        return fail_null();
    if (position < 0)
        return fail_negative("position", position);
    if (!accessor->view.can_read)
        return fail_unreadable();
    rc = check_size(value_size, "value_size");
    return rc < 0 ? rc : load(accessor, position, value, value_size);
}

int
mmf_accessor_write(mmf_accessor *accessor, int64_t position, const void *value,
                   int64_t value_size)
{
    int rc;

    if (accessor == NULL || value == NULL)
        return fail_null();
    if (position < 0)
        return fail_negative("position", position);
    if (!accessor->view.can_write)
        return fail_unwritable();
    rc = check_size(value_size, "value_size");
    return rc < 0 ? rc : store(accessor, position, value, value_size);
}

/* How far apart elements stand in a view (contract 4.6). */
static size_t
stride_of(size_t element_size)
{
    if (element_size <= 2 || element_size > SIZE_MAX - 3)
        return element_size;
    return (element_size + 3) / 4 * 4;
}

/* How many elements there are from `position` on, which lies in the view. */
static size_t
count_elements(const struct mmf_view *view, int64_t position, size_t stride)
{
    MMF_ASSERT(position >= 0 && position < view->size && stride > 0);
    return (size_t)(view->size - position) / stride;
}

static void
copy_elements(uint8_t *to, size_t to_stride, const uint8_t *from, size_t from_stride,
              size_t size, size_t count)
{
    MMF_ASSERT(size <= to_stride && size <= from_stride);
    if (to_stride == from_stride) {
        memcpy(to, from, size * count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(to + i * to_stride, from + i * from_stride, size);
}

static int
check_element_size(size_t element_size)
{
    if (element_size == 0)
        return mmf_fail_argument(MMF_E_INVALID, "element_size",
                                 "invalid element_size 0: at least 1 byte");
    return MMF_OK;
}

int
mmf_accessor_read_array(const mmf_accessor *accessor, int64_t position, void *array,
                        size_t element_size, size_t count, size_t *read)
{
    const struct mmf_view *view;
    size_t stride;
    size_t there;
    int rc;

    if (accessor == NULL || array == NULL || read == NULL)
        return mmf_fail_argument(MMF_E_NULL, array == NULL ? "array" : "",
                                 "an argument is NULL");
    view = &accessor->view;
    if (!view->can_read)
        return fail_unreadable();
    if (position < 0)
        return fail_negative("position", position);
    rc = check_element_size(element_size);
    if (rc < 0)
        return rc;
    if (position >= view->size)
        return fail_position(view, position, element_size);
    stride = stride_of(element_size);
    there = count_elements(view, position, stride);
    if (count > there)
        count = there;
    copy_elements(array, element_size, view->bytes + position, stride, element_size,
                  count);
    *read = count;
    return MMF_OK;
}

int
mmf_accessor_write_array(mmf_accessor *accessor, int64_t position, const void *array,
                         size_t element_size, size_t count)
{
    struct mmf_view *view;
    size_t stride;
    int rc;

    if (accessor == NULL || array == NULL)
        return mmf_fail_argument(MMF_E_NULL, array == NULL ? "array" : "",
                                 "an argument is NULL");
    view = &accessor->view;
    if (position < 0 || position >= view->size)
        return fail_position(view, position, element_size);
    if (!view->can_write)
        return fail_unwritable();
    rc = check_element_size(element_size);
    if (rc < 0)
        return rc;
    stride = stride_of(element_size);
    if (count > count_elements(view, position, stride))
        return mmf_fail_argument(MMF_E_INVALID, "",
                                 "%zu elements of %zu bytes do not fit from position "
                                 "%lld on in a view of %lld bytes",
                                 count, stride, (long long)position,
                                 (long long)view->size);
    copy_elements(view->bytes + position, stride, array, element_size, element_size,
                  count);
    return MMF_OK;
}
