/*
 * huge.c - transparent huge pages of shared memory.
 *
 * Two settings decide: for memory without a mount (memfd) the file shmem_enabled; for a
 * tmpfs its mount option huge=, unless shmem_enabled says force or deny. madvise
 * answers neither, it succeeds and changes nothing.
 * (Documentation/admin-guide/mm/transhuge.rst)
 */
#include "os/linux/huge.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fail.h"
#include "os/linux/error.h"
#include "os/linux/sys.h"

static const char setting_path[] = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

enum { TMPFS = 0x01021994 };

/* Read a whole file of /proc or /sys, which may take several reads. */
static size_t
read_text(const char *path, char *text, size_t size)
{
    int fd = mmf_sys_open(path, O_RDONLY | O_CLOEXEC, 0);
    size_t used = 0;
    ssize_t count = 1;

    while (fd >= 0 && count > 0 && used < size - 1) {
        count = mmf_sys_pread(fd, text + used, size - 1 - used, (off_t)used);
        if (count > 0)
            used += (size_t)count;
    }
    if (fd >= 0)
        mmf_sys_close(fd);
    text[used] = '\0';
    return used;
}

/* The chosen word of "always within_size [never]". */
static void
read_setting(char word[32])
{
    char text[256];
    const char *open;
    size_t length;

    word[0] = '\0';
    read_text(setting_path, text, sizeof(text));
    open = strchr(text, '[');
    if (open == NULL)
        return;
    length = strcspn(open + 1, "]");
    snprintf(word, 32, "%.*s", (int)(length < 31 ? length : 31), open + 1);
}

/* Whether the line of mountinfo that has the device also has a huge= that allows. */
static int
mount_allows(dev_t device)
{
    char *text = malloc(65536);
    char wanted[48];
    const char *line;
    const char *option = NULL;
    int allows = 0;

    if (text == NULL)
        return 0;
    read_text("/proc/self/mountinfo", text, 65536);
    snprintf(wanted, sizeof(wanted), " %u:%u ", major(device), minor(device));
    line = strstr(text, wanted);
    if (line != NULL) {
        size_t length = strcspn(line, "\n");

        option = strstr(line, "huge=");
        if (option != NULL && option < line + length)
            allows = strncmp(option + 5, "never", 5) != 0;
    }
    free(text);
    return allows;
}

int
mmf_huge_check(int fd)
{
    char word[32];
    struct stat status;
    int sealed = mmf_sys_fcntl(fd, F_GET_SEALS, 0);

    if (mmf_sys_fstat(fd, &status) < 0)
        return mmf_error_fail("look at the map's file");
    read_setting(word);
    if (strcmp(word, "force") == 0)
        return MMF_OK;
    if (strcmp(word, "deny") == 0 || word[0] == '\0')
        return mmf_fail(
            MMF_E_NOT_SUPPORTED,
            "huge pages: this host has none for shared memory (%s is \"%s\")",
            setting_path, word);
    if (sealed >= 0 && (sealed & F_SEAL_SHRINK)) {
        if (strcmp(word, "never") != 0)
            return MMF_OK;
        return mmf_fail(MMF_E_NOT_SUPPORTED,
                        "huge pages: %s is \"never\": write \"advise\" to it",
                        setting_path);
    }
    if (mount_allows(status.st_dev))
        return MMF_OK;
    return mmf_fail(
        MMF_E_NOT_SUPPORTED,
        "huge pages: the map's file system was mounted without them: mount -o "
        "remount,huge=advise it");
}
