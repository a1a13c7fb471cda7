/*
 * waitable.h - what mutex, event and semaphore have in common: a name, the rules for
 * it, and the handle.
 */
#ifndef MMF_SRC_WAITABLE_H
#define MMF_SRC_WAITABLE_H

#include <stdint.h>

#include <mmf/list.h>
#include <mmf/sync.h>

#include "os/os.h"

/* Each handle is one, so that a wait can have it beside others. */
struct mmf_waitable {
    struct mmf_os_sync *sync;    /* NULL: a channel */
    struct mmf_channel *channel; /* then: which one */
    mmf_kind kind;
};

/*
 * Create, or create or open, by contract 2.10 and 7.5; the request lacks only name and
 * mode. `out` is where the caller wants a pointer to the kind's handle, which begins with
 * this one.
 */
int mmf_waitable_create_new(const struct mmf_os_sync_request *request, const char *name,
                            const mmf_sync_options *options, void *out);
int mmf_waitable_create_or_open(const struct mmf_os_sync_request *request,
                                const char *name, const mmf_sync_options *options,
                                int *created, void *out);

/* OpenExisting of one kind. */
int mmf_waitable_open(mmf_kind kind, const char *name, const mmf_sync_options *options,
                      void *out);

/* The handle, which is not NULL, is alive and can be waited for. */
int mmf_waitable_check(const struct mmf_waitable *handle);

/* WaitOne, on a handle that is not NULL. */
int mmf_waitable_fail_timeout(int32_t timeout_ms);

static inline int
mmf_waitable_wait(const struct mmf_waitable *handle, int32_t timeout_ms)
{
    mmf_os_cancellation_point();
    if (timeout_ms < MMF_INFINITE)
        return mmf_waitable_fail_timeout(timeout_ms);
    return mmf_os_sync_wait(handle->sync, timeout_ms);
}

#endif
