/* objects.c - see objects.h. */
#include "object/objects.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/say.h"
#include "base/table.h"
#include "base/text.h"
#include "object/kinds.h"
#include "os/os.h"

const struct objects_choice objects_of_all = {.all_users = 1};
const struct objects_choice objects_own = {.all_users = 0};

struct objects_choice
objects_choose(const struct args *args)
{
    const char *user = args_value(args, "user");
    struct objects_choice choice = {.all_users = args_value(args, "all-users") != NULL,
                                    .one_user = user != NULL};

    if (user != NULL && choice.all_users)
        say_usage("--user and --all-users contradict each other");
    if (user != NULL && !os_keeps_records)
        say_usage("--user: Windows does not record which user made an object");
    if (user != NULL && !os_find_user(user, &choice.user))
        say_usage("unknown user \"%s\": use a name or a number", user);
    return choice;
}

static int
is_chosen(struct objects_choice choice, const mmf_object_info *info)
{
    return !choice.one_user || info->owner == choice.user;
}

int
objects_try(struct objects *objects, struct objects_choice choice, mmf_list_flags flags)
{
    int rc;

    memset(objects, 0, sizeof(*objects));
    if (choice.all_users || choice.one_user)
        flags |= MMF_LIST_ALL_USERS;
    rc = mmf_list_create(flags, &objects->list);
    if (rc < 0)
        return rc;
    objects->at =
        calloc((size_t)mmf_list_count(objects->list) + 1, sizeof(*objects->at));
    if (objects->at == NULL)
        say_no_memory();
    for (int32_t i = 0; i < mmf_list_count(objects->list); i++) {
        const mmf_object_info *info = mmf_list_get(objects->list, i);

        if (is_chosen(choice, info))
            objects->at[objects->count++] = (struct object){.info = info, .rate = -1};
    }
    return MMF_OK;
}

void
objects_read(struct objects *objects, struct objects_choice choice,
             mmf_list_flags flags)
{
    int hidden = choice.all_users ? os_hidden_users() : 0;

    say_check(objects_try(objects, choice, flags));
    if (hidden > 0)
        say("names of %d other users are not shown: only root may read them", hidden);
}

void
objects_close(struct objects *objects)
{
    free(objects->at);
    mmf_list_close(objects->list);
}

/*
 * The file name of a short name, as docs/internals/layout.md has it: what cannot be read is listed
 * under its file name. 0: the name is too long for that.
 */
static int
make_file_name(const char *name, char file_name[256])
{
    const char *rest = name;
    int length = 0;

    if (strncmp(name, "Global\\", 7) == 0) {
        rest += 7;
        length = sprintf(file_name, "mmf.");
    }
    for (; *rest != '\0'; rest++) {
        unsigned char byte = (unsigned char)*rest;

        if (length > 200)
            return 0;
        length += sprintf(file_name + length,
                          isalnum(byte) || byte >= 0x80 || byte == '-' || byte == '_'
                              ? "%c"
                              : "%%%02X",
                          byte);
    }
    return 1;
}

int
objects_is(const mmf_object_info *info, const char *name)
{
    char file_name[256] = "";

    if (strcmp(info->name, name) == 0)
        return 1;
    return (info->status == MMF_OBJECT_INVALID ||
            info->status == MMF_OBJECT_INACCESSIBLE) &&
           make_file_name(name, file_name) && strcmp(info->name, file_name) == 0;
}

const mmf_object_info *
objects_find(const struct objects *objects, const char *name)
{
    const mmf_object_info *found = NULL;

    for (int32_t i = 0; i < objects->count; i++) {
        const mmf_object_info *info = objects->at[i].info;

        if (objects_is(info, name) && (found == NULL || info->owner == os_user()))
            found = info;
    }
    return found;
}

const char *
objects_status(mmf_object_status status)
{
    switch (status) {
    case MMF_OBJECT_IN_USE:
        return "in use";
    case MMF_OBJECT_ORPHANED:
        return "orphaned";
    case MMF_OBJECT_INVALID:
        return "invalid";
    case MMF_OBJECT_INACCESSIBLE:
        return "inaccessible";
    default:
        return "?";
    }
}

const char *
objects_mode(uint32_t mode, char text[16])
{
    static const char letters[] = "rwxrwxrwx";

    for (int i = 0; i < 9; i++)
        text[i] = '-';
    for (int i = 0; i < 9; i++)
        if (mode & (0400u >> i))
            text[i] = letters[i];
    text[9] = '\0';
    return text;
}

