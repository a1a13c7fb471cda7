/*
 * compiler.h - what C11 cannot say.
 */
#ifndef MMF_BASE_COMPILER_H
#define MMF_BASE_COMPILER_H

/* A slow path, kept out of its caller, which then needs no frame on the stack. */
#define MMF_NOINLINE __attribute__((noinline))

#endif
