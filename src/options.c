/*
 * options.c - options structs of older and newer callers (libbpf's convention).
 */
#include "options.h"

#include <stdint.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"

/* No options struct of any version is larger. */
enum { LARGEST = 4096 };

int
mmf_options_read(const void *given, void *known, size_t known_size)
{
    const uint8_t *bytes = given;
    uint32_t size;

    if (given == NULL)
        return MMF_OK;
    memcpy(&size, given, sizeof(size));
    if (size < sizeof(size) || size > LARGEST)
        return mmf_fail_argument(MMF_E_INVALID, "options",
                                 "the options' size is %u: call their _init function",
                                 size);
    for (size_t i = known_size; i < size; i++) {
        if (bytes[i] != 0)
            return mmf_fail_argument(MMF_E_INVALID, "options",
                                     "the options have fields that this version of the "
                                     "library does not know");
    }
    memcpy(known, given, size < known_size ? size : known_size);
    return MMF_OK;
}
