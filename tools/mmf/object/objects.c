/* objects.c - see objects.h. */
#include "object/objects.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "object/kinds.h"
#include "os/os.h"
#include "base/say.h"
#include "base/table.h"
#include "base/text.h"

mmf_list *
objects_list(mmf_list_flags flags)
{
    mmf_list *list = NULL;

    say_check(mmf_list_create(flags, &list));
    return list;
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

const mmf_object_info *
objects_find(const mmf_list *list, const char *name)
{
    char file_name[256] = "";
    int has_file_name = make_file_name(name, file_name);

    for (int32_t i = 0; i < mmf_list_count(list); i++) {
        const mmf_object_info *info = mmf_list_get(list, i);

        if (strcmp(info->name, name) == 0)
            return info;
        if (has_file_name &&
            (info->status == MMF_OBJECT_INVALID ||
             info->status == MMF_OBJECT_INACCESSIBLE) &&
            strcmp(info->name, file_name) == 0)
            return info;
    }
    return NULL;
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
objects_holders(const mmf_object_info *info, const char *separator)
{
    char *text = text_format("%s", "");
    int hidden = info->holders - info->process_count;

    for (int32_t i = 0; i < info->process_count; i++) {
        const mmf_holder_info *process = &info->processes[i];
        char *command = text_escape_string(process->command);

        append(&text, separator,
               text_format("%d %s %s%s%s", process->pid, text_user(process->user),
                           command, process->read_only ? " (reads)" : "",
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
        if (json_array_append_new(array, holder) != 0)
            say_no_memory();
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
    put_kept(object, "owner_uid", json_integer(info->owner));
    table_json_set(object, "creator_pid",
                   info->creator_pid != 0 || os_keeps_records
                       ? json_integer(info->creator_pid)
                       : json_null());
    put_kept(object, "creator_command", table_json_text(info->creator_command));
    table_json_set(object, "path", table_json_text(info->path));
    table_json_set(object, "holder_count", json_integer(info->holders));
    table_json_set(object, "holders", holders_json(info));
    kinds_add_json(info, object);
    return object;
}
