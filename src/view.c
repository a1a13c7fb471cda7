/*
 * view.c - offset and size become a checked window; .NET's rules for views.
 */
#include "view.h"

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "map.h"
#include "options.h"

void
mmf_view_options_init(mmf_view_options *options)
{
    static const mmf_view_options defaults = {.size = sizeof(mmf_view_options)};

    if (options != NULL)
        *options = defaults;
}

/* Contract 2.6, the checks that know only the arguments. */
static int
check_arguments(int64_t offset, int64_t size, mmf_access access)
{
    int rc;

    if (offset < 0)
        return mmf_fail_argument(MMF_E_RANGE, "offset",
                                 "invalid offset %lld: at least 0", (long long)offset);
    if (size < 0)
        return mmf_fail_argument(MMF_E_RANGE, "size",
                                 "invalid size of %lld bytes: 0 views the rest",
                                 (long long)size);
    rc = mmf_map_check_access(access);
    if (rc < 0)
        return rc;
    if (sizeof(void *) == 4 && size > (int64_t)UINT32_MAX)
        return mmf_fail_argument(MMF_E_RANGE, "size",
                                 "a 32-bit process cannot view %lld bytes",
                                 (long long)size);
    return MMF_OK;
}

static int
fail_address_space(int64_t size)
{
    return mmf_fail_argument(MMF_E_NO_MEMORY, "size",
                             "a view of %lld bytes is larger than any address space",
                             (long long)size);
}

/*
 * The window must lie in the map; size 0 becomes the rest, which .NET finds to be
 * negative past the end, as long as Windows can map the block before. The rest, and
 * what a mapping has before an unaligned window, can be more than a 32-bit process can
 * address.
 */
static int
check_window(const mmf_map *map, int64_t offset, int64_t *size)
{
    static const int64_t block = 65536; /* where mappings begin on Windows */
    int64_t capacity = mmf_os_section_capacity(map->section);
    struct mmf_os_limits limits = mmf_os_limits();

    MMF_ASSERT(offset >= 0 && *size >= 0);
    if (*size >= limits.address_space)
        return fail_address_space(*size);
    if (*size == 0 && offset > capacity && offset - offset % block < capacity)
        return mmf_fail_argument(MMF_E_RANGE, "offset",
                                 "offset %lld is past the end of a map of %lld bytes",
                                 (long long)offset, (long long)capacity);
    if (offset > capacity || *size > capacity - offset)
        return mmf_fail(
            MMF_E_ACCESS,
            "a view of %lld bytes from offset %lld passes the end of a map of "
            "%lld bytes",
            (long long)*size, (long long)offset, (long long)capacity);
    if (*size == 0)
        *size = capacity - offset;
    if (*size >= limits.address_space - offset % limits.granularity)
        return fail_address_space(*size);
    return MMF_OK;
}

/*
 * Two layers (contract 2.8): what the handle was opened for, then what the map's
 * creator granted. A view is allowed if it needs no more than each (contract 2.7).
 */
static int
check_rights(const mmf_map *map, mmf_access access)
{
    uint32_t needs = mmf_can_of_access(access);
    uint32_t given = mmf_os_section_given(map->section);
    uint32_t can = map->can;

    MMF_ASSERT(map->section != NULL);
    /* Windows has no pages that are written alone: a handle to write does both at once. */
    if ((access == MMF_ACCESS_COPY_ON_WRITE && (can & MMF_CAN_COPY)) ||
        (needs & can & MMF_CAN_WRITE))
        can |= MMF_CAN_READ;
    if (needs & ~can)
        return mmf_fail(MMF_E_ACCESS,
                        "this handle was not opened for a view with access %d",
                        (int)access);
    if (needs & ~given)
        return mmf_fail(MMF_E_IO, "the map's creator did not grant access %d",
                        (int)access);
    return MMF_OK;
}

static int
read_flags(const mmf_view_options *given, mmf_view_flags *flags)
{
    static const mmf_view_flags known =
        MMF_VIEW_POPULATE | MMF_VIEW_LOCK | MMF_VIEW_HUGE_PAGES | MMF_VIEW_BEST_EFFORT;
    mmf_view_options options;
    int rc = mmf_options_read(given, &options, sizeof(options));

    if (rc < 0)
        return rc;
    if (options.flags & ~known)
        return mmf_fail_argument(MMF_E_INVALID, "options",
                                 "unknown view flags 0x%x: MMF_VIEW_... are in 0x%x",
                                 options.flags & ~known, known);
    *flags = options.flags;
    return MMF_OK;
}

