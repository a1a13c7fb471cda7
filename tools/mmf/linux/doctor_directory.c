/* doctor_directory.c - the directory of the names: its permissions, space and contents. */
#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mmf/mmf.h>

#include "base/text.h"
#include "base/units.h"
#include "linux/directory.h"

enum { KIB = 1024 };
#define SMALL_TOTAL ((uint64_t)64 << 20)
#define SMALL_FREE ((uint64_t)8 << 20)

/*
 * Remedies. None is named that does harm, or that this process may not do; and another
 * directory only after a name was created in it.
 */

/* root, in the host's user namespace: elsewhere the kernel refuses. */
static int
may_mount(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    long long inside = 0, outside = 0, count = 4294967295;
    FILE *map = fopen("/proc/self/uid_map", "re");

    if (map != NULL) {
        if (fscanf(map, "%lld %lld %lld", &inside, &outside, &count) != 3)
            count = 0;
        fclose(map);
    }
    return syscall(SYS_capget, &header, data) == 0 &&
           (data[0].effective & 1u << CAP_SYS_ADMIN) != 0 && inside == outside &&
           count == 4294967295;
}

static int
is_mount_point(const char *path)
{
    char *parent = text_format("%s/..", path);
    struct stat here, above;
    int is = stat(path, &here) == 0 && stat(parent, &above) == 0 &&
             here.st_dev != above.st_dev;

    free(parent);
    return is;
}

/* Whether a name can be created in the directory. What that leaves there is removed. */
static int
works_in(const char *directory)
{
    const char *set = secure_getenv("MMF_DIR");
    char *before = set != NULL ? text_format("%s", set) : NULL;
    char *name = text_format("mmf-doctor-%d", (int)getpid());
    char local[PATH_MAX];
    mmf_map *map = NULL;
    int works;

    setenv("MMF_DIR", directory, 1);
    works = mmf_map_create_new(name, 1, NULL, &map) == MMF_OK;
    mmf_map_close(map);
    directory_local(directory, local);
    rmdir(local); /* it stays if it has names */
    if (before != NULL)
        setenv("MMF_DIR", before, 1);
    else
        unsetenv("MMF_DIR");
    free(before);
    free(name);
    return works;
}

/* Names elsewhere; NULL: there is no such place. */
static char *
move_elsewhere(void)
{
    char *of_user = text_format("/run/user/%u", (unsigned)geteuid());
    const char *places[] = {"/dev/shm", secure_getenv("XDG_RUNTIME_DIR"), of_user,
                            "/tmp"};
    char *fix = NULL;

    for (size_t i = 0; fix == NULL && i < sizeof(places) / sizeof(places[0]); i++) {
        if (places[i] == NULL || strcmp(places[i], directory_root()) == 0 ||
            !works_in(places[i]))
            continue;
        fix = i == 0
                  ? text_format("unset MMF_DIR # in every program that shares names")
                  : doctor_fix(places[i], "export MMF_DIR={} # in every program that "
                                          "shares names");
    }
    free(of_user);
    return fix;
}

/* Twice the size: a fixed one could be smaller than what there is. */
static char *
grow(const char *root, uint64_t total)
{
    unsigned long long megabytes = (total >> 19) + 1;

    if (may_mount() && is_mount_point(root))
        return doctor_fix(root, "mount -o remount,size=%lluM {}", megabytes);
    return doctor_fix(root, "# mount {} larger (containers: --shm-size=%lluM)",
                      megabytes);
}

char *
doctor_remedy(int rc)
{
    struct rlimit limit;
    struct statfs status;

    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < (rlim_t)1 << 20)
        return limit.rlim_cur < limit.rlim_max ? text_format("ulimit -f hard") : NULL;
    if (rc == MMF_E_NO_SPACE && statfs(directory_root(), &status) == 0)
        return grow(directory_root(),
                    (uint64_t)status.f_blocks * (uint64_t)status.f_bsize);
    return move_elsewhere();
}

/*
 * The directory. Each check returns 0 if no name can be created there.
 */

