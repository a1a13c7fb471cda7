/*
 * user.c - looking a user up in /etc/passwd.
 */
#include "os/linux/sys/user.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/linux/sys/sys.h"

/* The user id in a line "name:password:id:..."; -1 if there is none. */
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
    int fd = mmf_sys_open("/etc/passwd", O_RDONLY | O_CLOEXEC, 0);
    ssize_t count = fd >= 0 ? mmf_sys_pread(fd, file, sizeof(file) - 1, 0) : -1;
    char *rest;

    if (fd >= 0)
        mmf_sys_close(fd);
    file[count > 0 ? count : 0] = '\0';
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
