/*
 * sleepers.c - see sleepers.h.
 */
#include "shared/ring/sleepers.h"

#include "base/invariant.h"

bool
mmf_sleepers_enter(mmf_atomic_u32 *count, const mmf_atomic_u32 *doorbell,
                   uint32_t expected)
{
    mmf_add_relaxed_u32(count, 1);
    /* pairs with the fence in mmf_sleepers_claim */
    mmf_fence_full();
    return mmf_load_relaxed_u32(doorbell) == expected;
}

bool
mmf_sleepers_leave(mmf_atomic_u32 *count)
{
    return mmf_sleepers_claim(count, 1) == 1;
}

uint32_t
mmf_sleepers_claim(mmf_atomic_u32 *count, uint32_t most)
{
    uint32_t there;
    uint32_t claimed;

    MMF_ASSERT(most > 0);
    mmf_fence_full();
    there = mmf_load_relaxed_u32(count);
    do {
        claimed = there < most ? there : most;
        if (claimed == 0)
            return 0;
    } while (!mmf_exchange_if_u32(count, &there, there - claimed));
    return claimed;
}
