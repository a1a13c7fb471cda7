/* doctor_directory.c - the directory of the names: its permissions, space and contents. */
#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <mmf/mmf.h>

#include "base/text.h"
#include "base/units.h"
#include "linux/directory.h"

enum { KIB = 1024 };
#define SMALL_TOTAL ((uint64_t)64 << 20)
#define SMALL_FREE ((uint64_t)8 << 20)

/*
 * The directory.
 */

static void
report_missing_root(const char *root)
{
    doctor_report_made(
        DOCTOR_BAD, "directory", text_format("%s: %s", root, strerror(errno)),
        "Names are files in this directory, /dev/shm or the one that MMF_DIR names.",
        text_format("mkdir -m 1777 -p %s && mount -t tmpfs -o mode=1777 tmpfs %s", root,
                    root));
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
check_root(const char *root)
{
    struct stat status;

    if (root[0] != '/') {
        doctor_report_made(
            DOCTOR_BAD, "directory",
            text_format("MMF_DIR is \"%s\", which is not an absolute path", root),
            "Every process must find the same directory.",
            text_format("export MMF_DIR=$PWD/%s", root));
        return 0;
    }
    if (stat(root, &status) < 0) {
        report_missing_root(root);
        return 0;
    }
    if (status.st_uid != 0 && status.st_uid != geteuid() && !is_accepted()) {
        doctor_report_made(
            DOCTOR_BAD, "directory",
            text_format("%s belongs to %s", root, text_user(status.st_uid)),
            "Its owner could replace what is in it, so it is refused.",
            geteuid() == 0 ? text_format("chown root %s", root)
                           : text_format("export MMF_DIR=/run/user/%u (or another "
                                         "directory of your own on tmpfs)",
                                         (unsigned)geteuid()));
        return 0;
    }
    if ((status.st_mode & 022) && !(status.st_mode & S_ISVTX)) {
        doctor_report_made(DOCTOR_BAD, "directory",
                           text_format("others may replace files in %s (mode %04o)",
                                       root, status.st_mode & 07777u),
                           "Without the sticky bit any user can replace a name's file, "
                           "so it is refused.",
                           text_format("chmod +t %s", root));
        return 0;
    }
    doctor_report_made(
        DOCTOR_GOOD, "directory",
        text_format("names are in %s%s", root,
                    secure_getenv("MMF_DIR") != NULL ? ", which MMF_DIR names" : ""),
        NULL, NULL);
    return 1;
}

static void
check_local(const char *root)
{
    char path[PATH_MAX];
    struct stat status;

    directory_local(root, path);
    if (lstat(path, &status) < 0) {
        doctor_report_made(DOCTOR_GOOD, "local",
                           text_format("%s is created with the first name", path), NULL,
                           NULL);
        return;
    }
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid())
        doctor_report_made(
            DOCTOR_BAD, "local",
            text_format("%s %s %s", path,
                        S_ISDIR(status.st_mode) ? "belongs to"
                                                : "is not a directory; it belongs to",
                        text_user(status.st_uid)),
            "Another user created it first, so it is refused: no local name works.",
            text_format("ls -ld %s; sudo mv %s %s.planted", path, path, path));
    else if (status.st_mode & 077)
        doctor_report_made(
            DOCTOR_BAD, "local",
            text_format("%s is open to other users (mode %04o)", path,
                        status.st_mode & 07777u),
            "They could put anything under your names, so it is refused.",
            text_format("ls -la %s; chmod 700 %s", path, path));
    else
        doctor_report_made(DOCTOR_GOOD, "local", text_format("%s is yours alone", path),
                           NULL, NULL);
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

static void
report_file_system(const char *root, const char *name, enum doctor_level level)
{
    char *fix = level == DOCTOR_GOOD
                    ? NULL
                    : text_format("export MMF_DIR=/dev/shm # or: mount -t tmpfs -o "
                                  "mode=1777 tmpfs %s",
                                  root);
    const char *why =
        level == DOCTOR_GOOD ? NULL
        : level == DOCTOR_BAD
            ? "Other hosts may not see its locks, so it is refused."
            : "The bytes are written to a disk now and then; a tmpfs is faster.";

    doctor_report_made(level, "mount", text_format("%s is on %s", root, name), why,
                       fix);
}

static void
check_file_system(const char *root, const struct statfs *status)
{
    for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++)
        if ((uint32_t)status->f_type == file_systems[i].magic) {
            report_file_system(root, file_systems[i].name, file_systems[i].level);
            return;
        }
    doctor_report_made(DOCTOR_NOTE, "mount",
                       text_format("%s is on a file system of type 0x%x", root,
                                   (unsigned)status->f_type),
                       "mmf has not been tested there.",
                       text_format("export MMF_DIR=/dev/shm"));
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
        text_format("mount -o remount,size=1G %s # or: docker run --shm-size=1g ...",
                    root));
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
                       text_format("mount -o remount,nr_inodes=1M %s", root));
}

/*
 * Its contents.
 */

static void
check_objects(void)
{
    mmf_gc_result result;
    char bytes[UNITS_TEXT_SIZE];

    if (mmf_gc(MMF_LIST_KEEP_ORPHANED, &result) < 0) {
        doctor_report(DOCTOR_BAD, "names", mmf_last_message(),
                      "The names cannot be listed.", NULL);
        return;
    }
    if (result.removed > 0)
        doctor_report_made(DOCTOR_NOTE, "orphaned",
                           text_format("%d orphaned objects take %s", result.removed,
                                       units_show_bytes(result.bytes, bytes)),
                           "Their processes were killed. The names are free; later "
                           "calls free the bytes, "
                           "or this one now.",
                           text_format("mmf gc"));
    if (result.refused > 0)
        doctor_report_made(
            DOCTOR_WARN, "orphaned",
            text_format("%d orphaned objects belong to other users", result.refused),
            "Only they or root can remove them; until then their names cannot be "
            "created.",
            text_format("sudo mmf gc"));
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
}

static void
report_left(const char *path)
{
    doctor_report_made(DOCTOR_NOTE, "left",
                       text_format("a killed mmf run left %s", path),
                       "No process uses it.", text_format("mmf gc"));
}

void
doctor_check_directory(void)
{
    const char *root = directory_root();
    struct statfs status;

    if (!check_root(root))
        return;
    check_local(root);
    if (statfs(root, &status) == 0) {
        check_file_system(root, &status);
        check_space(root, &status);
        check_files(root, &status);
    }
    check_objects();
    directory_visit_left(report_left);
}
