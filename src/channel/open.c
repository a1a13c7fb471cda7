/*
 * open.c - options, joining, waiting and counters of queue, topic and latest value.
 */
#include "channel/channel.h"

#include <string.h>

#include "base/fail.h"
#include "base/name.h"
#include "options.h"
#include "shared/page/control.h"
#include "shared/ring/join.h"
#include "shared/ring/stat.h"

enum { PARTICIPANTS_DEFAULT = 64 };

/* A kill shows as a closed descriptor a moment before the kernel drops its locks. */
#define DEATH_SETTLES_NS ((int64_t)5000000)
#define SETTLE_PAUSE_NS ((int64_t)500000)

/*
 * Options.
 */

void
mmf_channel_options_init(mmf_channel_options *options)
{
    static const mmf_channel_options defaults = {.size = sizeof(mmf_channel_options),
                                                 .role = MMF_ROLE_BOTH,
                                                 .participants = PARTICIPANTS_DEFAULT};

    if (options != NULL)
        *options = defaults;
}

static int
check_numbers(const mmf_channel_options *options)
{
    if (options->participants < 1 ||
        options->participants > (int32_t)MMF_PARTICIPANTS_MAX)
        return mmf_fail_argument(MMF_E_RANGE, "participants",
                                 "%d participants: 1 to %u are possible",
                                 options->participants, MMF_PARTICIPANTS_MAX);
    if (options->replay < 0)
        return mmf_fail_argument(MMF_E_RANGE, "replay", "replay %d is negative",
                                 options->replay);
    if (options->mode > 0777u)
        return mmf_fail_argument(MMF_E_RANGE, "mode", "mode 0%o is none",
                                 options->mode);
    return MMF_OK;
}

int
mmf_channel_read_options(const mmf_channel_options *given, uint32_t flags_known,
                         mmf_channel_options *options)
{
    int rc;

    mmf_channel_options_init(options);
    rc = mmf_options_read(given, options, sizeof(*options));
    if (rc < 0)
        return rc;
    if (options->role < MMF_ROLE_SEND || options->role > MMF_ROLE_BOTH)
        return mmf_fail_argument(MMF_E_INVALID, "role", "role %u is none",
                                 options->role);
    if (options->strategy < MMF_STRATEGY_SPIN_THEN_WAIT ||
        options->strategy > MMF_STRATEGY_WAIT)
        return mmf_fail_argument(MMF_E_INVALID, "strategy", "strategy %d is none",
                                 options->strategy);
    if (options->flags & ~flags_known)
        return mmf_fail_argument(MMF_E_INVALID, "flags", "flags 0x%x are none here",
                                 options->flags & ~flags_known);
    if (options->reserved != 0)
        return mmf_fail_argument(MMF_E_INVALID, "options", "`reserved` is not 0");
    return check_numbers(options);
}

/*
 * What a creator asks for.
 */

static int
check_sizes(const struct mmf_channel_request *request)
{
    if (request->message_size < 1 ||
        request->message_size > (int64_t)MMF_RING_MESSAGE_MAX)
        return mmf_fail_argument(MMF_E_RANGE, "message_size",
                                 "messages of %lld bytes: 1 to %lld are possible",
                                 (long long)request->message_size,
                                 (long long)MMF_RING_MESSAGE_MAX);
    if (request->capacity < 1 ||
        request->capacity > (int64_t)MMF_RING_SLOTS_MAX)
        return mmf_fail_argument(
            MMF_E_RANGE, "capacity", "%lld messages: 1 to %lld are possible",
            (long long)request->capacity, (long long)MMF_RING_SLOTS_MAX);
    return MMF_OK;
}

static enum mmf_ring_kind
ring_kind(const struct mmf_channel_request *request, const mmf_channel_options *options)
{
    if (request->kind == MMF_KIND_TOPIC)
        return MMF_KIND_TOPIC;
    if (request->kind == MMF_KIND_LATEST)
        return MMF_KIND_LATEST;
    return options->flags & MMF_CHANNEL_SPSC ? MMF_RING_SPSC : MMF_KIND_QUEUE;
}

