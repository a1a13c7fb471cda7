/*
 * options.h - reads any public options struct by its `size`.
 */
#ifndef MMF_OPTIONS_H
#define MMF_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Copy the caller's struct `given`, which begins with a uint32_t size, over `known`,
 * which is `known_size` large. What `given` does not have is zero, which is the default
 * of every field; NULL has nothing.
 *
 * MMF_E_INVALID  no size a caller can have; or a larger struct than ours with bytes
 *                that are not zero where we know no field
 */
int mmf_options_read(const void *given, void *known, size_t known_size);

/* MMF_E_INVALID: it is not 0 or 1. */
int mmf_options_check_flag(int32_t value, const char *field);

/* MMF_E_INVALID: it is not 0. */
int mmf_options_check_reserved(uint32_t reserved);

#endif
