/*
 * killing.h - kill a child at the places that it comes by in libmmf.so; and the other
 * processes that take part.
 */
#ifndef MMF_TESTS_CHANNEL_KILLING_H
#define MMF_TESTS_CHANNEL_KILLING_H

#include <stddef.h>
#include <stdint.h>
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

void kill_along(const struct kill_operation *operation, struct kill_counts *counts);

/*
 * Another process opens a handle (`open(role)`), does `what`, and then is killed: 0.
 * One that `stays` lives on, and ends when it has done it: its id.
 */
pid_t kill_run_elsewhere(void (*open)(uint32_t role), uint32_t role, void (*what)(void),
                         int stays);

/* Such a one sleeps in the library; it has come to its end. A site_fail if not. */
void kill_await_sleep(pid_t pid);
void kill_await_end(pid_t pid);

/* Monotonic. */
int64_t kill_now_ms(void);

#endif
