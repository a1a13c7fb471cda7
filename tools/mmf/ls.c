/* ls.c - mmf ls: the named objects, and the processes that keep them open. */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "objects.h"
#include "os.h"
#include "say.h"
#include "table.h"
#include "text.h"
#include "units.h"

enum { NAME, KIND, SIZE, RESIDENT, HOLDERS, AGE, MODE, STATUS, STATE };

static const struct table_column columns[] = {
    {"NAME", 0.2, TABLE_WRAP},
    {"KIND", 0, 0},
    {"SIZE", 0, TABLE_RIGHT},
    {"RESIDENT", 0, TABLE_RIGHT},
    {"HOLDERS", 0, TABLE_WRAP},
    {"AGE", 0, TABLE_RIGHT},
    {"MODE", 0, 0},
    {"STATUS", 0, 0},
    {"STATE", 0.2, TABLE_WRAP},
};

static char *
bytes_text(int64_t bytes, int exact)
{
    char text[UNITS_TEXT_SIZE];

    if (exact)
        return text_format("%lld", (long long)bytes);
    return text_format("%s", units_show_bytes(bytes, text));
}

static void
add_line(struct table *table, const mmf_object_info *info, int exact)
{
    struct table_line *line = table_line(table);
    int is_ours =
        info->status == MMF_OBJECT_IN_USE || info->status == MMF_OBJECT_ORPHANED;
    char age[UNITS_TEXT_SIZE];
    char mode[16];

    table_give(line, NAME, text_escape_string(info->name));
    table_set(line, STATUS, objects_status(info->status));
    if (!is_ours)
        return;
    table_set(line, KIND, mmf_kind_name(info->kind));
    if (info->capacity > 0)
        table_give(line, SIZE, bytes_text(info->capacity, exact));
    table_give(line, HOLDERS, objects_holders(info, "\n"));
    table_give(line, STATE, kinds_state(info));
    if (os_keeps_records || info->created != 0)
        table_set(line, AGE, units_show_age(objects_age(info), age));
    if (!os_keeps_records)
        return;
    table_give(line, RESIDENT, bytes_text(info->resident, exact));
    table_set(line, MODE, objects_mode(info->mode, mode));
}

/* Without patterns, every name is wanted. */
static int
is_wanted(const struct args *args, const mmf_object_info *info)
{
    const char *kind = args_value(args, "kind");
    int i = 0;

    if (kind != NULL && strcmp(kind, mmf_kind_name(info->kind)) != 0)
        return 0;
    while (i < args->count && !os_matches(args->operands[i], info->name))
        i++;
    return args->count == 0 || i < args->count;
}

static void
print_json(const struct args *args, const mmf_list *list)
{
    json_t *all = table_json(json_object());
    json_t *array = table_json(json_array());

    for (int32_t i = 0; i < mmf_list_count(list); i++) {
        const mmf_object_info *info = mmf_list_get(list, i);

        if (is_wanted(args, info) &&
            json_array_append_new(array, objects_json(info)) != 0)
            say_no_memory();
    }
    table_json_set(all, "objects", array);
    table_print_json(all);
}

static void
print_table(const struct args *args, const mmf_list *list)
{
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]),
                                    args_value(args, "no-headings") == NULL);

    for (int32_t i = 0; i < mmf_list_count(list); i++)
        if (is_wanted(args, mmf_list_get(list, i)))
            add_line(table, mmf_list_get(list, i), args_value(args, "bytes") != NULL);
    table_print(table);
}

static void
print_names(const struct args *args, const mmf_list *list)
{
    for (int32_t i = 0; i < mmf_list_count(list); i++) {
        const mmf_object_info *info = mmf_list_get(list, i);
        char *name;

        if (!is_wanted(args, info))
            continue;
        name = text_escape_string(info->name);
        puts(name);
        free(name);
    }
}

static void
check_kind(const char *kind)
{
    for (mmf_kind i = MMF_KIND_MAP; i <= MMF_KIND_SERVICE; i++)
        if (strcmp(kind, mmf_kind_name(i)) == 0)
            return;
    say_usage(
        "unknown kind \"%s\" (map, mutex, event, semaphore, queue, topic, latest, "
        "service)",
        kind);
}

static mmf_list_flags
flags_of(const struct args *args)
{
    mmf_list_flags flags = 0;

    if (args_value(args, "local") != NULL)
        flags |= MMF_LIST_LOCAL;
    if (args_value(args, "global") != NULL)
        flags |= MMF_LIST_GLOBAL;
    if (args_value(args, "orphaned") != NULL)
        flags |= MMF_LIST_KEEP_ORPHANED;
    if (args_value(args, "names") == NULL)
        flags |= MMF_LIST_HOLDERS;
    return flags;
}

static int
run(struct args *args)
{
    mmf_list *list;

    if (args_value(args, "kind") != NULL)
        check_kind(args_value(args, "kind"));
    list = objects_list(flags_of(args));
    if (args_value(args, "json") != NULL)
        print_json(args, list);
    else if (args_value(args, "names") != NULL)
        print_names(args, list);
    else
        print_table(args, list);
    mmf_list_close(list);
    return TOOL_DONE;
}

static const struct option_spec options[] = {
    {"orphaned", 'o', NULL, "show orphaned objects too, and remove none"},
    {"kind", 'k', "KIND", "only this kind: map, mutex, event, semaphore, ..."},
    {"local", 'l', NULL, "only names of this user"},
    {"global", 'g', NULL, "only names under Global\\"},
    {"bytes", 'b', NULL, "sizes in bytes"},
    {"names", 'n', NULL, "only names, one per line"},
    {"no-headings", 0, NULL, "no headings"},
    {"json", 'j', NULL, "print JSON"},
    {NULL, 0, NULL, NULL}};

const struct command command_ls = {"ls",
                                   "[PATTERN...]",
                                   "list named objects and the processes that use them",
                                   options,
                                   0,
                                   -1,
                                   ARGS_NO_PROGRAM,
                                   run};