static int
refuse(const char *check, char *what, const char *why, char *fix)
{
    doctor_report_made(DOCTOR_BAD, check, what, why, fix);
    return 0;
}

static int
may_make(const char *path)
{
    char *parent = text_format("%.*s", (int)(strrchr(path, '/') - path), path);
    int may = faccessat(AT_FDCWD, parent, W_OK | X_OK, AT_EACCESS) == 0;

    free(parent);
    return may;
}

/* It is missing, or something before it is no directory. */
static int
report_missing_root(const char *root)
{
    int error = errno;
    char *what = text_format("%s: %s", root, strerror(error));
    static const char why[] =
        "Names are files in this directory, /dev/shm or the one that MMF_DIR names.";

    if (error == ENOENT && secure_getenv("MMF_DIR") != NULL && may_make(root))
        return refuse("directory", what, why, doctor_fix(root, "mkdir -m 700 {}"));
    if (error == ENOENT && secure_getenv("MMF_DIR") == NULL && may_mount())
        return refuse("directory", what, why,
                      doctor_fix(root, "mkdir -m 1777 -p {} && mount -t tmpfs -o "
                                       "mode=1777 tmpfs {}"));
    return refuse("directory", what, why, move_elsewhere());
}

/* In a user namespace the owner may have no number here: the library knows the rules. */
static int
is_accepted(void)
{
    mmf_list *list;

    if (mmf_list_create(MMF_LIST_GLOBAL | MMF_LIST_KEEP_ORPHANED, &list) < 0)
        return 0;
    mmf_list_close(list);
    return 1;
}

static int
check_owner(const char *root, const struct stat *status)
{
    if (status->st_uid != 0 && status->st_uid != geteuid() && !is_accepted())
        return refuse("directory",
                      text_format("%s belongs to %s", root, text_user(status->st_uid)),
                      "Its owner could replace what is in it, so it is refused.",
                      move_elsewhere());
    if ((status->st_mode & 022) && !(status->st_mode & S_ISVTX))
        return refuse("directory",
                      text_format("others may replace files in %s (mode %04o)", root,
                                  status->st_mode & 07777u),
                      "Without the sticky bit any user can replace a name's file, so "
                      "it is refused.",
                      status->st_uid == geteuid() || geteuid() == 0
                          ? doctor_fix(root, "chmod +t {}")
                          : move_elsewhere());
    return 1;
}

static int
check_writable(const char *root, const struct stat *status)
{
    char local[PATH_MAX];
    struct statfs system;

    directory_local(root, local);
    if (statfs(root, &system) == 0 && (system.f_flags & ST_RDONLY))
        return refuse("read-only", text_format("%s is mounted read-only", root),
                      "Creating a name creates a file, and opening one locks it.",
                      strcmp(root, "/dev/shm") == 0 && may_mount() &&
                              is_mount_point(root)
                          ? doctor_fix(root, "mount -o remount,rw {}")
                          : move_elsewhere());
    if (faccessat(AT_FDCWD, root, W_OK | X_OK, AT_EACCESS) < 0 &&
        faccessat(AT_FDCWD, local, W_OK | X_OK, AT_EACCESS) < 0)
        return refuse("directory",
                      text_format("this process may not create files in %s (mode %04o)",
                                  root, status->st_mode & 07777u),
                      "Creating a name creates a file in it.", move_elsewhere());
    if (strcmp(root, "/dev/shm") == 0 && (status->st_mode & 01777) != 01777)
        doctor_report_made(DOCTOR_WARN, "mode",
                           text_format("other users may not create names in %s (mode "
                                       "%04o)",
                                       root, status->st_mode & 07777u),
                           "The usual mode of /dev/shm is 1777.",
                           geteuid() == 0 ? doctor_fix(root, "chmod 1777 {}") : NULL);
    return 1;
}

