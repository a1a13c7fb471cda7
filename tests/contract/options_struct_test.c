/*
 * options_struct_test.c - the defaults of options, and views that are populated, locked or
 * of huge pages. Options of older and newer callers are in tests/scenarios/map.scn.
 */
#include "support.h"

#include <string.h>

TEST(options_init_gives_defaults)
{
    static const mmf_map_options zero = {.size = sizeof(zero)};
    mmf_map_options options;
    mmf_view_options view_options;

    memset(&options, 0xff, sizeof(options));
    mmf_map_options_init(&options);
    CHECK_BYTES(&options, &zero, sizeof(options));
    CHECK_INT(options.access, MMF_ACCESS_READ_WRITE);
    CHECK_INT(options.rights, 0);
    CHECK_INT(options.allocation, MMF_ALLOCATE_NOW);
    CHECK_INT(options.inheritability, MMF_INHERITABILITY_NONE);
    CHECK_INT(options.all_users, 0);
    CHECK_INT(options.mode, 0);
    CHECK_INT(options.exact_capacity, 0);
    CHECK_INT(options.wait_ms, 0);
    CHECK_INT(options.share, MMF_FILE_SHARE_DEFAULT);
    CHECK_INT(options.leave_open, 0);
    CHECK_INT(options.reserved, 0);
    memset(&view_options, 0xff, sizeof(view_options));
    mmf_view_options_init(&view_options);
    CHECK_INT(view_options.size, sizeof(view_options));
    CHECK_INT(view_options.flags, 0);
}

/*
 * Views beyond .NET.
 */

static mmf_view_options
with_flags(mmf_view_flags flags)
{
    mmf_view_options options;

    mmf_view_options_init(&options);
    options.flags = flags;
    return options;
}

/* How many of the view's pages are in memory. */
static size_t
resident_pages(mmf_accessor *view)
{
    void *bytes;
    size_t size;

    CHECK_OK(mmf_accessor_pointer(view, &bytes, &size));
    return pages_present(bytes, size);
}

/* Its first and its last byte are 0, and can be written. */
static void
check_usable(mmf_accessor *view, int64_t size)
{
    uint8_t value = 1;

    CHECK_INT(mmf_accessor_capacity(view), size);
    for (int64_t at = size - 1; at >= 0; at -= size - 1) {
        CHECK_OK(mmf_accessor_read_byte(view, at, &value));
        CHECK_INT(value, 0);
        CHECK_OK(mmf_accessor_write_byte(view, at, 42));
        CHECK_OK(mmf_accessor_read_byte(view, at, &value));
        CHECK_INT(value, 42);
    }
}

TEST(view_populate_makes_pages_present)
{
    mmf_view_options options = with_flags(MMF_VIEW_POPULATE);
    mmf_accessor *view = NULL;
    mmf_stream *stream = NULL;
    int32_t value = -1;
    mmf_map *map;

    map = create_new(NULL, 16 * page_size(),
                     MAP_OPTIONS(.allocation = MMF_DELAY_ALLOCATE_PAGES));
    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view));
    CHECK_INT(mmf_accessor_granted(view), MMF_VIEW_POPULATE);
    CHECK_INT(resident_pages(view), 16);
    check_usable(view, 16 * page_size());
    mmf_accessor_close(view);
    CHECK_OK(mmf_stream_create(map, 0, 0, MMF_ACCESS_READ, &options, &stream));
    CHECK_INT(mmf_stream_granted(stream), MMF_VIEW_POPULATE);
    CHECK_INT(mmf_stream_length(stream), 16 * page_size());
    CHECK_OK(mmf_stream_read_byte(stream, &value));
    CHECK_INT(value, 42);
    mmf_stream_close(stream);
    mmf_map_close(map);
}

TEST(view_lock_keeps_pages)
{
    mmf_view_options options = with_flags(MMF_VIEW_LOCK);
    long before = locked_kilobytes();
    mmf_accessor *view = NULL;
    mmf_map *map;
    int rc;

    map = create_new(NULL, 4 * page_size(), NULL);
    rc = mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view);
    if (rc < 0) {
        mmf_map_close(map);
        harness_skip("this machine does not let memory be locked: %s",
                     mmf_last_message());
    }
    CHECK_INT(mmf_accessor_granted(view), MMF_VIEW_LOCK);
    if (!HARNESS_ASAN && !HARNESS_TSAN) { /* they make mlock do nothing */
        CHECK_INT(resident_pages(view), 4);
        CHECK(locked_kilobytes() - before >= 4 * page_size() / 1024);
    }
    mmf_accessor_close(view);
    CHECK_INT(locked_kilobytes(), before);
    mmf_map_close(map);
}

static void
lock_without_permission(void *payload)
{
    mmf_view_options options = with_flags(MMF_VIEW_LOCK);
    mmf_accessor *view = UNTOUCHED;
    mmf_map *map = create_new(NULL, 4096, NULL);

    (void)payload;
    forbid_locking();
    CHECK_FAILS(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view),
                MMF_E_NO_MEMORY);
    CHECK((void *)view == UNTOUCHED);
    options.flags |= MMF_VIEW_BEST_EFFORT;
    CHECK_STATUS(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view),
                 MMF_OK);
    CHECK_INT(mmf_accessor_granted(view), 0);
    check_usable(view, 4096);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

TEST(view_lock_beyond_the_limit)
{
    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("sanitizers make mlock do nothing");
    as_stranger(lock_without_permission, NULL);
}

/* The host has them or has them not: then it says so, or makes the view without. */
TEST(view_huge_pages_or_not_supported)
{
    mmf_view_options options = with_flags(MMF_VIEW_HUGE_PAGES);
    mmf_accessor *view = UNTOUCHED;
    int64_t size = INT64_C(4) << 20;
    mmf_view_flags granted;
    mmf_map *map;
    int rc;

    map = create_new("Cat", size, NULL);
    rc = mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view);
    if (rc < 0) {
        CHECK((void *)view == UNTOUCHED);
        CHECK_FAILS(
            mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view),
            MMF_E_NOT_SUPPORTED);
    } else {
        CHECK_INT(mmf_accessor_granted(view), MMF_VIEW_HUGE_PAGES);
        mmf_accessor_close(view);
    }
    options.flags |= MMF_VIEW_BEST_EFFORT;
    CHECK_STATUS(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view),
                 MMF_OK);
    granted = mmf_accessor_granted(view);
    CHECK_INT(granted, rc < 0 ? 0 : MMF_VIEW_HUGE_PAGES);
    check_usable(view, size);
    mmf_accessor_close(view);
    mmf_map_close(map);
}
