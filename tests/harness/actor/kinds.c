/*
 * kinds.c - what handles have in common: they are made, waited for and closed, each kind by
 * functions of its own.
 */
#include "harness/actor/actor.h"
#include "harness/channel_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const modes[] = {"auto", "manual", NULL};

/*
 * Making.
 */

/* A mutex needs no word for whether it is owned. */
static int
owned_at(const struct call *call, int i)
{
    return i < plain_count(call) ? (int)number_at(call, i) : 0;
}

/* The three functions of a kind; `...` are what they are told between name and options. */
#define DEFINE_MAKE(K, ...)                                                            \
    static int K##_make(struct call *call, struct making *m)                           \
    {                                                                                  \
        const char *name = text_at(call, m->first);                                    \
        mmf_##K *object = NO_HANDLE, **out = unless_null(call, "out", &object);        \
        int created = UNTOUCHED, status;                                               \
                                                                                       \
        if (strcmp(m->how, "open") == 0) {                                             \
            status = mmf_##K##_open_existing(name, m->options, out);                   \
        } else if (strcmp(m->how, "new") == 0) {                                       \
            status = mmf_##K##_create_new(name, __VA_ARGS__, m->options, out);         \
        } else {                                                                       \
            status =                                                                   \
                mmf_##K##_create_or_open(name, __VA_ARGS__, m->options,                \
                                         unless_null(call, "created", &created), out); \
            say_output(call, "created", created);                                      \
        }                                                                              \
        m->object = object;                                                            \
        return status;                                                                 \
    }

/* The words behind the name. */
#define CHOICE(i, words) choice_of(text_at(call, m->first + (i)), words)
#define NUMBER(i) number_at(call, m->first + (i))
#define LENGTH(i) size_at(call, m->first + (i))

DEFINE_MAKE(map, NUMBER(1))
DEFINE_MAKE(mutex, owned_at(call, m->first + 1))
DEFINE_MAKE(event, (int)NUMBER(2), (mmf_event_mode)CHOICE(1, modes))
DEFINE_MAKE(semaphore, (int32_t)NUMBER(1), (int32_t)NUMBER(2))
DEFINE_MAKE(queue, LENGTH(1), LENGTH(2), (mmf_overflow)CHOICE(3, overflow_words))
DEFINE_MAKE(topic, LENGTH(1), LENGTH(2), (mmf_overflow)CHOICE(3, overflow_words))
DEFINE_MAKE(latest, LENGTH(1))
DEFINE_MAKE(service, LENGTH(1), LENGTH(2), LENGTH(3))

/* A mutex, an event or a semaphore, whichever it is. */
static int
waitable_make(struct call *call, struct making *m)
{
    mmf_waitable *object = NO_HANDLE;
    mmf_kind kind = (mmf_kind)UNTOUCHED;
    int status = mmf_waitable_open_existing(text_at(call, m->first), m->options,
                                            unless_null(call, "kind", &kind),
                                            unless_null(call, "out", &object));

    if (status >= 0)
        say_text(call, "kind", mmf_kind_name(kind));
    else
        say_output(call, "kind", kind);
    m->object = object;
    return status;
}

/* accessor MAP OFFSET SIZE ACCESS, stream MAP ...; `end` is counted from the capacity. */
#define DEFINE_MAKE_VIEW(K)                                                            \
    static int K##_make(struct call *call, struct making *m)                           \
    {                                                                                  \
        mmf_map *map = object_at(call, 1);                                             \
        mmf_##K *view = NO_HANDLE;                                                     \
        int64_t capacity = 0;                                                          \
        int status;                                                                    \
                                                                                       \
        if (map != NULL)                                                               \
            mmf_map_capacity(map, &capacity);                                          \
        status = mmf_##K##_create(map, offset_at(call, 2, capacity),                   \
                                  offset_at(call, 3, capacity), access_at(call, 4),    \
                                  m->options, unless_null(call, "out", &view));        \
        m->object = view;                                                              \
        return status;                                                                 \
    }

DEFINE_MAKE_VIEW(accessor)
DEFINE_MAKE_VIEW(stream)

/*
 * The table.
 */

#define DEFINE_CLOSE(K)                                                                \
    static void K##_close(void *object)                                                \
    {                                                                                  \
        mmf_##K##_close(object);                                                       \
    }

#define DEFINE_CHANNEL(K)                                                              \
    DEFINE_CLOSE(K)                                                                    \
    static mmf_waitable *K##_waitable(void *object)                                    \
    {                                                                                  \
        return mmf_##K##_waitable(object);                                             \
    }

#define DEFINE_SYNC(K)                                                                 \
    DEFINE_CHANNEL(K)                                                                  \
    static int K##_wait(void *object, int32_t timeout_ms)                              \
    {                                                                                  \
        return mmf_##K##_wait(object, timeout_ms);                                     \
    }

DEFINE_CLOSE(map)
DEFINE_SYNC(mutex)
DEFINE_SYNC(event)
DEFINE_SYNC(semaphore)
DEFINE_CHANNEL(queue)
DEFINE_CHANNEL(topic)
DEFINE_CHANNEL(latest)
DEFINE_CHANNEL(service)
DEFINE_CLOSE(accessor)
DEFINE_CLOSE(stream)
DEFINE_CLOSE(waitable)
DEFINE_CLOSE(poller)

static mmf_waitable *
waitable_itself(void *object)
{
    return object;
}

