/*
 * name_test.c - names of mutexes, events and semaphores: created or opened, how long
 * they live, one namespace with the maps, who shares them. Rules 7.1.1 to 7.1.3
 * and 7.5.
 */
#include "support.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
check_absent(mmf_kind kind, const char *name)
{
    struct object object = {0};
    int opened = -7;

    if (kind == MMF_KIND_MAP) {
        CHECK_FAILS(object_open(&object, kind, name, NULL), MMF_E_NOT_FOUND);
        return;
    }
    CHECK_FAILS(object_open(&object, kind, name, NULL), MMF_E_NOT_FOUND);
    CHECK_STATUS(object_try_open(&object, kind, name, NULL, &opened), MMF_OK);
    CHECK_INT(opened, 0);
}

/*
 * Create or open.
 */

static void
create_twice(const char *name)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object one = {0}, other = {0};
        int created = -7;

        CHECK_STATUS(object_create(&one, kind, name, NULL, &created), MMF_OK);
        CHECK_INT(created, 1);
        CHECK_STATUS(object_create(&other, kind, name, NULL, &created), MMF_OK);
        CHECK_INT(created, name == NULL ? 1 : 0);
        if (name != NULL) { /* one object: what one takes the other has not */
            CHECK_STATUS(object_wait(&one, 0), MMF_OK);
            if (kind == MMF_KIND_MUTEX)
                CHECK_STATUS(object_signal(&other), MMF_OK);
            else
                CHECK_STATUS(object_wait(&other, 0), MMF_TIMED_OUT);
        }
        object_close(&one);
        object_close(&other);
        if (name != NULL)
            check_absent(kind, name);
    }
}

static void
rule_7_1_1_created_new_tells_which(void **state)
{
    (void)state;
    for_each_name(create_twice);
}

/*
 * Of many who create at once exactly one has created. And all have handles on one
 * object: an owner may release by any of them, and no wait for all takes two.
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

static void
rule_7_1_1_one_of_many_creates(void **state)
{
    struct worker *workers[RACERS];
    int rounds = harness_long() ? 20000 : 300;

    (void)state;
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

static void
rule_7_1_1_in_another_process(void **state)
{
    struct process *peer = peer_start();
    struct object object = {0};
    int created = -7;

    (void)state;
    peer_answers(peer, "MMF_OK new", "mutex 0 0 Cat mutex");
    peer_answers(peer, "MMF_OK new", "event 1 1 0 Cat event");
    peer_answers(peer, "MMF_OK new", "semaphore 2 2 3 Cat semaphore");
    CHECK_OK(object_create(&object, MMF_KIND_MUTEX, "Cat mutex", NULL, &created));
    CHECK_INT(created, 0);
    object_close(&object);
    CHECK_OK(object_create(&object, MMF_KIND_EVENT, "Cat event", NULL, &created));
    CHECK_INT(created, 0);
    object_close(&object);
    CHECK_OK(
        object_create(&object, MMF_KIND_SEMAPHORE, "Cat semaphore", NULL, &created));
    CHECK_INT(created, 0);
    peer_answers(peer, "MMF_OK 2", "post 2 1");
    CHECK_FAILS(object_signal(&object), MMF_E_FULL);
    object_close(&object);
    peer_end(peer);
    CHECK_INT(count_files(), 0);
}

/*
 * Lifetime.
 */

