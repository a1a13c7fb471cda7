/* usage.c - what each user has in the directory of the names; see os.h. */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/say.h"
#include "linux/directory.h"
#include "os/os.h"

enum { DESCRIPTORS = 16 };

static struct os_usage *users; /* nftw takes no context */
static size_t count;
static size_t root_length;

static struct os_usage *
find(unsigned user)
{
    struct os_usage *longer;

    for (size_t i = 0; i < count; i++)
        if (users[i].user == user)
            return &users[i];
    longer = realloc(users, (count + 1) * sizeof(*users));
    if (longer == NULL)
        say_no_memory();
    users = longer;
    users[count] = (struct os_usage){.user = user};
    return &users[count++];
}

/* Ours are "mmf.NAME" in the root, and all in the directories "mmf-USER". */
static int
is_ours(const char *path, int level)
{
    const char *first = path + root_length + 1;

    return strncmp(first, level == 1 ? "mmf." : "mmf-", 4) == 0;
}

static int
add_file(const char *path, const struct stat *status, int type, struct FTW *place)
{
    struct os_usage *usage;

    if ((type != FTW_F && type != FTW_SL) || place->level == 0)
        return 0;
    usage = find(status->st_uid);
    if (is_ours(path, place->level)) {
        usage->objects++;
        usage->bytes += (int64_t)status->st_blocks * 512;
    } else {
        usage->other_bytes += (int64_t)status->st_blocks * 512;
    }
    return 0;
}

static int
compare(const void *one, const void *other)
{
    const struct os_usage *a = one;
    const struct os_usage *b = other;
    int64_t first = a->bytes + a->other_bytes;
    int64_t second = b->bytes + b->other_bytes;

    return (first < second) - (first > second);
}

void
os_visit_usage(void (*visit)(void *payload, const struct os_usage *usage),
               void *payload)
{
    root_length = strlen(directory_root());
    nftw(directory_root(), add_file, DESCRIPTORS, FTW_PHYS | FTW_MOUNT);
    if (count > 0)
        qsort(users, count, sizeof(*users), compare);
    for (size_t i = 0; i < count; i++)
        visit(payload, &users[i]);
    free(users);
    users = NULL;
    count = 0;
}

int
os_room(int64_t *left, int64_t *total)
{
    struct statfs status;

    if (statfs(directory_root(), &status) < 0 || status.f_blocks == 0)
        return 0;
    *left = (int64_t)status.f_bavail * (int64_t)status.f_bsize;
    *total = (int64_t)status.f_blocks * (int64_t)status.f_bsize;
    return 1;
}
