/*
 * bytes.h - a map's bytes for the subcommands that read and write them.
 *
 * The handle is closed as soon as there is a view: looking at a map does not keep its
 * name alive.
 */
#ifndef MMF_TOOL_BYTES_H
#define MMF_TOOL_BYTES_H

#include <stdint.h>

#include <mmf/view.h>

struct bytes {
    mmf_accessor *view;
    unsigned char *at; /* the window's first byte; NULL if it has none */
    int64_t offset;    /* of the window in the map */
    int64_t length;
    int64_t capacity; /* the map's */
};

/*
 * Open the window of `length` bytes from `offset` on; length -1 is all the rest. Ends
 * the program if that cannot be, and also later, with a line, if somebody cuts the
 * map's file off under us.
 */
void bytes_open(const char *name, int for_writing, int64_t offset, int64_t length,
                struct bytes *bytes);

void bytes_close(struct bytes *bytes);

#endif
