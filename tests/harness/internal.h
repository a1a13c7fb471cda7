/* internal.h - what the harness's own files have in common. */
#ifndef MMF_TESTS_HARNESS_INTERNAL_H
#define MMF_TESTS_HARNESS_INTERNAL_H

/*
 * process.c, usage.c and system.c are files for each system: process_linux.c, ...
 */

/* 1 in the thread that runs the tests: only there may a failure jump out of a test. */
int runner_is_test_thread(void);

/* The program ends in the middle of a test, by a thread of it: remove what it made. */
void runner_give_up(void);

/* usage.c: remove everything below `dir` and `dir` itself. */
void usage_remove_tree(const char *dir);

/* usage.c: print descriptors, mappings and files to standard error. */
void usage_print(void);

/* process.c: descriptors that belong to the harness. */
long process_descriptors(void);

/* process.c: end what still runs, free all; number of those that the test had not
 * ended. */
int process_clean_up(void);

/* process.c: was any process killed since the last clean-up? */
int process_any_killed(void);

/* process.c: called first thing in a role, with its arguments. */
void process_enter_role(int argc, char **argv);

/* system.c: the running thread's number. */
long system_thread_id(void);

/* system.c: called first thing in every program. */
void system_prepare(int is_role);

/* system.c: a fresh directory, and names of the test's own, if the system has that. */
#define HARNESS_DIR_SIZE 256
int system_make_namespace(char dir[HARNESS_DIR_SIZE]);

/* system.c: 1 if `name` matches `pattern`, which has * or ? in it. */
int system_matches(const char *pattern, const char *name);

#endif
