/* doctor_system.c - memory, limits, the kernel's features, security modules. */
#include "doctor/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "base/units.h"
#include "linux/directory.h"

#define SMALL_MEMORY ((int64_t)64 << 20)

/* A small file as text without its last line end, or NULL; the caller frees it. */
static char *
read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    ssize_t length;

    if (file == NULL)
        return NULL;
    length = getdelim(&text, &size, '\0', file);
    fclose(file);
    if (length < 0) {
        free(text);
        return NULL;
    }
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    return text;
}

/*
 * Memory.
 */

static int64_t
find_kilobytes(const char *text, const char *key)
{
    const char *at = text != NULL ? strstr(text, key) : NULL;

    return at != NULL ? strtoll(at + strlen(key), NULL, 10) * 1024 : -1;
}

static void
check_memory(void)
{
    char *text = read_file("/proc/meminfo");
    int64_t available = find_kilobytes(text, "MemAvailable:");
    char bytes[UNITS_TEXT_SIZE];

    free(text);
    if (available < 0) {
        doctor_report(DOCTOR_NOTE, "proc", "/proc is not mounted, or not complete",
                      "The available memory is unknown, and the processes that have "
                      "an object open cannot be shown.",
                      geteuid() == 0 ? "mount -t proc proc /proc" : NULL);
        return;
    }
    doctor_report_made(
        available < SMALL_MEMORY ? DOCTOR_WARN : DOCTOR_GOOD, "memory",
        text_format("%s of memory is available", units_show_bytes(available, bytes)),
        "A map that needs more is refused with MMF_E_NO_MEMORY.", NULL);
}

static int64_t
read_number(const char *directory, const char *file)
{
    char *path = text_format("%s/%s", directory, file);
    char *text = read_file(path);
    int64_t number = text != NULL && text[0] >= '0' && text[0] <= '9'
                         ? strtoll(text, NULL, 10)
                         : INT64_MAX;

    free(text);
    free(path);
    return number;
}

struct cgroup {
    const char *marker;
    const char *mount;
    const char *limit;
    const char *usage;
};

static void
report_cgroup(const struct cgroup *cgroup, const char *directory)
{
    int64_t limit = read_number(directory, cgroup->limit);
    int64_t usage = read_number(directory, cgroup->usage);
    int64_t left = limit > usage ? limit - usage : 0;
    char limit_text[UNITS_TEXT_SIZE];
    char left_text[UNITS_TEXT_SIZE];

    if (limit == INT64_MAX || limit > INT64_MAX / 2)
        return; /* none */
    doctor_report_made(
        left < SMALL_MEMORY ? DOCTOR_WARN : DOCTOR_GOOD, "cgroup",
        text_format("the cgroup %s may use %s of memory, %s left", directory,
                    units_show_bytes(limit, limit_text),
                    units_show_bytes(left, left_text)),
        "Maps count as memory of the cgroup that creates them; one that needs more is "
        "refused with MMF_E_NO_MEMORY.",
        text_format("systemctl set-property UNIT MemoryMax=%lld # or: docker run "
                    "--memory=%lld ...",
                    (long long)limit * 2, (long long)limit * 2));
}

static void
check_cgroup(const struct cgroup *cgroup)
{
    char *groups = read_file("/proc/self/cgroup");
    const char *line = groups != NULL ? strstr(groups, cgroup->marker) : NULL;
    char *directory;
    char *slash;

    if (line == NULL) {
        free(groups);
        return;
    }
    line += strlen(cgroup->marker);
    directory = text_format("%s%.*s", cgroup->mount, (int)strcspn(line, "\n"), line);
    free(groups);
    do {
        report_cgroup(cgroup, directory);
        slash = strrchr(directory, '/');
        *slash = '\0';
    } while ((size_t)(slash - directory) >= strlen(cgroup->mount));
    free(directory);
}

static void
check_cgroups(void)
{
    static const struct cgroup versions[] = {
        {"0::", "/sys/fs/cgroup", "memory.max", "memory.current"},
        {":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes",
         "memory.usage_in_bytes"}};

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        check_cgroup(&versions[i]);
}

/*
 * Limits of this process.
 */

static void
check_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    doctor_report_made(
        limit.rlim_cur < 256     ? DOCTOR_WARN
        : limit.rlim_cur <= 1024 ? DOCTOR_NOTE
                                 : DOCTOR_GOOD,
        "descriptors",
        text_format("a process may have %llu descriptors open (hard limit %llu)",
                    (unsigned long long)limit.rlim_cur,
                    (unsigned long long)limit.rlim_max),
        "Each object that a process has open takes two or three.",
        limit.rlim_cur < limit.rlim_max
            ? text_format("ulimit -n %llu # systemd: LimitNOFILE=%llu",
                          (unsigned long long)limit.rlim_max,
                          (unsigned long long)limit.rlim_max)
            : text_format("# the hard limit has to be raised: systemd LimitNOFILE=, "
                          "/etc/security/limits.conf, docker --ulimit"));
}

