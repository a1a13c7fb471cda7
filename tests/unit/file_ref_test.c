/*
 * file_ref_test.c - a reference to a file is input like the page before it.
 */
#include "harness/check.h"

#include <string.h>

#include "shared/page/file_ref.h"

static void
fill(struct mmf_file_ref_shared *ref, const char *path)
{
    memset(ref, 0, sizeof(*ref));
    ref->path_length = (uint32_t)strlen(path);
    memcpy(ref->path, path, ref->path_length);
}

static void
check_damaged(const struct mmf_file_ref_shared *ref)
{
    CHECK_FAILS(mmf_file_ref_check(ref, "map \"Cat\""), MMF_E_CORRUPT);
    CHECK(strstr(mmf_last_message(), "map \"Cat\"") != NULL);
}

TEST(absolute_paths_are_sound)
{
    struct mmf_file_ref_shared ref;
    char longest[MMF_FILE_PATH_MAX];

    fill(&ref, "/var/lib/cat");
    CHECK_OK(mmf_file_ref_check(&ref, "it"));
    fill(&ref, "/");
    CHECK_OK(mmf_file_ref_check(&ref, "it"));
    memset(longest, '/', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    fill(&ref, longest);
    CHECK_OK(mmf_file_ref_check(&ref, "it"));
}

TEST(other_paths_are_damage)
{
    struct mmf_file_ref_shared ref;

    fill(&ref, "");
    check_damaged(&ref);
    fill(&ref, "var/lib/cat");
    check_damaged(&ref);
    fill(&ref, "/cat");
    ref.path_length = 3; /* it does not end there */
    check_damaged(&ref);
    ref.path_length = 5; /* it ends before */
    check_damaged(&ref);
    ref.path_length = MMF_FILE_PATH_MAX - 1;
    check_damaged(&ref);
    ref.path_length = MMF_FILE_PATH_MAX;
    check_damaged(&ref);
    ref.path_length = UINT32_MAX;
    check_damaged(&ref);
    memset(ref.path, '/', sizeof(ref.path)); /* it never ends */
    ref.path_length = MMF_FILE_PATH_MAX - 1;
    check_damaged(&ref);
    ref.path_length = MMF_FILE_PATH_MAX;
    check_damaged(&ref);
}
