/*
 * memory_fault.c - the allocator, the Nth call of which fails; and what of libc makes
 * system calls by itself. The linker puts these in the place of the originals (--wrap).
 */
#include "fault.h"

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
char *__real_realpath(const char *path, char *resolved);
int __real_pthread_atfork(void (*prepare)(void), void (*parent)(void),
                          void (*child)(void));

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);
char *__wrap_realpath(const char *path, char *resolved);
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void),
                          void (*child)(void));

/*
 * The blocks that came from here and were not freed: a hash table with open addresses.
 * What libc allocated itself passes through free uncounted. Many threads may come.
 */
enum { TABLE_SIZE = 1 << 12 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t table[TABLE_SIZE]; /* 0: never used; 1: freed */
static long live;

static size_t
hash(uintptr_t block)
{
    return (size_t)((block >> 4) * 0x9E3779B1u) % TABLE_SIZE;
}

static void *
note(void *block)
{
    size_t at = hash((uintptr_t)block);

    if (block == NULL)
        return NULL;
    pthread_mutex_lock(&mutex);
    while (table[at] > 1)
        at = (at + 1) % TABLE_SIZE;
    table[at] = (uintptr_t)block;
    live++;
    pthread_mutex_unlock(&mutex);
    return block;
}

static void
forget(void *block)
{
    size_t at = hash((uintptr_t)block);

    if (block == NULL)
        return;
    pthread_mutex_lock(&mutex);
    while (table[at] != 0 && table[at] != (uintptr_t)block)
        at = (at + 1) % TABLE_SIZE;
    if (table[at] != 0) {
        table[at] = 1;
        live--;
    }
    pthread_mutex_unlock(&mutex);
}

long
fault_live_blocks(void)
{
    return live;
}

void *
__wrap_malloc(size_t size)
{
    if (fault_strikes(FAULT_MEMORY, "malloc"))
        return NULL;
    return note(__real_malloc(size));
}

void *
__wrap_calloc(size_t count, size_t size)
{
    if (fault_strikes(FAULT_MEMORY, "calloc"))
        return NULL;
    return note(__real_calloc(count, size));
}

void *
__wrap_realloc(void *block, size_t size)
{
    void *larger;

    if (fault_strikes(FAULT_MEMORY, "realloc"))
        return NULL;
    forget(block);
    larger = __real_realloc(block, size);
    if (larger == NULL)
        abort(); /* no test asks for that much */
    return note(larger);
}

char *
__wrap_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy;

    if (fault_strikes(FAULT_MEMORY, "strdup"))
        return NULL;
    copy = note(__real_malloc(size));
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

void
__wrap_free(void *block)
{
    forget(block);
    __real_free(block);
}

char *
__wrap_realpath(const char *path, char *resolved)
{
    if (fault_strikes(FAULT_SYSTEM, "realpath"))
        return NULL;
    return __real_realpath(path, resolved);
}

int
__wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    static int is_loaded;

    /* Not when the library is loaded: so that the first call of each round has to. */
    if (!is_loaded) {
        is_loaded = 1;
        return 12; /* ENOMEM, its only failure */
    }
    if (fault_strikes(FAULT_MEMORY, "pthread_atfork"))
        return 12;
    return __real_pthread_atfork(prepare, parent, child);
}
