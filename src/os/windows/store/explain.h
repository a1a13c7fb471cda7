/* explain.h - why a call that named an object has failed. */
#ifndef MMF_OS_WINDOWS_STORE_EXPLAIN_H
#define MMF_OS_WINDOWS_STORE_EXPLAIN_H

#include <mmf/list.h>

#include "base/name.h"

/* mmf_fail for an object that was not opened: what it was, and GetLastError(). */
int mmf_explain_open(mmf_kind kind, const struct mmf_name *name);

/*
 * The same for one that was not created; NULL: it was to have no name. MMF_E_EXISTS
 * also if there is one that may not be opened.
 */
int mmf_explain_create(mmf_kind kind, const struct mmf_name *name);

/* MMF_E_EXISTS: an object of that kind has the name. */
int mmf_explain_exists(mmf_kind kind, const struct mmf_name *name);

#endif
