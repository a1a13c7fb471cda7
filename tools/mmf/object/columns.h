/* columns.h - what `ls`, `top` and `gc` show of an object, and how they sort by it. */
#ifndef MMF_TOOL_COLUMNS_H
#define MMF_TOOL_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

#include "object/objects.h"

struct column {
    const char *name;                                      /* for -o and --sort */
    const char *title;                                     /* of ls */
    int flags;                                             /* TABLE_... */
    char *(*show)(const struct object *object, int exact); /* to be freed */
    int64_t (*number)(const struct object *object); /* to sort by; NULL: by the text */
};

/* The column, or end the program: it lists the known ones. */
const struct column *columns_find(const char *name, size_t length);

/* Ascending; objects that are equal in it by name. */
int columns_compare(const struct column *column, const struct object *one,
                    const struct object *other);

/* What needs a person: COLOR_BAD for what is damaged, orphaned or abandoned. */
enum color columns_color(const mmf_object_info *info);

#endif
