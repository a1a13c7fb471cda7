/* turns.c - see turns.h. */
#include "base/turns.h"

#include "os/os.h"
#include "os/stop.h"

enum { TURN_MS = 100 };

struct turns
turns_begin(int32_t timeout_ms)
{
    return (struct turns){.begin = os_now_ns() / 1000000, .timeout = timeout_ms};
}

int64_t
turns_waited(const struct turns *turns)
{
    return os_now_ns() / 1000000 - turns->begin;
}

int32_t
turns_next(struct turns *turns)
{
    int64_t left = turns->timeout - turns_waited(turns);
    int is_first = !turns->has_begun;

    turns->has_begun = 1;
    if (stop_signal())
        return -1;
    if (turns->timeout < 0 || left > TURN_MS)
        return TURN_MS;
    if (left > 0)
        return (int32_t)left;
    return is_first ? 0 : -1;
}
