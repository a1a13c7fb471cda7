/*
 * map.c - maps by name, without one, and inherited (contract 2.1, 2.4, 2.5).
 */
#include "map.h"

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "create_or_open.h"
#include "options.h"

/*
 * What is asked of the os, and what it gave.
 */

struct map_request {
    struct mmf_os_request os;
    uint32_t needs; /* MMF_CAN_...: of a map that exists */
    struct mmf_os_section *section;
};

static int
create_section(void *payload)
{
    struct map_request *request = payload;

    MMF_ASSERT(request->os.capacity >= 1 && request->section == NULL);
    return mmf_os_section_create(&request->os, &request->section);
}

static int
open_section(void *payload)
{
    struct map_request *request = payload;

    MMF_ASSERT(request->os.name != NULL && request->section == NULL);
    return mmf_os_section_open(request->os.name, request->needs,
                               request->os.inheritability, &request->section);
}

static struct mmf_opener
opener_for(struct map_request *request)
{
    return (struct mmf_opener){.create = create_section,
                               .open = open_section,
                               .request = request,
                               .name = request->os.name->text};
}

static int
check_capacity_positive(int64_t capacity)
{
    if (capacity < 1)
        return mmf_fail_argument(MMF_E_RANGE, "capacity",
                                 "invalid capacity of %lld bytes: at least 1",
                                 (long long)capacity);
    if (sizeof(void *) == 4 && capacity > (int64_t)UINT32_MAX)
        return mmf_fail_argument(MMF_E_RANGE, "capacity",
                                 "a 32-bit process cannot map %lld bytes",
                                 (long long)capacity);
    return MMF_OK;
}

static int
check_name_given(const char *map_name)
{
    if (map_name == NULL)
        return mmf_fail_argument(MMF_E_NULL, "mapName", "the name is NULL");
    return mmf_map_check_name(map_name, "mapName");
}

static int
parse_name(const char *map_name, const mmf_map_options *options, struct mmf_name *name)
{
    const struct mmf_naming naming = mmf_map_naming(options);

    return mmf_naming_parse(&naming, map_name, "mapName", name);
}

/*
 * Creating.
 */

/* Contract 2.4. */
int
mmf_map_create_new(const char *map_name, int64_t capacity, const mmf_map_options *given,
                   mmf_map **out)
{
    struct mmf_os_request request;
    struct mmf_name name;
    mmf_map_options options;
    mmf_map *map;
    int rc = mmf_map_read_options(given, out, &options);

    mmf_os_cancellation_point();
    if (rc == MMF_OK)
        rc = mmf_map_check_name(map_name, "");
    if (rc == MMF_OK)
        rc = check_capacity_positive(capacity);
    if (rc == MMF_OK)
        rc = mmf_map_check_new_access(options.access);
    if (rc == MMF_OK)
        rc = mmf_map_check_settings(&options);
    if (rc == MMF_OK && map_name != NULL)
        rc = parse_name(map_name, &options, &name);
    if (rc == MMF_OK)
        rc = mmf_map_new(mmf_can_of_access(options.access), &map);
    if (rc < 0)
        return rc;
    request = mmf_map_request(&options, map_name != NULL ? &name : NULL, capacity);
    rc = mmf_os_section_create(&request, &map->section);
    return mmf_map_hand_over(rc, map, out);
}

/* CreateOrOpen with write access only opens (contract 2.5). */
static int
open_to_write(const struct mmf_opener *opener)
{
    int rc = mmf_open_existing(opener, 0);

    if (rc == MMF_E_NOT_FOUND)
        return mmf_fail_argument(MMF_E_INVALID, "access",
                                 "no such map: \"%.200s\"; a new one cannot be "
                                 "write-only",
                                 opener->name);
    return rc;
}

