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
map_file(mmf_file_mode mode, const char *name, int64_t capacity, mmf_access access,
         mmf_file_share share)
{
    return mmf_map_create_from_file(stage.path, mode, name, capacity,
                                    MAP_OPTIONS(.access = access, .share = share),
                                    &stage.map);
}

static int
map_for_both(mmf_file_mode mode, const char *name, int64_t capacity)
{
    return map_file(mode, name, capacity, MMF_ACCESS_READ_WRITE,
                    MMF_FILE_SHARE_DEFAULT);
}

CALL(create_new_file, map_for_both(MMF_FILE_MODE_CREATE_NEW, NULL, SIZE));
CALL(create_file, map_for_both(MMF_FILE_MODE_CREATE, NULL, SIZE));
CALL(open_file, map_for_both(MMF_FILE_MODE_OPEN, NULL, 0));
CALL(open_or_create_file, map_for_both(MMF_FILE_MODE_OPEN_OR_CREATE, NULL, SIZE));
CALL(grow_file, map_for_both(MMF_FILE_MODE_OPEN, NULL, GROWN));
CALL(grow_named_file, map_for_both(MMF_FILE_MODE_OPEN, "Cat", GROWN));
CALL(read_file,
     map_file(MMF_FILE_MODE_OPEN, NULL, 0, MMF_ACCESS_READ, MMF_FILE_SHARE_DEFAULT));
CALL(execute_file, map_file(MMF_FILE_MODE_OPEN, NULL, 0, MMF_ACCESS_READ_WRITE_EXECUTE,
                            MMF_FILE_SHARE_READ_WRITE));
CALL(copy_file, map_file(MMF_FILE_MODE_OPEN, NULL, 0, MMF_ACCESS_COPY_ON_WRITE,
                         MMF_FILE_SHARE_DEFAULT));
CALL(name_file, map_for_both(MMF_FILE_MODE_OPEN, "Cat", 0));
CALL(name_new_file, map_for_both(MMF_FILE_MODE_CREATE_NEW, "Cat", SIZE));
CALL(name_file_globally, map_for_both(MMF_FILE_MODE_OPEN, "Global\\Cat", 0));
CALL(open_by_name, mmf_map_open_existing("Cat", NULL, &stage.map));

/*
 * By descriptor.
 */

static int
map_fd(const char *name, mmf_inheritability inheritability, int32_t leave_open)
{
    return mmf_map_create_from_fd(
        stage.fd, name, 0,
        MAP_OPTIONS(.inheritability = inheritability, .leave_open = leave_open),
        &stage.map);
}

CALL(map_descriptor, map_fd(NULL, MMF_INHERITABILITY_NONE, 1));
CALL(name_descriptor, map_fd("Cat", MMF_INHERITABILITY_NONE, 1));
CALL(pass_on_descriptor, map_fd("Cat", MMF_INHERITABILITY_INHERITABLE, 1));

/* The map takes the descriptor, a copy of ours. On failure it must still be there. */
static int
give_descriptor(void)
{
    int copy = fcntl(stage.fd, F_DUPFD_CLOEXEC, 0);
    int rc = mmf_map_create_from_fd(copy, NULL, 0, NULL, &stage.map);

    if (rc < 0)
        CHECK(close(copy) == 0);
    return rc;
}

/*
 * Arrangements.
 */

STEP(choose_path, round_make_file(0));
STEP(make_file, round_make_file(SIZE));

static void
make_file_and_descriptor(void)
{
    make_file();
    stage.fd = open(stage.path, O_RDWR | O_CLOEXEC);
    CHECK(stage.fd >= 0);
}

/* Another process has the file locked exclusively. */
static void
make_file_in_use(void)
{
    make_file_and_descriptor();
    CHECK(flock(stage.fd, LOCK_EX) == 0);
}

STEP(make_file_and_hold, make_file(); step_hold_elsewhere());
STEP(choose_path_and_hold, choose_path(); step_hold_elsewhere());

static int
make_named_map_of_file(mmf_map **map)
{
    return mmf_map_create_from_file(stage.path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL,
                                    map);
}

STEP(hold_named_file, make_file(); round_hold_elsewhere(make_named_map_of_file));

/* The file has been replaced by another one since. */
static void
hold_replaced_file(void)
{
    hold_named_file();
    CHECK(unlink(stage.path) == 0);
    make_file();
}

STEP(choose_path_in_no_directory,
     snprintf(stage.path, sizeof(stage.path), "%s/missing/file", harness_dir()));

/*
 * Inspections.
 */

static int64_t
size_of_file(void)
{
    struct stat status;

    return stat(stage.path, &status) == 0 ? (int64_t)status.st_size : -1;
}

STEP(is_as_it_was, CHECK_INT(size_of_file(), SIZE));

/* What the call made is gone again. */
STEP(is_not_there, CHECK_INT(size_of_file(), -1));

