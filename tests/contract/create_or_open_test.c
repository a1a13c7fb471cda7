/*
 * create_or_open_test.c - MemoryMappedFile.CreateOrOpen: cases CO-01 to CO-20 and rule
 * 2.5.
 */
#include "support.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

TEST(co_01_null_name)
{
    REFUSES_CREATE_OR_OPEN(NULL, 4096, NULL, MMF_E_NULL, "mapName");
    REFUSES_CREATE_OR_OPEN(NULL, 4096, WITH_ACCESS(MMF_ACCESS_READ_WRITE), MMF_E_NULL,
                           "mapName");
    REFUSES_CREATE_OR_OPEN(NULL, 4096, WITH(MMF_ACCESS_READ_WRITE, 0, 0), MMF_E_NULL,
                           "mapName");
}

/* .NET's versions differ in whether they name the parameter: so may we. */
TEST(co_02_empty_name)
{
    REFUSES_CREATE_OR_OPEN("", 4096, NULL, MMF_E_INVALID, NULL);
    REFUSES_CREATE_OR_OPEN("", 4096, WITH_ACCESS(MMF_ACCESS_READ_WRITE), MMF_E_INVALID,
                           NULL);
    REFUSES_CREATE_OR_OPEN("", 4096, WITH(MMF_ACCESS_READ_WRITE, 0, 0), MMF_E_INVALID,
                           NULL);
}

/* .NET refuses names on Unix. */
TEST(co_03_names_are_accepted)
{
    struct names names;
    size_t i;

    make_names(&names);
    for (i = 0; i < NAME_COUNT; i++) {
        CHECK_CONTEXT("name N%zu", i + 1);
        mmf_map_close(create_or_open(names.text[i], 4096, NULL));
        mmf_map_close(
            create_or_open(names.text[i], 4096, WITH_ACCESS(MMF_ACCESS_READ)));
        mmf_map_close(create_or_open(names.text[i], 4096, WITH(MMF_ACCESS_READ, 0, 0)));
    }
}

static void
refuse_capacity(int64_t capacity)
{
    REFUSES_CREATE_OR_OPEN("Cat", capacity, NULL, MMF_E_RANGE, "capacity");
    REFUSES_CREATE_OR_OPEN("Cat", capacity, WITH_ACCESS(MMF_ACCESS_READ_WRITE),
                           MMF_E_RANGE, "capacity");
    REFUSES_CREATE_OR_OPEN("Cat", capacity, WITH(MMF_ACCESS_READ_WRITE, 0, 0),
                           MMF_E_RANGE, "capacity");
}

TEST(co_04_capacity_0)
{
    refuse_capacity(0);
}

TEST(co_05_negative_capacity)
{
    refuse_capacity(-1);
    refuse_capacity(INT64_MIN);
}

TEST(co_06_capacity_beyond_32_bits)
{
    mmf_map *map = UNTOUCHED;
    int rc;

    if (sizeof(void *) == 4) {
        refuse_capacity(INT64_C(1) << 32);
        return;
    }
    /* To a 64-bit process it is a capacity like any other, if there is the room. */
    rc = mmf_map_create_or_open("Cat", INT64_C(1) << 32,
                                WITH(0, MMF_DELAY_ALLOCATE_PAGES, 0), NULL, &map);
    if (rc < 0)
        CHECK_IO_ERROR(rc);
    else
        mmf_map_close(map);
}

TEST(co_07_access_out_of_range)
{
    static const mmf_access accesses[] = {-1, 42, ACCESS_COUNT};
    size_t i;

    for (i = 0; i < COUNT_OF(accesses); i++) {
        REFUSES_CREATE_OR_OPEN("Cat", 4096, WITH_ACCESS(accesses[i]), MMF_E_RANGE,
                               "access");
        REFUSES_CREATE_OR_OPEN("Cat", 4096, WITH(accesses[i], 0, 0), MMF_E_RANGE,
                               "access");
    }
}

TEST(co_08_options_out_of_range)
{
    REFUSES_CREATE_OR_OPEN("Cat", 4096, WITH(0, -1, 0), MMF_E_RANGE, "options");
    REFUSES_CREATE_OR_OPEN("Cat", 4096, WITH(0, 42, 0), MMF_E_RANGE, "options");
}

