/*
 * name_test.c - names of mutexes, events and semaphores: created or opened, how long
 * they live, one namespace with the maps, which users share them. Rules 7.1.1 to 7.1.3
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

    CHECK_FAILS(object_open(&object, kind, name, NULL), MMF_E_NOT_FOUND);
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
    CHECK_FAILS(object_signal(&object), MMF_E_MAXIMUM);
    object_close(&object);
    peer_end(peer);
    CHECK_INT(count_files(), 0);
}

/*
 * Lifetime.
 */

static void
exists_until_the_last(const char *name)
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
rule_7_1_2_exists_until_the_last_handle(void **state)
{
    (void)state;
    for_each_name(exists_until_the_last);
}

static void
rule_7_1_2_exists_in_another_process(void **state)
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
            int created = -7;

            if (kind == holder)
                continue;
            CHECK_CONTEXT("a %s has the name of a %s", mmf_kind_name(holder),
                          mmf_kind_name(kind));
            CHECK_FAILS(object_create(&other, kind, name, NULL, &created),
                        MMF_E_WRONG_KIND);
            CHECK_INT(created, -7);
            CHECK(strstr(mmf_last_message(), mmf_kind_name(holder)) != NULL);
            CHECK_FAILS(object_open(&other, kind, name, NULL), MMF_E_WRONG_KIND);
            CHECK(strstr(mmf_last_message(), mmf_kind_name(holder)) != NULL);
            CHECK_FAILS(object_create_new(&other, kind, name, NULL), MMF_E_WRONG_KIND);
            CHECK(strstr(mmf_last_message(), mmf_kind_name(holder)) != NULL);
            CHECK_INT(other.kind, 0);
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

static void
refuse_scope(mmf_kind kind, const char *name, const mmf_sync_options *options,
             const char *parameter)
{
    struct object object = {0};
    int created = -7;

    CHECK_FAILS_PARAM(object_create(&object, kind, name, options, &created),
                      MMF_E_INVALID, parameter);
    CHECK_INT(created, -7);
    CHECK_FAILS_PARAM(object_create_new(&object, kind, name, options), MMF_E_INVALID,
                      parameter);
    CHECK_FAILS_PARAM(object_open(&object, kind, name, options), MMF_E_INVALID,
                      parameter);
    CHECK_INT(object.kind, 0);
    CHECK_INT(count_files(), 0);
}

static void
accept_scope(mmf_kind kind, const char *name, const mmf_sync_options *options)
{
    struct object object = {0}, other = {0};
    int created = -7;

    CHECK_OK(object_create(&object, kind, name, options, &created));
    CHECK_INT(created, 1);
    CHECK_OK(object_open(&other, kind, name, options));
    object_close(&other);
    object_close(&object);
    CHECK_OK(object_create_new(&object, kind, name, options));
    object_close(&object);
}

static void
rule_7_5_a_prefix_must_agree(void **state)
{
    static const char *const names[] = {"Cat", "Local\\Cat", "Global\\Cat"};

    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        mmf_sync_options none = scope(0, 0), all = scope(1, 0), user = scope(0, 1);
        mmf_sync_options both = scope(1, 1);

        for (size_t i = 0; i < COUNT_OF(names); i++) {
            CHECK_CONTEXT("%s \"%s\"", mmf_kind_name(kind), names[i]);
            accept_scope(kind, names[i], &none);
            accept_scope(kind, names[i], &user);
            refuse_scope(kind, names[i], &both, "options");
        }
        refuse_scope(kind, "Local\\Cat", &all, "name");
        accept_scope(kind, "Global\\Cat", &all);
        accept_scope(kind, "Cat", &all);
    }
}

/* Any other backslash is a path that is not there, whatever the options say. */
static void
rule_7_5_other_backslashes(void **state)
{
    static const char *const names[] = {"a\\b", "local\\Cat", "Local\\a\\b",
                                        "Global\\a\\b", "Session\\1\\Cat"};
    /* Where the kernel has the names, the last one may lead to a session. */
    size_t count = COUNT_OF(names) - (kernel_has_names() ? 1 : 0);

    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        mmf_sync_options none = scope(0, 0), user = scope(0, 1);
        const mmf_sync_options *const options[] = {NULL, &none, &user};
        struct object object = {0};
        int created = -7;

        for (size_t i = 0; i < count * COUNT_OF(options); i++) {
            const char *name = names[i / COUNT_OF(options)];
            const mmf_sync_options *given = options[i % COUNT_OF(options)];

            CHECK_CONTEXT("%s %s", mmf_kind_name(kind), name);
            CHECK_FAILS_PARAM(object_create(&object, kind, name, given, &created),
                              MMF_E_PATH_NOT_FOUND, "name");
            CHECK_FAILS_PARAM(object_create_new(&object, kind, name, given),
                              MMF_E_PATH_NOT_FOUND, "name");
            CHECK_FAILS_PARAM(object_open(&object, kind, name, given),
                              MMF_E_PATH_NOT_FOUND, "name");
        }
        CHECK_INT(created, -7);
    }
}

