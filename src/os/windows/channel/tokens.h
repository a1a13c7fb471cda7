/*
 * tokens.h - sleeping on a channel's doorbell, and waking its sleepers, where the system
 * cannot sleep on a word: the tokens of shared/ring/sleepers.h.
 */
#ifndef MMF_OS_WINDOWS_CHANNEL_TOKENS_H
#define MMF_OS_WINDOWS_CHANNEL_TOKENS_H

#include <stdint.h>
#include <windows.h>

#include "os/windows/store/subobject.h"
#include "shared/ring/sleepers.h"

/* One handle's tokens of one doorbell. */
struct mmf_tokens {
    struct mmf_sleepers_shared *sleepers;
    HANDLE semaphores[MMF_SLEEPERS_TURNS];
    uint32_t most; /* no more than so many sleep there */
};

/* `letter` is the semaphores', and their numbers are from `first` on. A status with
 * mmf_fail; then nothing is left. */
int mmf_tokens_open(struct mmf_tokens *tokens, struct mmf_subobject_name *name,
                    wchar_t letter, uint32_t first,
                    struct mmf_sleepers_shared *sleepers, uint32_t most);
void mmf_tokens_close(struct mmf_tokens *tokens);

/* Until the doorbell is not `expected`, is rung, or so many nanoseconds have passed. */
void mmf_tokens_sleep(const struct mmf_tokens *tokens, const mmf_atomic_u32 *doorbell,
                      uint32_t expected, int64_t nanoseconds);

/* The same in two halves: the semaphore to wait for, NULL if the doorbell has another value;
 * `woken`: a token was taken. */
HANDLE mmf_tokens_begin_sleep(const struct mmf_tokens *tokens,
                              const mmf_atomic_u32 *doorbell, uint32_t expected);
void mmf_tokens_end_sleep(const struct mmf_tokens *tokens, uint32_t expected,
                          bool woken);

/* Wake up to `count`; how many there were. */
int mmf_tokens_wake(const struct mmf_tokens *tokens, const mmf_atomic_u32 *doorbell,
                    int count);

#endif
