/*
 * channel.h - what queue, topic and latest value have in common: options, the handle,
 * waiting, counters.
 */
#ifndef MMF_CHANNEL_CHANNEL_H
#define MMF_CHANNEL_CHANNEL_H

#include <stdint.h>

#include <mmf/channel.h>
#include <mmf/list.h>
#include <mmf/status.h>

#include "os/os.h"
#include "shared/ring/ring.h"
#include "shared/ring/shape.h"
#include "shared/ring/wait.h"

/* Each handle begins with one. */
struct mmf_channel {
    struct mmf_os_channel *os;
    struct mmf_ring *ring;
    const struct mmf_ring_ops *ops;
    mmf_strategy strategy;
    mmf_role role;
    int wants_peer;
    int has_fd;
    uint64_t room; /* of the reservation: so many bytes may be committed */
};

/* What a creator asks for; opening uses no sizes. */
struct mmf_channel_request {
    const char *name;
    mmf_kind kind;
    int64_t message_size;
    int64_t capacity;
    mmf_overflow overflow;
    uint32_t flags_known; /* MMF_CHANNEL_... that this kind has */
};

/* The options, defaults for what is not given. MMF_E_INVALID, MMF_E_RANGE. */
int mmf_channel_read_options(const mmf_channel_options *given, uint32_t flags_known,
                             mmf_channel_options *options);

/*
 * Create or open, and join in the roles of the options. `*created` tells which it was.
 * On failure nothing is left.
 */
int mmf_channel_create(const struct mmf_channel_request *request,
                       const mmf_channel_options *options, struct mmf_channel *channel,
                       int *created);
int mmf_channel_open(const struct mmf_channel_request *request,
                     const mmf_channel_options *options, struct mmf_channel *channel);

/* Leave, unless the handle is dead by a fork, and let go. */
void mmf_channel_close(struct mmf_channel *channel);

/* MMF_E_NOT_SUPPORTED: the handle has not that role. */
int mmf_channel_fail_role(const struct mmf_channel *channel, mmf_role role);

/* The handle, which is not NULL, is alive and has the role. */
static inline int
mmf_channel_check(const struct mmf_channel *channel, mmf_role role)
{
    if (mmf_os_channel_check_alive(channel->os) < 0)
        return MMF_E_DISPOSED;
    return channel->role & role ? MMF_OK : mmf_channel_fail_role(channel, role);
}

/* The same, without a complaint; and no descriptor that a receiver has to drain. */
static inline int
mmf_channel_is_usual(const struct mmf_channel *channel, mmf_role role)
{
    return mmf_os_channel_is_alive(channel->os) && (channel->role & role) &&
           !channel->has_fd;
}

int mmf_channel_check_timeout(int32_t timeout_ms);

/* MMF_E_RANGE, with both sizes. */
int mmf_channel_check_length(const struct mmf_channel *channel, int64_t length);

/*
 * Wait until `attempt(payload)` answers something: MMF_OK, MMF_TIMED_OUT; MMF_E_FULL
 * under FAIL, MMF_E_PEER_CLOSED, MMF_E_CORRUPT.
 */
int mmf_channel_wait(struct mmf_channel *channel, mmf_role role, int64_t deadline,
                     enum mmf_step (*attempt)(void *payload), void *payload);

/* MMF_E_CORRUPT. */
int mmf_channel_fail_corrupt(void);

/* Clear up after the dead, whenever that was done last. */
void mmf_channel_recover_dead(struct mmf_channel *channel, mmf_role role);

/* What a copying receiver is given. */
int mmf_channel_check_buffer(const void *buffer, int64_t capacity,
                             const int64_t *length);
/* MMF_E_RANGE: the message found is larger than the buffer. */
int mmf_channel_fail_small(const struct mmf_ring_message *found, int64_t capacity);

static inline void
mmf_channel_show(const struct mmf_ring_message *found, mmf_message *message)
{
    message->bytes = found->bytes;
    message->length = (int64_t)found->length;
    message->sequence = found->index;
    message->lost = found->lost;
    message->flags = found->redelivered ? MMF_MESSAGE_REDELIVERED : 0;
    message->reserved = 0;
}

/* Sending, in pieces. The handle was checked; `length` and the deadline too. */
int mmf_channel_reserve(struct mmf_channel *channel, uint64_t length, int64_t deadline,
                        uint8_t **bytes);

/* The public calls of the same names, but for the handle's type. */
int mmf_channel_reserve_checked(struct mmf_channel *channel, int64_t length,
                                int32_t timeout_ms, void **bytes);
int mmf_channel_commit(struct mmf_channel *channel, int64_t length, int wake);
int mmf_channel_abandon(struct mmf_channel *channel);
int mmf_channel_fd(struct mmf_channel *channel, int *fd);
int mmf_channel_stat_handle(struct mmf_channel *channel, mmf_channel_stats *stats);

#endif