int64_t
objects_age(const mmf_object_info *info)
{
    return os_time_ns() - info->created;
}

static void
append(char **text, const char *separator, char *more)
{
    char *longer = text_format("%s%s%s", *text, **text != '\0' ? separator : "", more);

    free(*text);
    free(more);
    *text = longer;
}

char *
objects_holders(const mmf_object_info *info, const char *separator, int users)
{
    char *text = text_format("%s", "");
    int hidden = info->holders - info->process_count;

    for (int32_t i = 0; i < info->process_count; i++) {
        const mmf_holder_info *process = &info->processes[i];
        char *command = text_escape_string(process->command);

        append(&text, separator,
               text_format("%d %s%s%s%s%s", process->pid,
                           users || process->user != info->owner
                               ? text_user(process->user)
                               : "",
                           users || process->user != info->owner ? " " : "", command,
                           process->read_only ? " (reads)" : "",
                           process->stopped ? " (stopped)" : ""));
        free(command);
    }
    if (hidden > 0)
        append(&text, separator, os_hidden_holders(hidden, info->process_count > 0));
    return text;
}

static json_t *
holders_json(const mmf_object_info *info)
{
    json_t *array = table_json(json_array());

    for (int32_t i = 0; i < info->process_count; i++) {
        const mmf_holder_info *process = &info->processes[i];
        json_t *holder = table_json(json_object());

        table_json_set(holder, "pid", json_integer(process->pid));
        table_json_set(holder, "user", table_json_text(text_user(process->user)));
        table_json_set(holder, "uid", json_integer(process->user));
        table_json_set(holder, "command", table_json_text(process->command));
        table_json_set(holder, "read_only", json_boolean(process->read_only));
        table_json_set(holder, "stopped", json_boolean(process->stopped));
        table_json_append(array, holder);
    }
    return array;
}

/* "2026-11-27T03:00:57.123Z" */
static json_t *
created_json(const mmf_object_info *info)
{
    char day[32];
    char text[48];
    struct tm utc;

    if (info->created == 0 || !os_utc_time(info->created / 1000000000, &utc) ||
        strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        return json_null();
    snprintf(text, sizeof(text), "%s.%03dZ", day,
             (int)(info->created % 1000000000 / 1000000));
    return json_string(text);
}

/* null where the system does not record it. */
static void
put_kept(json_t *object, const char *key, json_t *value)
{
    if (!os_keeps_records) {
        json_decref(value);
        value = json_null();
    }
    table_json_set(object, key, value);
}

/* When and by whom it was created; an object may know it where the system does not. */
static void
add_origin(const mmf_object_info *info, json_t *object)
{
    int is_known = info->created != 0 || os_keeps_records;

    table_json_set(object, "created", created_json(info));
    table_json_set(
        object, "age_ms",
        is_known ? json_integer(info->created == 0 ? 0 : objects_age(info) / 1000000)
                 : json_null());
}

/* A process may have closed it between its lock's count and the look at its descriptors. */
static int32_t
holder_count(const mmf_object_info *info)
{
    return info->holders > info->process_count ? info->holders : info->process_count;
}

json_t *
objects_json(const mmf_object_info *info)
{
    json_t *object = table_json(json_object());
    char mode[8];

    snprintf(mode, sizeof(mode), "%04o", info->mode & 07777u);
    table_json_set(object, "name", table_json_text(info->name));
    table_json_set(object, "kind", json_string(mmf_kind_name(info->kind)));
    table_json_set(object, "status", json_string(objects_status(info->status)));
    table_json_set(object, "size", json_integer(info->capacity));
    put_kept(object, "resident", json_integer(info->resident));
    add_origin(info, object);
    put_kept(object, "mode", json_string(mode));
    put_kept(object, "owner", table_json_text(text_user(info->owner)));
    put_kept(object, "owner_uid", json_integer(info->owner));
    table_json_set(object, "creator_pid",
                   info->creator_pid != 0 || os_keeps_records
                       ? json_integer(info->creator_pid)
                       : json_null());
    put_kept(object, "creator_command", table_json_text(info->creator_command));
    table_json_set(object, "path", table_json_text(info->path));
    table_json_set(object, "holder_count", json_integer(holder_count(info)));
    table_json_set(object, "hidden_holders",
                   json_integer(holder_count(info) - info->process_count));
    table_json_set(object, "holders", holders_json(info));
    kinds_add_json(info, object);
    return object;
}
