/*
 * create_new_test.c - MemoryMappedFile.CreateNew: cases CN-01 to CN-26 and rule 2.4.
 * CN-23 is about Windows, where sizes are rounded to pages; CN-27 probes .NET's
 * implementation on Unix, not the contract.
 *
 * Each case calls all overloads that .NET's test calls: without options, with the
 * access, with everything.
 */
#include "support.h"

#include <inttypes.h>

TEST(cn_01_empty_name)
{
    REFUSES_CREATE_NEW("", 4096, NULL, MMF_E_INVALID, "");
    REFUSES_CREATE_NEW("", 4096, WITH_ACCESS(MMF_ACCESS_READ_WRITE), MMF_E_INVALID, "");
    REFUSES_CREATE_NEW("", 4096, WITH(MMF_ACCESS_READ_WRITE, 0, 0), MMF_E_INVALID, "");
}

static void
refuse_capacity(int64_t capacity)
{
    REFUSES_CREATE_NEW(NULL, capacity, NULL, MMF_E_RANGE, "capacity");
    REFUSES_CREATE_NEW(NULL, capacity, WITH_ACCESS(MMF_ACCESS_READ_WRITE), MMF_E_RANGE,
                       "capacity");
    REFUSES_CREATE_NEW(NULL, capacity, WITH(MMF_ACCESS_READ_WRITE, 0, 0), MMF_E_RANGE,
                       "capacity");
}

TEST(cn_02_capacity_0)
{
    refuse_capacity(0);
}

TEST(cn_03_negative_capacity)
{
    refuse_capacity(-100);
    refuse_capacity(-1);
    refuse_capacity(INT64_MIN);
}

static void
refuse_access(mmf_access access)
{
    REFUSES_CREATE_NEW(NULL, 4096, WITH_ACCESS(access), MMF_E_RANGE, "access");
    REFUSES_CREATE_NEW(NULL, 4096, WITH(access, 0, 0), MMF_E_RANGE, "access");
}

TEST(cn_04_access_42)
{
    refuse_access(42);
    refuse_access(ACCESS_COUNT);
}

TEST(cn_05_access_minus_2)
{
    refuse_access(-2);
    refuse_access(-1);
}

TEST(cn_06_access_write)
{
    REFUSES_CREATE_NEW(NULL, 4096, WITH_ACCESS(MMF_ACCESS_WRITE), MMF_E_INVALID,
                       "access");
}

TEST(cn_07_options_42)
{
    REFUSES_CREATE_NEW(NULL, 4096, WITH(MMF_ACCESS_READ, 42, 0), MMF_E_RANGE,
                       "options");
}

TEST(cn_08_options_minus_2)
{
    REFUSES_CREATE_NEW(NULL, 4096, WITH(MMF_ACCESS_READ_WRITE, -2, 0), MMF_E_RANGE,
                       "options");
}

TEST(cn_09_inheritability_42)
{
    REFUSES_CREATE_NEW(NULL, 4096, WITH(MMF_ACCESS_READ_WRITE, 0, 42), MMF_E_RANGE,
                       "inheritability");
    REFUSES_CREATE_NEW(NULL, 4096, WITH(MMF_ACCESS_READ_WRITE, 0, 2), MMF_E_RANGE,
                       "inheritability");
}

TEST(cn_10_inheritability_minus_2)
{
    REFUSES_CREATE_NEW(NULL, 4096, WITH(MMF_ACCESS_READ_WRITE, 0, -2), MMF_E_RANGE,
                       "inheritability");
}

/* .NET says IOException and leaves open which; ours is one of that family. */
static void
check_too_large(const char *name, int64_t capacity)
{
    mmf_map *map = UNTOUCHED;
    int rc = mmf_map_create_new(name, capacity, NULL, &map);

    CHECK_FAILS(mmf_map_create_new(name, capacity, NULL, &map), rc);
    CHECK_IO_ERROR(rc);
    CHECK((void *)map == UNTOUCHED);
}