static int
make_shape(const struct mmf_channel_request *request,
           const mmf_channel_options *options, struct mmf_ring_shape *shape)
{
    uint64_t slots = 1;
    int rc = check_sizes(request);

    if (rc < 0)
        return rc;
    if (request->overflow < MMF_OVERFLOW_BLOCK ||
        request->overflow > MMF_OVERFLOW_DROP_OLDEST)
        return mmf_fail_argument(MMF_E_INVALID, "overflow",
                                 "overflow %d is none: there is no default",
                                 request->overflow);
    while (slots < (uint64_t)request->capacity)
        slots *= 2;
    shape->kind = ring_kind(request, options);
    shape->overflow = (mmf_overflow)request->overflow;
    if (shape->is_spsc && shape->overflow == MMF_OVERFLOW_DROP_OLDEST)
        return mmf_fail_argument(MMF_E_INVALID, "overflow",
                                 "DROP_OLDEST needs a queue for many: the producer of "
                                 "MMF_CHANNEL_SPSC takes no messages");
    shape->slots = slots;
    shape->message_size = (uint64_t)request->message_size;
    shape->stride = mmf_ring_stride(shape->message_size);
    shape->participants = (uint32_t)options->participants;
    if (mmf_ring_capacity(shape) > (uint64_t)MMF_CAPACITY_MAX)
        return mmf_fail_argument(
            MMF_E_RANGE, "capacity", "%llu messages of %lld bytes are too many",
            (unsigned long long)slots, (long long)request->message_size);
    return MMF_OK;
}

/*
 * Joining and leaving.
 */

static int
fail_join(const struct mmf_channel *channel, const char *name, const char *what)
{
    if (channel->ring->shape.is_spsc)
        return mmf_fail(MMF_E_SHARING,
                        "\"%.200s\" is for a single %s, and that one lives", name,
                        what);
    return mmf_fail(MMF_E_FULL,
                    "\"%.200s\" has %u living %ss: its creator allowed no "
                    "more (participants)",
                    name, channel->ring->shape.participants, what);
}

static int
join(struct mmf_channel *channel, const char *name, int32_t replay)
{
    struct mmf_ring *ring = channel->ring;

    if ((channel->role & MMF_ROLE_SEND) &&
        mmf_ring_join_sender(ring, channel->ops) != MMF_STEP_DONE)
        return fail_join(channel, name, "sender");
    if (!(channel->role & MMF_ROLE_RECEIVE))
        return MMF_OK;
    if (mmf_ring_join_receiver(ring, channel->os->may_write_slots, channel->ops) !=
        MMF_STEP_DONE)
        return fail_join(channel, name, "receiver");
    if (ring->shape.kind == MMF_KIND_TOPIC) {
        mmf_ring_subscribe(ring, (uint64_t)replay);
        /* Taking a place may have cleared up after a dead subscriber: those whom it
         * held up should not have to wait for their next look. */
        mmf_channel_recover_dead(channel, MMF_ROLE_SEND);
        mmf_ring_notify_senders(ring, MMF_RING_ALL, channel->ops);
    }
    return MMF_OK;
}

static int
take_part(struct mmf_os_channel *os, const char *name,
          const mmf_channel_options *options, struct mmf_channel *channel)
{
    int rc;

    memset(channel, 0, sizeof(*channel));
    channel->os = os;
    channel->ring = os->ring;
    channel->ops = os->ops;
    channel->role = options->role;
    channel->strategy = (mmf_strategy)options->strategy;
    channel->wants_peer = (options->flags & MMF_CHANNEL_PEER_CLOSED) != 0;
    rc = join(channel, name, options->replay);
    if (rc < 0)
        mmf_channel_close(channel);
    return rc;
}

static int
parse_name(const char *given, struct mmf_name *name)
{
    if (given == NULL)
        return mmf_fail_argument(MMF_E_NULL, "name", "the name is NULL");
    return mmf_os_name_parse(given, "name", name);
}

static int
reads_slots_only(const struct mmf_channel_request *request,
                 const mmf_channel_options *options)
{
    return request->kind != MMF_KIND_QUEUE && options->role == MMF_ROLE_RECEIVE;
}

