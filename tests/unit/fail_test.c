/*
 * fail_test.c - the record of this thread's last failure.
 */
#include "harness/check.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/fail.h"

static void
check_record(int status, int system_error, const char *parameter, const char *message)
{
    mmf_error error;

    memset(&error, 0xAA, sizeof(error));
    mmf_last_error(&error);
    CHECK_INT(error.status, status);
    CHECK_INT(error.system_error, system_error);
    CHECK_TEXT(error.parameter, parameter);
    CHECK_TEXT(error.message, message);
    CHECK_TEXT(mmf_last_message(), message);
}

TEST(each_kind_of_failure_is_written_down)
{
    CHECK_INT(mmf_fail(MMF_E_EXISTS, "map \"%s\": name taken", "Cat"), MMF_E_EXISTS);
    check_record(MMF_E_EXISTS, 0, "", "map \"Cat\": name taken");
    CHECK_INT(mmf_fail_argument(MMF_E_RANGE, "capacity", "capacity is %d", -1),
              MMF_E_RANGE);
    check_record(MMF_E_RANGE, 0, "capacity", "capacity is -1");
    CHECK_INT(mmf_fail_system(MMF_E_ACCESS, EACCES, "open \"%s\"", "Cat"),
              MMF_E_ACCESS);
    check_record(MMF_E_ACCESS, EACCES, "",
                 "open \"Cat\": Permission denied (error 13)");
}

/* Nothing of an earlier failure shows through. */
TEST(a_failure_replaces_the_one_before)
{
    mmf_fail_argument(MMF_E_RANGE, "capacity", "a long message, longer than the next");
    mmf_fail_system(MMF_E_IO, EIO, "sync");
    mmf_fail(MMF_E_BUSY, "busy");
    check_record(MMF_E_BUSY, 0, "", "busy");
}

TEST(long_texts_are_cut)
{
    char text[3000], message[1024], parameter[40];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(message, text, sizeof(message));
    message[sizeof(message) - 1] = '\0';
    memcpy(parameter, text, sizeof(parameter));
    parameter[sizeof(parameter) - 1] = '\0';

    mmf_fail(MMF_E_IO, "%s", text);
    check_record(MMF_E_IO, 0, "", message);
    mmf_fail_argument(MMF_E_IO, text, "%s", text);
    check_record(MMF_E_IO, 0, parameter, message);
    mmf_fail_system(MMF_E_IO, EIO, "%s", text);
    check_record(MMF_E_IO, EIO, "", message);
}

TEST(an_unknown_system_error_has_its_number)
{
    mmf_fail_system(MMF_E_IO, 9999, "odd");
    CHECK(strstr(mmf_last_message(), "(error 9999)") != NULL);
}

TEST(asking_nowhere_does_nothing)
{
    mmf_fail(MMF_E_IO, "kept");
    mmf_last_error(NULL);
    check_record(MMF_E_IO, 0, "", "kept");
}

static void *
fail_in_a_thread(void *unused)
{
    (void)unused;
    check_record(0, 0, "", "");
    mmf_fail(MMF_E_STATE, "the thread's");
    check_record(MMF_E_STATE, 0, "", "the thread's");
    return NULL;
}

TEST(every_thread_has_its_own)
{
    pthread_t thread;

    mmf_fail(MMF_E_FULL, "the first one's");
    assert_int_equal(pthread_create(&thread, NULL, fail_in_a_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    check_record(MMF_E_FULL, 0, "", "the first one's");
}
