/*
 * support.c - names, files and samples for the contract tests, and calls that must
 * succeed.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int64_t
capacity_at(size_t index)
{
    const int64_t capacities[CAPACITY_COUNT] = {1, 256, page_size(), 10000};

    return capacities[index];
}

const char *
access_name(mmf_access access)
{
    static const char *const names[ACCESS_COUNT] = {
        "ReadWrite", "Read", "Write", "CopyOnWrite", "ReadExecute", "ReadWriteExecute"};

    return access >= 0 && access < ACCESS_COUNT ? names[access] : "none";
}

void
unique_name(char name[UNIQUE_NAME_SIZE])
{
    static uint64_t count;

    snprintf(name, UNIQUE_NAME_SIZE, "%016" PRIx64 "%016" PRIx64, (uint64_t)getpid(),
             ++count);
}

void
make_names(struct names *names)
{
    static const char white[] = " \t\r\n \t\r\n \t\r\n \t\r\n \t ";
    char *longest = names->text[4];
    char unique[UNIQUE_NAME_SIZE];

    unique_name(unique);
    strcpy(names->text[0], unique);
    strcpy(names->text[1], white);
    snprintf(names->text[2], sizeof(names->text[2]), "local/%s", unique);
    snprintf(names->text[3], sizeof(names->text[3]), "global/%s", unique);
    strcpy(longest, unique);
    memset(longest + 32, 'a', 1000);
    longest[1032] = '\0';
}

/*
 * Calls that must succeed.
 */

mmf_map_options
options_with(mmf_access access, mmf_map_allocation allocation,
             mmf_inheritability inheritability)
{
    mmf_map_options with;

    mmf_map_options_init(&with);
    with.access = access;
    with.allocation = allocation;
    with.inheritability = inheritability;
    return with;
}

mmf_map_options
open_options_with(mmf_rights rights, mmf_inheritability inheritability)
{
    mmf_map_options with;

    mmf_map_options_init(&with);
    with.rights = rights;
    with.inheritability = inheritability;
    return with;
}

mmf_map *
create_new(const char *name, int64_t capacity, const mmf_map_options *options)
{
    mmf_map *map = NULL;

    CHECK_STATUS(mmf_map_create_new(name, capacity, options, &map), MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf_map *
create_or_open(const char *name, int64_t capacity, const mmf_map_options *options)
{
    mmf_map *map = NULL;

    CHECK_STATUS(mmf_map_create_or_open(name, capacity, options, NULL, &map), MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf_map *
open_existing(const char *name, const mmf_map_options *options)
{
    mmf_map *map = NULL;

    CHECK_STATUS(mmf_map_open_existing(name, options, &map), MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf_map *
create_from_file(const char *path, mmf_file_mode mode, const char *name,
                 int64_t capacity, const mmf_map_options *options)
{
    mmf_map *map = NULL;

    CHECK_STATUS(mmf_map_create_from_file(path, mode, name, capacity, options, &map),
                 MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf_map *
create_from_handle(intptr_t handle, const char *name, int64_t capacity,
                   const mmf_map_options *options)
{
    mmf_map *map = NULL;

    CHECK_STATUS(mmf_map_create_from_handle(handle, name, capacity, options, &map),
                 MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf_accessor *
view_of(mmf_map *map, int64_t offset, int64_t size, mmf_access access)
{
    mmf_accessor *view = NULL;

    CHECK_STATUS(mmf_accessor_create(map, offset, size, access, NULL, &view), MMF_OK);
    CHECK(view != NULL);
    return view;
}

mmf_stream *
stream_of(mmf_map *map, int64_t offset, int64_t size, mmf_access access)
{
    mmf_stream *stream = NULL;

    CHECK_STATUS(mmf_stream_create(map, offset, size, access, NULL, &stream), MMF_OK);
    CHECK(stream != NULL);
    return stream;
}

void
poke(mmf_map *map, int64_t position, uint8_t value)
{
    mmf_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);

    CHECK_OK(mmf_accessor_write_byte(view, position, value));
    mmf_accessor_close(view);
}

uint8_t
byte_at(mmf_map *map, int64_t position)
{
    mmf_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ);
    uint8_t value = 0;

    CHECK_OK(mmf_accessor_read_byte(view, position, &value));
    mmf_accessor_close(view);
    return value;
}

/*
 * Samples.
 */

static void
run_on_file_sample(int64_t capacity, const char *name, const char *kind,
                   void (*test)(mmf_map *map, int64_t capacity), int close_it)
{
    char path[FILE_PATH_SIZE];
    mmf_map *map;

    CHECK_CONTEXT("%s of %" PRId64 " bytes", kind, capacity);
    file_path(path);
    map = create_from_file(path, MMF_FILE_MODE_CREATE_NEW, name, capacity, NULL);
    test(map, capacity);
    if (close_it)
        mmf_map_close(map);
    remove_file(path);
}

static void
run_on_samples(int64_t capacity, void (*test)(mmf_map *map, int64_t capacity),
               int close_it)
{
    char name[UNIQUE_NAME_SIZE];
    mmf_map *map;

    CHECK_CONTEXT("an unnamed map of %" PRId64 " bytes", capacity);
    map = create_new(NULL, capacity, NULL);
    test(map, capacity);
    if (close_it)
        mmf_map_close(map);

    run_on_file_sample(capacity, NULL, "a file's map", test, close_it);

    unique_name(name);
    CHECK_CONTEXT("a named map of %" PRId64 " bytes", capacity);
    map = create_new(name, capacity, NULL);
    test(map, capacity);
    if (close_it)
        mmf_map_close(map);

    unique_name(name);
    run_on_file_sample(capacity, name, "a file's named map", test, close_it);
    CHECK_CONTEXT("%s", "");
}

void
for_each_sample(int64_t capacity, void (*test)(mmf_map *map, int64_t capacity))
{
    run_on_samples(capacity, test, 1);
}

void
for_each_owned_sample(int64_t capacity, void (*test)(mmf_map *map, int64_t capacity))
{
    run_on_samples(capacity, test, 0);
}
