/*
 * open.c - options, shape and handle of queue, topic and latest value; joining and
 * leaving.
 */
#include "channel/channel.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/name.h"
#include "create_or_open.h"
#include "naming.h"
#include "options.h"
#include "shared/page/control.h"
#include "shared/ring/join.h"

enum { PARTICIPANTS_DEFAULT = 64, PINS_DEFAULT = 4 };

/*
 * Options.
 */

void
mmf_channel_options_init(mmf_channel_options *options)
{
    static const mmf_channel_options defaults = {.size = sizeof(mmf_channel_options)};

    if (options != NULL)
        *options = defaults;
}

static struct mmf_naming
naming_of(const mmf_channel_options *options)
{
    return (struct mmf_naming){.all_users = options->all_users, .mode = options->mode};
}

static int
check_choices(const struct mmf_channel_kind *kind, const mmf_channel_options *options)
{
    if (options->role > MMF_ROLE_BOTH)
        return mmf_fail_argument(MMF_E_INVALID, "role",
                                 "unknown role %u: MMF_ROLE_SEND, _RECEIVE or _BOTH",
                                 options->role);
    if (options->strategy != MMF_STRATEGY_SPIN_THEN_WAIT &&
        options->strategy != MMF_STRATEGY_SPIN &&
        options->strategy != MMF_STRATEGY_WAIT)
        return mmf_fail_argument(MMF_E_INVALID, "strategy",
                                 "unknown strategy %d: MMF_STRATEGY_... are 0 to 2",
                                 (int)options->strategy);
    if (options->flags & ~kind->flags_known)
        return mmf_fail_argument(MMF_E_INVALID, "flags",
                                 "unknown flags 0x%x: a %s has 0x%x",
                                 options->flags & ~kind->flags_known,
                                 mmf_kind_name(kind->kind), kind->flags_known);
    if (options->replay < 0)
        return mmf_fail_argument(MMF_E_RANGE, "replay", "invalid replay %d: at least 0",
                                 options->replay);
    return MMF_OK;
}

/* What every call reads; a role of 0 becomes both. */
static int
read_options(const struct mmf_channel_kind *kind, const mmf_channel_options *given,
             mmf_channel_options *options)
{
    struct mmf_naming naming;
    int rc = mmf_options_read(given, options, sizeof(*options));

    if (rc == MMF_OK)
        rc = check_choices(kind, options);
    if (rc < 0)
        return rc;
    if (options->role == 0)
        options->role = MMF_ROLE_BOTH;
    naming = naming_of(options);
    return mmf_naming_check(&naming);
}

static int
check_limit(int32_t limit, const char *field)
{
    if (limit >= 0 && limit <= (int32_t)MMF_PARTICIPANTS_MAX)
        return MMF_OK;
    return mmf_fail_argument(MMF_E_RANGE, field, "invalid %s %d: 1 to %u, or 0 for %d",
                             field, limit, MMF_PARTICIPANTS_MAX, PARTICIPANTS_DEFAULT);
}

/* What a creator's options have beside. */
static int
check_create_options(const mmf_channel_options *options)
{
    const struct mmf_naming naming = naming_of(options);
    int rc = check_limit(options->max_senders, "max_senders");

    if (rc == MMF_OK)
        rc = check_limit(options->max_receivers, "max_receivers");
    if (rc == MMF_OK &&
        (options->max_pins < 0 || options->max_pins > (int32_t)MMF_PARTICIPANTS_MAX))
        rc = mmf_fail_argument(MMF_E_RANGE, "max_pins", "invalid max_pins %d: 0 to %u",
                               options->max_pins, MMF_PARTICIPANTS_MAX);
    return rc < 0 ? rc : mmf_naming_check_new(&naming);
}

int
mmf_channel_parse_name(const char *given, int32_t all_users, struct mmf_name *name)
{
    const struct mmf_naming naming = {.all_users = all_users};

    if (given == NULL)
        return mmf_fail_argument(MMF_E_NULL, "name", "the name is NULL");
    return mmf_naming_parse(&naming, given, "name", name);
}

/*
 * The shape that a creator asks for.
 */

/* What the kinds call the numbers that they have in common. */

