/* mmf/version.h - the version of the headers, and of the library in use. */
#ifndef MMF_VERSION_H
#define MMF_VERSION_H

#include <mmf/export.h>

#define MMF_VERSION_MAJOR 0
#define MMF_VERSION_MINOR 2
#define MMF_VERSION_PATCH 0
/* For #if: MMF_VERSION >= 200 is 0.2.0 or later. 1.2.3 is 10203. */
#define MMF_VERSION                                                                    \
    (MMF_VERSION_MAJOR * 10000 + MMF_VERSION_MINOR * 100 + MMF_VERSION_PATCH)
#define MMF_VERSION_STRING "0.2.0"

MMF_BEGIN_DECLS

/* The version of the library that is loaded, as "major.minor.patch". A constant. */
MMF_API const char *mmf_version(void);

MMF_END_DECLS

#endif
