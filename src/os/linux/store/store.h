/*
 * store.h - how a name is made, found and removed: the protocol on the files.
 *
 *   create   a file without a name is filled, held, then linked under its name: no
 *            process ever sees a half-made object, and a creator killed before that
 *            leaves nothing
 *   open     see that a process holds it, hold it too, see that it still has its name
 *   collect  when no process holds it: unlink. Each process that meets an orphaned
 *            object collects it
 *
 * A process that holds a linked object knows that it stays linked, since a collector
 * removes only what no process holds; and newcomers join only what a process holds.
 * What a survivor sees of a process killed here: before the link nothing; between
 * asking and holding nothing either; after unlocking an orphaned object, which the next
 * process to meet it collects.
 */
#ifndef MMF_OS_LINUX_STORE_STORE_H
#define MMF_OS_LINUX_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name.h"
#include "os/linux/store/objects.h"

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
    bool delay_allocate;
    bool inheritable;
};

/* Create a new object. MMF_E_EXISTS, MMF_E_WRONG_KIND if the name is taken. */
int mmf_store_create(const struct mmf_store_request *request, struct mmf_object **out);

/* Open an object of `kind` that is in use. MMF_E_NOT_FOUND. */
int mmf_store_open(const struct mmf_name *name, uint32_t kind, bool writable,
                   bool inheritable, struct mmf_object **out);

#endif
