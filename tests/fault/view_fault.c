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
view_with(struct stage *stage, int64_t offset, mmf_access access, mmf_view_flags flags)
{
    mmf_view_options options;

    mmf_view_options_init(&options);
    options.flags = flags;
    return mmf_accessor_create(stage->given, offset, 0, access, &options, &stage->view);
}

static int
view(struct stage *stage)
{
    return mmf_accessor_create(stage->given, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                               &stage->view);
}

static int
view_middle(struct stage *stage)
{
    return view_with(stage, 5001, MMF_ACCESS_READ_WRITE, 0);
}

static int
view_nothing(struct stage *stage)
{
    return view_with(stage, SIZE, MMF_ACCESS_READ_WRITE, 0);
}

static int
view_copy(struct stage *stage)
{
    return view_with(stage, 0, MMF_ACCESS_COPY_ON_WRITE, 0);
}

static int
view_populated(struct stage *stage)
{
    return view_with(stage, 0, MMF_ACCESS_READ_WRITE, MMF_VIEW_POPULATE);
}

static int
view_populated_for_reading(struct stage *stage)
{
    return view_with(stage, 0, MMF_ACCESS_READ, MMF_VIEW_POPULATE);
}

static int
view_locked(struct stage *stage)
{
    return view_with(stage, 0, MMF_ACCESS_READ_WRITE, MMF_VIEW_LOCK);
}

static int
view_with_huge_pages(struct stage *stage)
{
    return view_with(stage, 0, MMF_ACCESS_READ_WRITE, MMF_VIEW_HUGE_PAGES);
}

static int
view_at_best(struct stage *stage)
{
    return view_with(stage, 0, MMF_ACCESS_READ_WRITE,
                     MMF_VIEW_POPULATE | MMF_VIEW_LOCK | MMF_VIEW_HUGE_PAGES |
                         MMF_VIEW_BEST_EFFORT);
}

static int
stream(struct stage *stage)
{
    return mmf_stream_create(stage->given, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                             &stage->stream);
}

static int
stream_populated(struct stage *stage)
{
    mmf_view_options options;

    mmf_view_options_init(&options);
    options.flags = MMF_VIEW_POPULATE;
    return mmf_stream_create(stage->given, 0, 0, MMF_ACCESS_READ_WRITE, &options,
                             &stage->stream);
}

static int
flush_view(struct stage *stage)
{
    return mmf_accessor_flush(stage->given_view);
}

static int
flush_stream(struct stage *stage)
{
    return mmf_stream_flush(stage->given_stream);
}

/* Closing has no answer; whatever fails, it is closed. */
static int
close_view(struct stage *stage)
{
    mmf_accessor_close(stage->given_view);
    stage->given_view = NULL;
    return MMF_OK;
}

static int
close_stream(struct stage *stage)
{
    mmf_stream_close(stage->given_stream);
    stage->given_stream = NULL;
    return MMF_OK;
}

/*
 * Arrangements.
 */

static void
make_named(struct stage *stage)
{
    CHECK_OK(mmf_map_create_new("Cat", SIZE, NULL, &stage->given));
}

static void
make_unnamed(struct stage *stage)
{
    CHECK_OK(mmf_map_create_new(NULL, SIZE, NULL, &stage->given));
}

static void
map_file(struct stage *stage)
{
    round_make_file(stage, SIZE);
    CHECK_OK(mmf_map_create_from_file(stage->path, MMF_FILE_MODE_OPEN, NULL, 0, NULL,
                                      &stage->given));
}

static void
make_views(struct stage *stage)
{
    CHECK_OK(mmf_accessor_create(stage->given, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                                 &stage->given_view));
    CHECK_OK(mmf_stream_create(stage->given, 0, 0, MMF_ACCESS_READ_WRITE, NULL,
                               &stage->given_stream));
    CHECK_OK(mmf_accessor_write_byte(stage->given_view, 0, 1));
}

static void
map_file_and_view(struct stage *stage)
{
    map_file(stage);
    make_views(stage);
}

static void
make_named_and_view(struct stage *stage)
{
    make_named(stage);
    make_views(stage);
}

/* The views are all that is left of the map. */
static void
make_named_and_leave_views(struct stage *stage)
{
    make_named_and_view(stage);
    mmf_map_close(stage->given);
    stage->given = NULL;
}

static void
close_given(struct stage *stage)
{
    mmf_accessor_close(stage->given_view);
    mmf_stream_close(stage->given_stream);
    mmf_map_close(stage->given);
    if (stage->path[0] != '\0')
        unlink(stage->path);
}

/*
 * Inspections.
 */

static void
can_be_written(struct stage *stage)
{
    int64_t end = mmf_accessor_capacity(stage->view);
    uint8_t byte;

    CHECK_OK(mmf_accessor_write_byte(stage->view, end - 1, 7));
    CHECK_OK(mmf_accessor_read_byte(stage->view, end - 1, &byte));
    CHECK_INT(byte, 7);
}

static void
can_be_read(struct stage *stage)
{
    uint8_t byte;

    CHECK_OK(mmf_accessor_read_byte(stage->view, 0, &byte));
    CHECK_INT(byte, 0);
}

static void
is_populated(struct stage *stage)
{
    can_be_written(stage);
    CHECK_INT(mmf_accessor_granted(stage->view), MMF_VIEW_POPULATE);
}

static void
is_locked(struct stage *stage)
{
    can_be_written(stage);
    CHECK_INT(mmf_accessor_granted(stage->view), MMF_VIEW_LOCK);
}

