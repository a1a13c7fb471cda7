/*
 * object.c - channels: a named section with a ring of slots in it, and the kernel
 * objects beside it.
 *
 *   Q            a timer that never goes off. It takes the name for all kinds: the
 *                kernel refuses a map or a mutex "Q" then, and the reverse
 *   Q:mmf:data   the section; there is a channel if it is there (channel_page.h)
 *   Q:mmf:tN     says that the drawer of ticket N lives (ticket.c)
 *   Q:mmf:m0 ..  what sleepers wait for (doorbell.c)
 *
 * Each handle has a ticket and mappings of its own. The slots begin at a multiple of
 * 64 KiB, so those who only read them map them for that alone.
 */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "os/os.h"
#include "os/windows/channel/doorbell.h"
#include "os/windows/sys/error.h"
#include "os/windows/store/name_guard.h"
#include "os/windows/sys/backoff.h"
#include "os/windows/store/names.h"
#include "os/windows/store/ticket.h"
#include "shared/ring/channel_page.h"
#include "shared/ring/wait.h"

struct handle {
    struct mmf_os_channel channel; /* what the objects see of it */
    struct mmf_ring ring;
    struct mmf_ring_ops ops;
    struct mmf_part_name name;
    HANDLE anchor;  /* the timer */
    HANDLE section; /* while it is open, there is the channel */
    void *head;     /* mapped: page, header and tables */
    void *slots;    /* mapped */
    struct mmf_doorbell messages;
    struct mmf_doorbell space;
    struct mmf_ticket ticket;
};

mmf_atomic_u32 mmf_os_forks; /* stays 0: nothing forks here */

static struct handle *
handle_of(struct mmf_os_channel *channel)
{
    return (struct handle *)channel;
}

/*
 * What the rings need of the system.
 */

static int64_t
monotonic_now(void *context)
{
    LARGE_INTEGER ticks;
    LARGE_INTEGER per_second;

    (void)context;
    QueryPerformanceFrequency(&per_second);
    QueryPerformanceCounter(&ticks);
    return ticks.QuadPart / per_second.QuadPart * 1000000000 +
           ticks.QuadPart % per_second.QuadPart * 1000000000 / per_second.QuadPart;
}

static const struct mmf_doorbell *
doorbell_of(const struct handle *handle, const mmf_atomic_u32 *word)
{
    return word == &handle->ring.shared->message_doorbell ? &handle->messages
                                                          : &handle->space;
}

static void
sleep_on(void *context, mmf_atomic_u32 *word, uint32_t expected, int64_t until)
{
    mmf_doorbell_sleep(doorbell_of(context, word), word, expected,
                       until - monotonic_now(NULL));
}

static int
wake_sleepers(void *context, mmf_atomic_u32 *word, int count)
{
    return mmf_doorbell_wake(doorbell_of(context, word), word, count);
}

/* There are no descriptors to poll. */
static void
touch_nothing(void *context)
{
    (void)context;
}

static int
is_alive(void *context, uint64_t number)
{
    struct handle *handle = context;

    return (number == handle->ticket.number && number != 0) ||
           mmf_ticket_is_alive(&handle->name, number);
}

/* Spinning is for those whose counterpart runs meanwhile. */
static int
has_processors(void)
{
    SYSTEM_INFO system;

    GetSystemInfo(&system);
    return system.dwNumberOfProcessors != 1;
}

static struct mmf_ring_ops
ops_for(struct handle *handle)
{
    return (struct mmf_ring_ops){.now = monotonic_now,
                                 .sleep = sleep_on,
                                 .wake = wake_sleepers,
                                 .notify_pollers = touch_nothing,
                                 .is_alive = is_alive,
                                 .context = handle,
                                 .may_spin = has_processors()};
}

/*
 * Handles.
 */

enum purpose { TAKE_PART, TAKE_PART_READING, LOOK };

static void
close_if_open(HANDLE *object)
{
    if (*object != NULL)
        CloseHandle(*object);
    *object = NULL;
}

static void
unmap_if_mapped(const void *base)
{
    if (base != NULL)
        UnmapViewOfFile(base);
}

/* Let go of the section and what is in it. */
static void
leave_section(struct handle *handle)
{
    unmap_if_mapped(handle->slots);
    unmap_if_mapped(handle->head);
    handle->slots = NULL;
    handle->head = NULL;
    close_if_open(&handle->section);
}

