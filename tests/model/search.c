/* search.c - see search.h. */
#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KNOWN = 12000000 /* states; a third of a gigabyte */ };

const char *failure;

static const struct search_world *world;
static struct search_counts *counts;

void
found(const char *what)
{
    if (failure == NULL)
        failure = what;
}

/*
 * States: kept on a stack along the way.
 */

static unsigned char *arena;
static size_t arena_size;
static size_t arena_used;
static size_t arena_read; /* while one is restored */

static void *
grow(void *old, size_t size)
{
    void *larger = realloc(old, size);

    if (larger == NULL) {
        fprintf(stderr, "model: no memory\n");
        exit(EXIT_FAILURE);
    }
    return larger;
}

static size_t
padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

void
search_keep(const void *bytes, size_t size)
{
    if (arena_used + padded(size) > arena_size) {
        arena_size = 2 * (arena_used + padded(size));
        arena = grow(arena, arena_size);
    }
    memcpy(arena + arena_used, bytes, size);
    memset(arena + arena_used + size, 0, padded(size) - size);
    arena_used += padded(size);
}

void
search_restore(void *bytes, size_t size)
{
    memcpy(bytes, arena + arena_read, size);
    arena_read += padded(size);
}

static void
restore_state(size_t at)
{
    arena_read = at;
    world->restore();
}

/*
 * And known again.
 */

struct known {
    uint64_t key[2];  /* 0, 0: free */
    double schedules; /* from here on; -1: on the way here */
};

static struct known *known;
static size_t known_size;
static size_t known_count;

static uint64_t
rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t
finish(uint64_t x)
{
    x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93u;
    x = (x ^ (x >> 29)) * 0xA0761D6478BD642Fu;
    return x ^ (x >> 32);
}

static void
hash_state(size_t at, uint64_t key[2])
{
    uint64_t a = 0x243F6A8885A308D3u;
    uint64_t b = 0x13198A2E03707344u;

    for (; at < arena_used; at += 8) {
        uint64_t word;

        memcpy(&word, arena + at, 8);
        a = rotate((a ^ word) * 0x9E3779B97F4A7C15u, 31);
        b = (rotate(b, 23) + word) * 0xC2B2AE3D27D4EB4Fu ^ a;
    }
    key[0] = finish(a);
    key[1] = finish(b) | 1;
}

static struct known *
find_known(const uint64_t key[2])
{
    size_t i = (size_t)key[0] & (known_size - 1);

    while (known[i].key[1] != 0 &&
           (known[i].key[0] != key[0] || known[i].key[1] != key[1]))
        i = (i + 1) & (known_size - 1);
    return &known[i];
}

static void
make_room(void)
{
    struct known *old = known;
    size_t old_size = known_size;

    if (known_count * 3 < known_size * 2)
        return;
    known_size = known_size == 0 ? 1 << 16 : 2 * known_size;
    known = grow(NULL, known_size * sizeof(*known));
    memset(known, 0, known_size * sizeof(*known));
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].key[1] != 0)
            *find_known(old[i].key) = old[i];
    }
    free(old);
}

static void
forget_all(void)
{
    free(known);
    known = NULL;
    known_size = 0;
    known_count = 0;
    arena_used = 0;
}

/*
 * The way.
 */

struct frame {
    size_t state;
    uint64_t key[2];
    double schedules;
    int count;
    int next;
    struct choice choices[MOST_CHOICES];
};

static struct frame *frames;
static int frames_size;
static int depth; /* frames in use */

static struct frame *
push_frame(void)
{
    if (depth == frames_size) {
        frames_size = frames_size == 0 ? 256 : 2 * frames_size;
        frames = grow(frames, (size_t)frames_size * sizeof(*frames));
    }
    if (depth + 1 > counts->deepest)
        counts->deepest = depth + 1;
    return &frames[depth++];
}

/* The state was met before: how many schedules lead on from it. */
static double
meet_again(const struct known *seen, struct choice by)
{
    if (seen->schedules >= 0)
        return seen->schedules;
    counts->loops++;
    if (world->came_back != NULL)
        world->came_back(by);
    return 0;
}

/* Enter the present state, unless it was met before; answers how many schedules. */
static double
enter(struct choice by)
{
    size_t at = arena_used;
    struct frame *frame;
    struct known *seen;
    uint64_t key[2];

    world->keep();
    hash_state(at, key);
    make_room();
    seen = find_known(key);
    if (seen->key[1] != 0) {
        arena_used = at;
        return meet_again(seen, by);
    }
    memcpy(seen->key, key, sizeof(key));
    seen->schedules = -1;
    known_count++;
    counts->states++;
    frame = push_frame();
    frame->state = at;
    memcpy(frame->key, key, sizeof(key));
    frame->schedules = 0;
    frame->next = 0;
    frame->count = world->list_choices(frame->choices);
    if (world->is_over()) {
        world->check_end();
        frame->schedules = 1;
    }
    return -1;
}

static void
leave(void)
{
    struct frame *frame = &frames[--depth];

    find_known(frame->key)->schedules = frame->schedules;
    arena_used = frame->state;
    if (depth > 0)
        frames[depth - 1].schedules += frame->schedules;
    else
        counts->schedules = frame->schedules;
}

/* Go the next way from the present state. */
static void
go_on(struct frame *frame)
{
    struct choice choice = frame->choices[frame->next];
    double schedules;

    restore_state(frame->state);
    counts->steps++;
    counts->kills += choice.event == EVENT_KILL;
    frame->next++;
    world->happen(choice);
    if (failure != NULL)
        return;
    schedules = enter(choice);
    if (schedules > 0)
        frames[depth - 1].schedules += schedules;
}

/* Go the way once more, and say what happens. */
static void
tell(void)
{
    printf("  %s: %s\n", world->name, failure);
    restore_state(frames[0].state);
    for (int i = 0; i < depth && frames[i].next > 0; i++) {
        struct choice choice = frames[i].choices[frames[i].next - 1];

        world->print_choice(choice);
        world->happen(choice);
        world->print_after(choice);
    }
    if (world->print_end != NULL)
        world->print_end();
}

int
search(const struct search_world *what, struct search_counts *result)
{
    const struct choice none = {.event = EVENT_KILL, .thread = -1};

    world = what;
    counts = result;
    memset(counts, 0, sizeof(*counts));
    forget_all();
    depth = 0;
    failure = NULL;
    enter(none);
    while (depth > 0 && failure == NULL && !counts->stopped) {
        struct frame *frame = &frames[depth - 1];

        if (known_count >= MOST_KNOWN)
            counts->stopped = 1;
        else if (frame->next == frame->count)
            leave();
        else
            go_on(frame);
    }
    if (failure == NULL)
        return 0;
    tell();
    return 1;
}
