/*
 * huge.c - transparent huge pages of shared memory.
 *
 * Two settings decide: for memory without a mount (memfd) the file shmem_enabled; for a
 * tmpfs its mount option huge=, unless shmem_enabled says force or deny. madvise
 * reports neither: it succeeds and changes nothing.
 * (Documentation/admin-guide/mm/transhuge.rst)
 */
#include "os/linux/section/huge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/procfs.h"
#include "os/linux/sys/sys.h"

static const char setting_path[] = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

enum { TMPFS = 0x01021994 };

/* The chosen word of "always within_size [never]"; "" if the file is missing. */
static int
read_setting(char word[32])
{
    char text[256];
    const char *open;
    size_t length;

    word[0] = '\0';
    if (mmf_procfs_read(setting_path, text, sizeof(text)) < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES
                   ? MMF_OK
                   : mmf_error_fail("huge pages: read %s", setting_path);
    open = strchr(text, '[');
    if (open == NULL)
        return MMF_OK;
    length = strcspn(open + 1, "]");
    snprintf(word, 32, "%.*s", (int)(length < 31 ? length : 31), open + 1);
    return MMF_OK;
}

/* Whether the line of mountinfo with the device also has a huge= that allows them. */
static bool
has_huge_option(const char *text, dev_t device)
{
    char wanted[48];
    const char *line;
    const char *option;

    snprintf(wanted, sizeof(wanted), " %u:%u ", major(device), minor(device));
    line = strstr(text, wanted);
    option = line != NULL ? strstr(line, "huge=") : NULL;
    return option != NULL && option < line + strcspn(line, "\n") &&
           strncmp(option + 5, "never", 5) != 0;
}

static int
check_mount(dev_t device)
{
    static const char path[] = "/proc/self/mountinfo";
    char *text = mmf_procfs_load(path);
    int rc = MMF_OK;

    if (text == NULL)
        rc = errno == ENOENT || errno == ENOTDIR
                 ? mmf_fail_system(MMF_E_NOT_SUPPORTED, errno,
                                   "huge pages: how is the map's file system mounted?")
                 : mmf_error_fail("huge pages: read %s", path);
    else if (!has_huge_option(text, device))
        rc = mmf_fail(
            MMF_E_NOT_SUPPORTED,
            "huge pages: the map's file system was mounted without them: mount -o "
            "remount,huge=advise it");
    free(text);
    return rc;
}

int
mmf_huge_check(int fd)
{
    char word[32];
    struct stat status;
    int seals;
    int rc;

    MMF_ASSERT(fd >= 0);
    if (mmf_sys_fstat(fd, &status) < 0)
        return mmf_error_fail("inspect the map's file");
    rc = read_setting(word);
    if (rc < 0)
        return rc;
    if (strcmp(word, "force") == 0)
        return MMF_OK;
    if (strcmp(word, "deny") == 0 || word[0] == '\0')
        return mmf_fail(
            MMF_E_NOT_SUPPORTED,
            "huge pages: this host has none for shared memory (%s is \"%s\")",
            setting_path, word);
    seals = mmf_sys_fcntl(fd, F_GET_SEALS, 0);
    if (seals < 0 && errno != EINVAL)
        return mmf_error_fail("ask for the seals of the map's file");
    if (seals < 0 || !(seals & F_SEAL_SHRINK))
        return check_mount(status.st_dev);
    if (strcmp(word, "never") != 0)
        return MMF_OK;
    return mmf_fail(MMF_E_NOT_SUPPORTED,
                    "huge pages: %s is \"never\": write \"advise\" to it",
                    setting_path);
}