TEST(cn_11_too_large)
{
    char name[UNIQUE_NAME_SIZE];

    if (sizeof(void *) == 4) {
        REFUSES_CREATE_NEW(NULL, INT64_C(1) << 32, NULL, MMF_E_RANGE, "capacity");
        return;
    }
    unique_name(name);
    check_too_large(NULL, INT64_MAX);
    check_too_large(name, INT64_MAX);
    check_too_large(name, INT64_MAX - 4096);
    check_too_large(name, INT64_C(1) << 62);
    REFUSES_OPEN(name, NULL, MMF_E_NOT_FOUND, NULL);
}

/* .NET on Unix may notice at the first view only; we notice at once. */
TEST(cn_12_too_large_without_a_name)
{
    mmf_map *map;
    mmf_accessor *view;

    if (sizeof(void *) != 4) {
        check_too_large(NULL, INT64_MAX);
        return;
    }
    /* The machine may have that much, the process not. */
    if (mmf_map_create_new(NULL, UINT32_MAX, NULL, &map) == MMF_OK) {
        CHECK_FAILS(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view),
                    MMF_E_NO_MEMORY);
        mmf_map_close(map);
    }
}

/* .NET refuses names on Unix. */
TEST(cn_13_names_are_accepted)
{
    struct names names;
    size_t i;
    mmf_map *map;

    make_names(&names);
    for (i = 0; i < NAME_COUNT; i++) {
        CHECK_CONTEXT("name N%zu", i + 1);
        map = create_new(names.text[i], 4096, NULL);
        mmf_map_close(map);
        map = create_new(names.text[i], 4096, WITH_ACCESS(MMF_ACCESS_READ));
        mmf_map_close(map);
        map = create_new(names.text[i], 4096, WITH(MMF_ACCESS_READ, 0, 0));
        mmf_map_close(map);
    }
}

/* N1 to N5, then no name. */
static const char *
name_at(const struct names *names, size_t index)
{
    CHECK_CONTEXT("name N%zu", index + 1);
    return index < NAME_COUNT ? names->text[index] : NULL;
}

TEST(cn_14_each_kind_of_name)
{
    struct names names;
    size_t i;
    mmf_map *map;

    make_names(&names);
    for (i = 0; i <= NAME_COUNT; i++) {
        map = create_new(name_at(&names, i), 4096, NULL);
        validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
        mmf_map_close(map);
    }
}

TEST(cn_15_same_name_again_for_reading)
{
    struct names names;
    size_t i;
    mmf_map *map;

    make_names(&names);
    for (i = 0; i <= NAME_COUNT; i++) {
        map = create_new(name_at(&names, i), 4096, NULL);
        mmf_map_close(map);
        map = create_new(name_at(&names, i), 4096, WITH_ACCESS(MMF_ACCESS_READ));
        validate_map(map, 4096, MMF_ACCESS_READ, 0);
        mmf_map_close(map);
    }
}

TEST(cn_16_same_name_again_with_everything)
{
    struct names names;
    size_t i;
    mmf_map *map;

    make_names(&names);
    for (i = 0; i <= NAME_COUNT; i++) {
        map = create_new(name_at(&names, i), 4096, WITH_ACCESS(MMF_ACCESS_READ));
        mmf_map_close(map);
        map = create_new(name_at(&names, i), 4096,
                         WITH(MMF_ACCESS_READ_WRITE_EXECUTE, MMF_DELAY_ALLOCATE_PAGES,
                              MMF_INHERITABILITY_INHERITABLE));
        validate_map(map, 4096, MMF_ACCESS_READ_WRITE, MMF_INHERITABILITY_INHERITABLE);
        mmf_map_close(map);
    }
}

TEST(cn_17_second_create_of_a_live_name_exists)
{
    struct names names;
    size_t i;
    mmf_map *map;

    make_names(&names);
    for (i = 0; i < NAME_COUNT; i++) {
        map = create_new(name_at(&names, i), 4096, NULL);
        validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
        REFUSES_CREATE_NEW(names.text[i], 4096, NULL, MMF_E_EXISTS, NULL);
        REFUSES_CREATE_NEW(names.text[i], 100, WITH_ACCESS(MMF_ACCESS_READ),
                           MMF_E_EXISTS, NULL);
        CHECK_IO_ERROR(MMF_E_EXISTS);
        validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
        mmf_map_close(map);
    }
}

