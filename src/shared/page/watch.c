/*
 * watch.c - see watch.h.
 */
#include "shared/page/watch.h"

#include "base/invariant.h"

static uint64_t
ticket_of(uint64_t stamp)
{
    return stamp & MMF_TICKET_MAX;
}

uint64_t
mmf_watch_stamp(uint64_t ticket, int64_t time)
{
    MMF_ASSERT(ticket != 0 && time > 0);
    return (uint64_t)(time / 1000000) << MMF_TICKET_BITS | ticket_of(ticket);
}

/* A watcher that is late by an eighth of a tick may be replaced. */
static bool
is_current(uint64_t stamp, const struct mmf_watch_turn *turn)
{
    uint64_t ms = (uint64_t)(turn->now / 1000000);
    uint64_t age = (ms - (stamp >> MMF_TICKET_BITS)) & MMF_WATCH_TIME_MAX;

    MMF_ASSERT(turn->now > 0);
    return ticket_of(stamp) != 0 &&
           age <= (uint64_t)(turn->tick + turn->tick / 8) / 1000000;
}

/*
 * The word to put our stamp into, if we are to watch; -1: others watch. If both are of
 * one other process, two of its threads took one each at the same moment.
 */
static int
choose_word(const uint64_t stamps[MMF_WATCHERS], const struct mmf_watch_turn *turn)
{
    for (int i = 0; i < MMF_WATCHERS; i++) {
        if (ticket_of(stamps[i]) == ticket_of(turn->ticket))
            return stamps[i] != turn->mine && is_current(stamps[i], turn) ? -1 : i;
    }
    for (int i = 0; i < MMF_WATCHERS; i++) {
        if (!is_current(stamps[i], turn))
            return i;
    }
    return ticket_of(stamps[0]) == ticket_of(stamps[1]) ? 1 : -1;
}

static int
find_word(const mmf_atomic_u64 *words, const struct mmf_watch_turn *turn,
          uint64_t stamps[MMF_WATCHERS])
{
    for (int i = 0; i < MMF_WATCHERS; i++)
        stamps[i] = mmf_load_acquire_u64(&words[i]);
    return choose_word(stamps, turn);
}

bool
mmf_watch_is_kept(const mmf_atomic_u64 words[MMF_WATCHERS],
                  const struct mmf_watch_turn *turn)
{
    uint64_t stamps[MMF_WATCHERS];

    return find_word(words, turn, stamps) < 0;
}

bool
mmf_watch_take(mmf_atomic_u64 words[MMF_WATCHERS], const struct mmf_watch_turn *turn)
{
    uint64_t stamps[MMF_WATCHERS];
    int word = find_word(words, turn, stamps);

    if (word < 0)
        return false;
    /* If another was quicker, we check this time, and leave it to that one the next. */
    mmf_exchange_if_u64(&words[word], &stamps[word],
                        mmf_watch_stamp(turn->ticket, turn->now));
    return true;
}

bool
mmf_watch_leave(mmf_atomic_u64 words[MMF_WATCHERS], uint64_t mine)
{
    for (int i = 0; mine != 0 && i < MMF_WATCHERS; i++) {
        uint64_t stamp = mine;

        if (mmf_load_acquire_u64(&words[i]) == mine &&
            mmf_exchange_if_u64(&words[i], &stamp, 0))
            return true;
    }
    return false;
}
