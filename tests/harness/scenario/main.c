/*
 * main.c - the scenario runner's arguments and its summary.
 */
#include "harness/scenario/scenario.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: scenario [--as threads|processes] --actor COMMAND [--actor COMMAND...]\n"
    "                [--only PATTERN] [--failures N] [--files DIRECTORY] [--list]\n"
    "                [--verbose] FILE...\n"
    "Runs the cases of scenario files. COMMAND starts an actor program; the first one "
    "is\n"
    "main's, the others are for the other processes, in turn.\n";

static const char *only;
static int most_failures = 1000000; /* after so many cases it ends */
static bool lists;
static char directory[] = "/dev/shm/mmf-scenario-XXXXXX";
static char files[4096] = "/dev/shm/mmf-scenario-files-XXXXXX";

static _Noreturn void
misuse(const char *what)
{
    fprintf(stderr, "scenario: %s\n%s", what, usage);
    exit(2);
}

static bool
is_wanted(const char *title)
{
    return only == NULL || (strpbrk(only, "*?") != NULL ? fnmatch(only, title, 0) == 0
                                                        : strstr(title, only) != NULL);
}

static void
read_options(int argc, char **argv, struct run *run, struct suite *suite)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--list") == 0) {
            lists = true;
            continue;
        }
        if (strcmp(argv[i], "--verbose") == 0) {
            run->verbose = true;
            continue;
        }
        if (strncmp(argv[i], "--", 2) != 0) {
            suite_read(suite, argv[i]);
            continue;
        }
        if (strcmp(argv[i], "--actor") == 0 && run->command_count < 4)
            run->commands[run->command_count++] = value;
        else if (strcmp(argv[i], "--only") == 0)
            only = value;
        else if (strcmp(argv[i], "--files") == 0)
            snprintf(files, sizeof(files), "%s/mmf-scenario-files-XXXXXX", value);
        else if (strcmp(argv[i], "--failures") == 0)
            most_failures = atoi(value);
        else if (strcmp(argv[i], "--as") == 0)
            run->as_processes = strcmp(value, "processes") == 0;
        else
            misuse(argv[i]);
        i++;
    }
    if (suite->count == 0)
        misuse("no file was given");
    if (run->command_count == 0 && !lists)
        misuse("no actor was given");
}

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

struct sums {
    int cases, passed, failed, skipped;
    struct tally rows;
};

static void
count_case(struct sums *sums, const struct tally *tally)
{
    sums->cases++;
    if (tally->failed > 0)
        sums->failed++;
    else if (tally->passed > 0)
        sums->passed++;
    else
        sums->skipped++;
    sums->rows.rows += tally->rows;
    sums->rows.passed += tally->passed;
    sums->rows.failed += tally->failed;
    sums->rows.not_here += tally->not_here;
}

static void
run_all(const struct run *run, const struct suite *suite, struct sums *sums)
{
    for (int i = 0; i < suite->count && sums->failed < most_failures; i++) {
        const struct scenario *scenario = &suite->scenarios[i];
        struct tally tally = {0};

        if (scenario->is_macro || !is_wanted(scenario->title))
            continue;
        if (lists) {
            printf("%s: %s\n", base_name(scenario->file), scenario->title);
            continue;
        }
        scenario_run(run, suite, scenario, &tally);
        count_case(sums, &tally);
        if (tally.failed > 0)
            printf("FAILED: %s: %s\n", base_name(scenario->file), scenario->title);
    }
}

static void
summarize(const struct run *run, const struct sums *sums)
{
    printf("%s of %s%s%s: %d cases, %d rows passed, %d failed, %d not for this run; %d "
           "calls that an actor cannot make\n",
           run->as_processes ? "processes" : "threads", base_name(run->commands[0]),
           run->command_count > 1 ? " and " : "",
           run->command_count > 1 ? base_name(run->commands[1]) : "", sums->cases,
           sums->rows.passed, sums->rows.failed, sums->rows.not_here, run_unsaid());
    printf("SUITE: %d passed, %d failed, %d skipped\n", sums->passed, sums->failed,
           sums->skipped);
}

int
main(int argc, char **argv)
{
    struct run run = {.directory = directory, .files = files};
    struct suite suite = {0};
    struct sums sums = {0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    read_options(argc, argv, &run, &suite);
    if (mkdtemp(directory) == NULL || setenv("MMF_DIR", directory, 1) != 0 ||
        mkdtemp(files) == NULL || setenv("MMF_TEST_FILES", files, 1) != 0) {
        perror(files);
        return EXIT_FAILURE;
    }
    run_all(&run, &suite, &sums);
    run_end();
    files_below(directory, true);
    rmdir(directory);
    rmdir(files);
    if (lists)
        return EXIT_SUCCESS;
    summarize(&run, &sums);
    if (sums.cases == 0)
        fprintf(stderr, "no case is called %s\n", only != NULL ? only : "anything");
    return sums.cases > 0 && sums.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