/* The timer after the section: while there is a channel, its name is taken. */
static void
destroy(struct handle *handle)
{
    mmf_doorbell_close(&handle->messages);
    mmf_doorbell_close(&handle->space);
    leave_section(handle);
    close_if_open(&handle->anchor);
    mmf_ticket_return(&handle->ticket);
    mmf_part_name_free(&handle->name);
    free(handle);
}

/* NULL with a status. */
static struct handle *
new_handle(const struct mmf_name *name, int *rc)
{
    struct handle *handle = calloc(1, sizeof(*handle));

    if (handle == NULL) {
        *rc = mmf_fail(MMF_E_NO_MEMORY, "no memory for a handle on a channel");
        return NULL;
    }
    *rc = mmf_part_name_make(name, &handle->name);
    if (*rc < 0) {
        free(handle);
        return NULL;
    }
    return handle;
}

/*
 * Mapping.
 */

static int
map_part(const struct handle *handle, int writable, uint64_t at, uint64_t length,
         void **base)
{
    DWORD access = writable ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ;

    if (length > SIZE_MAX)
        return mmf_fail(MMF_E_NO_MEMORY,
                        "the channel has %llu bytes, more than this process can "
                        "address",
                        (unsigned long long)length);
    *base = MapViewOfFile(handle->section, access, (DWORD)(at >> 32), (DWORD)at,
                          (SIZE_T)length);
    return *base != NULL ? MMF_OK
                         : mmf_error_fail("map %llu bytes of a channel",
                                          (unsigned long long)length);
}

/* The page of an open section. MMF_E_BUSY: it is not finished. */
static int
read_page(const struct handle *handle, const struct mmf_name *name,
          struct mmf_channel_facts *facts)
{
    enum mmf_step answer;
    void *page;
    int rc = map_part(handle, 0, 0, sizeof(struct mmf_channel_page_shared), &page);

    if (rc < 0)
        return rc;
    answer = mmf_channel_page_read(page, facts);
    UnmapViewOfFile(page);
    switch (answer) {
    case MMF_STEP_DONE:
        return MMF_OK;
    case MMF_STEP_AGAIN:
        return mmf_fail(MMF_E_BUSY,
                        "channel \"%.200s\": who makes it has not finished for %d ms",
                        name->given, MMF_OS_BACKOFF_MS);
    case MMF_STEP_LAYOUT:
        return mmf_fail(MMF_E_LAYOUT,
                        "channel \"%.200s\" was made by another version of mmf",
                        name->given);
    default:
        return mmf_fail(MMF_E_CORRUPT,
                        "channel \"%.200s\" is damaged: its first page makes no sense",
                        name->given);
    }
}

/* All of the section, and the ring in it. */
static int
map_ring(struct handle *handle, const struct mmf_ring_shape *shape,
         enum purpose purpose)
{
    uint64_t slots_at = mmf_channel_slots_at(shape);
    uint64_t slots_size = mmf_channel_section_size(shape) - slots_at;
    int rc = map_part(handle, purpose != LOOK, 0, slots_at, &handle->head);

    if (rc == MMF_OK)
        rc = map_part(handle, purpose == TAKE_PART, slots_at, slots_size,
                      &handle->slots);
    if (rc < 0)
        return rc;
    mmf_ring_attach(shape, (uint8_t *)handle->head + MMF_CHANNEL_RING_AT, handle->slots,
                    &handle->ring);
    handle->channel.may_write_slots = purpose == TAKE_PART;
    return MMF_OK;
}

/*
 * Opening.
 */

/* The timer may be there already: it has no state, so whose it is does not matter. */
static int
take_name(struct handle *handle, const char *verb, mmf_kind kind,
          const struct mmf_name *name)
{
    if (handle->anchor == NULL)
        handle->anchor =
            CreateWaitableTimerExW(NULL, mmf_part_none(&handle->name), 0, SYNCHRONIZE);
    return handle->anchor != NULL ? MMF_OK
                                  : mmf_place_fail(verb, mmf_kind_name(kind), name);
}

