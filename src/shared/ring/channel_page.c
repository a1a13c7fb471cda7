/*
 * channel_page.c - writing and checking a channel's first page.
 */
#include "shared/ring/channel_page.h"

#include <string.h>

#include "shared/page/control.h"

uint64_t
mmf_channel_slots_at(const struct mmf_ring_shape *shape)
{
    uint64_t tables = MMF_CHANNEL_RING_AT + mmf_ring_slots_offset(shape);

    return (tables + MMF_CHANNEL_GRANULARITY - 1) / MMF_CHANNEL_GRANULARITY *
           MMF_CHANNEL_GRANULARITY;
}

uint64_t
mmf_channel_section_size(const struct mmf_ring_shape *shape)
{
    return mmf_channel_slots_at(shape) + mmf_ring_slots_size(shape);
}

void
mmf_channel_page_write(struct mmf_channel_page_shared *page, uint32_t kind,
                       const struct mmf_ring_shape *shape, uint32_t creator_pid,
                       int64_t created)
{
    void *ring = (uint8_t *)page + MMF_CHANNEL_RING_AT;

    MMF_ASSERT(kind == (uint32_t)mmf_ring_object_kind(shape));
    page->layout_version = MMF_LAYOUT_VERSION;
    page->kind = kind;
    page->creator_pid = creator_pid;
    page->created = created;
    page->capacity = (int64_t)mmf_ring_capacity(shape);
    mmf_ring_shape_write(shape, &page->shape);
    mmf_store_relaxed_u64(&page->tickets, 1);
    mmf_ring_init(ring, MMF_INDEX_FIRST);
    /* pairs with the acquire in mmf_channel_page_read */
    mmf_store_release_u64(&page->magic, MMF_CHANNEL_PAGE_MAGIC);
}

enum mmf_step
mmf_channel_page_read(const struct mmf_channel_page_shared *page,
                      struct mmf_channel_facts *facts)
{
    uint64_t magic = mmf_load_acquire_u64(&page->magic);
    struct mmf_channel_page_shared copy;

    if (magic == 0)
        return MMF_STEP_AGAIN;
    if (magic != MMF_CHANNEL_PAGE_MAGIC)
        return MMF_STEP_CORRUPT;
    memcpy(&copy, page, sizeof(copy));
    if (copy.layout_version != MMF_LAYOUT_VERSION || copy.required != 0)
        return MMF_STEP_LAYOUT;
    if (!mmf_ring_shape_read(&copy.shape, copy.kind, copy.capacity, &facts->shape))
        return MMF_STEP_CORRUPT;
    facts->kind = copy.kind;
    facts->creator_pid = copy.creator_pid;
    facts->created = copy.created;
    facts->capacity = copy.capacity;
    return MMF_STEP_DONE;
}
