/*
 * channels.c - the actor's calls on queues, topics, latest values and services.
 */
#include "harness/actor/actor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <process.h>
#include <windows.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

enum { MOST_TRIES = 100000 }; /* with a pause of some time each */
enum { MAX_MESSAGES = 256, MAX_BYTES = 1 << 17, MOST = 64, SHOWN = 64, BEYOND = 64 };

static const char *const overflows[] = {"", "block", "fail", "drop_oldest", NULL};
static const char *const roles[] = {"", "send", "receive", "both", NULL};
static const char *const parts[] = {"", "client", "server", "both", NULL};
static const char *const strategies[] = {"spin_then_wait", "spin", "wait", NULL};
static const char *const states[] = {"", "waiting", "in_flight", "reserved", NULL};
static const char *const mores[] = {"last", "more", NULL};

/* What a handle's name stands for. */
struct channel {
    int kind;
    void *object;
    void *reserved;
    size_t length; /* of what is reserved */
};

/* The value of a call on one of the four kinds of `c`. */
#define BY_KIND(c, queue, topic, latest, service)                                      \
    switch ((c)->kind) {                                                               \
    case MMF_KIND_QUEUE:                                                               \
        return queue;                                                                  \
    case MMF_KIND_TOPIC:                                                               \
        return topic;                                                                  \
    case MMF_KIND_LATEST:                                                              \
        return latest;                                                                 \
    default:                                                                           \
        return service;                                                                \
    }

static int
refuse(const struct call *call)
{
    complain("this kind has no such call", call->words[0]);
}

/*
 * Arguments.
 */

static void
poll_pause(void)
{
#ifdef _WIN32
    Sleep(1);
#else
    usleep(1000);
#endif
}

#define UNLESS_NULL(call, name, pointer) (is_null(call, name) ? NULL : (pointer))

static int32_t
ms_at(const struct call *call, int i)
{
    return (int32_t)number_at(call, i);
}

/* The words that are no options. */
static int
plain_words(const struct call *call)
{
    int count = call->count;

    while (count > 2 && strchr(call->words[count - 1], '=') != NULL)
        count--;
    return count;
}

/* `again=1`: the call is made until it has room, or a message. */
static bool
is_made_again(struct call *call, int status, int *tries)
{
    if (option_of(call, "again") == NULL ||
        (status != MMF_E_FULL && status != MMF_TIMED_OUT) || ++*tries > MOST_TRIES)
        return false;
    call->is_several = true;
    poll_pause();
    return true;
}

static struct channel *
channel_at(const struct call *call, int i)
{
    return handle_of(text_at(call, i)).object;
}

/* The channel of a call; its object is NULL with `null=queue`. */
static struct channel
own_channel(const struct call *call)
{
    struct channel channel = *channel_at(call, 1);

    if (is_null(call, mmf_kind_name((mmf_kind)channel.kind)))
        channel.object = NULL;
    return channel;
}

/*
 * What a word says is sent: its text, or with `length=N` so many bytes, in which the text
 * comes again and again.
 */
struct payload {
    const char *bytes;
    size_t length;
    char *space;
};

static struct payload
payload_at(const struct call *call, int i)
{
    const char *text = text_at(call, i), *length = option_of(call, "length");
    struct payload payload = {text, text != NULL ? strlen(text) : 0, NULL};

    if (length != NULL) {
        payload.length = (size_t)atoll(length);
        payload.bytes = payload.space = malloc(MAX_BYTES);
        for (size_t k = 0; payload.space != NULL && k < MAX_BYTES; k++)
            payload.space[k] =
                text != NULL && *text != '\0' ? text[k % strlen(text)] : 0;
    }
    payload.bytes = UNLESS_NULL(call, "bytes", payload.bytes);
    return payload;
}

/*
 * Messages by name: what was sent or taken, or is a call of a service.
 */
