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

/* Each handle begins with one, so that it can be waited for beside others. */
struct mmf_waitable {
    struct mmf_os_sync *sync;
    mmf_kind kind;
};

/* A handle of `size` bytes, which begins with an mmf_waitable. NULL: mmf_fail called.
 */
struct mmf_waitable *mmf_waitable_new(mmf_kind kind, size_t size);

/*
 * Create or open by contract 2.10 and 7.5; the request lacks only name and mode.
 * `handle` is from mmf_waitable_new; on failure it is freed.
 */
int mmf_waitable_create(const char *name, const mmf_sync_options *options,
                        const struct mmf_os_sync_request *request, int *created_new,
                        struct mmf_waitable *handle);

/* OpenExisting. On failure the handle is freed. */
int mmf_waitable_open(const char *name, const mmf_sync_options *options,
                      struct mmf_waitable *handle);

/* TryOpenExisting. If nothing was opened the handle is freed and `*opened` is 0. */
int mmf_waitable_try_open(const char *name, const mmf_sync_options *options,
                          int *opened, struct mmf_waitable *handle);

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
