/*
 * kinds.h - what is shown of each kind of object, one row a kind: `ls`, `stat` and
 * `top` know no kind by themselves.
 */
#ifndef MMF_TOOL_KINDS_H
#define MMF_TOOL_KINDS_H

#include <jansson.h>

#include <stdint.h>

#include <mmf/mmf.h>

/*
 * The object's state in some words, escaped: "owned by 123 (python3)", "3 of 5". To be
 * freed.
 */
char *kinds_state(const mmf_object_info *info);

/* Its members for JSON, put into `object`. */
void kinds_add_json(const mmf_object_info *info, json_t *object);

/* What a channel has done so far; all 0 for other kinds. */
struct kinds_traffic {
    int is_channel;
    uint64_t sent;
    uint64_t dropped; /* and lost */
    int64_t depth;
};

void kinds_look_at_traffic(const mmf_object_info *info, struct kinds_traffic *traffic);

/* More lines for `stat`: called with a title and a text for each. */
typedef void (*kinds_line)(void *payload, const char *title, const char *text);
void kinds_describe(const mmf_object_info *info, kinds_line line, void *payload);

#endif
