/*
 * doctor.h - findings: what was found, why it matters, and the command that mends it.
 */
#ifndef MMF_TOOL_DOCTOR_H
#define MMF_TOOL_DOCTOR_H

#include <stdint.h>

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

/* The directory of the names, its mount, its room, what is dead in it. */
void doctor_look_at_place(void);

/* Memory, descriptors, kernel, security modules. */
void doctor_look_at_system(void);

/* Why this process can or cannot open the name. Answers the exit status. */
int doctor_look_at_name(const char *name);

/* A small file as text without its last line end; NULL. To be freed. */
char *doctor_read_file(const char *path);

#endif
