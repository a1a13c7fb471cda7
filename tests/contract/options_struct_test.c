/*
 * options_struct_test.c - options of older and newer callers, and what mmf has beyond
 * .NET: permission bits, and views that are populated, locked or of huge pages.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The options structs, alike: how large each is, and a call that reads one. */
struct reader {
    const char *name;
    uint32_t size;
    void (*init)(void *options);
    int (*call)(const void *options); /* makes something and closes it */
};

static void
init_options(void *options)
{
    mmf_map_options_init(options);
}

static void
init_view_options(void *options)
{
    mmf_view_options_init(options);
}

static int
closing(int rc, mmf_map *map)
{
    if (rc >= 0)
        mmf_map_close(map);
    else
        CHECK((void *)map == UNTOUCHED);
    return rc;
}

static int
call_create_new(const void *options)
{
    mmf_map *map = UNTOUCHED;
    int rc = mmf_map_create_new("Dog", 4096, options, &map);

    return closing(rc, map);
}

static int
call_create_or_open(const void *options)
{
    mmf_map *map = UNTOUCHED;
    int rc = mmf_map_create_or_open("Dog", 4096, options, NULL, &map);

    return closing(rc, map);
}

static int
call_create_from_file(const void *options)
{
    char path[FILE_PATH_SIZE];
    mmf_map *map = UNTOUCHED;
    int rc;

    file_path(path);
    rc = mmf_map_create_from_file(path, MMF_FILE_MODE_CREATE_NEW, NULL, 10, options,
                                  &map);
    rc = closing(rc, map);
    if (rc >= 0)
        remove_file(path);
    CHECK_INT(file_length(path), -1);
    return rc;
}

static int
call_create_from_handle(const void *options)
{
    mmf_map *map = UNTOUCHED;
    char path[FILE_PATH_SIZE];
    intptr_t fd;
    int rc;

    file_path(path);
    make_file(path, 10);
    fd = open_file(path, FOR_BOTH, 0);
    rc = mmf_map_create_from_handle(fd, NULL, 0, options, &map);
    if (rc < 0)
        close_file(fd);
    rc = closing(rc, map);
    remove_file(path);
    return rc;
}

static int
call_open_existing(const void *options)
{
    mmf_map *live = create_new("Dog", 4096, NULL);
    mmf_map *map = UNTOUCHED;
    int rc = mmf_map_open_existing("Dog", options, &map);

    /* A second failing call would hide the first one's error; closing makes none. */
    mmf_map_close(live);
    return closing(rc, map);
}

static int
call_view_accessor(const void *options)
{
    mmf_map *live = create_new(NULL, 4096, NULL);
    mmf_accessor *view = UNTOUCHED;
    int rc = mmf_accessor_create(live, 0, 0, MMF_ACCESS_READ, options, &view);

    mmf_map_close(live);
    if (rc >= 0)
        mmf_accessor_close(view);
    else
        CHECK((void *)view == UNTOUCHED);
    return rc;
}

static int
call_view_stream(const void *options)
{
    mmf_map *live = create_new(NULL, 4096, NULL);
    mmf_stream *stream = UNTOUCHED;
    int rc = mmf_stream_create(live, 0, 0, MMF_ACCESS_READ, options, &stream);

    mmf_map_close(live);
    if (rc >= 0)
        mmf_stream_close(stream);
    else
        CHECK((void *)stream == UNTOUCHED);
    return rc;
}

static const struct reader readers[] = {
    {"create_new", sizeof(mmf_map_options), init_options, call_create_new},
    {"create_or_open", sizeof(mmf_map_options), init_options, call_create_or_open},
    {"create_from_file", sizeof(mmf_map_options), init_options, call_create_from_file},
    {"create_from_fd", sizeof(mmf_map_options), init_options, call_create_from_handle},
    {"open_existing", sizeof(mmf_map_options), init_options, call_open_existing},
    {"view_accessor", sizeof(mmf_view_options), init_view_options, call_view_accessor},
    {"view_stream", sizeof(mmf_view_options), init_view_options, call_view_stream},
};

/* A struct of `size` bytes on the heap, so that reading past it shows under ASan. */
static void *
make_struct(const struct reader *reader, uint32_t size)
{
    unsigned char defaults[256] = {0};
    unsigned char *options = calloc(1, size < 4 ? 4 : size);

    CHECK(options != NULL);
    reader->init(defaults);
    memcpy(options, defaults, size < sizeof(defaults) ? size : sizeof(defaults));
    memcpy(options, &size, sizeof(size));
    return options;
}

