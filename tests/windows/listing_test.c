/*
 * listing_test.c - mmf_list over the kernel's directories: what it reports of each
 * object.
 */
#include "harness/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static mmf_list *
list_of(mmf_list_flags flags)
{
    mmf_list *list = NULL;

    CHECK_OK(mmf_list_create(flags, &list));
    return list;
}

static const mmf_object_info *
find(const mmf_list *list, const char *name)
{
    for (int32_t i = 0; i < mmf_list_count(list); i++)
        if (strcmp(mmf_list_get(list, i)->name, name) == 0)
            return mmf_list_get(list, i);
    return NULL;
}

/* The list's line on `name`, which must be there; copied, but for its pointers. */
static mmf_object_info
info_of(const char *name, mmf_sync_info *sync)
{
    mmf_list *list = list_of(0);
    const mmf_object_info *found = find(list, name);
    mmf_object_info info;

    CHECK(found != NULL);
    info = *found;
    if (sync != NULL) {
        CHECK(found->sync != NULL);
        *sync = *found->sync;
    }
    mmf_list_close(list);
    return info;
}

static void
a_map_with_its_size_and_handles(void **state)
{
    mmf_object_info info;
    mmf_map *map = NULL, *second = NULL;

    (void)state;
    CHECK_OK(mmf_map_create_new("Cat", 10000, NULL, &map));
    info = info_of("Cat", NULL);
    CHECK_INT(info.kind, MMF_KIND_MAP);
    CHECK_INT(info.status, MMF_OBJECT_IN_USE);
    CHECK_INT(info.capacity, 12288);
    CHECK_INT(info.holders, 1);
    CHECK(info.sync == NULL);
    CHECK_OK(mmf_map_open_existing("Cat", NULL, &second));
    CHECK_INT(info_of("Cat", NULL).holders, 2);
    mmf_map_close(second);
    CHECK_INT(info_of("Cat", NULL).holders, 1);
    mmf_map_close(map);
}

static void
a_path_leads_through_the_kernel(void **state)
{
    mmf_list *list;
    const mmf_object_info *local, *global;
    mmf_map *here = NULL, *everywhere = NULL;

    (void)state;
    CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &here));
    CHECK_OK(mmf_map_create_new("Global\\Cat", 1, NULL, &everywhere));
    list = list_of(0);
    local = find(list, "Cat");
    global = find(list, "Global\\Cat");
    CHECK(local != NULL && global != NULL);
    CHECK(strncmp(local->path, "\\Sessions\\", 10) == 0);
    CHECK(strstr(local->path, "\\BaseNamedObjects\\Cat") != NULL);
    CHECK_TEXT(global->path, "\\BaseNamedObjects\\Cat");
    mmf_list_close(list);
    list = list_of(MMF_LIST_LOCAL);
    CHECK(find(list, "Cat") != NULL && find(list, "Global\\Cat") == NULL);
    mmf_list_close(list);
    list = list_of(MMF_LIST_GLOBAL);
    CHECK(find(list, "Cat") == NULL && find(list, "Global\\Cat") != NULL);
    mmf_list_close(list);
    mmf_map_close(everywhere);
    mmf_map_close(here);
    list = list_of(0);
    CHECK(find(list, "Cat") == NULL && find(list, "Global\\Cat") == NULL);
    mmf_list_close(list);
}

static void
a_mutex_and_how_often_it_is_owned(void **state)
{
    mmf_sync_info sync;
    mmf_mutex *mutex = NULL;

    (void)state;
    CHECK_OK(mmf_mutex_create_or_open("Cat", 0, NULL, NULL, &mutex));
    CHECK_INT(info_of("Cat", &sync).kind, MMF_KIND_MUTEX);
    CHECK_INT(sync.signalled, 1);
    CHECK_INT(sync.owned, 0);
    CHECK_INT(sync.count, 0);
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    info_of("Cat", &sync);
    CHECK_INT(sync.signalled, 0);
    CHECK_INT(sync.owned, 1);
    CHECK_INT(sync.count, 2);
    CHECK_OK(mmf_mutex_release(mutex));
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
}

/* Owns "Cat", says so, and is killed. */
static int
owner(int argc, char **argv)
{
    mmf_mutex *mutex = NULL;
    char line[16];

    (void)argc;
    (void)argv;
    CHECK_OK(mmf_mutex_open_existing("Cat", NULL, &mutex));
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_OK);
    role_say("owned");
    role_hear(line, sizeof(line));
    return EXIT_SUCCESS;
}

