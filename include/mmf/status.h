/*
 * mmf/status.h - what a call returns, and why the last one failed.
 *
 * Every function that can fail returns an int: negative, it failed and nothing that
 * the caller can see has changed; 0, done; positive, done, and there is something to
 * look at. So `if (rc < 0)` is always right.
 */
#ifndef MMF_STATUS_H
#define MMF_STATUS_H

#include <mmf/export.h>

MMF_BEGIN_DECLS

/* One value for each failure that .NET distinguishes (its exception is beside it). */
typedef enum mmf_status {
    MMF_OK = 0,
    MMF_TIMED_OUT = 1, /* the time ran out: WaitOne answers false */
    MMF_ABANDONED =
        2, /* you own the mutex; its last owner died: AbandonedMutexException */
    MMF_OVERWRITTEN = 3, /* what was taken may have been overwritten meanwhile */

    MMF_E_INVALID = -1,        /* ArgumentException */
    MMF_E_NULL = -2,           /* ArgumentNullException */
    MMF_E_RANGE = -3,          /* ArgumentOutOfRangeException */
    MMF_E_ACCESS = -4,         /* UnauthorizedAccessException */
    MMF_E_EXISTS = -5,         /* IOException: the name or the file is there already */
    MMF_E_NOT_FOUND = -6,      /* FileNotFoundException */
    MMF_E_PATH_NOT_FOUND = -7, /* DirectoryNotFoundException */
    MMF_E_PATH_TOO_LONG = -8,  /* PathTooLongException */
    MMF_E_SHARING = -9,        /* IOException: another process has the file in use */
    MMF_E_NO_SPACE = -10,      /* IOException: no space for the bytes */
    MMF_E_NO_MEMORY = -11,     /* IOException: no memory or address space */
    MMF_E_IO = -12,            /* IOException: any other failure of the system */
    MMF_E_DISPOSED = -13,      /* ObjectDisposedException; also a handle after fork */
    MMF_E_NOT_SUPPORTED = -14, /* NotSupportedException */
    MMF_E_PLATFORM = -15,      /* PlatformNotSupportedException: not on this system */
    MMF_E_MISMATCH = -16,      /* it exists, with other sizes or flags than asked for */
    MMF_E_WRONG_KIND = -17,    /* the name belongs to another kind of object */
    MMF_E_NOT_OWNER = -18,     /* ApplicationException: not the mutex's owner */
    MMF_E_FULL = -19,          /* a queue or topic is full */
    MMF_E_RECURSION = -20,     /* OverflowException: a mutex taken too often */
    MMF_E_STATE = -21,         /* InvalidOperationException */

    /* Ours: what .NET has no word for. */
    MMF_E_BUSY = -22,        /* a stopped process is blocking the name; try again */
    MMF_E_LAYOUT = -23,      /* made by a version of mmf that this one cannot read */
    MMF_E_CORRUPT = -24,     /* the bytes under this name are not a valid mmf object */
    MMF_E_PEER_CLOSED = -25, /* the last peer of a channel has closed it or died */
    MMF_E_MAXIMUM = -26,     /* SemaphoreFullException: a semaphore at its maximum */
    MMF_E_TOO_MANY = -27 /* as many participants, pins or sources as a channel allows */
} mmf_status;

/*
 * Why a call of this thread failed. Only failing calls write it: after a success it
 * still describes the failure before.
 */
typedef struct mmf_error {
    int32_t status;       /* an mmf_status; 0 if no call of this thread has failed */
    int32_t system_error; /* errno, or GetLastError(); 0 if not the system's */
    char parameter[40];   /* .NET's name of the argument at fault ("mapName"), or "" */
    char message[1024];   /* UTF-8, one line: the object, the cause, the way out */
    uint64_t reserved[8];
} mmf_error;

/* Copy this thread's last failure to `*error`. NULL is allowed and does nothing. */
MMF_API void mmf_last_error(mmf_error *error);

/* This thread's last message. Owned by the library; valid until its next failure. */
MMF_API const char *mmf_last_message(void);

/* The constant's name, "MMF_E_EXISTS"; "MMF_E_?" for an unknown number. */
MMF_API const char *mmf_status_name(int status);

/* One English line for the status itself; mmf_last_error says more. Never NULL. */
MMF_API const char *mmf_strerror(int status);

/*
 * 1 if .NET raises exactly IOException for this status: MMF_E_EXISTS, MMF_E_SHARING,
 * MMF_E_NO_SPACE, MMF_E_NO_MEMORY, MMF_E_IO and MMF_E_BUSY; 0 otherwise, also for
 * MMF_E_NOT_FOUND, MMF_E_PATH_NOT_FOUND and MMF_E_PATH_TOO_LONG, which are subclasses.
 */
MMF_API int mmf_status_is_io_error(int status);

MMF_END_DECLS

#endif
