/*
 * history.h - what the workers of the torture test did, and whether it could be.
 *
 * Each worker writes what it does into a log of its own, in memory that outlives it: an
 * entry is started before the call and finished after it, so that a kill leaves at most
 * one entry unfinished. The supervisor that kills adds, after waitpid, an entry that
 * says when. From all logs together history_check proves that the names behaved as
 * promised.
 */
#ifndef MMF_TEST_HISTORY_H
#define MMF_TEST_HISTORY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum history_operation {
    HISTORY_CREATE_NEW = 1,
    HISTORY_CREATE_OR_OPEN,
    HISTORY_OPEN_EXISTING,
    HISTORY_CLOSE, /* of `handle` */
    HISTORY_DEATH  /* of the worker: begin before kill(), end after waitpid() */
};

/* One call. A generation is what the first user of an object writes at its front. */
struct history_entry {
    uint64_t begin;              /* CLOCK_MONOTONIC before the call */
    _Atomic uint64_t end;        /* after it; 0: unfinished */
    _Atomic uint64_t generation; /* of the object opened; 0: not known */
    uint64_t object;             /* its inode; 0: not known */
    int64_t capacity;            /* its bytes; 0: not known */
    int32_t status;
    uint16_t operation;
    uint16_t name;
    uint32_t handle; /* entry number of the open or create, for all of them */
    uint32_t reserved;
};

/* One worker's entries, of all its lives in this epoch. */
struct history_log {
    struct history_entry *entries;
    size_t count;
};

/* What history_check found. */
struct history_result {
    uint64_t operations;
    uint64_t unfinished;
    uint64_t objects;    /* different generations seen */
    uint64_t violations; /* each one is described on stderr, the first 20 in full */
};

/*
 * A generation says which entry wrote it: `epoch` of the test, worker and entry number.
 * 24, 8 and 32 bits; never 0.
 */
uint64_t history_generation(uint32_t epoch, unsigned worker, uint32_t entry);

/*
 * Check one epoch of `logs`. At its start and at its end no process has anything open.
 *
 * - create_new answers MMF_E_EXISTS only if a handle may have been open meanwhile;
 * - create_new succeeds, and open_existing answers MMF_E_NOT_FOUND, only if there was a
 *   moment in the call at which no handle was certainly open;
 * - open_existing succeeds only if another handle of that object may have been open;
 * - handles that certainly are open at the same moment are of one object, which is made
 *   once, has one capacity, and never returns after its last handle;
 * - no other status occurs.
 */
void history_check(const struct history_log *logs, size_t count, uint32_t epoch,
                   struct history_result *result);

#endif
