/*
 * object.c - channels: a named section with a ring of slots in it, and the kernel
 * objects beside it.
 *
 *   Q            the name guard: a timer that never goes off
 *   Q:mmf:data   the section; there is a channel if it is there (channel_page.h)
 *   Q:mmf:tN     says that the drawer of ticket N lives (store/ticket.c)
 *   Q:mmf:m0 ..  the tokens that sleepers wait for (tokens.c)
 *
 * Each handle has a ticket and mappings of its own. A section whose page is unfinished
 * has a creator that is busy or stopped; if it was killed, the section is gone as soon
 * as no process that waits for it has it open.
 */
#include <stdlib.h>
#include <windows.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/os.h"
#include "os/windows/channel/handle.h"
#include "os/windows/channel/mapping.h"
#include "os/windows/store/explain.h"
#include "os/windows/sys/clock.h"

mmf_atomic_u32 mmf_os_forks; /* stays 0: no process forks here */

/*
 * The name guard. While it is there the kernel refuses the name to maps, mutexes and all
 * other kinds, and the reverse. It has no state: each handle on the channel has one on
 * the guard, and it does not matter which process made it. Programs that do not know mmf
 * may have made it, too: it does not say that there is a channel.
 */

/* A handle on the guard, which may be new; to be closed. NULL with GetLastError(). */
static HANDLE
take_guard(struct mmf_subobject_name *name)
{
    return CreateWaitableTimerExW(NULL, mmf_subobject_channel(name), 0, SYNCHRONIZE);
}

/* Whether there is one. Else GetLastError() says whether another object is. */
static bool
has_guard(struct mmf_subobject_name *name)
{
    HANDLE timer = OpenWaitableTimerW(SYNCHRONIZE, FALSE, mmf_subobject_channel(name));

    if (timer == NULL)
        return false;
    CloseHandle(timer);
    return true;
}

/*
 * Handles.
 */

static void
close_if_open(HANDLE *object)
{
    if (*object != NULL)
        CloseHandle(*object);
    *object = NULL;
}

/* Close the section and what is in it. */
static void
close_section(struct mmf_channel_handle *handle)
{
    mmf_channel_unmap(handle);
    close_if_open(&handle->section);
}

static void
close_client_tokens(struct mmf_channel_handle *handle)
{
    for (uint32_t i = 0;
         handle->client_tokens != NULL && i < handle->ring.shape.max_senders; i++) {
        mmf_tokens_close(&handle->client_tokens[i][0]);
        mmf_tokens_close(&handle->client_tokens[i][1]);
    }
    free(handle->client_tokens);
}

/* The guard after the section: while there is a channel, its name is taken. */
static void
destroy(struct mmf_channel_handle *handle)
{
    mmf_tokens_close(&handle->message_tokens);
    mmf_tokens_close(&handle->space_tokens);
    close_client_tokens(handle);
    close_section(handle);
    close_if_open(&handle->guard);
    mmf_ticket_close(&handle->ticket);
    mmf_subobject_name_free(&handle->name);
    free(handle);
}

/* NULL with a status. */
static struct mmf_channel_handle *
new_handle(const struct mmf_name *name, int *rc)
{
    struct mmf_channel_handle *handle = calloc(1, sizeof(*handle));

    MMF_ASSERT(name != NULL);
    if (handle == NULL) {
        *rc = mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on a channel");
        return NULL;
    }
    *rc = mmf_subobject_name_make(name, &handle->name);
    if (*rc < 0) {
        free(handle);
        return NULL;
    }
    return handle;
}

/* Owns the handle, also on failure. */
static int
finish(struct mmf_channel_handle *handle, int rc, struct mmf_os_channel **out)
{
    MMF_ASSERT(out != NULL);
    if (rc < 0) {
        destroy(handle);
        return rc;
    }
    handle->ops = mmf_channel_ops_for(handle);
    handle->channel.ring = &handle->ring;
    handle->channel.ops = &handle->ops;
    *out = &handle->channel;
    return MMF_OK;
}

/* Only a service has some. */
static int
make_client_tokens(struct mmf_channel_handle *handle)
{
    const struct mmf_ring_shape *shape = &handle->ring.shape;

    if (!mmf_ring_is_service(shape))
        return MMF_OK;
    handle->client_tokens = calloc(shape->max_senders, sizeof(*handle->client_tokens));
    return handle->client_tokens != NULL
               ? MMF_OK
               : mmf_fail(MMF_E_NO_MEMORY, "no memory for the tokens of %u clients",
                          shape->max_senders);
}