int
mmf_channel_create(const struct mmf_channel_request *request,
                   const mmf_channel_options *given, struct mmf_channel *channel,
                   int *created)
{
    mmf_channel_options options;
    struct mmf_os_channel_request want = {.kind = request->kind};
    struct mmf_os_channel *os;
    struct mmf_ring_shape shape;
    struct mmf_name name;
    int rc = mmf_channel_read_options(given, request->flags_known, &options);

    if (rc == MMF_OK)
        rc = make_shape(request, &options, &shape);
    if (rc == MMF_OK)
        rc = parse_name(request->name, &name);
    if (rc < 0)
        return rc;
    want.name = &name;
    want.shape = &shape;
    want.mode = options.mode;
    want.only_reads_slots = reads_slots_only(request, &options);
    rc = mmf_os_channel_create(&want, &os, created);
    return rc < 0 ? rc : take_part(os, request->name, &options, channel);
}

int
mmf_channel_open(const struct mmf_channel_request *request,
                 const mmf_channel_options *given, struct mmf_channel *channel)
{
    mmf_channel_options options;
    struct mmf_os_channel_request want = {.kind = request->kind};
    struct mmf_os_channel *os;
    struct mmf_name name;
    int rc = mmf_channel_read_options(given, request->flags_known, &options);

    if (rc == MMF_OK)
        rc = parse_name(request->name, &name);
    if (rc < 0)
        return rc;
    want.name = &name;
    want.only_reads_slots = reads_slots_only(request, &options);
    rc = mmf_os_channel_open(&want, &os);
    return rc < 0 ? rc : take_part(os, request->name, &options, channel);
}

void
mmf_channel_close(struct mmf_channel *channel)
{
    const struct mmf_os_channel *os = channel->os;

    if (mmf_os_channel_is_alive(os))
        mmf_ring_leave(channel->ring, os->may_write_slots, channel->ops);
    mmf_os_channel_close(channel->os);
}

/*
 * Checks.
 */

int
mmf_channel_fail_role(const struct mmf_channel *channel, mmf_role role)
{
    return mmf_fail(MMF_E_NOT_SUPPORTED,
                    "the handle was opened to %s, not to %s (mmf_channel_options.role)",
                    channel->role == MMF_ROLE_SEND ? "send" : "receive",
                    role == MMF_ROLE_SEND ? "send" : "receive");
}

int
mmf_channel_check_timeout(int32_t timeout_ms)
{
    if (timeout_ms >= -1)
        return MMF_OK;
    return mmf_fail_argument(MMF_E_RANGE, "timeout_ms", "a timeout of %d ms",
                             timeout_ms);
}

int
mmf_channel_check_length(const struct mmf_channel *channel, int64_t length)
{
    if (length >= 0 && (uint64_t)length <= channel->ring->shape.message_size)
        return MMF_OK;
    return mmf_fail_argument(MMF_E_RANGE, "length",
                             "a message of %lld bytes; the channel's creator allowed "
                             "%llu",
                             (long long)length,
                             (unsigned long long)channel->ring->shape.message_size);
}

int
mmf_channel_check_buffer(const void *buffer, int64_t capacity, const int64_t *length)
{
    if (capacity < 0)
        return mmf_fail_argument(MMF_E_RANGE, "capacity", "a capacity of %lld bytes",
                                 (long long)capacity);
    if (buffer == NULL && capacity > 0)
        return mmf_fail_argument(MMF_E_NULL, "buffer", "the buffer is NULL");
    if (length == NULL)
        return mmf_fail_argument(MMF_E_NULL, "length", "length is NULL");
    return MMF_OK;
}

int
mmf_channel_fail_small(const struct mmf_ring_message *found, int64_t capacity)
{
    return mmf_fail_argument(MMF_E_RANGE, "capacity",
                             "the next message has %llu bytes, the buffer %lld",
                             (unsigned long long)found->length, (long long)capacity);
}

/*
 * Waiting.
 */

int
mmf_channel_fail_corrupt(void)
{
    return mmf_fail(MMF_E_CORRUPT, "the channel's shared words make no sense: another "
                                   "program has written to them");
}

static int
status_of(const struct mmf_channel *channel, mmf_role role, enum mmf_step answer)
{
    switch (answer) {
    case MMF_STEP_DONE:
        return MMF_OK;
    case MMF_STEP_GONE:
        return mmf_fail(MMF_E_PEER_CLOSED, role == MMF_ROLE_SEND
                                             ? "the channel is full, and its last "
                                               "receiver is gone"
                                             : "there is no message, and the last "
                                               "sender is gone");
    case MMF_STEP_WOULD_BLOCK:
        if (role == MMF_ROLE_SEND && channel->ring->shape.overflow == MMF_OVERFLOW_FAIL)
            return mmf_fail(MMF_E_FULL, "all %llu slots of the channel are in use",
                            (unsigned long long)channel->ring->shape.slots);
        return MMF_TIMED_OUT;
    default:
        return mmf_channel_fail_corrupt();
    }
}

