/*
 * site.h - where a program that kills its children is at work: what it says when
 * something is wrong there, and when it hangs there.
 */
#ifndef MMF_TEST_SITE_H
#define MMF_TEST_SITE_H

/* For main: the name that begins each message. */
void site_begin(const char *program);

/* The operation whose children are killed from now on. */
void site_operation(const char *name);

/*
 * Where the next child is killed, or the last one was. From now on, two minutes may
 * pass (six times MMF_TEST_DEADLINE_MS) until the next one is named, in this process;
 * then the program ends, and says where it was and what it did.
 */
void site_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What is done there now: "looks at the survivors". A constant. */
void site_step(const char *step);

/* Says what is wrong, and where, twenty times at most. */
void site_fail(const char *what, const char *why);

/* How often site_fail was called. */
unsigned long site_failures(void);

/*
 * Count kills at this call; and say how many there were of each, for the summary of
 * script/test. `how` they were done: "", " without O_TMPFILE".
 */
void site_count(const char *call, unsigned long kills);
void site_print_counts(const char *how);

/*
 * The call of an operation whose name begins with it, perhaps after "KIND: ": "send" of
 * "single: send to a sleeper". Good until the next time.
 */
const char *site_call_of(const char *operation);

#endif
