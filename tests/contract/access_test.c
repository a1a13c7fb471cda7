/*
 * access_test.c - what each access allows: the full matrices of rules 2.7 (map and
 * view), 2.8 (handle and object) and 2.9 (file and map).
 */
#include "support.h"

#include <string.h>

enum { R = 1, W = 2, X = 4 };

/* What an access consists of; a view is allowed if it is a subset of the map's. */
static int
set_of(mmf_access access)
{
    static const int sets[ACCESS_COUNT] = {R | W, R, W, R, R | X, R | W | X};

    return sets[access];
}

static int
covers(int have, int want)
{
    return (have & want) == want;
}

/* Make the view and look what it can do, or see it refused. */
static void
check_view(mmf_map *map, int64_t size, mmf_access access, int status)
{
    mmf_accessor *view;
    mmf_stream *stream;

    if (status == MMF_E_IO && !host_keeps_protection())
        return;
    if (status < 0) {
        REFUSES_VIEW(map, 0, size, access, status, NULL);
        return;
    }
    view = view_of(map, 0, size, access);
    validate_accessor(view, size, access);
    mmf_accessor_close(view);
    stream = stream_of(map, 0, size, access);
    validate_stream(stream, size, access);
    mmf_stream_close(stream);
}

/* What a view of `access` meets where the host may refuse execution. */
static int
on_host(int status, mmf_access access, int host_executes)
{
    return status == MMF_OK && covers(set_of(access), X) && !host_executes
               ? MMF_E_ACCESS
               : status;
}

static void
check_map_and_view(const char *name, int host_executes)
{
    mmf_access map_access, access;
    mmf_map *map;

    for (map_access = 0; map_access < ACCESS_COUNT; map_access++) {
        if (map_access == MMF_ACCESS_WRITE)
            continue; /* cannot be created: cn_06_access_write */
        for (access = 0; access < ACCESS_COUNT; access++) {
            int allowed = covers(set_of(map_access), set_of(access));
            int status =
                on_host(allowed ? MMF_OK : MMF_E_ACCESS, access, host_executes);

            CHECK_CONTEXT("%s map %s, view %s", name == NULL ? "unnamed" : "named",
                          access_name(map_access), access_name(access));
            map = create_new(name, 4096, WITH_ACCESS(map_access));
            check_view(map, 4096, access, status);
            mmf_map_close(map);
        }
    }
}

/* All 30 slots. */
TEST(rule_2_7_map_and_view)
{
    check_map_and_view(NULL, host_executes_unnamed());
    check_map_and_view("Cat", host_executes_in(harness_dir()));
}

/* The row of a handle that was opened with the write right alone. */
TEST(rule_2_7_write_handle)
{
    static const int statuses[ACCESS_COUNT] = {
        MMF_OK, MMF_E_ACCESS, MMF_OK, MMF_E_ACCESS, MMF_E_ACCESS, MMF_E_ACCESS};
    mmf_access access;
    mmf_map *first, *map;

    first = create_new("Cat", 4096, WITH_ACCESS(MMF_ACCESS_READ_WRITE_EXECUTE));
    map = create_or_open("Cat", 4096, WITH_ACCESS(MMF_ACCESS_WRITE));
    for (access = 0; access < ACCESS_COUNT; access++) {
        CHECK_CONTEXT("view %s", access_name(access));
        check_view(map, 4096, access, statuses[access]);
    }
    mmf_map_close(map);
    map = open_existing("Cat", WITH_RIGHTS(MMF_RIGHTS_WRITE));
    for (access = 0; access < ACCESS_COUNT; access++) {
        CHECK_CONTEXT("rights Write, view %s", access_name(access));
        check_view(map, 4096, access, statuses[access]);
    }
    mmf_map_close(map);
    mmf_map_close(first);
}

