/*
 * oldest_glibc.h - read before every source of the package's libraries for glibc: they
 * ask for the symbols of glibc 2.17, which later ones keep, also where the headers are
 * newer. script/csharp_native checks the result.
 */
#ifndef MMF_OLDEST_GLIBC_H
#define MMF_OLDEST_GLIBC_H

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __x86_64__
#define MMF_OLDEST "GLIBC_2.2.5"
#define MMF_OLDEST_UNWINDING "GLIBC_2.3.3"
#else
#define MMF_OLDEST "GLIBC_2.17"
#define MMF_OLDEST_UNWINDING "GLIBC_2.17"
#endif

/* glibc 2.34 moved these from libpthread to libc, under a new version. */
__asm__(".symver pthread_key_create, pthread_key_create@" MMF_OLDEST);
__asm__(".symver pthread_key_delete, pthread_key_delete@" MMF_OLDEST);
__asm__(".symver pthread_once, pthread_once@" MMF_OLDEST);
__asm__(".symver pthread_setspecific, pthread_setspecific@" MMF_OLDEST);
__asm__(".symver pthread_getspecific, pthread_getspecific@" MMF_OLDEST);
__asm__(".symver pthread_testcancel, pthread_testcancel@" MMF_OLDEST);
/* What pthread_cleanup_push is made of. */
__asm__(".symver __pthread_register_cancel, "
        "__pthread_register_cancel@" MMF_OLDEST_UNWINDING);
__asm__(".symver __pthread_unregister_cancel, "
        "__pthread_unregister_cancel@" MMF_OLDEST_UNWINDING);
__asm__(".symver __pthread_unwind_next, __pthread_unwind_next@" MMF_OLDEST_UNWINDING);
/* The same function under an older name: files are 64 bits wide here anyway. */
__asm__(".symver fcntl64, fcntl@" MMF_OLDEST);

/* Calls that were no functions then. The kernel's struct stat is glibc's, on 64 bits. */
#define fstat(fd, status) ((int)syscall(SYS_fstat, fd, status))
#define stat(path, status) ((int)syscall(SYS_newfstatat, AT_FDCWD, path, status, 0))
#define lstat(path, status)                                                            \
    ((int)syscall(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW))
#define getrandom(bytes, size, flags)                                                  \
    ((ssize_t)syscall(SYS_getrandom, bytes, size, flags))

#endif
