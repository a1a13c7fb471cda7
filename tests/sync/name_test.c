/*
 * name_test.c - names of mutexes, events and semaphores: what tests/scenarios/name.scn
 * cannot say of rules 7.1.1 and 7.5; the list, and orphaned objects.
 */
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Of many threads that create at once exactly one has created. And all have handles on
 * one object: an owner may release by any of them, and no wait for all takes two.
 */
enum { RACERS = 4 };

struct race {
    mmf_kind kind;
    atomic_int *start, *created;
    struct object object;
};

static int
job_create(void *argument)
{
    struct race *race = argument;
    int created = -7;

    atomic_fetch_sub(race->start, 1);
    while (atomic_load(race->start) > 0)
        continue;
    CHECK_STATUS(object_create(&race->object, race->kind, "Cat", NULL, &created),
                 MMF_OK);
    atomic_fetch_add(race->created, created);
    return MMF_OK;
}

TEST(rule_7_1_1_one_of_many_creates)
{
    struct worker *workers[RACERS];
    int rounds = harness_long() ? 20000 : 300;

    for (int i = 0; i < RACERS; i++)
        workers[i] = worker_start();
    for (int round = 0; round < rounds; round++) {
        atomic_int start = RACERS, created = 0;
        struct race races[RACERS];
        mmf_waitable *two[2];

        CHECK_CONTEXT("round %d", round);
        for (int i = 0; i < RACERS; i++) {
            races[i] = (struct race){
                .kind = FIRST_KIND + round % 3, .start = &start, .created = &created};
            worker_begin(workers[i], job_create, &races[i]);
        }
        for (int i = 0; i < RACERS; i++)
            CHECK_INT(worker_result(workers[i]), MMF_OK);
        CHECK_INT(created, 1);
        two[0] = object_waitable(&races[0].object);
        CHECK_STATUS(mmf_wait_one(two[0], 0), MMF_OK);
        for (int i = 1; i < RACERS; i++) {
            two[1] = object_waitable(&races[i].object);
            CHECK_FAILS_PARAM(mmf_wait_all(two, 2, 0), MMF_E_INVALID, "waitHandles");
        }
        CHECK_OK(object_signal(&races[round % RACERS].object));
        for (int i = 0; i < RACERS; i++)
            object_close(&races[i].object);
        CHECK_INT(count_files(), 0);
    }
    for (int i = 0; i < RACERS; i++)
        worker_end(workers[i]);
}

/*
 * Which users share a name: rule 7.5.
 */

static mmf_sync_options
scope(int all_users, int this_user_only)
{
    mmf_sync_options options;

    mmf_sync_options_init(&options);
    options.all_users = all_users;
    options.this_user_only = this_user_only;
    return options;
}

/* A name, and the options with which it is said. */
struct way {
    const char *name;
    int has_options;
    int all_users;
    int this_user_only;
    int scope; /* ways of one number lead to one object */
};

enum { LOCAL_SCOPE, GLOBAL_SCOPE };

static const struct way ways[] = {
    {"Cat", 0, 0, 0, LOCAL_SCOPE},          {"Cat", 1, 0, 0, LOCAL_SCOPE},
    {"Cat", 1, 0, 1, LOCAL_SCOPE},          {"Cat", 1, 1, 0, GLOBAL_SCOPE},
    {"Local\\Cat", 0, 0, 0, LOCAL_SCOPE},   {"Local\\Cat", 1, 0, 0, LOCAL_SCOPE},
    {"Local\\Cat", 1, 0, 1, LOCAL_SCOPE},   {"Global\\Cat", 0, 0, 0, GLOBAL_SCOPE},
    {"Global\\Cat", 1, 0, 0, GLOBAL_SCOPE}, {"Global\\Cat", 1, 0, 1, GLOBAL_SCOPE},
    {"Global\\Cat", 1, 1, 0, GLOBAL_SCOPE},
};

static int
create_by(const struct way *way, mmf_kind kind, struct object *object, int *created)
{
    mmf_sync_options options = scope(way->all_users, way->this_user_only);

    return object_create(object, kind, way->name, way->has_options ? &options : NULL,
                         created);
}

