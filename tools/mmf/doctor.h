/*
 * doctor.h - findings: what was found, why it matters, and the command that mends it.
 */
#ifndef MMF_TOOL_DOCTOR_H
#define MMF_TOOL_DOCTOR_H

#include <stdint.h>

#include <mmf/list.h>

enum doctor_level {
    DOCTOR_GOOD,
    DOCTOR_NOTE, /* good to know */
    DOCTOR_WARN, /* will be in the way one day */
    DOCTOR_BAD   /* is in the way now */
};

/*
 * Report one finding; all texts are copied. `check` is its name for programs. `why` and
 * `fix` may be NULL.
 */
void doctor_report(enum doctor_level level, const char *check, const char *what,
                   const char *why, const char *fix);

/* The same with a text that was made for it, and is freed. */
void doctor_report_made(enum doctor_level level, const char *check, char *what,
                        const char *why, char *fix);

/* Why this process can or cannot open the name. Answers the exit status. */
int doctor_look_at_name(const char *name);

/*
 * The system's half.
 */

/* Where the names are: whether it is sound, has room, is tidy. */
void doctor_look_at_place(void);

/* Memory, limits, the system's features and guards. */
void doctor_look_at_system(void);

/* Whose names without Global\ are: "this user's alone". */
extern const char doctor_whose[];

/* Where a program looks for names, in a word or two; to be freed. */
char *doctor_place(void);

/* A name that is not there: where else others might have it. */
void doctor_look_elsewhere(const char *name);

/* Why nobody can open an object that is listed and not alive. Answers the exit status.
 */
int doctor_look_at_closed(const mmf_object_info *info);

/* How the owner of a map, which we may only read, lets us write; to be freed. */
char *doctor_let_write(const mmf_object_info *info);

/* What ends or wakes a process that is stopped; to be freed. */
char *doctor_wake(int pid);

#endif