/* There is no channel of the name; is there something else? */
static int
fail_absent(struct handle *handle, mmf_kind kind, const struct mmf_name *name)
{
    HANDLE timer = OpenWaitableTimerW(SYNCHRONIZE, FALSE, mmf_part_none(&handle->name));

    if (timer != NULL) {
        CloseHandle(timer);
        SetLastError(ERROR_FILE_NOT_FOUND);
    }
    return mmf_place_fail("open", mmf_kind_name(kind), name);
}

static int
open_section(struct handle *handle, mmf_kind kind, const struct mmf_name *name,
             enum purpose purpose)
{
    DWORD access = purpose == LOOK ? FILE_MAP_READ : FILE_MAP_READ | FILE_MAP_WRITE;

    handle->section = OpenFileMappingW(access, FALSE, mmf_part_data(&handle->name));
    if (handle->section != NULL)
        return MMF_OK;
    if (GetLastError() == ERROR_FILE_NOT_FOUND)
        return fail_absent(handle, kind, name);
    return mmf_place_fail("open", mmf_kind_name(kind), name);
}

/* Map a section that is there, if it has a channel of this kind. */
static int
enter_section(struct handle *handle, mmf_kind kind, const struct mmf_name *name,
              enum purpose purpose)
{
    struct mmf_channel_facts facts;
    int rc = read_page(handle, name, &facts);

    if (rc < 0)
        return rc;
    if (facts.kind != (uint32_t)kind)
        return mmf_fail(
            MMF_E_WRONG_KIND, "open %s \"%.200s\": the name belongs to a %s",
            mmf_kind_name(kind), name->given, mmf_kind_name((mmf_kind)facts.kind));
    return map_ring(handle, &facts.shape, purpose);
}

/* What those need who do not only look. */
static int
become_participant(struct handle *handle, mmf_kind kind, const struct mmf_name *name)
{
    struct mmf_channel_page_shared *page = handle->head;
    const struct mmf_ring_shape *shape = &handle->ring.shape;
    int rc = take_name(handle, "open", kind, name);

    if (rc == MMF_OK)
        rc = mmf_doorbell_open(&handle->messages, &handle->name, L'm',
                               &page->message_sleepers, shape->max_receivers);
    if (rc == MMF_OK)
        rc = mmf_doorbell_open(&handle->space, &handle->name, L's',
                               &page->space_sleepers, shape->max_senders);
    if (rc == MMF_OK)
        rc = mmf_ticket_draw(&page->tickets, &handle->name, &handle->ticket);
    if (rc < 0)
        return rc;
    handle->ring.identity = handle->ticket.number << MMF_IDENTITY_HANDLE_BITS;
    return MMF_OK;
}

/*
 * Creating.
 */

static int64_t
now_utc(void)
{
    static const int64_t unix_epoch_s = 11644473600; /* from 1601, the system's */
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    return ((int64_t)((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) -
            unix_epoch_s * 10000000) *
           100;
}

/* A section of our own; MMF_E_EXISTS if somebody was faster. */
static int
make_section(struct handle *handle, const struct mmf_os_channel_request *request)
{
    uint64_t size = mmf_channel_section_size(request->shape);
    const char *kind = mmf_kind_name(request->kind);

    SetLastError(ERROR_SUCCESS);
    handle->section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
                                         (DWORD)(size >> 32), (DWORD)size,
                                         mmf_part_data(&handle->name));
    if (handle->section == NULL)
        return mmf_place_fail("create", kind, request->name);
    if (GetLastError() != ERROR_ALREADY_EXISTS)
        return MMF_OK;
    close_if_open(&handle->section);
    return mmf_fail(MMF_E_EXISTS, "create %s \"%.200s\": there is one", kind,
                    request->name->given);
}

static int
make_channel(struct handle *handle, const struct mmf_os_channel_request *request,
             enum purpose purpose)
{
    int rc = take_name(handle, "create", request->kind, request->name);

    if (rc == MMF_OK)
        rc = make_section(handle, request);
    if (rc == MMF_OK)
        rc = map_ring(handle, request->shape, purpose);
    if (rc == MMF_OK)
        mmf_channel_page_write(handle->head, (uint32_t)request->kind, request->shape,
                               GetCurrentProcessId(), now_utc());
    return rc;
}

/*
 * The calls.
 */

