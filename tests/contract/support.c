/*
 * support.c - options of the contract tests, and calls that must succeed.
 */
#include "support.h"

mmf_map *
create_new(const char *name, int64_t capacity, const mmf_map_options *options)
{
    mmf_map *map = NULL;

    CHECK_STATUS(mmf_map_create_new(name, capacity, options, &map), MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf_map *
open_existing(const char *name, const mmf_map_options *options)
{
    mmf_map *map = NULL;

    CHECK_STATUS(mmf_map_open_existing(name, options, &map), MMF_OK);
    CHECK(map != NULL);
    return map;
}

mmf_accessor *
view_of(mmf_map *map, mmf_access access)
{
    mmf_accessor *view = NULL;

    CHECK_STATUS(mmf_accessor_create(map, 0, 0, access, NULL, &view), MMF_OK);
    CHECK(view != NULL);
    return view;
}

void
poke(mmf_map *map, int64_t position, uint8_t value)
{
    mmf_accessor *view = view_of(map, MMF_ACCESS_READ_WRITE);

    CHECK_OK(mmf_accessor_write_byte(view, position, value));
    mmf_accessor_close(view);
}

uint8_t
byte_at(mmf_map *map, int64_t position)
{
    mmf_accessor *view = view_of(map, MMF_ACCESS_READ);
    uint8_t value = 0;

    CHECK_OK(mmf_accessor_read_byte(view, position, &value));
    mmf_accessor_close(view);
    return value;
}
