/*
 * wait.h - waiting for one, any or all of several objects.
 */
#ifndef MMF_SHARED_SYNC_WAIT_H
#define MMF_SHARED_SYNC_WAIT_H

#include <stdint.h>

#include "shared/sync/ops.h"
#include "shared/sync/word.h"

/* No waiting: one attempt. */
#define MMF_SYNC_POLL ((int64_t)0)

/* The deadline `timeout_ms` from now; -1: never. */
int64_t mmf_sync_deadline(const struct mmf_sync_ops *ops, int32_t timeout_ms);

/*
 * Take the first of the objects that is available, the lowest index if several are.
 * MMF_OK or MMF_ABANDONED and `*index`; MMF_TIMED_OUT; MMF_E_RECURSION, MMF_E_CORRUPT.
 */
int mmf_sync_wait_any(const struct mmf_sync_ref *objects, int count, int64_t deadline,
                      const struct mmf_sync_ops *ops, int *index);

/*
 * Take all of them, at a moment when all are available. The objects are in ascending
 * order (`order`), each once. Status as above; MMF_ABANDONED if at least one mutex was.
 */
int mmf_sync_wait_all(const struct mmf_sync_ref *objects, int count, int64_t deadline,
                      const struct mmf_sync_ops *ops);

#endif