/* What was not made for this user alone, to a call that asks for that. */
static void
check_refused_as_not_of_this_user(const struct way *way, mmf_kind kind)
{
    static const char reason[] = "was not made for this user alone";
    mmf_sync_options options = scope(way->all_users, way->this_user_only);
    struct object object = {0};
    mmf_waitable *waitable = NULL;
    int created = -7;

    CHECK_FAILS(create_by(way, kind, &object, &created), MMF_E_WRONG_KIND);
    CHECK(strstr(mmf_last_message(), reason) != NULL);
    CHECK_INT(created, -7);
    CHECK_FAILS(object_open(&object, kind, way->name, &options), MMF_E_WRONG_KIND);
    CHECK(strstr(mmf_last_message(), reason) != NULL);
    CHECK_FAILS(mmf_waitable_open_existing(way->name, &options, NULL, &waitable),
                MMF_E_WRONG_KIND);
    CHECK(strstr(mmf_last_message(), "is not of this user alone") != NULL);
}

static void
check_ways(mmf_kind kind, const struct way *one, const struct way *other)
{
    struct object first = {0}, second = {0};
    int meet = one->scope == other->scope;
    int created = -7;

    CHECK_OK(create_by(one, kind, &first, &created));
    CHECK_INT(created, 1);
    if (meet && !one->this_user_only && other->this_user_only) {
        check_refused_as_not_of_this_user(other, kind);
    } else {
        CHECK_OK(create_by(other, kind, &second, &created));
        CHECK_INT(created, !meet);
    }
    object_close(&second);
    object_close(&first);
}

/* Which names, by prefix or by options, are one, and which of them are refused. */
TEST(rule_7_5_scopes)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        for (size_t one = 0; one < COUNT_OF(ways); one++) {
            for (size_t other = 0; other < COUNT_OF(ways); other++) {
                CHECK_CONTEXT("%s by way %zu and %zu", mmf_kind_name(kind), one, other);
                check_ways(kind, &ways[one], &ways[other]);
            }
        }
    }
}

TEST(a_mode_for_others_is_not_for_this_user_alone)
{
    mmf_sync_options options = scope(0, 1);
    struct object object = {0};

    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        CHECK_CONTEXT("%s", mmf_kind_name(kind));
        options.mode = 0640;
        CHECK_FAILS_PARAM(object_create(&object, kind, "Cat", &options, NULL),
                          MMF_E_INVALID, "options");
        CHECK(strstr(mmf_last_message(), "mode 0640") != NULL);
        CHECK(strstr(mmf_last_message(), "0600 does not") != NULL);
        options.mode = 0600;
        CHECK_OK(object_create(&object, kind, "Cat", &options, NULL));
        object_close(&object);
    }
}

/* Without options, and with those of mmf_sync_options_init, the prefix alone
 * decides. */
TEST(rule_7_5_without_options)
{
    struct object local = new_object(MMF_KIND_EVENT, "Cat");
    struct object global = new_object(MMF_KIND_EVENT, "Global\\Cat");
    mmf_sync_options none = scope(0, 0), all = scope(1, 0);
    struct object other = {0};

    check_directories_of_cat();
    CHECK_OK(object_open(&other, MMF_KIND_EVENT, "Cat", &all));
    CHECK_STATUS(object_wait(&other, 0), MMF_OK);
    CHECK_STATUS(object_wait(&global, 0), MMF_TIMED_OUT);
    object_close(&other);
    CHECK_OK(object_open(&other, MMF_KIND_EVENT, "Cat", &none));
    CHECK_STATUS(object_wait(&other, 0), MMF_OK);
    CHECK_STATUS(object_wait(&local, 0), MMF_TIMED_OUT);
    object_close(&other);
    object_close(&local);
    object_close(&global);
}

static void
check_mode_of_new(mmf_kind kind, const char *name, int all_users, uint32_t mode,
                  uint32_t expected)
{
    mmf_sync_options options = scope(all_users, 0);
    struct object object = {0}, other = {0};
    struct stat status;

    CHECK_CONTEXT("%s %s, all_users %d, mode %o", mmf_kind_name(kind), name, all_users,
                  mode);
    options.mode = mode;
    CHECK_OK(object_create(&object, kind, name, &options, NULL));
    CHECK(stat(only_file(), &status) == 0);
    CHECK_INT(status.st_mode & 07777, expected);
    options.mode = 0600; /* opening changes nothing */
    CHECK_OK(object_create(&other, kind, name, &options, NULL));
    CHECK(stat(only_file(), &status) == 0);
    CHECK_INT(status.st_mode & 07777, expected);
    object_close(&object);
    object_close(&other);
}

