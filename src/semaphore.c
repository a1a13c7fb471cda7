/*
 * semaphore.c - .NET's Semaphore (contract 2.10, 7.4).
 */
#include <mmf/status.h>
#include <mmf/sync.h>

#include "base/fail.h"
#include "waitable.h"

struct mmf_semaphore {
    struct mmf_waitable waitable;
};

static int
check_counts(int32_t initial_count, int32_t maximum_count)
{
    if (initial_count < 0)
        return mmf_fail_argument(MMF_E_RANGE, "initialCount",
                                 "invalid initial count %d: at least 0", initial_count);
    if (maximum_count < 1)
        return mmf_fail_argument(MMF_E_RANGE, "maximumCount",
                                 "invalid maximum count %d: at least 1", maximum_count);
    if (initial_count > maximum_count)
        return mmf_fail_argument(MMF_E_INVALID, "",
                                 "the initial count %d is more than the maximum %d",
                                 initial_count, maximum_count);
    return MMF_OK;
}

static int
make_request(int32_t initial_count, int32_t maximum_count, const void *out,
             struct mmf_os_sync_request *request)
{
    if (out == NULL)
        return mmf_fail_null("out");
    *request = (struct mmf_os_sync_request){
        .kind = MMF_KIND_SEMAPHORE, .initial = initial_count, .maximum = maximum_count};
    return check_counts(initial_count, maximum_count);
}

int
mmf_semaphore_create_new(const char *name, int32_t initial_count, int32_t maximum_count,
                         const mmf_sync_options *options, mmf_semaphore **out)
{
    struct mmf_os_sync_request request;
    int rc = make_request(initial_count, maximum_count, out, &request);

    return rc < 0 ? rc : mmf_waitable_create_new(&request, name, options, out);
}

int
mmf_semaphore_create_or_open(const char *name, int32_t initial_count,
                             int32_t maximum_count, const mmf_sync_options *options,
                             int *created, mmf_semaphore **out)
{
    struct mmf_os_sync_request request;
    int rc = make_request(initial_count, maximum_count, out, &request);

    return rc < 0 ? rc
                  : mmf_waitable_create_or_open(&request, name, options, created, out);
}

int
mmf_semaphore_open_existing(const char *name, const mmf_sync_options *options,
                            mmf_semaphore **out)
{
    return mmf_waitable_open(MMF_KIND_SEMAPHORE, name, options, out);
}

int
mmf_semaphore_wait(mmf_semaphore *semaphore, int32_t timeout_ms)
{
    if (semaphore == NULL)
        return mmf_fail_argument(MMF_E_NULL, "semaphore", "the semaphore is NULL");
    return mmf_waitable_wait(&semaphore->waitable, timeout_ms);
}

void
mmf_semaphore_close(mmf_semaphore *semaphore)
{
    if (semaphore != NULL)
        mmf_waitable_close(&semaphore->waitable);
}

mmf_waitable *
mmf_semaphore_waitable(mmf_semaphore *semaphore)
{
    return semaphore != NULL ? &semaphore->waitable : NULL;
}

int
mmf_semaphore_release(mmf_semaphore *semaphore, int32_t release_count,
                      int32_t *previous)
{
    int32_t before;
    int rc;

    if (semaphore == NULL)
        return mmf_fail_argument(MMF_E_NULL, "semaphore", "the semaphore is NULL");
    if (release_count < 1)
        return mmf_fail_argument(MMF_E_RANGE, "releaseCount",
                                 "invalid release count %d: at least 1", release_count);
    rc = mmf_os_semaphore_release(semaphore->waitable.sync, release_count, &before);
    if (rc == MMF_OK && previous != NULL)
        *previous = before;
    return rc;
}
