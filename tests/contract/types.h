/*
 * types.h - the thirteen types of an accessor, as a table, so that a rule is tested for
 * all of them by one loop.
 */
#ifndef MMF_TESTS_CONTRACT_TYPES_H
#define MMF_TESTS_CONTRACT_TYPES_H

#include "support.h"

#define TYPE_COUNT 13

/* One type: how wide, how to read and to write it, and .NET's value for its tests. */
struct type {
    const char *name;
    int64_t size;
    unsigned char sample[16]; /* as it must lie in the view */
    /* Read to, write from `size` bytes. The status of the accessor's function. */
    int (*read)(const mmf_accessor *view, int64_t position, void *value);
    int (*write)(mmf_accessor *view, int64_t position, const void *value);
};

/* The table; filled at the first call. */
const struct type *type_at(size_t index);

#endif
