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
#include <unistd.h>
#endif

enum { MOST_TRIES = 100000 }; /* with a pause of some time each */
enum { MAX_MESSAGES = 256, MAX_BYTES = 1 << 17, MOST = 64, SHOWN = 64, BEYOND = 64 };

const char *const overflow_words[] = {"", "block", "fail", "drop_oldest", NULL};

static const char *const states[] = {"", "waiting", "in_flight", "reserved", NULL};
static const char *const mores[] = {"last", "more", NULL};

/*
 * The function `name` of the kind of `channel`, with the arguments in brackets. Each
 * kind's functions have an own type of handle, so no table can have them as they are. Most
 * calls on latest values do not wait, and have fewer arguments.
 */
#define OF_WAITING_KIND(channel, name, arguments)                                      \
    ((channel).kind == MMF_KIND_QUEUE   ? mmf_queue_##name arguments                   \
     : (channel).kind == MMF_KIND_TOPIC ? mmf_topic_##name arguments                   \
                                        : mmf_service_##name arguments)
#define OF_KIND(channel, name, arguments)                                              \
    ((channel).kind == MMF_KIND_LATEST ? mmf_latest_##name arguments                   \
                                       : OF_WAITING_KIND(channel, name, arguments))

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

/* The words that are no options. */
static int
plain_words(const struct call *call)
{
    int count = call->count;

    while (count > 2 && strchr(call->words[count - 1], '=') != NULL)
        count--;
    return count;
}

/*
 * `polled=1`: not the call waits, but its caller polls the descriptor before each look, as
 * an event loop does. Then the call has no timeout.
 */
static int32_t
try_ms(const struct call *call, int i)
{
    return option_of(call, "polled") != NULL ? 0 : ms_at(call, i);
}

static bool
may_try(const struct call *call, const struct handle *channel, int i)
{
    int fd = -1;

    if (option_of(call, "polled") == NULL)
        return true;
    if (fd_of_channel(channel, &fd) != MMF_OK)
        complain("a channel that cannot be polled", call->words[1]);
    return descriptor_is_readable(fd, ms_at(call, i));
}

/* `again=1`: the call is made until it has room, or a message. */
static bool
is_made_again(struct call *call, int status, int *tries)
{
    if (option_of(call, "polled") != NULL) {
        call->is_several = true;
        return status == MMF_TIMED_OUT;
    }
    if (option_of(call, "again") == NULL ||
        (status != MMF_E_FULL && status != MMF_TIMED_OUT) || ++*tries > MOST_TRIES)
        return false;
    call->is_several = true;
    poll_pause();
    return true;
}

/* The channel of a call; its object is NULL with `null=queue`. */
static struct handle
own_channel(const struct call *call)
{
    struct handle channel = handle_of(text_at(call, 1));

    if (is_null(call, kinds_of_handles[channel.kind].name))
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
    if (is_null(call, "bytes"))
        payload.bytes = NULL;
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
 * Sending.
 */

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
    struct handle channel = own_channel(call);
    struct payload payload = payload_at(call, 2);
    uint64_t space = (uint64_t)UNTOUCHED, *sequence = sequence_of(call, &space);
    int status, tries = 0;

    do
        status = channel.kind == MMF_KIND_LATEST
                     ? mmf_latest_send(channel.object, payload.bytes, payload.length,
                                       sequence)
                     : OF_WAITING_KIND(channel, send,
                                       (channel.object, payload.bytes, payload.length,
                                        ms_at(call, 3), sequence));
    while (is_made_again(call, status, &tries));
    free(payload.space);
    return say_sent(call, status, space);
}

/* send_many CHANNEL BYTES... MS */
static int
call_send_many(struct call *call)
{
    struct handle channel = own_channel(call);
    mmf_buffer buffers[MAX_WORDS], *list = unless_null(call, "messages", buffers);
    size_t count = 0, space = (size_t)UNTOUCHED;
    size_t *sent = unless_null(call, "sent", &space);
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
    if (status == MMF_TIMED_OUT && space == 0)
        space = (size_t)UNTOUCHED; /* it is said that none was sent */
    say_size(call, "sent", space);
    return status;
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
    struct handle channel = own_channel(call);
    void *bytes = NO_HANDLE;
    void **out = unless_null(call, "bytes", &bytes);
    size_t length = size_at(call, 2);
    int status = channel.kind == MMF_KIND_LATEST
                     ? mmf_latest_reserve(channel.object, length, out)
                     : OF_WAITING_KIND(channel, reserve,
                                       (channel.object, length, ms_at(call, 3), out));

    say_address(call, status, bytes);
    if (status == MMF_OK)
        keep_reserved(call, bytes, length);
    return status;
}

static void
write_reserved(void *to, size_t room, const struct payload *payload)
{
    if (to != NULL && payload->bytes != NULL)
        memcpy(to, payload->bytes, payload->length < room ? payload->length : room);
}

/* commit CHANNEL BYTES; commit_from QUEUE BYTES SOURCE POSITION */
static int
call_commit(struct call *call)
{
    struct handle channel = own_channel(call);
    struct payload payload = payload_at(call, 2);
    uint64_t space = (uint64_t)UNTOUCHED, *sequence = sequence_of(call, &space);
    int status;

    write_reserved(channel.reserved, channel.length, &payload);
    if (strcmp(call->words[0], "commit") == 0)
        status = OF_KIND(channel, commit, (channel.object, payload.length, sequence));
    else
        status = mmf_queue_commit_from(channel.object, payload.length,
                                       (uint64_t)number_at(call, 3),
                                       (uint64_t)number_at(call, 4), sequence);
    if (status == MMF_OK)
        keep_reserved(call, NULL, 0);
    free(payload.space);
    return say_sent(call, status, space);
}

static int
call_abandon(struct call *call)
{
    struct handle channel = own_channel(call);
    int status = OF_KIND(channel, abandon, (channel.object));

    if (status == MMF_OK)
        keep_reserved(call, NULL, 0);
    return status;
}

STATUS_CALL(drain, mmf_queue_drain(own_channel(call).object, ms_at(call, 2)))

/* applied QUEUE SOURCE */
OUTPUT_CALL(applied, uint64_t, "position", "position",
            mmf_queue_applied(own_channel(call).object, (uint64_t)number_at(call, 2),
                              out))

/*
 * Receiving.
 */

/* M = take CHANNEL MS */
static int
call_take(struct call *call)
{
    struct handle channel = own_channel(call);
    mmf_message message = untouched_message();
    mmf_message *out =
        is_null(call, "message") || is_null(call, "request") ? NULL : &message;
    int status = MMF_TIMED_OUT, tries = 0;

    do
        if (channel.kind == MMF_KIND_LATEST)
            status = mmf_latest_take(channel.object, out);
        else if (may_try(call, &channel, 2))
            status =
                OF_WAITING_KIND(channel, take, (channel.object, try_ms(call, 2), out));
        else
            break;
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
                                 ms_at(call, 3), unless_null(call, "messages", got),
                                 unless_null(call, "count", &count));
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
    if (status == MMF_OK && (message->bytes != unless_null(call, "buffer", buffer) ||
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
    struct handle channel = own_channel(call);
    mmf_message message = untouched_message();
    size_t length = (size_t)UNTOUCHED;
    char *buffer = new_buffer();
    void *to = unless_null(call, "buffer", buffer);
    size_t capacity = size_at(call, 2), *its = unless_null(call, "length", &length);
    mmf_message *out =
        is_null(call, "message") || is_null(call, "request") ? NULL : &message;
    int status;

    if (channel.kind == MMF_KIND_LATEST)
        status = mmf_latest_receive(channel.object, to, capacity, its,
                                    unless_null(call, "version", &message.sequence));
    else
        status = OF_WAITING_KIND(
            channel, receive, (channel.object, to, capacity, ms_at(call, 3), its, out));
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
    struct handle channel = own_channel(call);
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
    return mmf_queue_release_many(channel.object, unless_null(call, "messages", held),
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
    struct handle channel = own_channel(call);
    const mmf_message *message = pointer_at(call, 2);

    if (channel.kind == MMF_KIND_QUEUE)
        return mmf_queue_return(channel.object, message);
    if (channel.kind == MMF_KIND_SERVICE)
        return mmf_service_return(channel.object, message);
    complain("this kind has no such call", call->words[0]);
}

/* wait_newer LATEST MESSAGE MS: than that one, or than 0 */
static int
call_wait_newer(struct call *call)
{
    struct handle channel = own_channel(call);
    uint64_t version = pointer_at(call, 2)->sequence;
    int status = MMF_TIMED_OUT;

    while (may_try(call, &channel, 3)) {
        status = mmf_latest_wait(channel.object, version, try_ms(call, 3));
        if (!is_made_again(call, status, &(int){0}))
            break;
    }
    return status;
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
                         unless_null(call, "buffer", buffer), size_at(call, 3),
                         ms_at(call, 4), unless_null(call, "length", &length));

    free(request.space);
    if (status == MMF_OK)
        answer.sequence = 0;
    return say_copied(call, status, buffer, length, &answer, false);
}

/* M = take_answer SERVICE CALL MS; CALL may be 0 */
static int
call_take_answer(struct call *call)
{
    struct handle channel = own_channel(call);
    mmf_message message = untouched_message();
    int status = MMF_TIMED_OUT;

    while (may_try(call, &channel, 3)) {
        status = mmf_service_take_answer(channel.object, pointer_at(call, 2)->sequence,
                                         try_ms(call, 3),
                                         unless_null(call, "answer", &message));
        if (!is_made_again(call, status, &(int){0}))
            break;
    }

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
        unless_null(call, "buffer", buffer), size_at(call, 3), ms_at(call, 4),
        unless_null(call, "length", &length), unless_null(call, "answer", &message));

    return say_copied(call, status, buffer, length, &message, !is_null(call, "answer"));
}

STATUS_CALL(release_answer,
            mmf_service_release_answer(own_channel(call).object, pointer_at(call, 2)))

STATUS_CALL(cancel,
            mmf_service_cancel(own_channel(call).object, pointer_at(call, 2)->sequence))

OUTPUT_CALL(is_wanted, int, "wanted", "value",
            mmf_service_is_wanted(own_channel(call).object, pointer_at(call, 2), out))

/* reserve_answer SERVICE REQUEST LENGTH MS */
static int
call_reserve_answer(struct call *call)
{
    struct named_message *request = message_at(call, 2);
    void *bytes = NO_HANDLE;
    int status = mmf_service_reserve_answer(
        own_channel(call).object, pointer_at(call, 2), size_at(call, 3), ms_at(call, 4),
        unless_null(call, "bytes", &bytes));

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

void
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
    say_text(call, "overflow", overflow_words[stats->overflow & 3]);
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
    mmf_channel_stats *out = unless_null(call, "stats", &stats);
    int status;

    memset(&untouched, 0x5a, sizeof(untouched));
    stats = untouched;
    if (strcmp(call->words[0], "stat_name") == 0) {
        status = mmf_channel_stat(text_at(call, 1), out);
    } else {
        struct handle channel = own_channel(call);

        status = OF_KIND(channel, stat, (channel.object, out));
    }
    if (status == MMF_OK)
        say_stats(call, &stats);
    else
        say_text(call, "stats",
                 memcmp(&stats, &untouched, sizeof(stats)) == 0 ? "untouched"
                                                                : "changed");
    return status;
}

int
fd_of_channel(const struct handle *channel, int *fd)
{
    return OF_KIND(*channel, fd, (channel->object, fd));
}

int
channel_fd(struct call *call)
{
    struct handle channel = own_channel(call);
    int fd = UNTOUCHED;
    int status = fd_of_channel(&channel, unless_null(call, "fd", &fd));

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
    mmf_queue_item items[MOST], *list = unless_null(call, "items", items);
    size_t space = (size_t)UNTOUCHED, *count = unless_null(call, "count", &space);
    bool has_bytes = strcmp(call->words[0], "browse_bytes") == 0;
    char *bytes = new_buffer();
    int status =
        has_bytes ? mmf_queue_browse_bytes(text_at(call, 1), list, size_at(call, 2),
                                           unless_null(call, "bytes", bytes),
                                           size_at(call, 3), count)
                  : mmf_queue_browse(text_at(call, 1), list, size_at(call, 2), count);

    say_size(call, "count", space);
    if (status == MMF_OK)
        say_items(call, items, space, has_bytes);
    free(bytes);
    return status;
}

const struct named_call channel_calls[] = {CALL(send),
                                           CALL(send_many),
                                           CALL(reserve),
                                           CALL(commit),
                                           ALIAS(commit_from, commit),
                                           CALL(abandon),
                                           CALL(drain),
                                           CALL(applied),
                                           CALL(take),
                                           CALL(again),
                                           CALL(take_many),
                                           CALL(receive),
                                           CALL(receive_many),
                                           ALIAS(release_many, release),
                                           CALL(return ),
                                           CALL(wait_newer),
                                           CALL(call),
                                           CALL(take_answer),
                                           CALL(receive_answer),
                                           CALL(release_answer),
                                           CALL(cancel),
                                           CALL(is_wanted),
                                           CALL(reserve_answer),
                                           CALL(commit_answer),
                                           CALL(answer),
                                           CALL(stat),
                                           ALIAS(stat_name, stat),
                                           CALL(browse),
                                           ALIAS(browse_bytes, browse),
                                           {NULL, NULL}};
