/*
 * mmf.h - named shared memory: one header for all.
 *
 *     mmf_map *map;
 *     void *bytes;
 *     size_t size;
 *
 *     if (mmf_map_create_or_open("Cat", 10000, NULL, NULL, &map) < 0)
 *         die(mmf_last_message());
 *     if (mmf_map_bytes(map, MMF_ACCESS_READ_WRITE, &bytes, &size) < 0)
 *         die(mmf_last_message());
 *     strcpy(bytes, "HI Night Mo.");
 *
 * Kill any process at any time: its names are released, nobody hangs, and waiters are
 * notified. A process counts as dead once the kernel has closed its descriptors. After
 * the death of its last holder a name is free at once; its memory is released by the
 * next mmf call in the namespace.
 *
 * Conventions. Handles are opaque; the caller of a create or open closes its handle,
 * once; closing NULL does nothing. Negative status: failed, nothing changed,
 * mmf_last_error says why. What lies in the caller's memory is counted in size_t,
 * offsets into and capacities of maps in int64_t; timeouts are int32_t milliseconds
 * (-1: forever), booleans int. A zeroed options struct with its size set is the
 * default. Strings are UTF-8. Outputs come last and are written only on success.
 *
 * The library has no daemon, no thread, no signal handler and no global start-up. It
 * reads one environment variable, MMF_DIR: the directory that holds the names instead
 * of /dev/shm (ignored in set-user-id programs).
 */
#ifndef MMF_MMF_H
#define MMF_MMF_H

#include <mmf/channel.h>
#include <mmf/export.h>
#include <mmf/kind.h>
#include <mmf/latest.h>
#include <mmf/list.h>
#include <mmf/map.h>
#include <mmf/poller.h>
#include <mmf/queue.h>
#include <mmf/service.h>
#include <mmf/status.h>
#include <mmf/sync.h>
#include <mmf/topic.h>
#include <mmf/version.h>
#include <mmf/view.h>

#endif
