/*
 * channel.h - what queue, topic and latest value have in common: options, the handle,
 * waiting, sending, counters.
 */
#ifndef MMF_CHANNEL_CHANNEL_H
#define MMF_CHANNEL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <mmf/channel.h>
#include <mmf/list.h>
#include <mmf/status.h>

#include "base/invariant.h"
#include "os/os.h"
#include "shared/ring/ring.h"
#include "shared/ring/shape.h"
#include "shared/ring/wait.h"
#include "waitable.h"

/* The first member of each handle. */
struct mmf_channel {
    struct mmf_waitable waitable;
    const struct mmf_channel_kind *kind;
    struct mmf_os_channel *os;
    struct mmf_ring *ring;
    const struct mmf_ring_ops *ops;
    mmf_strategy strategy;
    mmf_role role;
    bool wants_peer;
    bool has_fd;
    mmf_role fast; /* roles in which hot calls may take their fast paths */
    int64_t
        settles_until; /* of the descriptor: a participant may just have died; 0: no */
    uint64_t reserved_size;          /* so many bytes may be committed */
    mmf_atomic_u32 *answer_doorbell; /* of a service's client, else NULL */
};

/* Of a kind's handle, which may be NULL. */
static inline struct mmf_channel *
mmf_channel_of(void *handle)
{
    return handle;
}

/*
 * Handles (open.c).
 */

/* What a kind of channel has of its own. */
struct mmf_channel_kind {
    mmf_kind kind;
    int wakes; /* so many receivers a message is for: 1, or MMF_RING_ALL; not of services */
    uint32_t flags_known; /* MMF_CHANNEL_... */
    size_t handle_size;   /* of the struct that begins with a struct mmf_channel */
    /* A receiver's next take has something to answer: a message, or damage. */
    bool (*has_message)(struct mmf_channel *channel);
    /* In which roles a wait for the handle waits now; NULL: to receive. */
    mmf_role (*waits_in)(const struct mmf_channel *channel);
};

extern const struct mmf_channel_kind mmf_queues, mmf_topics, mmf_latest_values;

/* What a creator asks for beside the options. A latest value has a capacity of 1, which
 * pins add to. */
struct mmf_channel_sizes {
    size_t message_size;
    size_t capacity;
    mmf_overflow overflow;
};

/* Of a service, whose calls are passed the first member. */
struct mmf_service_sizes {
    struct mmf_channel_sizes requests;
    size_t answer_size;
    uint32_t calls;
    uint32_t answers; /* a power of two */
};

/*
 * Create, create or open, or open, and join in the roles of the options. `out` is where
 * the caller wants a pointer to the kind's handle. On failure nothing is left.
 */
int mmf_channel_create_new(const struct mmf_channel_kind *kind, const char *name,
                           const struct mmf_channel_sizes *sizes,
                           const mmf_channel_options *options, void *out);
int mmf_channel_create_or_open(const struct mmf_channel_kind *kind, const char *name,
                               const struct mmf_channel_sizes *sizes,
                               const mmf_channel_options *options, int *created,
                               void *out);
int mmf_channel_open_existing(const struct mmf_channel_kind *kind, const char *name,
                              const mmf_channel_options *options, void *out);

/* Leave, unless the handle is dead after a fork, and free the handle. */
void mmf_channel_close(struct mmf_channel *channel);

/*
 * Checks. The handle is not NULL.
 */

/* MMF_E_NOT_SUPPORTED: the handle does not have that role. */
int mmf_channel_fail_role(const struct mmf_channel *channel, mmf_role role);

/* The handle is alive and has the role, or one of them. */
static inline int
mmf_channel_check(const struct mmf_channel *channel, mmf_role role)
{
    if (mmf_os_channel_check_alive(channel->os) < 0)
        return MMF_E_DISPOSED;
    return channel->role & role ? MMF_OK : mmf_channel_fail_role(channel, role);
}

/* The fast path's: the caller's handle, which may be NULL, is alive and has the role, and
 * nothing is to be seen to first. */
static inline bool
mmf_channel_is_fast(const struct mmf_channel *channel, mmf_role role,
                    int32_t timeout_ms)
{
    return channel != NULL && (channel->fast & role) &&
           mmf_os_channel_is_alive(channel->os) && timeout_ms >= -1;
}

int mmf_channel_fail_timeout(int32_t timeout_ms);

static inline int
mmf_channel_check_timeout(int32_t timeout_ms)
{
    return timeout_ms >= -1 ? MMF_OK : mmf_channel_fail_timeout(timeout_ms);
}

/* MMF_E_RANGE, with both sizes. */
int mmf_channel_fail_length(const struct mmf_channel *channel, size_t length);

