/*
 * view_fault.c - views, flushing them and closing them, while something fails.
 */
#include "round.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Two pages and a bit, so that a view can begin in the middle of one. */
enum { SIZE = 10000 };

static int
view_with(int64_t offset, mmf_access access, mmf_view_flags flags)
{
    return mmf_accessor_create(stage.given, offset, 0, access,
                               VIEW_OPTIONS(.flags = flags), &stage.view);
}

CALL(view,
     mmf_accessor_create(stage.given, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &stage.view));
CALL(view_middle, view_with(5001, MMF_ACCESS_READ_WRITE, 0));
CALL(view_nothing, view_with(SIZE, MMF_ACCESS_READ_WRITE, 0));
CALL(view_copy, view_with(0, MMF_ACCESS_COPY_ON_WRITE, 0));
CALL(view_populated, view_with(0, MMF_ACCESS_READ_WRITE, MMF_VIEW_POPULATE));
CALL(view_populated_for_reading, view_with(0, MMF_ACCESS_READ, MMF_VIEW_POPULATE));
CALL(view_locked, view_with(0, MMF_ACCESS_READ_WRITE, MMF_VIEW_LOCK));
CALL(view_with_huge_pages, view_with(0, MMF_ACCESS_READ_WRITE, MMF_VIEW_HUGE_PAGES));
CALL(view_at_best, view_with(0, MMF_ACCESS_READ_WRITE,
                             MMF_VIEW_POPULATE | MMF_VIEW_LOCK | MMF_VIEW_HUGE_PAGES |
                                 MMF_VIEW_BEST_EFFORT));
CALL(stream,
     mmf_stream_create(stage.given, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &stage.stream));
CALL(stream_populated,
     mmf_stream_create(stage.given, 0, 0, MMF_ACCESS_READ_WRITE,
                       VIEW_OPTIONS(.flags = MMF_VIEW_POPULATE), &stage.stream));
CALL(flush_view, mmf_accessor_flush(stage.given_view));
CALL(flush_stream, mmf_stream_flush(stage.given_stream));

/* Closing has no answer; whatever fails, it is closed. */
static int
close_view(void)
{
    mmf_accessor_close(stage.given_view);
    stage.given_view = NULL;
    return MMF_OK;
}

static int
close_stream(void)
{
    mmf_stream_close(stage.given_stream);
    stage.given_stream = NULL;
    return MMF_OK;
}

/*
 * Arrangements.
 */

STEP(make_named, CHECK_OK(mmf_map_create_new("Cat", SIZE, NULL, &stage.given)));
STEP(make_unnamed, CHECK_OK(mmf_map_create_new(NULL, SIZE, NULL, &stage.given)));

static void
map_file(void)
{
    round_make_file(SIZE);
    CHECK_OK(mmf_map_create_from_file(stage.path, MMF_FILE_MODE_OPEN, NULL, 0, NULL,
                                      &stage.given));
}

static void
make_views(void)
{
    CHECK_OK(mmf_accessor_create(stage.given, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                                 &stage.given_view));
    CHECK_OK(mmf_stream_create(stage.given, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                               &stage.given_stream));
    CHECK_OK(mmf_accessor_write_byte(stage.given_view, 0, 1));
}

STEP(map_file_and_view, map_file(); make_views());
STEP(make_named_and_view, make_named(); make_views());

/* The views are all that is left of the map. */
STEP(make_named_and_leave_views, make_named_and_view(); step_close_given());

/*
 * Inspections.
 */

static void
can_be_written(void)
{
    int64_t end = mmf_accessor_capacity(stage.view);
    uint8_t byte;

    CHECK_OK(mmf_accessor_write_byte(stage.view, end - 1, 7));
    CHECK_OK(mmf_accessor_read_byte(stage.view, end - 1, &byte));
    CHECK_INT(byte, 7);
}

static void
can_be_read(void)
{
    uint8_t byte;

    CHECK_OK(mmf_accessor_read_byte(stage.view, 0, &byte));
    CHECK_INT(byte, 0);
}

