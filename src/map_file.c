/*
 * map_file.c - maps of files: by path, by handle and by descriptor (contract 2.2, 2.3).
 */
#include <stdbool.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "map.h"
#include "options.h"

/* Contract 2.2, steps 9 to 13: what the file's length means for the capacity. */
static int
fit_capacity(const struct mmf_os_file *file, mmf_access access, int64_t *capacity)
{
    int64_t length;
    int sized;
    int rc = mmf_os_file_length(file, &length, &sized);

    MMF_ASSERT(file != NULL && *capacity >= 0);
    if (rc < 0)
        return rc;
    if (*capacity == 0 && length == 0)
        return mmf_fail_argument(MMF_E_INVALID, "",
                                 "the file is empty: give a capacity of at least 1");
    if (*capacity == 0)
        *capacity = length;
    if (!sized)
        return MMF_OK;
    if (access == MMF_ACCESS_READ && *capacity > length)
        return mmf_fail_argument(
            MMF_E_INVALID, "",
            "a read-only map of %lld bytes needs a file of as many; it has "
            "%lld",
            (long long)*capacity, (long long)length);
    if (length > *capacity)
        return mmf_fail_argument(
            MMF_E_RANGE, "capacity",
            "the file has %lld bytes, more than the capacity of %lld: 0 maps it whole",
            (long long)length, (long long)*capacity);
    return MMF_OK;
}

/* Steps 9 to 16; a bad capacity is reported before a bad name. On failure the file is
 * abandoned. */
static int
map_file(struct mmf_os_file *file, const char *map_name, int64_t capacity,
         const mmf_map_options *options, mmf_map **out)
{
    const struct mmf_naming naming = mmf_map_naming(options);
    struct mmf_os_request request;
    struct mmf_name name;
    mmf_map *map = NULL;
    int rc;

    MMF_ASSERT(file != NULL && capacity >= 0);
    rc = fit_capacity(file, options->access, &capacity);
    if (rc == MMF_OK && map_name != NULL)
        rc = mmf_naming_parse(&naming, map_name, "mapName", &name);
    if (rc == MMF_OK)
        rc = mmf_map_new(mmf_can_of_access(options->access), &map);
    if (rc == MMF_OK) {
        request = mmf_map_request(options, map_name != NULL ? &name : NULL, capacity);
        rc = mmf_os_section_from_file(file, &request, options->leave_open,
                                      &map->section);
    }
    if (rc < 0) {
        mmf_error why;

        mmf_last_error(&why);
        mmf_os_file_abandon(file);
        mmf_fail_restore(&why);
    }
    return mmf_map_hand_over(rc, map, out);
}

static int
check_file_capacity(int64_t capacity)
{
    if (capacity < 0)
        return mmf_fail_argument(MMF_E_RANGE, "capacity",
                                 "invalid capacity of %lld bytes: 0 takes the file's "
                                 "length",
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

static int
check_share(mmf_file_share share)
{
    if (share != MMF_FILE_SHARE_DEFAULT && share != MMF_FILE_SHARE_READ &&
        share != MMF_FILE_SHARE_READ_WRITE)
        return mmf_fail_argument(MMF_E_RANGE, "share",
                                 "unknown share %d: MMF_FILE_SHARE_READ or _READ_WRITE",
                                 (int)share);
    return MMF_OK;
}

/* What .NET's FileStream refuses (contract 2.2, step 8). */
static int
check_file_open(const char *path, mmf_file_mode mode, mmf_access access)
{
    bool writes = mmf_access_row(access)->can_write;

    MMF_ASSERT(path != NULL);
    if (path[0] == '\0')
        return mmf_fail_argument(MMF_E_INVALID, "path", "the path is empty");
    if (mode < MMF_FILE_MODE_CREATE_NEW || mode > MMF_FILE_MODE_APPEND)
        return mmf_fail_argument(MMF_E_RANGE, "mode",
                                 "unknown file mode %d: MMF_FILE_MODE_... are 1 to 6",
                                 (int)mode);
    if (!writes && (mode == MMF_FILE_MODE_CREATE || mode == MMF_FILE_MODE_CREATE_NEW))
        return mmf_fail_argument(
            MMF_E_INVALID, "access",
            "a read-only map cannot create its file: use MMF_FILE_MODE_OPEN");
    return MMF_OK;
}

/* Contract 2.2. */
int
mmf_map_create_from_file(const char *path, mmf_file_mode mode, const char *map_name,
                         int64_t capacity, const mmf_map_options *given, mmf_map **out)
{
    struct mmf_os_file *file;
    mmf_map_options options;
    int rc = mmf_map_read_options(given, out, &options);

    mmf_os_cancellation_point();
    if (rc == MMF_OK && path == NULL)
        rc = mmf_fail_argument(MMF_E_NULL, "path", "the path is NULL");
    if (rc == MMF_OK)
        rc = mmf_map_check_name(map_name, "");
    if (rc == MMF_OK)
        rc = check_file_capacity(capacity);
    if (rc == MMF_OK)
        rc = mmf_map_check_new_access(options.access);
    if (rc == MMF_OK)
        rc = check_file_mode(mode);
    if (rc == MMF_OK)
        rc = mmf_map_check_settings(&options);
    if (rc == MMF_OK)
        rc = check_share(options.share);
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
    int rc = mmf_map_read_options(given, out, &options);

    if (rc == MMF_OK)
        rc = mmf_map_check_name(map_name, "");
    if (rc == MMF_OK)
        rc = check_file_capacity(capacity);
    if (rc == MMF_OK)
        rc = mmf_map_check_new_access(options.access);
    if (rc == MMF_OK)
        rc = wrap(handle, &file);
    if (rc < 0)
        return rc;
    rc = fit_capacity(file, MMF_ACCESS_READ_WRITE, &wanted);
    if (rc == MMF_OK || rc == MMF_E_RANGE)
        rc = mmf_map_check_settings(&options);
    if (rc == MMF_OK)
        rc = mmf_options_check_flag(options.leave_open, "leave_open");
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
