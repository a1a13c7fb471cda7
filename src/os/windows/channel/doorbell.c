/*
 * doorbell.c - the tokens of ring_sleepers.h are a semaphore's count. WaitOnAddress would
 * be a futex, but for threads of one process only.
 *
 * A token that nobody takes stays: who comes to sleep next looks once more, in vain.
 */
#include "os/windows/channel/doorbell.h"

#include <limits.h>

#include <mmf/status.h>

#include "os/windows/sys/error.h"

int
mmf_doorbell_open(struct mmf_doorbell *doorbell, struct mmf_part_name *name,
                  wchar_t part, struct mmf_sleepers_shared *sleepers, uint32_t most)
{
    doorbell->sleepers = sleepers;
    doorbell->most = most;
    for (uint32_t turn = 0; turn < MMF_SLEEPERS_TURNS; turn++) {
        HANDLE tokens =
            CreateSemaphoreExW(NULL, 0, LONG_MAX, mmf_part_numbered(name, part, turn),
                               0, SYNCHRONIZE | SEMAPHORE_MODIFY_STATE);

        if (tokens == NULL) {
            int rc = mmf_error_fail("open a semaphore of a channel");

            mmf_doorbell_close(doorbell);
            return rc;
        }
        doorbell->tokens[turn] = tokens;
    }
    return MMF_OK;
}

void
mmf_doorbell_close(struct mmf_doorbell *doorbell)
{
    for (int turn = 0; turn < MMF_SLEEPERS_TURNS; turn++) {
        if (doorbell->tokens[turn] != NULL)
            CloseHandle(doorbell->tokens[turn]);
        doorbell->tokens[turn] = NULL;
    }
}

/* Not less than asked for; nobody asks for more than a tick. */
static DWORD
to_milliseconds(int64_t nanoseconds)
{
    if (nanoseconds <= 0)
        return 0;
    if (nanoseconds >= MMF_RING_TICK)
        return (DWORD)(MMF_RING_TICK / 1000000);
    return (DWORD)((nanoseconds + 999999) / 1000000);
}

void
mmf_doorbell_sleep(const struct mmf_doorbell *doorbell, const mmf_atomic_u32 *word,
                   uint32_t expected, int64_t nanoseconds)
{
    uint32_t turn = mmf_sleepers_turn(expected);
    mmf_atomic_u32 *count = &doorbell->sleepers->count[turn];
    HANDLE tokens = doorbell->tokens[turn];

    if (mmf_sleepers_enter(count, word, expected) &&
        WaitForSingleObject(tokens, to_milliseconds(nanoseconds)) == WAIT_OBJECT_0)
        return;
    if (!mmf_sleepers_leave(count))
        WaitForSingleObject(tokens, 0);
}

static uint32_t
wake_turn(const struct mmf_doorbell *doorbell, uint32_t turn, uint32_t most)
{
    uint32_t claimed = mmf_sleepers_claim(&doorbell->sleepers->count[turn], most);

    if (claimed > 0)
        ReleaseSemaphore(doorbell->tokens[turn], (LONG)claimed, NULL);
    return claimed;
}

/* Those first who have slept since before the last ring. */
int
mmf_doorbell_wake(const struct mmf_doorbell *doorbell, const mmf_atomic_u32 *word,
                  int count)
{
    uint32_t newer = mmf_sleepers_turn(mmf_load_relaxed_u32(word));
    uint32_t most = (uint32_t)count < doorbell->most ? (uint32_t)count : doorbell->most;
    uint32_t woken = wake_turn(doorbell, newer ^ 1, most);

    if (woken < most)
        woken += wake_turn(doorbell, newer, most - woken);
    return (int)woken;
}
