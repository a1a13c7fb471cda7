/*
 * holders_test.c - which processes hold an object, which one owns it, and what state a
 * mutex, an event or a semaphore is in, as a list reports it.
 */
#include "actor.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A list with one object, "Cat"; close it with mmf_list_close. */
static const mmf_object_info *
look(mmf_list_flags flags, mmf_list **list)
{
    CHECK_OK(mmf_list_create(flags, list));
    CHECK_INT(mmf_list_count(*list), 1);
    CHECK_TEXT(mmf_list_get(*list, 0)->name, "Cat");
    return mmf_list_get(*list, 0);
}

static const mmf_holder_info *
find(const mmf_object_info *info, pid_t pid)
{
    for (int32_t i = 0; i < info->process_count; i++)
        if (info->processes[i].pid == pid)
            return &info->processes[i];
    CHECK_FAIL("process %d is not shown", (int)pid);
}

TEST(holders_are_shown_when_asked)
{
    struct process *reader = actor_start();
    struct process *writer = actor_start();
    const mmf_holder_info *holder;
    const mmf_object_info *info;
    mmf_list *list;
    mmf_map *map, *again;

    CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &map));
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &again));
    actor_does(reader, "reader 0 Cat");
    actor_does(writer, "open 0 Cat");
    info = look(0, &list);
    CHECK_INT(info->process_count, 0);
    CHECK(info->processes == NULL && info->sync == NULL);
    mmf_list_close(list);
    info = look(MMF_LIST_HOLDERS, &list);
    CHECK_INT(info->holders, 3);
    CHECK_INT(info->process_count, 3);
    CHECK(info->sync == NULL);
    CHECK_TEXT(find(info, getpid())->command, "process_holders");
    CHECK_INT(find(info, getpid())->user, geteuid());
    for (int32_t i = 0; i < 3; i++)
        CHECK_INT(info->processes[i].stopped, 0);
    holder = find(info, process_id(writer));
    CHECK_INT(holder->read_only, 0);
    find(info, process_id(reader));
    mmf_list_close(list);
    mmf_map_close(again);
    actor_end(reader);
    process_kill(writer);
    process_finish(writer);
    info = look(MMF_LIST_HOLDERS, &list);
    CHECK_INT(info->process_count, 1);
    mmf_list_close(list);
    mmf_map_close(map);
}

/* What may only read the file holds by another lock. */
TEST(a_reader_of_another_user_is_read_only)
{
    struct process *reader;
    const mmf_object_info *info;
    mmf_list *list;
    mmf_map_options options;
    mmf_map *map;

    if (getuid() != 0 || !may_change_user())
        harness_skip("another user is needed: run as root");
    CHECK(chmod(harness_dir(), 01777) == 0);
    mmf_map_options_init(&options);
    options.mode = 0644;
    CHECK_OK(mmf_map_create_new("Global\\Cat", 1, &options, &map));
    reader = actor_start();
    actor_does(reader, "user 65534");
    actor_does(reader, "reader 0 Global\\Cat");
    CHECK_OK(mmf_list_create(MMF_LIST_HOLDERS, &list));
    CHECK_INT(mmf_list_count(list), 1);
    info = mmf_list_get(list, 0);
    CHECK_INT(info->process_count, 2);
    CHECK_INT(find(info, process_id(reader))->read_only, 1);
    CHECK_INT(find(info, process_id(reader))->user, 65534);
    CHECK_INT(find(info, getpid())->read_only, 0);
    mmf_list_close(list);
    actor_end(reader);
    mmf_map_close(map);
}

/* A user that may not inspect other users' processes sees their number alone. */
static void
count_as_another_user(struct child *self, void *argument)
{
    const mmf_object_info *info;
    mmf_list *list;
    mmf_map *map;

    (void)self;
    (void)argument;
    become_user(65534);
    CHECK_OK(mmf_map_open_existing("Global\\Cat", NULL, &map));
    CHECK_OK(mmf_list_create(MMF_LIST_HOLDERS, &list));
    CHECK_INT(mmf_list_count(list), 1);
    info = mmf_list_get(list, 0);
    CHECK_INT(info->holders, 2);
    CHECK(info->process_count <= 1); /* itself, unless it may not be looked at */
    mmf_list_close(list);
    mmf_map_close(map);
}

