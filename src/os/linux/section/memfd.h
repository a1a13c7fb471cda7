/* memfd.h - unnamed sections: sealed memory without a file system. */
#ifndef MMF_OS_LINUX_SECTION_MEMFD_H
#define MMF_OS_LINUX_SECTION_MEMFD_H

#include "os/os.h"

/* Create one. Status as mmf_os_section_create. */
int mmf_memfd_create(const struct mmf_os_request *request, struct mmf_os_section **out);

#endif
