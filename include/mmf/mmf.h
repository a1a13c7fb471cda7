/*
 * mmf.h - named shared memory: one header for all.
 *
 *     mmf *map;
 *     mmf_view_accessor *view;
 *
 *     if (mmf_create_or_open("Cat", 10000, NULL, &map) < 0)
 *         die(mmf_last_message());
 *     if (mmf_create_view_accessor(map, 0, 0, MMF_ACCESS_READ_WRITE, &view) < 0)
 *         die(mmf_last_message());
 *     mmf_view_accessor_write_int32(view, 0, 42);
 *
 * Kill anything at any moment: no name is left alive, nobody hangs, whoever waits is
 * told. The moment is when the kernel closes the victim's descriptors. After the last
 * holder's death a name is free at once; its bytes go with the next mmf call in the
 * namespace.
 *
 * Conventions. Handles are opaque; who creates or opens one closes it, once; closing
 * NULL does nothing. Negative status: failed, nothing changed, mmf_last_error says why.
 * Sizes and offsets are int64_t bytes, time-outs int32_t milliseconds (-1: for ever),
 * booleans int. Strings are UTF-8. Outputs come last and are written only on success.
 *
 * The library has no daemon, no thread, no signal handler and no global start-up. It
 * reads one environment variable, MMF_DIR: the directory that holds the names instead
 * of /dev/shm (ignored in set-user-id programs).
 */
#ifndef MMF_MMF_H
#define MMF_MMF_H

#include <mmf/channel.h>
#include <mmf/export.h>
#include <mmf/latest.h>
#include <mmf/list.h>
#include <mmf/map.h>
#include <mmf/queue.h>
#include <mmf/status.h>
#include <mmf/sync.h>
#include <mmf/topic.h>
#include <mmf/version.h>
#include <mmf/view.h>

#endif