TEST(co_09_inheritability_out_of_range)
{
    REFUSES_CREATE_OR_OPEN("Cat", 4096, WITH(0, 0, -1), MMF_E_RANGE, "inheritability");
    REFUSES_CREATE_OR_OPEN("Cat", 4096, WITH(0, 0, 42), MMF_E_RANGE, "inheritability");
}

/* One row of the matrices: 4 capacities x the accesses x 2 options x 2. */
struct row {
    char name[UNIQUE_NAME_SIZE];
    int64_t capacity;
    mmf_access access;
    mmf_map_allocation allocation;
    mmf_inheritability inheritability;
};

static void
for_each_row(const mmf_access *accesses, size_t count, void (*run)(const struct row *))
{
    size_t i, rows = CAPACITY_COUNT * count * 2 * 2;
    struct row row;

    for (i = 0; i < rows; i++) {
        size_t rest = i;

        row.capacity = capacity_at(rest % CAPACITY_COUNT);
        row.access = accesses[(rest /= CAPACITY_COUNT) % count];
        row.allocation = (rest /= count) % 2 ? MMF_DELAY_ALLOCATE_PAGES : 0;
        row.inheritability = (rest / 2) % 2 ? 1 : 0;
        unique_name(row.name);
        CHECK_CONTEXT("capacity %" PRId64 ", %s, options %x, inherit %d", row.capacity,
                      access_name(row.access), (unsigned)row.allocation,
                      row.inheritability);
        run(&row);
    }
}

static const mmf_access plain[] = {MMF_ACCESS_READ, MMF_ACCESS_READ_WRITE,
                                   MMF_ACCESS_COPY_ON_WRITE};
static const mmf_access execute[] = {MMF_ACCESS_READ_EXECUTE,
                                     MMF_ACCESS_READ_WRITE_EXECUTE};

static void
validate_and_close(mmf_map *map, int64_t capacity, mmf_access access,
                   mmf_inheritability inheritability)
{
    validate_map(map, capacity, access, inheritability);
    mmf_map_close(map);
}

/* The shorter overload is in .NET's matrix for plain accesses only. */
static void
create_by_access(const struct row *row)
{
    mmf_map *map = create_or_open(row->name, row->capacity, WITH_ACCESS(row->access));

    validate_and_close(map, row->capacity, row->access, 0);
    map = create_or_open(row->name, row->capacity,
                         WITH(row->access, row->allocation, row->inheritability));
    validate_and_close(map, row->capacity, row->access, row->inheritability);
}

static void
create_absent(const struct row *row)
{
    mmf_map *map = create_or_open(row->name, row->capacity, NULL);

    validate_and_close(map, row->capacity, MMF_ACCESS_READ_WRITE, 0);
    create_by_access(row);
}

TEST(co_10_creates_what_is_absent)
{
    for_each_row(plain, COUNT_OF(plain), create_absent);
}

static void
open_by_access(const struct row *row)
{
    mmf_map *first = create_new(row->name, row->capacity, WITH_ACCESS(row->access));
    mmf_map *map = create_or_open(row->name, row->capacity, WITH_ACCESS(row->access));

    validate_and_close(map, row->capacity, row->access, 0);
    mmf_map_close(first);
    first = create_new(row->name, row->capacity,
                       WITH(row->access, row->allocation, row->inheritability));
    map = create_or_open(row->name, row->capacity,
                         WITH(row->access, row->allocation, row->inheritability));
    validate_and_close(map, row->capacity, row->access, row->inheritability);
    mmf_map_close(first);
}

