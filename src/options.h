/*
 * options.h - reads any public options struct by its `size`.
 */
#ifndef MMF_OPTIONS_H
#define MMF_OPTIONS_H

#include <stddef.h>

/*
 * Copy the caller's struct `given`, which begins with a uint32_t size, over `known`,
 * which has the defaults and is `known_size` large. NULL leaves the defaults.
 *
 * MMF_E_INVALID  no size a caller can have; or a larger struct than ours with bytes
 *                that are not zero where we know no field
 */
int mmf_options_read(const void *given, void *known, size_t known_size);

#endif