/*
 * A view of nothing: it has an address, as .NET's has, but no mapping. Where mappings
 * are aligned to more than a page, .NET counts the pages before it.
 */
static void
make_empty(struct mmf_view *view, int64_t lead)
{
    static uint8_t nothing;

    MMF_ASSERT(lead >= 0);
    view->bytes = &nothing;
    view->size = 0;
    view->pointer_offset = lead - lead % mmf_os_limits().page_size;
    view->granted = 0;
    view->is_mapped = false;
}

/*
 * What was asked for beyond the mapping, one flag after the other. With BEST_EFFORT the
 * host may refuse it.
 */
static int
apply_flags(const mmf_map *map, mmf_access access, mmf_view_flags flags,
            struct mmf_view *view)
{
    static const mmf_view_flags order[] = {MMF_VIEW_HUGE_PAGES, MMF_VIEW_POPULATE,
                                           MMF_VIEW_LOCK};
    mmf_error before;

    MMF_ASSERT(view->os.base != NULL && view->granted == 0);
    mmf_last_error(&before);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        int rc;

        if (!(flags & order[i]))
            continue;
        rc = mmf_os_view_apply(map->section, &view->os, access, order[i]);
        if (rc == MMF_OK)
            view->granted |= order[i];
        else if (!(flags & MMF_VIEW_BEST_EFFORT))
            return rc;
        else
            mmf_fail_restore(&before);
    }
    return MMF_OK;
}

static int
map_window(mmf_map *map, int64_t offset, int64_t size, mmf_access access,
           mmf_view_flags flags, struct mmf_view *view)
{
    int64_t lead = offset % mmf_os_limits().granularity;
    int rc;

    MMF_ASSERT(offset >= 0 && size >= 0);
    if (size == 0) {
        make_empty(view, lead);
        return MMF_OK;
    }
    rc = mmf_os_view_map(map->section, offset - lead, size + lead, access, &view->os);
    if (rc < 0)
        return rc;
    view->granted = 0;
    rc = flags != 0 ? apply_flags(map, access, flags, view) : MMF_OK;
    if (rc < 0) {
        mmf_os_view_unmap(&view->os);
        return rc;
    }
    view->bytes = (uint8_t *)view->os.base + lead;
    view->size = size;
    view->pointer_offset = lead;
    view->is_mapped = true;
    return MMF_OK;
}

int
mmf_view_open(mmf_map *map, int64_t offset, int64_t size, mmf_access access,
              const mmf_view_options *options, struct mmf_view *view)
{
    mmf_view_flags flags = 0;
    int rc;

    if (map == NULL)
        return mmf_fail_argument(MMF_E_NULL, "map", "the map is NULL");
    rc = read_flags(options, &flags);
    if (rc == MMF_OK)
        rc = check_arguments(offset, size, access);
    if (rc == MMF_OK)
        rc = mmf_os_section_check_alive(map->section);
    if (rc == MMF_OK)
        rc = check_window(map, offset, &size);
    if (rc == MMF_OK)
        rc = check_rights(map, access);
    if (rc == MMF_OK)
        rc = map_window(map, offset, size, access, flags, view);
    if (rc < 0)
        return rc;
    view->can_read = mmf_access_row(access)->can_read;
    view->can_write = mmf_access_row(access)->can_write;
    return MMF_OK;
}

int
mmf_view_flush(struct mmf_view *view)
{
    return view->is_mapped && view->os.writes_back ? mmf_os_view_flush(&view->os)
                                                   : MMF_OK;
}

void
mmf_view_close(struct mmf_view *view)
{
    if (!view->is_mapped)
        return;
    if (view->can_write && view->os.writes_back) {
        mmf_error before;

        /* A caller that must not lose it has flushed before, and seen it fail. */
        mmf_last_error(&before);
        mmf_view_flush(view);
        mmf_fail_restore(&before);
    }
    mmf_os_view_unmap(&view->os);
}
