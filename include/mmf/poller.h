/*
 * mmf/poller.h - one descriptor for many objects and channels.
 *
 * An event loop (epoll, poll, libuv, glib, asyncio) waits for the poller's descriptor. When
 * it is readable, mmf_poller_ready says which objects may be available; then wait for those,
 * or receive from them, with timeout 0. Hundreds of objects cost one inotify instance, of
 * which a user has 128 by default, where mmf_waitable_fd and mmf_queue_fd cost one each.
 *
 * A poller is for one thread at a time. It is not inherited: after a fork the child makes
 * its own. On Windows mmf_poller_create fails with MMF_E_PLATFORM: use mmf_wait_any.
 */
#ifndef MMF_POLLER_H
#define MMF_POLLER_H

#include <stddef.h>

#include <mmf/export.h>
#include <mmf/sync.h>

MMF_BEGIN_DECLS

/* A set of objects, and its descriptor. The creator closes it. */
typedef struct mmf_poller mmf_poller;

/* MMF_E_NULL; MMF_E_NO_MEMORY; MMF_E_IO: no descriptor or inotify instance is left (the
 * message names the limit); MMF_E_PLATFORM. */
MMF_API int mmf_poller_create(mmf_poller **out);

/* Close it, and its descriptor. The objects stay open. NULL is allowed. */
MMF_API void mmf_poller_close(mmf_poller *poller);

/*
 * Add a mutex, event, semaphore or channel; mmf_poller_ready answers with `data`. Remove the
 * object before its handle is closed. From then on each set, release or send costs one system
 * call more, in every process.
 *
 * MMF_E_NULL; MMF_E_DISPOSED: the poller or the object is of before a fork; MMF_E_EXISTS: the
 * handle has been added before; MMF_E_NOT_SUPPORTED: a channel that does not receive;
 * MMF_E_NO_SPACE: no watch is left (the message names the limit); MMF_E_ACCESS, MMF_E_IO: this
 * process cannot reach the object's file any more, since its user, its root or the file's mode
 * has changed; MMF_E_NO_MEMORY; MMF_E_IO
 */
MMF_API int mmf_poller_add(mmf_poller *poller, mmf_waitable *object, void *data);

/* MMF_E_NULL; MMF_E_NOT_FOUND: it has not been added. */
MMF_API int mmf_poller_remove(mmf_poller *poller, mmf_waitable *object);

/* The descriptor: poll it for reading, and do nothing else with it. MMF_E_NULL. */
MMF_API int mmf_poller_fd(mmf_poller *poller, int *fd);

/*
 * Which objects may be available now: `data` of up to `most` of them, `*count` of them. A call
 * never sleeps. As long as one is available the descriptor stays readable; it may be readable
 * for none, too. Those that were not among `most` come first in the next call.
 *
 * MMF_E_NULL; MMF_E_RANGE: most is 0; MMF_E_DISPOSED; MMF_E_NO_MEMORY, MMF_E_IO
 */
MMF_API int mmf_poller_ready(mmf_poller *poller, void **data, size_t most,
                             size_t *count);

MMF_END_DECLS

#endif
