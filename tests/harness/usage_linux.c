/*
 * usage_linux.c - counts descriptors, mappings and files, so that leaks show.
 */
#include "harness/check.h"
#include "harness/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Whether a line of /proc/self/maps is about mmf. */
static int
is_ours(const char *line)
{
    const char *dir = harness_dir();

    return strstr(line, "memfd:mmf") != NULL ||
           (dir[0] != '\0' && strstr(line, dir) != NULL);
}

static long
count_descriptors(int print)
{
    char target[PATH_MAX];
    const struct dirent *entry;
    ssize_t length;
    long n = 0;
    DIR *dir = opendir("/proc/self/fd");

    if (dir == NULL)
        check_fail(__FILE__, __LINE__, "opendir /proc/self/fd: %s", strerror(errno));
    while ((entry = readdir(dir)) != NULL) {
        if (is_dots(entry->d_name) || atoi(entry->d_name) == dirfd(dir))
            continue;
        n++;
        if (!print)
            continue;
        length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
        target[length < 0 ? 0 : length] = '\0';
        fprintf(stderr, "  descriptor %s: %s\n", entry->d_name, target);
    }
    closedir(dir);
    return n;
}

static long
count_mappings(int print)
{
    char *line = NULL;
    size_t size = 0;
    long n = 0;
    FILE *maps = fopen("/proc/self/maps", "re");

    if (maps == NULL)
        check_fail(__FILE__, __LINE__, "open /proc/self/maps: %s", strerror(errno));
    while (getline(&line, &size, maps) > 0) {
        if (!is_ours(line))
            continue;
        n++;
        if (print)
            fprintf(stderr, "  mapping %s", line);
    }
    free(line);
    fclose(maps);
    return n;
}

/* Walk `path`: count the files in it, print or remove them. */
static long
walk(const char *path, int print, int remove)
{
    char below[PATH_MAX];
    const struct dirent *entry;
    struct stat st;
    long n = 0;
    DIR *dir = opendir(path);

    if (dir == NULL)
        return 0;
    while ((entry = readdir(dir)) != NULL) {
        if (is_dots(entry->d_name))
            continue;
        if (snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >=
            (int)sizeof(below))
            continue;
        if (lstat(below, &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            n += walk(below, print, remove);
        } else {
            n++;
            if (print)
                fprintf(stderr, "  file %s\n", below);
            if (remove)
                unlink(below);
        }
    }
    closedir(dir);
    if (remove)
        rmdir(path);
    return n;
}

void
usage_take(struct usage *usage)
{
    usage->descriptors = count_descriptors(0) - process_descriptors();
    usage->mappings = count_mappings(0);
    usage->files = walk(harness_dir(), 0, 0);
}

void
usage_print(void)
{
    count_descriptors(1);
    count_mappings(1);
    walk(harness_dir(), 1, 0);
}

void
usage_remove_tree(const char *dir)
{
    walk(dir, 0, 1);
}