TEST(cn_18_create_again_after_close)
{
    struct names names;
    size_t i;
    mmf_map *map;

    make_names(&names);
    for (i = 0; i < NAME_COUNT; i++) {
        map = create_new(name_at(&names, i), 4096, NULL);
        REFUSES_CREATE_NEW(names.text[i], 4096, NULL, MMF_E_EXISTS, NULL);
        poke(map, 0, 1);
        poke(map, 4095, 2);
        mmf_map_close(map);
        map = create_new(names.text[i], 4096, NULL);
        validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
        mmf_map_close(map);
    }
}

static void
create_three_times(const char *name, int64_t capacity, mmf_access access,
                   mmf_map_allocation allocation, mmf_inheritability inheritability)
{
    mmf_map *map = create_new(name, capacity, NULL);

    validate_map(map, capacity, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    map = create_new(name, capacity, WITH_ACCESS(access));
    validate_map(map, capacity, access, 0);
    mmf_map_close(map);
    map = create_new(name, capacity, WITH(access, allocation, inheritability));
    validate_map(map, capacity, access, inheritability);
    mmf_map_close(map);
}

/* 2 names x 4 capacities x 5 accesses x 2 x 2: .NET's 160 rows. */
TEST(cn_19_matrix)
{
    static const mmf_access accesses[] = {
        MMF_ACCESS_READ, MMF_ACCESS_READ_EXECUTE, MMF_ACCESS_READ_WRITE,
        MMF_ACCESS_READ_WRITE_EXECUTE, MMF_ACCESS_COPY_ON_WRITE};
    char name[UNIQUE_NAME_SIZE];
    size_t row, rows = 2 * CAPACITY_COUNT * COUNT_OF(accesses) * 2 * 2;

    for (row = 0; row < rows; row++) {
        size_t rest = row;
        int named = rest % 2 == 1;
        int64_t capacity = capacity_at((rest /= 2) % CAPACITY_COUNT);
        mmf_access access = accesses[(rest /= CAPACITY_COUNT) % COUNT_OF(accesses)];
        mmf_map_allocation allocation =
            (rest /= COUNT_OF(accesses)) % 2 ? MMF_DELAY_ALLOCATE_PAGES : 0;
        mmf_inheritability inheritability = (rest / 2) % 2 ? 1 : 0;

        CHECK_CONTEXT("named %d, capacity %" PRId64 ", %s, options %x, inherit %d",
                      named, capacity, access_name(access), (unsigned)allocation,
                      inheritability);
        unique_name(name);
        create_three_times(named ? name : NULL, capacity, access, allocation,
                           inheritability);
    }
}

static void
check_forgets(const char *name)
{
    mmf_map *map = create_new(name, 4096, NULL);
    mmf_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);

    CHECK_OK(mmf_accessor_write_int32(view, 0, 42));
    mmf_accessor_close(view);
    mmf_map_close(map);
    map = create_new(name, 4096, NULL);
    CHECK_INT(byte_at(map, 0), 0);
    mmf_map_close(map);
}

TEST(cn_20_data_do_not_outlive_the_name)
{
    struct names names;
    size_t i;

    make_names(&names);
    for (i = 0; i <= NAME_COUNT; i++)
        check_forgets(name_at(&names, i));
}

TEST(cn_21_unnamed_data_do_not_outlive_the_map)
{
    check_forgets(NULL);
}

TEST(cn_22_a_hundred_unnamed_maps)
{
    enum { MAPS = 100 };
    mmf_map *maps[MAPS];
    int i;

    for (i = 0; i < MAPS; i++)
        maps[i] = create_new(NULL, 4096, NULL);
    for (i = 0; i < MAPS; i++)
        validate_map(maps[i], 4096, MMF_ACCESS_READ_WRITE, 0);
    for (i = 0; i < MAPS; i++)
        poke(maps[i], 7, (uint8_t)(i + 1));
    for (i = 0; i < MAPS; i++)
        CHECK_INT(byte_at(maps[i], 7), i + 1); /* 3.1.6: no two share */
    for (i = 0; i < MAPS; i++)
        mmf_map_close(maps[i]);
}

