/*
 * file_ref.c - see file_ref.h. Other processes open the file by its path, and check that
 * it is still the same file.
 */
#include "os/linux/section/file_ref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/linux/section/access.h"
#include "os/linux/store/store.h"
#include "os/linux/sys/error.h"
#include "os/linux/sys/sys.h"
#include "shared/page/control.h"
#include "shared/page/file_ref.h"

/*
 * Publishing.
 */

/* There is no /proc: from the path that the user gave. */
static int
find_path_of(const char *given, char path[MMF_FILE_PATH_MAX])
{
    char *real = realpath(given, NULL);

    if (real == NULL)
        return mmf_file_fail_open(given);
    snprintf(path, MMF_FILE_PATH_MAX, "%s", real);
    free(real);
    return MMF_OK;
}

/*
 * The file's absolute path, by which other processes will open it. Asking the kernel
 * takes less stack than realpath does in some C libraries.
 */
static int
find_path(const struct mmf_os_file *file, char path[MMF_FILE_PATH_MAX])
{
    char link[64];
    ssize_t length;

    MMF_ASSERT(file->fd >= 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
    length = mmf_sys_readlink(link, path, MMF_FILE_PATH_MAX - 1);
    if (length < 0 && errno == ENOENT && file->path != NULL)
        return find_path_of(file->path, path);
    if (length < 0 && errno == ENOENT)
        return mmf_fail_system(MMF_E_NOT_SUPPORTED, errno,
                               "find the path of descriptor %d: is /proc mounted?",
                               file->fd);
    if (length < 0)
        return mmf_error_fail("find the path of descriptor %d", file->fd);
    path[length] = '\0';
    return MMF_OK;
}

static int
describe_file(const struct mmf_os_file *file, const struct mmf_name *name,
              uid_t publisher, struct mmf_file_ref_shared *ref)
{
    struct stat mine;
    struct stat named;
    const char *path = ref->path;
    int rc = find_path(file, ref->path);

    if (rc < 0)
        return rc;
    if (mmf_sys_fstat(file->fd, &mine) < 0 ||
        mmf_sys_birth(file->fd, &ref->birth_seconds, &ref->birth_nanoseconds) < 0)
        return mmf_error_fail("inspect %s", path);
    memset(&named, 0, sizeof(named));
    if (mmf_sys_stat(path, &named) < 0 && errno != ENOENT && errno != ENOTDIR)
        return mmf_error_fail("find %s by its path", path);
    if (!S_ISREG(mine.st_mode) || path[0] != '/' || named.st_dev != mine.st_dev ||
        named.st_ino != mine.st_ino)
        return mmf_fail(
            MMF_E_NOT_SUPPORTED,
            "name a map of a file that other processes cannot find by path (%.300s)",
            path);
    if (name->scope == MMF_SCOPE_GLOBAL && mine.st_uid != publisher)
        return mmf_fail(
            MMF_E_ACCESS,
            "%.300s belongs to user %u: a global name can only be given to a "
            "file of your own",
            path, (unsigned)mine.st_uid);
    ref->device = mine.st_dev;
    ref->inode = mine.st_ino;
    ref->path_length = (uint32_t)strlen(path);
    return MMF_OK;
}

int
mmf_file_ref_publish(const struct mmf_os_file *file,
                     const struct mmf_os_request *request, struct mmf_object **out)
{
    /* Not on the stack, which may be small. */
    struct mmf_file_ref_shared *ref = calloc(1, sizeof(*ref));
    struct mmf_store_request want = {
        .name = request->name,
        .kind = MMF_KIND_MAP,
        .capacity = request->capacity,
        .data_size = sizeof(*ref),
        .first_data = ref,
        .first_data_size = sizeof(*ref),
        .protection = (uint32_t)request->access,
        .flags = MMF_CONTROL_FILE_REF,
        .mode = request->mode,
        .inheritable = request->inheritability == MMF_INHERITABILITY_INHERITABLE,
    };
    int rc;

    MMF_ASSERT(request->name != NULL && request->capacity > 0);
    if (ref == NULL)
        return mmf_fail(MMF_E_NO_MEMORY, "no memory to name a map of %s",
                        mmf_file_name(file));
    rc = describe_file(file, request->name, mmf_sys_geteuid(), ref);
    if (rc == MMF_OK)
        rc = mmf_store_create(&want, out);
    free(ref);
    return rc;
}

/*
 * Opening what a name refers to.
 */

/* The system may give a file's birth to its publisher and not to its opener. */
static bool
has_other_birth(const struct mmf_file_ref_shared *ref, int64_t seconds,
                uint32_t nanoseconds)
{
    if ((seconds == 0 && nanoseconds == 0) ||
        (ref->birth_seconds == 0 && ref->birth_nanoseconds == 0))
        return false;
    return seconds != ref->birth_seconds || nanoseconds != ref->birth_nanoseconds;
}

static int
check_ref_target(int fd, const struct mmf_file_ref_shared *ref,
                 const struct mmf_object *object, const struct mmf_name *name)
{
    struct stat target;
    struct stat publisher;
    int64_t birth_seconds;
    uint32_t birth_nanoseconds;

    MMF_ASSERT(fd >= 0 && object->fd >= 0);
    if (mmf_sys_fstat(fd, &target) < 0 || mmf_sys_fstat(object->fd, &publisher) < 0 ||
        mmf_sys_birth(fd, &birth_seconds, &birth_nanoseconds) < 0)
        return mmf_error_fail("inspect %s", ref->path);
    if (S_ISLNK(target.st_mode))
        return mmf_fail(MMF_E_CORRUPT,
                        "\"%.200s\" maps %.300s, which has become a link: not followed",
                        name->text, ref->path);
    if (!S_ISREG(target.st_mode) || target.st_dev != ref->device ||
        target.st_ino != ref->inode ||
        has_other_birth(ref, birth_seconds, birth_nanoseconds))
        return mmf_fail(
            MMF_E_CORRUPT,
            "\"%.200s\" maps %.300s, which has been replaced by another file",
            name->text, ref->path);
    if (name->scope == MMF_SCOPE_GLOBAL && target.st_uid != publisher.st_uid)
        return mmf_fail(MMF_E_ACCESS,
                        "\"%.200s\" of user %u leads to %.300s, a file of user %u: not "
                        "followed",
                        name->text, (unsigned)publisher.st_uid, ref->path,
                        (unsigned)target.st_uid);
    if (target.st_size < object->capacity)
        return mmf_fail(
            MMF_E_CORRUPT,
            "%.300s has become shorter (%lld bytes) than the map of it (%lld)",
            ref->path, (long long)target.st_size, (long long)object->capacity);
    return MMF_OK;
}

static int
read_ref(const struct mmf_object *object, const struct mmf_name *name,
         struct mmf_file_ref_shared *ref)
{
    ssize_t count = mmf_sys_pread(object->fd, ref, sizeof(*ref), 0);

    if (count < 0)
        return mmf_error_fail("read which file \"%.200s\" maps", name->text);
    if (count != (ssize_t)sizeof(*ref))
        return mmf_fail(MMF_E_CORRUPT, "%s is too short to say which file it maps",
                        object->path);
    return mmf_file_ref_check(ref, object->path);
}

/* Opening something can act on it (a device, a FIFO, a lease), so it is found first. */
static int
find_target(const struct mmf_file_ref_shared *ref, const struct mmf_name *name)
{
    int fd = mmf_sys_open(ref->path, O_PATH | O_CLOEXEC | O_NOFOLLOW, 0);

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return mmf_fail_system(
            MMF_E_CORRUPT, errno, /* the name itself is there */
            "\"%.200s\" maps %.300s, which has been removed or moved", name->text,
            ref->path);
    return fd < 0 ? mmf_file_fail_open(ref->path) : fd;
}

/* Open what was found and checked, by its descriptor: the path may lead elsewhere now. */
static int
open_target(int found, const struct mmf_file_ref_shared *ref,
            const struct mmf_name *name, uint32_t needs)
{
    int flags =
        (needs & MMF_CAN_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    char link[64];
    int fd;

    MMF_ASSERT(found >= 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", found);
    fd = mmf_sys_open(link, flags, 0);
    /* Without /proc the path is all there is; a local name's is this user's own. */
    if (fd < 0 && errno == ENOENT && name->scope != MMF_SCOPE_GLOBAL)
        fd = mmf_sys_open(ref->path, flags | O_NOFOLLOW, 0);
    else if (fd < 0 && errno == ENOENT)
        return mmf_fail_system(MMF_E_NOT_SUPPORTED, errno,
                               "map file %.300s by a name: is /proc mounted?",
                               ref->path);
    return fd < 0 ? mmf_file_fail_open(ref->path) : fd;
}

int
mmf_file_ref_open(const struct mmf_object *object, const struct mmf_name *name,
                  uint32_t needs, int *out)
{
    struct mmf_file_ref_shared ref;
    int found;
    int fd = -1;
    int rc = read_ref(object, name, &ref);

    MMF_ASSERT(object->flags & MMF_CONTROL_FILE_REF);
    if (rc < 0)
        return rc;
    /*
     * What the creator did not allow, no view gets; then reading is enough, as a handle
     * that asks for more than there is opens without complaint (contract 2.8).
     */
    if (!mmf_access_writes((mmf_access)object->protection))
        needs &= ~MMF_CAN_WRITE;
    found = find_target(&ref, name);
    if (found < 0)
        return found;
    rc = check_ref_target(found, &ref, object, name);
    if (rc == MMF_OK)
        fd = rc = open_target(found, &ref, name, needs);
    mmf_sys_close(found);
    if (rc < 0)
        return rc;
    rc = check_ref_target(fd, &ref, object, name);
    if (rc < 0) {
        mmf_sys_close(fd);
        return rc;
    }
    *out = fd;
    return MMF_OK;
}
