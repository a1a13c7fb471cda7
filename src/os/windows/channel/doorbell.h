/* doorbell.h - sleeping at a channel's doorbells, and waking those who do. */
#ifndef MMF_OS_WINDOWS_CHANNEL_DOORBELL_H
#define MMF_OS_WINDOWS_CHANNEL_DOORBELL_H

#include <stdint.h>
#include <windows.h>

#include "os/windows/store/name_guard.h"
#include "shared/ring/sleepers.h"

/* One handle's way to one doorbell. */
struct mmf_doorbell {
    struct mmf_sleepers_shared *sleepers;
    HANDLE tokens[MMF_SLEEPERS_TURNS]; /* semaphores */
    uint32_t most;                     /* no more than so many sleep there */
};

/* `part` is the letter of its semaphores. Calls mmf_fail; then nothing is left. */
int mmf_doorbell_open(struct mmf_doorbell *doorbell, struct mmf_part_name *name,
                      wchar_t part, struct mmf_sleepers_shared *sleepers,
                      uint32_t most);
void mmf_doorbell_close(struct mmf_doorbell *doorbell);

/* Until the word is not `expected`, somebody wakes us, or so many nanoseconds. */
void mmf_doorbell_sleep(const struct mmf_doorbell *doorbell, const mmf_atomic_u32 *word,
                        uint32_t expected, int64_t nanoseconds);

/* Wake up to `count`; how many there were. */
int mmf_doorbell_wake(const struct mmf_doorbell *doorbell, const mmf_atomic_u32 *word,
                      int count);

#endif