struct named_message {
    char name[32];
    bool is_sent;
    uint64_t order; /* of the naming */
    mmf_message message;
    void *reserved; /* for an answer to it */
    size_t length;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct named_message messages[MAX_MESSAGES];
static uint64_t named;

static struct named_message *
find_message(const char *name)
{
    struct named_message *at = messages;

    while (at->name[0] != '\0' && strcmp(at->name, name) != 0)
        if (++at == messages + MAX_MESSAGES)
            complain("too many names of messages", name);
    return at;
}

static void
name_message(const char *name, bool is_sent, const mmf_message *message)
{
    struct named_message *at;

    pthread_mutex_lock(&lock);
    at = find_message(name);
    *at = (struct named_message){
        .is_sent = is_sent, .order = ++named, .message = *message};
    snprintf(at->name, sizeof(at->name), "%s", name);
    pthread_mutex_unlock(&lock);
}

/* A name, or the number of a message that has no name; for the null pointer NULL. */
static struct named_message *
message_at(const struct call *call, int i)
{
    static _Thread_local struct named_message strange;
    const char *word = text_at(call, i);
    struct named_message *found;

    if (word == NULL)
        return NULL;
    if (strspn(word, "-0123456789") == strlen(word)) {
        strange.message = (mmf_message){.sequence = (uint64_t)strtoll(word, NULL, 10)};
        return &strange;
    }
    pthread_mutex_lock(&lock);
    found = find_message(word);
    pthread_mutex_unlock(&lock);
    if (found->name[0] == '\0')
        complain("no such message", word);
    return found;
}

static const mmf_message *
pointer_at(const struct call *call, int i)
{
    struct named_message *found = message_at(call, i);

    return found != NULL ? &found->message : NULL;
}

/* What was sent last with that number: "?" if it was not here. */
static const char *
sent_as(uint64_t sequence)
{
    const char *name = "?";
    uint64_t newest = 0;

    pthread_mutex_lock(&lock);
    for (struct named_message *at = messages; at->name[0] != '\0'; at++) {
        if (at->is_sent && at->message.sequence == sequence && at->order > newest) {
            newest = at->order;
            name = at->name;
        }
    }
    pthread_mutex_unlock(&lock);
    return name;
}

/*
 * Answers.
 */

static void
say_size(struct call *call, const char *key, size_t value)
{
    say_output(call, key, value == (size_t)UNTOUCHED ? UNTOUCHED : (long long)value);
}

/* A message of one byte again and again, which is longer than `most`, is `x*1000`. */
static void
print_bytes(char *text, size_t size, const void *bytes, size_t length, size_t most)
{
    const char *from = bytes;
    size_t same = 0;

    while (same < length && from[same] == from[0])
        same++;
    if (length > most && same == length)
        snprintf(text, size, "%c*%zu", from[0], length);
    else
        snprintf(text, size, "%.*s", (int)length, length > 0 ? from : "");
}

static void
say_bytes(struct call *call, const void *bytes, size_t length)
{
    char text[8192];

    print_bytes(text, sizeof(text), bytes, length, SHOWN);
    say_text(call, "bytes", text);
    print_bytes(text, sizeof(text), bytes, length, 0);
    say_text(call, "filled", text);
}

/* What a message holds before the call. */
static mmf_message
untouched_message(void)
{
    mmf_message message;

    memset(&message, 0x5a, sizeof(message));
    return message;
}

static int
say_message(struct call *call, int status, const mmf_message *message)
{
    const mmf_message untouched = untouched_message();

    if (status != MMF_OK) {
        say_text(call, "message",
                 memcmp(message, &untouched, sizeof(untouched)) == 0 ? "untouched"
                                                                     : "changed");
        return status;
    }
    say_bytes(call, message->bytes, message->length);
    say_number(call, "length", (long long)message->length);
    say_number(call, "sequence", (long long)message->sequence);
    say_number(call, "lost", (long long)message->lost);
    say_number(call, "deliveries", message->deliveries);
    say_number(call, "redelivered", (message->flags & MMF_MESSAGE_REDELIVERED) != 0);
    say_number(call, "last", (message->flags & MMF_MESSAGE_LAST) != 0);
    say_text(call, "sent_as", sent_as(message->sequence));
    if (call->handle != NULL)
        name_message(call->handle, false, message);
    return status;
}

/* The number that a message has got. */
static int
say_sent(struct call *call, int status, uint64_t sequence)
{
    const mmf_message message = {.sequence = sequence};

    say_output(call, "sequence",
               sequence == (uint64_t)UNTOUCHED ? UNTOUCHED : (long long)sequence);
    if (status == MMF_OK && call->handle != NULL)
        name_message(call->handle, true, &message);
    return status;
}

static void
check_address(const struct call *call, const void *bytes)
{
    if ((uintptr_t)bytes % 64 != 0)
        complain("a message begins at no multiple of 64 bytes", call->words[0]);
}

/*
 * Making channels.
 */

static uint32_t
number_option(const struct call *call, const char *key, int base, int *found)
{
    const char *value = option_of(call, key);

    if (value == NULL)
        return 0;
    *found = 1;
    return (uint32_t)strtoll(value, NULL, base);
}

static uint32_t
choice_option(const struct call *call, const char *key, const char *const *list,
              int *found)
{
    const char *value = option_of(call, key);

    if (value == NULL)
        return 0;
    *found = 1;
    return (uint32_t)choice_of(value, list);
}

static uint32_t
flags_option(const struct call *call, int *found)
{
    return number_option(call, "flags", 0, found) |
           number_option(call, "spsc", 0, found) * MMF_CHANNEL_SPSC |
           number_option(call, "peer_closed", 0, found) * MMF_CHANNEL_PEER_CLOSED |
           number_option(call, "single", 0, found) * MMF_CHANNEL_SINGLE_PRODUCER;
}

/* Fields that both structures have; `zeroed=1` asks for options that are the defaults. */
#define READ_OPTIONS(call, options, words, found)                                      \
    do {                                                                               \
        number_option(call, "zeroed", 0, &found);                                      \
        number_option(call, "more", 0, &found);                                        \
        (options)->role = choice_option(call, "role", words, &found);                  \
        (options)->strategy =                                                          \
            (mmf_strategy)choice_option(call, "strategy", strategies, &found);         \
        (options)->flags = flags_option(call, &found);                                 \
        (options)->all_users = (int32_t)number_option(call, "all_users", 0, &found);   \
        (options)->mode = number_option(call, "mode", 8, &found);                      \
        (options)->wait_ms = (int32_t)number_option(call, "wait_ms", 0, &found);       \
        if (option_of(call, "size") != NULL)                                           \
            (options)->size = number_option(call, "size", 0, &found);                  \
    } while (0)

static const mmf_channel_options *
channel_options(const struct call *call, mmf_channel_options *options)
{
    int found = 0;

    mmf_channel_options_init(options);
    READ_OPTIONS(call, options, roles, found);
    options->max_senders = (int32_t)number_option(call, "max_senders", 0, &found);
    options->max_receivers = (int32_t)number_option(call, "max_receivers", 0, &found);
    options->replay = (int32_t)number_option(call, "replay", 0, &found);
    options->max_pins = (int32_t)number_option(call, "max_pins", 0, &found);
    return found ? options : NULL;
}

static const mmf_service_options *
service_options(const struct call *call, mmf_service_options *options)
{
    int found = 0;

    mmf_service_options_init(options);
    READ_OPTIONS(call, options, parts, found);
    options->max_clients = (int32_t)number_option(call, "max_clients", 0, &found);
    options->max_servers = (int32_t)number_option(call, "max_servers", 0, &found);
    options->max_calls = (int32_t)number_option(call, "max_calls", 0, &found);
    options->max_answers = (int32_t)number_option(call, "max_answers", 0, &found);
    options->reserved = number_option(call, "reserved", 0, &found);
    return found ? options : NULL;
}

static int
keep_channel(struct call *call, int kind, int status, void *object)
{
    struct channel *channel = NULL;

    if (status == MMF_OK && object != NULL && object != NO_HANDLE) {
        channel = calloc(1, sizeof(*channel));
        if (channel == NULL)
            complain("no memory", call->words[0]);
        channel->kind = kind;
        channel->object = object;
    }
    keep_handle(call, kind, status, channel != NULL ? channel : object);
    return status;
}

/*
 * `wraps=1`: the channel begins as if it had been used for long, five messages before its
 * indexes wrap (docs/internals/layout.md says where they are).
 */
static bool
wraps(const struct call *call)
{
    int found = 0;

    return number_option(call, "wraps", 0, &found) != 0;
}

/* Keeps a channel without a handle of the library's. */
struct hold {
#ifdef _WIN32
    HANDLE section;
#else
    int fd;
#endif
};

#ifdef _WIN32
static struct hold
hold_channel(const char *name)
{
    char data[64];

    snprintf(data, sizeof(data), "%s:mmf:data", name);
    return (struct hold){OpenFileMappingA(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, data)};
}

static void
release_hold(const struct hold *hold)
{
    CloseHandle(hold->section);
}

static void
put_word(const struct hold *hold, int64_t at, uint64_t value)
{
    char *base = MapViewOfFile(hold->section, FILE_MAP_WRITE, 0, 0, 0);

    if (base == NULL)
        complain("the channel cannot be mapped", "wraps");
    memcpy(base + 4096 + at, &value, sizeof(value));
    UnmapViewOfFile(base);
}
#else
/* By the lock that holds an object; a name of letters is its file's name. */
static struct hold
hold_channel(const char *name)
{
    struct flock range = {
        .l_type = F_WRLCK, .l_start = (off_t)1 << 61 | 12345, .l_len = 1};
    struct hold hold;
    char path[512];

    snprintf(path, sizeof(path), "%s/mmf-%u/%s", getenv("MMF_DIR"), (unsigned)geteuid(),
             name);
    hold.fd = open(path, O_RDWR | O_CLOEXEC);
    if (fcntl(hold.fd, F_OFD_SETLK, &range) != 0)
        complain("the channel cannot be held", path);
    return hold;
}

static void
release_hold(const struct hold *hold)
{
    close(hold->fd);
}

static void
put_word(const struct hold *hold, int64_t at, uint64_t value)
{
    if (pwrite(hold->fd, &value, sizeof(value), (off_t)at) != sizeof(value))
        complain("the channel cannot be written", "wraps");
}
#endif

static void
put_near_the_end(const struct hold *hold, int kind)
{
    const uint64_t first = ((uint64_t)1 << 48) - 5;

    put_word(hold, 0, first);
    if (kind != MMF_KIND_QUEUE)
        return;
    put_word(hold, 16, UINT64_MAX - 1); /* skipped indexes */
    put_word(hold, 128, first);
    put_word(hold, 136, first);
    put_word(hold, 256, first - 1);
}

#define DEFINE_MAKE(K, KIND, options_type, read_options, ...)                          \
    static int make_##K(struct call *call, const char *how, int first)                 \
    {                                                                                  \
        struct {                                                                       \
            options_type known;                                                        \
            uint32_t more; /* a newer program's field */                               \
        } space;                                                                       \
        const options_type *options = read_options(call, &space.known);                \
        const char *name = text_at(call, first);                                       \
        mmf_##K *object = NO_HANDLE, **out = UNLESS_NULL(call, "out", &object);        \
        int created = UNTOUCHED, status;                                               \
                                                                                       \
        if (option_of(call, "more") != NULL) {                                         \
            space.known.size = sizeof(space);                                          \
            space.more = (uint32_t)atoi(option_of(call, "more"));                      \
        }                                                                              \
        if (strcmp(how, "open") == 0) {                                                \
            status = mmf_##K##_open_existing(name, options, out);                      \
        } else if (strcmp(how, "new") == 0) {                                          \
            status = mmf_##K##_create_new(name, __VA_ARGS__, options, out);            \
        } else {                                                                       \
            int *its = UNLESS_NULL(call, "created", &created);                         \
                                                                                       \
            status = mmf_##K##_create_or_open(name, __VA_ARGS__, options, its, out);   \
            if (its != NULL)                                                           \
                say_output(call, "created", created);                                  \
        }                                                                              \
        if (status == MMF_OK && wraps(call)) {                                         \
            struct hold hold = hold_channel(name);                                     \
                                                                                       \
            mmf_##K##_close(object);                                                   \
            put_near_the_end(&hold, KIND);                                             \
            status = mmf_##K##_open_existing(name, options, &object);                  \
            release_hold(&hold);                                                       \
        }                                                                              \
        return keep_channel(call, KIND, status, object);                               \
    }

#define RING_ARGUMENTS                                                                 \
    size_at(call, first + 1), size_at(call, first + 2),                                \
        (mmf_overflow)choice_of(text_at(call, first + 3), overflows)

DEFINE_MAKE(queue, MMF_KIND_QUEUE, mmf_channel_options, channel_options, RING_ARGUMENTS)
DEFINE_MAKE(topic, MMF_KIND_TOPIC, mmf_channel_options, channel_options, RING_ARGUMENTS)
DEFINE_MAKE(latest, MMF_KIND_LATEST, mmf_channel_options, channel_options,
            size_at(call, first + 1))
DEFINE_MAKE(service, MMF_KIND_SERVICE, mmf_service_options, service_options,
            size_at(call, first + 1), size_at(call, first + 2),
            size_at(call, first + 3))

int
make_channel(struct call *call, int kind, const char *how, int first)
{
    struct channel of_kind = {.kind = kind};

    BY_KIND(&of_kind, make_queue(call, how, first), make_topic(call, how, first),
            make_latest(call, how, first), make_service(call, how, first))
}

void
close_channel(void *handle)
{
    struct channel *channel = handle;

    switch (channel->kind) {
    case MMF_KIND_QUEUE:
        mmf_queue_close(channel->object);
        break;
    case MMF_KIND_TOPIC:
        mmf_topic_close(channel->object);
        break;
    case MMF_KIND_LATEST:
        mmf_latest_close(channel->object);
        break;
    default:
        mmf_service_close(channel->object);
    }
    free(channel);
}

mmf_waitable *
channel_waitable(const void *handle)
{
    const struct channel *channel = handle;

    BY_KIND(channel, mmf_queue_waitable(channel->object),
            mmf_topic_waitable(channel->object), mmf_latest_waitable(channel->object),
            mmf_service_waitable(channel->object))
}

static int
call_channel(struct call *call)
{
    struct channel of_kind = {.kind = MMF_KIND_QUEUE};

    while (strcmp(mmf_kind_name((mmf_kind)of_kind.kind), call->words[0]) != 0)
        of_kind.kind++;
    return make_channel(call, of_kind.kind, "", 1);
}

/*
 * Sending.
 */

static int
send_bytes(const struct channel *c, const struct payload *p, int32_t ms,
           uint64_t *sequence)
{
    BY_KIND(c, mmf_queue_send(c->object, p->bytes, p->length, ms, sequence),
            mmf_topic_send(c->object, p->bytes, p->length, ms, sequence),
            mmf_latest_send(c->object, p->bytes, p->length, sequence),
            mmf_service_send(c->object, p->bytes, p->length, ms, sequence))
}

/* Where the number of a message goes, which services name otherwise. */
static uint64_t *
sequence_of(const struct call *call, uint64_t *space)
{
    return is_null(call, "sequence") || is_null(call, "version") ||
                   is_null(call, "call")
               ? NULL
               : space;
}

/* send CHANNEL BYTES MS */
static int
call_send(struct call *call)
{
    struct channel channel = own_channel(call);
    struct payload payload = payload_at(call, 2);
    uint64_t space = (uint64_t)UNTOUCHED, *sequence = sequence_of(call, &space);
    int status, tries = 0;

    do
        status = send_bytes(&channel, &payload, ms_at(call, 3), sequence);
    while (is_made_again(call, status, &tries));
    free(payload.space);
    return say_sent(call, status, space);
}

/* send_many CHANNEL BYTES... MS */
static int
call_send_many(struct call *call)
{
    struct channel channel = own_channel(call);
    mmf_buffer buffers[MAX_WORDS], *list = UNLESS_NULL(call, "messages", buffers);
    size_t count = 0, space = (size_t)UNTOUCHED;
    size_t *sent = UNLESS_NULL(call, "sent", &space);
    int last = plain_words(call) - 1, status;

    for (int i = 2; i < last; i++, count++) {
        buffers[count].bytes = text_at(call, i);
        buffers[count].length = call->is_null[i] ? 1 : strlen(call->words[i]);
    }
    if (channel.kind == MMF_KIND_QUEUE)
        status =
            mmf_queue_send_many(channel.object, list, count, ms_at(call, last), sent);
    else
        status =
            mmf_topic_send_many(channel.object, list, count, ms_at(call, last), sent);
    call->is_several = space < count; /* the last error is that of the first not sent */
    if (status == MMF_TIMED_OUT && space == 0)
        space = (size_t)UNTOUCHED; /* it is said that none was sent */
    say_size(call, "sent", space);
    return status;
}

static int
reserve(const struct channel *c, size_t length, int32_t ms, void **bytes)
{
    BY_KIND(c, mmf_queue_reserve(c->object, length, ms, bytes),
            mmf_topic_reserve(c->object, length, ms, bytes),
            mmf_latest_reserve(c->object, length, bytes),
            mmf_service_reserve(c->object, length, ms, bytes))
}

/* Says nothing of an address that there is. */
static void
say_address(struct call *call, int status, const void *bytes)
{
    if (status != MMF_OK)
        say_text(call, "slot", bytes == NO_HANDLE ? "untouched" : "changed");
    else
        check_address(call, bytes);
}

/* reserve CHANNEL LENGTH MS */
static int
call_reserve(struct call *call)
{
    struct channel channel = own_channel(call), *its = channel_at(call, 1);
    void *bytes = NO_HANDLE;
    int status = reserve(&channel, size_at(call, 2), ms_at(call, 3),
                         UNLESS_NULL(call, "bytes", &bytes));

    say_address(call, status, bytes);
    if (status == MMF_OK) {
        its->reserved = bytes;
        its->length = size_at(call, 2);
    }
    return status;
}

static void
write_reserved(void *to, size_t room, const struct payload *payload)
{
    if (to != NULL && payload->bytes != NULL)
        memcpy(to, payload->bytes, payload->length < room ? payload->length : room);
}

static int
commit(const struct channel *c, size_t length, uint64_t *sequence)
{
    BY_KIND(c, mmf_queue_commit(c->object, length, sequence),
            mmf_topic_commit(c->object, length, sequence),
            mmf_latest_commit(c->object, length, sequence),
            mmf_service_commit(c->object, length, sequence))
}

/* commit CHANNEL BYTES; commit_from QUEUE BYTES SOURCE POSITION */
static int
call_commit(struct call *call)
{
    struct channel channel = own_channel(call), *its = channel_at(call, 1);
    struct payload payload = payload_at(call, 2);
    uint64_t space = (uint64_t)UNTOUCHED, *sequence = sequence_of(call, &space);
    int status;

    write_reserved(its->reserved, its->length, &payload);
    if (strcmp(call->words[0], "commit") == 0)
        status = commit(&channel, payload.length, sequence);
    else
        status = mmf_queue_commit_from(channel.object, payload.length,
                                       (uint64_t)number_at(call, 3),
                                       (uint64_t)number_at(call, 4), sequence);
    if (status == MMF_OK)
        its->reserved = NULL;
    free(payload.space);
    return say_sent(call, status, space);
}

static int
abandon(const struct channel *c)
{
    BY_KIND(c, mmf_queue_abandon(c->object), mmf_topic_abandon(c->object),
            mmf_latest_abandon(c->object), mmf_service_abandon(c->object))
}

static int
call_abandon(struct call *call)
{
    struct channel channel = own_channel(call);
    int status = abandon(&channel);

    if (status == MMF_OK)
        channel_at(call, 1)->reserved = NULL;
    return status;
}

static int
call_drain(struct call *call)
{
    return mmf_queue_drain(own_channel(call).object, ms_at(call, 2));
}

/* applied QUEUE SOURCE */
static int
call_applied(struct call *call)
{
    uint64_t position = (uint64_t)UNTOUCHED;
    int status =
        mmf_queue_applied(own_channel(call).object, (uint64_t)number_at(call, 2),
                          UNLESS_NULL(call, "position", &position));

    say_output(call, "position", (long long)position);
    return status;
}

/*
 * Receiving.
 */

static int
take(const struct channel *c, int32_t ms, mmf_message *message)
{
    BY_KIND(c, mmf_queue_take(c->object, ms, message),
            mmf_topic_take(c->object, ms, message), mmf_latest_take(c->object, message),
            mmf_service_take(c->object, ms, message))
}

/* M = take CHANNEL MS */
static int
call_take(struct call *call)
{
    struct channel channel = own_channel(call);
    mmf_message message = untouched_message();
    bool is_without = is_null(call, "message") || is_null(call, "request");
    int status, tries = 0;

    do
        status = take(&channel, ms_at(call, 2), is_without ? NULL : &message);
    while (is_made_again(call, status, &tries));
    if (status == MMF_OK)
        check_address(call, message.bytes);
    return say_message(call, status, &message);
}

/* again MESSAGE: what is read in place now */
static int
call_again(struct call *call)
{
    const mmf_message *message = pointer_at(call, 1);

    say_bytes(call, message->bytes, message->length);
    return MMF_OK;
}

/* M = take_many QUEUE MOST MS: M1, M2, ... */
static int
call_take_many(struct call *call)
{
    mmf_message got[MOST], untouched = untouched_message();
    size_t count = (size_t)UNTOUCHED, length = 0;
    char text[8192] = "", name[32];
    int status;

    for (int i = 0; i < MOST; i++)
        got[i] = untouched;
    status = mmf_queue_take_many(own_channel(call).object, size_at(call, 2),
                                 ms_at(call, 3), UNLESS_NULL(call, "messages", got),
                                 UNLESS_NULL(call, "count", &count));
    if (status == MMF_TIMED_OUT && count == 0)
        count = (size_t)UNTOUCHED;
    say_size(call, "count", count);
    if (status != MMF_OK)
        return say_message(call, status, &got[0]);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text[length++] = ',';
        print_bytes(text + length, sizeof(text) - length, got[i].bytes, got[i].length,
                    SHOWN);
        length = strlen(text);
        snprintf(name, sizeof(name), "%.20s%d", call->handle, (int)i + 1);
        name_message(name, false, &got[i]);
    }
    say_text(call, "bytes", text);
    return status;
}

