/*
 * naming.h - what a name and the options beside it (all_users, this_user_only, mode)
 * say together, alike for every kind of object.
 */
#ifndef MMF_SRC_NAMING_H
#define MMF_SRC_NAMING_H

#include <stdint.h>

#include "base/name.h"

/* The options' part. */
struct mmf_naming {
    int32_t all_users;
    int32_t this_user_only; /* mutex, event, semaphore; else 0 */
    uint32_t mode;
};

/* MMF_E_INVALID: all_users or this_user_only is not 0 or 1, or both are 1. */
int mmf_naming_check(const struct mmf_naming *naming);

/*
 * The same for a call that creates. MMF_E_RANGE: a mode beyond 0777. MMF_E_INVALID: one
 * for others, and this_user_only.
 */
int mmf_naming_check_new(const struct mmf_naming *naming);

/*
 * Parse `given`, which is not NULL; `parameter` is its argument name for messages. The
 * prefix decides who shares the name, unless all_users is set.
 *
 * MMF_E_INVALID  all_users with a "Local\" name; and as mmf_os_name_parse
 */
int mmf_naming_parse(const struct mmf_naming *naming, const char *given,
                     const char *parameter, struct mmf_name *name);

/* The permission bits of a new object. */
uint32_t mmf_naming_mode(const struct mmf_naming *naming);

#endif