static void
open_present(const struct row *row)
{
    mmf_map *first = create_new(row->name, row->capacity, NULL);
    mmf_map *map = create_or_open(row->name, row->capacity, NULL);

    validate_and_close(map, row->capacity, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(first);
    open_by_access(row);
}

TEST(co_11_opens_what_create_new_made)
{
    for_each_row(plain, COUNT_OF(plain), open_present);
}

static void
open_file_backed(const struct row *row)
{
    char path[FILE_PATH_SIZE];
    mmf_map *first, *map;

    file_path(path);
    make_file(path, row->capacity);
    first = create_from_file(path, MMF_FILE_MODE_OPEN, row->name, 0, NULL);
    map = create_or_open(row->name, row->capacity, NULL);
    validate_and_close(map, row->capacity, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(first);
    first = create_from_file(path, MMF_FILE_MODE_OPEN, row->name, row->capacity,
                             WITH_ACCESS(row->access));
    map = create_or_open(row->name, row->capacity, WITH_ACCESS(row->access));
    validate_and_close(map, row->capacity, row->access, 0);
    mmf_map_close(first);
    CHECK_INT(file_length(path), row->capacity);
    remove_file(path);
}

TEST(co_12_opens_what_create_from_file_made)
{
    for_each_row(plain, COUNT_OF(plain), open_file_backed);
}

TEST(co_13_creates_what_is_absent_for_execution)
{
    for_each_row(execute, COUNT_OF(execute), create_by_access);
}

TEST(co_14_opens_what_create_new_made_for_execution)
{
    for_each_row(execute, COUNT_OF(execute), open_by_access);
}

TEST(co_15_write_access_does_not_create)
{
    REFUSES_CREATE_OR_OPEN("Cat", 4096, WITH_ACCESS(MMF_ACCESS_WRITE), MMF_E_INVALID,
                           "access");
    REFUSES_CREATE_OR_OPEN("Cat", 4096, WITH(MMF_ACCESS_WRITE, 0, 0), MMF_E_INVALID,
                           "access");
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
}

TEST(co_16_write_access_opens)
{
    char name[UNIQUE_NAME_SIZE];
    mmf_map *first, *map;

    unique_name(name);
    first = create_or_open(name, 4096, NULL);
    map = create_or_open(name, 4096, WITH_ACCESS(MMF_ACCESS_WRITE));
    validate_map(first, 4096, MMF_ACCESS_WRITE, 0);
    validate_map(map, 4096, MMF_ACCESS_WRITE, 0);
    mmf_map_close(map);
    mmf_map_close(first);
}

static void
check_too_large(const char *name, int64_t capacity)
{
    mmf_map *map = UNTOUCHED;
    int rc = mmf_map_create_or_open(name, capacity, NULL, NULL, &map);

    CHECK_FAILS(mmf_map_create_or_open(name, capacity, NULL, NULL, &map), rc);
    CHECK_IO_ERROR(rc);
    CHECK((void *)map == UNTOUCHED);
}

TEST(co_17_too_large)
{
    if (sizeof(void *) == 4) {
        REFUSES_CREATE_OR_OPEN("Cat", INT64_C(1) << 32, NULL, MMF_E_RANGE, "capacity");
        return;
    }
    check_too_large("Cat", INT64_MAX);
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
}

static int64_t
default_capacity(mmf_map *map)
{
    mmf_accessor *view = view_of(map, 0, 0, MMF_ACCESS_READ_WRITE);
    int64_t capacity = mmf_accessor_capacity(view);

    mmf_accessor_close(view);
    return capacity;
}

TEST(co_18_first_capacity_holds)
{
    char name[UNIQUE_NAME_SIZE];
    mmf_map *first, *smaller, *larger;
    int64_t capacity = -1;

    unique_name(name);
    first = create_new(name, 10000, NULL);
    CHECK_INT(default_capacity(first), map_size(10000));
    smaller = create_or_open(name, 1, NULL);
    larger = create_or_open(name, 20000, NULL);
    CHECK_INT(default_capacity(smaller), map_size(10000));
    CHECK_INT(default_capacity(larger), map_size(10000));
    CHECK_INT(default_capacity(first), map_size(10000));
    CHECK_OK(mmf_map_capacity(larger, &capacity));
    CHECK_INT(capacity, map_size(10000));
    mmf_map_close(smaller);
    mmf_map_close(larger);
    mmf_map_close(first);
}

TEST(co_19_reader_opened_for_writing)
{
    char name[UNIQUE_NAME_SIZE];
    mmf_map *first, *map;

    if (!host_keeps_protection())
        harness_skip("this host maps beyond what a section's creator gave");
    unique_name(name);
    first = create_new(name, 4096, WITH_ACCESS(MMF_ACCESS_READ));
    map = create_or_open(name, 4096, WITH_ACCESS(MMF_ACCESS_READ_WRITE));
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_READ_WRITE, MMF_E_IO, NULL);
    REFUSES_VIEW(map, 0, 4096, MMF_ACCESS_READ_WRITE, MMF_E_IO, NULL);
    mmf_accessor_close(view_of(map, 0, 4096, MMF_ACCESS_READ));
    mmf_map_close(map);
    mmf_map_close(first);
}

TEST(co_20_writer_opened_for_reading)
{
    char name[UNIQUE_NAME_SIZE];
    mmf_map *first, *map;

    unique_name(name);
    first = create_new(name, 4096, WITH_ACCESS(MMF_ACCESS_READ_WRITE));
    map = create_or_open(name, 4096, WITH_ACCESS(MMF_ACCESS_READ));
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    REFUSES_VIEW(map, 0, 4096, MMF_ACCESS_READ_WRITE, MMF_E_ACCESS, NULL);
    mmf_accessor_close(view_of(map, 0, 4096, MMF_ACCESS_READ));
    mmf_map_close(map);
    mmf_map_close(first);
}

/* Every call breaks all rules from its own on; the name exists, so all could open. */
TEST(rule_2_5_order_of_checks)
{
    mmf_map *live;

    live = create_new("Cat", 10, NULL);
    REFUSES_CREATE_OR_OPEN(NULL, 0, WITH(42, 42, 42), MMF_E_NULL, "mapName");
    REFUSES_CREATE_OR_OPEN("", 0, WITH(42, 42, 42), MMF_E_INVALID, NULL);
    REFUSES_CREATE_OR_OPEN("Cat", 0, WITH(42, 42, 42), MMF_E_RANGE, "capacity");
    REFUSES_CREATE_OR_OPEN("Cat", 1, WITH(42, 42, 42), MMF_E_RANGE, "access");
    REFUSES_CREATE_OR_OPEN("Cat", 1, WITH(MMF_ACCESS_WRITE, 42, 42), MMF_E_RANGE,
                           "options");
    REFUSES_CREATE_OR_OPEN("Cat", 1, WITH(MMF_ACCESS_READ, 0, 42), MMF_E_RANGE,
                           "inheritability");
    REFUSES_CREATE_OR_OPEN("Dog", 1, WITH(MMF_ACCESS_WRITE, 0, 42), MMF_E_RANGE,
                           "inheritability");
    mmf_map_close(live);
}

/* Capacity 0 is refused even if the call opens and ignores it. */
TEST(rule_2_5_capacity_is_checked_even_if_ignored)
{
    mmf_map *live;

    live = create_new("Cat", 10, NULL);
    refuse_capacity(0);
    refuse_capacity(-1);
    mmf_map_close(live);
}

/* A handle that was opened with the write right alone has no other. */
TEST(rule_2_5_write_access_gives_the_write_right_alone)
{
    mmf_map *first, *map;

    first = create_new("Cat", 4096, NULL);
    map = create_or_open("Cat", 4096, WITH_ACCESS(MMF_ACCESS_WRITE));
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_READ, MMF_E_ACCESS, NULL);
    REFUSES_VIEW(map, 0, 0, MMF_ACCESS_COPY_ON_WRITE, MMF_E_ACCESS, NULL);
    mmf_accessor_close(view_of(map, 0, 0, MMF_ACCESS_WRITE));
    mmf_map_close(map);
    mmf_map_close(first);
}

