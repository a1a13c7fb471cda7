/*
 * golden_test.c - an object of layout 2, written down byte by byte, is read by today's
 * library: the page, its place and the lock ranges never change.
 *
 * Nothing here uses the library's own structures or constants: they are what is tested.
 */
#include "harness/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mmf/mmf.h>

enum { CAPACITY = 10000, PAGE_AT = 65536, PAGE_SIZE = 4096 };

/* What a map "Cat" of 10,000 bytes has in its page: offset, bytes. The rest is 0. */
static const struct golden_bytes {
    int offset;
    int count;
    const char *bytes;
} golden[] = {
    {0, 8, "mmf\x1a\r\n\xff\x01"},
    {8, 4, "\x02\x00\x00\x00"},                  /* layout 2 */
    {12, 4, "\x01\x00\x00\x00"},                 /* a map */
    {24, 8, "\x10\x27\x00\x00\x00\x00\x00\x00"}, /* 10,000 bytes */
    {76, 4, "\x03\x00\x00\x00"},                 /* the name's length */
    {80, 8, "\x01\x00\x00\x00\x00\x00\x00\x00"}, /* the next ticket */
    {576, 3, "Cat"},
};

/* When, by whom, by which program: the creator's own. */
static const struct golden_bytes free_fields[] = {{40, 8, ""}, {48, 24, ""}};

static int
is_little_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;

    memcpy(&first, &one, 1);
    return first == 1;
}

static void
fill_golden(unsigned char page[PAGE_SIZE])
{
    memset(page, 0, PAGE_SIZE);
    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++)
        memcpy(page + golden[i].offset, golden[i].bytes, (size_t)golden[i].count);
}

static void
path_of_cat(char path[512])
{
    snprintf(path, 512, "%s/mmf-%u", getenv("MMF_DIR"), (unsigned)geteuid());
    if (mkdir(path, 0700) < 0)
        CHECK(access(path, F_OK) == 0);
    strcat(path, "/Cat");
}

/* A write lock on one byte of the range 2^61 to 2^61 + 2^60 - 1: "holds". */
static void
lock_byte(int fd, short type)
{
    struct flock lock = {.l_type = type,
                         .l_whence = SEEK_SET,
                         .l_start = (off_t)0x2000000000000007,
                         .l_len = 1};

    CHECK(fcntl(fd, F_OFD_SETLK, &lock) == 0);
}

TEST(layout_2_is_read)
{
    unsigned char page[PAGE_SIZE];
    char path[512];
    mmf_map *map;
    mmf_accessor *view;
    int64_t capacity;
    size_t count;
    char text[16] = "";
    int fd;

    if (!is_little_endian())
        harness_skip("the golden page is of a little-endian machine");
    path_of_cat(path);
    fill_golden(page);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(pwrite(fd, "HI Night Mo.", 12, 0) == 12);
    CHECK(pwrite(fd, page, PAGE_SIZE, PAGE_AT) == PAGE_SIZE);
    lock_byte(fd, F_WRLCK);

    CHECK_OK(mmf_map_open_existing("Cat", NULL, &map));
    CHECK_OK(mmf_map_capacity(map, &capacity));
    CHECK(capacity == CAPACITY);
    CHECK_OK(mmf_accessor_create(map, 0, 0, MMF_ACCESS_READ_WRITE, NULL, &view));
    CHECK_OK(mmf_accessor_read_array(view, 0, text, 1, 12, &count));
    CHECK_TEXT(text, "HI Night Mo.");
    mmf_accessor_close(view);
    mmf_map_close(map);
    CHECK(access(path, F_OK) == 0); /* a process holds the byte */

    lock_byte(fd, F_UNLCK);
    CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_NOT_FOUND);
    CHECK(access(path, F_OK) != 0);
    close(fd);
}

/* Layout 1 was that of 0.1. Its objects are neither read nor removed. */
TEST(another_layout_is_refused)
{
    static const char *const layouts[] = {"\x01\x00\x00\x00", "\x03\x00\x00\x00"};
    unsigned char page[PAGE_SIZE];
    char path[512];
    mmf_map *map = NULL;
    int fd;

    if (!is_little_endian())
        harness_skip("the golden page is of a little-endian machine");
    path_of_cat(path);
    fill_golden(page);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        memcpy(page + 8, layouts[i], 4);
        CHECK(pwrite(fd, page, PAGE_SIZE, PAGE_AT) == PAGE_SIZE);
        lock_byte(fd, F_WRLCK);
        CHECK_FAILS(mmf_map_open_existing("Cat", NULL, &map), MMF_E_LAYOUT);
        CHECK_FAILS(mmf_map_create_new("Cat", CAPACITY, NULL, &map), MMF_E_LAYOUT);
        CHECK(map == NULL);
        CHECK(access(path, F_OK) == 0);
        lock_byte(fd, F_UNLCK);
    }
    close(fd);
    CHECK(unlink(path) == 0);
}

TEST(layout_2_is_written)
{
    unsigned char expected[PAGE_SIZE];
    unsigned char page[PAGE_SIZE];
    char path[512];
    struct stat status;
    mmf_map *map;
    int fd;

    if (!is_little_endian())
        harness_skip("the golden page is of a little-endian machine");
    path_of_cat(path);
    CHECK_OK(mmf_map_create_new("Cat", CAPACITY, NULL, &map));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(fstat(fd, &status) == 0 && status.st_size == PAGE_AT + PAGE_SIZE);
    CHECK(pread(fd, page, PAGE_SIZE, PAGE_AT) == PAGE_SIZE);
    fill_golden(expected);
    for (size_t i = 0; i < sizeof(free_fields) / sizeof(free_fields[0]); i++)
        memset(page + free_fields[i].offset, 0, (size_t)free_fields[i].count);
    CHECK(memcmp(page, expected, PAGE_SIZE) == 0);
    close(fd);
    mmf_map_close(map);
}
