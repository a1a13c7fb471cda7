/*
 * list.h - going through the files of a namespace: to list, to reap, to tidy up.
 */
#ifndef MMF_OS_LINUX_STORE_LIST_H
#define MMF_OS_LINUX_STORE_LIST_H

#include "os/linux/store/directory.h"

/*
 * Called by creators after their work: now and then look at a few other names and reap
 * what is dead, so that garbage never piles up though nobody lists. Fails silently.
 */
void mmf_listing_scavenge(const struct mmf_place *place);

/* Reap all that is dead in both scopes, for room. Answers how many were removed. */
int mmf_listing_reap_for_room(void);

#endif
