/*
 * file_fault.c - maps of files, with and without a name, while something fails.
 */
#include "round.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file's size before, and the capacity that makes it grow. */
enum { SIZE = 5000, GROWN = 2 << 20 };

static int
map_file(struct stage *stage, mmf_file_mode mode, const char *name, int64_t capacity,
         mmf_access access, mmf_file_share share)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.access = access;
    options.share = share;
    return mmf_map_create_from_file(stage->path, mode, name, capacity, &options,
                                    &stage->map);
}

static int
map_for_both(struct stage *stage, mmf_file_mode mode, const char *name,
             int64_t capacity)
{
    return map_file(stage, mode, name, capacity, MMF_ACCESS_READ_WRITE,
                    MMF_FILE_SHARE_DEFAULT);
}

static int
create_new_file(struct stage *stage)
{
    return map_for_both(stage, MMF_FILE_MODE_CREATE_NEW, NULL, SIZE);
}

static int
create_file(struct stage *stage)
{
    return map_for_both(stage, MMF_FILE_MODE_CREATE, NULL, SIZE);
}

static int
open_file(struct stage *stage)
{
    return map_for_both(stage, MMF_FILE_MODE_OPEN, NULL, 0);
}

static int
open_or_create_file(struct stage *stage)
{
    return map_for_both(stage, MMF_FILE_MODE_OPEN_OR_CREATE, NULL, SIZE);
}

static int
grow_file(struct stage *stage)
{
    return map_for_both(stage, MMF_FILE_MODE_OPEN, NULL, GROWN);
}

static int
grow_named_file(struct stage *stage)
{
    return map_for_both(stage, MMF_FILE_MODE_OPEN, "Cat", GROWN);
}

static int
read_file(struct stage *stage)
{
    return map_file(stage, MMF_FILE_MODE_OPEN, NULL, 0, MMF_ACCESS_READ,
                    MMF_FILE_SHARE_DEFAULT);
}

static int
execute_file(struct stage *stage)
{
    return map_file(stage, MMF_FILE_MODE_OPEN, NULL, 0, MMF_ACCESS_READ_WRITE_EXECUTE,
                    MMF_FILE_SHARE_READ_WRITE);
}

static int
copy_file(struct stage *stage)
{
    return map_file(stage, MMF_FILE_MODE_OPEN, NULL, 0, MMF_ACCESS_COPY_ON_WRITE,
                    MMF_FILE_SHARE_DEFAULT);
}

static int
name_file(struct stage *stage)
{
    return map_for_both(stage, MMF_FILE_MODE_OPEN, "Cat", 0);
}

static int
name_new_file(struct stage *stage)
{
    return map_for_both(stage, MMF_FILE_MODE_CREATE_NEW, "Cat", SIZE);
}

static int
name_file_globally(struct stage *stage)
{
    return map_for_both(stage, MMF_FILE_MODE_OPEN, "Global\\Cat", 0);
}

static int
open_by_name(struct stage *stage)
{
    return mmf_map_open_existing("Cat", NULL, &stage->map);
}

/*
 * By descriptor.
 */

static int
map_fd(struct stage *stage, const char *name, mmf_inheritability inheritability,
       int32_t leave_open)
{
    mmf_map_options options;

    mmf_map_options_init(&options);
    options.inheritability = inheritability;
    options.leave_open = leave_open;
    return mmf_map_create_from_fd(stage->fd, name, 0, &options, &stage->map);
}

static int
map_descriptor(struct stage *stage)
{
    return map_fd(stage, NULL, MMF_INHERITABILITY_NONE, 1);
}

static int
name_descriptor(struct stage *stage)
{
    return map_fd(stage, "Cat", MMF_INHERITABILITY_NONE, 1);
}

static int
pass_on_descriptor(struct stage *stage)
{
    return map_fd(stage, "Cat", MMF_INHERITABILITY_INHERITABLE, 1);
}

/* The map takes the descriptor, a copy of ours. On failure it must still be there. */
static int
give_descriptor(struct stage *stage)
{
    int copy = fcntl(stage->fd, F_DUPFD_CLOEXEC, 0);
    int rc = mmf_map_create_from_fd(copy, NULL, 0, NULL, &stage->map);

    if (rc < 0)
        CHECK(close(copy) == 0);
    return rc;
}

/*
 * Arrangements.
 */

static void
choose_path(struct stage *stage)
{
    round_make_file(stage, 0);
}

static void
make_file(struct stage *stage)
{
    round_make_file(stage, SIZE);
}

static void
remove_file(struct stage *stage)
{
    if (stage->fd >= 0)
        close(stage->fd);
    unlink(stage->path);
}

