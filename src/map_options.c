/*
 * map_options.c - options and arguments of maps, and their handles.
 *
 * .NET's rules (what may be asked for, contract 2) are here; the system's (how it is
 * done) are behind os.h. A request reaches os.h only if it is valid on every platform,
 * so all back ends refuse the same calls with the same status.
 */
#include <stdlib.h>

#include <mmf/status.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/invariant.h"
#include "map.h"
#include "options.h"

void
mmf_map_options_init(mmf_map_options *options)
{
    static const mmf_map_options defaults = {.size = sizeof(mmf_map_options)};

    if (options != NULL)
        *options = defaults;
}

/*
 * The checks, each with .NET's name of the argument.
 */

int
mmf_map_read_options(const mmf_map_options *given, const void *out,
                     mmf_map_options *options)
{
    if (out == NULL)
        return mmf_fail_null("out");
    return mmf_options_read(given, options, sizeof(*options));
}

/*
 * .NET's own check of a name, among the other arguments. What else can be wrong with a
 * name, the system says, so it is parsed after all of them.
 */
int
mmf_map_check_name(const char *map_name, const char *parameter)
{
    if (map_name != NULL && map_name[0] == '\0')
        return mmf_fail_argument(MMF_E_INVALID, parameter, "the name is empty");
    return MMF_OK;
}

int
mmf_map_check_access(mmf_access access)
{
    if (mmf_access_find(access) == NULL)
        return mmf_fail_argument(MMF_E_RANGE, "access",
                                 "unknown access %d: MMF_ACCESS_... are 0 to %d",
                                 (int)access, (int)MMF_ACCESS_READ_WRITE_EXECUTE);
    return MMF_OK;
}

int
mmf_map_check_new_access(mmf_access access)
{
    int rc = mmf_map_check_access(access);

    if (rc == MMF_OK && access == MMF_ACCESS_WRITE)
        return mmf_fail_argument(MMF_E_INVALID, "access",
                                 "a map cannot be created write-only; its views can");
    return rc;
}

static int
check_allocation(mmf_map_allocation allocation)
{
    if (allocation != MMF_ALLOCATE_NOW && allocation != MMF_DELAY_ALLOCATE_PAGES)
        return mmf_fail_argument(MMF_E_RANGE, "options",
                                 "unknown allocation 0x%x: MMF_ALLOCATE_NOW or "
                                 "MMF_DELAY_ALLOCATE_PAGES",
                                 (unsigned)allocation);
    return MMF_OK;
}

int
mmf_map_check_inheritability(mmf_inheritability inheritability)
{
    if (inheritability != MMF_INHERITABILITY_NONE &&
        inheritability != MMF_INHERITABILITY_INHERITABLE)
        return mmf_fail_argument(MMF_E_RANGE, "inheritability",
                                 "unknown inheritability %d: 0 or 1",
                                 (int)inheritability);
    return MMF_OK;
}

struct mmf_naming
mmf_map_naming(const mmf_map_options *options)
{
    return (struct mmf_naming){.all_users = options->all_users, .mode = options->mode};
}

int
mmf_map_check_settings(const mmf_map_options *options)
{
    const struct mmf_naming naming = mmf_map_naming(options);
    int rc = check_allocation(options->allocation);

    if (rc == MMF_OK)
        rc = mmf_map_check_inheritability(options->inheritability);
    if (rc == MMF_OK)
        rc = mmf_naming_check_new(&naming);
    if (rc == MMF_OK)
        rc = mmf_options_check_reserved(options->reserved);
    return rc;
}

/*
 * The handle.
 */

int
mmf_map_new(uint32_t can, mmf_map **out)
{
    mmf_map *map = mmf_alloc(sizeof(*map));

    if (map == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a map handle");
    map->can = can;
    *out = map;
    return MMF_OK;
}

int
mmf_map_hand_over(int rc, mmf_map *map, mmf_map **out)
{
    if (rc < 0) {
        free(map);
        return rc;
    }
    MMF_ASSERT(map != NULL && map->section != NULL);
    *out = map;
    return rc;
}

struct mmf_os_request
mmf_map_request(const mmf_map_options *options, const struct mmf_name *name,
                int64_t capacity)
{
    const struct mmf_naming naming = mmf_map_naming(options);

    MMF_ASSERT(capacity >= 0);
    return (struct mmf_os_request){
        .name = name,
        .capacity = capacity,
        .access = options->access,
        .inheritability = options->inheritability,
        .delay_allocate = options->allocation == MMF_DELAY_ALLOCATE_PAGES,
        .mode = mmf_naming_mode(&naming),
    };
}