TEST(other_users_processes_are_hidden)
{
    mmf_map_options options;
    mmf_map *map;

    if (getuid() != 0 || !may_change_user())
        harness_skip("another user is needed: run as root");
    CHECK(chmod(harness_dir(), 01777) == 0);
    mmf_map_options_init(&options);
    options.mode = 0666;
    CHECK_OK(mmf_map_create_new("Global\\Cat", 1, &options, &map));
    in_child(count_as_another_user, NULL);
    mmf_map_close(map);
}

TEST(a_stopped_holder_is_shown_as_stopped)
{
    struct process *holder = actor_start();
    const mmf_object_info *info;
    mmf_list *list;
    siginfo_t stopped;

    actor_does(holder, "create 0 10 Cat");
    kill(process_id(holder), SIGSTOP);
    CHECK(waitid(P_PID, (id_t)process_id(holder), &stopped, WSTOPPED) == 0);
    info = look(MMF_LIST_HOLDERS, &list);
    CHECK_INT(info->status, MMF_OBJECT_IN_USE);
    CHECK_INT(find(info, process_id(holder))->stopped, 1);
    mmf_list_close(list);
    kill(process_id(holder), SIGCONT);
    CHECK(waitid(P_PID, (id_t)process_id(holder), &stopped, WCONTINUED) == 0);
    info = look(MMF_LIST_HOLDERS, &list);
    CHECK_INT(find(info, process_id(holder))->stopped, 0);
    mmf_list_close(list);
    actor_end(holder);
}

/* Locks of a process that is no holder, on a file like an object's. */
TEST(other_locks_are_no_holders)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = 0, .l_len = 10};
    const mmf_object_info *info;
    mmf_list *list;
    mmf_map *map;
    int fd;

    CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &map));
    fd = open(only_file(), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    mmf_map_close(map);
    CHECK_OK(mmf_list_create(MMF_LIST_HOLDERS | MMF_LIST_KEEP_ORPHANED, &list));
    CHECK_INT(mmf_list_count(list), 0);
    mmf_list_close(list);
    close(fd);
    CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &map));
    fd = open(only_file(), O_RDWR | O_CLOEXEC);
    info = look(MMF_LIST_HOLDERS, &list);
    CHECK_INT(info->process_count, 1);
    CHECK_INT(info->holders, 1);
    mmf_list_close(list);
    close(fd);
    mmf_map_close(map);
}

/*
 * States.
 */

TEST(a_mutex_shows_its_owner)
{
    const mmf_object_info *info;
    mmf_list *list;
    mmf_mutex *mutex;

    CHECK_OK(mmf_mutex_create_or_open("Cat", 0, NULL, NULL, &mutex));
    info = look(MMF_LIST_HOLDERS, &list);
    CHECK(info->sync != NULL);
    CHECK_INT(info->sync->signalled, 1);
    CHECK_INT(info->sync->owned, 0);
    CHECK_INT(info->sync->count, 0);
    CHECK_INT(info->sync->owner_pid, 0);
    CHECK_INT(info->sync->waiters, 0);
    CHECK_INT(info->sync->corrupt, 0);
    mmf_list_close(list);
    CHECK_OK(mmf_mutex_wait(mutex, 0));
    CHECK_OK(mmf_mutex_wait(mutex, 0));
    info = look(0, &list);
    CHECK_INT(info->sync->owned, 1);
    CHECK_INT(info->sync->signalled, 0);
    CHECK_INT(info->sync->count, 2);
    CHECK_INT(info->sync->owner_pid, 0); /* only MMF_LIST_HOLDERS finds it */
    mmf_list_close(list);
    info = look(MMF_LIST_HOLDERS, &list);
    CHECK_INT(info->sync->owner_pid, getpid());
    mmf_list_close(list);
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
}

