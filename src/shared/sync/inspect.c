/*
 * inspect.c - see inspect.h. The words may have changed between their copies, so
 * only the state word is trusted to be of one moment.
 */
#include "shared/sync/inspect.h"

#include <string.h>

#include "shared/sync/slots.h"
#include "shared/sync/word.h"

struct words {
    uint64_t word;
    uint32_t recursion;
    int32_t maximum;
    int32_t manual;
    int tokens; /* signals that lie in the page's slots for who comes */
};

/* Signals that sleepers were given and did not take, and no sleeper is there. */
static int
count_tokens(const uint8_t *state)
{
    int tokens = 0;

    for (size_t i = 0; i < MMF_SYNC_SLOTS_HERE; i++) {
        uint64_t slot;

        memcpy(&slot,
               state + offsetof(struct mmf_sync_shared, slots) +
                   i * sizeof(struct mmf_sync_slot),
               8);
        if (mmf_sync_slot_kind(slot) == MMF_SLOT_WAITING)
            return 0;
        tokens += mmf_sync_slot_kind(slot) == MMF_SLOT_TOKEN;
    }
    return tokens;
}

static void
copy_words(const uint8_t *state, struct words *words)
{
    memcpy(&words->word, state + offsetof(struct mmf_sync_shared, word), 8);
    memcpy(&words->recursion, state + offsetof(struct mmf_sync_shared, recursion), 4);
    memcpy(&words->maximum, state + offsetof(struct mmf_sync_shared, maximum), 4);
    memcpy(&words->manual, state + offsetof(struct mmf_sync_shared, manual), 4);
    words->tokens = count_tokens(state);
}

static void
read_mutex(const struct words *words, mmf_sync_info *info, uint64_t *owner_ticket)
{
    uint64_t owner = mmf_sync_value(words->word);

    *owner_ticket = mmf_sync_is_handed(words->word) ? 0 : mmf_sync_ticket(owner);
    info->owned = owner != 0;
    info->signalled = !info->owned;
    info->abandoned = !info->owned && (words->word & MMF_WORD_ABANDONED) != 0;
    info->corrupt = words->recursion > MMF_RECURSION_MAX - 1u;
    if (info->owned && !info->corrupt)
        info->count = (int32_t)words->recursion + 1;
}

static void
read_semaphore(const struct words *words, mmf_sync_info *info)
{
    uint64_t count = mmf_sync_count(words->word);

    info->corrupt = words->maximum < 1 || count > (uint64_t)words->maximum ||
                    (words->word & MMF_WORD_SIGNALLED) != 0;
    if (info->corrupt)
        return;
    count += (uint64_t)words->tokens;
    if (count > (uint64_t)words->maximum)
        count = (uint64_t)words->maximum;
    info->count = (int32_t)count;
    info->maximum = words->maximum;
    info->signalled = count > 0;
}

bool
mmf_sync_inspect(const uint8_t *state, mmf_kind kind, mmf_sync_info *info,
                 uint64_t *owner_ticket)
{
    struct words words;

    memset(info, 0, sizeof(*info));
    *owner_ticket = 0;
    copy_words(state, &words);
    info->waiters = (words.word & MMF_WORD_WAITERS) != 0;
    switch (kind) {
    case MMF_KIND_MUTEX:
        read_mutex(&words, info, owner_ticket);
        return true;
    case MMF_KIND_EVENT:
        info->signalled = (words.word & MMF_WORD_SIGNALLED) != 0 || words.tokens > 0;
        info->manual_reset = words.manual;
        info->corrupt = words.manual != 0 && words.manual != 1;
        return true;
    case MMF_KIND_SEMAPHORE:
        read_semaphore(&words, info);
        return true;
    default:
        return false;
    }
}

void
mmf_sync_inspect_owner_dead(mmf_sync_info *info)
{
    info->owned = 0;
    info->count = 0;
    info->signalled = 1;
    info->abandoned = 1;
}
