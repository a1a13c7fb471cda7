/*
 * options.c - options structs of older and newer callers (libbpf's convention).
 */
#include "options.h"

#include <stdint.h>
#include <string.h>

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"

/* No options struct of any version is larger. */
enum { LARGEST = 4096 };

int
mmf_options_read(const void *given, void *known, size_t known_size)
{
    const uint8_t *bytes = given;
    uint32_t size;

    MMF_ASSERT(known_size >= sizeof(size) && known_size <= LARGEST);
    memset(known, 0, known_size);
    if (given == NULL)
        return MMF_OK;
    memcpy(&size, given, sizeof(size));
    if (size < sizeof(size) || size > LARGEST)
        return mmf_fail_argument(MMF_E_INVALID, "options",
                                 "invalid options size %u: set `size` to sizeof the "
                                 "struct",
                                 size);
    for (size_t i = known_size; i < size; i++) {
        if (bytes[i] != 0)
            return mmf_fail_argument(MMF_E_INVALID, "options",
                                     "the options are of %u bytes and have fields that "
                                     "this version of the library, which knows %zu, "
                                     "does not have",
                                     size, known_size);
    }
    memcpy(known, given, size < known_size ? size : known_size);
    return MMF_OK;
}

int
mmf_options_check_flag(int32_t value, const char *field)
{
    if (value == 0 || value == 1)
        return MMF_OK;
    return mmf_fail_argument(MMF_E_INVALID, "options", "invalid %s %d: use 0 or 1",
                             field, value);
}

int
mmf_options_check_reserved(uint32_t reserved)
{
    if (reserved == 0)
        return MMF_OK;
    return mmf_fail_argument(MMF_E_INVALID, "options",
                             "the options' reserved field is %u: it must be 0",
                             reserved);
}
