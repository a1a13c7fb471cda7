/*
 * gc.c - mmf gc: remove orphaned objects. An object is orphaned when no process holds
 * its lock; the kernel releases the lock however a process ends.
 */
#include "command/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include <mmf/mmf.h>

#include "os/namespaces.h"
#include "object/objects.h"
#include "base/say.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"

static int dry_run;
static int namespaces;

static const struct table_column columns[] = {
    {"NAME", 0.3, TABLE_WRAP}, {"KIND", 0, 0},    {"RESIDENT", 0, TABLE_RIGHT},
    {"AGE", 0, TABLE_RIGHT},   {"CREATOR", 0, 0},
};

static void
add_line(struct table *table, const mmf_object_info *info)
{
    struct table_line *line = table_line(table);
    char *command = text_escape_string(info->creator_command);
    char text[UNITS_TEXT_SIZE];

    table_give(line, 0, text_escape_string(info->name));
    table_set(line, 1, mmf_kind_name(info->kind));
    table_set(line, 2, units_show_bytes(info->resident, text));
    if (info->created != 0) {
        table_set(line, 3, units_show_age(objects_age(info), text));
        table_give(line, 4, text_format("%d %s", info->creator_pid, command));
    }
    free(command);
}

static void
print_table(const mmf_list *list)
{
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]), 1);

    for (int32_t i = 0; i < mmf_list_count(list); i++)
        if (mmf_list_get(list, i)->status == MMF_OBJECT_ORPHANED)
            add_line(table, mmf_list_get(list, i));
    table_print(table);
}

static void
print_summary(const mmf_gc_result *result)
{
    char bytes[UNITS_TEXT_SIZE];

    printf("%d orphaned %s, %s %s; %d in use", result->removed,
           dry_run ? "to remove" : "removed", units_show_bytes(result->bytes, bytes),
           dry_run ? "to free" : "freed", result->in_use);
    if (result->refused > 0)
        printf("; %d orphaned of other users, which only they can remove",
               result->refused);
    if (result->invalid > 0)
        printf("; %d invalid, left alone", result->invalid);
    if (namespaces > 0)
        printf("; %d left by mmf run %s", namespaces,
               dry_run ? "to remove" : "removed");
    putchar('\n');
}

static void
print_json(const mmf_list *list, const mmf_gc_result *result)
{
    json_t *all = table_json(json_object());
    json_t *orphaned = table_json(json_array());

    for (int32_t i = 0; i < mmf_list_count(list); i++)
        if (mmf_list_get(list, i)->status == MMF_OBJECT_ORPHANED &&
            json_array_append_new(orphaned, objects_json(mmf_list_get(list, i))) != 0)
            say_no_memory();
    table_json_set(all, "dry_run", json_boolean(dry_run));
    table_json_set(all, "removed", json_integer(result->removed));
    table_json_set(all, "bytes", json_integer(result->bytes));
    table_json_set(all, "in_use", json_integer(result->in_use));
    table_json_set(all, "refused", json_integer(result->refused));
    table_json_set(all, "invalid", json_integer(result->invalid));
    table_json_set(all, "namespaces", json_integer(namespaces));
    table_json_set(all, "orphaned", orphaned);
    table_print_json(all);
}

static int
run(struct args *args)
{
    mmf_gc_result result;
    mmf_list *list;

    dry_run = args_value(args, "dry-run") != NULL;
    list = objects_list(MMF_LIST_KEEP_ORPHANED);
    say_check(mmf_gc(dry_run ? MMF_LIST_KEEP_ORPHANED : 0, &result));
    namespaces = namespaces_clean_up(dry_run);
    if (args_value(args, "json") != NULL) {
        print_json(list, &result);
    } else {
        if (result.removed + result.refused > 0)
            print_table(list);
        print_summary(&result);
    }
    mmf_list_close(list);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"dry-run", 'n', NULL, "show what would be removed, and remove nothing"},
    {"json", 'j', NULL, "print JSON"},
    {NULL, 0, NULL, NULL}};

const struct command command_gc = {"gc", "", "remove orphaned objects", options,
                                   0,    0,  ARGS_NO_PROGRAM,           run};