/* Somebody may have died just now: look until that must show. */
static enum mmf_step
settle(const struct mmf_ring_wait *wait)
{
    const struct mmf_ring_ops *ops = wait->ops;
    mmf_atomic_u32 *doorbell = &wait->ring->shared->message_doorbell;
    int64_t end = ops->now(ops->context) + DEATH_SETTLES_NS;
    enum mmf_step answer;
    int64_t now;

    for (;;) {
        mmf_ring_recover_dead(wait);
        answer = wait->attempt(wait->payload);
        now = ops->now(ops->context);
        if (answer != MMF_STEP_WOULD_BLOCK || now >= end)
            return answer;
        ops->sleep(ops->context, doorbell, mmf_load_relaxed_u32(doorbell),
                   now + SETTLE_PAUSE_NS);
    }
}

void
mmf_channel_recover_dead(struct mmf_channel *channel, mmf_role role)
{
    const struct mmf_ring_wait wait = {
        .ring = channel->ring,
        .ops = channel->ops,
        .sending = role == MMF_ROLE_SEND,
        .may_write_slots = channel->os->may_write_slots,
    };

    mmf_ring_recover_dead(&wait);
}

int
mmf_channel_wait(struct mmf_channel *channel, mmf_role role, int64_t deadline,
                 enum mmf_step (*attempt)(void *payload), void *payload)
{
    const struct mmf_ring_wait wait = {
        .ring = channel->ring,
        .ops = channel->ops,
        .attempt = attempt,
        .payload = payload,
        .deadline = deadline,
        .strategy = channel->strategy,
        .sending = role == MMF_ROLE_SEND,
        .wants_peer = channel->wants_peer,
        .may_write_slots = channel->os->may_write_slots,
    };
    enum mmf_step answer = MMF_STEP_WOULD_BLOCK;

    if (role == MMF_ROLE_RECEIVE && channel->has_fd &&
        mmf_os_channel_drain(channel->os) && deadline == MMF_RING_POLL)
        answer = settle(&wait);
    if (answer == MMF_STEP_WOULD_BLOCK)
        answer = mmf_ring_wait(&wait);
    if (answer == MMF_STEP_DONE && role == MMF_ROLE_RECEIVE && channel->has_fd)
        mmf_os_channel_renew(channel->os); /* there may be more */
    return status_of(channel, role, answer);
}

/*
 * Sending.
 */

struct reservation {
    struct mmf_ring *ring;
    uint64_t length;
    uint8_t *bytes;
};

static enum mmf_step
attempt_reserve(void *payload)
{
    struct reservation *wanted = payload;

    return mmf_ring_reserve(wanted->ring, wanted->length, &wanted->bytes);
}

int
mmf_channel_reserve(struct mmf_channel *channel, uint64_t length, int64_t deadline,
                    uint8_t **bytes)
{
    struct reservation wanted = {.ring = channel->ring, .length = length};
    int rc;

    if (channel->ring->shape.overflow == MMF_OVERFLOW_FAIL)
        deadline = MMF_RING_POLL;
    rc = mmf_channel_wait(channel, MMF_ROLE_SEND, deadline, attempt_reserve, &wanted);
    if (rc == MMF_OK)
        *bytes = wanted.bytes;
    return rc;
}

int
mmf_channel_reserve_checked(struct mmf_channel *channel, int64_t length,
                            int32_t timeout_ms, void **bytes)
{
    uint8_t *place;
    int rc;

    if (bytes == NULL)
        return mmf_fail_argument(MMF_E_NULL, "bytes", "bytes is NULL");
    rc = mmf_channel_check_length(channel, length);
    if (rc == MMF_OK)
        rc = mmf_channel_check_timeout(timeout_ms);
    if (rc < 0)
        return rc;
    if (channel->ring->has_reserved)
        return mmf_fail(MMF_E_STATE, "this handle has a reservation already: commit or "
                                     "abandon it");
    rc = mmf_ring_reserve(channel->ring, (uint64_t)length, &place) == MMF_STEP_DONE
             ? MMF_OK
             : mmf_channel_reserve(channel, (uint64_t)length,
                                   mmf_ring_deadline(channel->ops, timeout_ms), &place);
    if (rc == MMF_OK) {
        channel->room = (uint64_t)length;
        *bytes = place;
    }
    return rc;
}