static int
check_root(const char *root)
{
    struct stat status;

    if (root[0] != '/')
        return refuse(
            "directory",
            text_format("MMF_DIR is \"%s\", which is not an absolute path", root),
            "Every process must find the same directory.", move_elsewhere());
    if (stat(root, &status) < 0)
        return report_missing_root(root);
    if (!S_ISDIR(status.st_mode))
        return refuse("directory", text_format("%s is not a directory", root),
                      "Names are files in the directory that MMF_DIR names.",
                      move_elsewhere());
    if (!check_owner(root, &status) || !check_writable(root, &status))
        return 0;
    doctor_report_made(
        DOCTOR_GOOD, "directory",
        text_format("names are in %s%s", root,
                    secure_getenv("MMF_DIR") != NULL ? ", which MMF_DIR names" : ""),
        NULL, NULL);
    return 1;
}

/* A user's own directory there. */
static int
check_local(const char *root)
{
    char path[PATH_MAX];
    struct stat status;

    directory_local(root, path);
    if (lstat(path, &status) < 0) {
        doctor_report_made(DOCTOR_GOOD, "local",
                           text_format("%s is created with the first name", path), NULL,
                           NULL);
        return 1;
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid())
        return refuse(
            "local",
            text_format("%s %s %s", path,
                        S_ISDIR(status.st_mode) ? "belongs to"
                                                : "is not a directory; it belongs to",
                        text_user(status.st_uid)),
            "Another user created it first, so it is refused: no local name works.",
            geteuid() == 0 || status.st_uid == geteuid()
                ? doctor_fix(path, "mv {} {}.planted")
                : move_elsewhere());
    if (status.st_mode & 077)
        return refuse("local",
                      text_format("%s is open to other users (mode %04o)", path,
                                  status.st_mode & 07777u),
                      "They could put anything under your names, so it is refused.",
                      doctor_fix(path, "ls -la {}; chmod 700 {}"));
    doctor_report_made(DOCTOR_GOOD, "local", text_format("%s is yours alone", path),
                       NULL, NULL);
    return 1;
}

/*
 * The file system.
 */

static const struct {
    const char *name;
    uint32_t magic;
    enum doctor_level level;
} file_systems[] = {
    {"tmpfs", 0x01021994, DOCTOR_GOOD}, {"ramfs", 0x858458f6, DOCTOR_GOOD},
    {"ext4", 0xEF53, DOCTOR_NOTE},      {"xfs", 0x58465342, DOCTOR_NOTE},
    {"btrfs", 0x9123683E, DOCTOR_NOTE}, {"overlayfs", 0x794c7630, DOCTOR_NOTE},
    {"NFS", 0x6969, DOCTOR_BAD},        {"9p", 0x01021997, DOCTOR_BAD},
    {"FUSE", 0x65735546, DOCTOR_BAD},   {"SMB", 0x517B, DOCTOR_BAD},
    {"CIFS", 0xFF534D42, DOCTOR_BAD},   {"SMB2", 0xFE534D42, DOCTOR_BAD},
    {"Ceph", 0x00C36400, DOCTOR_BAD},   {"AFS", 0x5346414F, DOCTOR_BAD},
    {"Lustre", 0x0BD00BD0, DOCTOR_BAD},
};

static int
report_file_system(const char *root, const char *name, enum doctor_level level)
{
    const char *why =
        level == DOCTOR_GOOD ? NULL
        : level == DOCTOR_BAD
            ? "Other hosts may not see its locks, so it is refused."
            : "The bytes are written to a disk now and then; a tmpfs is faster.";

    doctor_report_made(level, "mount", text_format("%s is on %s", root, name), why,
                       level == DOCTOR_GOOD ? NULL : move_elsewhere());
    return level != DOCTOR_BAD;
}

static int
check_file_system(const char *root, const struct statfs *status)
{
    if (status->f_flags & ST_NOEXEC)
        doctor_report_made(DOCTOR_NOTE, "noexec",
                           text_format("%s is mounted noexec", root),
                           "Maps with an access that includes execute are refused; "
                           "all else works.",
                           NULL);
    for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++)
        if ((uint32_t)status->f_type == file_systems[i].magic)
            return report_file_system(root, file_systems[i].name,
                                      file_systems[i].level);
    doctor_report_made(DOCTOR_NOTE, "mount",
                       text_format("%s is on a file system of type 0x%x", root,
                                   (unsigned)status->f_type),
                       "mmf has not been tested there.", move_elsewhere());
    return 1;
}