static void
check_file_size(void)
{
    struct rlimit limit;
    char bytes[UNITS_TEXT_SIZE];

    if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return;
    doctor_report_made(DOCTOR_WARN, "file size",
                       text_format("a process may make files of %s at most",
                                   units_show_bytes((int64_t)limit.rlim_cur, bytes)),
                       "A map is a file: a larger one is refused with MMF_E_NO_SPACE.",
                       limit.rlim_cur < limit.rlim_max
                           ? text_format("ulimit -f %s", limit.rlim_max == RLIM_INFINITY
                                                             ? "unlimited"
                                                             : "hard")
                           : text_format("# the hard limit has to be raised: systemd "
                                         "LimitFSIZE=, /etc/security/limits.conf"));
}

/*
 * The kernel. Each feature is tried, as a name of ours would use it.
 */

static void
check_locks(const char *root)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = (off_t)1 << 61, .l_len = 1};
    int fd = open(root, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    int unnamed = fd >= 0;

    if (!unnamed)
        fd = memfd_create("doctor", MFD_CLOEXEC);
    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) < 0)
        doctor_report_made(
            DOCTOR_BAD, "locks",
            text_format("open file description locks: %s", strerror(errno)),
            "mmf needs them to know which objects are in use. Linux has them since "
            "3.15; a seccomp profile may forbid them.",
            NULL);
    else
        doctor_report(DOCTOR_GOOD, "locks", "open file description locks work", NULL,
                      NULL);
    if (unnamed)
        doctor_report(DOCTOR_GOOD, "unnamed files", "O_TMPFILE works", NULL, NULL);
    else
        doctor_report_made(DOCTOR_NOTE, "unnamed files",
                           text_format("%s has no unnamed files (O_TMPFILE): %s", root,
                                       strerror(errno)),
                           "Objects are created under a temporary name instead.", NULL);
    if (fd >= 0)
        close(fd);
}

static void
check_memfd(void)
{
    int fd = memfd_create("doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0) {
        close(fd);
        doctor_report(DOCTOR_GOOD, "memfd", "memfd_create works", NULL, NULL);
        return;
    }
    doctor_report_made(
        DOCTOR_WARN, "memfd", text_format("memfd_create: %s", strerror(errno)),
        "Unnamed maps cannot be created. A seccomp profile may forbid it.",
        text_format("docker run --security-opt seccomp=PROFILE ... # "
                    "one that allows memfd_create"));
}

/* A kernel that knows the call refuses to wait for nothing. */
static void
check_futex_waitv(void)
{
#ifdef SYS_futex_waitv
    long rc = syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0);
#else
    long rc = syscall(449, NULL, 0, 0, NULL, 0);
#endif

    if (rc < 0 && (errno == ENOSYS || errno == EPERM))
        doctor_report_made(
            DOCTOR_NOTE, "futex_waitv", text_format("futex_waitv: %s", strerror(errno)),
            "A wait for several objects polls every 5 ms instead of sleeping until it "
            "is woken. Linux has the call since 5.16; an old seccomp profile may "
            "forbid "
            "it.",
            NULL);
    else
        doctor_report(DOCTOR_GOOD, "futex_waitv", "futex_waitv works", NULL, NULL);
}

static void
check_inotify(void)
{
    int fd = inotify_init1(IN_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        doctor_report(DOCTOR_GOOD, "inotify", "inotify works", NULL, NULL);
        return;
    }
    doctor_report_made(
        DOCTOR_WARN, "inotify", text_format("inotify: %s", strerror(errno)),
        "Named objects have no descriptor to poll (mmf_waitable_fd).",
        errno == EMFILE && geteuid() == 0
            ? text_format("sysctl fs.inotify.max_user_instances=%lld",
                          2 * (long long)read_number("/proc/sys/fs/inotify",
                                                     "max_user_instances"))
            : NULL);
}

static void
check_protected_regular(void)
{
    char *text = read_file("/proc/sys/fs/protected_regular");

    if (text == NULL)
        return;
    doctor_report_made(DOCTOR_GOOD, "protected_regular",
                       text_format("fs.protected_regular is %s", text),
                       "Any value is fine: what exists is never opened with O_CREAT.",
                       NULL);
    free(text);
}

/*
 * What else may refuse.
 */

static int
says_no(const char *path)
{
    char *text = read_file(path);
    const char *at = text != NULL ? strstr(text, "RemoveIPC=") : NULL;
    int no = 0;

    if (at != NULL && (at == text || at[-1] == '\n'))
        no = strncmp(at + 10, "no", 2) == 0 || at[10] == '0' ||
             strncmp(at + 10, "false", 5) == 0;
    free(text);
    return no;
}

static int
is_removal_off(void)
{
    static const char *const directories[] = {"/etc/systemd/logind.conf.d",
                                              "/run/systemd/logind.conf.d",
                                              "/usr/lib/systemd/logind.conf.d"};
    int no = says_no("/etc/systemd/logind.conf");

    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        DIR *directory = opendir(directories[i]);
        const struct dirent *entry;

        while (directory != NULL && (entry = readdir(directory)) != NULL) {
            char *path = text_format("%s/%s", directories[i], entry->d_name);

            no |= says_no(path);
            free(path);
        }
        if (directory != NULL)
            closedir(directory);
    }
    return no;
}

