/*
 * mutex.c - .NET's Mutex (contract 2.10, 7.2).
 */
#include <mmf/status.h>
#include <mmf/sync.h>

#include "base/fail.h"
#include "waitable.h"

struct mmf_mutex {
    struct mmf_waitable waitable;
};

static struct mmf_os_sync_request
request_for(int initially_owned)
{
    return (struct mmf_os_sync_request){.kind = MMF_KIND_MUTEX,
                                        .initially_owned = initially_owned != 0};
}

int
mmf_mutex_create_new(const char *name, int initially_owned,
                     const mmf_sync_options *options, mmf_mutex **out)
{
    const struct mmf_os_sync_request request = request_for(initially_owned);

    return mmf_waitable_create_new(&request, name, options, out);
}

int
mmf_mutex_create_or_open(const char *name, int initially_owned,
                         const mmf_sync_options *options, int *created, mmf_mutex **out)
{
    const struct mmf_os_sync_request request = request_for(initially_owned);

    return mmf_waitable_create_or_open(&request, name, options, created, out);
}

int
mmf_mutex_open_existing(const char *name, const mmf_sync_options *options,
                        mmf_mutex **out)
{
    return mmf_waitable_open(MMF_KIND_MUTEX, name, options, out);
}

int
mmf_mutex_wait(mmf_mutex *mutex, int32_t timeout_ms)
{
    if (mutex == NULL)
        return mmf_fail_argument(MMF_E_NULL, "mutex", "the mutex is NULL");
    return mmf_waitable_wait(&mutex->waitable, timeout_ms);
}

void
mmf_mutex_close(mmf_mutex *mutex)
{
    if (mutex != NULL)
        mmf_waitable_close(&mutex->waitable);
}

mmf_waitable *
mmf_mutex_waitable(mmf_mutex *mutex)
{
    return mutex != NULL ? &mutex->waitable : NULL;
}

int
mmf_mutex_release(mmf_mutex *mutex)
{
    if (mutex == NULL)
        return mmf_fail_argument(MMF_E_NULL, "mutex", "the mutex is NULL");
    return mmf_os_mutex_release(mutex->waitable.sync);
}
