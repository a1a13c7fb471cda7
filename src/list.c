/*
 * list.c - a snapshot of the namespace, and collecting orphaned objects on request.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <mmf/channel.h>
#include <mmf/list.h>
#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "channel/channel.h"
#include "os/os.h"

struct mmf_list {
    mmf_object_info *objects; /* their strings are owned */
    int32_t count;
    int32_t capacity;
};

static int
fail_memory(void)
{
    return mmf_fail(MMF_E_NO_MEMORY, "no memory for a list of objects");
}

static void
free_processes(const mmf_holder_info *processes, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        free((void *)processes[i].command);
    free((void *)processes);
}

static void
free_info(const mmf_object_info *info)
{
    free((void *)info->name);
    free((void *)info->path);
    free((void *)info->creator_command);
    free((void *)info->file);
    free((void *)info->sync);
    free((void *)info->channel);
    free_processes(info->processes, info->process_count);
}

/* NULL for NULL, and if `*rc` is a failure or becomes one: there is no memory. */
static void *
copy(const void *from, size_t size, int *rc)
{
    void *to = NULL;

    if (from == NULL || *rc < 0)
        return NULL;
    to = malloc(size);
    if (to == NULL)
        *rc = fail_memory();
    else
        memcpy(to, from, size);
    return to;
}

static char *
copy_text(const char *text, int *rc)
{
    MMF_ASSERT(text != NULL);
    return copy(text, strlen(text) + 1, rc);
}

static void
copy_processes(const mmf_object_info *from, mmf_object_info *to, int *rc)
{
    size_t size = (size_t)from->process_count * sizeof(*from->processes);
    mmf_holder_info *processes = copy(size > 0 ? from->processes : NULL, size, rc);

    to->processes = processes;
    to->process_count = processes != NULL ? from->process_count : 0;
    for (int32_t i = 0; i < to->process_count; i++)
        processes[i].command = copy_text(processes[i].command, rc);
}

static int
copy_info(const mmf_object_info *from, mmf_object_info *to)
{
    int rc = MMF_OK;

    MMF_ASSERT(from->channel == NULL);
    *to = *from;
    to->name = copy_text(from->name, &rc);
    to->path = copy_text(from->path, &rc);
    to->creator_command = copy_text(from->creator_command, &rc);
    to->file = copy_text(from->file, &rc);
    to->sync = copy(from->sync, sizeof(*from->sync), &rc);
    copy_processes(from, to, &rc);
    if (rc < 0)
        free_info(to);
    return rc;
}

static int
make_space(mmf_list *list)
{
    int32_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
    mmf_object_info *larger;

    MMF_ASSERT(list->count <= list->capacity);
    if (list->count < list->capacity)
        return MMF_OK;
    larger = realloc(list->objects, (size_t)capacity * sizeof(*larger));
    if (larger == NULL)
        return fail_memory();
    list->objects = larger;
    list->capacity = capacity;
    return MMF_OK;
}

static int
append(void *payload, const mmf_object_info *info)
{
    mmf_list *list = payload;
    int rc = make_space(list);

    MMF_ASSERT(rc < 0 || list->count < list->capacity);
    if (rc == MMF_OK)
        rc = copy_info(info, &list->objects[list->count]);
    if (rc == MMF_OK)
        list->count++;
    return rc;
}

/* A process that lists has not chosen to read what other users made, unless it says so. */
static bool
has_counters(const mmf_object_info *info, mmf_list_flags flags)
{
    return info->status == MMF_OBJECT_IN_USE && info->kind >= MMF_KIND_QUEUE &&
           info->kind <= MMF_KIND_SERVICE &&
           ((flags & MMF_LIST_ALL_USERS) || mmf_os_is_own(info));
}

/* A channel that we may not read, or that is gone by now, has no counters. */
static int
add_counters(mmf_object_info *info)
{
    mmf_channel_stats stats;
    mmf_error before;
    int rc = MMF_OK;

    mmf_last_error(&before);
    if (mmf_channel_stat_listed(info, &stats) == MMF_OK)
        info->channel = copy(&stats, sizeof(stats), &rc);
    else
        mmf_fail_restore(&before);
    return rc;
}

/* After the visit, which keeps a file of the namespace open. */
static int
add_all_counters(mmf_list *list, mmf_list_flags flags)
{
    int rc = MMF_OK;

    for (int32_t i = 0; i < list->count && rc == MMF_OK; i++)
        if (has_counters(&list->objects[i], flags))
            rc = add_counters(&list->objects[i]);
    return rc;
}

static int
compare_names(const void *one, const void *other)
{
    const mmf_object_info *a = one;
    const mmf_object_info *b = other;
    int order = strcmp(a->name, b->name);

    return order != 0 ? order : (a->owner > b->owner) - (a->owner < b->owner);
}

static int
check_flags(mmf_list_flags flags)
{
    if (flags &
        ~(mmf_list_flags)(MMF_LIST_LOCAL | MMF_LIST_GLOBAL | MMF_LIST_KEEP_ORPHANED |
                          MMF_LIST_HOLDERS | MMF_LIST_ALL_USERS))
        return mmf_fail_argument(MMF_E_INVALID, "flags", "unknown list flags 0x%x",
                                 flags);
    return MMF_OK;
}

int
mmf_list_create(mmf_list_flags flags, mmf_list **out)
{
    mmf_list *list;
    int rc;

    mmf_os_cancellation_point();
    if (out == NULL)
        return mmf_fail_null("out");
    rc = check_flags(flags);
    if (rc < 0)
        return rc;
    list = calloc(1, sizeof(*list));
    if (list == NULL)
        return fail_memory();
    rc = mmf_os_names_visit(flags, append, list);
    if (rc == MMF_OK)
        rc = add_all_counters(list, flags);
    if (rc < 0) {
        mmf_list_close(list);
        return rc;
    }
    if (list->count > 0)
        qsort(list->objects, (size_t)list->count, sizeof(*list->objects),
              compare_names);
    *out = list;
    return MMF_OK;
}

int32_t
mmf_list_count(const mmf_list *list)
{
    return list != NULL ? list->count : 0;
}

const mmf_object_info *
mmf_list_get(const mmf_list *list, int32_t index)
{
    if (list == NULL || index < 0 || index >= list->count)
        return NULL;
    return &list->objects[index];
}

void
mmf_list_close(mmf_list *list)
{
    if (list == NULL)
        return;
    for (int32_t i = 0; i < list->count; i++)
        free_info(&list->objects[i]);
    free(list->objects);
    free(list);
}

int
mmf_gc(mmf_list_flags flags, mmf_gc_result *result)
{
    mmf_gc_result done = {0};
    int rc = check_flags(flags);

    mmf_os_cancellation_point();
    if (rc == MMF_OK)
        rc = mmf_os_names_collect(flags, &done);
    if (rc == MMF_OK && result != NULL)
        *result = done;
    return rc;
}