#define VIEW(K) #K, &view_options, K##_make, K##_close, NULL, NULL
#define CHANNEL(K, options) #K, options, K##_make, K##_close, K##_waitable, NULL
#define SYNC(K) #K, &sync_options, K##_make, K##_close, K##_waitable, K##_wait

const struct kind kinds_of_handles[] = {
    [MMF_KIND_MAP] = {"map", &map_options, map_make, map_close, NULL, NULL},
    [MMF_KIND_MUTEX] = {SYNC(mutex)},
    [MMF_KIND_EVENT] = {SYNC(event)},
    [MMF_KIND_SEMAPHORE] = {SYNC(semaphore)},
    [MMF_KIND_QUEUE] = {CHANNEL(queue, &channel_options)},
    [MMF_KIND_TOPIC] = {CHANNEL(topic, &channel_options)},
    [MMF_KIND_LATEST] = {CHANNEL(latest, &channel_options)},
    [MMF_KIND_SERVICE] = {CHANNEL(service, &service_options)},
    [ACCESSOR] = {VIEW(accessor)},
    [STREAM] = {VIEW(stream)},
    [WAITABLE] = {"waitable", &sync_options, waitable_make, waitable_close,
                  waitable_itself, NULL},
    [OPEN_FILE] = {"file", NULL, NULL, close_open_file, NULL, NULL},
    [BYTES] = {"bytes", NULL, NULL, NULL, NULL, NULL},
    [POLLER] = {"poller", NULL, NULL, poller_close, NULL, NULL}};

int
kind_named(const char *name)
{
    for (int kind = MMF_KIND_MAP; kind <= POLLER; kind++)
        if (strcmp(kinds_of_handles[kind].name, name) == 0)
            return kind;
    complain("no such kind", name);
}

/* `wraps=1`: a channel begins as if it had been used for long. */
static int
reopen_near_the_end(struct call *call, int kind, struct making *m)
{
    struct hold *held = hold_channel(text_at(call, m->first));
    int status;

    kinds_of_handles[kind].close(m->object);
    if (held == NULL || !put_near_the_end(held, kind == MMF_KIND_QUEUE))
        complain("the channel cannot be written", "wraps");
    m->how = "open";
    status = kinds_of_handles[kind].make(call, m);
    release_hold(held);
    return status;
}

/*
 * Calls.
 */

static bool
wraps(const struct call *call)
{
    const char *value = option_of(call, "wraps");

    return value != NULL && atoi(value) != 0;
}

static int
make(struct call *call, const char *kind_name, const char *how, int first)
{
    int kind = kind_named(kind_name), status;
    struct making making = {how, first, NULL, NO_HANDLE};
    void *options;

    if (kinds_of_handles[kind].make == NULL)
        complain("a handle of this kind is made by other calls", kind_name);
    making.options = options = options_of(call, kinds_of_handles[kind].options);
    status = kinds_of_handles[kind].make(call, &making);
    if (status == MMF_OK && wraps(call))
        status = reopen_near_the_end(call, kind, &making);
    free(options);
    keep_handle(call, kind, status, making.object);
    return status;
}

STATUS_CALL(kind, make(call, call->words[0], "", 1))

STATUS_CALL(new_or_open, make(call, text_at(call, 1), call->words[0], 2))

/* Of the null pointer: of each kind one, as often as one likes. */
static int
call_close(struct call *call)
{
    struct handle handle = forget_handle(text_at(call, 1));

    if (handle.kind == 0)
        for (int kind = MMF_KIND_MAP; kind <= WAITABLE; kind++)
            kinds_of_handles[kind].close(NULL);
    else if (kinds_of_handles[handle.kind].close != NULL)
        kinds_of_handles[handle.kind].close(handle.object);
    return MMF_OK;
}

struct handle
view_at(const struct call *call, int i)
{
    struct handle handle = handle_of(text_at(call, i));
    const char *kind = option_of(call, "kind");

    if (kind != NULL)
        handle.kind = kind_named(kind);
    return handle;
}

mmf_waitable *
waitable_at(const struct call *call, int i)
{
    struct handle handle = view_at(call, i);

    if (handle.kind == 0)
        return NULL;
    if (kinds_of_handles[handle.kind].waitable == NULL)
        complain("a handle that cannot be waited for", call->words[i]);
    return kinds_of_handles[handle.kind].waitable(handle.object);
}

/* By the kind's own function. */
static int
call_wait(struct call *call)
{
    struct handle handle = view_at(call, 1);

    if (handle.kind == 0 || kinds_of_handles[handle.kind].wait == NULL)
        complain("a handle that has no wait of its own", call->words[1]);
    return kinds_of_handles[handle.kind].wait(handle.object, ms_at(call, 2));
}

const struct named_call kind_calls[] = {ALIAS(map, kind),
                                        ALIAS(mutex, kind),
                                        ALIAS(event, kind),
                                        ALIAS(semaphore, kind),
                                        ALIAS(queue, kind),
                                        ALIAS(topic, kind),
                                        ALIAS(latest, kind),
                                        ALIAS(service, kind),
                                        ALIAS(accessor, kind),
                                        ALIAS(stream, kind),
                                        ALIAS(new, new_or_open),
                                        ALIAS(open, new_or_open),
                                        CALL(close),
                                        CALL(wait),
                                        {NULL, NULL}};