/* In the system's units, in which it reports capacities. */
static int64_t
round_up(int64_t capacity)
{
    int64_t unit = mmf_os_limits().capacity_unit;

    MMF_ASSERT(capacity >= 1 && unit >= 1);
    return capacity > INT64_MAX - unit ? capacity : (capacity + unit - 1) / unit * unit;
}

static int
check_exact(const struct map_request *request)
{
    int64_t capacity = mmf_os_section_capacity(request->section);

    if (capacity == round_up(request->os.capacity))
        return MMF_OK;
    return mmf_fail_argument(
        MMF_E_MISMATCH, "capacity",
        "map \"%.200s\" exists with a capacity of %lld bytes; %lld were asked for "
        "(exact_capacity)",
        request->os.name->text, (long long)capacity, (long long)request->os.capacity);
}

/* The section and whether it is new; on failure nothing is open. */
static int
find_section(struct map_request *request, const mmf_map_options *options, int *created)
{
    const struct mmf_opener opener = opener_for(request);
    int rc;

    *created = 0;
    if (options->access == MMF_ACCESS_WRITE)
        rc = open_to_write(&opener);
    else
        rc = mmf_create_or_open(&opener, created);
    if (rc == MMF_OK && !*created && options->exact_capacity) {
        rc = check_exact(request);
        if (rc < 0)
            mmf_os_section_close(request->section);
    }
    return rc;
}

/* Contract 2.5. */
int
mmf_map_create_or_open(const char *map_name, int64_t capacity,
                       const mmf_map_options *given, int *created, mmf_map **out)
{
    struct map_request request = {0};
    struct mmf_name name;
    mmf_map_options options;
    mmf_map *map;
    int is_new = 0;
    int rc = mmf_map_read_options(given, out, &options);

    mmf_os_cancellation_point();
    if (rc == MMF_OK)
        rc = check_name_given(map_name);
    if (rc == MMF_OK)
        rc = check_capacity_positive(capacity);
    if (rc == MMF_OK)
        rc = mmf_map_check_access(options.access);
    if (rc == MMF_OK)
        rc = mmf_map_check_settings(&options);
    if (rc == MMF_OK)
        rc = mmf_options_check_flag(options.exact_capacity, "exact_capacity");
    if (rc == MMF_OK)
        rc = parse_name(map_name, &options, &name);
    if (rc == MMF_OK)
        rc = mmf_map_new(mmf_can_of_access(options.access), &map);
    if (rc < 0)
        return rc;
    request.os = mmf_map_request(&options, &name, capacity);
    request.needs = map->can;
    rc = find_section(&request, &options, &is_new);
    map->section = request.section;
    if (rc == MMF_OK && created != NULL)
        *created = is_new;
    return mmf_map_hand_over(rc, map, out);
}

/*
 * Opening.
 */

static uint32_t
can_by_rights(mmf_rights rights)
{
    uint32_t can = 0;

    MMF_ASSERT(rights != 0);
    if (rights & MMF_RIGHTS_READ)
        can |= MMF_CAN_READ;
    if (rights & MMF_RIGHTS_WRITE)
        can |= MMF_CAN_WRITE;
    if (rights & MMF_RIGHTS_EXECUTE)
        can |= MMF_CAN_EXECUTE;
    if (rights & MMF_RIGHTS_COPY_ON_WRITE)
        can |= MMF_CAN_COPY;
    return can;
}

/* What an opened handle is for. */
static uint32_t
can_of(const mmf_map_options *options)
{
    return options->rights != 0 ? can_by_rights(options->rights)
                                : mmf_can_of_access(options->access);
}

static int
check_rights(mmf_rights rights)
{
    static const uint32_t known =
        (uint32_t)MMF_RIGHTS_FULL_CONTROL | (uint32_t)MMF_RIGHTS_ACCESS_SYSTEM_SECURITY;

    if ((uint32_t)rights & ~known)
        return mmf_fail_argument(MMF_E_RANGE, "desiredAccessRights",
                                 "unknown rights 0x%x: MMF_RIGHTS_... are in 0x%x",
                                 (uint32_t)rights & ~known, known);
    return MMF_OK;
}

