/*
 * named.c - creating and opening sections: named objects, and what their names refer to.
 */
#include <stdlib.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/section/access.h"
#include "os/linux/section/file_ref.h"
#include "os/linux/section/memfd.h"
#include "os/linux/section/section.h"
#include "os/linux/store/store.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"

/* Make a section of a handle on an object; on failure the handle is given up. */
static int
wrap_object(struct mmf_object *object, mmf_inheritability inheritability,
            struct mmf_os_section **out)
{
    struct mmf_os_section *section = mmf_section_new(inheritability);

    MMF_ASSERT(object->kind == MMF_KIND_MAP);
    if (section == NULL) {
        mmf_object_leave(object);
        return MMF_E_NO_MEMORY;
    }
    section->object = object;
    section->capacity = object->capacity;
    section->protection = (mmf_access)object->protection;
    *out = section;
    return MMF_OK;
}

int
mmf_os_section_create(const struct mmf_os_request *request, struct mmf_os_section **out)
{
    struct mmf_store_request want = {
        .name = request->name,
        .kind = MMF_KIND_MAP,
        .capacity = request->capacity,
        .data_size = request->capacity,
        .protection = (uint32_t)request->access,
        .mode = request->mode,
        .delay_allocate = request->delay_allocate,
        .inheritable = request->inheritability == MMF_INHERITABILITY_INHERITABLE,
    };
    struct mmf_object *object;
    int rc;

    MMF_ASSERT(request->capacity > 0 && out != NULL);
    if (request->capacity > MMF_CAPACITY_MAX)
        return mmf_fail(MMF_E_NO_SPACE, "no system holds %lld bytes",
                        (long long)request->capacity);
    if (request->name == NULL)
        return mmf_memfd_create(request, out);
    rc = mmf_store_create(&want, &object);
    return rc < 0 ? rc : wrap_object(object, request->inheritability, out);
}

int
mmf_os_section_open(const struct mmf_name *name, uint32_t needs,
                    mmf_inheritability inheritability, struct mmf_os_section **out)
{
    struct mmf_object *object;
    int fd = -1;
    int rc = mmf_store_open(name, MMF_KIND_MAP, (needs & MMF_CAN_WRITE) != 0,
                            inheritability == MMF_INHERITABILITY_INHERITABLE, &object);

    MMF_ASSERT(name != NULL && out != NULL);
    if (rc < 0)
        return rc;
    if (object->flags & MMF_CONTROL_FILE_REF) {
        rc = mmf_file_ref_open(object, name, needs, &fd);
        if (rc < 0) {
            mmf_object_leave(object);
            return rc;
        }
    }
    rc = wrap_object(object, inheritability, out);
    if (rc < 0) {
        if (fd >= 0)
            mmf_sys_close(fd);
        return rc;
    }
    (*out)->fd = fd;
    (*out)->is_memory = fd < 0;
    return MMF_OK;
}
