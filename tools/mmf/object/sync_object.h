/* sync_object.h - a mutex, an event or a semaphore, whichever the name belongs to. */
#ifndef MMF_TOOL_SYNC_OBJECT_H
#define MMF_TOOL_SYNC_OBJECT_H

#include <mmf/list.h>
#include <mmf/sync.h>

struct sync_object {
    const char *name;
    mmf_kind kind;
    mmf_mutex *mutex;
    mmf_event *event;
    mmf_semaphore *semaphore;
    mmf_waitable *waitable;
};

/* Open it; a failure ends the program. */
void sync_object_open(const char *name, struct sync_object *object);

void sync_object_close(struct sync_object *object);

/*
 * Wait as mmf_wait_any or mmf_wait_all for at most `timeout_ms`, in short turns, so
 * that a signal (stop.h) ends it: then it returns MMF_TIMED_OUT. `notify` is called
 * once if it takes longer than a second.
 */
int sync_object_wait(mmf_waitable *const *objects, int count, int all,
                     int32_t timeout_ms, int *index, void (*notify)(void *payload),
                     void *payload);

/* On a terminal: what is being waited for, and which process has it. */
void sync_object_report(const char *name);

#endif
