/*
 * status.c - the names and plain meanings of the status numbers, and the version.
 */
#include <stddef.h>

#include <mmf/list.h>
#include <mmf/status.h>
#include <mmf/version.h>

struct status_text {
    int status;
    const char *name;
    const char *text;
};

static const struct status_text texts[] = {
    {MMF_OK, "MMF_OK", "done"},
    {MMF_TIMED_OUT, "MMF_TIMED_OUT", "timed out"},
    {MMF_ABANDONED, "MMF_ABANDONED",
     "owned, but its last owner died without releasing"},
    {MMF_OVERWRITTEN, "MMF_OVERWRITTEN",
     "read, but it may have been overwritten meanwhile"},
    {MMF_E_INVALID, "MMF_E_INVALID", "an argument is invalid"},
    {MMF_E_NULL, "MMF_E_NULL", "an argument must not be NULL"},
    {MMF_E_RANGE, "MMF_E_RANGE", "an argument is out of range"},
    {MMF_E_ACCESS, "MMF_E_ACCESS", "access denied"},
    {MMF_E_EXISTS, "MMF_E_EXISTS", "it exists already"},
    {MMF_E_NOT_FOUND, "MMF_E_NOT_FOUND", "no such object or file"},
    {MMF_E_PATH_NOT_FOUND, "MMF_E_PATH_NOT_FOUND",
     "a directory of the path is missing"},
    {MMF_E_PATH_TOO_LONG, "MMF_E_PATH_TOO_LONG", "the name is too long"},
    {MMF_E_SHARING, "MMF_E_SHARING", "the file is in use"},
    {MMF_E_NO_SPACE, "MMF_E_NO_SPACE", "no space for the bytes"},
    {MMF_E_NO_MEMORY, "MMF_E_NO_MEMORY", "out of memory or address space"},
    {MMF_E_IO, "MMF_E_IO", "the system failed"},
    {MMF_E_DISPOSED, "MMF_E_DISPOSED", "the handle is closed or dead"},
    {MMF_E_NOT_SUPPORTED, "MMF_E_NOT_SUPPORTED", "not supported"},
    {MMF_E_PLATFORM, "MMF_E_PLATFORM", "not supported on this system"},
    {MMF_E_MISMATCH, "MMF_E_MISMATCH",
     "it exists, with other sizes or flags than asked for"},
    {MMF_E_WRONG_KIND, "MMF_E_WRONG_KIND",
     "the name belongs to another kind of object"},
    {MMF_E_NOT_OWNER, "MMF_E_NOT_OWNER", "the caller does not own the mutex"},
    {MMF_E_FULL, "MMF_E_FULL", "the queue or topic is full"},
    {MMF_E_RECURSION, "MMF_E_RECURSION", "the mutex was taken too often"},
    {MMF_E_STATE, "MMF_E_STATE", "not possible in this state"},
    {MMF_E_BUSY, "MMF_E_BUSY", "blocked by a stopped process; try again"},
    {MMF_E_LAYOUT, "MMF_E_LAYOUT", "made by another version of mmf"},
    {MMF_E_CORRUPT, "MMF_E_CORRUPT", "not a valid mmf object"},
    {MMF_E_PEER_CLOSED, "MMF_E_PEER_CLOSED",
     "the last peer has closed the channel or died"},
    {MMF_E_MAXIMUM, "MMF_E_MAXIMUM", "the semaphore's count would pass its maximum"},
    {MMF_E_TOO_MANY, "MMF_E_TOO_MANY",
     "the channel has as many senders or receivers as it allows"},
};

static const struct status_text *
find_text(int status)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].status == status)
            return &texts[i];
    }
    return NULL;
}

const char *
mmf_status_name(int status)
{
    const struct status_text *found = find_text(status);

    return found != NULL ? found->name : "MMF_E_?";
}

const char *
mmf_strerror(int status)
{
    const struct status_text *found = find_text(status);

    return found != NULL ? found->text : "unknown status";
}

int
mmf_status_is_io_error(int status)
{
    switch (status) {
    case MMF_E_EXISTS:
    case MMF_E_SHARING:
    case MMF_E_NO_SPACE:
    case MMF_E_NO_MEMORY:
    case MMF_E_IO:
    case MMF_E_BUSY:
        return 1;
    default:
        return 0;
    }
}

const char *
mmf_kind_name(mmf_kind kind)
{
    static const char *const names[] = {"unknown", "map",       "mutex",
                                        "event",   "semaphore", "queue",
                                        "topic",   "latest",    "service"};

    if ((size_t)kind >= sizeof(names) / sizeof(names[0]))
        return names[0];
    return names[kind];
}

const char *
mmf_version(void)
{
    return MMF_VERSION_STRING;
}