static int
receive(const struct call *call, const struct channel *c, void *buffer, size_t *length,
        mmf_message *message)
{
    size_t capacity = size_at(call, 2);
    int32_t ms = ms_at(call, 3);

    BY_KIND(c,
            mmf_queue_receive(c->object, buffer, capacity, ms, length,
                              UNLESS_NULL(call, "message", message)),
            mmf_topic_receive(c->object, buffer, capacity, ms, length,
                              UNLESS_NULL(call, "message", message)),
            mmf_latest_receive(c->object, buffer, capacity, length,
                               UNLESS_NULL(call, "version", &message->sequence)),
            mmf_service_receive(c->object, buffer, capacity, ms, length,
                                UNLESS_NULL(call, "request", message)))
}

/* What was copied, and that nothing was written behind it. Some calls say no more. */
static int
say_copied(struct call *call, int status, char *buffer, size_t length,
           mmf_message *message, bool has_message)
{
    size_t written = status == MMF_OK ? length : 0;

    for (size_t i = written; i < written + BEYOND; i++)
        if (buffer[i] != 0x5a)
            complain("bytes were written behind the message", call->words[0]);
    if (status != MMF_OK)
        say_size(call, "length", length);
    if (status == MMF_OK && !has_message)
        *message = (mmf_message){
            .bytes = buffer, .length = length, .sequence = message->sequence};
    if (status == MMF_OK && (message->bytes != UNLESS_NULL(call, "buffer", buffer) ||
                             message->length != length))
        complain("the message is not the buffer's", call->words[0]);
    say_message(call, status, message);
    free(buffer);
    return status;
}

