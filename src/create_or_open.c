/*
 * create_or_open.c - the one loop of create-or-open, and the one that waits for a name.
 *
 * Both are above os.h, which only creates and only opens: so the rules are the same for
 * every kind of object and on every system.
 */
#include "create_or_open.h"

#include <mmf/status.h>

#include "base/backoff.h"
#include "base/fail.h"
#include "base/invariant.h"
#include "os/os.h"

/* Another process is between two calls: it is gone in microseconds. */
enum { FIRST_PAUSE_NS = 20000, LONGEST_PAUSE_NS = 5000000 };

/* Another process has yet to start, or to reach its create. */
enum { FIRST_POLL_NS = 1000000, LONGEST_POLL_NS = 10000000 };

static int
try_both(const struct mmf_opener *opener, int *created)
{
    int rc = opener->open(opener->request);

    *created = rc == MMF_E_NOT_FOUND;
    return *created ? opener->create(opener->request) : rc;
}

int
mmf_create_or_open(const struct mmf_opener *opener, int *created)
{
    struct mmf_backoff backoff = {.pause = FIRST_PAUSE_NS, .longest = LONGEST_PAUSE_NS};
    mmf_error before;
    int rc;

    MMF_ASSERT(opener->create != NULL && opener->open != NULL && created != NULL);
    mmf_fail_keep(&before);
    do {
        rc = mmf_fail_settle(try_both(opener, created), &before);
        if (rc != MMF_E_EXISTS || !*created)
            return rc;
        if (backoff.deadline == 0)
            backoff.deadline = mmf_backoff_deadline(mmf_os_now(), MMF_OS_BACKOFF_MS);
    } while (mmf_os_pause(&backoff));
    return mmf_fail(MMF_E_BUSY, "\"%.200s\" kept being created and closed for %d ms",
                    opener->name, MMF_OS_BACKOFF_MS);
}

int
mmf_open_existing(const struct mmf_opener *opener, int32_t wait_ms)
{
    struct mmf_backoff backoff = {.pause = FIRST_POLL_NS, .longest = LONGEST_POLL_NS};
    mmf_error before;
    int rc;

    MMF_ASSERT(opener->open != NULL && wait_ms >= -1);
    if (wait_ms == 0)
        return opener->open(opener->request);
    mmf_fail_keep(&before);
    backoff.deadline = mmf_backoff_deadline(mmf_os_now(), wait_ms);
    do {
        rc = mmf_fail_settle(opener->open(opener->request), &before);
    } while (rc == MMF_E_NOT_FOUND && mmf_os_pause(&backoff));
    return rc;
}

int
mmf_check_wait(int32_t wait_ms)
{
    if (wait_ms >= -1)
        return MMF_OK;
    return mmf_fail_argument(MMF_E_RANGE, "wait_ms",
                             "invalid wait_ms %d: 0 does not wait, -1 waits forever",
                             wait_ms);
}
