/*
 * sync.c - the actor's calls on mutexes, events, semaphores, and the waits.
 */
#include "harness/actor/actor.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"",      "map",   "mutex",  "event",   "semaphore",
                                    "queue", "topic", "latest", "service", NULL};
static const char *const modes[] = {"auto", "manual", NULL};

/* The options among the words; NULL if no option is there. */
static const mmf_sync_options *
options_of(const struct call *call, mmf_sync_options *options)
{
    const char *all_users = option_of(call, "all_users");
    const char *this_user_only = option_of(call, "this_user_only");
    const char *mode = option_of(call, "mode"), *wait_ms = option_of(call, "wait_ms");

    if (all_users == NULL && this_user_only == NULL && mode == NULL && wait_ms == NULL)
        return NULL;
    mmf_sync_options_init(options);
    options->all_users = all_users != NULL ? atoi(all_users) : 0;
    options->this_user_only = this_user_only != NULL ? atoi(this_user_only) : 0;
    options->mode = mode != NULL ? (uint32_t)strtoul(mode, NULL, 8) : 0;
    options->wait_ms = wait_ms != NULL ? atoi(wait_ms) : 0;
    return options;
}

/* A mutex needs no word for whether it is owned. */
static int
owned_at(const struct call *call, int i)
{
    return i < call->count && strchr(call->words[i], '=') == NULL
               ? (int)number_at(call, i)
               : 0;
}

static int
make_mutex(struct call *call, const char *how, int first)
{
    mmf_sync_options space;
    const mmf_sync_options *options = options_of(call, &space);
    const char *name = text_at(call, first);
    mmf_mutex *mutex = NO_HANDLE;
    int created = UNTOUCHED, status;

    if (strcmp(how, "open") == 0)
        status = mmf_mutex_open_existing(name, options, &mutex);
    else if (strcmp(how, "new") == 0)
        status = mmf_mutex_create_new(name, owned_at(call, first + 1), options, &mutex);
    else {
        status = mmf_mutex_create_or_open(name, owned_at(call, first + 1), options,
                                          &created, &mutex);
        say_output(call, "created", created);
    }
    keep_handle(call, MMF_KIND_MUTEX, status, mutex);
    return status;
}

static int
make_event(struct call *call, const char *how, int first)
{
    mmf_sync_options space;
    const mmf_sync_options *options = options_of(call, &space);
    const char *name = text_at(call, first);
    mmf_event *event = NO_HANDLE;
    mmf_event_mode mode;
    int created = UNTOUCHED, state, status;

    if (strcmp(how, "open") == 0) {
        status = mmf_event_open_existing(name, options, &event);
        keep_handle(call, MMF_KIND_EVENT, status, event);
        return status;
    }
    mode = (mmf_event_mode)choice_of(text_at(call, first + 1), modes);
    state = (int)number_at(call, first + 2);
    if (strcmp(how, "new") == 0) {
        status = mmf_event_create_new(name, state, mode, options, &event);
    } else {
        status = mmf_event_create_or_open(name, state, mode, options, &created, &event);
        say_output(call, "created", created);
    }
    keep_handle(call, MMF_KIND_EVENT, status, event);
    return status;
}

static int
make_semaphore(struct call *call, const char *how, int first)
{
    mmf_sync_options space;
    const mmf_sync_options *options = options_of(call, &space);
    const char *name = text_at(call, first);
    mmf_semaphore *semaphore = NO_HANDLE;
    int32_t initial, maximum;
    int created = UNTOUCHED, status;

    if (strcmp(how, "open") == 0) {
        status = mmf_semaphore_open_existing(name, options, &semaphore);
        keep_handle(call, MMF_KIND_SEMAPHORE, status, semaphore);
        return status;
    }
    initial = (int32_t)number_at(call, first + 1);
    maximum = (int32_t)number_at(call, first + 2);
    if (strcmp(how, "new") == 0) {
        status = mmf_semaphore_create_new(name, initial, maximum, options, &semaphore);
    } else {
        status = mmf_semaphore_create_or_open(name, initial, maximum, options, &created,
                                              &semaphore);
        say_output(call, "created", created);
    }
    keep_handle(call, MMF_KIND_SEMAPHORE, status, semaphore);
    return status;
}

/* `first` is the place of the name. */
static int
make_kind(struct call *call, const char *kind, const char *how, int first)
{
    int number = choice_of(kind, kinds);

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

static mmf_waitable *
waitable_at(const struct call *call, int i)
{
    struct handle handle = handle_of(text_at(call, i));

    switch (handle.kind) {
    case 0:
        return NULL;
    case MMF_KIND_MUTEX:
        return mmf_mutex_waitable(handle.object);
    case MMF_KIND_EVENT:
        return mmf_event_waitable(handle.object);
    case MMF_KIND_SEMAPHORE:
        return mmf_semaphore_waitable(handle.object);
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
    struct handle handle = handle_of(text_at(call, 1));
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

static int
call_wait_several(struct call *call)
{
    mmf_waitable *objects[MAX_WORDS];
    int count = call->count - 2, index = UNTOUCHED, status;
    int32_t timeout = (int32_t)number_at(call, call->count - 1);

    for (int i = 0; i < count; i++)
        objects[i] = waitable_at(call, i + 1);
    if (strcmp(call->words[0], "wait_all") == 0)
        return mmf_wait_all(objects, count, timeout);
    status = mmf_wait_any(objects, count, timeout, &index);
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
    struct handle handle = handle_of(text_at(call, 1));

    if (handle.kind != 0 && handle.kind != MMF_KIND_EVENT)
        complain("only an event can be set", call->words[1]);
    return strcmp(call->words[0], "set") == 0 ? mmf_event_set(handle.object)
                                              : mmf_event_reset(handle.object);
}

static int
call_release(struct call *call)
{
    struct handle handle = handle_of(text_at(call, 1));
    int32_t previous = UNTOUCHED;
    int status;

    if (is_channel(handle.kind))
        return release_message(call);
    if (handle.kind == MMF_KIND_MUTEX)
        return mmf_mutex_release(handle.object);
    status =
        mmf_semaphore_release(handle.object, (int32_t)number_at(call, 2), &previous);
    say_output(call, "previous", previous);
    return status;
}

/* What lets one waiter go on, whatever the kind: release, set, release 1. */
static int
call_signal(struct call *call)
{
    struct handle handle = handle_of(text_at(call, 1));

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
                                        {NULL, NULL}};