static enum purpose
purpose_of(const struct mmf_os_channel_request *request)
{
    return request->only_reads_slots ? TAKE_PART_READING : TAKE_PART;
}

/* One look; what was opened for it is closed if it fails. */
static int
try_open(struct handle *handle, mmf_kind kind, const struct mmf_name *name,
         enum purpose purpose)
{
    int rc = open_section(handle, kind, name, purpose);

    if (rc == MMF_OK)
        rc = enter_section(handle, kind, name, purpose);
    if (rc == MMF_OK && purpose != LOOK)
        rc = become_participant(handle, kind, name);
    if (rc < 0)
        leave_section(handle);
    return rc;
}

static int
try_create(struct handle *handle, const struct mmf_os_channel_request *request)
{
    int rc = make_channel(handle, request, purpose_of(request));

    if (rc == MMF_OK)
        rc = become_participant(handle, request->kind, request->name);
    if (rc < 0)
        leave_section(handle);
    return rc;
}

/* Owns the handle, also on failure. */
static int
finish(struct handle *handle, int rc, struct mmf_os_channel **out)
{
    if (rc < 0) {
        destroy(handle);
        return rc;
    }
    handle->ops = ops_for(handle);
    handle->channel.ring = &handle->ring;
    handle->channel.ops = &handle->ops;
    *out = &handle->channel;
    return MMF_OK;
}

static int
open_patiently(const struct mmf_name *name, mmf_kind kind, enum purpose purpose,
               struct mmf_os_channel **out)
{
    struct mmf_patience patience = {0};
    mmf_error before;
    int rc;
    struct handle *handle = new_handle(name, &rc);

    if (handle == NULL)
        return rc;
    mmf_last_error(&before);
    do
        rc = try_open(handle, kind, name, purpose);
    while (rc == MMF_E_BUSY && mmf_patience_wait(&patience));
    if (rc == MMF_OK)
        mmf_fail_restore(&before);
    return finish(handle, rc, out);
}

int
mmf_os_channel_open(const struct mmf_os_channel_request *request,
                    struct mmf_os_channel **out)
{
    return open_patiently(request->name, request->kind, purpose_of(request), out);
}

int
mmf_os_channel_inspect(const struct mmf_name *name, mmf_kind kind,
                    struct mmf_os_channel **out)
{
    return open_patiently(name, kind, LOOK, out);
}

/* Somebody else's channel may come and go between the two steps. */
int
mmf_os_channel_create(const struct mmf_os_channel_request *request,
                      struct mmf_os_channel **out, int *created)
{
    struct mmf_patience patience = {0};
    mmf_error before;
    int is_new;
    int rc;
    struct handle *handle = new_handle(request->name, &rc);

    if (handle == NULL)
        return rc;
    mmf_last_error(&before);
    do {
        rc = try_open(handle, request->kind, request->name, purpose_of(request));
        is_new = rc == MMF_E_NOT_FOUND;
        if (is_new)
            rc = try_create(handle, request);
    } while ((rc == MMF_E_BUSY || rc == MMF_E_EXISTS) && mmf_patience_wait(&patience));
    if (rc == MMF_OK) {
        mmf_fail_restore(&before);
        *created = is_new;
    } else if (rc == MMF_E_EXISTS) {
        rc = mmf_fail(MMF_E_BUSY, "\"%.200s\" kept being created and closed for %d ms",
                      request->name->given, MMF_OS_BACKOFF_MS);
    }
    return finish(handle, rc, out);
}

void
mmf_os_channel_close(struct mmf_os_channel *channel)
{
    destroy(handle_of(channel));
}

int
mmf_os_channel_fail_dead(void)
{
    return mmf_fail(MMF_E_DISPOSED, "the channel's handle is dead");
}

/*
 * Polling: what the objects do with a descriptor, they do with none.
 */

int
mmf_os_channel_poll_fd(struct mmf_os_channel *channel, int *fd)
{
    (void)channel;
    (void)fd;
    return mmf_fail(MMF_E_PLATFORM,
                    "there are no descriptors to poll on Windows: wait in a thread, or "
                    "set an event beside the channel");
}

int
mmf_os_channel_consume(struct mmf_os_channel *channel)
{
    (void)channel;
    return 0;
}

void
mmf_os_channel_rearm(struct mmf_os_channel *channel)
{
    (void)channel;
}