static void
is_map_of(int64_t size)
{
    mmf_accessor *view;
    int64_t capacity;
    int fd = open(stage.path, O_RDONLY | O_CLOEXEC);
    char byte;

    CHECK_INT(size_of_file(), size);
    CHECK_OK(mmf_map_capacity(stage.map, &capacity));
    CHECK_INT(capacity, size);
    CHECK_OK(mmf_accessor_create(stage.map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_write_byte(view, size - 1, 7));
    CHECK(fd >= 0 && pread(fd, &byte, 1, size - 1) == 1 && byte == 7);
    mmf_accessor_close(view);
    close(fd);
}

STEP(is_map_of_file, is_map_of(SIZE));
STEP(is_map_of_grown_file, is_map_of(GROWN));

static void
can_be_read(void)
{
    mmf_accessor *view;

    is_as_it_was();
    CHECK_OK(mmf_accessor_create(stage.map, 0, 0, MMF_ACCESS_READ, NULL, &view));
    mmf_accessor_close(view);
}

static void
is_found_by_name(void)
{
    mmf_map *map = stage.map;
    mmf_map *again;

    is_map_of_file();
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &again));
    stage.map = again;
    is_map_of_file();
    stage.map = map;
    mmf_map_close(again);
}

/* No other process may lock it exclusively now. */
static void
is_locked(void)
{
    int fd = open(stage.path, O_RDWR | O_CLOEXEC);

    is_map_of_file();
    CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0);
    close(fd);
}

STEP(shrink, CHECK(truncate(stage.path, SIZE) == 0));

static struct scenario scenarios[] = {
    {"file_create_new", create_new_file, .arrange = choose_path, .inspect = is_locked,
     .inspect_failure = is_not_there},
    {"file_create_new_exists", create_new_file, .arrange = make_file,
     .inspect_failure = is_as_it_was, .expected = MMF_E_EXISTS},
    {"file_create", create_file, .arrange = choose_path, .inspect = is_map_of_file,
     .inspect_failure = is_not_there},
    {"file_create_over", create_file, .arrange = make_file, .inspect = is_map_of_file},
    {"file_open", open_file, .arrange = make_file, .inspect = is_locked,
     .inspect_failure = is_as_it_was},
    {"file_open_missing", open_file, .arrange = choose_path,
     .expected = MMF_E_NOT_FOUND},
    {"file_open_in_no_directory", open_file, .arrange = choose_path_in_no_directory,
     .expected = MMF_E_PATH_NOT_FOUND, .or_else = MMF_E_NOT_FOUND},
    {"file_open_in_use", open_file, .arrange = make_file_in_use,
     .inspect_failure = is_as_it_was, .expected = MMF_E_SHARING},
    {"file_open_or_create_opens", open_or_create_file, .arrange = make_file,
     .inspect = is_map_of_file, .inspect_failure = is_as_it_was},
    {"file_open_or_create_creates", open_or_create_file, .arrange = choose_path,
     .inspect = is_map_of_file, .inspect_failure = is_not_there},
    {"file_grow", grow_file, .arrange = make_file, .inspect = is_map_of_grown_file,
     .inspect_failure = is_as_it_was, .clean = shrink},
    {"file_grow_named", grow_named_file, .arrange = make_file,
     .inspect = is_map_of_grown_file, .inspect_failure = is_as_it_was, .clean = shrink},
    {"file_grow_under_a_taken_name", grow_named_file, .arrange = make_file_and_hold,
     .inspect_failure = is_as_it_was, .expected = MMF_E_EXISTS},
    {"file_read", read_file, .arrange = make_file, .inspect = can_be_read,
     .inspect_failure = is_as_it_was},
    {"file_execute", execute_file, .arrange = make_file, .inspect = is_map_of_file,
     .inspect_failure = is_as_it_was},
    {"file_copy_on_write", copy_file, .arrange = make_file, .inspect = can_be_read,
     .inspect_failure = is_as_it_was},
    {"file_name", name_file, .arrange = make_file, .inspect = is_found_by_name,
     .inspect_failure = is_as_it_was},
    {"file_name_global", name_file_globally, .arrange = make_file,
     .inspect = is_map_of_file, .inspect_failure = is_as_it_was},
    {"file_name_new", name_new_file, .arrange = choose_path,
     .inspect = is_found_by_name, .inspect_failure = is_not_there},
    {"file_name_new_taken", name_new_file, .arrange = choose_path_and_hold,
     .expected = MMF_E_EXISTS},
    {"file_open_by_name", open_by_name, .arrange = hold_named_file,
     .inspect = is_map_of_file, .inspect_failure = is_as_it_was,
     .documented = round_open_statuses},
    {"file_open_by_name_replaced", open_by_name, .arrange = hold_replaced_file,
     .inspect_failure = is_as_it_was, .expected = MMF_E_CORRUPT,
     .documented = round_open_statuses},
    {"fd_map", map_descriptor, .arrange = make_file_and_descriptor,
     .inspect = is_map_of_file, .inspect_failure = is_as_it_was},
    {"fd_give", give_descriptor, .arrange = make_file_and_descriptor,
     .inspect = is_map_of_file, .inspect_failure = is_as_it_was},
    {"fd_name", name_descriptor, .arrange = make_file_and_descriptor,
     .inspect = is_found_by_name, .inspect_failure = is_as_it_was},
    {"fd_name_without_proc", name_descriptor, .arrange = make_file_and_descriptor,
     .inspect_failure = is_as_it_was, .host = HOST_NO_PROC,
     .expected = MMF_E_NOT_SUPPORTED, .or_else = MMF_E_NOT_FOUND},
    {"fd_pass_on", pass_on_descriptor, .arrange = make_file_and_descriptor,
     .inspect = is_found_by_name, .inspect_failure = is_as_it_was},
};

SCENARIOS(round_file_statuses);
