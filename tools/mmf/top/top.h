/*
 * top.h - the parts of `mmf top`: command/top.c has its keys, rows.c takes snapshots and
 * orders them, draw.c draws.
 */
#ifndef MMF_TOOL_TOP_H
#define MMF_TOOL_TOP_H

#include <stdint.h>

#include "object/columns.h"

enum { TOP_FILTER_SIZE = 64, TOP_COLUMNS = 12 };

struct top_column {
    const char *name;  /* as columns.h has it */
    const char *title; /* of the screen */
    int width; /* with a blank for the arrow; 0: what the others leave, shared */
    int from;  /* shown on screens that are at least so wide */
};

extern const struct top_column top_columns[TOP_COLUMNS];

struct top {
    struct objects_choice choice;
    struct objects objects;
    int64_t taken;        /* when they were, monotonic ms */
    struct object **rows; /* those that are shown, in order */
    int32_t count;
    int32_t selected;
    int32_t first; /* on the screen */
    int32_t interval;
    int column; /* to sort by, of top_columns */
    int reversed;
    int paused;
    int helping;
    int filtering; /* keys go to the filter */
    char filter[TOP_FILTER_SIZE];
};

/* Take a new snapshot; the selection stays with its object. */
void top_refresh(struct top *top);

/* The rows anew, after the filter or the order has changed. */
void top_arrange(struct top *top);

/* Move the selection. */
void top_select(struct top *top, int32_t by);

void top_close(struct top *top);

/* Whether a column is on the screen. */
int top_is_shown(const struct top *top, int column);

/* Rows of objects on the screen. */
int top_visible_rows(void);

void top_draw(struct top *top);

#endif
