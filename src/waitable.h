/*
 * waitable.h - what mutex, event and semaphore have in common: a name, .NET's rules for
 * it, and the handle.
 */
#ifndef MMF_SRC_WAITABLE_H
#define MMF_SRC_WAITABLE_H

#include <stdint.h>

#include <mmf/list.h>
#include <mmf/sync.h>

#include "os/os.h"

/* Each handle is one, so that it can be waited for beside others. */
struct mmf_waitable {
    struct mmf_os_sync *sync;
    mmf_kind kind;
};

/*
 * Create or open by contract 2.10 and 7.5; the request lacks only name and mode. `out`
 * is the caller's, and is looked at for NULL only: what there is to be given goes to
 * `*handle`, whose owner is the caller.
 */
int mmf_waitable_create(const char *name, const mmf_sync_options *options,
                        const struct mmf_os_sync_request *request, int *created_new,
                        const void *out, struct mmf_waitable **handle);

/* OpenExisting. */
int mmf_waitable_open(mmf_kind kind, const char *name, const mmf_sync_options *options,
                      const void *out, struct mmf_waitable **handle);

/* TryOpenExisting. If nothing was opened `*opened` is 0 and `*handle` NULL. */
int mmf_waitable_try_open(mmf_kind kind, const char *name,
                          const mmf_sync_options *options, int *opened, const void *out,
                          struct mmf_waitable **handle);

void mmf_waitable_close(struct mmf_waitable *handle);

/* WaitOne, on a handle that is not NULL. */
int mmf_waitable_fail_timeout(int32_t timeout_ms);

static inline int
mmf_waitable_wait(const struct mmf_waitable *handle, int32_t timeout_ms)
{
    if (timeout_ms < MMF_INFINITE)
        return mmf_waitable_fail_timeout(timeout_ms);
    return mmf_os_sync_wait(handle->sync, timeout_ms);
}

#endif