/* The memory of a write view is shared; of a copy-on-write view, private. */
TEST(rule_2_7_what_views_do)
{
    mmf_accessor *view;
    mmf_map *map;

    map = create_new(NULL, 4096, NULL);
    view = view_of(map, 0, 0, MMF_ACCESS_WRITE);
    CHECK_OK(mmf_accessor_write_byte(view, 9, 1));
    CHECK_INT(byte_at(map, 9), 1);
    mmf_accessor_close(view);
    view = view_of(map, 0, 0, MMF_ACCESS_COPY_ON_WRITE);
    CHECK_OK(mmf_accessor_write_byte(view, 9, 2));
    CHECK_INT(byte_at(map, 9), 1);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/*
 * Rule 2.8. The handle's rights are the first layer: a view beyond them is ACCESS. What
 * the creator gave the object is the second: a view beyond that is IO.
 */
static int
layered(int handle, int object, mmf_access access)
{
    int set = set_of(access);

    /* A handle to write has views that read, too: rule_2_7_write_handle. */
    if (!covers(handle & set & 2 ? handle | 1 : handle, set))
        return MMF_E_ACCESS;
    return covers(object, set_of(access)) ? MMF_OK : MMF_E_IO;
}

static void
check_layers(mmf_map *map, int handle, int object)
{
    int host_executes = host_executes_in(harness_dir());
    mmf_access access;

    for (access = 0; access < ACCESS_COUNT; access++) {
        int status = layered(handle, object, access);

        CHECK_CONTEXT("handle %d, object %d (read 1, write 2, execute 4), view %s",
                      handle, object, access_name(access));
        check_view(map, 4096, access, on_host(status, access, host_executes));
    }
}

/* 5 creators x 6 second handles x 6 views. */
TEST(rule_2_8_create_or_open)
{
    mmf_access object, handle;
    mmf_map *first, *map;

    for (object = 0; object < ACCESS_COUNT; object++) {
        if (object == MMF_ACCESS_WRITE)
            continue;
        first = create_new("Cat", 4096, WITH_ACCESS(object));
        for (handle = 0; handle < ACCESS_COUNT; handle++) {
            map = create_or_open("Cat", 4096, WITH_ACCESS(handle));
            check_layers(map, set_of(handle), set_of(object));
            mmf_map_close(map);
        }
        mmf_map_close(first);
    }
}

/* The same by rights: every combination of the four memory rights. */
TEST(rule_2_8_open_existing)
{
    mmf_access object;
    mmf_rights rights;
    mmf_map *first, *map;
    int handle;

    for (object = 0; object < ACCESS_COUNT; object++) {
        if (object == MMF_ACCESS_WRITE)
            continue;
        first = create_new("Cat", 4096, WITH_ACCESS(object));
        for (rights = 0; rights < 16; rights++) {
            if (rights & MMF_RIGHTS_COPY_ON_WRITE)
                continue; /* rule_2_8_copy_on_write_right */
            handle = (rights & MMF_RIGHTS_READ ? R : 0) |
                     (rights & MMF_RIGHTS_WRITE ? W : 0) |
                     (rights & MMF_RIGHTS_EXECUTE ? X : 0);
            /* A right that is not about memory stands for none: 0 means the access. */
            map = open_existing(
                "Cat", WITH_RIGHTS(rights == 0 ? MMF_RIGHTS_READ_PERMISSIONS : rights));
            check_layers(map, handle, set_of(object));
            mmf_map_close(map);
        }
        map = open_existing("Cat", WITH_RIGHTS(MMF_RIGHTS_FULL_CONTROL));
        check_layers(map, R | W | X, set_of(object));
        mmf_map_close(map);
        mmf_map_close(first);
    }
}

/* The copy-on-write right lets a view be read; its writes stay in it. */
TEST(rule_2_8_copy_on_write_right)
{
    mmf_map *first, *map;

    first = create_new("Cat", 4096, NULL);
    map = open_existing("Cat", WITH_RIGHTS(MMF_RIGHTS_COPY_ON_WRITE));
    check_view(map, 4096, MMF_ACCESS_COPY_ON_WRITE, MMF_OK);
    check_view(map, 4096, MMF_ACCESS_WRITE, MMF_E_ACCESS);
    check_view(map, 4096, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS);
    check_view(map, 4096, MMF_ACCESS_READ_EXECUTE, MMF_E_ACCESS);
    mmf_map_close(map);
    mmf_map_close(first);
}

/* Opening never fails for a mismatch of access; only the view does. */
TEST(rule_2_8_opening_never_fails_for_access)
{
    mmf_access handle;
    mmf_map *first;

    first = create_new("Cat", 4096, WITH_ACCESS(MMF_ACCESS_READ));
    for (handle = 0; handle < ACCESS_COUNT; handle++)
        mmf_map_close(create_or_open("Cat", 4096, WITH_ACCESS(handle)));
    mmf_map_close(open_existing("Cat", WITH_RIGHTS(MMF_RIGHTS_FULL_CONTROL)));
    mmf_map_close(first);
}

/* The default view is for reading and writing, whatever the map allows. */
TEST(rule_2_6_default_view_of_a_reader_is_refused)
{
    mmf_map *map;

    map = create_new(NULL, 4096, WITH_ACCESS(MMF_ACCESS_READ));
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    mmf_map_close(map);
    map = create_new(NULL, 4096, WITH_ACCESS(MMF_ACCESS_COPY_ON_WRITE));
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    mmf_map_close(map);
}

/*
 * Rule 2.9.
 */

/* Make a map of `access` on the file opened for `how`, or see it refused. */
static void
check_file_and_map(const char *path, int how, mmf_access access, int status)
{
    intptr_t fd = open_file(path, how, 0);
    mmf_map *map;

    CHECK_CONTEXT("opened for %d, map %s", how, access_name(access));
    if (status < 0 && covers(set_of(access), X) && how != FOR_WRITING &&
        !host_keeps_execution()) {
        close_file(fd);
        return;
    }
    if (status < 0) {
        REFUSES_HANDLE(fd, NULL, 0, WITH_ACCESS(access), status, NULL);
        REFUSES_HANDLE(fd, NULL, 4096, WITH_ACCESS(access), status, NULL);
        close_file(fd);
        return;
    }
    map = create_from_handle(fd, NULL, 0, WITH_ACCESS(access));
    check_view(map, 4096, MMF_ACCESS_READ,
               MMF_OK); /* every map that a file can have is readable */
    if (covers(set_of(access), W))
        check_view(map, 4096, MMF_ACCESS_READ_WRITE, MMF_OK);
    mmf_map_close(map);
}

TEST(rule_2_9_file_and_map)
{
    static const struct {
        int how;
        int statuses[ACCESS_COUNT];
    } rows[] = {
        /* ReadWrite, Read, Write, CopyOnWrite, ReadExecute, ReadWriteExecute */
        {FOR_BOTH, {MMF_OK, MMF_OK, MMF_E_INVALID, MMF_OK, MMF_E_ACCESS, MMF_E_ACCESS}},
        {FOR_READING,
         {MMF_E_ACCESS, MMF_OK, MMF_E_INVALID, MMF_OK, MMF_E_ACCESS, MMF_E_ACCESS}},
        {FOR_WRITING,
         {MMF_E_ACCESS, MMF_E_ACCESS, MMF_E_INVALID, MMF_E_ACCESS, MMF_E_ACCESS,
          MMF_E_ACCESS}},
    };
    char path[FILE_PATH_SIZE];
    mmf_access access;
    size_t i;

    file_path(path);
    make_file(path, 4096); /* mode 0644: no user may execute it */
    for (i = 0; i < COUNT_OF(rows); i++)
        for (access = 0; access < ACCESS_COUNT; access++)
            check_file_and_map(path, rows[i].how, access, rows[i].statuses[access]);
    remove_file(path);
}

/* Execute access needs an execute bit in the file's mode; then the host decides. */
TEST(rule_2_9_execute_needs_the_bit)
{
    char path[FILE_PATH_SIZE], dir[FILE_PATH_SIZE];
    int host_executes;
    mmf_map *map;

    need_modes();
    file_path(path);
    strcpy(dir, path);
    *strrchr(dir, '/') = '\0';
    host_executes = host_executes_in(dir);
    make_file(path, 4096);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0,
                 WITH_ACCESS(MMF_ACCESS_READ_EXECUTE), MMF_E_ACCESS, NULL);
    REFUSES_FILE(path, MMF_FILE_MODE_OPEN, NULL, 0,
                 WITH_ACCESS(MMF_ACCESS_READ_WRITE_EXECUTE), MMF_E_ACCESS, NULL);
    set_mode(path, 0755);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0,
                           WITH_ACCESS(MMF_ACCESS_READ_EXECUTE));
    check_view(map, 4096, MMF_ACCESS_READ_EXECUTE,
               on_host(MMF_OK, MMF_ACCESS_READ_EXECUTE, host_executes));
    check_view(map, 4096, MMF_ACCESS_READ, MMF_OK);
    check_view(map, 4096, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS);
    mmf_map_close(map);
    map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0,
                           WITH_ACCESS(MMF_ACCESS_READ_WRITE_EXECUTE));
    check_view(map, 4096, MMF_ACCESS_READ_WRITE_EXECUTE,
               on_host(MMF_OK, MMF_ACCESS_READ_WRITE_EXECUTE, host_executes));
    mmf_map_close(map);
    remove_file(path);
}

