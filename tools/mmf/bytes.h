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
    unsigned char *at; /* the window's first byte; NULL if it has none */
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

void bytes_close(struct bytes *bytes);

#endif