static void
own_until_killed(struct child *self, void *argument)
{
    mmf_mutex *mutex;

    (void)argument;
    CHECK_OK(mmf_mutex_open_existing("Cat", NULL, &mutex));
    CHECK_OK(mmf_mutex_wait(mutex, MMF_INFINITE));
    child_send(self, 'o');
    child_hear(self);
}

TEST(a_dead_owner_s_mutex_is_abandoned)
{
    const mmf_object_info *info;
    struct child owner;
    mmf_list *list;
    mmf_mutex *mutex;

    CHECK_OK(mmf_mutex_create_or_open("Cat", 0, NULL, NULL, &mutex));
    child_start(&owner, own_until_killed, NULL);
    child_expect(&owner, 'o');
    CHECK_INT(mmf_mutex_wait(mutex, 20), MMF_TIMED_OUT);
    info = look(MMF_LIST_HOLDERS, &list);
    CHECK_INT(info->sync->owned, 1);
    CHECK_INT(info->sync->owner_pid, owner.pid);
    CHECK_INT(info->sync->waiters, 1); /* it has waited: a mark that stays until seen */
    mmf_list_close(list);
    child_kill(&owner);
    info = look(MMF_LIST_HOLDERS, &list);
    CHECK_INT(info->sync->owned, 0);
    CHECK_INT(info->sync->abandoned, 1);
    CHECK_INT(info->sync->signalled, 1);
    CHECK_INT(info->sync->owner_pid, 0);
    mmf_list_close(list);
    CHECK_INT(mmf_mutex_wait(mutex, 0), MMF_ABANDONED);
    info = look(0, &list);
    CHECK_INT(info->sync->abandoned, 0);
    CHECK_INT(info->sync->owned, 1);
    mmf_list_close(list);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
}

TEST(an_event_shows_whether_it_is_set)
{
    for (int manual = 0; manual <= 1; manual++) {
        const mmf_object_info *info;
        mmf_list *list;
        mmf_event *event;

        (void)state;
        CHECK_OK(mmf_event_create_or_open("Cat", 0, manual, NULL, NULL, &event));
        info = look(0, &list);
        CHECK_INT(info->sync->signalled, 0);
        CHECK_INT(info->sync->manual_reset, manual);
        mmf_list_close(list);
        CHECK_OK(mmf_event_set(event));
        info = look(0, &list);
        CHECK_INT(info->sync->signalled, 1);
        CHECK_INT(info->sync->owned, 0);
        mmf_list_close(list);
        mmf_event_close(event);
    }
}

TEST(a_semaphore_shows_its_count)
{
    const mmf_object_info *info;
    mmf_list *list;
    mmf_semaphore *semaphore;

    CHECK_OK(mmf_semaphore_create_or_open("Cat", 2, 5, NULL, NULL, &semaphore));
    info = look(0, &list);
    CHECK_INT(info->sync->signalled, 1);
    CHECK_INT(info->sync->count, 2);
    CHECK_INT(info->sync->maximum, 5);
    mmf_list_close(list);
    CHECK_OK(mmf_semaphore_wait(semaphore, 0));
    CHECK_OK(mmf_semaphore_wait(semaphore, 0));
    info = look(0, &list);
    CHECK_INT(info->sync->signalled, 0);
    CHECK_INT(info->sync->count, 0);
    mmf_list_close(list);
    mmf_semaphore_close(semaphore);
}

/* The words, 192 bytes into the page, which lies behind the slots. */
TEST(damaged_words_are_said_to_be)
{
    const mmf_object_info *info;
    mmf_list *list;
    mmf_semaphore *semaphore;
    uint64_t more_than_there_is = (uint64_t)6 << 4;
    int fd;

    CHECK_OK(mmf_semaphore_create_or_open("Cat", 2, 5, NULL, NULL, &semaphore));
    fd = open(only_file(), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(pwrite(fd, &more_than_there_is, 8, 65536 + 192) == 8);
    close(fd);
    info = look(0, &list);
    CHECK_INT(info->sync->corrupt, 1);
    CHECK_INT(info->sync->signalled, 0);
    mmf_list_close(list);
    mmf_semaphore_close(semaphore);
}

ROLE("actor", actor_role);