static void
lives_until_the_last(const char *name)
{
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object handles[3] = {{0}};
        int created = -7;

        if (name == NULL)
            return;
        handles[0] = new_object(kind, name);
        CHECK_STATUS(object_wait(&handles[0], 0), MMF_OK);
        CHECK_OK(object_open(&handles[1], kind, name, NULL));
        CHECK_OK(object_open(&handles[2], kind, name, NULL));
        object_close(&handles[0]);
        object_close(&handles[2]);
        CHECK_OK(object_open(&handles[2], kind, name, NULL));
        object_close(&handles[1]);
        if (kind == MMF_KIND_MUTEX)
            CHECK_STATUS(object_signal(&handles[2]), MMF_OK);
        else
            CHECK_STATUS(object_wait(&handles[2], 0), MMF_TIMED_OUT);
        object_close(&handles[2]);
        check_absent(kind, name);
        CHECK_INT(count_files(), 0);
        /* A new one starts afresh, and may be of another kind. */
        for (mmf_kind next = FIRST_KIND; next <= LAST_KIND; next++) {
            CHECK_OK(object_create(&handles[0], next, name, NULL, &created));
            CHECK_INT(created, 1);
            CHECK_STATUS(object_wait(&handles[0], 0), MMF_OK);
            object_close(&handles[0]);
        }
    }
}

static void
rule_7_1_2_lives_until_the_last_handle(void **state)
{
    (void)state;
    for_each_name(lives_until_the_last);
}

static void
rule_7_1_2_lives_in_another_process(void **state)
{
    struct process *peer = peer_start();
    struct object object = {0};

    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        object = new_object(kind, "Cat");
        peer_does(peer, "open %s 0 Cat", mmf_kind_name(kind));
        object_close(&object);
        CHECK_OK(object_open(&object, kind, "Cat", NULL));
        peer_does(peer, "close 0");
        peer_does(peer, "open %s 0 Cat", mmf_kind_name(kind));
        object_close(&object);
        peer_does(peer, "close 0");
        check_absent(kind, "Cat");
        CHECK_INT(count_files(), 0);
    }
    peer_end(peer);
}

/* A process that dies closes its handles. */
static void
rule_7_1_2_death_closes_handles(void **state)
{
    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct process *peer = peer_start(), *other = peer_start();
        struct object object = new_object(kind, "Cat"), again = {0};
        int created = -7;

        peer_does(peer, "open %s 0 Cat", mmf_kind_name(kind));
        object_close(&object);
        process_kill(peer);
        check_absent(kind, "Cat");
        CHECK_OK(object_create(&object, kind, "Cat", NULL, &created));
        CHECK_INT(created, 1);
        peer_does(other, "open %s 0 Cat", mmf_kind_name(kind));
        process_kill(other);
        /* Not the last one. */
        CHECK_STATUS(object_wait(&object, 0), MMF_OK);
        CHECK_STATUS(object_signal(&object), MMF_OK);
        CHECK_OK(object_open(&again, kind, "Cat", NULL));
        object_close(&again);
        object_close(&object);
    }
}

/*
 * One namespace.
 */

static void
clash(const char *name)
{
    if (name == NULL)
        return;
    for (mmf_kind holder = MMF_KIND_MAP; holder <= LAST_KIND; holder++) {
        struct object object = new_object(holder, name);

        for (mmf_kind kind = MMF_KIND_MAP; kind <= LAST_KIND; kind++) {
            struct object other = {0};
            int number = -7;
            mmf_map *map = UNTOUCHED;

            if (kind == holder)
                continue;
            CHECK_CONTEXT("a %s has the name of a %s", mmf_kind_name(holder),
                          mmf_kind_name(kind));
            CHECK_FAILS(object_create(&other, kind, name, NULL, &number),
                        MMF_E_WRONG_KIND);
            CHECK_INT(number, -7);
            CHECK(strstr(mmf_last_message(), mmf_kind_name(holder)) != NULL);
            CHECK_FAILS(object_open(&other, kind, name, NULL), MMF_E_WRONG_KIND);
            CHECK(strstr(mmf_last_message(), mmf_kind_name(holder)) != NULL);
            if (kind == MMF_KIND_MAP) {
                CHECK_FAILS(mmf_map_create_new(name, 100, NULL, &map),
                            MMF_E_WRONG_KIND);
                CHECK(map == UNTOUCHED);
            } else {
                CHECK_STATUS(object_try_open(&other, kind, name, NULL, &number),
                             MMF_OK);
                CHECK_INT(number, 0);
            }
        }
        /* It is as it was. */
        if (holder != MMF_KIND_MAP)
            CHECK_STATUS(object_wait(&object, 0), MMF_OK);
        object_close(&object);
        CHECK_INT(count_files(), 0);
    }
}