static const char *
size_field(mmf_kind kind)
{
    return kind == MMF_KIND_LATEST    ? "value_size"
           : kind == MMF_KIND_SERVICE ? "request_size"
                                      : "message_size";
}

static const char *
limit_field(mmf_kind kind, mmf_role role)
{
    if (kind == MMF_KIND_SERVICE)
        return role == MMF_ROLE_SEND ? "max_clients" : "max_servers";
    return role == MMF_ROLE_SEND ? "max_senders" : "max_receivers";
}

static int
check_sizes(const struct mmf_channel_kind *kind, const struct mmf_channel_sizes *sizes)
{
    const char *size_name = size_field(kind->kind);

    if (sizes->message_size < 1 || sizes->message_size > MMF_RING_MESSAGE_MAX)
        return mmf_fail_argument(
            MMF_E_RANGE, size_name, "invalid %s of %zu bytes: 1 to %llu", size_name,
            sizes->message_size, (unsigned long long)MMF_RING_MESSAGE_MAX);
    if (sizes->capacity < 1 || sizes->capacity > MMF_RING_SLOTS_MAX)
        return mmf_fail_argument(
            MMF_E_RANGE, "capacity", "invalid capacity of %zu messages: 1 to %llu",
            sizes->capacity, (unsigned long long)MMF_RING_SLOTS_MAX);
    if (sizes->overflow != MMF_OVERFLOW_BLOCK && sizes->overflow != MMF_OVERFLOW_FAIL &&
        sizes->overflow != MMF_OVERFLOW_DROP_OLDEST)
        return mmf_fail_argument(
            MMF_E_INVALID, "overflow",
            "invalid overflow %d: choose MMF_OVERFLOW_BLOCK, _FAIL "
            "or _DROP_OLDEST",
            (int)sizes->overflow);
    return MMF_OK;
}

static uint64_t
round_up(size_t capacity)
{
    uint64_t slots = 1;

    MMF_ASSERT(capacity >= 1 && capacity <= MMF_RING_SLOTS_MAX);
    while (slots < capacity)
        slots *= 2;
    return slots;
}

static uint32_t
limit_of(bool is_one, int32_t asked)
{
    MMF_ASSERT(asked >= 0);
    if (is_one)
        return 1;
    return asked != 0 ? (uint32_t)asked : PARTICIPANTS_DEFAULT;
}

/*
 * The requests are a queue. Only a service's creator comes here, and its sizes are all set,
 * which the analyzer does not see.
 */
static void
add_answers(const struct mmf_channel_sizes *sizes, struct mmf_ring_shape *shape)
{
    const struct mmf_service_sizes *service = (const void *)sizes;

    shape->kind = MMF_KIND_QUEUE;
    /* NOLINTBEGIN(clang-analyzer-core.uninitialized.Assign) */
    shape->calls = service->calls;
    shape->answers = service->answers;
    shape->answer_size = service->answer_size;
    /* NOLINTEND(clang-analyzer-core.uninitialized.Assign) */
}

/* What readers may pin at one time, and slots for that. */
static int
choose_pins(const mmf_channel_options *options, struct mmf_ring_shape *shape)
{
    const char *why = NULL;

    if (shape->kind == MMF_KIND_QUEUE)
        why = "a queue's messages are not overwritten while they are in flight";
    else if (shape->overflow != MMF_OVERFLOW_DROP_OLDEST)
        why =
            "a topic without MMF_OVERFLOW_DROP_OLDEST overwrites nothing that is read";
    if (why != NULL && options->max_pins != 0)
        return mmf_fail_argument(MMF_E_INVALID, "max_pins",
                                 "max_pins is %d: %s, leave it 0", options->max_pins,
                                 why);
    shape->max_pins = (uint32_t)options->max_pins;
    if (shape->kind == MMF_KIND_LATEST && shape->max_pins == 0)
        shape->max_pins = PINS_DEFAULT;
    if (shape->max_pins != 0 && shape->slots < shape->max_pins + 2)
        shape->slots = round_up(shape->max_pins + 2);
    return MMF_OK;
}