static void
make_file_and_descriptor(struct stage *stage)
{
    make_file(stage);
    stage->fd = open(stage->path, O_RDWR | O_CLOEXEC);
    CHECK(stage->fd >= 0);
}

/* Another process has the file locked exclusively. */
static void
make_file_in_use(struct stage *stage)
{
    make_file_and_descriptor(stage);
    CHECK(flock(stage->fd, LOCK_EX) == 0);
}

static void
make_file_and_hold(struct stage *stage)
{
    make_file(stage);
    step_hold_elsewhere(stage);
}

static void
choose_path_and_hold(struct stage *stage)
{
    choose_path(stage);
    step_hold_elsewhere(stage);
}

static void
close_and_remove(struct stage *stage)
{
    step_close_elsewhere(stage);
    remove_file(stage);
}

static struct stage *holders_stage;

static int
make_named_map_of_file(mmf_map **map)
{
    return mmf_map_create_from_file(holders_stage->path, MMF_FILE_MODE_OPEN, "Cat", 0,
                                    NULL, map);
}

static void
hold_named_file(struct stage *stage)
{
    make_file(stage);
    holders_stage = stage;
    round_hold_elsewhere(make_named_map_of_file);
}

/* The file has been replaced by another one since. */
static void
hold_replaced_file(struct stage *stage)
{
    hold_named_file(stage);
    CHECK(unlink(stage->path) == 0);
    make_file(stage);
}

static void
choose_path_in_no_directory(struct stage *stage)
{
    snprintf(stage->path, sizeof(stage->path), "%s/missing/file", harness_dir());
}

/*
 * Inspections.
 */

static int64_t
size_of_file(const struct stage *stage)
{
    struct stat status;

    return stat(stage->path, &status) == 0 ? (int64_t)status.st_size : -1;
}

static void
is_as_it_was(struct stage *stage)
{
    CHECK_INT(size_of_file(stage), SIZE);
}

/* What the call made is gone again. */
static void
is_not_there(struct stage *stage)
{
    CHECK_INT(size_of_file(stage), -1);
}

static void
is_map_of(struct stage *stage, int64_t size)
{
    mmf_accessor *view;
    int64_t capacity;
    int fd = open(stage->path, O_RDONLY | O_CLOEXEC);
    char byte;

    CHECK_INT(size_of_file(stage), size);
    CHECK_OK(mmf_map_capacity(stage->map, &capacity));
    CHECK_INT(capacity, size);
    CHECK_OK(mmf_accessor_create(stage->map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_write_byte(view, size - 1, 7));
    CHECK(fd >= 0 && pread(fd, &byte, 1, size - 1) == 1 && byte == 7);
    mmf_accessor_close(view);
    close(fd);
}

static void
is_map_of_file(struct stage *stage)
{
    is_map_of(stage, SIZE);
}

static void
is_map_of_grown_file(struct stage *stage)
{
    is_map_of(stage, GROWN);
}

static void
can_be_read(struct stage *stage)
{
    mmf_accessor *view;

    is_as_it_was(stage);
    CHECK_OK(mmf_accessor_create(stage->map, 0, 0, MMF_ACCESS_READ, NULL, &view));
    mmf_accessor_close(view);
}

static void
is_found_by_name(struct stage *stage)
{
    mmf_map *map = stage->map;
    mmf_map *again;

    is_map_of_file(stage);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &again));
    stage->map = again;
    is_map_of_file(stage);
    stage->map = map;
    mmf_map_close(again);
}

/* No other process may lock it exclusively now. */
static void
is_locked(struct stage *stage)
{
    int fd = open(stage->path, O_RDWR | O_CLOEXEC);

    is_map_of_file(stage);
    CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0);
    close(fd);
}

static void
close_map_and_remove(struct stage *stage)
{
    mmf_map_close(stage->map);
    unlink(stage->path);
}

static void
close_map_and_shrink(struct stage *stage)
{
    mmf_map_close(stage->map);
    CHECK(truncate(stage->path, SIZE) == 0);
}

