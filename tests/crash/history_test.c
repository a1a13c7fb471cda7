/*
 * history_test.c - the checker of the torture test must itself be able to fail: short
 * histories, right ones and wrong ones.
 */
#include "history.h"

#include <harness/check.h>

#include <string.h>

enum { EPOCH = 7, NAME = 1, LOGS = 4, ENTRIES = 16 };

static struct history_entry entries[LOGS][ENTRIES];
static struct history_log logs[LOGS];

static int
clear(void **state)
{
    unsigned w;

    (void)state;
    memset(entries, 0, sizeof(entries));
    for (w = 0; w < LOGS; w++) {
        logs[w].entries = entries[w];
        logs[w].count = 0;
    }
    return 0;
}

/* A call of worker `w`; answers its entry. `generation` 0: not known. */
static uint32_t
call(unsigned w, unsigned operation, uint64_t begin, uint64_t end, int status,
     uint64_t generation)
{
    uint32_t n = (uint32_t)logs[w].count++;
    struct history_entry *e = &entries[w][n];

    e->operation = (uint16_t)operation;
    e->name = NAME;
    e->begin = begin;
    e->end = end;
    e->status = status;
    e->generation = generation;
    e->object = generation >> 32;
    e->capacity = generation == 0 ? 0 : 100;
    e->handle = n;
    return n;
}

static void
close_handle(unsigned w, uint32_t handle, uint64_t begin, uint64_t end)
{
    uint32_t n = call(w, HISTORY_CLOSE, begin, end, 0, 0);

    entries[w][n].handle = handle;
}

static void
die(unsigned w, uint64_t begin, uint64_t end)
{
    call(w, HISTORY_DEATH, begin, end, 0, 0);
}

static uint64_t
violations(void)
{
    struct history_result result;

    memset(&result, 0, sizeof(result));
    history_check(logs, LOGS, EPOCH, &result);
    return result.violations;
}

/* The generation of what worker `w` makes with its entry `n`. */
static uint64_t
of(unsigned w, uint32_t n)
{
    return history_generation(EPOCH, w, n);
}

TEST_WITH(right_histories_pass, clear)
{
    CHECK_INT(violations(), 0);
    /* Worker 0 creates, 1 opens and fails to create, 0 closes, 1 is killed. */
    call(0, HISTORY_CREATE_NEW, 10, 20, 0, of(0, 0));
    call(1, HISTORY_OPEN_EXISTING, 21, 30, 0, of(0, 0));
    call(1, HISTORY_CREATE_NEW, 31, 33, MMF_E_EXISTS, 0);
    close_handle(0, 0, 40, 50);
    call(2, HISTORY_OPEN_EXISTING, 51, 55, 0, of(0, 0));
    close_handle(2, 0, 56, 57);
    die(1, 60, 70);
    call(2, HISTORY_OPEN_EXISTING, 71, 72, MMF_E_NOT_FOUND, 0);
    call(2, HISTORY_CREATE_OR_OPEN, 73, 74, 0, of(2, 3));
    close_handle(2, 3, 75, 76);
    CHECK_INT(violations(), 0);
}

TEST_WITH(doubt_is_no_violation, clear)
{
    /* Worker 0 is killed in its create: it may have been done, or not. */
    call(0, HISTORY_CREATE_NEW, 10, 0, 0, 0);
    die(0, 20, 30);
    call(1, HISTORY_CREATE_NEW, 25, 26, MMF_E_EXISTS, 0);
    call(2, HISTORY_OPEN_EXISTING, 11, 12, MMF_E_NOT_FOUND, 0);
    call(2, HISTORY_OPEN_EXISTING, 27, 28, 0, of(2, 1));
    close_handle(2, 1, 40, 41);
    CHECK_INT(violations(), 0);
}

TEST_WITH(exists_needs_a_handle, clear)
{
    call(0, HISTORY_CREATE_NEW, 10, 20, 0, of(0, 0));
    die(0, 30, 40);
    call(1, HISTORY_CREATE_NEW, 41, 45, MMF_E_EXISTS, 0);
    CHECK_INT(violations(), 1);
    entries[1][0].begin = 39;
    CHECK_INT(violations(), 0);
}

