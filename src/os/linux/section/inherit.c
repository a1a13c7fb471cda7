/*
 * inherit.c - sections from descriptors that a parent process has passed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/section/section.h"
#include "os/linux/store/directory.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"

/* Whether `name` is that of the file which is open as `fd`. */
static int
check_name(int fd, const struct mmf_name *name, const struct stat *status)
{
    struct mmf_directory directory;
    struct stat named = {0};
    int rc = mmf_directory_find(name->scope, &directory);

    MMF_ASSERT(fd >= 0);
    if (rc < 0)
        return rc;
    if (mmf_sys_lstat(mmf_directory_file_path(&directory, name), &named) < 0 &&
        errno != ENOENT)
        rc = mmf_error_fail("inspect %s", directory.file);
    else if (named.st_ino != status->st_ino || named.st_dev != status->st_dev)
        rc = mmf_fail(MMF_E_CORRUPT,
                      "descriptor %d is the map \"%.200s\", but not the one of that "
                      "name in this namespace",
                      fd, name->text);
    mmf_directory_free(&directory);
    return rc;
}

/* A named object's descriptor, lock and all, from a parent process. */
static int
adopt_object(int fd, uint32_t needs, const struct mmf_control_shared *page,
             const struct stat *status, mmf_inheritability inheritability,
             struct mmf_os_section **out)
{
    struct mmf_name name = {.text = page->name,
                            .length = page->name_length,
                            .scope = (enum mmf_scope)page->scope};
    int rc = check_name(fd, &name, status);

    if (rc < 0)
        return rc;
    /* While the descriptor holds the object we can open a handle of our own. */
    rc = mmf_os_section_open(&name, needs, inheritability, out);
    if (rc == MMF_OK)
        mmf_sys_close(fd);
    return rc;
}

/* A memfd or a file of the parent process. */
static int
adopt_descriptor(int fd, int mode, const struct stat *status,
                 mmf_inheritability inheritability, struct mmf_os_section **out)
{
    struct mmf_os_section *section;
    int rc;

    MMF_ASSERT(fd >= 0 && mode != O_WRONLY);
    if (status->st_size < 1)
        return mmf_fail(MMF_E_CORRUPT, "descriptor %d is not a map", fd);
    section = mmf_section_new(inheritability);
    if (section == NULL)
        return MMF_E_NO_MEMORY;
    rc = mmf_section_set_inherit(fd, inheritability);
    if (rc < 0) {
        free(section);
        return rc;
    }
    section->fd = fd;
    section->is_memory = mmf_sys_fcntl(fd, F_GET_SEALS, 0) >= 0;
    section->capacity = status->st_size;
    if (mode != O_RDWR)
        section->protection = MMF_ACCESS_READ;
    else if (status->st_mode & S_IXUSR)
        section->protection = MMF_ACCESS_READ_WRITE_EXECUTE;
    else
        section->protection = MMF_ACCESS_READ_WRITE;
    *out = section;
    return MMF_OK;
}

/* Read the control page, if it is a named object's: 1, 0, or a status with mmf_fail. */
static int
read_inherited_page(int fd, const struct stat *status, struct mmf_control_shared *page)
{
    int64_t data_size = status->st_size - MMF_CONTROL_SIZE;
    ssize_t count;
    int rc;

    MMF_ASSERT(fd >= 0 && page != NULL);
    if (data_size < 0 || data_size % MMF_CONTROL_ALIGNMENT != 0)
        return 0;
    count = mmf_sys_pread(fd, page, sizeof(*page), data_size);
    if (count < 0)
        return mmf_error_fail("read descriptor %d", fd);
    if (count < (ssize_t)sizeof(*page))
        return mmf_fail(MMF_E_CORRUPT, "descriptor %d became shorter", fd);
    if (!mmf_control_is_ours(page))
        return 0;
    rc = mmf_control_check(page, data_size, "the inherited handle");
    return rc < 0 ? rc : 1;
}

/* A descriptor of a regular file; its control page goes to `page`. */
static int
adopt(int fd, int mode, const struct stat *status, mmf_inheritability inheritability,
      struct mmf_control_shared *page, struct mmf_os_section **out)
{
    /* What the parent's handle can do decides, whatever is asked for; then the views. */
    uint32_t needs = mode == O_RDWR ? MMF_CAN_READ | MMF_CAN_WRITE : MMF_CAN_READ;
    int rc = read_inherited_page(fd, status, page);

    if (rc == 0)
        return adopt_descriptor(fd, mode, status, inheritability, out);
    return rc < 0 ? rc : adopt_object(fd, needs, page, status, inheritability, out);
}

static int
fail_not_open(intptr_t handle)
{
    return mmf_fail_system(MMF_E_DISPOSED, EBADF, "handle %lld is not open",
                           (long long)handle);
}

int
mmf_os_section_adopt(intptr_t handle, uint32_t needs, mmf_inheritability inheritability,
                     struct mmf_os_section **out)
{
    struct mmf_control_shared *page; /* not on the stack, which may be small */
    struct stat status;
    int fd = (int)handle;
    int mode;
    int rc;

    MMF_ASSERT(out != NULL);
    (void)needs;
    if (handle < 0 || handle > INT32_MAX)
        return fail_not_open(handle);
    if (mmf_sys_fstat(fd, &status) < 0)
        return errno == EBADF ? fail_not_open(handle)
                              : mmf_error_fail("inspect descriptor %d", fd);
    mode = mmf_sys_fcntl(fd, F_GETFL, 0);
    if (mode < 0)
        return mmf_error_fail("ask how descriptor %d was opened", fd);
    mode &= O_ACCMODE;
    if (!S_ISREG(status.st_mode) || mode == O_WRONLY)
        return mmf_fail(MMF_E_CORRUPT, "descriptor %d is not a map", fd);
    page = malloc(sizeof(*page));
    if (page == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory to adopt descriptor %d", fd);
    rc = adopt(fd, mode, &status, inheritability, page, out);
    free(page);
    return rc;
}
