/*
 * step.h - what one step on shared words has found. It is the vocabulary of everything
 * below the calls; a status is made of it where the caller of the library sees it.
 */
#ifndef MMF_BASE_STEP_H
#define MMF_BASE_STEP_H

#include <stdbool.h>

enum mmf_step {
    MMF_STEP_DONE = 0,
    MMF_STEP_ABANDONED, /* done: a mutex whose last owner died */
    MMF_STEP_AGAIN, /* the words have changed meanwhile, or are unfinished: repeat */
    MMF_STEP_WOULD_BLOCK, /* full, empty, owned by another thread, not signalled */
    MMF_STEP_RESERVED,    /* available, but reserved by a wait for all */
    MMF_STEP_RECURSION,   /* the owner has taken the mutex as often as it can count */
    MMF_STEP_GONE,        /* blocked, and the last peer has gone */
    MMF_STEP_LAYOUT,      /* of another layout version */
    MMF_STEP_CORRUPT      /* a state that this version cannot make */
};

static inline bool
mmf_step_is_taken(enum mmf_step step)
{
    return step == MMF_STEP_DONE || step == MMF_STEP_ABANDONED;
}

#endif
