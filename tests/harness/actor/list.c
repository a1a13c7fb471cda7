/*
 * list.c - the actor's calls on the list of objects; what its process is.
 */
#include "harness/actor/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#endif

static const char *const flags[] = {"local",   "global",    "keep_orphaned",
                                    "holders", "all_users", NULL};

/* The words from `first` on. */
static mmf_list_flags
flags_of(const struct call *call, int first)
{
    mmf_list_flags all = 0;

    for (int i = first; i < call->count; i++)
        all |= *text_at(call, i) == '0'
                   ? (mmf_list_flags)strtoul(text_at(call, i), NULL, 0)
                   : 1u << choice_of(text_at(call, i), flags);
    return all;
}

/* gc, collect FLAG...; what it released, in megabytes */
static int
call_gc(struct call *call)
{
    mmf_gc_result result = {.removed = UNTOUCHED,
                            .refused = UNTOUCHED,
                            .in_use = UNTOUCHED,
                            .invalid = UNTOUCHED,
                            .bytes = UNTOUCHED};
    int status = mmf_gc(flags_of(call, 1), &result);

    say_output(call, "removed", result.removed);
    say_output(call, "refused", result.refused);
    say_output(call, "in_use", result.in_use);
    say_output(call, "invalid", result.invalid);
    say_output(call, "released",
               result.bytes == UNTOUCHED ? UNTOUCHED : result.bytes / 1000000);
    return status;
}

#ifdef __linux__
/* What is said of this process is right. */
static bool
is_me(const mmf_holder_info *process)
{
    char name[16] = "";

    prctl(PR_GET_NAME, name);
    return process->pid == getpid() && process->user == geteuid() &&
           strcmp(process->command, name) == 0 && !process->stopped;
}
#endif

static void
say_processes(struct call *call, const mmf_object_info *info)
{
    int readers = 0, stopped = 0, me = 0;
    long long reader = -1; /* a reading process's user */

    for (int32_t i = 0; i < info->process_count; i++) {
        const mmf_holder_info *process = &info->processes[i];

        readers += process->read_only;
        stopped += process->stopped;
        if (process->read_only)
            reader = process->user;
#ifdef __linux__
        me += is_me(process);
#endif
    }
    say_number(call, "processes", info->process_count);
    say_number(call, "readers", readers);
    say_number(call, "reader", reader);
    say_number(call, "stopped", stopped);
    say_number(call, "me", me);
}

static void
say_sync(struct call *call, const mmf_sync_info *sync)
{
    say_number(call, "signalled", sync->signalled);
    say_number(call, "count", sync->count);
    say_number(call, "maximum", sync->maximum);
    say_number(call, "manual", sync->manual_reset);
    say_number(call, "abandoned", sync->abandoned);
    say_number(call, "owned", sync->owned);
    say_text(call, "owned_by",
             sync->owner_pid == 0               ? "none"
             : sync->owner_pid == (int)getpid() ? "me"
                                                : "other");
    say_number(call, "waiters", sync->waiters);
    say_number(call, "corrupt", sync->corrupt);
}

static void
say_object(struct call *call, const mmf_object_info *info)
{
    static const char *const statuses[] = {"", "in_use", "orphaned", "invalid",
                                           "inaccessible"};
    static const char *const kinds[] = {"",      "map",       "mutex",
                                        "event", "semaphore", "queue",
                                        "topic", "latest",    "service"};
    char mode[16], path[1024];

    snprintf(mode, sizeof(mode), "%o", (unsigned)info->mode);
    say_text(call, "status", statuses[info->status]);
    say_text(call, "kind", info->kind < 9 ? kinds[info->kind] : "?");
    say_number(call, "holders", info->holders);
    say_number(call, "capacity", info->capacity);
    say_number(call, "protection", info->protection);
    say_text(call, "mode", mode);
    say_number(call, "owner", info->owner);
    say_text(call, "file", info->file);
    snprintf(path, sizeof(path), "%s", info->path);
    say_text(call, "path", path);
    say_text(call, "creator",
             info->creator_pid == 0               ? "unknown"
             : info->creator_pid == (int)getpid() ? "me"
                                                  : "other");
    say_processes(call, info);
    say_text(call, "state", info->sync == NULL ? "none" : "said");
    if (info->sync != NULL)
        say_sync(call, info->sync);
    if (info->channel != NULL)
        say_stats(call, info->channel);
}

