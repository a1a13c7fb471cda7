/* error.h - errno as a status. */
#ifndef MMF_OS_LINUX_SYS_ERROR_H
#define MMF_OS_LINUX_SYS_ERROR_H

/* The status that fits the errno of a call on an object. */
int mmf_error_status(int system_error);

/* mmf_fail_system with the status that fits `errno`. */
int mmf_error_fail(const char *format, ...) __attribute__((cold, format(printf, 1, 2)));

#endif