static void
check_logind(void)
{
    int runs = access("/run/systemd/seats", F_OK) == 0 ||
               access("/run/systemd/users", F_OK) == 0;
    int is_ordinary = geteuid() >= 1000 && geteuid() != 65534;

    if (!runs) {
        doctor_report(DOCTOR_GOOD, "RemoveIPC", "logind is not running", NULL, NULL);
        return;
    }
    if (is_removal_off() || strcmp(directory_root(), "/dev/shm") != 0) {
        doctor_report(DOCTOR_GOOD, "RemoveIPC", "logind does not remove names", NULL,
                      NULL);
        return;
    }
    doctor_report_made(
        is_ordinary ? DOCTOR_WARN : DOCTOR_GOOD, "RemoveIPC",
        text_format("logind removes files of ordinary users from /dev/shm when their "
                    "last session ends (RemoveIPC=yes)%s",
                    is_ordinary ? "" : "; this user is not one"),
        "Programs that run on without a session lose their names.",
        text_format("printf '[Login]\\nRemoveIPC=no\\n' | sudo tee "
                    "/etc/systemd/logind.conf.d/mmf.conf && sudo systemctl restart "
                    "systemd-logind # or: loginctl enable-linger"));
}

static void
check_selinux(void)
{
    char *text = read_file("/sys/fs/selinux/enforce");

    if (text != NULL && text[0] == '1')
        doctor_report(DOCTOR_NOTE, "SELinux", "SELinux is enforcing",
                      "If an open fails with MMF_E_ACCESS though the mode allows it, "
                      "its log says which rule was missing.",
                      "sudo ausearch -m avc -ts recent | audit2allow");
    free(text);
}

static void
check_apparmor(void)
{
    char *text = read_file("/proc/self/attr/current");

    if (text != NULL && strstr(text, "(enforce)") != NULL)
        doctor_report_made(
            DOCTOR_NOTE, "AppArmor",
            text_format("this process is confined by AppArmor: %s", text),
            "Its profile must let it read, write, lock and link there (rwkl).",
            text_format("add to the profile: owner %s/mmf-[0-9]*/** rwkl, and %s/mmf.* "
                        "rwkl,",
                        directory_root(), directory_root()));
    free(text);
}

static void
check_snap(void)
{
    const char *snap = getenv("SNAP_INSTANCE_NAME");

    if (snap == NULL || strncmp(directory_root(), "/dev/shm/snap.", 14) == 0)
        return;
    doctor_report_made(
        DOCTOR_BAD, "snap", text_format("this process is in the snap %s", snap),
        "A snap may only make files in /dev/shm that begin with its own name.",
        doctor_fix(snap,
                   "export MMF_DIR=/dev/shm/snap.{}.mmf; mkdir -m 700 -p $MMF_DIR"));
}

static void
check_seccomp(void)
{
    char *text = read_file("/proc/self/status");
    const char *at = text != NULL ? strstr(text, "\nSeccomp:\t") : NULL;

    if (at != NULL && at[10] == '2')
        doctor_report(DOCTOR_NOTE, "seccomp",
                      "a seccomp filter restricts this process's system calls",
                      "The findings above show what it forbids.", NULL);
    free(text);
}

static void
check_namespace(const char *kind, const char *why)
{
    char *own_path = text_format("/proc/self/ns/%s", kind);
    char *first_path = text_format("/proc/1/ns/%s", kind);
    char own[64] = "";
    char first[64] = "";

    if (readlink(own_path, own, sizeof(own) - 1) > 0 &&
        readlink(first_path, first, sizeof(first) - 1) > 0 && strcmp(own, first) != 0)
        doctor_report_made(DOCTOR_NOTE, "namespaces",
                           text_format("this process has its own %s namespace", kind),
                           why, NULL);
    free(own_path);
    free(first_path);
}

static void
check_user_namespace(void)
{
    char *text = read_file("/proc/self/uid_map");
    long long inside, outside, count;

    if (text != NULL &&
        sscanf(text, "%lld %lld %lld", &inside, &outside, &count) == 3 &&
        (inside != outside || count < 4294967295))
        doctor_report(DOCTOR_NOTE, "namespaces", "this process is in a user namespace",
                      "The same user number in another user namespace can be another "
                      "user, which cannot open your names.",
                      NULL);
    free(text);
}

void
doctor_check_system(void)
{
    check_memory();
    check_cgroups();
    check_descriptors();
    check_file_size();
    check_locks(directory_root());
    check_memfd();
    check_futex_waitv();
    check_inotify();
    check_protected_regular();
    check_logind();
    check_namespace("mnt", "Another mount on /dev/shm has other names.");
    check_namespace("pid", "Processes outside of it cannot be shown.");
    check_user_namespace();
    check_selinux();
    check_apparmor();
    check_snap();
    check_seccomp();
}
