/* internal.h - what the harness's own files have in common. */
#ifndef MMF_TESTS_HARNESS_INTERNAL_H
#define MMF_TESTS_HARNESS_INTERNAL_H

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

/* process.c: end what still runs, free all; number of those that nobody had ended. */
int process_clean_up(void);

/* process.c: was any process killed since the last clean-up? */
int process_any_killed(void);

/* process.c: called first thing in a role. */
void process_enter_role(void);

#endif
