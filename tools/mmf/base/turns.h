/* turns.h - a wait in short turns, so that a signal (os/stop.h) ends it. */
#ifndef MMF_TOOL_TURNS_H
#define MMF_TOOL_TURNS_H

#include <stdint.h>

struct turns {
    int64_t begin; /* monotonic ms */
    int32_t timeout;
    int has_begun; /* there was a turn */
};

/* The wait begins now. -1: it has no end of its own. */
struct turns turns_begin(int32_t timeout_ms);

/*
 * How long the next turn is, in milliseconds; -1: the time is over, or a signal has come.
 * There is one turn even if there is no time.
 */
int32_t turns_next(struct turns *turns);

/* Milliseconds since the beginning. */
int64_t turns_waited(const struct turns *turns);

#endif