static char *
new_buffer(void)
{
    char *buffer = malloc(MAX_BYTES + BEYOND);

    if (buffer == NULL)
        complain("no memory", "");
    memset(buffer, 0x5a, MAX_BYTES + BEYOND);
    return buffer;
}

/* M = receive CHANNEL CAPACITY MS */
static int
call_receive(struct call *call)
{
    struct channel channel = own_channel(call);
    mmf_message message = untouched_message();
    size_t length = (size_t)UNTOUCHED;
    char *buffer = new_buffer();
    int status = receive(call, &channel, UNLESS_NULL(call, "buffer", buffer),
                         UNLESS_NULL(call, "length", &length), &message);

    return say_copied(call, status, buffer, length, &message,
                      channel.kind != MMF_KIND_LATEST && !is_null(call, "message"));
}

static int
compare_texts(const void *one, const void *other)
{
    return strcmp(one, other);
}

/* receive_many QUEUE COUNT MS: so many, one after the other, said in alphabetical order */
static int
call_receive_many(struct call *call)
{
    static _Thread_local char got[MOST][16];
    char text[MOST * 16] = "";
    size_t count = size_at(call, 2), length;
    int status = MMF_OK;

    memset(got, 0, sizeof(got));
    for (size_t i = 0; i < count && i < MOST && status == MMF_OK; i++)
        status = mmf_queue_receive(own_channel(call).object, got[i], 15, ms_at(call, 3),
                                   &length, NULL);
    qsort(got, count, sizeof(got[0]), compare_texts);
    for (size_t i = 0; i < count && status == MMF_OK; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
                 i > 0 ? "," : "", got[i]);
    if (status == MMF_OK)
        say_text(call, "bytes", text);
    return status;
}