static struct scenario scenarios[] = {
    {.name = "file_create_new",
     .act = create_new_file,
     .arrange = choose_path,
     .inspect = is_locked,
     .inspect_failure = is_not_there,
     .clean = close_map_and_remove},
    {.name = "file_create_new_exists",
     .act = create_new_file,
     .expected = MMF_E_EXISTS,
     .arrange = make_file,
     .inspect_failure = is_as_it_was,
     .disarrange = remove_file},
    {.name = "file_create",
     .act = create_file,
     .arrange = choose_path,
     .inspect = is_map_of_file,
     .inspect_failure = is_not_there,
     .clean = close_map_and_remove},
    {.name = "file_create_over",
     .act = create_file,
     .arrange = make_file,
     .inspect = is_map_of_file,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "file_open",
     .act = open_file,
     .arrange = make_file,
     .inspect = is_locked,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "file_open_missing",
     .act = open_file,
     .expected = MMF_E_NOT_FOUND,
     .arrange = choose_path},
    {.name = "file_open_in_no_directory",
     .act = open_file,
     .expected = MMF_E_PATH_NOT_FOUND,
     .or_else = MMF_E_NOT_FOUND,
     .arrange = choose_path_in_no_directory},
    {.name = "file_open_in_use",
     .act = open_file,
     .expected = MMF_E_SHARING,
     .arrange = make_file_in_use,
     .inspect_failure = is_as_it_was,
     .disarrange = remove_file},
    {.name = "file_open_or_create_opens",
     .act = open_or_create_file,
     .arrange = make_file,
     .inspect = is_map_of_file,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "file_open_or_create_creates",
     .act = open_or_create_file,
     .arrange = choose_path,
     .inspect = is_map_of_file,
     .inspect_failure = is_not_there,
     .clean = close_map_and_remove},
    {.name = "file_grow",
     .act = grow_file,
     .arrange = make_file,
     .inspect = is_map_of_grown_file,
     .inspect_failure = is_as_it_was,
     .clean = close_map_and_shrink,
     .disarrange = remove_file},
    {.name = "file_grow_named",
     .act = grow_named_file,
     .arrange = make_file,
     .inspect = is_map_of_grown_file,
     .inspect_failure = is_as_it_was,
     .clean = close_map_and_shrink,
     .disarrange = remove_file},
    {.name = "file_grow_under_a_taken_name",
     .act = grow_named_file,
     .expected = MMF_E_EXISTS,
     .arrange = make_file_and_hold,
     .inspect_failure = is_as_it_was,
     .disarrange = close_and_remove},
    {.name = "file_read",
     .act = read_file,
     .arrange = make_file,
     .inspect = can_be_read,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "file_execute",
     .act = execute_file,
     .arrange = make_file,
     .inspect = is_map_of_file,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "file_copy_on_write",
     .act = copy_file,
     .arrange = make_file,
     .inspect = can_be_read,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "file_name",
     .act = name_file,
     .arrange = make_file,
     .inspect = is_found_by_name,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "file_name_global",
     .act = name_file_globally,
     .arrange = make_file,
     .inspect = is_map_of_file,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "file_name_new",
     .act = name_new_file,
     .arrange = choose_path,
     .inspect = is_found_by_name,
     .inspect_failure = is_not_there,
     .clean = close_map_and_remove},
    {.name = "file_name_new_taken",
     .act = name_new_file,
     .expected = MMF_E_EXISTS,
     .arrange = choose_path_and_hold,
     .disarrange = close_and_remove},
    {.name = "file_open_by_name",
     .act = open_by_name,
     .documented = round_open_statuses,
     .arrange = hold_named_file,
     .inspect = is_map_of_file,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = close_and_remove},
    {.name = "file_open_by_name_replaced",
     .act = open_by_name,
     .expected = MMF_E_CORRUPT,
     .documented = round_open_statuses,
     .arrange = hold_replaced_file,
     .inspect_failure = is_as_it_was,
     .disarrange = close_and_remove},
    {.name = "fd_map",
     .act = map_descriptor,
     .arrange = make_file_and_descriptor,
     .inspect = is_map_of_file,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "fd_give",
     .act = give_descriptor,
     .arrange = make_file_and_descriptor,
     .inspect = is_map_of_file,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "fd_name",
     .act = name_descriptor,
     .arrange = make_file_and_descriptor,
     .inspect = is_found_by_name,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
    {.name = "fd_name_without_proc",
     .host = HOST_NO_PROC,
     .act = name_descriptor,
     .expected = MMF_E_NOT_SUPPORTED,
     .or_else = MMF_E_NOT_FOUND,
     .arrange = make_file_and_descriptor,
     .inspect_failure = is_as_it_was,
     .disarrange = remove_file},
    {.name = "fd_pass_on",
     .act = pass_on_descriptor,
     .arrange = make_file_and_descriptor,
     .inspect = is_found_by_name,
     .inspect_failure = is_as_it_was,
     .clean = step_close_map,
     .disarrange = remove_file},
};

int
main(int argc, char **argv)
{
    enum { COUNT = sizeof(scenarios) / sizeof(scenarios[0]) };

    return harness_main(argc, argv, "fault_file",
                        round_make_tests(scenarios, COUNT, round_file_statuses), COUNT,
                        NULL);
}
