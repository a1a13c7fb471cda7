/*
 * kinds.h - what `ls`, `stat` and `top` show of each kind of object: one row per kind.
 */
#ifndef MMF_TOOL_KINDS_H
#define MMF_TOOL_KINDS_H

#include <jansson.h>

#include <stdint.h>

#include <mmf/mmf.h>

/*
 * The object's state in a few words, escaped: "owned by 123 (python3)", "3 of 5". The
 * caller frees it.
 */
char *kinds_state(const mmf_object_info *info);

/* Add its members to the JSON `object`. */
void kinds_add_json(const mmf_object_info *info, json_t *object);

/* Messages of a queue, or requests of a service, that were taken and are not yet released;
 * else 0. */
int64_t kinds_in_flight(const mmf_object_info *info);

/* More lines for `stat`: `line` is called with the title and the text of each. */
typedef void (*kinds_line)(void *payload, const char *title, const char *text);
void kinds_describe(const mmf_object_info *info, kinds_line line, void *payload);

#endif
