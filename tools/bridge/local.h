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

/* Every message of the queue, which has so many slots, before this one is released;
 * UINT64_MAX: all are. False: it cannot be known now. */
bool local_oldest(const struct link *link, int64_t capacity, uint64_t *oldest);

/* By the monotonic clock. */
int64_t local_now_ms(void);

/* Random, and not 0. */
uint64_t local_random(void);

#endif