TEST(options_init_gives_defaults)
{
    static const mmf_map_options zero = {.size = sizeof(zero)};
    mmf_map_options options;
    mmf_view_options view_options;

    memset(&options, 0xff, sizeof(options));
    mmf_map_options_init(&options);
    CHECK_BYTES(&options, &zero, sizeof(options));
    CHECK_INT(options.access, MMF_ACCESS_READ_WRITE);
    CHECK_INT(options.rights, 0);
    CHECK_INT(options.allocation, MMF_ALLOCATE_NOW);
    CHECK_INT(options.inheritability, MMF_INHERITABILITY_NONE);
    CHECK_INT(options.all_users, 0);
    CHECK_INT(options.mode, 0);
    CHECK_INT(options.exact_capacity, 0);
    CHECK_INT(options.wait_ms, 0);
    CHECK_INT(options.share, MMF_FILE_SHARE_DEFAULT);
    CHECK_INT(options.leave_open, 0);
    CHECK_INT(options.reserved, 0);
    memset(&view_options, 0xff, sizeof(view_options));
    mmf_view_options_init(&view_options);
    CHECK_INT(view_options.size, sizeof(view_options));
    CHECK_INT(view_options.flags, 0);
}

/* From a caller that knows fewer fields: the rest are defaults. */
TEST(options_of_an_older_caller)
{
    uint32_t size;
    void *options;
    size_t i;

    for (i = 0; i < COUNT_OF(readers); i++) {
        for (size = 4; size <= readers[i].size; size += 4) {
            CHECK_CONTEXT("%s, %u bytes", readers[i].name, size);
            options = make_struct(&readers[i], size);
            CHECK_STATUS(readers[i].call(options), MMF_OK);
            free(options);
        }
    }
}

/* What an older caller did set is taken, what lies behind its struct is not. */
TEST(options_of_an_older_caller_are_used)
{
    mmf_map_options options;
    mmf_map *map;

    memset(&options, 0xff, sizeof(options));
    options.size = 8; /* size and access, no more */
    options.access = MMF_ACCESS_READ;
    map = create_new(NULL, 4096, &options);
    validate_map(map, 4096, MMF_ACCESS_READ, 0);
    mmf_map_close(map);
}

/* From a caller that knows more fields: fine, as long as they are 0. */
TEST(options_of_a_newer_caller)
{
    unsigned char *options;
    uint32_t extra;
    size_t i;

    for (i = 0; i < COUNT_OF(readers); i++) {
        for (extra = 1; extra <= 64; extra += 21) {
            CHECK_CONTEXT("%s, %u bytes more", readers[i].name, extra);
            options = make_struct(&readers[i], readers[i].size + extra);
            CHECK_STATUS(readers[i].call(options), MMF_OK);
            options[readers[i].size + extra - 1] = 1;
            CHECK_FAILS_PARAM(readers[i].call(options), MMF_E_INVALID, "options");
            options[readers[i].size + extra - 1] = 0;
            options[readers[i].size] = 0x80;
            CHECK_FAILS_PARAM(readers[i].call(options), MMF_E_INVALID, "options");
            free(options);
        }
    }
}

/* A size that no version has: the struct was not initialised. */
TEST(options_without_a_size)
{
    static const uint32_t sizes[] = {0, 1, 3, UINT32_MAX, 0x80000000u};
    unsigned char options[64];
    size_t i, k;

    for (i = 0; i < COUNT_OF(readers); i++) {
        for (k = 0; k < COUNT_OF(sizes); k++) {
            CHECK_CONTEXT("%s, size %u", readers[i].name, sizes[k]);
            memset(options, 0, sizeof(options));
            readers[i].init(options);
            memcpy(options, &sizes[k], sizeof(sizes[k]));
            CHECK_FAILS_PARAM(readers[i].call(options), MMF_E_INVALID, "options");
        }
    }
}

TEST(options_reserved_field)
{
    mmf_map_options options = options_with(0, 0, 0);
    mmf_map_options open_options = open_options_with(MMF_RIGHTS_READ, 0);

    options.reserved = 1;
    CHECK_FAILS_PARAM(call_create_new(&options), MMF_E_INVALID, "options");
    CHECK_FAILS_PARAM(call_create_or_open(&options), MMF_E_INVALID, "options");
    CHECK_FAILS_PARAM(call_create_from_file(&options), MMF_E_INVALID, "options");
    CHECK_FAILS_PARAM(call_create_from_handle(&options), MMF_E_INVALID, "options");
    open_options.reserved = 1;
    CHECK_FAILS_PARAM(call_open_existing(&open_options), MMF_E_INVALID, "options");
}

