/*
 * layout_test.c - the bytes of a service that docs/internals/layout.md has. Nothing here uses
 * the library's own structures or constants.
 */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t
number_at(int fd, off_t at, size_t size)
{
    uint64_t number = 0;

    CHECK(pread(fd, &number, size, at) == (ssize_t)size);
    return number;
}

TEST(the_bytes_are_as_documented)
{
    enum { SLOTS_AT = 4096, PARTS_AT = SLOTS_AT + 4 * 64, PART = 256 + 256 + 6 * 64 };
    const uint64_t one = 1;
    mmf_service *service = new_service(MMF_ROLE_BOTH, 8);
    off_t page, capacity, lane, slot;
    mmf_message request;
    char path[512];
    uint64_t call;
    int fd;

    if (*(const uint8_t *)&one != 1)
        harness_skip("the numbers are a little-endian machine's");
    call = begin_call(service, 5);
    request = take_request(service, 5);
    answer(service, &request, 6, MMF_ANSWER_MORE);
    answer(service, &request, 7, MMF_ANSWER_LAST);
    snprintf(path, sizeof(path), "%s/mmf-%u/S", harness_dir(), (unsigned)geteuid());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    page = lseek(fd, 0, SEEK_END) - 4096;
    CHECK_INT(number_at(fd, page + 12, 4), 8);      /* kind */
    CHECK_INT(number_at(fd, page + 192 + 0, 4), 4); /* the shape's kind */
    CHECK_INT(number_at(fd, page + 192 + 4, 4), 1); /* overflow */
    CHECK_INT(number_at(fd, page + 192 + 8, 4), 2); /* clients */
    CHECK_INT(number_at(fd, page + 192 + 12, 4), 2);
    CHECK_INT(number_at(fd, page + 192 + 16, 8), 4); /* requests */
    CHECK_INT(number_at(fd, page + 192 + 24, 8), 8);
    CHECK_INT(number_at(fd, page + 192 + 56, 8), 8); /* answer_size */
    CHECK_INT(number_at(fd, page + 192 + 64, 4), 3); /* calls */
    CHECK_INT(number_at(fd, page + 192 + 68, 4), 2); /* answers */
    capacity = (off_t)number_at(fd, page + 24, 8);
    CHECK_INT(capacity, PARTS_AT + 2 * PART);
    /* The request: index 1, released by now; its first answer is two laps on. */
    slot = SLOTS_AT + 64;
    CHECK_INT(call, 1);
    CHECK_INT(number_at(fd, slot, 8), 5);
    CHECK_INT(number_at(fd, slot + 32, 4), 0); /* lane */
    CHECK_INT(number_at(fd, slot + 40, 8), 4); /* first */
    CHECK_INT(number_at(fd, slot + 56, 8) >> 16, 1);
    CHECK_INT(number_at(fd, slot + 56, 8) & 7, 0);
    lane = PARTS_AT + 256;
    CHECK(number_at(fd, lane, 8) == (call | (uint64_t)1 << 63));
    CHECK_INT(number_at(fd, lane + 8, 8), 4); /* head */
    for (int i = 0; i < 2; i++) {
        slot = PARTS_AT + 512 + i * 64;
        CHECK_INT(number_at(fd, slot, 8), 6 + i);
        CHECK_INT(number_at(fd, slot + 32, 8), call);
        CHECK_INT(number_at(fd, slot + 40, 4), 1); /* deliveries */
        CHECK_INT(number_at(fd, slot + 44, 4), i); /* the last */
        CHECK_INT(number_at(fd, slot + 48, 4), 8);
        CHECK_INT(number_at(fd, slot + 52, 4), 0);
        CHECK_INT(number_at(fd, slot + 56, 8), (4 + i) << 16 | 2);
    }
    receive_number(service, call, 6);
    CHECK_INT(number_at(fd, lane + 8, 8), 5);
    receive_number(service, call, 7);
    CHECK_INT(number_at(fd, lane, 8), call);
    close(fd);
    mmf_service_close(service);
}