static void
has_huge_pages(struct stage *stage)
{
    can_be_written(stage);
    CHECK_INT(mmf_accessor_granted(stage->view), MMF_VIEW_HUGE_PAGES);
}

static void
is_nothing(struct stage *stage)
{
    CHECK_INT(mmf_accessor_capacity(stage->view), 0);
}

static void
stream_can_be_written(struct stage *stage)
{
    CHECK_OK(mmf_stream_write_byte(stage->stream, 7));
}

static void
other_stays(struct stage *stage)
{
    uint8_t byte;
    int32_t value;

    if (stage->given_view != NULL) {
        CHECK_OK(mmf_accessor_read_byte(stage->given_view, 0, &byte));
        CHECK_INT(byte, 1);
    }
    if (stage->given_stream != NULL) {
        CHECK_OK(mmf_stream_set_position(stage->given_stream, 0));
        CHECK_OK(mmf_stream_read_byte(stage->given_stream, &value));
        CHECK_INT(value, 1);
    }
}

/* The map is dead by now, and there is no other view. */
static void
other_stays_alone(struct stage *stage)
{
    other_stays(stage);
    step_is_gone(stage);
}

static void
close_views(struct stage *stage)
{
    if (stage->view != UNTOUCHED(mmf_accessor))
        mmf_accessor_close(stage->view);
    if (stage->stream != UNTOUCHED(mmf_stream))
        mmf_stream_close(stage->stream);
}

/* Making a view: the scenario's beginning and end. */
#define OF_NAMED .arrange = make_named, .clean = close_views, .disarrange = close_given
#define OF_UNNAMED                                                                     \
    .arrange = make_unnamed, .clean = close_views, .disarrange = close_given
#define OF_FILE .arrange = map_file, .clean = close_views, .disarrange = close_given

static struct scenario scenarios[] = {
    {.name = "view_named", .act = view, .inspect = can_be_written, OF_NAMED},
    {.name = "view_unnamed", .act = view, .inspect = can_be_written, OF_UNNAMED},
    {.name = "view_file", .act = view, .inspect = can_be_written, OF_FILE},
    {.name = "view_middle", .act = view_middle, .inspect = can_be_written, OF_NAMED},
    {.name = "view_nothing", .act = view_nothing, .inspect = is_nothing, OF_NAMED},
    {.name = "view_copy", .act = view_copy, .inspect = can_be_written, OF_NAMED},
    {.name = "view_populated",
     .act = view_populated,
     .inspect = is_populated,
     OF_NAMED},
    {.name = "view_populated_for_reading",
     .act = view_populated_for_reading,
     .inspect = can_be_read,
     OF_NAMED},
    {.name = "view_locked", .act = view_locked, .inspect = is_locked, OF_UNNAMED},
    {.name = "view_huge_pages_unnamed",
     .host = HOST_HUGE_PAGES,
     .or_else = MMF_E_NOT_SUPPORTED, /* the setting cannot be read */
     .act = view_with_huge_pages,
     .inspect = has_huge_pages,
     OF_UNNAMED},
    {.name = "view_huge_pages_not_mounted",
     .host = HOST_HUGE_PAGES,
     .act = view_with_huge_pages,
     .expected = MMF_E_NOT_SUPPORTED,
     OF_NAMED},
    {.name = "view_huge_pages_forced",
     .host = HOST_FORCED_HUGE_PAGES,
     .or_else = MMF_E_NOT_SUPPORTED, /* the setting cannot be read */
     .act = view_with_huge_pages,
     .inspect = has_huge_pages,
     OF_NAMED},
    {.name = "view_at_best",
     .host = HOST_HUGE_PAGES,
     .act = view_at_best,
     .inspect = can_be_written,
     OF_NAMED},
    {.name = "view_file_at_best",
     .host = HOST_FORCED_HUGE_PAGES,
     .act = view_at_best,
     .inspect = can_be_written,
     OF_FILE},
    {.name = "stream", .act = stream, .inspect = stream_can_be_written, OF_NAMED},
    {.name = "stream_populated",
     .act = stream_populated,
     .inspect = stream_can_be_written,
     OF_FILE},
    {.name = "flush_view",
     .act = flush_view,
     .documented = round_flush_statuses,
     .arrange = map_file_and_view,
     .inspect = other_stays,
     .inspect_failure = other_stays,
     .disarrange = close_given},
    {.name = "flush_stream",
     .act = flush_stream,
     .documented = round_flush_statuses,
     .arrange = map_file_and_view,
     .inspect = other_stays,
     .disarrange = close_given},
    {.name = "close_view_of_file",
     .act = close_view,
     .arrange = map_file_and_view,
     .inspect = other_stays,
     .disarrange = close_given},
    {.name = "close_stream_of_file",
     .act = close_stream,
     .arrange = map_file_and_view,
     .inspect = other_stays,
     .disarrange = close_given},
    {.name = "close_view_of_named",
     .act = close_view,
     .arrange = make_named_and_view,
     .inspect = other_stays,
     .disarrange = close_given},
    {.name = "close_view_after_map",
     .act = close_view,
     .arrange = make_named_and_leave_views,
     .inspect = other_stays_alone,
     .disarrange = close_given},
};

int
main(int argc, char **argv)
{
    enum { COUNT = sizeof(scenarios) / sizeof(scenarios[0]) };

    return harness_main(argc, argv, "fault_view",
                        round_make_tests(scenarios, COUNT, round_view_statuses), COUNT,
                        NULL);
}
