/*
 * create_or_open.h - how a name becomes a handle, for every kind of object: create or
 * open in one step, and waiting for a name.
 */
#ifndef MMF_CREATE_OR_OPEN_H
#define MMF_CREATE_OR_OPEN_H

#include <stdint.h>

/* What one kind of object offers, over a request of its own. */
struct mmf_opener {
    int (*create)(void *request); /* MMF_E_EXISTS if the name is taken */
    int (*open)(void *request);   /* MMF_E_NOT_FOUND if it is not */
    void *request;
    const char *name; /* for messages */
};

/*
 * Open what there is, or create it; `*created` says which it was. Between the two tries
 * another process may create or close the object, so they are repeated, for
 * MMF_OS_BACKOFF_MS at most. MMF_E_BUSY: that was not enough. Else as the two.
 */
int mmf_create_or_open(const struct mmf_opener *opener, int *created);

/*
 * Open it, and wait up to `wait_ms` milliseconds for the name (0: do not; -1: forever).
 * The last try comes when the time is over. MMF_E_NOT_FOUND, and as the opening.
 */
int mmf_open_existing(const struct mmf_opener *opener, int32_t wait_ms);

/* MMF_E_RANGE: `wait_ms` is less than -1. */
int mmf_check_wait(int32_t wait_ms);

#endif
