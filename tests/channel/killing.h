/*
 * killing.h - kill a child at the places that it comes by in libmmf.so.
 */
#ifndef MMF_TESTS_CHANNEL_KILLING_H
#define MMF_TESTS_CHANNEL_KILLING_H

#include <stddef.h>
#include <sys/types.h>

struct kill_operation {
    pid_t (*start)(void); /* make everything ready; as trace_fork */
    void (*check)(void);  /* the child is dead: look at the survivors */
    size_t first, stride; /* the first place, and how many to go on by */
    unsigned walks;       /* the shortest of so many is taken */
};

struct kill_counts {
    unsigned long places;
    unsigned long killed;
    unsigned long missed; /* a repetition did not come by there */
};

/* Find libmmf.so. 0: it is not there. */
int kill_find_code(void);

void kill_along(const struct kill_operation *operation, struct kill_counts *counts);

/* Where the last child was killed. */
const char *kill_place(void);
void kill_say_place(const char *text);

#endif
