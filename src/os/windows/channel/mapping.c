/*
 * mapping.c - see mapping.h. The slots begin at a multiple of 64 KiB, so a handle that
 * only reads them maps them for that alone.
 */
#include "os/windows/channel/mapping.h"

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/sys/error.h"

static int
map_piece(const struct mmf_channel_handle *handle, bool writable, uint64_t at,
          uint64_t length, void **base)
{
    DWORD access = writable ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ;

    MMF_ASSERT(handle->section != NULL && at % MMF_CHANNEL_GRANULARITY == 0);
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

static void
unmap_piece(void **base)
{
    if (*base != NULL)
        UnmapViewOfFile(*base);
    *base = NULL;
}

static int
fail_page(enum mmf_step step, const struct mmf_name *name)
{
    switch (step) {
    case MMF_STEP_AGAIN:
        return mmf_fail(MMF_E_BUSY,
                        "channel \"%.200s\": the process that creates it has not "
                        "finished for %d ms",
                        name->given, MMF_OS_BACKOFF_MS);
    case MMF_STEP_LAYOUT:
        return mmf_fail(MMF_E_LAYOUT,
                        "channel \"%.200s\" was made by another version of mmf",
                        name->given);
    default:
        MMF_ASSERT(step == MMF_STEP_CORRUPT);
        return mmf_fail(MMF_E_CORRUPT,
                        "channel \"%.200s\" is damaged: its first page makes no sense",
                        name->given);
    }
}

int
mmf_channel_read_page(const struct mmf_channel_handle *handle,
                      const struct mmf_name *name, struct mmf_channel_facts *facts)
{
    enum mmf_step step;
    void *page;
    int rc = map_piece(handle, false, 0, sizeof(struct mmf_channel_page_shared), &page);

    if (rc < 0)
        return rc;
    step = mmf_channel_page_read(page, facts);
    unmap_piece(&page);
    return step == MMF_STEP_DONE ? MMF_OK : fail_page(step, name);
}

int
mmf_channel_map(struct mmf_channel_handle *handle, const struct mmf_ring_shape *shape,
                enum mmf_channel_purpose purpose)
{
    bool may_write_slots = purpose == MMF_CHANNEL_TAKE_PART;
    uint64_t slots_at = mmf_channel_slots_at(shape);
    uint64_t slots_size = mmf_channel_section_size(shape) - slots_at;
    int rc;

    MMF_ASSERT(handle->head == NULL && handle->slots == NULL);
    rc = map_piece(handle, mmf_channel_takes_part(purpose), 0, slots_at, &handle->head);
    if (rc == MMF_OK)
        rc = map_piece(handle, may_write_slots, slots_at, slots_size, &handle->slots);
    if (rc < 0)
        return rc;
    mmf_ring_attach(shape, (uint8_t *)handle->head + MMF_CHANNEL_RING_AT, handle->slots,
                    &handle->ring);
    handle->channel.may_write_slots = may_write_slots;
    return MMF_OK;
}

void
mmf_channel_unmap(struct mmf_channel_handle *handle)
{
    unmap_piece(&handle->slots);
    unmap_piece(&handle->head);
}