static int
make_shape(const struct mmf_channel_kind *kind, const struct mmf_channel_sizes *sizes,
           const mmf_channel_options *options, struct mmf_ring_shape *shape)
{
    int rc = check_sizes(kind, sizes);

    if (rc < 0)
        return rc;
    memset(shape, 0, sizeof(*shape));
    shape->kind = kind->kind;
    if (kind->kind == MMF_KIND_SERVICE)
        add_answers(sizes, shape);
    shape->is_spsc =
        kind->kind == MMF_KIND_QUEUE && (options->flags & MMF_CHANNEL_SPSC) != 0;
    shape->overflow = sizes->overflow;
    if (shape->is_spsc && shape->overflow == MMF_OVERFLOW_DROP_OLDEST)
        return mmf_fail_argument(MMF_E_INVALID, "overflow",
                                 "a queue with MMF_CHANNEL_SPSC cannot drop messages: "
                                 "use MMF_OVERFLOW_BLOCK or _FAIL, or leave the flag "
                                 "out");
    shape->is_single_producer = (options->flags & MMF_CHANNEL_SINGLE_PRODUCER) != 0;
    /* With one slot a publisher at work would leave nothing to read. */
    shape->slots = round_up(
        kind->kind == MMF_KIND_TOPIC && sizes->capacity == 1 ? 2 : sizes->capacity);
    shape->message_size = sizes->message_size;
    shape->stride = mmf_ring_is_service(shape) ? mmf_service_stride(shape->message_size)
                                               : mmf_ring_stride(shape->message_size);
    shape->max_senders =
        limit_of(shape->is_spsc || shape->is_single_producer, options->max_senders);
    shape->max_receivers = limit_of(shape->is_spsc, options->max_receivers);
    rc = choose_pins(options, shape);
    if (rc < 0)
        return rc;
    if (mmf_ring_capacity(shape) > (uint64_t)MMF_CAPACITY_MAX)
        return mmf_fail_argument(MMF_E_RANGE, "capacity",
                                 "%llu messages of %zu bytes are more than any system "
                                 "holds",
                                 (unsigned long long)shape->slots, sizes->message_size);
    return MMF_OK;
}

/*
 * Does the channel that exists have the shape that was asked for?
 */

static int
fail_mismatch(const struct mmf_channel_kind *kind, const char *name, const char *field,
              uint64_t found, uint64_t asked)
{
    const char *text = mmf_kind_name(kind->kind);

    MMF_ASSERT(found != asked);
    return mmf_fail_argument(MMF_E_MISMATCH, field,
                             "%s \"%.200s\" exists with %s %llu; %llu was asked for "
                             "(mmf_%s_open_existing takes it as it is)",
                             text, name, field, (unsigned long long)found,
                             (unsigned long long)asked, text);
}

static int
fail_other_overflow(const struct mmf_channel_kind *kind, const char *name,
                    mmf_overflow found, mmf_overflow asked)
{
    static const char *const names[] = {"?", "MMF_OVERFLOW_BLOCK", "MMF_OVERFLOW_FAIL",
                                        "MMF_OVERFLOW_DROP_OLDEST"};
    const char *text = mmf_kind_name(kind->kind);

    MMF_ASSERT(found <= MMF_OVERFLOW_DROP_OLDEST && asked <= MMF_OVERFLOW_DROP_OLDEST);
    return mmf_fail_argument(MMF_E_MISMATCH, "overflow",
                             "%s \"%.200s\" exists with overflow %s; %s was asked for "
                             "(mmf_%s_open_existing takes it as it is)",
                             text, name, names[found], names[asked], text);
}

static int
check_shape(const struct mmf_channel_kind *kind, const char *name,
            const struct mmf_ring_shape *found, const struct mmf_ring_shape *asked)
{
    const struct {
        const char *field;
        uint64_t found;
        uint64_t asked;
    } numbers[] = {
        {size_field(kind->kind), found->message_size, asked->message_size},
        {"capacity", found->slots, asked->slots},
        {"flags", mmf_ring_shape_flags(found), mmf_ring_shape_flags(asked)},
        {limit_field(kind->kind, MMF_ROLE_SEND), found->max_senders,
         asked->max_senders},
        {limit_field(kind->kind, MMF_ROLE_RECEIVE), found->max_receivers,
         asked->max_receivers},
        {"answer_size", found->answer_size, asked->answer_size},
        {"max_calls", found->calls, asked->calls},
        {"max_answers", found->answers, asked->answers},
        {"max_pins", found->max_pins, asked->max_pins},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].found != numbers[i].asked)
            return fail_mismatch(kind, name, numbers[i].field, numbers[i].found,
                                 numbers[i].asked);
    }
    if (found->overflow != asked->overflow)
        return fail_other_overflow(kind, name, found->overflow, asked->overflow);
    return MMF_OK;
}

