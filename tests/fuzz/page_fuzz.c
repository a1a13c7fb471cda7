/*
 * page_fuzz.c - the parser of shared memory, with any input.
 *
 * The input is a page, short ones filled up with zeros; its last two bytes choose the
 * size of the data in front of it. Built with libFuzzer where the compiler has it, and
 * with replay.c everywhere.
 */
#include <stdint.h>
#include <string.h>

#include "base/name.h"
#include "shared/page/control.h"
#include "shared/page/file_ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* What the callers rely on after a page was found sound. */
static void
check_promises(const struct mmf_control_shared *page, int64_t data_size)
{
    struct mmf_name name = {.text = page->name,
                            .length = page->name_length,
                            .scope = (enum mmf_scope)page->scope};

    if (page->name_length > MMF_NAME_MAX || page->name[page->name_length] != '\0' ||
        page->capacity < 0 || page->capacity > MMF_CAPACITY_MAX ||
        !mmf_control_has_name(page, &name))
        __builtin_trap();
    if (!(page->flags & MMF_CONTROL_FILE_REF) && page->capacity > data_size)
        __builtin_trap(); /* a view would reach beyond the file's data */
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct mmf_control_shared page;
    struct mmf_file_ref_shared ref;
    int64_t data_size;

    memset(&page, 0, sizeof(page));
    memset(&ref, 0, sizeof(ref));
    memcpy(&page, bytes, count < sizeof(page) ? count : sizeof(page));
    memcpy(&ref, bytes, count < sizeof(ref) ? count : sizeof(ref));
    data_size = count < 2 ? 0
                          : (int64_t)(bytes[count - 1] | bytes[count - 2] << 8) *
                                MMF_CONTROL_ALIGNMENT;
    if (mmf_control_check(&page, data_size, "the page") == 0)
        check_promises(&page, data_size);
    if (mmf_file_ref_check(&ref, "the reference") == 0 &&
        (ref.path[0] != '/' || strlen(ref.path) != ref.path_length))
        __builtin_trap();
    return 0;
}
