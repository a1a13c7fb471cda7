/* objects.h - the namespace, from the library's list, for the commands that look at it. */
#ifndef MMF_TOOL_OBJECTS_H
#define MMF_TOOL_OBJECTS_H

#include <jansson.h>

#include <mmf/mmf.h>

#include "base/args.h"

enum { OBJECTS_RATES = 32 };

struct object {
    const mmf_object_info *info;
    double rate;                /* top: messages per second; < 0: not known */
    float rates[OBJECTS_RATES]; /* and before, the newest first; < 0: not known */
};

/* A snapshot, in order of the names. */
struct objects {
    mmf_list *list;
    struct object *at;
    int32_t count;
};

/* Whose objects: options of every command that looks at all of them. */
#define OBJECTS_OPTIONS                                                                \
    {"all-users", 'A', NULL, "objects of all users, as far as you may see them"},      \
    {                                                                                  \
        "user", 'u', "USER", "only objects of this user, by name or number"            \
    }

struct objects_choice {
    int all_users;
    int one_user;
    unsigned user;
};

struct objects_choice objects_choose(const struct args *args);

/* What they choose; a failure ends the program, or is the status that is returned. */
void objects_read(struct objects *objects, struct objects_choice choice,
                  mmf_list_flags flags);
int objects_try(struct objects *objects, struct objects_choice choice,
                mmf_list_flags flags);

void objects_close(struct objects *objects);

/* Of all users, as far as this one may see them, if it is root; else of this user. */
extern const struct objects_choice objects_of_all, objects_own;

/* Whether the object has that name, which args_name has checked. */
int objects_is(const mmf_object_info *info, const char *name);

/* The object of that name, this user's if there are several; or NULL. */
const mmf_object_info *objects_find(const struct objects *objects, const char *name);

/* "in use", "orphaned", "invalid", "inaccessible". */
const char *objects_status(mmf_object_status status);

/* "rw-r-----". */
const char *objects_mode(uint32_t mode, char text[16]);

/* Now minus its creation, in nanoseconds. */
int64_t objects_age(const mmf_object_info *info);

/*
 * "123 root python3" for each process; to be freed. Without `users`, only users that are
 * not the object's owner are named.
 */
char *objects_holders(const mmf_object_info *info, const char *separator, int users);

/* Everything known about it, for JSON; what is unknown is null. */
json_t *objects_json(const mmf_object_info *info);

#endif
