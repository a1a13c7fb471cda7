/*
 * poller.c - many objects, one descriptor.
 *
 * What is notified is looked at. An object that is available stays `hot`, and the poller
 * readable, until a look finds it taken; so does one of which a participant may just have
 * died, for a while, since a kill shows a moment before the kernel drops the locks.
 */
#include <mmf/poller.h>

#include <stdbool.h>
#include <stdlib.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "channel/channel.h"
#include "waitable.h"

/* So many events are noted in one call, since other processes may go on all the time. */
enum { MOST_EVENTS = 4096 };

/* How long a death takes to show, and how often it is looked for; nanoseconds. */
#define DEATH_SETTLES_NS ((int64_t)5000000)
#define SETTLE_PAUSE_NS ((int64_t)1000000)

struct entry {
    mmf_waitable *object;
    void *data;
    int key;
    bool is_hot;
    int64_t settles_until; /* 0: nothing has died */
};

struct mmf_poller {
    struct mmf_os_poller *os;
    struct entry *entries;
    size_t count;
    size_t room;
    size_t first; /* where the next call begins */
    uint32_t forks_before;
};

int
mmf_poller_create(mmf_poller **out)
{
    struct mmf_poller *poller;
    int rc;

    if (out == NULL)
        return mmf_fail_null("out");
    poller = calloc(1, sizeof(*poller));
    if (poller == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for a poller");
    rc = mmf_os_poller_create(&poller->os);
    if (rc < 0) {
        free(poller);
        return rc;
    }
    poller->forks_before = mmf_load_relaxed_u32(&mmf_os_forks);
    *out = poller;
    return MMF_OK;
}

void
mmf_poller_close(mmf_poller *poller)
{
    if (poller == NULL)
        return;
    mmf_os_poller_close(poller->os);
    free(poller->entries);
    free(poller);
}

/* The set is the parent's, too: a child that changed it would change the parent's. */
static int
check(const mmf_poller *poller)
{
    if (poller == NULL)
        return mmf_fail_null("poller");
    if (mmf_load_relaxed_u32(&mmf_os_forks) != poller->forks_before)
        return mmf_fail(MMF_E_DISPOSED,
                        "this poller is of before the fork: make another");
    return MMF_OK;
}

static struct entry *
find(const mmf_poller *poller, const mmf_waitable *object)
{
    for (size_t i = 0; i < poller->count; i++) {
        if (poller->entries[i].object == object)
            return &poller->entries[i];
    }
    return NULL;
}

static int
make_room(mmf_poller *poller)
{
    size_t room = poller->room == 0 ? 16 : 2 * poller->room;
    struct entry *entries;

    if (poller->count < poller->room)
        return MMF_OK;
    entries = realloc(poller->entries, room * sizeof(*entries));
    if (entries == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory for %zu objects of a poller", room);
    poller->entries = entries;
    poller->room = room;
    return MMF_OK;
}

static int
watch(const mmf_waitable *object, struct mmf_os_watch *out)
{
    int rc = mmf_waitable_check(object);

    if (rc < 0)
        return rc;
    return object->channel != NULL ? mmf_os_channel_watch(object->channel->os, out)
                                   : mmf_os_sync_watch(object->sync, out);
}

/* Another handle of the same file needs the watch. */
static bool
is_watched(const mmf_poller *poller, int key)
{
    for (size_t i = 0; i < poller->count; i++) {
        if (poller->entries[i].key == key)
            return true;
    }
    return false;
}

static void
unwatch(mmf_poller *poller, int key)
{
    if (!is_watched(poller, key))
        mmf_os_poller_remove(poller->os, key);
}

int
mmf_poller_add(mmf_poller *poller, mmf_waitable *object, void *data)
{
    struct entry entry = {.object = object, .data = data, .is_hot = true};
    struct mmf_os_watch watched;
    int rc = check(poller);

    if (rc == MMF_OK && object == NULL)
        rc = mmf_fail_null("object");
    if (rc == MMF_OK && find(poller, object) != NULL)
        rc = mmf_fail(MMF_E_EXISTS, "the object has been added to this poller");
    if (rc == MMF_OK)
        rc = make_room(poller);
    if (rc == MMF_OK)
        rc = watch(object, &watched);
    if (rc == MMF_OK)
        rc = mmf_os_poller_add(poller->os, &watched, &entry.key);
    if (rc < 0)
        return rc;
    rc = mmf_os_poller_again(poller->os, mmf_os_now()); /* it may be available */
    if (rc < 0)
        unwatch(poller, entry.key);
    else
        poller->entries[poller->count++] = entry;
    return rc;
}

int
mmf_poller_remove(mmf_poller *poller, mmf_waitable *object)
{
    struct entry *entry;
    int rc = check(poller);
    int key;

    if (rc == MMF_OK && object == NULL)
        rc = mmf_fail_null("object");
    if (rc < 0)
        return rc;
    entry = find(poller, object);
    if (entry == NULL)
        return mmf_fail(MMF_E_NOT_FOUND,
                        "the object has not been added to this poller");
    key = entry->key;
    *entry = poller->entries[--poller->count];
    unwatch(poller, key);
    return MMF_OK;
}

int
mmf_poller_fd(mmf_poller *poller, int *fd)
{
    int rc = check(poller);

    if (rc == MMF_OK && fd == NULL)
        rc = mmf_fail_null("fd");
    if (rc == MMF_OK)
        *fd = mmf_os_poller_fd(poller->os);
    return rc;
}

/* `key` 0: each of them. */
static void
note(mmf_poller *poller, int key, bool may_be_dead)
{
    for (size_t i = 0; i < poller->count; i++) {
        struct entry *entry = &poller->entries[i];

        if (key != 0 && entry->key != key)
            continue;
        entry->is_hot = true;
        if (may_be_dead)
            entry->settles_until = mmf_os_now() + DEATH_SETTLES_NS;
    }
}

/* False: more of them may have come meanwhile. */
static bool
note_all(mmf_poller *poller)
{
    bool may_be_dead;
    int key;

    for (int i = 0; i < MOST_EVENTS; i++) {
        if (!mmf_os_poller_next(poller->os, &key, &may_be_dead))
            return true;
        note(poller, key, may_be_dead);
    }
    return false;
}

/* A handle of before a fork is: the wait for it says what is wrong. */
static bool
is_available(const mmf_waitable *object)
{
    if (object->channel != NULL)
        return !mmf_os_channel_is_alive(object->channel->os) ||
               mmf_channel_is_available(object->channel);
    return mmf_os_sync_check_alive(object->sync) < 0 ||
           mmf_os_sync_is_available(object->sync);
}

/* When to look at it again; INT64_MAX: when it is notified. */
static int64_t
cool(struct entry *entry, int64_t now)
{
    if (now < entry->settles_until)
        return now + SETTLE_PAUSE_NS;
    entry->settles_until = 0;
    entry->is_hot = false;
    return INT64_MAX;
}

int
mmf_poller_ready(mmf_poller *poller, void **data, size_t most, size_t *count)
{
    int64_t now, again = INT64_MAX;
    int rc = check(poller);
    size_t found = 0, begin;

    if (rc == MMF_OK && (data == NULL || count == NULL))
        rc = mmf_fail_null(data == NULL ? "data" : "count");
    if (rc == MMF_OK && most == 0)
        rc = mmf_fail_argument(MMF_E_RANGE, "most",
                               "invalid number of objects 0: 1 or more");
    if (rc < 0)
        return rc;
    now = mmf_os_now();
    if (!note_all(poller))
        again = now;
    begin = poller->first;
    for (size_t i = 0; i < poller->count; i++) {
        size_t at = (begin + i) % poller->count;
        struct entry *entry = &poller->entries[at];
        int64_t then = now;

        if (!entry->is_hot)
            continue;
        if (found < most && is_available(entry->object)) {
            data[found++] = entry->data;
            poller->first = at + 1;
        } else if (found < most) {
            then = cool(entry, now);
        }
        again = then < again ? then : again;
    }
    if (again < INT64_MAX)
        rc = mmf_os_poller_again(poller->os, again);
    if (rc == MMF_OK)
        *count = found;
    return rc;
}
