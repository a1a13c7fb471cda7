/* file_ref.h - names of maps of files: the object says which file it is. */
#ifndef MMF_OS_LINUX_SECTION_FILE_REF_H
#define MMF_OS_LINUX_SECTION_FILE_REF_H

#include "os/linux/section/file.h"
#include "os/linux/store/objects.h"
#include "os/os.h"

/* Create the named object that refers to the file. */
int mmf_file_ref_publish(const struct mmf_os_file *file,
                         const struct mmf_os_request *request, struct mmf_object **out);

/* Open the file that a named object refers to. */
int mmf_file_ref_open(const struct mmf_object *object, const struct mmf_name *name,
                      uint32_t needs, int *fd);

#endif