/* It existed, so the options of the call do not change it; they hold for the handle. */
TEST(rule_2_5_options_are_ignored_when_it_opens)
{
    mmf_map *first, *map;

    first = create_new("Cat", 4096, NULL);
    poke(first, 100, 7);
    map = create_or_open("Cat", 1,
                         WITH(MMF_ACCESS_READ_WRITE, MMF_DELAY_ALLOCATE_PAGES,
                              MMF_INHERITABILITY_INHERITABLE));
    CHECK_INT(byte_at(map, 100), 7);
    poke(map, 100, 0);
    validate_map(map, 4096, MMF_ACCESS_READ_WRITE, MMF_INHERITABILITY_INHERITABLE);
    validate_map(first, 4096, MMF_ACCESS_READ_WRITE, 0);
    mmf_map_close(map);
    mmf_map_close(first);
}

static void
open_readable_as_stranger(void *name)
{
    mmf_map *map = create_or_open(name, 4096, WITH_ACCESS(MMF_ACCESS_READ));

    CHECK_INT(byte_at(map, 5), 55);
    mmf_map_close(map);
    REFUSES_CREATE_OR_OPEN(name, 4096, NULL, MMF_E_ACCESS, NULL);
    REFUSES_CREATE_OR_OPEN(name, 4096, WITH_ACCESS(MMF_ACCESS_WRITE), MMF_E_ACCESS,
                           NULL);
}

