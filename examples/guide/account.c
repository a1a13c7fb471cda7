/*
 * account.c - a struct that a mutex guards, repaired after its owner's death.
 *
 *     account          move 10 at each Enter
 *     account crash    die in the middle of it
 */
#include "guide.h"

#include <stdint.h>

enum { TOTAL = 100 };

struct account {
    int64_t cash;
    int64_t savings; /* cash + savings is TOTAL, except while the mutex is owned */
};

static bool crash;

static void
save(mmf_mutex *mutex, struct account *account, int64_t amount)
{
    int rc = mmf_mutex_wait(mutex, MMF_INFINITE);

    check(rc);
    if (rc == MMF_ABANDONED) { /* ours, but its last owner died in the middle */
        say("repaired");
        account->savings = TOTAL - account->cash;
    }
    account->cash -= amount;
    if (crash)
        abort();
    account->savings += amount;
    check(mmf_mutex_release(mutex));
}

/* Create it with its first value, or open it: under the mutex, so that no other process
 * sees it half made. */
static struct account *
open_account(mmf_mutex *mutex, mmf_map **map)
{
    struct account *account;
    void *bytes;
    size_t size;
    int created;
    int rc = mmf_mutex_wait(mutex, MMF_INFINITE);

    check(rc);
    check(mmf_map_create_or_open("Account", sizeof(*account), NULL, &created, map));
    check(mmf_map_bytes(*map, MMF_ACCESS_READ_WRITE, &bytes, &size));
    account = bytes;
    if (created)
        account->cash = TOTAL;
    if (created || rc == MMF_ABANDONED)
        account->savings = TOTAL - account->cash;
    check(mmf_mutex_release(mutex));
    return account;
}

int
main(int argc, char **argv)
{
    mmf_mutex *mutex;
    mmf_map *map;
    struct account *account;

    crash = argc > 1 && strcmp(argv[1], "crash") == 0;
    check(mmf_mutex_create_or_open("Account lock", 0, NULL, NULL, &mutex));
    account = open_account(mutex, &map);
    say("cash %d, savings %d", (int)account->cash, (int)account->savings);
    while (crash || wait_for_enter()) {
        save(mutex, account, 10);
        say("cash %d, savings %d", (int)account->cash, (int)account->savings);
    }
    mmf_map_close(map);
    mmf_mutex_close(mutex);
    return 0;
}
