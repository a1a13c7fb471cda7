/* mmf/kind.h - the kinds of named object. All kinds share one namespace. */
#ifndef MMF_KIND_H
#define MMF_KIND_H

#include <mmf/export.h>

MMF_BEGIN_DECLS

typedef enum mmf_kind {
    MMF_KIND_UNKNOWN = 0, /* made by a newer version */
    MMF_KIND_MAP = 1,
    MMF_KIND_MUTEX = 2,
    MMF_KIND_EVENT = 3,
    MMF_KIND_SEMAPHORE = 4,
    MMF_KIND_QUEUE = 5,
    MMF_KIND_TOPIC = 6,
    MMF_KIND_LATEST = 7,
    MMF_KIND_SERVICE = 8,
    MMF_KIND_FORCE_32 = -0x7FFFFFFF /* keeps it 32 bits */
} mmf_kind;

/* "map", "mutex", ...; "unknown" for an unknown kind. A constant. */
MMF_API const char *mmf_kind_name(mmf_kind kind);

MMF_END_DECLS

#endif
