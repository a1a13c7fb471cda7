/*
 * peer.c - one end of a shared map, for libraries built by different compilers and C
 * libraries. It uses the public headers and plain C only, as it is built by hand.
 *
 *   peer create   makes the map and a mutex that it owns, says "ready", waits for a
 * line, checks the answer, says "answered", and sleeps until it is killed peer open
 * checks what the creator wrote, answers, sees that the mutex is owned peer after finds
 * the mutex abandoned and takes it; the map's name is free
 */
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
write_side(mmf_view_accessor *view, int64_t at, int seed)
{
    char elements[COUNT][ELEMENT];

    fill(elements, seed);
    demand(mmf_view_accessor_write_int64(view, at, 0x0123456789ABCDEF + seed) == 0,
           "write an int64");
    demand(mmf_view_accessor_write_array(view, at + 8, elements, ELEMENT, COUNT) == 0,
           "write an array");
}

static void
check_side(mmf_view_accessor *view, int64_t at, int seed)
{
    char expected[COUNT][ELEMENT];
    char elements[COUNT][ELEMENT];
    int64_t number;
    int64_t count;

    fill(expected, seed);
    demand(mmf_view_accessor_read_int64(view, at, &number) == 0 &&
               number == 0x0123456789ABCDEF + seed,
           "read the other's int64");
    demand(mmf_view_accessor_read_array(view, at + 8, elements, ELEMENT, COUNT,
                                        &count) == 0 &&
               count == COUNT && memcmp(elements, expected, sizeof(elements)) == 0,
           "read the other's array");
}

static void
open_view(mmf *map, mmf_view_accessor **view)
{
    int64_t capacity;

    demand(mmf_capacity(map, &capacity) == 0 && capacity == CAPACITY, "the capacity");
    demand(mmf_create_view_accessor(map, 0, 0, MMF_ACCESS_READ_WRITE, view) == 0,
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
    mmf *map;
    mmf_mutex *mutex;
    mmf_view_accessor *view;
    int created;
    char line[16];

    demand(mmf_create_new("Interop", CAPACITY, NULL, &map) == 0, "create the map");
    open_view(map, &view);
    write_side(view, 0, 1);
    demand(mmf_mutex_create(1, "Interop mutex", NULL, &created, &mutex) == 0 && created,
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
    mmf *map;
    mmf_mutex *mutex;
    mmf_view_accessor *view;

    demand(mmf_open_existing("Interop", NULL, &map) == 0, "open the map");
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
    mmf *map;
    mmf_mutex *mutex;
    char line[16];

    demand(mmf_mutex_open_existing("Interop mutex", NULL, &mutex) == 0,
           "open the mutex");
    say("ready");
    demand(fgets(line, sizeof(line), stdin) != NULL, "hear of the kill");
    demand(mmf_mutex_wait(mutex, 5000) == MMF_ABANDONED, "the mutex is abandoned");
    demand(mmf_open_existing("Interop", NULL, &map) == MMF_E_NOT_FOUND,
           "the map is gone");
    demand(mmf_mutex_release(mutex) == 0, "release the mutex");
    mmf_mutex_close(mutex);
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
    else
        return 2;
    return 0;
}
