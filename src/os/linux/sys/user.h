/* user.h - the name of a user, for messages. */
#ifndef MMF_OS_LINUX_SYS_USER_H
#define MMF_OS_LINUX_SYS_USER_H

#include <sys/types.h>

#define MMF_USER_SIZE 64

/*
 * "alice (1000)" if /etc/passwd knows the user, else "1000". Not getpwuid: it loads
 * plug-ins into the program, which a library's error message should not.
 */
void mmf_user_describe(uid_t user, char text[MMF_USER_SIZE]);

#endif
