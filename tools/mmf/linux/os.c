/* os.c - see os.h. */
#include "os/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <grp.h>
#include <langinfo.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/say.h"
#include "base/text.h"
#include "linux/directory.h"

void
os_begin(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setlocale(LC_CTYPE, "");
}

int
os_is_terminal(FILE *stream)
{
    return isatty(fileno(stream));
}

int
os_has_sequences(FILE *stream)
{
    return os_is_terminal(stream);
}

int
os_columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : 80;
}

int
os_has_unicode(void)
{
    static int known = -1;

    if (known < 0)
        known = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    return known;
}

int
os_reader_has_left(int error)
{
    return error == EPIPE;
}

static int64_t
read_clock(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
os_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t
os_time_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int
os_local_time(int64_t seconds, struct tm *parts)
{
    time_t time = (time_t)seconds;

    return localtime_r(&time, parts) != NULL;
}

int
os_utc_time(int64_t seconds, struct tm *parts)
{
    time_t time = (time_t)seconds;

    return gmtime_r(&time, parts) != NULL;
}

int
os_user_name(unsigned user, char *name, size_t size)
{
    const struct passwd *entry = getpwuid(user);

    if (entry == NULL)
        return 0;
    snprintf(name, size, "%s", entry->pw_name);
    return 1;
}

int
os_find_user(const char *text, unsigned *user)
{
    const struct passwd *entry = getpwnam(text);
    char *end;

    if (entry != NULL) {
        *user = entry->pw_uid;
        return 1;
    }
    errno = 0;
    *user = (unsigned)strtoul(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

unsigned
os_user(void)
{
    return (unsigned)geteuid();
}

int
os_hidden_users(void)
{
    DIR *directory = opendir(directory_root());
    const struct dirent *entry;
    int count = 0;

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        unsigned user;
        int length = 0;

        if (sscanf(entry->d_name, "mmf-%u%n", &user, &length) == 1 &&
            entry->d_name[length] == '\0' && user != geteuid() &&
            faccessat(dirfd(directory), entry->d_name, R_OK | X_OK, AT_EACCESS) != 0)
            count++;
    }
    if (directory != NULL)
        closedir(directory);
    return count;
}

void
os_become_user(unsigned user)
{
    const struct passwd *entry = getpwuid(user);
    gid_t group = entry != NULL ? entry->pw_gid : (gid_t)user;

    if (user == geteuid())
        return;
    if (setgroups(0, NULL) < 0 || setresgid(group, group, group) < 0 ||
        setresuid(user, user, user) < 0)
        say_and_exit(TOOL_DENIED, "become user %s: %s", text_user(user),
                     strerror(errno));
}

int
os_process(void)
{
    return (int)getpid();
}

const size_t os_longest_name = 3500;

const int os_keeps_records = 1;

const char os_path_title[] = "file";

char *
os_show_path(const char *path)
{
    return text_escape_string(path);
}

int
os_matches(const char *pattern, const char *name)
{
    return fnmatch(pattern, name, FNM_NOESCAPE) == 0;
}

char *
os_hidden_holders(int count, int some_seen)
{
    return text_format("%d%s hidden", count, some_seen ? " more" : "");
}

void
os_set_variable(const char *name, const char *value)
{
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/*
 * Standard input.
 */

int64_t
os_input_length(void)
{
    struct stat status;
    off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);

    if (at < 0 || fstat(STDIN_FILENO, &status) < 0 || !S_ISREG(status.st_mode))
        return 0;
    return status.st_size > at ? status.st_size - at : 0;
}

int64_t
os_read_input(void *into, int64_t space)
{
    ssize_t count;

    do
        count =
            read(STDIN_FILENO, into, space < 1 << 20 ? (size_t)space : (size_t)1 << 20);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        say_and_exit(TOOL_FAILED, "standard input: %s", strerror(errno));
    return count;
}

int64_t
os_read_line(char **line, size_t *space)
{
    ssize_t length = getline(line, space, stdin);

    if (length > 0 && (*line)[length - 1] == '\n')
        length--;
    return length;
}

/*
 * A map's file that is cut off under us.
 */

static const char cut_off[] =
    "mmf: the bytes are lost: the map's file was truncated, or its memory or "
    "disk is full\n";

static void
bytes_are_lost(int signal)
{
    ssize_t ignored = write(STDERR_FILENO, cut_off, sizeof(cut_off) - 1);

    (void)signal;
    (void)ignored;
    _exit(TOOL_DAMAGED);
}

int
os_open_bytes(intptr_t handle)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", (int)handle);
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

void
os_read_bytes(int fd, int64_t at, void *into, size_t count)
{
    char *next = into;

    while (count > 0) {
        ssize_t done = pread(fd, next, count, (off_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            bytes_are_lost(SIGBUS);
        next += done;
        at += done;
        count -= (size_t)done;
    }
}

int64_t
os_zeros_at(int fd, int64_t at)
{
    off_t data = lseek(fd, (off_t)at, SEEK_DATA);

    if (data < 0)
        return errno == ENXIO ? INT64_MAX - at : 0; /* none up to the end */
    return data - at;
}

void
os_close_bytes(int fd)
{
    close(fd);
}

void
os_expect_cut(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_handler = bytes_are_lost;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}
