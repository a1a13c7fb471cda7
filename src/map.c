/*
 * map.c - a handle on a section, and .NET's rules for making one.
 *
 * .NET's rules (what may be asked for, contract 2) are here; the system's (how it is
 * done) are behind os.h. A request reaches os.h only if it is valid on every platform,
 * so all back ends refuse the same calls with the same status.
 */
#include "map.h"

#include <stdlib.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/name.h"
#include "options.h"

void
mmf_map_options_init(mmf_map_options *options)
{
    static const mmf_map_options defaults = {.size = sizeof(mmf_map_options)};

    if (options != NULL)
        *options = defaults;
}

void
mmf_map_options_init(mmf_map_options *options)
{
    static const mmf_map_options defaults = {.size = sizeof(mmf_map_options),
                                              .rights = MMF_RIGHTS_READ_WRITE};

    if (options != NULL)
        *options = defaults;
}

static uint32_t
can_by_rights(mmf_rights rights)
{
    uint32_t can = 0;

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

/*
 * The checks, each with .NET's name of the argument.
 */

static int
check_out(const void *out)
{
    return out != NULL ? MMF_OK : mmf_fail_argument(MMF_E_NULL, "out", "out is NULL");
}

/*
 * .NET's own check of a name, among the other arguments. What else can be wrong with a
 * name, the system says, so mmf_os_name_parse comes after all of them.
 */
static int
check_name_not_empty(const char *map_name, const char *parameter)
{
    if (map_name != NULL && map_name[0] == '\0')
        return mmf_fail_argument(MMF_E_INVALID, parameter, "the name is empty");
    return MMF_OK;
}

static int
check_capacity_positive(int64_t capacity)
{
    if (capacity < 1)
        return mmf_fail_argument(MMF_E_RANGE, "capacity",
                                 "a capacity of %lld bytes: at least 1 is needed",
                                 (long long)capacity);
    if (sizeof(void *) == 4 && capacity > (int64_t)UINT32_MAX)
        return mmf_fail_argument(MMF_E_RANGE, "capacity",
                                 "a 32-bit process cannot map %lld bytes",
                                 (long long)capacity);
    return MMF_OK;
}

static int
check_access_range(mmf_access access)
{
    if (access < MMF_ACCESS_READ_WRITE || access > MMF_ACCESS_READ_WRITE_EXECUTE)
        return mmf_fail_argument(MMF_E_RANGE, "access", "access %d is none", access);
    return MMF_OK;
}

static int
check_not_write_only(mmf_access access)
{
    if (access == MMF_ACCESS_WRITE)
        return mmf_fail_argument(MMF_E_INVALID, "access",
                                 "a map cannot be made for writing alone; views can");
    return MMF_OK;
}

static int
check_map_options(mmf_map_allocation options)
{
    if (options & ~MMF_DELAY_ALLOCATE_PAGES)
        return mmf_fail_argument(MMF_E_RANGE, "options", "options 0x%x are none",
                                 (unsigned)options);
    return MMF_OK;
}

static int
check_inheritability(mmf_inheritability inheritability)
{
    if (inheritability != MMF_INHERITABILITY_NONE &&
        inheritability != MMF_INHERITABILITY_INHERITABLE)
        return mmf_fail_argument(MMF_E_RANGE, "inheritability",
                                 "inheritability %d is none", inheritability);
    return MMF_OK;
}

/* Beyond .NET: fields of ours, checked after its own. */
static int
check_our_fields(const mmf_map_options *options)
{
    if (options->mode > 0777u)
        return mmf_fail_argument(MMF_E_RANGE, "mode", "mode 0%o is none",
                                 options->mode);
    if (options->share != MMF_FILE_SHARE_DEFAULT &&
        options->share != MMF_FILE_SHARE_READ &&
        options->share != MMF_FILE_SHARE_READ_WRITE)
        return mmf_fail_argument(MMF_E_RANGE, "share", "share %d is none",
                                 options->share);
    if (options->reserved != 0)
        return mmf_fail_argument(MMF_E_INVALID, "options",
                                 "the options' reserved field is not 0");
    return MMF_OK;
}

/* Options and inheritability in contract 2.4's order, and ours. */
static int
check_settings(const mmf_map_options *options)
{
    int rc = check_map_options(options->options);

    if (rc == MMF_OK)
        rc = check_inheritability(options->inheritability);
    if (rc == MMF_OK)
        rc = check_our_fields(options);
    return rc;
}

static int
read_options(const mmf_map_options *given, mmf_map_options *options)
{
    mmf_map_options_init(options);
    return mmf_options_read(given, options, sizeof(*options));
}

/*
 * Making the handle.
 */

/*
 * The handle comes before its section: once a section has taken over a descriptor or
 * made a file, nothing may fail any more.
 */
static mmf_map *
new_handle(uint32_t can)
{
    mmf_map *map = calloc(1, sizeof(*map));

    if (map == NULL)
        mmf_fail(MMF_E_NO_MEMORY, "no memory for a map handle");
    else
        map->can = can;
    return map;
}

/* `rc` tells whether the handle has got its section. */
static int
hand_over(int rc, mmf_map *map, mmf_map **out)
{
    if (rc < 0)
        free(map);
    else
        *out = map;
    return rc;
}

static void
fill_request(const mmf_map_options *options, const struct mmf_name *name, int64_t capacity,
             struct mmf_os_request *request)
{
    request->name = name;
    request->capacity = capacity;
    request->access = options->access;
    request->inheritability = options->inheritability;
    request->delay_allocate =
        (options->options & MMF_DELAY_ALLOCATE_PAGES) != 0;
    request->mode = options->mode;
}

/* Contract 2.4. */
int
mmf_map_create_new(const char *map_name, int64_t capacity, const mmf_map_options *given,
               mmf_map **out)
{
    struct mmf_os_request request;
    struct mmf_name name;
    mmf_map_options options;
    mmf_map *map;
    int rc = check_out(out);

    if (rc == MMF_OK)
        rc = read_options(given, &options);
    if (rc == MMF_OK)
        rc = check_name_not_empty(map_name, "");
    if (rc == MMF_OK)
        rc = check_capacity_positive(capacity);
    if (rc == MMF_OK)
        rc = check_access_range(options.access);
    if (rc == MMF_OK)
        rc = check_not_write_only(options.access);
    if (rc == MMF_OK)
        rc = check_settings(&options);
    if (rc == MMF_OK && map_name != NULL)
        rc = mmf_os_name_parse(map_name, "mapName", &name);
    if (rc < 0)
        return rc;
    map = new_handle(mmf_can_of_access(options.access));
    if (map == NULL)
        return MMF_E_NO_MEMORY;
    fill_request(&options, map_name != NULL ? &name : NULL, capacity, &request);
    rc = mmf_os_section_create(&request, &map->section);
    return hand_over(rc, map, out);
}

/* CreateOrOpen with write access only opens (contract 2.5). */
static int
open_for_writing(const struct mmf_name *name, const mmf_map_options *options,
                 struct mmf_os_section **section)
{
    int rc = mmf_os_section_open(name, MMF_CAN_WRITE, options->inheritability, section);

    if (rc == MMF_E_NOT_FOUND)
        return mmf_fail_argument(
            MMF_E_INVALID, "access",
            "there is no \"%.200s\" to open for writing, and none can "
            "be made for writing alone",
            name->text);
    return rc;
}

/* Contract 2.5. */
int
mmf_map_create_or_open(const char *map_name, int64_t capacity, const mmf_map_options *given,
                   mmf_map **out)
{
    struct mmf_os_request request;
    struct mmf_name name;
    mmf_map_options options;
    mmf_map *map;
    int created;
    int rc = check_out(out);

    if (rc == MMF_OK)
        rc = read_options(given, &options);
    if (rc == MMF_OK && map_name == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "mapName", "the name is NULL");
    if (rc == MMF_OK)
        rc = check_name_not_empty(map_name, "mapName");
    if (rc == MMF_OK)
        rc = check_capacity_positive(capacity);
    if (rc == MMF_OK)
        rc = check_access_range(options.access);
    if (rc == MMF_OK)
        rc = check_settings(&options);
    if (rc == MMF_OK)
        rc = mmf_os_name_parse(map_name, "mapName", &name);
    if (rc < 0)
        return rc;
    map = new_handle(mmf_can_of_access(options.access));
    if (map == NULL)
        return MMF_E_NO_MEMORY;
    fill_request(&options, &name, capacity, &request);
    if (options.access == MMF_ACCESS_WRITE)
        rc = open_for_writing(&name, &options, &map->section);
    else
        rc = mmf_os_section_create_or_open(&request, &map->section, &created);
    return hand_over(rc, map, out);
}

static int
read_open_options(const mmf_map_options *given, mmf_map_options *options)
{
    int rc;

    mmf_map_options_init(options);
    rc = mmf_options_read(given, options, sizeof(*options));
    if (rc == MMF_OK && options->reserved != 0)
        rc = mmf_fail_argument(MMF_E_INVALID, "options",
                               "the options' reserved field is not 0");
    return rc;
}

static int
check_open_options(const mmf_map_options *options)
{
    int rc = check_inheritability(options->inheritability);

    if (rc == MMF_OK && (options->rights & ~(MMF_RIGHTS_FULL_CONTROL |
                                             MMF_RIGHTS_ACCESS_SYSTEM_SECURITY)))
        rc = mmf_fail_argument(MMF_E_RANGE, "desiredAccessRights",
                               "rights 0x%x are none", (unsigned)options->rights);
    return rc;
}

/* Windows' privilege to read an object's audit list; nobody here has it. */
static int
check_system_security(mmf_rights rights)
{
    if (rights & MMF_RIGHTS_ACCESS_SYSTEM_SECURITY)
        return mmf_fail(MMF_E_IO,
                        "the right AccessSystemSecurity needs a privilege that "
                        "this process does not have");
    return MMF_OK;
}

/* Contract 2.1. */
int
mmf_map_open_existing(const char *map_name, const mmf_map_options *given, mmf_map **out)
{
    struct mmf_name name;
    mmf_map_options options;
    mmf_map *map;
    int rc = check_out(out);

    if (rc == MMF_OK)
        rc = read_open_options(given, &options);
    if (rc == MMF_OK && map_name == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "mapName", "the name is NULL");
    if (rc == MMF_OK)
        rc = check_name_not_empty(map_name, "mapName");
    if (rc == MMF_OK)
        rc = check_open_options(&options);
    if (rc == MMF_OK)
        rc = mmf_os_name_parse(map_name, "mapName", &name);
    if (rc < 0)
        return rc;
    map = new_handle(can_by_rights(options.rights));
    if (map == NULL)
        return MMF_E_NO_MEMORY;
    rc = mmf_os_section_open(&name, map->can, options.inheritability, &map->section);
    if (rc == MMF_OK) {
        rc = check_system_security(options.rights);
        if (rc < 0)
            mmf_os_section_close(map->section);
    }
    return hand_over(rc, map, out);
}

int
mmf_map_open_inherited(intptr_t handle, const mmf_map_options *given, mmf_map **out)
{
    mmf_map_options options;
    mmf_map *map;
    int rc = check_out(out);

    if (rc == MMF_OK)
        rc = read_open_options(given, &options);
    if (rc == MMF_OK)
        rc = check_open_options(&options);
    if (rc == MMF_OK)
        rc = check_system_security(options.rights);
    if (rc < 0)
        return rc;
    map = new_handle(can_by_rights(options.rights));
    if (map == NULL)
        return MMF_E_NO_MEMORY;
    rc = mmf_os_section_adopt(handle, map->can, options.inheritability, &map->section);
    return hand_over(rc, map, out);
}

/*
 * Files.
 */

/* Contract 2.2, steps 9 to 13: what the file's length means for the capacity. */
static int
fit_capacity(const struct mmf_os_file *file, mmf_access access, int64_t *capacity)
{
    int64_t length;
    int sized;
    int rc = mmf_os_file_length(file, &length, &sized);

    if (rc < 0)
        return rc;
    if (*capacity == 0 && length == 0)
        return mmf_fail_argument(MMF_E_INVALID, "",
                                 "the file is empty, and no capacity was given");
    if (*capacity == 0)
        *capacity = length;
    if (!sized)
        return MMF_OK;
    if (access == MMF_ACCESS_READ && *capacity > length)
        return mmf_fail_argument(
            MMF_E_INVALID, "",
            "a map for reading cannot be larger (%lld bytes) than its "
            "file (%lld)",
            (long long)*capacity, (long long)length);
    if (length > *capacity)
        return mmf_fail_argument(
            MMF_E_RANGE, "capacity",
            "the file has %lld bytes, more than the capacity of %lld",
            (long long)length, (long long)*capacity);
    return MMF_OK;
}

/* Steps 9 to 16; a bad capacity is told before a bad name. Failing abandons the file.
 */
static int
map_file(struct mmf_os_file *file, const char *map_name, int64_t capacity,
         const mmf_map_options *options, mmf_map **out)
{
    struct mmf_os_request request;
    struct mmf_name name;
    mmf_map *map = NULL;
    int rc = fit_capacity(file, options->access, &capacity);

    if (rc == MMF_OK && map_name != NULL)
        rc = mmf_os_name_parse(map_name, "mapName", &name);
    if (rc == MMF_OK) {
        map = new_handle(mmf_can_of_access(options->access));
        rc = map != NULL ? MMF_OK : MMF_E_NO_MEMORY;
    }
    if (rc == MMF_OK) {
        fill_request(options, map_name != NULL ? &name : NULL, capacity, &request);
        rc = mmf_os_section_from_file(file, &request, options->leave_open,
                                      &map->section);
    }
    if (rc < 0) {
        mmf_error why;

        mmf_last_error(&why);
        mmf_os_file_abandon(file);
        mmf_fail_restore(&why);
    }
    return hand_over(rc, map, out);
}

static int
check_file_capacity(int64_t capacity)
{
    if (capacity < 0)
        return mmf_fail_argument(MMF_E_RANGE, "capacity", "a capacity of %lld bytes",
                                 (long long)capacity);
    return MMF_OK;
}

static int
check_file_mode(mmf_file_mode mode)
{
    if (mode == MMF_FILE_MODE_APPEND)
        return mmf_fail_argument(MMF_E_INVALID, "mode",
                                 "a map cannot append to a file");
    if (mode == MMF_FILE_MODE_TRUNCATE)
        return mmf_fail_argument(MMF_E_INVALID, "mode",
                                 "a map cannot truncate its file; CREATE does");
    return MMF_OK;
}

/* What .NET's FileStream refuses (contract 2.2, step 8). */
static int
check_file_open(const char *path, mmf_file_mode mode, mmf_access access)
{
    int reads_only = access == MMF_ACCESS_READ || access == MMF_ACCESS_READ_EXECUTE;

    if (path[0] == '\0')
        return mmf_fail_argument(MMF_E_INVALID, "path", "the path is empty");
    if (mode < MMF_FILE_MODE_CREATE_NEW || mode > MMF_FILE_MODE_APPEND)
        return mmf_fail_argument(MMF_E_RANGE, "mode", "file mode %d is none", mode);
    if (reads_only &&
        (mode == MMF_FILE_MODE_CREATE || mode == MMF_FILE_MODE_CREATE_NEW))
        return mmf_fail_argument(MMF_E_INVALID, "access",
                                 "a file cannot be made for reading alone");
    return MMF_OK;
}

/* Contract 2.2. */
int
mmf_map_create_from_file(const char *path, mmf_file_mode mode, const char *map_name,
                     int64_t capacity, const mmf_map_options *given, mmf_map **out)
{
    struct mmf_os_file *file;
    mmf_map_options options;
    int rc = check_out(out);

    if (rc == MMF_OK)
        rc = read_options(given, &options);
    if (rc == MMF_OK && path == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "path", "the path is NULL");
    if (rc == MMF_OK)
        rc = check_name_not_empty(map_name, "");
    if (rc == MMF_OK)
        rc = check_file_capacity(capacity);
    if (rc == MMF_OK)
        rc = check_access_range(options.access);
    if (rc == MMF_OK)
        rc = check_not_write_only(options.access);
    if (rc == MMF_OK)
        rc = check_file_mode(mode);
    if (rc == MMF_OK)
        rc = check_settings(&options);
    if (rc == MMF_OK)
        rc = check_file_open(path, mode, options.access);
    if (rc < 0)
        return rc;
    options.inheritability =
        MMF_INHERITABILITY_NONE; /* .NET's form has no such choice */
    options.leave_open = 0;
    rc = mmf_os_file_open(path, mode, options.access, options.share, &file);
    if (rc < 0)
        return rc;
    return map_file(file, map_name, capacity, &options, out);
}

/* Contract 2.3: inheritability comes after the length. */
static int
create_from_open_file(int (*wrap)(intptr_t handle, struct mmf_os_file **out),
                      intptr_t handle, const char *map_name, int64_t capacity,
                      const mmf_map_options *given, mmf_map **out)
{
    struct mmf_os_file *file;
    mmf_map_options options;
    int64_t wanted = capacity;
    int rc = check_out(out);

    if (rc == MMF_OK)
        rc = read_options(given, &options);
    if (rc == MMF_OK)
        rc = check_name_not_empty(map_name, "");
    if (rc == MMF_OK)
        rc = check_file_capacity(capacity);
    if (rc == MMF_OK)
        rc = check_access_range(options.access);
    if (rc == MMF_OK)
        rc = check_not_write_only(options.access);
    if (rc == MMF_OK)
        rc = wrap(handle, &file);
    if (rc < 0)
        return rc;
    rc = fit_capacity(file, MMF_ACCESS_READ_WRITE, &wanted);
    if (rc == MMF_OK || rc == MMF_E_RANGE)
        rc = check_settings(&options);
    if (rc < 0) {
        mmf_os_file_abandon(file);
        return rc;
    }
    return map_file(file, map_name, capacity, &options, out);
}

int
mmf_map_create_from_handle(intptr_t handle, const char *map_name, int64_t capacity,
                       const mmf_map_options *options, mmf_map **out)
{
    return create_from_open_file(mmf_os_file_wrap, handle, map_name, capacity, options,
                                 out);
}

static int
wrap_descriptor(intptr_t fd, struct mmf_os_file **out)
{
    intptr_t handle;
    int rc = mmf_os_handle_of_fd((int)fd, &handle);

    return rc < 0 ? rc : mmf_os_file_wrap(handle, out);
}

int
mmf_map_create_from_fd(int fd, const char *map_name, int64_t capacity,
                   const mmf_map_options *options, mmf_map **out)
{
    return create_from_open_file(wrap_descriptor, fd, map_name, capacity, options, out);
}

/*
 * The handle.
 */

void
mmf_map_close(mmf_map *map)
{
    if (map == NULL)
        return;
    mmf_os_section_close(map->section);
    free(map);
}

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