TEST(mode_of_a_new_object)
{
    static const uint32_t modes[] = {0, 0600, 0660, 0666, 0644, 0777};
    mode_t mask;

    need_modes();
    mask = (mode_t)umask(0777);
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        for (size_t i = 0; i < COUNT_OF(modes); i++) {
            check_mode_of_new(kind, "Cat", 0, modes[i],
                              modes[i] == 0 ? 0600 : modes[i]);
            check_mode_of_new(kind, "Global\\Cat", 0, modes[i],
                              modes[i] == 0 ? 0600 : modes[i]);
            check_mode_of_new(kind, "Cat", 1, modes[i],
                              modes[i] == 0 ? 0666 : modes[i]);
            check_mode_of_new(kind, "Global\\Cat", 1, modes[i],
                              modes[i] == 0 ? 0666 : modes[i]);
        }
    }
    umask(mask);
}

/*
 * The list.
 */

static const mmf_object_info *
find_in_list(const mmf_list *list, const char *name)
{
    for (int32_t i = 0; i < mmf_list_count(list); i++) {
        const mmf_object_info *info = mmf_list_get(list, i);

        if (strcmp(info->name, name) == 0)
            return info;
    }
    CHECK_FAIL("%s is not listed", name);
}

TEST(listed_with_their_kinds)
{
    struct object objects[4] = {new_object(MMF_KIND_MAP, "map"),
                                new_object(MMF_KIND_MUTEX, "mutex"),
                                new_object(MMF_KIND_EVENT, "Global\\event"),
                                new_object(MMF_KIND_SEMAPHORE, "semaphore")};
    static const char *const names[] = {"map", "mutex", "Global\\event", "semaphore"};
    struct process *peer = peer_start();
    struct object again = {0};
    mmf_list *list = NULL;

    peer_does(peer, "open mutex 0 mutex");
    CHECK_OK(object_open(&again, MMF_KIND_SEMAPHORE, "semaphore", NULL));
    CHECK_OK(mmf_list_create(0, &list));
    if (!kernel_has_names())
        CHECK_INT(mmf_list_count(list), 4);
    for (int i = 0; i < 4; i++) {
        const mmf_object_info *info = find_in_list(list, names[i]);

        CHECK_CONTEXT("%s", names[i]);
        CHECK_INT(info->kind, MMF_KIND_MAP + i);
        CHECK_TEXT(mmf_kind_name(info->kind), strrchr(names[i], '\\') != NULL
                                                  ? strrchr(names[i], '\\') + 1
                                                  : names[i]);
        CHECK_INT(info->status, MMF_OBJECT_IN_USE);
        CHECK_TEXT(info->file, "");
        if (kernel_has_names()) {
            /* It counts handles, maps whole pages, and knows no creator. */
            CHECK_INT(info->holders, i == 1 || i == 3 ? 2 : 1);
            CHECK(info->capacity >= (i == 0 ? 100 : 0));
            CHECK_INT(info->creator_pid, 0);
            continue;
        }
        CHECK_INT(info->holders, i == 1 ? 2 : 1); /* processes, not handles */
        CHECK_INT(info->capacity, i == 0 ? 100 : 0);
        CHECK_INT(info->creator_pid, getpid());
        CHECK_TEXT(info->file, "");
    }
    mmf_list_close(list);
    object_close(&again);
    peer_end(peer);
    for (int i = 0; i < 4; i++)
        object_close(&objects[i]);
}

/* An owned mutex without a handle is not held: it goes with the last handle. */
TEST(orphans_are_collected)
{
    struct process *peer;
    mmf_gc_result result;
    mmf_list *list = NULL;

    need_files();
    peer = peer_start();
    peer_answers(peer, "MMF_OK new", "mutex 0 1 mutex");
    peer_answers(peer, "MMF_OK new", "event 1 0 0 event");
    peer_answers(peer, "MMF_OK new", "semaphore 2 0 1 semaphore");
    CHECK_OK(mmf_gc(0, &result));
    CHECK_INT(result.removed, 0);
    CHECK_INT(result.in_use, 3);
    process_kill(peer);
    CHECK_OK(mmf_list_create(MMF_LIST_KEEP_ORPHANED, &list));
    CHECK_INT(mmf_list_count(list), 3);
    for (int32_t i = 0; i < 3; i++)
        CHECK_INT(mmf_list_get(list, i)->status, MMF_OBJECT_ORPHANED);
    mmf_list_close(list);
    CHECK_OK(mmf_gc(0, &result));
    CHECK_INT(result.removed, 3);
    CHECK_INT(count_files(), 0);
}

ROLE("peer", peer_role);
