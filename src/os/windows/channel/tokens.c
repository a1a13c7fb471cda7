/*
 * tokens.c - tokens are a semaphore's count. WaitOnAddress has the meaning of a futex, but
 * for threads of one process only.
 *
 * A token that no thread takes stays: the next thread that comes to sleep tries once
 * more, in vain.
 */
#include "os/windows/channel/tokens.h"

#include <limits.h>

#include <mmf/status.h>

#include "base/invariant.h"
#include "os/windows/sys/error.h"
#include "shared/ring/wait.h"

int
mmf_tokens_open(struct mmf_tokens *tokens, struct mmf_subobject_name *name,
                wchar_t letter, uint32_t first, struct mmf_sleepers_shared *sleepers,
                uint32_t most)
{
    MMF_ASSERT(sleepers != NULL && most > 0);
    tokens->sleepers = sleepers;
    tokens->most = most;
    for (uint32_t turn = 0; turn < MMF_SLEEPERS_TURNS; turn++) {
        HANDLE semaphore = CreateSemaphoreExW(
            NULL, 0, LONG_MAX, mmf_subobject_numbered(name, letter, first + turn), 0,
            SYNCHRONIZE | SEMAPHORE_MODIFY_STATE);

        if (semaphore == NULL) {
            int rc = mmf_error_fail("open a semaphore of a channel");

            mmf_tokens_close(tokens);
            return rc;
        }
        tokens->semaphores[turn] = semaphore;
    }
    return MMF_OK;
}

void
mmf_tokens_close(struct mmf_tokens *tokens)
{
    for (int turn = 0; turn < MMF_SLEEPERS_TURNS; turn++) {
        if (tokens->semaphores[turn] != NULL)
            CloseHandle(tokens->semaphores[turn]);
        tokens->semaphores[turn] = NULL;
    }
}

/* Not less than asked for; no sleep is longer than a tick, for a token may be lost. */
static DWORD
to_milliseconds(int64_t nanoseconds)
{
    if (nanoseconds <= 0)
        return 0;
    if (nanoseconds >= MMF_RING_TICK)
        return (DWORD)(MMF_RING_TICK / 1000000);
    return (DWORD)((nanoseconds + 999999) / 1000000);
}

HANDLE
mmf_tokens_begin_sleep(const struct mmf_tokens *tokens, const mmf_atomic_u32 *doorbell,
                       uint32_t expected)
{
    uint32_t turn = mmf_sleepers_turn(expected);

    MMF_ASSERT(tokens->semaphores[turn] != NULL);
    return mmf_sleepers_enter(&tokens->sleepers->count[turn], doorbell, expected)
               ? tokens->semaphores[turn]
               : NULL;
}

void
mmf_tokens_end_sleep(const struct mmf_tokens *tokens, uint32_t expected, bool woken)
{
    uint32_t turn = mmf_sleepers_turn(expected);

    MMF_ASSERT(tokens->semaphores[turn] != NULL);
    if (!woken && !mmf_sleepers_leave(&tokens->sleepers->count[turn]))
        WaitForSingleObject(tokens->semaphores[turn], 0);
}

void
mmf_tokens_sleep(const struct mmf_tokens *tokens, const mmf_atomic_u32 *doorbell,
                 uint32_t expected, int64_t nanoseconds)
{
    HANDLE semaphore = mmf_tokens_begin_sleep(tokens, doorbell, expected);
    bool woken =
        semaphore != NULL &&
        WaitForSingleObject(semaphore, to_milliseconds(nanoseconds)) == WAIT_OBJECT_0;

    mmf_tokens_end_sleep(tokens, expected, woken);
}

static uint32_t
wake_turn(const struct mmf_tokens *tokens, uint32_t turn, uint32_t most)
{
    uint32_t claimed = mmf_sleepers_claim(&tokens->sleepers->count[turn], most);

    MMF_ASSERT(turn < MMF_SLEEPERS_TURNS && claimed <= most);
    if (claimed > 0)
        ReleaseSemaphore(tokens->semaphores[turn], (LONG)claimed, NULL);
    return claimed;
}

/* Those first that have slept since before the last ring. */
int
mmf_tokens_wake(const struct mmf_tokens *tokens, const mmf_atomic_u32 *doorbell,
                int count)
{
    uint32_t newer = mmf_sleepers_turn(mmf_load_relaxed_u32(doorbell));
    uint32_t most = (uint32_t)count < tokens->most ? (uint32_t)count : tokens->most;
    uint32_t woken;

    MMF_ASSERT(count > 0);
    woken = wake_turn(tokens, newer ^ 1, most);
    if (woken < most)
        woken += wake_turn(tokens, newer, most - woken);
    return (int)woken;
}