static void
rule_7_1_3_other_kinds(void **state)
{
    (void)state;
    for_each_name(clash);
}

static void
rule_7_1_3_other_kinds_in_another_process(void **state)
{
    struct process *peer = peer_start();
    mmf_mutex *mutex = new_mutex("Cat");
    mmf_map *map = NULL;

    (void)state;
    CHECK_OK(mmf_map_create_new("Dog", 100, NULL, &map));
    peer_fails(peer, MMF_E_WRONG_KIND, "mutex", "event 0 0 0 Cat");
    peer_fails(peer, MMF_E_WRONG_KIND, "mutex", "semaphore 0 0 1 Cat");
    peer_fails(peer, MMF_E_WRONG_KIND, "mutex", "map 0 100 Cat");
    peer_fails(peer, MMF_E_WRONG_KIND, "map", "mutex 0 0 Dog");
    peer_fails(peer, MMF_E_WRONG_KIND, "map", "open mutex 0 Dog");
    peer_fails(peer, MMF_E_WRONG_KIND, "map", "open event 0 Dog");
    peer_end(peer);
    mmf_mutex_close(mutex);
    mmf_map_close(map);
}

/* Case counts; "Local\" is no prefix's own name; "Global\" is another scope. */
static void
names_that_differ(void **state)
{
    static const char *const names[] = {"Cat",  "cat",  "Global\\Cat", "Global\\cat",
                                        "Cat ", " Cat", "C/at",        "C%2Fat"};

    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        struct object objects[COUNT_OF(names)] = {{0}}, other = {0};
        int created = -7;

        for (size_t i = 0; i < COUNT_OF(names); i++) {
            CHECK_CONTEXT("\"%s\"", names[i]);
            CHECK_OK(object_create(&objects[i], kind, names[i], NULL, &created));
            CHECK_INT(created, 1);
            CHECK_STATUS(object_wait(&objects[i], 0), MMF_OK);
        }
        CHECK_OK(object_create(&other, kind, "Local\\Cat", NULL, &created));
        CHECK_INT(created, 0); /* "Cat" is meant */
        object_close(&other);
        for (size_t i = 0; i < COUNT_OF(names); i++)
            object_close(&objects[i]);
    }
}

/*
 * Who shares a name: rule 7.5.
 */

static mmf_sync_options
scope(int user_only, int session_only)
{
    mmf_sync_options options;

    mmf_sync_options_init(&options);
    options.current_user_only = user_only;
    options.current_session_only = session_only;
    return options;
}

static void
rule_7_5_a_prefix_must_agree(void **state)
{
    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        for (int user_only = 0; user_only < 2; user_only++) {
            mmf_sync_options session = scope(user_only, 1), all = scope(user_only, 0);
            struct object object = {0};
            int number = -7;

            CHECK_CONTEXT("%s, user only %d", mmf_kind_name(kind), user_only);
            CHECK_FAILS_PARAM(
                object_create(&object, kind, "Global\\Cat", &session, &number),
                MMF_E_INVALID, "name");
            CHECK_FAILS_PARAM(object_open(&object, kind, "Global\\Cat", &session),
                              MMF_E_INVALID, "name");
            CHECK_FAILS_PARAM(
                object_try_open(&object, kind, "Global\\Cat", &session, &number),
                MMF_E_INVALID, "name");
            CHECK_FAILS_PARAM(object_create(&object, kind, "Local\\Cat", &all, &number),
                              MMF_E_INVALID, "name");
            CHECK_FAILS_PARAM(object_open(&object, kind, "Local\\Cat", &all),
                              MMF_E_INVALID, "name");
            CHECK_FAILS_PARAM(
                object_try_open(&object, kind, "Local\\Cat", &all, &number),
                MMF_E_INVALID, "name");
            CHECK_INT(number, -7);
            CHECK_OK(object_create(&object, kind, "Local\\Cat", &session, &number));
            CHECK_INT(number, 1);
            object_close(&object);
            CHECK_OK(object_create(&object, kind, "Global\\Cat", &all, &number));
            CHECK_INT(number, 1);
            object_close(&object);
        }
    }
}

