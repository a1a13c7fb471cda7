/*
 * kinds.h - what is shown of each kind of object, one row a kind: `ls`, `stat` and
 * `top` know no kind by themselves.
 */
#ifndef MMF_TOOL_KINDS_H
#define MMF_TOOL_KINDS_H

#include <jansson.h>

#include <mmf/mmf.h>

/*
 * The object's state in some words, escaped: "owned by 123 (python3)", "3 of 5". To be
 * freed.
 */
char *kinds_state(const mmf_object_info *info);

/* Its members for JSON, put into `object`. */
void kinds_add_json(const mmf_object_info *info, json_t *object);

/* More lines for `stat`: called with a title and a text for each. */
typedef void (*kinds_line)(void *payload, const char *title, const char *text);
void kinds_describe(const mmf_object_info *info, kinds_line line, void *payload);

#endif