/*
 * What is asked of the os, and what it gave.
 */

struct channel_request {
    struct mmf_os_channel_request os;
    struct mmf_ring_shape shape;
    struct mmf_os_channel *channel;
};

static int
create_object(void *payload)
{
    struct channel_request *request = payload;
    int rc = mmf_os_random(request->shape.identity, sizeof(request->shape.identity));

    MMF_ASSERT(request->channel == NULL && request->os.shape == &request->shape);
    return rc < 0 ? rc : mmf_os_channel_create(&request->os, &request->channel);
}

static int
open_object(void *payload)
{
    struct channel_request *request = payload;

    MMF_ASSERT(request->channel == NULL);
    return mmf_os_channel_open(&request->os, &request->channel);
}

/* A topic or a latest value is written by its senders alone. */
static bool
only_reads_slots(const struct mmf_channel_kind *kind,
                 const mmf_channel_options *options)
{
    return (kind->kind == MMF_KIND_TOPIC || kind->kind == MMF_KIND_LATEST) &&
           options->role == MMF_ROLE_RECEIVE;
}

static void
start_request(const struct mmf_channel_kind *kind, const mmf_channel_options *options,
              const struct mmf_name *name, struct channel_request *request)
{
    const struct mmf_naming naming = naming_of(options);

    request->os.name = name;
    request->os.kind = kind->kind;
    request->os.shape = &request->shape;
    request->os.mode = mmf_naming_mode(&naming);
    request->os.only_reads_slots = only_reads_slots(kind, options);
    request->channel = NULL;
}

/* `created` NULL: the channel must be new. */
static int
find_object(const struct mmf_channel_kind *kind, const char *name, int *created,
            struct channel_request *request)
{
    const struct mmf_opener opener = {.create = create_object,
                                      .open = open_object,
                                      .request = request,
                                      .name = request->os.name->text};
    int rc;

    MMF_ASSERT(request->os.name != NULL);
    if (created == NULL)
        return create_object(request);
    rc = mmf_create_or_open(&opener, created);
    if (rc < 0 || *created)
        return rc;
    rc = check_shape(kind, name, &request->channel->ring->shape, &request->shape);
    if (rc < 0)
        mmf_os_channel_close(request->channel);
    return rc;
}

/*
 * Joining.
 */

static int
fail_join(const struct mmf_channel *channel, const char *name, mmf_role role)
{
    const struct mmf_ring_shape *shape = &channel->ring->shape;
    mmf_kind kind = mmf_ring_object_kind(shape);
    const char *limit = limit_field(kind, role);
    const char *what = limit + strlen("max_");

    if (shape->is_spsc || (shape->is_single_producer && role == MMF_ROLE_SEND))
        return mmf_fail(MMF_E_SHARING, "\"%.200s\" has its one %s already (%s)", name,
                        role == MMF_ROLE_SEND ? "sender" : "receiver",
                        shape->is_spsc ? "MMF_CHANNEL_SPSC"
                                       : "MMF_CHANNEL_SINGLE_PRODUCER");
    return mmf_fail(MMF_E_TOO_MANY,
                    "\"%.200s\" has %u %s, as many as its creator allowed (%s)", name,
                    role == MMF_ROLE_SEND ? shape->max_senders : shape->max_receivers,
                    what, limit);
}

