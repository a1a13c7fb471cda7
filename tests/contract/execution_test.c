/*
 * execution_test.c - views for execution are made just where the host lets them be: rules
 * 2.7 and 2.9. What accesses allow otherwise is in tests/scenarios/map.scn and file.scn.
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
            continue; /* cannot be created */
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
