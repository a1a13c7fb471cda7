/* mmf/version.h - the version of the headers, and of the library in use. */
#ifndef MMF_VERSION_H
#define MMF_VERSION_H

#include <mmf/export.h>

#define MMF_VERSION_MAJOR 0
#define MMF_VERSION_MINOR 1
#define MMF_VERSION_PATCH 0
#define MMF_VERSION_STRING "0.1.0"

MMF_BEGIN_DECLS

/* The version of the library that is loaded, as "major.minor.patch". A constant. */
MMF_API const char *mmf_version(void);

MMF_END_DECLS

#endif
