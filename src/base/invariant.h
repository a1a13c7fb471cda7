/*
 * invariant.h - what must hold in this process if our own code is right.
 *
 * MMF_ASSERT(condition) aborts with the place and the text in a debug build, and is
 * nothing with NDEBUG. It is for private invariants alone: a lock that is held, a role
 * that was checked before, an index below a count.
 *
 * Never assert on shared bytes, which another process may have damaged: check them and
 * fail with MMF_E_CORRUPT. Never assert on what a caller passed in: check it and fail
 * with the status that the header promises. The condition has no side effects.
 */
#ifndef MMF_BASE_INVARIANT_H
#define MMF_BASE_INVARIANT_H

#ifdef NDEBUG

/* The condition is compiled, so that it stays right, and never evaluated. */
#define MMF_ASSERT(condition) ((void)sizeof(!(condition)))

#else

#include <stdio.h>
#include <stdlib.h>

_Noreturn static inline void
mmf_invariant_broken(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, condition);
    abort();
}

#define MMF_ASSERT(condition)                                                          \
    ((condition) ? (void)0 : mmf_invariant_broken(__FILE__, __LINE__, #condition))

#endif

#endif
