/*
 * bytes.h - a map's bytes for the subcommands that read and write them.
 *
 * The handle is closed as soon as there is a view, so that inspecting a map does not keep
 * its name in use.
 */
#ifndef MMF_TOOL_BYTES_H
#define MMF_TOOL_BYTES_H

#include <stdint.h>

#include <mmf/view.h>

struct bytes {
    mmf_accessor *view;
    unsigned char *at; /* to write: the window's first byte; NULL if it has none */
    int fd;            /* to read: of the whole map; -1: through the view */
    int64_t offset;    /* of the window in the map */
    int64_t length;
    int64_t capacity; /* the map's */
};

/*
 * Open the window of `length` bytes from `offset` on; length -1: to the end. A failure
 * ends the program, with a message; so does a later access if another process truncates
 * the map's file.
 */
void bytes_open(const char *name, int for_writing, int64_t offset, int64_t length,
                struct bytes *bytes);

/*
 * Read `count` bytes from `at` on, an offset in the window. What the map has not
 * allocated stays so: reading takes no memory.
 */
void bytes_read(const struct bytes *bytes, int64_t at, void *into, size_t count);

/* So many bytes of the window from `at` on are known to be zero without a read. */
int64_t bytes_zeros(const struct bytes *bytes, int64_t at);

void bytes_close(struct bytes *bytes);

#endif