int
mmf_channel_commit(struct mmf_channel *channel, int64_t length, int wake)
{
    if (!channel->ring->has_reserved)
        return mmf_fail(MMF_E_STATE, "nothing is reserved");
    if (length < 0 || (uint64_t)length > channel->room)
        return mmf_fail_argument(MMF_E_RANGE, "length",
                                 "commit %lld bytes; %llu were reserved",
                                 (long long)length, (unsigned long long)channel->room);
    mmf_ring_commit(channel->ring, (uint64_t)length);
    mmf_ring_notify_receivers(channel->ring, wake, channel->ops);
    return MMF_OK;
}

int
mmf_channel_abandon(struct mmf_channel *channel)
{
    if (!channel->ring->has_reserved)
        return mmf_fail(MMF_E_STATE, "nothing is reserved");
    mmf_ring_abandon(channel->ring);
    mmf_ring_notify_senders(channel->ring, 1, channel->ops);
    return MMF_OK;
}

/*
 * The rest.
 */

int
mmf_channel_fd(struct mmf_channel *channel, int *fd)
{
    int rc;

    if (fd == NULL)
        return mmf_fail_argument(MMF_E_NULL, "fd", "fd is NULL");
    rc = mmf_os_channel_poll_fd(channel->os, fd);
    if (rc == MMF_OK)
        channel->has_fd = 1;
    return rc;
}

static void
fill_stats(const struct mmf_ring *ring, const struct mmf_ring_ops *ops,
           mmf_channel_stats *stats)
{
    struct mmf_ring_totals totals;

    mmf_ring_sum_up(ring, ops, &totals);
    memset(stats, 0, sizeof(*stats));
    stats->message_size = (int64_t)ring->shape.message_size;
    stats->capacity = (int64_t)ring->shape.slots;
    stats->sent = totals.sent;
    stats->received = totals.received;
    stats->dropped = totals.dropped;
    stats->lost = totals.lost;
    stats->redelivered = totals.redelivered;
    stats->depth = (int64_t)totals.depth;
    stats->high_water = (int64_t)totals.high_water;
    stats->senders = (int32_t)totals.senders;
    stats->receivers = (int32_t)totals.receivers;
    stats->overflow = (mmf_overflow)ring->shape.overflow;
    stats->flags = ring->shape.is_spsc ? MMF_CHANNEL_SPSC : 0;
}

int
mmf_channel_stat_handle(struct mmf_channel *channel, mmf_channel_stats *stats)
{
    if (stats == NULL)
        return mmf_fail_argument(MMF_E_NULL, "stats", "stats is NULL");
    fill_stats(channel->ring, channel->ops, stats);
    return MMF_OK;
}

/* Which kind of channel it is, the name does not tell. */
static int
look_at_any(const struct mmf_name *name, struct mmf_os_channel **os)
{
    static const mmf_kind kinds[] = {MMF_KIND_QUEUE, MMF_KIND_TOPIC, MMF_KIND_LATEST};
    mmf_error before;
    int rc = MMF_E_WRONG_KIND;

    mmf_last_error(&before);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == MMF_E_WRONG_KIND;
         i++)
        rc = mmf_os_channel_look(name, kinds[i], os);
    if (rc == MMF_OK)
        mmf_fail_restore(&before);
    if (rc == MMF_E_WRONG_KIND)
        return mmf_fail(MMF_E_WRONG_KIND,
                        "\"%.200s\" is no queue, topic or latest value", name->text);
    return rc;
}

int
mmf_channel_stat(const char *name, mmf_channel_stats *stats)
{
    struct mmf_os_channel *os;
    struct mmf_name parsed;
    int rc = parse_name(name, &parsed);

    if (rc < 0)
        return rc;
    if (stats == NULL)
        return mmf_fail_argument(MMF_E_NULL, "stats", "stats is NULL");
    rc = look_at_any(&parsed, &os);
    if (rc < 0)
        return rc;
    fill_stats(os->ring, os->ops, stats);
    mmf_os_channel_close(os);
    return MMF_OK;
}
