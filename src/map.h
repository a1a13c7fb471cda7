/*
 * map.h - what a map handle is, for the views; and what map.c and map_file.c have in
 * common: the checks of arguments, each with .NET's name of it, and making the handle.
 */
#ifndef MMF_SRC_MAP_H
#define MMF_SRC_MAP_H

#include <stdint.h>

#include <mmf/map.h>

#include "base/atomic.h"
#include "naming.h"
#include "os/os.h"

struct mmf_map {
    struct mmf_os_section *section;
    uint32_t can;             /* MMF_CAN_...: what this handle was opened for */
    mmf_atomic_pointer bytes; /* of mmf_map_bytes: a struct whole_map, or NULL */
};

/* Each answers MMF_OK, or the failure that the header has for it. */
int mmf_map_read_options(const mmf_map_options *given, const void *out,
                         mmf_map_options *options);
int mmf_map_check_name(const char *map_name, const char *parameter);
int mmf_map_check_access(mmf_access access);
int mmf_map_check_new_access(mmf_access access);
int mmf_map_check_inheritability(mmf_inheritability inheritability);

/* Allocation and inheritability in contract 2.4's order, then what is ours alone. */
int mmf_map_check_settings(const mmf_map_options *options);

/* The part of the options that is about the name. */
struct mmf_naming mmf_map_naming(const mmf_map_options *options);

/*
 * A handle without a section, or MMF_E_NO_MEMORY. The handle comes first: once a section
 * has taken over a descriptor or made a file, nothing may fail.
 */
int mmf_map_new(uint32_t can, mmf_map **out);

/* `rc` says whether the handle has got its section: to `*out` with it, or free it. */
int mmf_map_hand_over(int rc, mmf_map *map, mmf_map **out);

/* What the os is asked for; `name` may be NULL. */
struct mmf_os_request mmf_map_request(const mmf_map_options *options,
                                      const struct mmf_name *name, int64_t capacity);

#endif
