/*
 * access.c - the table of accesses.
 */
#include "base/access.h"

static const struct mmf_access_row rows[] = {
    [MMF_ACCESS_READ_WRITE] = {.can_read = true, .can_write = true},
    [MMF_ACCESS_READ] = {.can_read = true},
    [MMF_ACCESS_WRITE] = {.can_write = true},
    [MMF_ACCESS_COPY_ON_WRITE] = {.can_read = true, .can_write = true, .copies = true},
    [MMF_ACCESS_READ_EXECUTE] = {.can_read = true, .can_execute = true},
    [MMF_ACCESS_READ_WRITE_EXECUTE] = {.can_read = true,
                                       .can_write = true,
                                       .can_execute = true},
};

const struct mmf_access_row *
mmf_access_find(mmf_access access)
{
    size_t index = (size_t)access;

    return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}

uint32_t
mmf_can_of_access(mmf_access access)
{
    const struct mmf_access_row *row = mmf_access_row(access);
    uint32_t can = 0;

    if (row->can_read)
        can |= MMF_CAN_READ;
    if (row->can_write && !row->copies)
        can |= MMF_CAN_WRITE;
    if (row->can_execute)
        can |= MMF_CAN_EXECUTE;
    return can;
}