/* With current_session_only any other backslash is a wrong argument; without, a path
 * that is not there. */
static void
rule_7_5_other_backslashes(void **state)
{
    static const char *const names[] = {"a\\b", "local\\Cat", "Session\\1\\Cat",
                                        "Local\\a\\b"};

    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        mmf_sync_options session = scope(1, 1), all = scope(1, 0);
        struct object object = {0};
        int number = -7;

        for (size_t i = 0; i < COUNT_OF(names); i++) {
            CHECK_CONTEXT("%s %s", mmf_kind_name(kind), names[i]);
            CHECK_FAILS_PARAM(object_create(&object, kind, names[i], &session, &number),
                              MMF_E_INVALID, "name");
            CHECK_FAILS_PARAM(object_open(&object, kind, names[i], &session),
                              MMF_E_INVALID, "name");
            CHECK_FAILS_PARAM(
                object_try_open(&object, kind, names[i], &session, &number),
                MMF_E_INVALID, "name");
        }
        CHECK_FAILS_PARAM(object_create(&object, kind, "a\\b", &all, &number),
                          MMF_E_PATH_NOT_FOUND, "name");
        CHECK_FAILS_PARAM(object_create(&object, kind, "a\\b", NULL, &number),
                          MMF_E_PATH_NOT_FOUND, "name");
        CHECK_INT(number, -7);
    }
}

/*
 * Whether two ways lead to one object. Where the kernel has the names, those for this
 * user alone are not a place of their own: one object meets all who say its name.
 */
static int
same_name(int one, int other)
{
    if (kernel_has_names())
        return (one >= 2) == (other >= 2);
    return one == other;
}

/* And who wants an object of this user's alone refuses one that was made for all. */
static int
refuses_all(int made, int opening)
{
    int made_for_all = made == 1 || made >= 3;
    int for_this_user = opening == 0 || opening == 2;

    return kernel_has_names() && made_for_all && for_this_user;
}

/*
 * Which of the four scopes, and of the two that a prefix alone chooses, are one: the
 * session's, whoever may use it; everybody's; this user's of all sessions.
 */
static void
rule_7_5_scopes(void **state)
{
    enum { WAYS = 6 };
    static const char *const names[WAYS] = {"Cat", "Cat", "Cat",
                                            "Cat", "Cat", "Global\\Cat"};
    static const int same_as[WAYS] = {0, 0, 2, 3, 0, 3};

    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        mmf_sync_options options[WAYS] = {scope(1, 1), scope(0, 1), scope(1, 0),
                                          scope(0, 0)};

        for (int one = 0; one < WAYS; one++) {
            for (int other = 0; other < WAYS; other++) {
                struct object first = {0}, second = {0};
                int meet = same_name(same_as[one], same_as[other]);
                int created = -7;

                CHECK_CONTEXT("%s by way %d and %d", mmf_kind_name(kind), one, other);
                CHECK_OK(object_create(&first, kind, names[one],
                                       one < 4 ? &options[one] : NULL, &created));
                CHECK_INT(created, 1);
                if (meet && refuses_all(one, other)) {
                    CHECK_FAILS(object_create(&second, kind, names[other],
                                              &options[other], &created),
                                MMF_E_WRONG_KIND);
                    object_close(&first);
                    continue;
                }
                CHECK_OK(object_create(&second, kind, names[other],
                                       other < 4 ? &options[other] : NULL, &created));
                CHECK_INT(created, !meet);
                object_close(&first);
                object_close(&second);
            }
        }
    }
}

