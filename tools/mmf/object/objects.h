/*
 * objects.h - the namespace, from the list of the library, for `ls`, `stat`, `top` and `gc`.
 */
#ifndef MMF_TOOL_OBJECTS_H
#define MMF_TOOL_OBJECTS_H

#include <jansson.h>

#include <mmf/mmf.h>

/* The snapshot; a failure ends the program. */
mmf_list *objects_list(mmf_list_flags flags);

/* The object of that name, which args_name has checked; or NULL. */
const mmf_object_info *objects_find(const mmf_list *list, const char *name);

/* "in use", "orphaned", "invalid", "inaccessible". */
const char *objects_status(mmf_object_status status);

/* "rw-r-----". */
const char *objects_mode(uint32_t mode, char text[16]);

/* Now minus its creation, in nanoseconds. */
int64_t objects_age(const mmf_object_info *info);

/* "123 root python3", a line for each process; to be freed. */
char *objects_holders(const mmf_object_info *info, const char *separator);

/* Everything known about it, for JSON; what is unknown is null. */
json_t *objects_json(const mmf_object_info *info);

#endif