static void
check_space(const char *root, const struct statfs *status)
{
    uint64_t total = (uint64_t)status->f_blocks * (uint64_t)status->f_bsize;
    uint64_t left = (uint64_t)status->f_bavail * (uint64_t)status->f_bsize;
    int tight = left < SMALL_FREE || left < total / 20;
    char *what;

    if (total == 0)
        return; /* a file system without a limit */
    what = text_format("%s has %llu KiB, %llu KiB free", root,
                       (unsigned long long)total / KIB, (unsigned long long)left / KIB);
    if (!tight && total > SMALL_TOTAL) {
        doctor_report_made(DOCTOR_GOOD, "space", what, NULL, NULL);
        return;
    }
    doctor_report_made(
        tight ? DOCTOR_WARN : DOCTOR_NOTE, "space", what,
        "A map that needs more is refused with MMF_E_NO_SPACE: mount it larger "
        "(containers: --shm-size), or set MMF_DIR.",
        grow(root, total));
}

static void
check_files(const char *root, const struct statfs *status)
{
    if (status->f_files == 0 || status->f_ffree > 1000)
        return;
    doctor_report_made(status->f_ffree < 10 ? DOCTOR_BAD : DOCTOR_WARN, "files",
                       text_format("%s can hold %llu more files", root,
                                   (unsigned long long)status->f_ffree),
                       "Each name is a file.",
                       may_mount() && is_mount_point(root)
                           ? doctor_fix(root, "mount -o remount,nr_inodes=%llu {}",
                                        (unsigned long long)status->f_files + 100000)
                           : NULL);
}

/*
 * Its contents.
 */

static int
check_objects(void)
{
    mmf_gc_result result;
    char bytes[UNITS_TEXT_SIZE];
    const char *fix = geteuid() == 0 ? "mmf gc --all-users" : "mmf gc";

    if (mmf_gc(MMF_LIST_KEEP_ORPHANED | MMF_LIST_ALL_USERS, &result) < 0)
        return refuse("names", text_format("%s", mmf_last_message()),
                      "The names cannot be listed.", move_elsewhere());
    if (result.removed > 0)
        doctor_report_made(DOCTOR_NOTE, "orphaned",
                           text_format("%d orphaned objects take %s", result.removed,
                                       units_show_bytes(result.bytes, bytes)),
                           "Their processes were killed. The names are free; later "
                           "calls free the bytes, "
                           "or this one now.",
                           text_format("%s", fix));
    if (result.refused > 0)
        doctor_report_made(
            DOCTOR_WARN, "orphaned",
            text_format("%d orphaned objects belong to other users", result.refused),
            "Only they or root can remove them; until then their names cannot be "
            "created.",
            text_format("sudo mmf gc --all-users"));
    if (result.invalid > 0)
        doctor_report_made(
            DOCTOR_WARN, "invalid",
            text_format("%d files of names are not valid mmf objects", result.invalid),
            "They are left alone; a program that opens such a name gets "
            "MMF_E_CORRUPT.",
            text_format("mmf ls --json | jq '.objects[] | "
                        "select(.status == \"invalid\") | .path'"));
    if (result.removed + result.refused + result.invalid == 0)
        doctor_report_made(
            DOCTOR_GOOD, "names",
            text_format("%d names are in use, none is orphaned", result.in_use), NULL,
            NULL);
    return 1;
}

static void
report_left(const char *path)
{
    doctor_report_made(DOCTOR_NOTE, "left",
                       text_format("a killed mmf run left %s", path),
                       "No process uses it.", text_format("mmf gc"));
}

int
doctor_check_directory(void)
{
    const char *root = directory_root();
    struct statfs status;

    if (!check_root(root) || !check_local(root))
        return 0;
    if (statfs(root, &status) == 0) {
        if (!check_file_system(root, &status))
            return 0;
        check_space(root, &status);
        check_files(root, &status);
    }
    if (!check_objects())
        return 0;
    directory_visit_left(report_left);
    return 1;
}
