/*
 * descriptors_test.c - a program has closed its standard descriptors, as daemons do:
 * what it prints must not get into an object.
 */
#include "harness/forks.h"
#include "harness/step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STANDARD = 3 };

static mmf_map *map;
static mmf_queue *queue;
static mmf_event *event;

static void
map_file(void)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/file", harness_dir());
    CHECK_OK(mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, "File", 4096,
                                      NULL, &map));
    unlink(path);
}

static void
poll_event(const char *name)
{
    int fd;

    CHECK_OK(mmf_event_create_new(name, 0, MMF_EVENT_AUTO_RESET, NULL, &event));
    CHECK_OK(mmf_waitable_fd(mmf_event_waitable(event), &fd));
}

static void
poll_queue(void)
{
    int fd;

    CHECK_OK(mmf_queue_create_new("Queue", 8, 4, MMF_OVERFLOW_BLOCK, NULL, &queue));
    CHECK_OK(mmf_queue_fd(queue, &fd));
}

STEP(make_named, CHECK_OK(mmf_map_create_new("Cat", 4096, NULL, &map)));
STEP(make_unnamed, CHECK_OK(mmf_map_create_new(NULL, 4096, NULL, &map)));
STEP(make_inheritable,
     CHECK_OK(mmf_map_create_new("Cat", 4096, INHERITABLE_MAP, &map)));
STEP(poll_named_event, poll_event("Event"));
STEP(poll_unnamed_event, poll_event(NULL));

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
print_and_read(void)
{
    void *bytes;
    size_t size;

    if (write(1, "hello, log\n", 11) >= 0)
        return 2;
    if (map == NULL)
        return 0;
    if (mmf_map_bytes(map, MMF_ACCESS_READ, &bytes, &size) != MMF_OK)
        return 3;
    return *(const char *)bytes == 0 ? 0 : 4;
}

static _Noreturn void
use_without_standard_descriptors(void (*make)(void))
{
    int found;

    for (int fd = 0; fd < STANDARD; fd++)
        close(fd);
    make();
    found = find_open_one();
    if (found == 0)
        found = print_and_read();
    mmf_map_close(map);
    mmf_queue_close(queue);
    mmf_event_close(event);
    _exit(found);
}

TEST(nothing_is_kept_below_3)
{
    static const struct {
        const char *name;
        void (*make)(void);
    } rows[] = {
        {"named map", make_named},
        {"unnamed map", make_unnamed},
        {"inheritable map", make_inheritable},
        {"file", map_file},
        {"queue", poll_queue},
        {"named event", poll_named_event},
        {"unnamed event", poll_unnamed_event},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        pid_t child = fork();
        int status;

        CHECK_CONTEXT("%s", rows[i].name);
        CHECK(child >= 0);
        if (child == 0)
            use_without_standard_descriptors(rows[i].make);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status));
        CHECK_INT(WEXITSTATUS(status), 0);
    }
}