TEST(options_unknown_view_flags)
{
    const mmf_view_flags known =
        MMF_VIEW_POPULATE | MMF_VIEW_LOCK | MMF_VIEW_HUGE_PAGES | MMF_VIEW_BEST_EFFORT;
    mmf_view_options options;
    int bit;

    for (bit = 0; bit < 32; bit++) {
        CHECK_CONTEXT("bit %d", bit);
        mmf_view_options_init(&options);
        options.flags = UINT32_C(1) << bit;
        if (options.flags & known)
            continue;
        CHECK_FAILS_PARAM(call_view_accessor(&options), MMF_E_INVALID, "options");
        CHECK_FAILS_PARAM(call_view_stream(&options), MMF_E_INVALID, "options");
        options.flags |= MMF_VIEW_BEST_EFFORT; /* no licence for nonsense */
        CHECK_FAILS_PARAM(call_view_accessor(&options), MMF_E_INVALID, "options");
    }
}

/*
 * Permission bits.
 */

/* The mode of the only named object there is, as mmf_list reports it. */
static uint32_t
mode_of_the_object(void)
{
    mmf_list *list = NULL;
    uint32_t mode;

    CHECK_OK(mmf_list_create(0, &list));
    CHECK_INT(mmf_list_count(list), 1);
    mode = mmf_list_get(list, 0)->mode;
    mmf_list_close(list);
    return mode;
}

TEST(options_mode_whatever_the_umask)
{
    static const uint32_t modes[] = {0600, 0640, 0644, 0660, 0666};
    mmf_map_options options = options_with(0, 0, 0);
    mode_t before;
    size_t i;
    mmf_map *map;

    need_modes();
    before = (mode_t)umask(0);
    for (i = 0; i < 2 * COUNT_OF(modes); i++) {
        umask((mode_t)(i % 2 ? 0777 : 0));
        options.mode = modes[i / 2];
        map = create_new("Global\\Cat", 4096, &options);
        CHECK_INT(mode_of_the_object(), modes[i / 2]);
        mmf_map_close(map);
    }
    umask(0);
    map = create_new("Global\\Cat", 4096, NULL);
    CHECK_INT(mode_of_the_object(), 0600);
    CHECK_INT(umask(before), 0); /* the library never touches it */
    mmf_map_close(map);
}

TEST(options_all_users_of_a_local_name)
{
    mmf_map_options options = options_with(0, 0, 0);

    options.all_users = 1;
    REFUSES_CREATE_NEW("Local\\Cat", 4096, &options, MMF_E_INVALID, "mapName");
    REFUSES_CREATE_OR_OPEN("Local\\Cat", 4096, &options, MMF_E_INVALID, "mapName");
    REFUSES_OPEN("Local\\Cat", &options, MMF_E_INVALID, "mapName");
}

TEST(options_mode_out_of_range)
{
    static const uint32_t modes[] = {01000, 04755, 0100644, UINT32_MAX};
    mmf_map_options options = options_with(0, 0, 0);
    size_t i;

    for (i = 0; i < COUNT_OF(modes); i++) {
        options.mode = modes[i];
        CHECK_FAILS_PARAM(call_create_new(&options), MMF_E_RANGE, "mode");
        CHECK_FAILS_PARAM(call_create_or_open(&options), MMF_E_RANGE, "mode");
        CHECK_STATUS(call_open_existing(&options), MMF_OK); /* it does not read it */
    }
}

/* It is the creator's: opening cannot change it. */
TEST(options_mode_of_an_opener_is_ignored)
{
    mmf_map_options options = options_with(0, 0, 0);
    mmf_map *first, *map;

    need_modes();
    options.mode = 0640;
    first = create_new("Global\\Cat", 4096, &options);
    options.mode = 0666;
    map = create_or_open("Global\\Cat", 4096, &options);
    CHECK_INT(mode_of_the_object(), 0640);
    mmf_map_close(map);
    mmf_map_close(first);
}

/*
 * Views beyond .NET.
 */

static mmf_view_options
with_flags(mmf_view_flags flags)
{
    mmf_view_options options;

    mmf_view_options_init(&options);
    options.flags = flags;
    return options;
}

/* How many of the view's pages are in memory. */
static size_t
resident_pages(mmf_accessor *view)
{
    void *bytes;
    size_t size;

    CHECK_OK(mmf_accessor_pointer(view, &bytes, &size));
    return pages_present(bytes, size);
}

TEST(view_populate_makes_pages_present)
{
    mmf_view_options options = with_flags(MMF_VIEW_POPULATE);
    mmf_accessor *view = NULL;
    mmf_stream *stream = NULL;
    mmf_map *map;

    map = create_new(NULL, 16 * page_size(), WITH(0, MMF_DELAY_ALLOCATE_PAGES, 0));
    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view));
    CHECK_INT(mmf_accessor_granted(view), MMF_VIEW_POPULATE);
    CHECK_INT(resident_pages(view), 16);
    validate_accessor(view, 16 * page_size(), MMF_ACCESS_READ_WRITE);
    mmf_accessor_close(view);
    CHECK_OK(mmf_stream_create(map, 0, 0, MMF_ACCESS_READ, &options, &stream));
    CHECK_INT(mmf_stream_granted(stream), MMF_VIEW_POPULATE);
    validate_stream(stream, 16 * page_size(), MMF_ACCESS_READ);
    mmf_stream_close(stream);
    mmf_map_close(map);
}