/* A name, and the options with which it is said. */
struct way {
    const char *name;
    int has_options;
    int all_users;
    int this_user_only;
    int scope; /* ways of one number lead to one object */
};

enum { LOCAL_SCOPE, GLOBAL_SCOPE, USER_SCOPE };

static const struct way ways[] = {
    {"Cat", 0, 0, 0, LOCAL_SCOPE},          {"Cat", 1, 0, 0, LOCAL_SCOPE},
    {"Cat", 1, 0, 1, LOCAL_SCOPE},          {"Cat", 1, 1, 0, GLOBAL_SCOPE},
    {"Local\\Cat", 0, 0, 0, LOCAL_SCOPE},   {"Local\\Cat", 1, 0, 0, LOCAL_SCOPE},
    {"Local\\Cat", 1, 0, 1, LOCAL_SCOPE},   {"Global\\Cat", 0, 0, 0, GLOBAL_SCOPE},
    {"Global\\Cat", 1, 0, 0, GLOBAL_SCOPE}, {"Global\\Cat", 1, 0, 1, USER_SCOPE},
    {"Global\\Cat", 1, 1, 0, GLOBAL_SCOPE},
};

/*
 * Whether two ways lead to one object. Where the kernel has the names, those for this
 * user alone have no namespace of their own: all users of a name meet at one object.
 */
static int
is_same_object(const struct way *one, const struct way *other)
{
    if (kernel_has_names())
        return (one->scope == LOCAL_SCOPE) == (other->scope == LOCAL_SCOPE);
    return one->scope == other->scope;
}

static int
create_by(const struct way *way, mmf_kind kind, struct object *object, int *created)
{
    mmf_sync_options options = scope(way->all_users, way->this_user_only);

    return object_create(object, kind, way->name, way->has_options ? &options : NULL,
                         created);
}

static void
check_ways(mmf_kind kind, const struct way *one, const struct way *other)
{
    struct object first = {0}, second = {0};
    int meet = is_same_object(one, other);
    int created = -7;

    CHECK_OK(create_by(one, kind, &first, &created));
    CHECK_INT(created, 1);
    /* A kernel's object that is not this user's alone is refused to this_user_only. */
    if (kernel_has_names() && meet && !one->this_user_only && other->this_user_only) {
        CHECK_FAILS(create_by(other, kind, &second, &created), MMF_E_WRONG_KIND);
    } else {
        CHECK_OK(create_by(other, kind, &second, &created));
        CHECK_INT(created, !meet);
    }
    object_close(&second);
    object_close(&first);
}

/*
 * Which names, by prefix or by options, are one: this user's, all users', and this
 * user's own among the global ones.
 */
static void
rule_7_5_scopes(void **state)
{
    (void)state;
    for (mmf_kind kind = FIRST_KIND; kind <= LAST_KIND; kind++) {
        for (size_t one = 0; one < COUNT_OF(ways); one++) {
            for (size_t other = 0; other < COUNT_OF(ways); other++) {
                CHECK_CONTEXT("%s by way %zu and %zu", mmf_kind_name(kind), one, other);
                check_ways(kind, &ways[one], &ways[other]);
            }
        }
    }
}

/* Without options, and with those of mmf_sync_options_init, the prefix alone
 * decides. */
static void
rule_7_5_without_options(void **state)
{
    struct object local = new_object(MMF_KIND_EVENT, "Cat");
    struct object global = new_object(MMF_KIND_EVENT, "Global\\Cat");
    mmf_sync_options none = scope(0, 0), all = scope(1, 0);
    struct object other = {0};

    (void)state;
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
orphans_are_collected(void **state)
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
        cmocka_unit_test(rule_7_1_2_exists_until_the_last_handle),
        cmocka_unit_test(rule_7_1_2_exists_in_another_process),
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
        cmocka_unit_test(orphans_are_collected),
    };

    return harness_main(argc, argv, "sync_name", tests, COUNT_OF(tests), roles);
}