/* release QUEUE MESSAGE...; release TOPIC; release LATEST */
static int
call_release(struct call *call)
{
    struct channel channel = own_channel(call);
    mmf_message held[MOST];
    size_t count = 0;

    if (channel.kind == MMF_KIND_TOPIC)
        return mmf_topic_release(channel.object);
    if (channel.kind == MMF_KIND_LATEST)
        return mmf_latest_release(channel.object);
    if (strcmp(call->words[0], "release_many") != 0)
        return mmf_queue_release(channel.object, pointer_at(call, 2));
    for (int i = 2; i < plain_words(call); i++)
        held[count++] = *pointer_at(call, i);
    return mmf_queue_release_many(channel.object, UNLESS_NULL(call, "messages", held),
                                  count);
}

int
release_message(struct call *call)
{
    return call_release(call);
}

static int
call_return(struct call *call)
{
    struct channel channel = own_channel(call);
    const mmf_message *message = pointer_at(call, 2);

    BY_KIND(&channel, mmf_queue_return(channel.object, message), refuse(call),
            refuse(call), mmf_service_return(channel.object, message))
}

/* wait_newer LATEST MESSAGE MS: than that one, or than 0 */
static int
call_wait_newer(struct call *call)
{
    return mmf_latest_wait(own_channel(call).object, pointer_at(call, 2)->sequence,
                           ms_at(call, 3));
}