/* NULL options are the older constructors: the prefix alone decides. */
static void
rule_7_5_without_options(void **state)
{
    struct object local = new_object(MMF_KIND_EVENT, "Cat");
    struct object global = new_object(MMF_KIND_EVENT, "Global\\Cat");
    struct object other = {0};
    mmf_sync_options all = scope(0, 0);

    (void)state;
    check_places_of_cat();
    CHECK_OK(object_open(&other, MMF_KIND_EVENT, "Cat", &all));
    CHECK_STATUS(object_wait(&other, 0), MMF_OK);
    CHECK_STATUS(object_wait(&global, 0), MMF_TIMED_OUT);
    CHECK_STATUS(object_wait(&local, 0), MMF_OK);
    object_close(&other);
    object_close(&local);
    object_close(&global);
}

static void
mode_of_a_new_object(void **state)
{
    static const uint32_t modes[] = {0, 0600, 0660, 0666, 0644, 0777};
    mode_t mask;

    (void)state;
    need_modes();
    mask = (mode_t)umask(0777);
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        for (size_t i = 0; i < COUNT_OF(modes); i++) {
            mmf_sync_options options = scope(0, 0);
            struct object object = {0}, other = {0};
            struct stat status;

            options.mode = modes[i];
            CHECK_OK(object_create(&object, kind, "Cat", &options, NULL));
            CHECK(stat(only_file(), &status) == 0);
            CHECK_INT(status.st_mode & 07777, modes[i] == 0 ? 0600 : modes[i]);
            options.mode = 0600; /* opening changes nothing */
            CHECK_OK(object_create(&other, kind, "Cat", &options, NULL));
            CHECK(stat(only_file(), &status) == 0);
            CHECK_INT(status.st_mode & 07777, modes[i] == 0 ? 0600 : modes[i]);
            object_close(&object);
            object_close(&other);
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

static void
listed_with_their_kinds(void **state)
{
    struct object objects[4] = {new_object(MMF_KIND_MAP, "map"),
                                new_object(MMF_KIND_MUTEX, "mutex"),
                                new_object(MMF_KIND_EVENT, "Global\\event"),
                                new_object(MMF_KIND_SEMAPHORE, "semaphore")};
    static const char *const names[] = {"map", "mutex", "Global\\event", "semaphore"};
    struct process *peer = peer_start();
    struct object again = {0};
    mmf_list *list = NULL;

    (void)state;
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
static void
dead_ones_are_reaped(void **state)
{
    struct process *peer;
    mmf_gc_result result;
    mmf_list *list = NULL;

    (void)state;
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

int
main(int argc, char **argv)
{
    static const struct role roles[] = {{"peer", peer_role}, {NULL, NULL}};
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_7_1_1_created_new_tells_which),
        cmocka_unit_test(rule_7_1_1_one_of_many_creates),
        cmocka_unit_test(rule_7_1_1_in_another_process),
        cmocka_unit_test(rule_7_1_2_lives_until_the_last_handle),
        cmocka_unit_test(rule_7_1_2_lives_in_another_process),
        cmocka_unit_test(rule_7_1_2_death_closes_handles),
        cmocka_unit_test(rule_7_1_3_other_kinds),
        cmocka_unit_test(rule_7_1_3_other_kinds_in_another_process),
        cmocka_unit_test(names_that_differ),
        cmocka_unit_test(rule_7_5_a_prefix_must_agree),
        cmocka_unit_test(rule_7_5_other_backslashes),
        cmocka_unit_test(rule_7_5_scopes),
        cmocka_unit_test(rule_7_5_without_options),
        cmocka_unit_test(mode_of_a_new_object),
        cmocka_unit_test(listed_with_their_kinds),
        cmocka_unit_test(dead_ones_are_reaped),
    };

    return harness_main(argc, argv, "sync_name", tests, COUNT_OF(tests), roles);
}
