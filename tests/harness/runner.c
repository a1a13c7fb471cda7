/*
 * runner.c - main() of every test program: chooses tests or a role, gives each test a
 * namespace of its own and looks for what it left behind.
 */
#include "harness/check.h"
#include "harness/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ROLES = 16 };

/* One test as we hand it to cmocka. */
struct wrapped {
    const struct CMUnitTest *test;
    int finished; /* it ran to its end and left nothing */
};

static pid_t test_process; /* 0 in roles */
static long test_thread;
static char dir[HARNESS_DIR_SIZE];
static struct usage before;
static int expect_dead;

int
runner_is_test_thread(void)
{
    return test_process != 0 && getpid() == test_process &&
           system_thread_id() == test_thread;
}

const char *
harness_dir(void)
{
    return dir;
}

void
harness_expect_dead(void)
{
    expect_dead = 1;
}

int
harness_long(void)
{
    const char *value = getenv("MMF_TEST_LONG");

    return value != NULL && strcmp(value, "1") == 0;
}

int
harness_deadline_ms(void)
{
    const char *value = getenv("MMF_TEST_DEADLINE_MS");
    int ms = value == NULL ? 0 : atoi(value);

    return ms > 0 ? ms : 120000;
}

_Noreturn void
harness_skip(const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    print_message("SKIPPED: %s\n", text);
    skip();
    abort(); /* skip() has jumped away */
}

static int
set_up(void **state)
{
    (void)state;
    if (system_make_namespace(dir) != 0)
        return -1;
    expect_dead = 0;
    check_context("%s", "");
    usage_take(&before);
    return 0;
}

/* Nothing may be left of a test that has passed so far. */
static void
check_nothing_left(void)
{
    int killed = process_any_killed() || expect_dead;
    int left = process_clean_up();

    if (left > 0)
        check_fail(__FILE__, __LINE__, "%d processes were neither finished nor killed",
                   left);
    /* The dead leave their files until the next mmf call in the namespace. */
    if (killed)
        CHECK_OK(mmf_gc(0, NULL));
    check_usage(&before, __FILE__, __LINE__);
}

static void
run_wrapped(void **state)
{
    struct wrapped *wrapped = *state;
    const struct CMUnitTest *test = wrapped->test;
    void *own = test->initial_state;

    if (test->setup_func != NULL && test->setup_func(&own) != 0)
        check_fail(__FILE__, __LINE__, "the test's own set-up failed");
    test->test_func(&own);
    if (test->teardown_func != NULL && test->teardown_func(&own) != 0)
        check_fail(__FILE__, __LINE__, "the test's own tear-down failed");
    check_nothing_left();
    wrapped->finished = 1;
}

/* Also after a failed or skipped test, which may have left anything. */
static int
tear_down(void **state)
{
    (void)state;
    process_clean_up();
    usage_remove_tree(dir);
    dir[0] = '\0';
    return 0;
}

void
runner_give_up(void)
{
    if (test_process == getpid() && dir[0] != '\0')
        usage_remove_tree(dir);
}

static int
is_wanted(const char *name, const char *only)
{
    if (only == NULL)
        return 1;
    if (strpbrk(only, "*?") != NULL)
        return system_matches(only, name);
    return strstr(name, only) != NULL;
}

static int
run_chosen(const char *suite, const struct CMUnitTest *tests, size_t n,
           const char *only)
{
    struct wrapped *wrapped = calloc(n + 1, sizeof(*wrapped));
    struct CMUnitTest *chosen = calloc(n + 1, sizeof(*chosen));
    size_t i, count = 0, passed = 0;
    int failed;

    if (wrapped == NULL || chosen == NULL)
        abort();
    for (i = 0; i < n; i++) {
        if (!is_wanted(tests[i].name, only))
            continue;
        wrapped[count].test = &tests[i];
        chosen[count].name = tests[i].name;
        chosen[count].test_func = run_wrapped;
        chosen[count].setup_func = set_up;
        chosen[count].teardown_func = tear_down;
        chosen[count].initial_state = &wrapped[count];
        count++;
    }
    if (count == 0) {
        fprintf(stderr, "%s: no test is called %s\n", suite, only ? only : "anything");
        failed = 1;
    } else {
        failed = _cmocka_run_group_tests(suite, chosen, count, NULL, NULL);
    }
    for (i = 0; i < count; i++)
        passed += wrapped[i].finished ? 1 : 0;
    printf("SUITE: %zu passed, %d failed, %d skipped\n", passed, failed,
           count == 0 ? 0 : (int)(count - passed) - failed);
    free(wrapped);
    free(chosen);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run_role(int argc, char **argv, const struct role *roles)
{
    process_enter_role(argc, argv);
    for (; roles != NULL && roles->name != NULL; roles++)
        if (strcmp(roles->name, argv[0]) == 0)
            return roles->run(argc, argv);
    fprintf(stderr, "no role is called %s\n", argv[0]);
    return EXIT_FAILURE;
}

static struct CMUnitTest *added_tests;
static size_t added_test_count;
static struct role added_roles[MAX_ROLES + 1];
static int added_role_count;

void
harness_add_test(struct CMUnitTest test)
{
    added_tests = realloc(added_tests, (added_test_count + 1) * sizeof(added_tests[0]));
    if (added_tests == NULL)
        abort();
    added_tests[added_test_count++] = test;
}

void
harness_add_role(const char *name, int (*run)(int argc, char **argv))
{
    if (added_role_count == MAX_ROLES)
        abort();
    added_roles[added_role_count++] = (struct role){name, run};
}

int
harness_main(int argc, char **argv, const char *suite, const struct CMUnitTest *tests,
             size_t n, const struct role *roles)
{
    const char *only = NULL;
    int is_role = argc >= 3 && strcmp(argv[1], "--role") == 0;
    size_t i;

    if (tests == NULL) {
        tests = added_tests;
        n = added_test_count;
        roles = added_roles;
    }

    system_prepare(is_role);
    if (is_role)
        return run_role(argc - 2, argv + 2, roles);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (i = 0; i < n; i++)
            puts(tests[i].name);
        return EXIT_SUCCESS;
    }
    if (argc == 3 && strcmp(argv[1], "--only") == 0) {
        only = argv[2];
    } else if (argc != 1) {
        fprintf(stderr, "usage: %s [--only PATTERN | --list | --role NAME args...]\n",
                argv[0]);
        return EXIT_FAILURE;
    }
    test_process = getpid();
    test_thread = system_thread_id();
    return run_chosen(suite, tests, n, only);
}
