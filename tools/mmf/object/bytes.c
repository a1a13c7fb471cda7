/* bytes.c - see bytes.h. */
#include "object/bytes.h"

#include <stdlib.h>
#include <string.h>

#include <mmf/mmf.h>

#include "base/say.h"
#include "os/os.h"

static void
check_window(const char *name, int64_t offset, int64_t length, int64_t capacity)
{
    if (offset > capacity)
        say_usage("offset %lld is past the end: \"%s\" has %lld bytes",
                  (long long)offset, name, (long long)capacity);
    if (length > capacity - offset)
        say_usage("%lld bytes from offset %lld are past the end: \"%s\" has %lld",
                  (long long)length, (long long)offset, name, (long long)capacity);
}

/* What the map's creator does not allow is a denial. */
static void
check_view(int rc)
{
    if (rc == MMF_E_IO) {
        say_failure(rc);
        exit(TOOL_DENIED);
    }
    say_check(rc);
}

void
bytes_open(const char *name, int for_writing, int64_t offset, int64_t length,
           struct bytes *bytes)
{
    mmf_map_options options;
    void *first = NULL;
    intptr_t handle;
    mmf_map *map;

    mmf_map_options_init(&options);
    options.rights = for_writing ? MMF_RIGHTS_READ_WRITE : MMF_RIGHTS_READ;
    say_check(mmf_map_open_existing(name, &options, &map));
    say_check(mmf_map_capacity(map, &bytes->capacity));
    check_window(name, offset, length, bytes->capacity);
    bytes->offset = offset;
    bytes->length = length < 0 ? bytes->capacity - offset : length;
    bytes->view = NULL;
    bytes->at = NULL;
    if (bytes->length > 0) {
        check_view(mmf_accessor_create(
            map, offset, bytes->length,
            for_writing ? MMF_ACCESS_READ_WRITE : MMF_ACCESS_READ, NULL, &bytes->view));
        say_check(mmf_accessor_pointer(bytes->view, &first, NULL));
        bytes->at = first;
    }
    bytes->fd = -1;
    if (!for_writing && mmf_map_native_handle(map, &handle) == MMF_OK)
        bytes->fd = os_open_bytes(handle);
    mmf_map_close(map);
    os_expect_cut();
}

void
bytes_read(const struct bytes *bytes, int64_t at, void *into, size_t count)
{
    if (bytes->fd >= 0)
        os_read_bytes(bytes->fd, bytes->offset + at, into, count);
    else
        memcpy(into, bytes->at + at, count);
}

int64_t
bytes_zeros(const struct bytes *bytes, int64_t at)
{
    int64_t zeros = bytes->fd >= 0 ? os_zeros_at(bytes->fd, bytes->offset + at) : 0;

    return zeros < bytes->length - at ? zeros : bytes->length - at;
}

void
bytes_close(struct bytes *bytes)
{
    if (bytes->fd >= 0)
        os_close_bytes(bytes->fd);
    mmf_accessor_close(bytes->view);
}