/* What a handle has that takes part; the ring is mapped and the name is guarded. */
static int
become_participant(struct mmf_channel_handle *handle)
{
    struct mmf_channel_page_shared *page = handle->head;
    const struct mmf_ring_shape *shape = &handle->ring.shape;
    int rc;

    MMF_ASSERT(handle->guard != NULL && page != NULL && handle->ticket.number == 0);
    rc = mmf_tokens_open(&handle->message_tokens, &handle->name, L'm', 0,
                         &page->message_sleepers, shape->max_receivers);
    if (rc == MMF_OK)
        rc = mmf_tokens_open(&handle->space_tokens, &handle->name, L's', 0,
                             &page->space_sleepers, shape->max_senders);
    if (rc == MMF_OK)
        rc = make_client_tokens(handle);
    if (rc == MMF_OK)
        rc = mmf_ticket_draw(&page->tickets, &handle->name, &handle->ticket);
    if (rc < 0)
        return rc;
    handle->ring.identity = handle->ticket.number << MMF_IDENTITY_HANDLE_BITS;
    handle->ring.pid = GetCurrentProcessId();
    return MMF_OK;
}

static enum mmf_channel_purpose
purpose_of(const struct mmf_os_channel_request *request)
{
    return request->only_reads_slots ? MMF_CHANNEL_TAKE_PART_READING
                                     : MMF_CHANNEL_TAKE_PART;
}

static int
fail_wrong_kind(const char *verb, mmf_kind kind, uint32_t found,
                const struct mmf_name *name)
{
    return mmf_fail(MMF_E_WRONG_KIND, "%s %s \"%.200s\": the name belongs to a %s",
                    verb, mmf_kind_name(kind), name->given,
                    mmf_kind_name((mmf_kind)found));
}

/*
 * Creating.
 */

/* Another process was faster; with a channel of this kind, if it has finished it. */
static int
fail_taken(const struct mmf_channel_handle *handle,
           const struct mmf_os_channel_request *request)
{
    struct mmf_channel_facts facts;
    int rc = mmf_channel_read_page(handle, request->name, &facts);

    if (rc == MMF_OK && facts.kind != (uint32_t)request->kind)
        return fail_wrong_kind("create", request->kind, facts.kind, request->name);
    return mmf_explain_exists(request->kind, request->name);
}

static int
create_section(struct mmf_channel_handle *handle,
               const struct mmf_os_channel_request *request)
{
    uint64_t size = mmf_channel_section_size(request->shape);

    MMF_ASSERT(handle->section == NULL);
    SetLastError(ERROR_SUCCESS);
    handle->section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
                                         (DWORD)(size >> 32), (DWORD)size,
                                         mmf_subobject_data(&handle->name));
    if (handle->section == NULL)
        return mmf_explain_create(request->kind, request->name);
    if (GetLastError() == ERROR_ALREADY_EXISTS)
        return fail_taken(handle, request);
    return MMF_OK;
}

static int
create(struct mmf_channel_handle *handle, const struct mmf_os_channel_request *request)
{
    int rc;

    handle->guard = take_guard(&handle->name);
    if (handle->guard == NULL)
        return mmf_explain_create(request->kind, request->name);
    rc = create_section(handle, request);
    if (rc == MMF_OK)
        rc = mmf_channel_map(handle, request->shape, purpose_of(request));
    if (rc < 0)
        return rc;
    mmf_channel_page_write(handle->head, (uint32_t)request->kind, request->shape,
                           GetCurrentProcessId(), mmf_clock_wall());
    return become_participant(handle);
}

int64_t
mmf_os_channel_size(const struct mmf_ring_shape *shape)
{
    return (int64_t)mmf_channel_section_size(shape);
}

int
mmf_os_channel_create(const struct mmf_os_channel_request *request,
                      struct mmf_os_channel **out)
{
    int rc;
    struct mmf_channel_handle *handle = new_handle(request->name, &rc);

    MMF_ASSERT(request->shape != NULL &&
               mmf_ring_object_kind(request->shape) == request->kind);
    return handle == NULL ? rc : finish(handle, create(handle, request), out);
}

/*
 * Opening.
 */

/* There is no channel of the name; is there another object? */
static int
fail_absent(struct mmf_channel_handle *handle, mmf_kind kind,
            const struct mmf_name *name)
{
    if (has_guard(&handle->name))
        SetLastError(ERROR_FILE_NOT_FOUND);
    return mmf_explain_open(kind, name);
}