/*
 * Services.
 */

/* call SERVICE BYTES CAPACITY MS */
static int
call_call(struct call *call)
{
    struct payload request = payload_at(call, 2);
    mmf_message answer = untouched_message();
    size_t length = (size_t)UNTOUCHED;
    char *buffer = new_buffer();
    int status =
        mmf_service_call(own_channel(call).object, request.bytes, request.length,
                         UNLESS_NULL(call, "buffer", buffer), size_at(call, 3),
                         ms_at(call, 4), UNLESS_NULL(call, "length", &length));

    free(request.space);
    if (status == MMF_OK)
        answer.sequence = 0;
    return say_copied(call, status, buffer, length, &answer, false);
}

/* M = take_answer SERVICE CALL MS; CALL may be 0 */
static int
call_take_answer(struct call *call)
{
    mmf_message message = untouched_message();
    int status =
        mmf_service_take_answer(own_channel(call).object, pointer_at(call, 2)->sequence,
                                ms_at(call, 3), UNLESS_NULL(call, "answer", &message));

    if (status == MMF_OK)
        check_address(call, message.bytes);
    return say_message(call, status, &message);
}

/* M = receive_answer SERVICE CALL CAPACITY MS */
static int
call_receive_answer(struct call *call)
{
    mmf_message message = untouched_message();
    size_t length = (size_t)UNTOUCHED;
    char *buffer = new_buffer();
    int status = mmf_service_receive_answer(
        own_channel(call).object, pointer_at(call, 2)->sequence,
        UNLESS_NULL(call, "buffer", buffer), size_at(call, 3), ms_at(call, 4),
        UNLESS_NULL(call, "length", &length), UNLESS_NULL(call, "answer", &message));

    return say_copied(call, status, buffer, length, &message, !is_null(call, "answer"));
}

