/*
 * naming.c - one way to share a name with other users, for every kind of object.
 */
#include "naming.h"

#include <stdbool.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "options.h"
#include "os/os.h"

enum {
    MODE_OF_ALL = 0666,
    MODE_OF_ONE = 0600,
    MODE_OF_OTHERS = 0077,
    MODE_MOST = 0777
};

int
mmf_naming_check(const struct mmf_naming *naming)
{
    int rc = mmf_options_check_flag(naming->all_users, "all_users");

    if (rc == MMF_OK)
        rc = mmf_options_check_flag(naming->this_user_only, "this_user_only");
    if (rc == MMF_OK && naming->all_users && naming->this_user_only)
        rc =
            mmf_fail_argument(MMF_E_INVALID, "options",
                              "all_users and this_user_only contradict each other: set "
                              "one of them");
    return rc;
}

int
mmf_naming_check_new(const struct mmf_naming *naming)
{
    if (naming->mode > MODE_MOST)
        return mmf_fail_argument(MMF_E_RANGE, "mode", "invalid mode 0%o: at most 0%o",
                                 naming->mode, MODE_MOST);
    if (naming->this_user_only == 1 && (naming->mode & MODE_OF_OTHERS) != 0)
        return mmf_fail_argument(
            MMF_E_INVALID, "options",
            "this_user_only contradicts mode 0%o, which lets others in: 0%o does not",
            naming->mode, naming->mode & ~(uint32_t)MODE_OF_OTHERS);
    return mmf_naming_check(naming);
}

static bool
has_local_prefix(const struct mmf_name *name)
{
    return name->text != name->given && name->scope == MMF_SCOPE_LOCAL;
}

int
mmf_naming_parse(const struct mmf_naming *naming, const char *given,
                 const char *parameter, struct mmf_name *name)
{
    int rc;

    MMF_ASSERT(given != NULL && parameter != NULL);
    rc = mmf_os_name_parse(given, parameter, name);
    if (rc < 0)
        return rc;
    if (naming->all_users && has_local_prefix(name))
        return mmf_fail_argument(MMF_E_INVALID, parameter,
                                 "name \"%.200s\": all_users contradicts the prefix "
                                 "Local\\: write \"%.200s\", or \"Global\\%.200s\"",
                                 given, name->text, name->text);
    if (naming->all_users)
        name->scope = MMF_SCOPE_GLOBAL;
    name->user_only = naming->this_user_only;
    return MMF_OK;
}

uint32_t
mmf_naming_mode(const struct mmf_naming *naming)
{
    if (naming->mode != 0)
        return naming->mode;
    return naming->all_users ? MODE_OF_ALL : MODE_OF_ONE;
}