static int
open_section(struct mmf_channel_handle *handle, mmf_kind kind,
             const struct mmf_name *name, enum mmf_channel_purpose purpose)
{
    MMF_ASSERT(handle->section == NULL);
    handle->section = OpenFileMappingW(mmf_channel_access(purpose), FALSE,
                                       mmf_subobject_data(&handle->name));
    if (handle->section != NULL)
        return MMF_OK;
    if (GetLastError() == ERROR_FILE_NOT_FOUND)
        return fail_absent(handle, kind, name);
    return mmf_explain_open(kind, name);
}

/* Map a section that is there, if it has a channel of this kind. */
static int
map_section(struct mmf_channel_handle *handle, mmf_kind kind,
            const struct mmf_name *name, enum mmf_channel_purpose purpose)
{
    struct mmf_channel_facts facts;
    int rc = mmf_channel_read_page(handle, name, &facts);

    if (rc < 0)
        return rc;
    if (facts.kind != (uint32_t)kind)
        return fail_wrong_kind("open", kind, facts.kind, name);
    return mmf_channel_map(handle, &facts.shape, purpose);
}

/* One try. A section that was opened for it in vain is closed: see the top. */
static int
try_open(struct mmf_channel_handle *handle, mmf_kind kind, const struct mmf_name *name,
         enum mmf_channel_purpose purpose)
{
    int rc = open_section(handle, kind, name, purpose);

    if (rc == MMF_OK)
        rc = map_section(handle, kind, name, purpose);
    if (rc < 0)
        close_section(handle);
    return rc;
}

/* Another process needs microseconds to finish a page, unless it is stopped. */
static int
open_finished(struct mmf_channel_handle *handle, mmf_kind kind,
              const struct mmf_name *name, enum mmf_channel_purpose purpose)
{
    struct mmf_backoff backoff = {.pause = 20000, .longest = 16000000};
    mmf_error before;
    int rc;

    mmf_fail_keep(&before);
    backoff.deadline = mmf_backoff_deadline(mmf_os_now(), MMF_OS_BACKOFF_MS);
    do
        rc = try_open(handle, kind, name, purpose);
    while (rc == MMF_E_BUSY && mmf_os_pause(&backoff));
    return mmf_fail_settle(rc, &before);
}

static int
guard_name(struct mmf_channel_handle *handle, mmf_kind kind,
           const struct mmf_name *name)
{
    MMF_ASSERT(handle->guard == NULL);
    handle->guard = take_guard(&handle->name);
    return handle->guard != NULL ? MMF_OK : mmf_explain_open(kind, name);
}

static int
open_for(enum mmf_channel_purpose purpose, mmf_kind kind, const struct mmf_name *name,
         struct mmf_os_channel **out)
{
    int rc;
    struct mmf_channel_handle *handle = new_handle(name, &rc);

    if (handle == NULL)
        return rc;
    rc = open_finished(handle, kind, name, purpose);
    if (rc == MMF_OK && mmf_channel_takes_part(purpose))
        rc = guard_name(handle, kind, name);
    if (rc == MMF_OK && mmf_channel_takes_part(purpose))
        rc = become_participant(handle);
    return finish(handle, rc, out);
}

int
mmf_os_channel_open(const struct mmf_os_channel_request *request,
                    struct mmf_os_channel **out)
{
    return open_for(purpose_of(request), request->kind, request->name, out);
}

int
mmf_os_channel_inspect(const struct mmf_name *name, mmf_kind kind,
                       struct mmf_os_channel **out)
{
    return open_for(MMF_CHANNEL_INSPECT, kind, name, out);
}

int
mmf_os_channel_read(struct mmf_os_channel *channel, uint64_t at, void *into,
                    size_t count)
{
    const struct mmf_ring *ring = channel->ring;
    uint64_t slots_at = mmf_ring_slots_offset(&ring->shape);

    memcpy(into,
           at < slots_at ? (const uint8_t *)ring->shared + at
                         : ring->slots + (at - slots_at),
           count);
    return MMF_OK;
}

/*
 * The end.
 */

void
mmf_os_channel_close(struct mmf_os_channel *channel)
{
    MMF_ASSERT(mmf_os_channel_is_alive(channel));
    destroy(mmf_channel_handle_of(channel));
}

int
mmf_os_channel_fail_dead(void)
{
    return mmf_fail(MMF_E_DISPOSED, "the channel's handle is dead");
}
