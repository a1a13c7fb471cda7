/*
 * cmocka.h - the part of cmocka that the harness stands on, for Windows, where no
 * package has it: tests with set-up and tear-down, run one after the other; a test ends
 * early by _fail or skip. groups_windows.c implements it.
 */
#ifndef MMF_TESTS_HARNESS_WINDOWS_CMOCKA_H
#define MMF_TESTS_HARNESS_WINDOWS_CMOCKA_H

#include <stddef.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func;
    CMFixtureFunction teardown_func;
    void *initial_state;
};

#define cmocka_unit_test(function)                                                     \
    {                                                                                  \
#function, function, NULL, NULL, NULL                                          \
    }
#define cmocka_unit_test_setup(function, setup)                                        \
    {                                                                                  \
#function, function, setup, NULL, NULL                                         \
    }
#define cmocka_unit_test_setup_teardown(function, setup, teardown)                     \
    {                                                                                  \
#function, function, setup, teardown, NULL                                     \
    }

/* Answers how many tests failed. */
int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
                            size_t count, CMFixtureFunction setup,
                            CMFixtureFunction teardown);

/* End the test that runs. */
_Noreturn void _fail(const char *file, int line);
_Noreturn void skip(void);

void print_message(const char *format, ...) __attribute__((format(MMF_PRINTF, 1, 2)));
void print_error(const char *format, ...) __attribute__((format(MMF_PRINTF, 1, 2)));

#endif
