/*
 * peer.c - one end of a shared map, for libraries built by different compilers and C
 * libraries. It uses the public headers and plain C only, as it is built by hand.
 *
 *   create  makes the map and a mutex that it owns, says "ready", waits for a line,
 *           checks the answer, says "answered", and sleeps until it is killed
 *   open    checks what the creator wrote, answers, sees that the mutex is owned
 *   after   finds the mutex abandoned and takes it; the map's name is free
 *   large   makes a map that 32 bits cannot address, writes near its end, says "ready"
 *           and sleeps until it is killed
 *   part    sees that end of it
 *   gone    finds its name free after the kill
 *   limits  what a program of this word size may ask for
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

enum { CAPACITY = 10000, COUNT = 100, ELEMENT = 6 };

static void
demand(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "peer: %s: %s\n", what, mmf_last_message());
    exit(1);
}

static void
fill(char elements[COUNT][ELEMENT], int seed)
{
    for (int i = 0; i < COUNT; i++)
        memset(elements[i], i * 7 + seed, ELEMENT);
}

static void
write_side(mmf_accessor *view, int64_t at, int seed)
{
    char elements[COUNT][ELEMENT];

    fill(elements, seed);
    demand(mmf_accessor_write_int64(view, at, 0x0123456789ABCDEF + seed) == 0,
           "write an int64");
    demand(mmf_accessor_write_array(view, at + 8, elements, ELEMENT, COUNT) == 0,
           "write an array");
}

static void
check_side(mmf_accessor *view, int64_t at, int seed)
{
    char expected[COUNT][ELEMENT];
    char elements[COUNT][ELEMENT];
    int64_t number;
    size_t count;

    fill(expected, seed);
    demand(mmf_accessor_read_int64(view, at, &number) == 0 &&
               number == 0x0123456789ABCDEF + seed,
           "read the other's int64");
    demand(mmf_accessor_read_array(view, at + 8, elements, ELEMENT, COUNT, &count) ==
                   0 &&
               count == COUNT && memcmp(elements, expected, sizeof(elements)) == 0,
           "read the other's array");
}

static void
open_view(mmf_map *map, mmf_accessor **view)
{
    int64_t capacity;

    demand(mmf_map_capacity(map, &capacity) == 0 && capacity == CAPACITY,
           "the capacity");
    demand(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, view) == 0,
           "a view");
}

static void
say(const char *line)
{
    puts(line);
    fflush(stdout);
}

static void
run_creator(void)
{
    mmf_map *map;
    mmf_mutex *mutex;
    mmf_accessor *view;
    int created;
    char line[16];

    demand(mmf_map_create_new("Interop", CAPACITY, NULL, &map) == 0, "create the map");
    open_view(map, &view);
    write_side(view, 0, 1);
    demand(mmf_mutex_create_or_open("Interop mutex", 1, NULL, &created, &mutex) == 0 &&
               created,
           "create the mutex");
    say("ready");
    demand(fgets(line, sizeof(line), stdin) != NULL, "hear of the other");
    check_side(view, 5000, 2);
    say("answered");
    while (fgets(line, sizeof(line), stdin) != NULL) {
    }
}

static void
run_opener(void)
{
    mmf_map *map;
    mmf_mutex *mutex;
    mmf_accessor *view;

    demand(mmf_map_open_existing("Interop", NULL, &map) == 0, "open the map");
    open_view(map, &view);
    check_side(view, 0, 1);
    write_side(view, 5000, 2);
    demand(mmf_mutex_open_existing("Interop mutex", NULL, &mutex) == 0,
           "open the mutex");
    demand(mmf_mutex_wait(mutex, 0) == MMF_TIMED_OUT, "the mutex is the creator's");
    say("done");
}

static void
run_survivor(void)
{
    mmf_map *map;
    mmf_mutex *mutex;
    char line[16];

    demand(mmf_mutex_open_existing("Interop mutex", NULL, &mutex) == 0,
           "open the mutex");
    say("ready");
    demand(fgets(line, sizeof(line), stdin) != NULL, "hear of the kill");
    demand(mmf_mutex_wait(mutex, 5000) == MMF_ABANDONED, "the mutex is abandoned");
    demand(mmf_map_open_existing("Interop", NULL, &map) == MMF_E_NOT_FOUND,
           "the map is gone");
    demand(mmf_mutex_release(mutex) == 0, "release the mutex");
    mmf_mutex_close(mutex);
    say("done");
}

/*
 * Maps beyond the address space of one of them.
 */

#define GIB INT64_C(1073741824)
#define LARGE (6 * GIB)
#define NEAR_END (5 * GIB + 12345)