static void
is_populated(void)
{
    can_be_written();
    CHECK_INT(mmf_accessor_granted(stage.view), MMF_VIEW_POPULATE);
}

static void
is_locked(void)
{
    can_be_written();
    CHECK_INT(mmf_accessor_granted(stage.view), MMF_VIEW_LOCK);
}

static void
has_huge_pages(void)
{
    can_be_written();
    CHECK_INT(mmf_accessor_granted(stage.view), MMF_VIEW_HUGE_PAGES);
}

STEP(is_nothing, CHECK_INT(mmf_accessor_capacity(stage.view), 0));
STEP(stream_can_be_written, CHECK_OK(mmf_stream_write_byte(stage.stream, 7)));

static void
other_stays(void)
{
    uint8_t byte;
    int32_t value;

    if (stage.given_view != NULL) {
        CHECK_OK(mmf_accessor_read_byte(stage.given_view, 0, &byte));
        CHECK_INT(byte, 1);
    }
    if (stage.given_stream != NULL) {
        CHECK_OK(mmf_stream_set_position(stage.given_stream, 0));
        CHECK_OK(mmf_stream_read_byte(stage.given_stream, &value));
        CHECK_INT(value, 1);
    }
}

/* The map is dead by now, and there is no other view. */
STEP(other_stays_alone, other_stays(); step_is_gone());

static struct scenario scenarios[] = {
    {"view_named", view, .arrange = make_named, .inspect = can_be_written},
    {"view_unnamed", view, .arrange = make_unnamed, .inspect = can_be_written},
    {"view_file", view, .arrange = map_file, .inspect = can_be_written},
    {"view_middle", view_middle, .arrange = make_named, .inspect = can_be_written},
    {"view_nothing", view_nothing, .arrange = make_named, .inspect = is_nothing},
    {"view_copy", view_copy, .arrange = make_named, .inspect = can_be_written},
    {"view_populated", view_populated, .arrange = make_named, .inspect = is_populated},
    {"view_populated_for_reading", view_populated_for_reading, .arrange = make_named,
     .inspect = can_be_read},
    {"view_locked", view_locked, .arrange = make_unnamed, .inspect = is_locked},
    {"view_huge_pages_unnamed", view_with_huge_pages, .arrange = make_unnamed,
     .inspect = has_huge_pages, .host = HOST_HUGE_PAGES,
     .or_else = MMF_E_NOT_SUPPORTED},
    {"view_huge_pages_not_mounted", view_with_huge_pages, .arrange = make_named,
     .host = HOST_HUGE_PAGES, .expected = MMF_E_NOT_SUPPORTED},
    {"view_huge_pages_forced", view_with_huge_pages, .arrange = make_named,
     .inspect = has_huge_pages, .host = HOST_FORCED_HUGE_PAGES,
     .or_else = MMF_E_NOT_SUPPORTED},
    {"view_at_best", view_at_best, .arrange = make_named, .inspect = can_be_written,
     .host = HOST_HUGE_PAGES},
    {"view_file_at_best", view_at_best, .arrange = map_file, .inspect = can_be_written,
     .host = HOST_FORCED_HUGE_PAGES},
    {"stream", stream, .arrange = make_named, .inspect = stream_can_be_written},
    {"stream_populated", stream_populated, .arrange = map_file,
     .inspect = stream_can_be_written},
    {"flush_view", flush_view, .arrange = map_file_and_view, .inspect = other_stays,
     .inspect_failure = other_stays, .documented = round_flush_statuses},
    {"flush_stream", flush_stream, .arrange = map_file_and_view, .inspect = other_stays,
     .documented = round_flush_statuses},
    {"close_view_of_file", close_view, .arrange = map_file_and_view,
     .inspect = other_stays},
    {"close_stream_of_file", close_stream, .arrange = map_file_and_view,
     .inspect = other_stays},
    {"close_view_of_named", close_view, .arrange = make_named_and_view,
     .inspect = other_stays},
    {"close_view_after_map", close_view, .arrange = make_named_and_leave_views,
     .inspect = other_stays_alone},
};

SCENARIOS(round_view_statuses);
