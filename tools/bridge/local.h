/* local.h - opening, or making, the channel on this host. */
#ifndef MMF_BRIDGE_LOCAL_H
#define MMF_BRIDGE_LOCAL_H

#include <mmf/mmf.h>

#include "link.h"

/* How long one try waits for a channel that another process makes, or for a message: the
 * program's end waits as long at most. */
enum { LOCAL_WAIT_MS = 1000 };

/* False: it was said why. */
bool local_open_queue(struct link *link, mmf_role role, mmf_queue **out);
bool local_open_topic(struct link *link, mmf_role role, mmf_topic **out);
bool local_open_latest(struct link *link, mmf_role role, mmf_latest **out);
bool local_open_service(struct link *link, mmf_role role, mmf_service **out);

/* What is in the queue, which has so many slots, in the order of its sequences, to be freed;
 * what is not there is released. NULL: it cannot be known now. */
mmf_queue_item *local_browse(const struct link *link, int64_t capacity, size_t *count);

/* By the monotonic clock. */
int64_t local_now_ms(void);

/* Random, and not 0. */
uint64_t local_random(void);

#endif