/* Maps of files by 2.7: what a file's map allows, by path. */
TEST(rule_2_7_map_of_a_file_and_view)
{
    static const mmf_access accesses[] = {MMF_ACCESS_READ_WRITE, MMF_ACCESS_READ,
                                          MMF_ACCESS_COPY_ON_WRITE};
    char path[FILE_PATH_SIZE];
    mmf_access access;
    mmf_map *map;
    size_t i;

    file_path(path);
    make_file(path, 4096);
    for (i = 0; i < COUNT_OF(accesses); i++) {
        for (access = 0; access < ACCESS_COUNT; access++) {
            CHECK_CONTEXT("map %s, view %s", access_name(accesses[i]),
                          access_name(access));
            map = create_from_file(path, MMF_FILE_MODE_OPEN, NULL, 0,
                                   WITH_ACCESS(accesses[i]));
            check_view(map, 4096, access,
                       covers(set_of(accesses[i]), set_of(access)) ? MMF_OK
                                                                   : MMF_E_ACCESS);
            mmf_map_close(map);
        }
    }
    remove_file(path);
}

/* 2.8 holds for a file's name, too. */
TEST(rule_2_8_named_file)
{
    char path[FILE_PATH_SIZE];
    mmf_map *first, *map;

    file_path(path);
    make_file(path, 4096);
    first = create_from_file(path, MMF_FILE_MODE_OPEN, "Cat", 0,
                             WITH_ACCESS(MMF_ACCESS_READ));
    map = create_or_open("Cat", 4096, NULL);
    check_view(map, 4096, MMF_ACCESS_READ_WRITE, MMF_E_IO);
    check_view(map, 4096, MMF_ACCESS_READ, MMF_OK);
    check_view(map, 4096, MMF_ACCESS_COPY_ON_WRITE, MMF_OK);
    mmf_map_close(map);
    map = open_existing("Cat", NULL);
    check_view(map, 4096, MMF_ACCESS_WRITE, MMF_E_IO);
    mmf_map_close(map);
    mmf_map_close(first);
    first = create_from_file(path, MMF_FILE_MODE_OPEN, "Cat", 0, NULL);
    map = open_existing("Cat", WITH_RIGHTS(MMF_RIGHTS_READ));
    check_view(map, 4096, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS);
    check_view(map, 4096, MMF_ACCESS_READ, MMF_OK);
    mmf_map_close(map);
    mmf_map_close(first);
    remove_file(path);
}
