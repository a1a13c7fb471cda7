/*
 * newcomer.c - see newcomer.h.
 */
#include "os/linux/store/newcomer.h"

#include "base/fail.h"
#include "os/os.h"

/*
 * What blocks us is another process between two system calls, so it is done in
 * microseconds, unless a signal or a debugger has stopped it.
 */
enum { FIRST_PAUSE_NS = 20000, LONGEST_PAUSE_NS = 5000000 };

bool
mmf_newcomer_pause(struct mmf_backoff *backoff)
{
    if (backoff->pause == 0) {
        backoff->deadline = mmf_backoff_deadline(mmf_os_now(), MMF_OS_BACKOFF_MS);
        backoff->pause = FIRST_PAUSE_NS;
        backoff->longest = LONGEST_PAUSE_NS;
    }
    return mmf_os_pause(backoff);
}

int
mmf_newcomer_fail_busy(const char *path)
{
    return mmf_fail(MMF_E_BUSY,
                    "a process has been removing %s for %d ms: is it stopped, or has a "
                    "user locked the file by hand?",
                    path, MMF_OS_BACKOFF_MS);
}
