/*
 * channel_page_test.c - a channel's first page is input to the process that opens it.
 */
#include "harness/check.h"

#include <stdlib.h>
#include <string.h>

#include <mmf/list.h>

#include "shared/page/control.h"
#include "shared/ring/channel_page.h"

static const struct mmf_ring_shape shape = {.kind = MMF_KIND_QUEUE,
                                            .overflow = MMF_OVERFLOW_BLOCK,
                                            .slots = 8,
                                            .stride = 64,
                                            .message_size = 8,
                                            .max_senders = 1024,
                                            .max_receivers = 1024,
                                            .identity = {1, 2, 3, [15] = 16}};

/* The page and what it fills behind it. */
static struct mmf_channel_page_shared *
new_page(void)
{
    size_t size = mmf_channel_slots_at(&shape);
    void *page = aligned_alloc(4096, size);

    CHECK(page != NULL);
    memset(page, 0, size);
    mmf_channel_page_write(page, MMF_KIND_QUEUE, &shape, 77, 1234567890);
    return page;
}

TEST(parts_lie_where_they_can_be_mapped)
{
    struct mmf_ring_shape small = shape;

    small.max_senders = small.max_receivers = 1;
    CHECK_INT(mmf_channel_slots_at(&small), 65536);
    CHECK_INT(mmf_channel_section_size(&small), 65536 + 8 * 64);
    /* 4,096 + 1,664 + 2 x 1,024 x 128, to the next one. */
    CHECK_INT(mmf_channel_slots_at(&shape), 5 * 65536);
    /* Each participant has 128 bytes, whichever table it is in. */
    small.max_senders = 1;
    small.max_receivers = (65536 - 4096 - 1664) / 128 - 1;
    CHECK_INT(mmf_channel_slots_at(&small), 65536);
    small.max_senders++;
    CHECK_INT(mmf_channel_slots_at(&small), 2 * 65536);
    small.max_senders--;
    small.max_receivers++;
    CHECK_INT(mmf_channel_slots_at(&small), 2 * 65536);
}

TEST(what_was_written_is_read)
{
    struct mmf_channel_page_shared *page = new_page();
    struct mmf_channel_facts facts;

    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_DONE);
    CHECK_INT(facts.kind, MMF_KIND_QUEUE);
    CHECK_INT(facts.creator_pid, 77);
    CHECK_INT(facts.created, 1234567890);
    CHECK_INT(facts.capacity, mmf_ring_capacity(&shape));
    CHECK_INT(facts.shape.kind, shape.kind);
    CHECK_INT(facts.shape.slots, shape.slots);
    CHECK_INT(facts.shape.stride, shape.stride);
    CHECK_INT(facts.shape.max_senders, shape.max_senders);
    CHECK_INT(facts.shape.max_receivers, shape.max_receivers);
    CHECK_BYTES(facts.shape.identity, shape.identity, sizeof(shape.identity));
    CHECK_INT(page->tickets, 1);
    free(page);
}

TEST(no_process_reads_a_half_made_one)
{
    struct mmf_channel_page_shared *page = new_page();
    struct mmf_channel_facts facts;

    mmf_store_relaxed_u64(&page->magic, 0);
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_AGAIN);
    mmf_store_relaxed_u64(&page->magic, 1);
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_CORRUPT);
    free(page);
}

TEST(other_versions_are_told_from_damage)
{
    struct mmf_channel_page_shared *page = new_page();
    struct mmf_channel_facts facts;

    page->layout_version = MMF_LAYOUT_VERSION - 1;
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_LAYOUT);
    page->layout_version = MMF_LAYOUT_VERSION + 1;
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_LAYOUT);
    page->layout_version = MMF_LAYOUT_VERSION;
    page->required = 1;
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_LAYOUT);
    page->required = 0;
    page->capacity++;
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_CORRUPT);
    page->capacity--;
    page->kind = MMF_KIND_TOPIC; /* not what the shape says */
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_CORRUPT);
    page->kind = MMF_KIND_QUEUE;
    page->shape.max_senders = 1025;
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_CORRUPT);
    page->shape.max_senders = 1024;
    page->shape.max_receivers = 0;
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_CORRUPT);
    page->shape.max_receivers = 1024;
    CHECK_INT(mmf_channel_page_read(page, &facts), MMF_STEP_DONE);
    free(page);
}
