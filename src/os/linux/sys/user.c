/*
 * user.c - looking a user up in /etc/passwd.
 */
#include "os/linux/sys/user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/linux/sys/procfs.h"

/* The user id in a line "name:password:id:..."; -1 if it has no such field. */
static long
id_of_line(const char *line)
{
    const char *field = strchr(line, ':');

    field = field != NULL ? strchr(field + 1, ':') : NULL;
    return field != NULL && field[1] >= '0' && field[1] <= '9' ? atol(field + 1) : -1;
}

void
mmf_user_describe(uid_t user, char text[MMF_USER_SIZE])
{
    char file[16384];
    char *rest;

    mmf_procfs_read("/etc/passwd", file, sizeof(file));
    for (char *line = strtok_r(file, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (id_of_line(line) == (long)user) {
            size_t length = strcspn(line, ":");

            snprintf(text, MMF_USER_SIZE, "%.*s (%u)", (int)(length < 40 ? length : 40),
                     line, (unsigned)user);
            return;
        }
    }
    snprintf(text, MMF_USER_SIZE, "%u", (unsigned)user);
}
