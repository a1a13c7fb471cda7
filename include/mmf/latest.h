/*
 * mmf/latest.h - one value that is replaced; readers see the newest. mmf/channel.h has
 * what holds for every channel.
 */
#ifndef MMF_LATEST_H
#define MMF_LATEST_H

#include <mmf/channel.h>
#include <mmf/export.h>

MMF_BEGIN_DECLS

typedef struct mmf_latest mmf_latest;

/*
 * Latest value, of up to `value_size` bytes. Readers never wait for writers, nor
 * writers for readers. Versions grow with gaps; a handle never sees one that is older
 * than what any process had seen when the call began. 0 is the version before the
 * first. What a reader has taken is not overwritten before its release: there are
 * `max_pins` slots for that, and two more for the newest value and the next.
 */
MMF_API int mmf_latest_create_new(const char *name, size_t value_size,
                                  const mmf_channel_options *options, mmf_latest **out);

/* Open the value, or create it, in one step; the sizes must match: MMF_E_MISMATCH. */
MMF_API int mmf_latest_create_or_open(const char *name, size_t value_size,
                                      const mmf_channel_options *options, int *created,
                                      mmf_latest **out);

/* Open the latest value that another process created; wait_ms waits for its name. */
MMF_API int mmf_latest_open_existing(const char *name,
                                     const mmf_channel_options *options,
                                     mmf_latest **out);

/* Close; a reservation is abandoned, the value stays. NULL is allowed. */
MMF_API void mmf_latest_close(mmf_latest *latest);

/*
 * Write in place: `*bytes` is where to write a value of up to `length` bytes. Never
 * waits. A handle has one reservation at a time (MMF_E_STATE).
 *
 * MMF_E_BUSY   living writers have every slot reserved
 * MMF_E_RANGE  length more than value_size
 */
MMF_API int mmf_latest_reserve(mmf_latest *latest, size_t length, void **bytes);

/* Make what is reserved the newest value, `length` bytes of it; `*version` (NULL is
 * allowed) is its version. MMF_E_STATE: nothing is reserved. MMF_E_RANGE: length is
 * more than was reserved. */
MMF_API int mmf_latest_commit(mmf_latest *latest, size_t length, uint64_t *version);

/* Return the reservation. MMF_E_STATE: nothing is reserved. */
MMF_API int mmf_latest_abandon(mmf_latest *latest);

/* Reserve, copy, commit. Status as both. */
MMF_API int mmf_latest_send(mmf_latest *latest, const void *bytes, size_t length,
                            uint64_t *version);

/* Copy the newest value: `*length` bytes of version `*version`; 0 and 0 before the
 * first. MMF_E_RANGE: it has more than `capacity` bytes. */
MMF_API int mmf_latest_receive(mmf_latest *latest, void *buffer, size_t capacity,
                               size_t *length, uint64_t *version);

/*
 * The newest value in place, pinned: it is not overwritten before mmf_latest_release, and
 * writers do not wait for that. Its version is `message->sequence`. A handle has one at a
 * time (MMF_E_STATE). MMF_TIMED_OUT: no value yet. MMF_E_TOO_MANY: all pins are in use.
 */
MMF_API int mmf_latest_take(mmf_latest *latest, mmf_message *message);

/* Done with the value; its pin is free. MMF_E_STATE: nothing is taken. */
MMF_API int mmf_latest_release(mmf_latest *latest);

/* Wait until there is a version newer than `version`. MMF_TIMED_OUT; MMF_E_PEER_CLOSED:
 * asked for, and the last writer has closed; MMF_E_RANGE: timeout_ms < -1. */
MMF_API int mmf_latest_wait(mmf_latest *latest, uint64_t version, int32_t timeout_ms);

/* As mmf_queue_waitable: for a version newer than the one that this handle received or
 * took last. */
MMF_API mmf_waitable *mmf_latest_waitable(mmf_latest *latest);

/* As mmf_queue_fd: readable when there may be a newer value. */
MMF_API int mmf_latest_fd(mmf_latest *latest, int *fd);

/* The latest value's counters and limits. MMF_E_NULL. */
MMF_API int mmf_latest_stat(mmf_latest *latest, mmf_channel_stats *stats);

MMF_END_DECLS

#endif
