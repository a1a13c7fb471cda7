/*
 * store.h - how a name is made, found and removed: the protocol on the files.
 */
#ifndef MMF_OS_LINUX_STORE_STORE_H
#define MMF_OS_LINUX_STORE_STORE_H

#include <stdint.h>

#include "os/linux/store/objects.h"
#include "os/linux/store/directory.h"
#include "shared/page/control.h"

/* What to create: the control page's contents and the data's size and first bytes. */
struct mmf_store_request {
    const struct mmf_name *name;
    uint32_t kind;
    int64_t capacity;
    int64_t data_size;      /* bytes to reserve at offset 0 */
    const void *first_data; /* written at offset 0; may be NULL */
    int64_t first_data_size;
    uint32_t protection;
    uint32_t flags;
    const void *state; /* for the control page; may be NULL */
    size_t state_size;
    uint64_t ticket; /* the creator's, which is locked; 0: it draws none */
    uint32_t mode;   /* permission bits, exactly */
    int delay_allocate;
    int inheritable;
};

/* Create a new object. MMF_E_EXISTS, MMF_E_WRONG_KIND if the name is taken. */
int mmf_store_create(const struct mmf_store_request *request, struct mmf_object **out);

/* Open a living object of `kind`. MMF_E_NOT_FOUND. */
int mmf_store_open(const struct mmf_name *name, uint32_t kind, int writable,
                   int inheritable, struct mmf_object **out);

#endif
