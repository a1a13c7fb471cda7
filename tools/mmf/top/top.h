/*
 * top.h - the parts of `mmf top`: top.c has its keys, top_rows.c takes snapshots and
 * orders them, top_columns.c says what a column shows, top_draw.c draws.
 */
#ifndef MMF_TOOL_TOP_H
#define MMF_TOOL_TOP_H

#include <stdint.h>

#include <mmf/list.h>

#include "object/kinds.h"

enum { TOP_FILTER_SIZE = 64, TOP_COLUMNS = 10 };

/* The traffic of a row's object, and the rate since the last refresh. */
struct top_traffic {
    struct kinds_traffic now;
    double rate; /* messages per second; < 0: not known yet */
};

typedef const mmf_object_info *top_row;

struct top {
    mmf_list *list;
    struct top_traffic *traffic; /* of each object of the list */
    int64_t taken;               /* when the list was, monotonic ms */
    top_row *rows;               /* those that are shown, in order */
    int32_t count;
    int32_t selected;
    int32_t first; /* on the screen */
    int32_t interval;
    char key; /* of the column to sort by */
    int reversed;
    int paused;
    int filtering; /* keys go to the filter */
    char filter[TOP_FILTER_SIZE];
};

/*
 * Columns.
 */

struct top_column {
    char key;
    const char *name;  /* for --sort */
    const char *title; /* with the key in it */
    int width;         /* 0: what the others leave, shared */
    int right;
    char *(*show)(const struct top *top, top_row row); /* to be freed */
    int (*compare)(const struct top *top, top_row one, top_row other);
};

extern const struct top_column top_columns[TOP_COLUMNS];

/* NULL: unknown. */
const struct top_column *top_column_of(char key);

/* What is wrong with a mutex or another object, as a number: the more, the worse. */
int top_trouble(top_row row);
enum { TOP_WAITED_FOR = 2, TOP_ABANDONED = 4 };

/*
 * Rows.
 */

/* Take a new snapshot; the selection stays with its name. */
void top_refresh(struct top *top);

/* The rows anew, after the filter or the order has changed. */
void top_arrange(struct top *top);

/* Move the selection. */
void top_select(struct top *top, int32_t by);

const struct top_traffic *top_traffic_of(const struct top *top, top_row row);

void top_close(struct top *top);

/*
 * Drawing.
 */

/* Rows of objects on the screen. */
int top_visible_rows(void);

void top_draw(struct top *top);

#endif
