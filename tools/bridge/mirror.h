/*
 * mirror.h - making the mirror of a stream of another domain, and making it again. Several
 * bridges may read one mirror, so only one at a time does this: it has the mirror's turn.
 */
#ifndef MMF_BRIDGE_MIRROR_H
#define MMF_BRIDGE_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"

/*
 * The mirror of the link's channel is there; `created` is when it was made. False: it was
 * said why.
 */
bool mirror_make(struct link *link, const char *stream, int64_t *created);

/*
 * The mirror that was made at `created` is of no use: make another one, unless a bridge has
 * done so since; `created` is then when that one was made.
 */
bool mirror_make_again(struct link *link, const char *stream, int64_t *created);

#endif
