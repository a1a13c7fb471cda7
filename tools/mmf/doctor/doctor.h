/*
 * doctor.h - findings: what was found, why it matters, and the command that fixes it.
 */
#ifndef MMF_TOOL_DOCTOR_H
#define MMF_TOOL_DOCTOR_H

#include <stdint.h>

#include <mmf/list.h>

#include "base/format.h"
#include "object/objects.h"

enum doctor_level {
    DOCTOR_GOOD,
    DOCTOR_NOTE, /* good to know */
    DOCTOR_WARN, /* may become a problem */
    DOCTOR_BAD   /* is a problem now */
};

/*
 * Report one finding; all texts are copied. `check` is its name for programs. `why` and
 * `fix` may be NULL.
 */
void doctor_report(enum doctor_level level, const char *check, const char *what,
                   const char *why, const char *fix);

/* The same; it frees `what` and `fix`. */
void doctor_report_made(enum doctor_level level, const char *check, char *what,
                        const char *why, char *fix);

/*
 * A command for a shell, as text_format makes it, with `word` for each {}: quoted, since
 * others choose names, and behind a -- if it begins with a dash. To be freed.
 */
char *doctor_fix(const char *word, const char *format, ...) FORMAT(2, 3);

/* Why this process can or cannot open the name. Returns the exit status. */
int doctor_check_name(const char *name, struct objects_choice choice);

/* Stopped processes, abandoned mutexes, and the users with the most memory. */
void doctor_check_objects(struct objects_choice choice);

/* Create, open, use and close an object of each kind. */
void doctor_try(void);

/*
 * The system's half.
 */

/*
 * The directory of the names: its permissions, free space, and contents. 0: no name can
 * be created there, so that later checks mean nothing.
 */
int doctor_check_directory(void);

/* What helps here against a call's failure; NULL: that is not known. To be freed. */
char *doctor_remedy(int rc);

/* Memory, limits, the system's features and guards. */
void doctor_check_system(void);

/* Which processes see names without Global\: "visible to this user only". */
extern const char doctor_whose[];

/* Where a program looks names up, in a word or two; the caller frees it. */
char *doctor_directory(void);

/* A name that does not exist here: other places where it may exist. */
void doctor_search_elsewhere(const char *name);

/* Why a listed object that is not in use cannot be opened. Returns the exit status. */
int doctor_check_closed(const mmf_object_info *info);

/* How the owner of a map that we may only read permits writing; the caller frees it. */
char *doctor_let_write(const mmf_object_info *info);

/* How to continue or end a stopped process; the caller frees it. */
char *doctor_wake(int pid);

#endif
