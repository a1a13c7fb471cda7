/*
 * walk.h - the places that a traced child comes by in libmmf.so, so that other children
 * can be killed at each of them.
 */
#ifndef MMF_TEST_WALK_H
#define MMF_TEST_WALK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace.h"

enum { WALK_MOST_SITES = 100000 };

struct walk {
    uintptr_t sites[WALK_MOST_SITES]; /* of instructions, in their order */
    size_t count;
};

/* For main: find libmmf.so in this process, and so in its children. 0: it is not there.
 */
int walk_find_code(void);

/*
 * Single-step a child that stands at its trace_begin until it comes to its end, which
 * `stop` says. A repeated string instruction steps in place; it counts once.
 */
void walk_record(pid_t pid, struct walk *walk, struct trace_stop *stop);

void walk_copy(struct walk *to, const struct walk *from);

int walk_comes_by(const struct walk *walk, uintptr_t place);

/* How often it has come to its n-th place, by then. */
unsigned walk_times(const struct walk *walk, size_t n);

/* site_say: "killed before instruction N of M, at +0x...". */
void walk_report_site(const struct walk *walk, size_t n);

/*
 * Shift the process ids that the next children get: a creator looks at other names now
 * and then, which its process id decides.
 */
void walk_skip_process_id(void);

#endif
