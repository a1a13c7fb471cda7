/*
 * alloc.h - zeroed memory for small things that come and go.
 *
 * glibc's calloc never takes from the thread's cache, to which free gives; malloc does.
 */
#ifndef MMF_BASE_ALLOC_H
#define MMF_BASE_ALLOC_H

#include <stdlib.h>
#include <string.h>

/* As calloc(1, size). */
static inline void *
mmf_alloc(size_t size)
{
    void *memory = malloc(size);

#ifndef __clang_analyzer__      /* which loses sight of the memory there */
    __asm__("" : "+r"(memory)); /* else gcc makes a calloc of it */
#endif
    return memory == NULL ? NULL : memset(memory, 0, size);
}

#endif
