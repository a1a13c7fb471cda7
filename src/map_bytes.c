/*
 * map_bytes.c - a map as a whole: its bytes, and its end, which unmaps them.
 *
 * Threads may ask for the bytes at once: each maps them, the first to publish its mapping
 * wins, and the others unmap theirs.
 */
#include <stdlib.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "map.h"
#include "view.h"

struct whole_map {
    struct mmf_view view;
    mmf_access access;
};

static void
unmap_whole(struct whole_map *whole)
{
    if (whole != NULL)
        mmf_view_close(&whole->view);
    free(whole);
}

static int
map_whole(mmf_map *map, mmf_access access, struct whole_map **out)
{
    struct whole_map *mine = calloc(1, sizeof(*mine));
    void *winner = NULL;
    int rc;

    MMF_ASSERT(map->section != NULL);
    if (mine == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory to map a map");
    mine->access = access;
    rc = mmf_view_open(map, 0, 0, access, NULL, &mine->view);
    if (rc < 0) {
        free(mine);
        return rc;
    }
    *out = mine;
    if (!mmf_exchange_if_pointer(&map->bytes, &winner, mine)) {
        unmap_whole(mine);
        *out = winner;
    }
    return MMF_OK;
}

static int
check_whole(const mmf_map *map, mmf_access access, void *const *bytes,
            const size_t *size)
{
    int64_t capacity;
    int rc;

    if (map == NULL || bytes == NULL || size == NULL)
        return mmf_fail_argument(MMF_E_NULL,
                                 map == NULL     ? "map"
                                 : bytes == NULL ? "bytes"
                                                 : "size",
                                 "an argument is NULL");
    rc = mmf_map_check_access(access);
    if (rc == MMF_OK)
        rc = mmf_os_section_check_alive(map->section);
    if (rc < 0)
        return rc;
    capacity = mmf_os_section_capacity(map->section);
    if ((uint64_t)capacity > SIZE_MAX)
        return mmf_fail_argument(MMF_E_RANGE, "map",
                                 "a 32-bit process cannot map %lld bytes",
                                 (long long)capacity);
    return MMF_OK;
}

int
mmf_map_bytes(mmf_map *map, mmf_access access, void **bytes, size_t *size)
{
    struct whole_map *whole;
    int rc = check_whole(map, access, bytes, size);

    if (rc < 0)
        return rc;
    whole = mmf_load_acquire_pointer(&map->bytes);
    if (whole == NULL)
        rc = map_whole(map, access, &whole);
    if (rc < 0)
        return rc;
    if (whole->access != access)
        return mmf_fail_argument(MMF_E_STATE, "access",
                                 "the map is mapped with access %d already, and cannot "
                                 "be with %d, too: create an accessor for that",
                                 (int)whole->access, (int)access);
    *bytes = whole->view.bytes;
    *size = (size_t)whole->view.size;
    return MMF_OK;
}

void
mmf_map_close(mmf_map *map)
{
    if (map == NULL)
        return;
    MMF_ASSERT(map->section != NULL);
    unmap_whole(mmf_load_acquire_pointer(&map->bytes));
    mmf_os_section_close(map->section);
    free(map);
}
