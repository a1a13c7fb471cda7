/*
 * event.c - .NET's EventWaitHandle, AutoResetEvent and ManualResetEvent
 * (contract 2.10, 7.3).
 */
#include <mmf/status.h>
#include <mmf/sync.h>

#include "base/fail.h"
#include "waitable.h"

struct mmf_event {
    struct mmf_waitable waitable;
};

static int
make_request(int initial_state, mmf_event_mode mode, const void *out,
             struct mmf_os_sync_request *request)
{
    if (out == NULL)
        return mmf_fail_null("out");
    if (mode != MMF_EVENT_AUTO_RESET && mode != MMF_EVENT_MANUAL_RESET)
        return mmf_fail_argument(MMF_E_INVALID, "mode",
                                 "unknown event mode %d: MMF_EVENT_AUTO_RESET or "
                                 "_MANUAL_RESET",
                                 (int)mode);
    *request = (struct mmf_os_sync_request){.kind = MMF_KIND_EVENT,
                                            .signalled = initial_state != 0,
                                            .manual = mode == MMF_EVENT_MANUAL_RESET};
    return MMF_OK;
}

int
mmf_event_create_new(const char *name, int initial_state, mmf_event_mode mode,
                     const mmf_sync_options *options, mmf_event **out)
{
    struct mmf_os_sync_request request;
    int rc = make_request(initial_state, mode, out, &request);

    return rc < 0 ? rc : mmf_waitable_create_new(&request, name, options, out);
}

int
mmf_event_create_or_open(const char *name, int initial_state, mmf_event_mode mode,
                         const mmf_sync_options *options, int *created, mmf_event **out)
{
    struct mmf_os_sync_request request;
    int rc = make_request(initial_state, mode, out, &request);

    return rc < 0 ? rc
                  : mmf_waitable_create_or_open(&request, name, options, created, out);
}

int
mmf_event_open_existing(const char *name, const mmf_sync_options *options,
                        mmf_event **out)
{
    return mmf_waitable_open(MMF_KIND_EVENT, name, options, out);
}

int
mmf_event_wait(mmf_event *event, int32_t timeout_ms)
{
    if (event == NULL)
        return mmf_fail_argument(MMF_E_NULL, "event", "the event is NULL");
    return mmf_waitable_wait(&event->waitable, timeout_ms);
}

void
mmf_event_close(mmf_event *event)
{
    if (event != NULL)
        mmf_waitable_close(&event->waitable);
}

mmf_waitable *
mmf_event_waitable(mmf_event *event)
{
    return event != NULL ? &event->waitable : NULL;
}

int
mmf_event_set(mmf_event *event)
{
    if (event == NULL)
        return mmf_fail_argument(MMF_E_NULL, "event", "the event is NULL");
    return mmf_os_event_set(event->waitable.sync);
}

int
mmf_event_reset(mmf_event *event)
{
    if (event == NULL)
        return mmf_fail_argument(MMF_E_NULL, "event", "the event is NULL");
    return mmf_os_event_reset(event->waitable.sync);
}