/*
 * list NAME FLAG...: how many objects there are, and what is said of the one of that name
 * or, of several, of the last one.
 */
static int
call_list(struct call *call)
{
    const char *name = text_at(call, 1);
    mmf_list *list = NULL;
    const mmf_object_info *found = NULL;
    bool is_sorted = true;
    int counters = 0;
    int status = mmf_list_create(flags_of(call, 2), &list);

    if (status < 0)
        return status;
    say_number(call, "objects", mmf_list_count(list));
    for (int32_t i = 0; i < mmf_list_count(list); i++) {
        counters += mmf_list_get(list, i)->channel != NULL;
        if (name != NULL && strcmp(mmf_list_get(list, i)->name, name) == 0)
            found = mmf_list_get(list, i);
        if (i > 0 &&
            strcmp(mmf_list_get(list, i - 1)->name, mmf_list_get(list, i)->name) > 0)
            is_sorted = false;
    }
    say_number(call, "sorted", is_sorted);
    say_number(call, "counters", counters);
    say_number(call, "listed", found != NULL);
    if (found != NULL)
        say_object(call, found);
    mmf_list_close(list);
    return status;
}

/*
 * The process.
 */

/* user UID: from now on, without groups and capabilities */
static int
call_user(struct call *call)
{
#ifdef __linux__
    gid_t user = (gid_t)number_at(call, 1);

    if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
        setresuid(user, user, user) < 0)
        complain("cannot become user", call->words[1]);
    prctl(PR_SET_DUMPABLE, 1); /* else its /proc/self is root's */
    return MMF_OK;
#else
    complain("there are no users", call->words[0]);
#endif
}

static int
call_change_directory(struct call *call)
{
    if (chdir(text_at(call, 1)) < 0)
        complain("there is no directory", call->words[1]);
    return MMF_OK;
}

/* umask MODE: says what it was */
static int
call_umask(struct call *call)
{
#ifdef __linux__
    char mode[16];

    snprintf(mode, sizeof(mode), "%o",
             (unsigned)umask((mode_t)strtoul(text_at(call, 1), NULL, 8)));
    say_text(call, "value", mode);
    return MMF_OK;
#else
    complain("there is no umask", call->words[0]);
#endif
}

/* statx ERRNO: from now on the system answers it with that, as old ones and containers do */
static int
call_statx(struct call *call)
{
#ifdef __linux__
    /* As in <linux/filter.h> and <linux/seccomp.h>, which not every C library has. */
    enum { LOAD = 0x20, JUMP_EQUAL = 0x15, RETURN = 6, SET_SECCOMP = 22, FILTER = 2 };
    const uint32_t fails = 0x50000, is_allowed = 0x7fff0000;
    uint32_t error = (uint32_t)number_at(call, 1);
    struct {
        uint16_t code;
        uint8_t if_true, if_false;
        uint32_t value;
    } filter[] = {{LOAD, 0, 0, 0}, /* the call's number */
                  {JUMP_EQUAL, 0, 1, SYS_statx},
                  {RETURN, 0, 0, fails | error},
                  {RETURN, 0, 0, is_allowed}};
    struct {
        unsigned short length;
        void *filter;
    } program = {4, filter};

    if (error != 0 && sizeof(void *) == 4)
        return CANNOT; /* the C library of 32 bits needs it itself */
    if (error != 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                       prctl(SET_SECCOMP, FILTER, &program) < 0))
        return CANNOT; /* as in an emulator */
    return MMF_OK;
#else
    complain("there is no statx", call->words[0]);
#endif
}

const struct named_call list_calls[] = {
    CALL(gc),    ALIAS(collect, gc),     CALL(list),  CALL(user),
    CALL(umask), CALL(change_directory), CALL(statx), {NULL, NULL}};