/* Another user's object opens with the rights it gives, and not with more. */
TEST(rule_2_5_access_denied_with_more_than_the_object_allows)
{
    static char name[] = "Global\\Cat";
    mmf_map_options options = options_with(MMF_ACCESS_READ_WRITE, 0, 0);
    mmf_map *map;

    need_other_users();
    set_mode(harness_dir(), 01777);
    options.mode = 0644;
    map = create_new(name, 4096, &options);
    poke(map, 5, 55);
    as_stranger(open_readable_as_stranger, name);
    mmf_map_close(map);
}

/*
 * Beyond .NET: which of the two it was.
 */

TEST(create_or_open_reports_which)
{
    char name[UNIQUE_NAME_SIZE];
    mmf_map *first = NULL, *second = NULL;
    int created = -7;

    unique_name(name);
    CHECK_STATUS(mmf_map_create_or_open(name, 4096, NULL, &created, &first), MMF_OK);
    CHECK_INT(created, 1);
    CHECK_STATUS(mmf_map_create_or_open(name, 100, NULL, &created, &second), MMF_OK);
    CHECK_INT(created, 0);
    mmf_map_close(second);
    CHECK_STATUS(mmf_map_create_or_open(name, 4096, WITH_ACCESS(MMF_ACCESS_WRITE),
                                        &created, &second),
                 MMF_OK);
    CHECK_INT(created, 0);
    mmf_map_close(second);
    mmf_map_close(first);
    CHECK_STATUS(mmf_map_create_or_open(name, 100, NULL, &created, &first), MMF_OK);
    CHECK_INT(created, 1);
    mmf_map_close(first);
    created = -7;
    first = UNTOUCHED;
    CHECK_FAILS(mmf_map_create_or_open(name, 0, NULL, &created, &first), MMF_E_RANGE);
    CHECK_INT(created, -7);
    CHECK((void *)first == UNTOUCHED);
}

TEST(create_or_open_with_the_exact_capacity)
{
    mmf_map_options options = options_with(0, 0, 0);
    mmf_map *first, *map = UNTOUCHED;
    int64_t capacity = 0;
    int created = -7;

    options.exact_capacity = 1;
    first = create_or_open("Cat", 10000, &options);
    CHECK_OK(mmf_map_capacity(first, &capacity));
    CHECK_INT(capacity, map_size(10000));
    mmf_map_close(create_or_open("Cat", 10000, &options));
    CHECK_FAILS(mmf_map_create_or_open("Cat", 30000, &options, &created, &map),
                MMF_E_MISMATCH);
    CHECK_INT(created, -7);
    CHECK((void *)map == UNTOUCHED);
    CHECK(strstr(mmf_last_message(), "30000") != NULL);
    REFUSES_CREATE_OR_OPEN("Cat", 1, &options, MMF_E_MISMATCH, NULL);
    options.exact_capacity = 0;
    mmf_map_close(create_or_open("Cat", 30000, &options));
    options.exact_capacity = 2;
    REFUSES_CREATE_OR_OPEN("Cat", 10000, &options, MMF_E_INVALID, "options");
    mmf_map_close(first);
}

TEST(rule_2_5_out_is_null)
{
    CHECK_FAILS(mmf_map_create_or_open("Cat", 4096, NULL, NULL, NULL), MMF_E_NULL);
    REFUSES_OPEN("Cat", NULL, MMF_E_NOT_FOUND, NULL);
}