static void
a_mutex_that_was_abandoned(void **state)
{
    struct process *process;
    mmf_sync_info sync;
    mmf_mutex *mutex = NULL;

    (void)state;
    CHECK_OK(mmf_mutex_create_or_open("Cat", 0, NULL, NULL, &mutex));
    process = process_start("owner", NULL);
    process_expect(process, "owned");
    info_of("Cat", &sync);
    CHECK_INT(sync.owned, 1);
    CHECK_INT(sync.abandoned, 0);
    process_kill(process);
    info_of("Cat", &sync);
    CHECK_INT(sync.owned, 0);
    CHECK_INT(sync.abandoned, 1);
    CHECK_STATUS(mmf_mutex_wait(mutex, 0), MMF_ABANDONED);
    CHECK_OK(mmf_mutex_release(mutex));
    mmf_mutex_close(mutex);
}

static void
events_and_semaphores(void **state)
{
    mmf_semaphore *semaphore = NULL;
    mmf_event *event = NULL;
    mmf_sync_info sync;

    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        CHECK_OK(mmf_event_create_or_open("Cat", mode, mode, NULL, NULL, &event));
        CHECK_INT(info_of("Cat", &sync).kind, MMF_KIND_EVENT);
        CHECK_INT(sync.signalled, mode);
        CHECK_INT(sync.manual_reset, mode);
        mmf_event_close(event);
    }
    CHECK_OK(mmf_semaphore_create_or_open("Cat", 3, 7, NULL, NULL, &semaphore));
    CHECK_STATUS(mmf_semaphore_wait(semaphore, 0), MMF_OK);
    CHECK_INT(info_of("Cat", &sync).kind, MMF_KIND_SEMAPHORE);
    CHECK_INT(sync.count, 2);
    CHECK_INT(sync.maximum, 7);
    CHECK_INT(sync.signalled, 1);
    mmf_semaphore_close(semaphore);
}

/* Asking changes nothing: neither an event that resets itself nor a count. */
static void
listing_takes_nothing(void **state)
{
    mmf_event *event = NULL;

    (void)state;
    CHECK_OK(
        mmf_event_create_or_open("Cat", 1, MMF_EVENT_AUTO_RESET, NULL, NULL, &event));
    for (int i = 0; i < 3; i++)
        mmf_list_close(list_of(0));
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_OK);
    CHECK_STATUS(mmf_event_wait(event, 0), MMF_TIMED_OUT);
    mmf_event_close(event);
}

/* Any letters; a name as long as names are. */
static void
names_of_all_kinds(void **state)
{
    static char longest[32767];
    mmf_list *list;
    mmf_map *cyrillic = NULL, *large = NULL;

    (void)state;
    memset(longest, 'n', longest_name());
    CHECK_OK(mmf_map_create_new("\xd0\x9a\xd0\xbe\xd1\x88\xd0\xba\xd0\xb0", 1, NULL,
                                &cyrillic));
    CHECK_OK(mmf_map_create_new(longest, 1, NULL, &large));
    list = list_of(MMF_LIST_LOCAL);
    CHECK(find(list, "\xd0\x9a\xd0\xbe\xd1\x88\xd0\xba\xd0\xb0") != NULL);
    CHECK(find(list, longest) != NULL);
    mmf_list_close(list);
    mmf_map_close(large);
    mmf_map_close(cyrillic);
}

/* The kernel has collected them already. */
static void
there_is_nothing_to_collect(void **state)
{
    mmf_gc_result before, after;
    mmf_map *map = NULL;

    (void)state;
    CHECK_OK(mmf_gc(0, &before));
    CHECK_OK(mmf_map_create_new("Cat", 1, NULL, &map));
    CHECK_OK(mmf_gc(0, &after));
    CHECK_INT(after.in_use, before.in_use + 1);
    CHECK_INT(after.removed, 0);
    CHECK_INT(after.refused, 0);
    CHECK_INT(after.bytes, 0);
    mmf_map_close(map);
}

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"owner", owner}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_with_its_size_and_handles),
        cmocka_unit_test(a_path_leads_through_the_kernel),
        cmocka_unit_test(a_mutex_and_how_often_it_is_owned),
        cmocka_unit_test(a_mutex_that_was_abandoned),
        cmocka_unit_test(events_and_semaphores),
        cmocka_unit_test(listing_takes_nothing),
        cmocka_unit_test(names_of_all_kinds),
        cmocka_unit_test(there_is_nothing_to_collect),
    };

    return harness_main(argc, argv, "windows_listing", tests, COUNT_OF(tests), roles);
}