static int
check_open_options(const mmf_map_options *options)
{
    int rc = mmf_map_check_inheritability(options->inheritability);

    if (rc == MMF_OK)
        rc = check_rights(options->rights);
    if (rc == MMF_OK && options->rights == 0)
        rc = mmf_map_check_access(options->access);
    if (rc == MMF_OK)
        rc = mmf_options_check_reserved(options->reserved);
    return rc;
}

/* Windows' privilege to read an object's audit list; no process of ours has it. */
static int
check_system_security(mmf_rights rights)
{
    if (rights & MMF_RIGHTS_ACCESS_SYSTEM_SECURITY)
        return mmf_fail(MMF_E_IO,
                        "the right AccessSystemSecurity needs a privilege that "
                        "this process does not have");
    return MMF_OK;
}

static int
check_open_by_name(const char *map_name, const mmf_map_options *options)
{
    const struct mmf_naming naming = mmf_map_naming(options);
    int rc = check_name_given(map_name);

    if (rc == MMF_OK)
        rc = check_open_options(options);
    if (rc == MMF_OK)
        rc = mmf_naming_check(&naming);
    if (rc == MMF_OK)
        rc = mmf_check_wait(options->wait_ms);
    return rc;
}

/* Contract 2.1. */
int
mmf_map_open_existing(const char *map_name, const mmf_map_options *given, mmf_map **out)
{
    struct map_request request = {0};
    struct mmf_opener opener;
    struct mmf_name name;
    mmf_map_options options;
    mmf_map *map;
    int rc = mmf_map_read_options(given, out, &options);

    mmf_os_cancellation_point();
    if (rc == MMF_OK)
        rc = check_open_by_name(map_name, &options);
    if (rc == MMF_OK)
        rc = parse_name(map_name, &options, &name);
    if (rc == MMF_OK)
        rc = mmf_map_new(can_of(&options), &map);
    if (rc < 0)
        return rc;
    request.os = mmf_map_request(&options, &name, 0);
    request.needs = map->can;
    opener = opener_for(&request);
    rc = mmf_open_existing(&opener, options.wait_ms);
    if (rc == MMF_OK) {
        rc = check_system_security(options.rights);
        if (rc < 0)
            mmf_os_section_close(request.section);
    }
    map->section = request.section;
    return mmf_map_hand_over(rc, map, out);
}

int
mmf_map_open_inherited(intptr_t handle, const mmf_map_options *given, mmf_map **out)
{
    mmf_map_options options;
    mmf_map *map;
    int rc = mmf_map_read_options(given, out, &options);

    if (rc == MMF_OK)
        rc = check_open_options(&options);
    if (rc == MMF_OK)
        rc = check_system_security(options.rights);
    if (rc == MMF_OK)
        rc = mmf_map_new(can_of(&options), &map);
    if (rc < 0)
        return rc;
    rc = mmf_os_section_adopt(handle, map->can, options.inheritability, &map->section);
    return mmf_map_hand_over(rc, map, out);
}

/*
 * The handle.
 */

int
mmf_map_capacity(const mmf_map *map, int64_t *capacity)
{
    if (map == NULL || capacity == NULL)
        return mmf_fail_argument(MMF_E_NULL, map == NULL ? "map" : "capacity",
                                 "an argument is NULL");
    *capacity = mmf_os_section_capacity(map->section);
    return MMF_OK;
}

int
mmf_map_native_handle(const mmf_map *map, intptr_t *handle)
{
    int rc;

    if (map == NULL || handle == NULL)
        return mmf_fail_argument(MMF_E_NULL, map == NULL ? "map" : "handle",
                                 "an argument is NULL");
    rc = mmf_os_section_check_alive(map->section);
    if (rc < 0)
        return rc;
    *handle = mmf_os_section_handle(map->section);
    return MMF_OK;
}