static inline int
mmf_channel_check_length(const struct mmf_channel *channel, size_t length)
{
    return length <= channel->ring->shape.message_size
               ? MMF_OK
               : mmf_channel_fail_length(channel, length);
}

/* What a copying receiver is given. */
int mmf_channel_check_buffer(const void *buffer, size_t capacity, const size_t *length);

/* MMF_E_RANGE: the message found is larger than the buffer. */
int mmf_channel_fail_small(const struct mmf_ring_message *found, size_t capacity);

/* MMF_E_CORRUPT. */
int mmf_channel_fail_corrupt(void);

/*
 * Receiving.
 */

static inline void
mmf_channel_show(const struct mmf_ring_message *found, mmf_message *message)
{
    message->bytes = found->bytes;
    message->length = (size_t)found->length;
    message->sequence = found->index;
    message->lost = found->lost;
    message->flags = found->deliveries > 1 ? MMF_MESSAGE_REDELIVERED : 0;
    message->deliveries = found->deliveries;
    memset(message->reserved, 0, sizeof(message->reserved));
}

/* A message that was copied to the caller's `buffer`; `message` may be NULL. */
static inline void
mmf_channel_show_copy(const struct mmf_ring_message *found, const void *buffer,
                      size_t *length, mmf_message *message)
{
    *length = (size_t)found->length;
    if (message == NULL)
        return;
    mmf_channel_show(found, message);
    message->bytes = buffer;
}

/*
 * Waiting (wait.c).
 */

/*
 * A wait is a loop of the caller's, as in shared/ring/wait.h:
 *
 *     wait = mmf_channel_wait_begin(channel, MMF_ROLE_RECEIVE, deadline);
 *     do
 *         step = mmf_ring_take(channel->ring, &message);
 *     while (step == MMF_STEP_WOULD_BLOCK && mmf_channel_wait_more(&wait));
 *     return mmf_channel_wait_end(&wait, step);
 */
struct mmf_channel_wait {
    struct mmf_channel *channel;
    mmf_role role;
    bool consumes; /* the poll descriptor's readiness */
    bool drains;   /* it waits for releases, not for space */
    struct mmf_ring_wait ring;
};

/*
 * Queue and topic: before the wait, if the call may wait at all. No message is there yet;
 * true: one has come after some tries.
 */
bool mmf_channel_spin(const struct mmf_channel *channel, bool may_wait);

struct mmf_channel_wait mmf_channel_wait_begin(struct mmf_channel *channel,
                                               mmf_role role, int64_t deadline);

/* The poll descriptor signals what is waited for: take its signals so far. */
void mmf_channel_wait_consume(struct mmf_channel_wait *wait);

bool mmf_channel_wait_more(struct mmf_channel_wait *wait);

/*
 * The status of the last attempt: MMF_OK; MMF_TIMED_OUT; MMF_E_FULL under FAIL;
 * MMF_E_PEER_CLOSED; MMF_E_CORRUPT.
 */
int mmf_channel_wait_end(struct mmf_channel_wait *wait, enum mmf_step step);

/*
 * Pin a message that was found. MMF_OVERWRITTEN: it is gone. MMF_E_TOO_MANY: living
 * readers have all pins.
 */
int mmf_channel_pin(struct mmf_channel *channel, uint64_t index);

/* Of a receiver, to look and sleep with; the deadline is to be set. */
struct mmf_ring_wait mmf_channel_wait_for(const struct mmf_channel *channel,
                                          mmf_role role);

/*
 * mmf_wait_any with channels among the objects (waitable.c): the lowest index of which the
 * object can be taken, or the channel has a message. That stays there.
 */
int mmf_channel_wait_any(struct mmf_waitable *const *objects, int count,
                         int32_t timeout_ms, int *index);

/* There is something to take, or the last peer is gone; asks after the dead. */
bool mmf_channel_is_available(struct mmf_channel *channel);

/* The handle is alive and can be waited for. */
int mmf_channel_check_waitable(const struct mmf_channel *channel);

/* Recover what dead participants had, whenever that was done last. */
void mmf_channel_recover(struct mmf_channel *channel, mmf_role role);

/* mmf_waitable_fd; the handle was checked. */
int mmf_channel_fd(struct mmf_channel *channel, int *fd);

/*
 * Counters (stat.c).
 */

/* The public calls for one kind; the handle was checked. */
int mmf_channel_stat_handle(struct mmf_channel *channel, mmf_channel_stats *stats);

/* The counters of a listed channel, which may be another user's. */
int mmf_channel_stat_listed(const mmf_object_info *info, mmf_channel_stats *stats);

/* Parse the name of a channel, which may be NULL. */
int mmf_channel_parse_name(const char *given, int32_t all_users, struct mmf_name *name);

#endif