TEST(cn_24_default_view_is_exact)
{
    mmf_map *map = create_new(NULL, 1, NULL);
    mmf_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);

    CHECK_INT(mmf_accessor_capacity(view), map_size(1));
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* C closes once; what may be closed any number of times is NULL. */
TEST(cn_25_closing_nothing_is_fine)
{
    mmf_map *map = create_new(NULL, 4096, NULL);

    mmf_map_close(map);
    map = NULL;
    mmf_map_close(map);
    mmf_map_close(map);
}

static void
use_dead_map(void *payload)
{
    mmf_map *map = payload;
    intptr_t handle = 7;

    CHECK_FAILS(mmf_map_native_handle(map, &handle), MMF_E_DISPOSED);
    CHECK_INT(handle, 7);
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_READ_WRITE, MMF_E_DISPOSED, NULL);
    mmf_map_close(map);
}

/* A handle that C can still look at when it is dead: its copy in a forked child. */
TEST(cn_26_dead_map_is_disposed)
{
    char name[UNIQUE_NAME_SIZE];
    mmf_map *map;

    need_fork();
    unique_name(name);
    map = create_new(name, 4096, NULL);
    validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
    in_child(use_dead_map, map);
    validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    map = create_new(NULL, 4096, NULL);
    in_child(use_dead_map, map);
    validate_map(map, 4096, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
}

/*
 * Rule 2.4: each check before all later ones. Every call breaks all rules from its own
 * on.
 */
TEST(rule_2_4_order_of_checks)
{
    mmf_map *live;

    live = create_new("taken", 10, NULL);
    REFUSES_CREATE_NEW("", 0, WITH(42, 42, 42), MMF_E_INVALID, "");
    REFUSES_CREATE_NEW("taken", 0, WITH(42, 42, 42), MMF_E_RANGE, "capacity");
    REFUSES_CREATE_NEW("taken", 1, WITH(42, 42, 42), MMF_E_RANGE, "access");
    REFUSES_CREATE_NEW("taken", 1, WITH(MMF_ACCESS_WRITE, 42, 42), MMF_E_INVALID,
                       "access");
    REFUSES_CREATE_NEW("taken", 1, WITH(MMF_ACCESS_READ, 42, 42), MMF_E_RANGE,
                       "options");
    REFUSES_CREATE_NEW("taken", 1, WITH(MMF_ACCESS_READ, 0, 42), MMF_E_RANGE,
                       "inheritability");
    REFUSES_CREATE_NEW("taken", 1, WITH(MMF_ACCESS_READ, 0, 0), MMF_E_EXISTS, NULL);
    mmf_map_close(live);
}

/* What the system says about the name comes after every argument check. */
TEST(rule_2_4_arguments_before_the_name)
{
    REFUSES_CREATE_NEW("no\\prefix", 0, NULL, MMF_E_RANGE, "capacity");
    REFUSES_CREATE_NEW("no\\prefix", 1, WITH(MMF_ACCESS_READ, 0, 2), MMF_E_RANGE,
                       "inheritability");
    REFUSES_CREATE_NEW("no\\prefix", 1, NULL, MMF_E_PATH_NOT_FOUND, NULL);
}

/* Only DelayAllocatePages is an option. */
TEST(rule_2_4_options_bits)
{
    mmf_map_allocation allocation;
    int bit;
    mmf_map *map;

    for (bit = 0; bit < 32; bit++) {
        CHECK_CONTEXT("bit %d", bit);
        allocation = (mmf_map_allocation)(UINT32_C(1) << bit);
        if (allocation != MMF_DELAY_ALLOCATE_PAGES) {
            REFUSES_CREATE_NEW(NULL, 1, WITH(0, allocation, 0), MMF_E_RANGE, "options");
            REFUSES_CREATE_NEW(NULL, 1,
                               WITH(0, allocation | MMF_DELAY_ALLOCATE_PAGES, 0),
                               MMF_E_RANGE, "options");
        }
    }
    map = create_new(NULL, 1, WITH(0, MMF_DELAY_ALLOCATE_PAGES, 0));
    mmf_map_close(map);
}

TEST(rule_2_4_out_is_null)
{
    CHECK_FAILS(mmf_map_create_new("Cat", 4096, NULL, NULL), MMF_E_NULL);
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
}