static int
join(struct mmf_channel *channel, const char *name, int32_t replay)
{
    struct mmf_ring *ring = channel->ring;

    MMF_ASSERT((channel->role & MMF_ROLE_BOTH) != 0);
    if ((channel->role & MMF_ROLE_SEND) &&
        mmf_ring_join_sender(ring, channel->ops) != MMF_STEP_DONE)
        return fail_join(channel, name, MMF_ROLE_SEND);
    if (!(channel->role & MMF_ROLE_RECEIVE))
        return MMF_OK;
    if (mmf_ring_join_receiver(ring, channel->os->may_write_slots, channel->ops) !=
        MMF_STEP_DONE)
        return fail_join(channel, name, MMF_ROLE_RECEIVE);
    if (ring->shape.kind == MMF_KIND_TOPIC) {
        mmf_ring_subscribe(ring, (uint64_t)replay);
        /* Joining may have recovered a dead subscriber's entry: the senders that it
         * blocked need not wait for their next check. */
        mmf_channel_recover(channel, MMF_ROLE_SEND);
        mmf_ring_notify_senders(ring, MMF_RING_ALL, channel->ops);
    }
    return MMF_OK;
}

static void
fill_handle(struct mmf_os_channel *os, const mmf_channel_options *options,
            struct mmf_channel *channel)
{
    MMF_ASSERT(os != NULL && options->role != 0);
    channel->os = os;
    channel->ring = os->ring;
    channel->ops = os->ops;
    channel->role = channel->fast = options->role;
    channel->strategy = options->strategy;
    channel->wants_peer = (options->flags & MMF_CHANNEL_PEER_CLOSED) != 0;
}

/*
 * Handles.
 */

/* The handle is there before the object is: nothing but joining may fail after it. */
static int
make_handle(const struct mmf_channel_kind *kind, const void *out,
            struct mmf_channel **channel)
{
    MMF_ASSERT(kind->handle_size >= sizeof(**channel));
    if (out == NULL)
        return mmf_fail_null("out");
    *channel = calloc(1, kind->handle_size);
    if (*channel == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a %s handle",
                        mmf_kind_name(kind->kind));
    (*channel)->kind = kind;
    (*channel)->waitable =
        (struct mmf_waitable){.channel = *channel, .kind = kind->kind};
    return MMF_OK;
}

/* The object was found, or `rc` says why not. */
static int
finish_handle(int rc, const struct channel_request *request, const char *name,
              const mmf_channel_options *options, struct mmf_channel *channel,
              void *out)
{
    if (rc < 0) {
        free(channel);
        return rc;
    }
    fill_handle(request->channel, options, channel);
    rc = join(channel, name, options->replay);
    if (rc < 0)
        mmf_channel_close(channel);
    else
        memcpy(out, &channel, sizeof(void *));
    return rc;
}

/* Checked options of a creator, and the shape that they ask for. */
static int
read_create(const struct mmf_channel_kind *kind, const struct mmf_channel_sizes *sizes,
            const mmf_channel_options *given, mmf_channel_options *options,
            struct mmf_ring_shape *shape)
{
    int rc = read_options(kind, given, options);

    if (rc == MMF_OK)
        rc = check_create_options(options);
    return rc < 0 ? rc : make_shape(kind, sizes, options, shape);
}

static const struct mmf_channel_kind *
find_kind(mmf_kind kind)
{
    switch (kind) {
    case MMF_KIND_QUEUE:
        return &mmf_queues;
    case MMF_KIND_TOPIC:
        return &mmf_topics;
    case MMF_KIND_LATEST:
        return &mmf_latest_values;
    default:
        return NULL;
    }
}

int
mmf_channel_size(mmf_kind kind, size_t message_size, size_t capacity,
                 const mmf_channel_options *given, int64_t *bytes)
{
    const struct mmf_channel_sizes sizes = {
        .message_size = message_size,
        .capacity = kind == MMF_KIND_LATEST && capacity == 0 ? 1 : capacity,
        /* Which one makes no difference, but that it allows what the kind can have. */
        .overflow =
            kind == MMF_KIND_QUEUE ? MMF_OVERFLOW_BLOCK : MMF_OVERFLOW_DROP_OLDEST,
    };
    const struct mmf_channel_kind *found = find_kind(kind);
    mmf_channel_options options;
    struct mmf_ring_shape shape;
    int rc;

    if (found == NULL)
        return mmf_fail_argument(
            MMF_E_INVALID, "kind",
            "unknown kind of channel %d: MMF_KIND_QUEUE, _TOPIC or "
            "_LATEST",
            (int)kind);
    if (bytes == NULL)
        return mmf_fail_null("bytes");
    rc = read_create(found, &sizes, given, &options, &shape);
    if (rc == MMF_OK)
        *bytes = mmf_os_channel_size(&shape);
    return rc;
}

