/*
 * sync.c - the actor's calls on mutexes, events and semaphores, and waits for any object.
 */
#include "harness/actor/actor.h"

#include <stdlib.h>
#include <string.h>

STATUS_CALL(wait_one, mmf_wait_one(waitable_at(call, 1), ms_at(call, 2)))

/* With options: another count, no array, no index. */
static int
call_wait_several(struct call *call)
{
    mmf_waitable *space[2 * MMF_WAIT_MAXIMUM] = {NULL};
    mmf_waitable **objects = unless_null(call, "array", space);
    int last = plain_count(call) - 1, count = last - 1, index = UNTOUCHED, status;
    int32_t timeout = ms_at(call, last);

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

STATUS_CALL(signal_and_wait, mmf_signal_and_wait(waitable_at(call, 1),
                                                 waitable_at(call, 2), ms_at(call, 3)))

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

const struct named_call sync_calls[] = {CALL(wait_one),
                                        ALIAS(wait_any, wait_several),
                                        ALIAS(wait_all, wait_several),
                                        CALL(signal_and_wait),
                                        ALIAS(set, set_or_reset),
                                        ALIAS(reset, set_or_reset),
                                        CALL(release),
                                        CALL(signal),
                                        CALL(guard),
                                        {NULL, NULL}};
