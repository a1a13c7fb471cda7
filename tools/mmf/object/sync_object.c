/* sync_object.c - see sync_object.h. */
#include "object/sync_object.h"

#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "base/text.h"
#include "base/turns.h"
#include "object/kinds.h"
#include "object/objects.h"
#include "os/os.h"

static int
open_event(struct sync_object *object)
{
    int rc = mmf_event_open_existing(object->name, NULL, &object->event);

    object->waitable = mmf_event_waitable(object->event);
    return rc;
}

static int
open_mutex(struct sync_object *object)
{
    int rc = mmf_mutex_open_existing(object->name, NULL, &object->mutex);

    object->waitable = mmf_mutex_waitable(object->mutex);
    return rc;
}

static int
open_semaphore(struct sync_object *object)
{
    int rc = mmf_semaphore_open_existing(object->name, NULL, &object->semaphore);

    object->waitable = mmf_semaphore_waitable(object->semaphore);
    return rc;
}

static const struct {
    mmf_kind kind;
    int (*open)(struct sync_object *object);
} kinds[] = {{MMF_KIND_EVENT, open_event},
             {MMF_KIND_MUTEX, open_mutex},
             {MMF_KIND_SEMAPHORE, open_semaphore}};

void
sync_object_open(const char *name, struct sync_object *object)
{
    int rc = MMF_E_WRONG_KIND;

    memset(object, 0, sizeof(*object));
    object->name = name;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == MMF_E_WRONG_KIND;
         i++) {
        rc = kinds[i].open(object);
        object->kind = kinds[i].kind;
    }
    if (rc == MMF_E_WRONG_KIND)
        say_and_exit(TOOL_WRONG_KIND,
                     "\"%s\" is neither a mutex nor an event nor a semaphore", name);
    say_check(rc);
}

void
sync_object_close(struct sync_object *object)
{
    mmf_mutex_close(object->mutex);
    mmf_event_close(object->event);
    mmf_semaphore_close(object->semaphore);
}

/*
 * Waiting.
 */

enum { NOTIFY_AFTER_MS = 1000 };

static int
wait_once(mmf_waitable *const *objects, int count, int all, int32_t timeout_ms,
          int *index)
{
    if (all)
        return mmf_wait_all(objects, count, timeout_ms);
    return mmf_wait_any(objects, count, timeout_ms, index);
}

int
sync_object_wait(mmf_waitable *const *objects, int count, int all, int32_t timeout_ms,
                 int *index, void (*notify)(void *payload), void *payload)
{
    struct turns turns = turns_begin(timeout_ms);
    int rc = MMF_TIMED_OUT;
    int32_t turn;

    while (rc == MMF_TIMED_OUT && (turn = turns_next(&turns)) >= 0) {
        rc = wait_once(objects, count, all, turn, index);
        if (rc == MMF_TIMED_OUT && notify != NULL &&
            turns_waited(&turns) >= NOTIFY_AFTER_MS) {
            notify(payload);
            notify = NULL;
        }
    }
    return rc;
}

void
sync_object_report(const char *name)
{
    const mmf_object_info *info;
    struct objects objects;

    if (!os_is_terminal(stderr) ||
        objects_try(&objects, objects_own, MMF_LIST_HOLDERS | MMF_LIST_KEEP_ORPHANED) <
            0)
        return;
    info = objects_find(&objects, name);
    if (info != NULL) {
        char *state = kinds_state(info);

        say("waiting for \"%s\": %s", name, state);
        free(state);
    }
    objects_close(&objects);
}