TEST(view_lock_keeps_pages)
{
    mmf_view_options options = with_flags(MMF_VIEW_LOCK);
    long before = locked_kilobytes();
    mmf_accessor *view = NULL;
    mmf_map *map;
    int rc;

    map = create_new(NULL, 4 * page_size(), NULL);
    rc = mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view);
    if (rc < 0) {
        mmf_map_close(map);
        harness_skip("this machine does not let memory be locked: %s",
                     mmf_last_message());
    }
    CHECK_INT(mmf_accessor_granted(view), MMF_VIEW_LOCK);
    if (!HARNESS_ASAN && !HARNESS_TSAN) { /* they make mlock do nothing */
        CHECK_INT(resident_pages(view), 4);
        CHECK(locked_kilobytes() - before >= 4 * page_size() / 1024);
    }
    mmf_accessor_close(view);
    CHECK_INT(locked_kilobytes(), before);
    mmf_map_close(map);
}

static void
lock_without_permission(void *payload)
{
    mmf_view_options options = with_flags(MMF_VIEW_LOCK);
    mmf_accessor *view = UNTOUCHED;
    mmf_map *map = create_new(NULL, 4096, NULL);

    (void)payload;
    forbid_locking();
    CHECK_FAILS(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view),
                MMF_E_NO_MEMORY);
    CHECK((void *)view == UNTOUCHED);
    options.flags |= MMF_VIEW_BEST_EFFORT;
    CHECK_STATUS(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view),
                 MMF_OK);
    CHECK_INT(mmf_accessor_granted(view), 0);
    validate_accessor(view, 4096, MMF_ACCESS_READ_WRITE);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

TEST(view_lock_beyond_the_limit)
{
    if (HARNESS_ASAN || HARNESS_TSAN)
        harness_skip("sanitizers make mlock do nothing");
    as_stranger(lock_without_permission, NULL);
}

/* The host has them or has them not: then it says so, or makes the view without. */
TEST(view_huge_pages_or_not_supported)
{
    mmf_view_options options = with_flags(MMF_VIEW_HUGE_PAGES);
    mmf_accessor *view = UNTOUCHED;
    int64_t size = INT64_C(4) << 20;
    mmf_view_flags granted;
    mmf_map *map;
    int rc;

    map = create_new("Cat", size, NULL);
    rc = mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view);
    if (rc < 0) {
        CHECK((void *)view == UNTOUCHED);
        CHECK_FAILS(
            mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view),
            MMF_E_NOT_SUPPORTED);
    } else {
        CHECK_INT(mmf_accessor_granted(view), MMF_VIEW_HUGE_PAGES);
        mmf_accessor_close(view);
    }
    options.flags |= MMF_VIEW_BEST_EFFORT;
    CHECK_STATUS(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view),
                 MMF_OK);
    granted = mmf_accessor_granted(view);
    CHECK_INT(granted, rc < 0 ? 0 : MMF_VIEW_HUGE_PAGES);
    validate_accessor(view, size, MMF_ACCESS_READ_WRITE);
    mmf_accessor_close(view);
    mmf_map_close(map);
}

/* Options do not go before the rules of 2.6. */
TEST(view_options_leave_the_rules)
{
    mmf_view_options options = with_flags(MMF_VIEW_POPULATE | MMF_VIEW_BEST_EFFORT);
    mmf_accessor *view = UNTOUCHED;
    mmf_map *map;

    map = create_new(NULL, 4096, WITH_ACCESS(MMF_ACCESS_READ));
    CHECK_FAILS_PARAM(mmf_accessor_create(map, -1, 0, MMF_ACCESS_READ, &options, &view),
                      MMF_E_RANGE, "offset");
    CHECK_FAILS(mmf_accessor_create(map, 0, 4097, MMF_ACCESS_READ, &options, &view),
                MMF_E_ACCESS);
    CHECK_FAILS(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, &options, &view),
                MMF_E_ACCESS);
    CHECK((void *)view == UNTOUCHED);
    CHECK_OK(mmf_accessor_create(map, 4096, 0, MMF_ACCESS_READ, &options, &view));
    CHECK_INT(mmf_accessor_capacity(view), 0);
    mmf_accessor_close(view);
    mmf_map_close(map);
}
