/*
 * descriptors_test.c - a program has closed its standard descriptors, as daemons do:
 * what it prints must not get into an object.
 */
#include "../harness/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STANDARD = 3 };

static void
close_standard_descriptors(void)
{
    for (int fd = 0; fd < STANDARD; fd++)
        close(fd);
}

/* A status that says which descriptor is open; 0: none. */
static int
find_open_one(void)
{
    for (int fd = 0; fd < STANDARD; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            return 10 + fd;
    }
    return 0;
}

static int
use_map(const char *name)
{
    mmf_map *map;
    mmf_accessor *view;
    uint8_t byte;
    int found;

    if (mmf_map_create_new(name, 4096, NULL, &map) != MMF_OK)
        return 1;
    found = find_open_one();
    if (write(1, "hello, log\n", 11) >= 0)
        return 2;
    if (mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view) != MMF_OK ||
        mmf_accessor_read_byte(view, 0, &byte) != MMF_OK || byte != 0)
        return 3;
    mmf_accessor_close(view);
    mmf_map_close(map);
    return found;
}

static int
use_named_map(void)
{
    return use_map("Cat");
}

static int
use_unnamed_map(void)
{
    return use_map(NULL);
}

static int
use_inheritable_map(void)
{
    mmf_map *map;
    int found;

    if (mmf_map_create_new("Cat", 4096, INHERITABLE_MAP, &map) != MMF_OK)
        return 1;
    found = find_open_one();
    mmf_map_close(map);
    return found;
}

static int
use_file(void)
{
    char path[4096];
    mmf_map *map;
    int found;

    snprintf(path, sizeof(path), "%s/file", harness_dir());
    if (mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, "File", 4096, NULL,
                                 &map) != MMF_OK)
        return 1;
    found = find_open_one();
    mmf_map_close(map);
    unlink(path);
    return found;
}

static int
use_queue(void)
{
    mmf_queue *queue;
    int fd;
    int found;

    if (mmf_queue_create_new("Queue", 8, 4, MMF_OVERFLOW_BLOCK, NULL, &queue) != MMF_OK)
        return 1;
    if (mmf_queue_fd(queue, &fd) != MMF_OK)
        return 2;
    found = find_open_one();
    mmf_queue_close(queue);
    return found;
}

static int
use_event(const char *name)
{
    mmf_event *event;
    int fd;
    int found;

    if (mmf_event_create_new(name, 0, MMF_EVENT_AUTO_RESET, NULL, &event) != MMF_OK)
        return 1;
    if (mmf_waitable_fd(mmf_event_waitable(event), &fd) != MMF_OK)
        return 2;
    found = find_open_one();
    mmf_event_close(event);
    return found;
}

static int
use_named_event(void)
{
    return use_event("Event");
}

static int
use_unnamed_event(void)
{
    return use_event(NULL);
}

TEST(nothing_is_kept_below_3)
{
    static const struct {
        const char *name;
        int (*use)(void);
    } uses[] = {
        {"named map", use_named_map},
        {"unnamed map", use_unnamed_map},
        {"inheritable map", use_inheritable_map},
        {"file", use_file},
        {"queue", use_queue},
        {"named event", use_named_event},
        {"unnamed event", use_unnamed_event},
    };

    need_fork();
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        pid_t child = fork();
        int status;

        CHECK_CONTEXT("%s", uses[i].name);
        CHECK(child >= 0);
        if (child == 0) {
            close_standard_descriptors();
            _exit(uses[i].use());
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status));
        CHECK_INT(WEXITSTATUS(status), 0);
    }
}