static void
run_large(void)
{
    mmf_map *map;
    mmf_map_options options;
    mmf_accessor *view;
    char line[16];

    mmf_map_options_init(&options);
    options.allocation = MMF_DELAY_ALLOCATE_PAGES;
    demand(mmf_map_create_new("Large", LARGE, &options, &map) == 0,
           "create a large map");
    demand(mmf_accessor_create(map, NEAR_END, 8, MMF_ACCESS_READ_WRITE, NULL, &view) ==
               0,
           "a view near its end");
    demand(mmf_accessor_write_int64(view, 0, 42) == 0, "write near its end");
    say("ready");
    while (fgets(line, sizeof(line), stdin) != NULL) {
    }
}

static void
run_part(void)
{
    mmf_map *map;
    mmf_accessor *view;
    mmf_stream *stream;
    int64_t number, capacity;
    int32_t byte;

    demand(mmf_map_open_existing("Large", NULL, &map) == 0, "open a large map");
    demand(mmf_map_capacity(map, &capacity) == 0 && capacity == LARGE, "its capacity");
    demand(mmf_accessor_create(map, NEAR_END, 8, MMF_ACCESS_READ, NULL, &view) == 0,
           "a view near its end");
    demand(mmf_accessor_read_int64(view, 0, &number) == 0 && number == 42,
           "read near its end");
    mmf_accessor_close(view);
    demand(mmf_stream_create(map, LARGE - 1, 0, MMF_ACCESS_READ, NULL, &stream) == 0 &&
               mmf_stream_read_byte(stream, &byte) == 0 && byte == 0,
           "its last byte");
    mmf_stream_close(stream);
    if (sizeof(void *) == 4) {
        demand(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ, NULL, &view) ==
                   MMF_E_NO_MEMORY,
               "no view of it all");
        demand(mmf_accessor_create(map, 4095, UINT32_MAX - 100, MMF_ACCESS_READ, NULL,
                                   &view) == MMF_E_NO_MEMORY,
               "no view that is too large with what lies before it");
    }
    mmf_map_close(map);
    say("done");
}

static void
run_gone(void)
{
    mmf_map *map;

    demand(mmf_map_open_existing("Large", NULL, &map) == MMF_E_NOT_FOUND,
           "the large map is gone");
    say("done");
}

/* The last call failed with `status` and named `parameter`. */
static int
refused(int rc, int status, const char *parameter)
{
    mmf_error error;

    mmf_last_error(&error);
    return rc == status && error.status == status &&
           strcmp(error.parameter, parameter) == 0;
}

/* Contract 2.4.3, 2.5.4 and 2.6.4. */
static void
run_limits(void)
{
    const int64_t beyond = INT64_C(1) << 32;
    int narrow = sizeof(void *) == 4;
    mmf_map_options delay;
    mmf_accessor *view;
    mmf_stream *stream;
    mmf_map *map;

    mmf_map_options_init(&delay);
    delay.allocation = MMF_DELAY_ALLOCATE_PAGES;
    if (narrow) {
        demand(refused(mmf_map_create_new("Limits", beyond, &delay, &map), MMF_E_RANGE,
                       "capacity"),
               "create beyond 32 bits");
        demand(refused(mmf_map_create_new(NULL, beyond, &delay, &map), MMF_E_RANGE,
                       "capacity"),
               "create beyond 32 bits, unnamed");
        demand(refused(mmf_map_create_or_open("Limits", beyond, &delay, NULL, &map),
                       MMF_E_RANGE, "capacity"),
               "create or open beyond 32 bits");
    }
    demand(mmf_map_create_or_open("Limits", beyond - narrow, &delay, NULL, &map) == 0,
           "create as much as the word can say");
    if (narrow) {
        demand(
            refused(mmf_accessor_create(map, 0, beyond, MMF_ACCESS_READ, NULL, &view),
                    MMF_E_RANGE, "size"),
            "a view beyond 32 bits");
        demand(
            refused(mmf_stream_create(map, 0, beyond, MMF_ACCESS_READ, NULL, &stream),
                    MMF_E_RANGE, "size"),
            "a stream beyond 32 bits");
    }
    demand(mmf_accessor_create(map, beyond - 4097, 4096, MMF_ACCESS_READ_WRITE, NULL,
                               &view) == 0 &&
               mmf_accessor_write_int32(view, 4092, 7) == 0,
           "a view of its end");
    mmf_accessor_close(view);
    mmf_map_close(map);
    say("done");
}

int
main(int argc, char **argv)
{
    const char *part = argc > 1 ? argv[1] : "";

    if (strcmp(part, "create") == 0)
        run_creator();
    else if (strcmp(part, "open") == 0)
        run_opener();
    else if (strcmp(part, "after") == 0)
        run_survivor();
    else if (strcmp(part, "large") == 0)
        run_large();
    else if (strcmp(part, "part") == 0)
        run_part();
    else if (strcmp(part, "gone") == 0)
        run_gone();
    else if (strcmp(part, "limits") == 0)
        run_limits();
    else
        return 2;
    return 0;
}
