/*
 * support.h - what the contract tests in C have in common: calls that must succeed or fail,
 * and what the system does for them.
 *
 * The suite sees the public headers and nothing else, so that it holds for every
 * implementation of them. docs/internals/contract.md has a row for each rule and names its test,
 * which is a scenario most often.
 */
#ifndef MMF_TESTS_CONTRACT_SUPPORT_H
#define MMF_TESTS_CONTRACT_SUPPORT_H

#include "harness/forks.h"

int64_t page_size(void);

/* Handles of files, as mmf_map_create_from_handle takes them. */
void close_file(intptr_t handle);
int is_open(intptr_t handle);
void make_pipe(intptr_t ends[2]);

/* Memory: how much of it is present, how much of this process is locked. */
size_t pages_present(void *bytes, size_t size);
long locked_kilobytes(void);
void forbid_locking(void);

/*
 * Run `run(payload)` in a child as user 65534, which may go through MMF_DIR but is not
 * the owner of anything in it. Returns when the child has ended; a failed check in the
 * child fails the test. Skips the test if we are not root.
 */
void as_stranger(void (*run)(void *payload), void *payload);

/* Calls that must succeed, and give what they make. */
mmf_map *create_new(const char *name, int64_t capacity, const mmf_map_options *options);
mmf_map *open_existing(const char *name, const mmf_map_options *options);
mmf_accessor *view_of(mmf_map *map, mmf_access access); /* of everything */

/*
 * Calls that must fail. They check status, parameter (NULL: any) and message, and that
 * the output is as before.
 */
#define REFUSES(call_with_map, status, parameter)                                      \
    do {                                                                               \
        mmf_map *map_ = UNTOUCHED;                                                     \
        if ((const char *)(parameter) == NULL)                                         \
            CHECK_FAILS(call_with_map, status);                                        \
        else                                                                           \
            CHECK_FAILS_PARAM(call_with_map, status, parameter);                       \
        CHECK((void *)map_ == UNTOUCHED);                                              \
    } while (0)

#define REFUSES_CREATE_NEW(name, status, parameter)                                    \
    REFUSES(mmf_map_create_new((name), 4096, NULL, &map_), (status), (parameter))
#define REFUSES_CREATE_OR_OPEN(name, status, parameter)                                \
    REFUSES(mmf_map_create_or_open((name), 4096, NULL, NULL, &map_), (status),         \
            (parameter))
#define REFUSES_OPEN(name, status, parameter)                                          \
    REFUSES(mmf_map_open_existing((name), NULL, &map_), (status), (parameter))

/* One byte through a view that is closed again. */
void poke(mmf_map *map, int64_t position, uint8_t value);
uint8_t byte_at(mmf_map *map, int64_t position);

#endif