static int
call_release_answer(struct call *call)
{
    return mmf_service_release_answer(own_channel(call).object, pointer_at(call, 2));
}

static int
call_cancel(struct call *call)
{
    return mmf_service_cancel(own_channel(call).object, pointer_at(call, 2)->sequence);
}

static int
call_is_wanted(struct call *call)
{
    int wanted = UNTOUCHED;
    int status = mmf_service_is_wanted(own_channel(call).object, pointer_at(call, 2),
                                       UNLESS_NULL(call, "wanted", &wanted));

    say_output(call, "value", wanted);
    return status;
}

/* reserve_answer SERVICE REQUEST LENGTH MS */
static int
call_reserve_answer(struct call *call)
{
    struct named_message *request = message_at(call, 2);
    void *bytes = NO_HANDLE;
    int status = mmf_service_reserve_answer(
        own_channel(call).object, pointer_at(call, 2), size_at(call, 3), ms_at(call, 4),
        UNLESS_NULL(call, "bytes", &bytes));

    say_address(call, status, bytes);
    if (status == MMF_OK) {
        request->reserved = bytes;
        request->length = size_at(call, 3);
    }
    return status;
}

/* commit_answer SERVICE REQUEST BYTES last|more */
static int
call_commit_answer(struct call *call)
{
    struct named_message *request = message_at(call, 2);
    struct payload answer = payload_at(call, 3);
    int status;

    if (request != NULL)
        write_reserved(request->reserved, request->length, &answer);
    status = mmf_service_commit_answer(own_channel(call).object, pointer_at(call, 2),
                                       answer.length,
                                       (uint32_t)choice_of(text_at(call, 4), mores));
    if (status == MMF_OK)
        request->reserved = NULL;
    free(answer.space);
    return status;
}

/* answer SERVICE REQUEST BYTES last|more MS */
static int
call_answer(struct call *call)
{
    struct payload answer = payload_at(call, 3);
    int status = mmf_service_answer(
        own_channel(call).object, pointer_at(call, 2), answer.bytes, answer.length,
        (uint32_t)choice_of(text_at(call, 4), mores), ms_at(call, 5));

    free(answer.space);
    return status;
}

/*
 * What is in a channel.
 */

static int
stat_handle(const struct channel *c, mmf_channel_stats *stats)
{
    BY_KIND(c, mmf_queue_stat(c->object, stats), mmf_topic_stat(c->object, stats),
            mmf_latest_stat(c->object, stats), mmf_service_stat(c->object, stats))
}

static void
say_stats(struct call *call, const mmf_channel_stats *stats)
{
    say_number(call, "message_size", stats->message_size);
    say_number(call, "answer_size", stats->answer_size);
    say_number(call, "capacity", stats->capacity);
    say_number(call, "sent", (long long)stats->sent);
    say_number(call, "received", (long long)stats->received);
    say_number(call, "dropped", (long long)stats->dropped);
    say_number(call, "lost", (long long)stats->lost);
    say_number(call, "redelivered", (long long)stats->redelivered);
    say_number(call, "depth", stats->depth);
    say_number(call, "high_water", stats->high_water);
    say_number(call, "in_flight", stats->in_flight);
    say_number(call, "senders", stats->senders);
    say_number(call, "receivers", stats->receivers);
    say_number(call, "max_senders", stats->max_senders);
    say_number(call, "max_receivers", stats->max_receivers);
    say_text(call, "overflow", overflows[stats->overflow & 3]);
    say_number(call, "flags", stats->flags);
    say_number(call, "pins", stats->pins);
    say_number(call, "max_pins", stats->max_pins);
    say_number(call, "max_calls", stats->max_calls);
    say_number(call, "max_answers", stats->max_answers);
}

