/*
 * compiler.h - what C11 cannot say.
 */
#ifndef MMF_BASE_COMPILER_H
#define MMF_BASE_COMPILER_H

/* A slow path, kept out of its caller, which then needs no frame on the stack. */
#define MMF_NOINLINE __attribute__((noinline))

/* What a hot path expects not to be. */
#define MMF_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#endif
