/*
 * search.h - every way that a world can go: a depth-first search over its states, without
 * bounds on depth or preemptions. A state that was met before is not followed again; it
 * is known by a hash of 128 bits. explore.c has the world of mutexes, events and
 * semaphores, ring_explore.c that of channels.
 */
#ifndef MMF_TEST_MODEL_SEARCH_H
#define MMF_TEST_MODEL_SEARCH_H

#include <stddef.h>
#include <stdint.h>

enum { MOST_CHOICES = 32 };

/* What may happen next. */
enum event { EVENT_STEP, EVENT_KILL, EVENT_TICK };

struct choice {
    uint8_t event;
    int8_t thread;
    uint8_t way; /* of a step that can go several ways */
};

struct search_counts {
    uint64_t states;
    uint64_t steps;   /* from state to state */
    uint64_t kills;   /* of these */
    uint64_t loops;   /* steps back to a state on the way here */
    double schedules; /* ways from the begin to an end */
    int deepest;
    int stopped; /* there are more states than could be kept */
};

struct search_world {
    const char *name;
    /* Give all that can change to search_keep; take it from search_restore, in order. */
    void (*keep)(void);
    void (*restore)(void);
    int (*list_choices)(struct choice *choices);
    void (*happen)(struct choice choice);
    int (*is_over)(void); /* no thread goes on */
    void (*check_end)(void);
    void (*came_back)(struct choice by); /* to a state on the way here; NULL: so what */
    void (*print_choice)(struct choice choice); /* before it happens, */
    void (*print_after)(struct choice choice);  /* and after; ends the line */
    void (*print_end)(void);                    /* NULL: nothing more */
};

/* Note a failure, which ends the search; the first one counts. NULL: none yet. */
void found(const char *what);
extern const char *failure;

/*
 * From the state in which the world is. 0: explored, nothing found. Else a schedule that
 * shows the failure was printed.
 */
int search(const struct search_world *world, struct search_counts *counts);

void search_keep(const void *bytes, size_t size);
void search_restore(void *bytes, size_t size);

#endif
