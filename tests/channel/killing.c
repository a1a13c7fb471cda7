/*
 * killing.c - see killing.h. One run single-steps through the operation and writes down
 * where it comes by; then one child for each of these places runs there and is killed.
 */
#include "killing.h"

#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace.h"

enum {
    MOST_PLACES = 20000,
    /* Some creators look at other names, too: which ones, process ids decide. */
    MOST_TRIES = 20
};

static uintptr_t text_begin, text_end; /* libmmf.so's code, in us and our children */
static uintptr_t places[MOST_PLACES];
static size_t place_count;
static char place_text[160];

const char *
kill_place(void)
{
    return place_text;
}

void
kill_say_place(const char *text)
{
    snprintf(place_text, sizeof(place_text), "%s", text);
}

static int
find_text(struct dl_phdr_info *info, size_t size, void *payload)
{
    (void)size;
    (void)payload;
    if (strstr(info->dlpi_name, "libmmf.so") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            text_begin = info->dlpi_addr + part->p_vaddr;
            text_end = text_begin + part->p_memsz;
        }
    }
    return 1;
}

int
kill_find_code(void)
{
    dl_iterate_phdr(find_text, NULL);
    return text_begin != 0;
}

static void
walk_through(const struct kill_operation *operation)
{
    struct trace_stop stop;
    pid_t pid = operation->start();

    place_count = 0;
    do {
        uintptr_t at = trace_position(pid);

        if (at >= text_begin && at < text_end) {
            if (place_count < MOST_PLACES &&
                (place_count == 0 || places[place_count - 1] != at))
                places[place_count++] = at;
            trace_step(pid, &stop);
        } else {
            trace_come_back(pid, text_begin, text_end, &stop);
        }
    } while (stop.place == TRACE_STEP);
    if (stop.place == TRACE_END)
        trace_kill(pid);
    kill_say_place("killed after it");
    operation->check();
}

/* Shift the process ids that the next children get. */
static void
skip_process_id(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
}

/* The shortest of several walks: of a creator, one that looks at no other names. */
static void
walk_shortest(const struct kill_operation *operation)
{
    static uintptr_t shortest[MOST_PLACES];
    size_t count = SIZE_MAX;

    for (unsigned i = 0; i < operation->walks; i++) {
        walk_through(operation);
        if (place_count < count) {
            count = place_count;
            memcpy(shortest, places, count * sizeof(places[0]));
        }
        skip_process_id();
    }
    memcpy(places, shortest, count * sizeof(places[0]));
    place_count = count;
}

static int
kill_at_instruction(const struct kill_operation *operation, uintptr_t place,
                    unsigned times)
{
    struct trace_stop stop;
    pid_t pid = operation->start();

    trace_run_to(pid, place, times, &stop);
    if (stop.place != TRACE_GONE)
        trace_kill(pid);
    operation->check();
    return stop.place == TRACE_STEP;
}

void
kill_along(const struct kill_operation *operation, struct kill_counts *counts)
{
    walk_shortest(operation);
    counts->places = place_count;
    for (size_t n = operation->first; n < place_count; n += operation->stride) {
        unsigned times = 0;
        int tries = 0;

        for (size_t i = 0; i <= n; i++)
            times += places[i] == places[n];
        snprintf(place_text, sizeof(place_text),
                 "killed before instruction %zu of %zu, at +0x%lx", n, place_count,
                 (unsigned long)(places[n] - text_begin));
        while (!kill_at_instruction(operation, places[n], times) &&
               ++tries < MOST_TRIES)
            if (tries % 2 == 0)
                skip_process_id();
        if (tries < MOST_TRIES)
            counts->killed++;
        else
            counts->missed++;
    }
}
