/*
 * sync.c - the actor's calls on mutexes, events, semaphores, and the waits.
 */
#include "harness/actor/actor.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"",      "map",   "mutex",  "event",   "semaphore",
                                    "queue", "topic", "latest", "service", NULL};
static const char *const modes[] = {"auto", "manual", NULL};

/* Options as of a later version, which has more of them. */
struct options {
    mmf_sync_options now;
    uint32_t later[20];
};

static int32_t
option_number(const struct call *call, const char *key, int base)
{
    const char *value = option_of(call, key);

    return value != NULL ? (int32_t)strtoll(value, NULL, base) : 0;
}

/* The options among the words; NULL if no option is there. */
static const mmf_sync_options *
options_of(const struct call *call, struct options *options)
{
    static const char *const keys[] = {"all_users", "this_user_only", "mode", "wait_ms",
                                       "size",      "later",          NULL};
    int found = 0;

    for (int i = 0; keys[i] != NULL; i++)
        found += option_of(call, keys[i]) != NULL;
    mmf_sync_options_init(NULL); /* which is allowed */
    if (found == 0)
        return NULL;
    memset(options, 0, sizeof(*options));
    memset(&options->now, 0xff, sizeof(options->now));
    mmf_sync_options_init(&options->now);
    options->now.all_users = option_number(call, "all_users", 10);
    options->now.this_user_only = option_number(call, "this_user_only", 10);
    options->now.mode = (uint32_t)option_number(call, "mode", 8);
    options->now.wait_ms = option_number(call, "wait_ms", 10);
    if (option_of(call, "size") != NULL)
        options->now.size = (uint32_t)option_number(call, "size", 10);
    options->later[19] = (uint32_t)option_number(call, "later", 10);
    return &options->now;
}

/* A mutex needs no word for whether it is owned. */
static int
owned_at(const struct call *call, int i)
{
    return i < plain_count(call) ? (int)number_at(call, i) : 0;
}

static int
make_mutex(struct call *call, const char *how, int first)
{
    struct options space;
    const mmf_sync_options *options = options_of(call, &space);
    const char *name = text_at(call, first);
    mmf_mutex *mutex = NO_HANDLE, **out = unless_null(call, "out", &mutex);
    int created = UNTOUCHED, status;

    if (strcmp(how, "open") == 0)
        status = mmf_mutex_open_existing(name, options, out);
    else if (strcmp(how, "new") == 0)
        status = mmf_mutex_create_new(name, owned_at(call, first + 1), options, out);
    else {
        status = mmf_mutex_create_or_open(name, owned_at(call, first + 1), options,
                                          unless_null(call, "created", &created), out);
        say_output(call, "created", created);
    }
    keep_handle(call, MMF_KIND_MUTEX, status, mutex);
    return status;
}

static int
make_event(struct call *call, const char *how, int first)
{
    struct options space;
    const mmf_sync_options *options = options_of(call, &space);
    const char *name = text_at(call, first);
    mmf_event *event = NO_HANDLE, **out = unless_null(call, "out", &event);
    mmf_event_mode mode;
    int created = UNTOUCHED, state, status;

    if (strcmp(how, "open") == 0) {
        status = mmf_event_open_existing(name, options, out);
        keep_handle(call, MMF_KIND_EVENT, status, event);
        return status;
    }
    mode = (mmf_event_mode)choice_of(text_at(call, first + 1), modes);
    state = (int)number_at(call, first + 2);
    if (strcmp(how, "new") == 0) {
        status = mmf_event_create_new(name, state, mode, options, out);
    } else {
        status = mmf_event_create_or_open(name, state, mode, options,
                                          unless_null(call, "created", &created), out);
        say_output(call, "created", created);
    }
    keep_handle(call, MMF_KIND_EVENT, status, event);
    return status;
}

static int
make_semaphore(struct call *call, const char *how, int first)
{
    struct options space;
    const mmf_sync_options *options = options_of(call, &space);
    const char *name = text_at(call, first);
    mmf_semaphore *semaphore = NO_HANDLE, **out = unless_null(call, "out", &semaphore);
    int32_t initial, maximum;
    int created = UNTOUCHED, status;

    if (strcmp(how, "open") == 0) {
        status = mmf_semaphore_open_existing(name, options, out);
        keep_handle(call, MMF_KIND_SEMAPHORE, status, semaphore);
        return status;
    }
    initial = (int32_t)number_at(call, first + 1);
    maximum = (int32_t)number_at(call, first + 2);
    if (strcmp(how, "new") == 0) {
        status = mmf_semaphore_create_new(name, initial, maximum, options, out);
    } else {
        status =
            mmf_semaphore_create_or_open(name, initial, maximum, options,
                                         unless_null(call, "created", &created), out);
        say_output(call, "created", created);
    }
    keep_handle(call, MMF_KIND_SEMAPHORE, status, semaphore);
    return status;
}

/* A mutex, an event or a semaphore, whichever it is. */
static int
open_waitable(struct call *call, int first)
{
    struct options space;
    const mmf_sync_options *options = options_of(call, &space);
    mmf_waitable *object = NO_HANDLE;
    mmf_kind kind = (mmf_kind)UNTOUCHED;
    int status = mmf_waitable_open_existing(text_at(call, first), options,
                                            unless_null(call, "kind", &kind),
                                            unless_null(call, "out", &object));

    if (status >= 0)
        say_text(call, "kind", mmf_kind_name(kind));
    else
        say_output(call, "kind", kind);
    keep_handle(call, WAITABLE, status, object);
    return status;
}