/* `created` NULL: the channel must be new. */
static int
create(const struct mmf_channel_kind *kind, const char *name,
       const struct mmf_channel_sizes *sizes, const mmf_channel_options *given,
       int *created, void *out)
{
    struct channel_request request;
    mmf_channel_options options;
    struct mmf_channel *channel;
    struct mmf_name parsed;
    int rc = make_handle(kind, out, &channel);

    if (rc < 0)
        return rc;
    rc = read_create(kind, sizes, given, &options, &request.shape);
    if (rc == MMF_OK)
        rc = mmf_channel_parse_name(name, options.all_users, &parsed);
    if (rc == MMF_OK) {
        start_request(kind, &options, &parsed, &request);
        rc = find_object(kind, name, created, &request);
    }
    return finish_handle(rc, &request, name, &options, channel, out);
}

int
mmf_channel_create_new(const struct mmf_channel_kind *kind, const char *name,
                       const struct mmf_channel_sizes *sizes,
                       const mmf_channel_options *options, void *out)
{
    mmf_os_cancellation_point();
    return create(kind, name, sizes, options, NULL, out);
}

int
mmf_channel_create_or_open(const struct mmf_channel_kind *kind, const char *name,
                           const struct mmf_channel_sizes *sizes,
                           const mmf_channel_options *options, int *created, void *out)
{
    int is_new = 0;
    int rc;

    mmf_os_cancellation_point();
    rc = create(kind, name, sizes, options, &is_new, out);
    if (rc == MMF_OK && created != NULL)
        *created = is_new;
    return rc;
}

int
mmf_channel_open_existing(const struct mmf_channel_kind *kind, const char *name,
                          const mmf_channel_options *given, void *out)
{
    struct channel_request request;
    const struct mmf_opener opener = {
        .open = open_object, .request = &request, .name = name};
    mmf_channel_options options;
    struct mmf_channel *channel;
    struct mmf_name parsed;
    int rc;

    mmf_os_cancellation_point();
    rc = make_handle(kind, out, &channel);
    if (rc < 0)
        return rc;
    rc = read_options(kind, given, &options);
    if (rc == MMF_OK)
        rc = mmf_check_wait(options.wait_ms);
    if (rc == MMF_OK)
        rc = mmf_channel_parse_name(name, options.all_users, &parsed);
    if (rc == MMF_OK) {
        start_request(kind, &options, &parsed, &request);
        rc = mmf_open_existing(&opener, options.wait_ms);
    }
    if (rc == MMF_E_NOT_FOUND)
        rc = mmf_fail_argument(MMF_E_NOT_FOUND, "", "no such %s: \"%.200s\"",
                               mmf_kind_name(kind->kind), name);
    return finish_handle(rc, &request, name, &options, channel, out);
}

void
mmf_channel_close(struct mmf_channel *channel)
{
    const struct mmf_os_channel *os = channel->os;

    if (mmf_os_channel_is_alive(os))
        mmf_ring_leave(channel->ring, os->may_write_slots, channel->ops);
    mmf_os_channel_close(channel->os);
    free(channel);
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
mmf_channel_fail_timeout(int32_t timeout_ms)
{
    return mmf_fail_argument(MMF_E_RANGE, "timeout_ms",
                             "invalid timeout %d ms: 0 polls, -1 waits forever",
                             timeout_ms);
}

int
mmf_channel_fail_length(const struct mmf_channel *channel, size_t length)
{
    return mmf_fail_argument(MMF_E_RANGE, "length",
                             "invalid length of %zu bytes: the channel's messages have "
                             "at most %llu",
                             length,
                             (unsigned long long)channel->ring->shape.message_size);
}

int
mmf_channel_check_buffer(const void *buffer, size_t capacity, const size_t *length)
{
    if (buffer == NULL && capacity > 0)
        return mmf_fail_null("buffer");
    if (length == NULL)
        return mmf_fail_null("length");
    return MMF_OK;
}

int
mmf_channel_fail_small(const struct mmf_ring_message *found, size_t capacity)
{
    return mmf_fail_argument(MMF_E_RANGE, "capacity",
                             "the next message has %llu bytes, the buffer %zu",
                             (unsigned long long)found->length, capacity);
}
