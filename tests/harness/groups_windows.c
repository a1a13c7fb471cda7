/*
 * groups_windows.c - runs a program's tests and prints what cmocka would.
 */
#include "harness/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum outcome { PASSED, FAILED, SKIPPED };

static jmp_buf end_of_test;

void
print_message(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
}

void
print_error(const char *format, ...)
{
    va_list args;

    fflush(stdout);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

_Noreturn void
_fail(const char *file, int line)
{
    print_error("%s:%d: error: Failure!\n\n", file, line);
    longjmp(end_of_test, FAILED);
}

_Noreturn void
skip(void)
{
    longjmp(end_of_test, SKIPPED);
}

/* One step of a test: the outcome is FAILED, too, if a fixture says so. */
static enum outcome
run_step(const struct CMUnitTest *test, CMFixtureFunction fixture, void **state)
{
    switch (setjmp(end_of_test)) {
    case 0:
        if (fixture == NULL)
            test->test_func(state);
        else if (fixture(state) != 0)
            return FAILED;
        return PASSED;
    case SKIPPED:
        return SKIPPED;
    default:
        return FAILED;
    }
}

static enum outcome
run_test(const struct CMUnitTest *test)
{
    void *state = test->initial_state;
    enum outcome outcome = PASSED;

    if (test->setup_func != NULL)
        outcome = run_step(test, test->setup_func, &state);
    if (outcome == PASSED)
        outcome = run_step(test, NULL, &state);
    if (test->teardown_func != NULL &&
        run_step(test, test->teardown_func, &state) != PASSED && outcome == PASSED)
        outcome = FAILED;
    return outcome;
}

int
_cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, size_t count,
                        CMFixtureFunction setup, CMFixtureFunction teardown)
{
    static const char *const words[] = {"      OK", " FAILED ", " SKIPPED"};
    int failed = 0;
    size_t i;

    if (setup != NULL || teardown != NULL)
        abort(); /* no program here has one */
    printf("[==========] %s: Running %zu test(s).\n", group, count);
    for (i = 0; i < count; i++) {
        enum outcome outcome;

        printf("[ RUN      ] %s\n", tests[i].name);
        outcome = run_test(&tests[i]);
        fflush(stderr);
        printf("[ %s ] %s\n", words[outcome], tests[i].name);
        failed += outcome == FAILED;
    }
    return failed;
}