/* `first` is the place of the name. */
static int
make_kind(struct call *call, const char *kind, const char *how, int first)
{
    int number = choice_of(kind, kinds);

    if (strcmp(kind, "waitable") == 0)
        return open_waitable(call, first);
    switch (number) {
    case MMF_KIND_MAP:
        return make_map(call, how, first);
    case MMF_KIND_MUTEX:
        return make_mutex(call, how, first);
    case MMF_KIND_EVENT:
        return make_event(call, how, first);
    case MMF_KIND_SEMAPHORE:
        return make_semaphore(call, how, first);
    default:
        if (!is_channel(number))
            complain("no such kind", kind);
        return make_channel(call, number, how, first);
    }
}

static int
call_kind(struct call *call)
{
    return make_kind(call, call->words[0], "", 1);
}

static int
call_new_or_open(struct call *call)
{
    return make_kind(call, text_at(call, 1), call->words[0], 2);
}

mmf_waitable *
waitable_at(const struct call *call, int i)
{
    struct handle handle = view_at(call, i);

    switch (handle.kind) {
    case 0:
        return NULL;
    case MMF_KIND_MUTEX:
        return mmf_mutex_waitable(handle.object);
    case MMF_KIND_EVENT:
        return mmf_event_waitable(handle.object);
    case MMF_KIND_SEMAPHORE:
        return mmf_semaphore_waitable(handle.object);
    case WAITABLE:
        return handle.object;
    default:
        if (!is_channel(handle.kind))
            complain("a handle that cannot be waited for", call->words[i]);
        return channel_waitable(handle.object);
    }
}

/* By the kind's own function. */
static int
call_wait(struct call *call)
{
    struct handle handle = view_at(call, 1);
    int32_t timeout = (int32_t)number_at(call, 2);

    switch (handle.kind) {
    case MMF_KIND_MUTEX:
        return mmf_mutex_wait(handle.object, timeout);
    case MMF_KIND_EVENT:
        return mmf_event_wait(handle.object, timeout);
    default:
        return mmf_semaphore_wait(handle.object, timeout);
    }
}

static int
call_wait_one(struct call *call)
{
    return mmf_wait_one(waitable_at(call, 1), (int32_t)number_at(call, 2));
}

/* With options: another count, no array, no index. */
static int
call_wait_several(struct call *call)
{
    mmf_waitable *space[2 * MMF_WAIT_MAXIMUM] = {NULL};
    mmf_waitable **objects = unless_null(call, "array", space);
    int last = plain_count(call) - 1, count = last - 1, index = UNTOUCHED, status;
    int32_t timeout = (int32_t)number_at(call, last);

    for (int i = 0; i < count; i++)
        space[i] = waitable_at(call, i + 1);
    if (option_of(call, "count") != NULL)
        count = atoi(option_of(call, "count"));
    if (strcmp(call->words[0], "wait_all") == 0)
        return mmf_wait_all(objects, count, timeout);
    status = mmf_wait_any(objects, count, timeout, unless_null(call, "index", &index));
    say_output(call, "index", index);
    return status;
}

static int
call_signal_and_wait(struct call *call)
{
    return mmf_signal_and_wait(waitable_at(call, 1), waitable_at(call, 2),
                               (int32_t)number_at(call, 3));
}

static int
call_set_or_reset(struct call *call)
{
    struct handle handle = view_at(call, 1);

    if (handle.kind != 0 && handle.kind != MMF_KIND_EVENT)
        complain("only an event can be set", call->words[1]);
    return strcmp(call->words[0], "set") == 0 ? mmf_event_set(handle.object)
                                              : mmf_event_reset(handle.object);
}

static int
call_release(struct call *call)
{
    struct handle handle = view_at(call, 1);
    int32_t previous = UNTOUCHED;
    int status;

    if (is_channel(handle.kind))
        return release_message(call);
    if (handle.kind == MMF_KIND_MUTEX)
        return mmf_mutex_release(handle.object);
    status = mmf_semaphore_release(handle.object, (int32_t)number_at(call, 2),
                                   unless_null(call, "previous", &previous));
    say_output(call, "previous", previous);
    return status;
}

/* Counts a number up, guarded by a mutex; it is no atomic one. */
static int
call_guard(struct call *call)
{
    struct handle mutex = handle_of(text_at(call, 1));
    long long count = number_at(call, 3), abandoned = 0;
    void *number;
    int status =
        mmf_accessor_pointer(handle_of(text_at(call, 2)).object, &number, NULL);

    while (status >= 0 && count-- > 0) {
        status = mmf_mutex_wait(mutex.object, MMF_INFINITE);
        if (status < 0)
            break;
        abandoned += status == MMF_ABANDONED;
        ++*(int64_t *)number;
        status = mmf_mutex_release(mutex.object);
    }
    say_number(call, "abandoned", abandoned);
    return status;
}

/* What lets one waiter go on, whatever the kind: release, set, release 1. */
static int
call_signal(struct call *call)
{
    struct handle handle = view_at(call, 1);

    switch (handle.kind) {
    case MMF_KIND_MUTEX:
        return mmf_mutex_release(handle.object);
    case MMF_KIND_EVENT:
        return mmf_event_set(handle.object);
    default:
        return mmf_semaphore_release(handle.object, 1, NULL);
    }
}

const struct named_call sync_calls[] = {{"map", call_kind},
                                        {"mutex", call_kind},
                                        {"event", call_kind},
                                        {"semaphore", call_kind},
                                        {"new", call_new_or_open},
                                        {"open", call_new_or_open},
                                        {"wait", call_wait},
                                        {"wait_one", call_wait_one},
                                        {"wait_any", call_wait_several},
                                        {"wait_all", call_wait_several},
                                        {"signal_and_wait", call_signal_and_wait},
                                        {"set", call_set_or_reset},
                                        {"reset", call_set_or_reset},
                                        {"release", call_release},
                                        {"signal", call_signal},
                                        {"guard", call_guard},
                                        {NULL, NULL}};