TEST_WITH(not_found_needs_a_gap, clear)
{
    call(0, HISTORY_CREATE_NEW, 10, 20, 0, of(0, 0));
    call(1, HISTORY_OPEN_EXISTING, 21, 22, 0, of(0, 0));
    close_handle(0, 0, 30, 31);
    call(2, HISTORY_OPEN_EXISTING, 25, 40, MMF_E_NOT_FOUND, 0);
    close_handle(1, 0, 50, 51);
    CHECK_INT(violations(), 1);
    entries[1][1].begin = 38;
    CHECK_INT(violations(), 0);
}

TEST_WITH(created_needs_a_gap, clear)
{
    call(0, HISTORY_CREATE_NEW, 10, 20, 0, of(0, 0));
    call(1, HISTORY_CREATE_NEW, 30, 40, 0, of(1, 0));
    close_handle(0, 0, 50, 51);
    close_handle(1, 0, 50, 51);
    CHECK(violations() >= 1);
}

TEST_WITH(open_needs_a_handle, clear)
{
    call(0, HISTORY_CREATE_NEW, 10, 20, 0, of(0, 0));
    close_handle(0, 0, 30, 31);
    call(1, HISTORY_OPEN_EXISTING, 40, 45, 0, of(0, 0));
    close_handle(1, 0, 50, 51);
    CHECK(violations() >= 1);
}

TEST_WITH(one_object_at_a_time, clear)
{
    call(0, HISTORY_CREATE_OR_OPEN, 10, 20, 0, of(0, 0));
    call(1, HISTORY_CREATE_OR_OPEN, 12, 22, 0, of(1, 0));
    close_handle(0, 0, 30, 31);
    close_handle(1, 0, 32, 33);
    CHECK_INT(violations(), 1);
    entries[1][0].generation = of(0, 0);
    entries[1][0].object = of(0, 0) >> 32;
    CHECK_INT(violations(), 0);
}

TEST_WITH(an_object_does_not_return, clear)
{
    call(0, HISTORY_CREATE_OR_OPEN, 10, 20, 0, of(0, 0));
    close_handle(0, 0, 30, 31);
    call(1, HISTORY_CREATE_OR_OPEN, 40, 45, 0, of(0, 0));
    close_handle(1, 0, 50, 51);
    CHECK_INT(violations(), 1);
}

TEST_WITH(bytes_are_of_this_epoch_and_name, clear)
{
    call(0, HISTORY_CREATE_OR_OPEN, 10, 20, 0, history_generation(EPOCH - 1, 0, 0));
    close_handle(0, 0, 30, 31);
    CHECK_INT(violations(), 1);
    entries[0][0].generation = of(1, 0);
    call(1, HISTORY_OPEN_EXISTING, 32, 33, MMF_E_NOT_FOUND, 0);
    entries[1][0].name = NAME + 1;
    CHECK_INT(violations(), 1);
}

TEST_WITH(other_statuses_are_violations, clear)
{
    call(0, HISTORY_CREATE_NEW, 10, 20, MMF_E_BUSY, 0);
    call(0, HISTORY_CREATE_OR_OPEN, 21, 22, MMF_E_EXISTS, 0);
    call(0, HISTORY_OPEN_EXISTING, 23, 24, MMF_E_IO, 0);
    CHECK_INT(violations(), 3);
}

TEST_WITH(a_capacity_does_not_change, clear)
{
    call(0, HISTORY_CREATE_NEW, 10, 20, 0, of(0, 0));
    call(1, HISTORY_OPEN_EXISTING, 21, 22, 0, of(0, 0));
    close_handle(0, 0, 30, 31);
    close_handle(1, 0, 32, 33);
    entries[1][0].capacity = 101;
    CHECK_INT(violations(), 1);
}

TEST_WITH(nothing_is_open_at_the_end, clear)
{
    call(0, HISTORY_CREATE_NEW, 10, 20, 0, of(0, 0));
    CHECK_INT(violations(), 1);
}
