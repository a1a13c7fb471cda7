/*
 * harness_test.c - the harness's own test: runs each test of the program `patient`
 * alone and looks at what the harness made of it.
 */
#include "harness/check.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a run of one patient came to. */
struct outcome {
    int exit_status;
    char last_line[256];
    char output[65536];
};

static void
run_patient(const char *arguments, struct outcome *outcome)
{
    char self[PATH_MAX], command[PATH_MAX + 256], line[1024];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    FILE *pipe;
    int status, waits;

    CHECK(length > 0);
    self[length] = '\0';
    memset(outcome, 0, sizeof(*outcome));
    /* A test that expects to wait in vain does not wait long. */
    waits = strstr(arguments, "role_is_silent") != NULL ||
            strstr(arguments, "role_does_not_end") != NULL;
    snprintf(command, sizeof(command), "MMF_TEST_DEADLINE_MS=%s %s/patient %s 2>&1",
             waits ? "300" : "20000", dirname(self), arguments);
    pipe = popen(command, "r");
    CHECK(pipe != NULL);
    while (fgets(line, sizeof(line), pipe) != NULL) {
        snprintf(outcome->last_line, sizeof(outcome->last_line), "%.255s", line);
        if (strlen(outcome->output) + strlen(line) < sizeof(outcome->output))
            strcat(outcome->output, line);
    }
    status = pclose(pipe);
    outcome->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Run `patient --only name`; its last line and `explanation` must be in the output. */
static void
expect(const char *name, int exit_status, const char *summary, const char *explanation)
{
    static struct outcome outcome;
    char arguments[128];

    snprintf(arguments, sizeof(arguments), "--only %s", name);
    run_patient(arguments, &outcome);
    if (outcome.exit_status != exit_status || strcmp(outcome.last_line, summary) != 0 ||
        strstr(outcome.output, explanation) == NULL)
        CHECK_FAIL("%s: exit status %d, last line %s, output:\n%s", name,
                   outcome.exit_status, outcome.last_line, outcome.output);
}

static void
expect_pass(const char *name)
{
    expect(name, 0, "SUITE: 1 passed, 0 failed, 0 skipped\n", "");
}

static void
expect_failure(const char *name, const char *explanation)
{
    expect(name, 1, "SUITE: 0 passed, 1 failed, 0 skipped\n", explanation);
}

TEST(sound_tests_pass)
{
    expect_pass("passes");
    expect_pass("talks_to_a_role");
    expect_pass("kills_a_role");
    expect_pass("reports_a_failed_child");
}

TEST(failed_checks_fail)
{
    expect_failure("fails_ok", "MMF_E_IO");
    expect_failure("fails_status", "not MMF_TIMED_OUT");
    expect_failure("fails_another_status", "not MMF_E_INVALID");
    expect_failure("fails_success", "not MMF_E_INVALID");
    expect_failure("fails_condition", "0 does not hold");
    expect_failure("fails_integer", "row 5: 1 is 1, not 2");
    expect_failure("fails_text", "is \"a\", not \"b\"");
    expect_failure("fails_bytes", "byte 1 of 2");
}

TEST(unexplained_failures_fail)
{
    expect_failure("fails_stale_error", "left no error");
    expect_failure("fails_stale_null", "left no error");
    expect_failure("fails_parameter", "not \"capacity\"");
}

TEST(leaks_fail)
{
    expect_failure("leaks_descriptor", "+1 descriptors, +0 mappings, +0 files");
    expect_failure("leaks_file", "+0 descriptors, +0 mappings, +1 files");
    expect_failure("leaks_mapping", "+0 descriptors, +1 mappings, +0 files");
    expect_failure("leaks_memfd", "+0 descriptors, +1 mappings, +0 files");
    expect_failure("leaks_process", "1 processes were neither");
    expect_failure("finds_leak_in_the_middle", "+1 descriptors");
}

TEST(bad_roles_fail)
{
    expect_failure("fails_expectation", "said \"echo\", not \"ohce\"");
    expect_failure("fails_when_a_role_is_gone", "ended instead of saying");
    expect_failure("fails_when_a_role_is_silent", "says nothing");
    expect_failure("fails_when_a_role_does_not_end", "role deaf");
}

/* There is no way back from a thread: the program ends, loudly. */
TEST(a_failure_in_a_thread_ends_the_program)
{
    static struct outcome outcome;

    run_patient("--only fails_in_a_thread", &outcome);
    CHECK_INT(outcome.exit_status, 1);
    CHECK(strstr(outcome.output, "is 1, not 2") != NULL);
    CHECK(strstr(outcome.output, "passed") == NULL);
}

TEST(skips_are_counted)
{
    expect("skips", 0, "SUITE: 0 passed, 0 failed, 1 skipped\n",
           "for the sake of the test");
}

TEST(the_summary_adds_up)
{
    expect("'[pfs]*s'", 1, "SUITE: 1 passed, 4 failed, 1 skipped\n", "");
    expect("nothing_of_that_name", 1, "SUITE: 0 passed, 1 failed, 0 skipped\n",
           "no test is called");
}

TEST(tests_are_listed)
{
    static struct outcome outcome;

    run_patient("--list", &outcome);
    CHECK_INT(outcome.exit_status, 0);
    CHECK(strncmp(outcome.output, "passes\nfails_ok\n", 16) == 0);
    CHECK_TEXT(outcome.last_line, "reports_a_failed_child\n");
}
