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
    char *file = mmf_procfs_load("/etc/passwd");
    char *line = file;
    char *rest;

    for (; line != NULL; line = rest) {
        rest = strchr(line, '\n');
        if (rest != NULL)
            *rest++ = '\0';
        if (id_of_line(line) == (long)user)
            break;
    }
    if (line != NULL)
        snprintf(text, MMF_USER_SIZE, "%.*s (%u)",
                 (int)(strcspn(line, ":") < 40 ? strcspn(line, ":") : 40), line,
                 (unsigned)user);
    else
        snprintf(text, MMF_USER_SIZE, "%u", (unsigned)user);
    free(file);
}