/* stat CHANNEL; stat_name NAME */
static int
call_stat(struct call *call)
{
    mmf_channel_stats stats, untouched;
    mmf_channel_stats *out = UNLESS_NULL(call, "stats", &stats);
    int status;

    memset(&untouched, 0x5a, sizeof(untouched));
    stats = untouched;
    if (strcmp(call->words[0], "stat_name") == 0) {
        status = mmf_channel_stat(text_at(call, 1), out);
    } else {
        struct channel channel = own_channel(call);

        status = stat_handle(&channel, out);
    }
    if (status == MMF_OK)
        say_stats(call, &stats);
    else
        say_text(call, "stats",
                 memcmp(&stats, &untouched, sizeof(stats)) == 0 ? "untouched"
                                                                : "changed");
    return status;
}

static int
fd_of(const struct channel *c, int *fd)
{
    BY_KIND(c, mmf_queue_fd(c->object, fd), mmf_topic_fd(c->object, fd),
            mmf_latest_fd(c->object, fd), mmf_service_fd(c->object, fd))
}

int
channel_fd(struct call *call)
{
    struct channel channel = own_channel(call);
    int fd = UNTOUCHED, status = fd_of(&channel, UNLESS_NULL(call, "fd", &fd));

    if (status != MMF_OK)
        say_output(call, "fd", fd);
    return status;
}

/* Which process has it; of a single queue it is not known since when. */
static const char *
holder_of(const mmf_queue_item *item)
{
    if (item->pid == 0)
        return item->age_ms == -1 ? "" : "/wrong";
    if (item->pid != (int32_t)getpid())
        return "/elsewhere";
    return item->age_ms >= 0 ? "/held" : "/here";
}

/* Of each its state, deliveries, bytes or length, and which process has it. */
static void
say_items(struct call *call, const mmf_queue_item *items, size_t count, bool has_bytes)
{
    char text[8192] = "", numbers[2048] = "", bytes[4096];
    size_t length = 0, at = 0;

    for (size_t i = 0; i < count; i++) {
        const mmf_queue_item *item = &items[i];
        const char *comma = i > 0 ? "," : "";

        snprintf(bytes, sizeof(bytes), "%d", (int)item->length);
        if (has_bytes)
            print_bytes(bytes, sizeof(bytes), item->bytes, item->copied, SHOWN);
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s/%u/%s%s",
                                   comma, states[item->state & 3], item->deliveries,
                                   bytes, holder_of(item));
        at += (size_t)snprintf(numbers + at, sizeof(numbers) - at, "%s%llu", comma,
                               (unsigned long long)item->sequence);
    }
    say_text(call, "items", text);
    say_text(call, "sequences", numbers);
}

/* browse NAME MOST; browse_bytes NAME MOST EACH */
static int
call_browse(struct call *call)
{
    mmf_queue_item items[MOST], *list = UNLESS_NULL(call, "items", items);
    size_t space = (size_t)UNTOUCHED, *count = UNLESS_NULL(call, "count", &space);
    bool has_bytes = strcmp(call->words[0], "browse_bytes") == 0;
    char *bytes = new_buffer();
    int status =
        has_bytes ? mmf_queue_browse_bytes(text_at(call, 1), list, size_at(call, 2),
                                           UNLESS_NULL(call, "bytes", bytes),
                                           size_at(call, 3), count)
                  : mmf_queue_browse(text_at(call, 1), list, size_at(call, 2), count);

    say_size(call, "count", space);
    if (status == MMF_OK)
        say_items(call, items, space, has_bytes);
    free(bytes);
    return status;
}

const struct named_call channel_calls[] = {{"queue", call_channel},
                                           {"topic", call_channel},
                                           {"latest", call_channel},
                                           {"service", call_channel},
                                           {"send", call_send},
                                           {"send_many", call_send_many},
                                           {"reserve", call_reserve},
                                           {"commit", call_commit},
                                           {"commit_from", call_commit},
                                           {"abandon", call_abandon},
                                           {"drain", call_drain},
                                           {"applied", call_applied},
                                           {"take", call_take},
                                           {"again", call_again},
                                           {"take_many", call_take_many},
                                           {"receive", call_receive},
                                           {"receive_many", call_receive_many},
                                           {"release_many", call_release},
                                           {"return", call_return},
                                           {"wait_newer", call_wait_newer},
                                           {"call", call_call},
                                           {"take_answer", call_take_answer},
                                           {"receive_answer", call_receive_answer},
                                           {"release_answer", call_release_answer},
                                           {"cancel", call_cancel},
                                           {"is_wanted", call_is_wanted},
                                           {"reserve_answer", call_reserve_answer},
                                           {"commit_answer", call_commit_answer},
                                           {"answer", call_answer},
                                           {"stat", call_stat},
                                           {"stat_name", call_stat},
                                           {"browse", call_browse},
                                           {"browse_bytes", call_browse},
                                           {NULL, NULL}};
