/* doorbell.h - sleeping at a channel's bells, and waking those who do. */
#ifndef MMF_OS_WINDOWS_CHANNEL_DOORBELL_H
#define MMF_OS_WINDOWS_CHANNEL_DOORBELL_H

#include <stdint.h>
#include <windows.h>

#include "os/windows/store/name_guard.h"
#include "shared/ring/sleepers.h"

/* One handle's way to one bell. */
struct mmf_bell {
    struct mmf_sleepers_shared *sleepers;
    HANDLE tokens[MMF_SLEEPERS_TURNS]; /* semaphores */
    uint32_t most;                     /* no more than so many sleep there */
};

/* `part` is the letter of its semaphores. Calls mmf_fail; then nothing is left. */
int mmf_bell_open(struct mmf_bell *bell, struct mmf_part_name *name, wchar_t part,
                  struct mmf_sleepers_shared *sleepers, uint32_t most);
void mmf_bell_close(struct mmf_bell *bell);

/* Until the word is not `expected`, somebody wakes us, or so many nanoseconds. */
void mmf_bell_sleep(const struct mmf_bell *bell, const mmf_atomic_u32 *word,
                    uint32_t expected, int64_t nanoseconds);

/* Wake up to `count`; how many there were. */
int mmf_bell_wake(const struct mmf_bell *bell, const mmf_atomic_u32 *word, int count);

#endif
