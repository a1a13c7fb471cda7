/*
 * calls.c - what a scenario's call is in C: a failing step prints it.
 */
#include "harness/scenario/scenario.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define CHANNELS "queue topic latest service "

static bool
is_one_of(const char *word, const char *list)
{
    const char *found = strstr(list, word);
    size_t length = strlen(word);

    return found != NULL && found[length] == ' ' && (found == list || found[-1] == ' ');
}
/* What an actor does by several calls, or by none of the library's. */
static const char of_several[] =
    "open_file open_other is_open inherits get put all fill views user umask statx "
    "list granted change_directory poller poller_add poller_remove poller_ready "
    "poller_wait ";

static const char *
upper(const char *word)
{
    char *text = text_copy(word, strlen(word));

    for (char *at = text; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return text;
}

static const char *
literal(const char *word)
{
    char text[8192];
    size_t length = 0;

    if (strcmp(word, "NULL") == 0)
        return "NULL";
    for (; *word != '\0' && length < sizeof(text) - 3; word++) {
        if (*word == '"' || *word == '\\')
            text[length++] = '\\';
        text[length++] = *word;
    }
    return text_format("\"%.*s\"", (int)length, text);
}

/* The option's field; what is no field is the actor's alone. */
static const char *
field(const char *option)
{
    static const char *const own[] = {
        "null=", "wraps=", "more=", "zeroed=", "length=", "again="};
    const char *value = strchr(option, '=') + 1;

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strncmp(option, own[i], strlen(own[i])) == 0)
            return "";
    if (strncmp(option, "role=", 5) == 0 || strncmp(option, "strategy=", 9) == 0)
        return text_format(", .%.*s=MMF_%s_%s", (int)(value - option - 1), option,
                           *option == 'r' ? "ROLE" : "STRATEGY", upper(value));
    if (strncmp(option, "spsc=", 5) == 0 || strncmp(option, "peer_closed=", 12) == 0)
        return *value == '0' ? ""
                             : text_format(", .flags=MMF_CHANNEL_%.*s",
                                           (int)(value - option - 1), upper(option));
    return text_format(", .%s", option);
}

/* The options among the words, as a compound literal. */
static const char *
options(const struct words *words, const char *kind)
{
    const char *type = strcmp(kind, "map") == 0       ? "map"
                       : strcmp(kind, "service") == 0 ? "service"
                       : is_one_of(kind, CHANNELS)    ? "channel"
                                                      : "sync";
    const char *text = "";

    for (int i = 1; i < words->count; i++)
        if (strchr(words->word[i], '=') != NULL)
            text = text_format("%s%s", text, field(words->word[i]));
    if (*text == '\0')
        return "NULL";
    return text_format("&(mmf_%s_options){.size = sizeof(mmf_%s_options)%s}", type,
                       type, text);
}

static const char *
word_at(const struct words *words, int i)
{
    return i < words->count && strchr(words->word[i], '=') == NULL ? words->word[i]
                                                                   : "0";
}

/* Words from `first` on are the kind, the name and the kind's own arguments. */
static char *
make(const char *handle, const struct words *words, int first, const char *how)
{
    const char *kind = words->word[first], *name = literal(word_at(words, first + 1));
    const char *one = word_at(words, first + 2), *other = word_at(words, first + 3);
    const char *own = "",
               *created = strcmp(how, "create_or_open") == 0 ? "&created, " : "";

    if (strcmp(how, "open_existing") == 0)
        own = "";
    else if (strcmp(kind, "event") == 0)
        own = text_format("%s, MMF_EVENT_%s_RESET, ", other, upper(one));
    else if (strcmp(kind, "semaphore") == 0)
        own = text_format("%s, %s, ", one, other);
    else if (strcmp(kind, "queue") == 0 || strcmp(kind, "topic") == 0)
        own = text_format("%s, %s, MMF_OVERFLOW_%s, ", one, other,
                          upper(word_at(words, first + 4)));
    else if (strcmp(kind, "service") == 0)
        own = text_format("%s, %s, %s, ", one, other, word_at(words, first + 4));
    else
        own = text_format("%s, ", one);
    return text_format("mmf_%s_%s(%s, %s%s, %s&%s)", kind, how, name, own,
                       options(words, kind), created, handle);
}

static char *
wait_for_several(const struct words *words, kind_finder kind_of)
{
    const char *objects = "";
    int count = words->count - 2;

    while (count > 0 && strchr(words->word[count + 1], '=') != NULL)
        count--; /* options */

    for (int i = 1; i <= count; i++)
        objects = text_format("%s%smmf_%s_waitable(%s)", objects, i > 1 ? ", " : "",
                              kind_of(words->word[i]), words->word[i]);
    if (strcmp(words->word[0], "signal_and_wait") == 0)
        return text_format("mmf_signal_and_wait(%s, %s)", objects,
                           words->word[count + 1]);
    return text_format("mmf_%s((mmf_waitable *[]){%s}, %d, %s%s)", words->word[0],
                       objects, count, words->word[count + 1],
                       strcmp(words->word[0], "wait_any") == 0 ? ", &index" : "");
}

static char *
view_call(const char *handle, const struct words *words)
{
    const char *call = words->word[0];

    if (strcmp(call, "accessor") == 0 || strcmp(call, "stream") == 0)
        return text_format("mmf_%s_create(%s, %s, %s, MMF_ACCESS_%s, NULL, &%s)", call,
                           word_at(words, 1), word_at(words, 2), word_at(words, 3),
                           upper(word_at(words, 4)), handle);
    if (strcmp(call, "read") == 0)
        return text_format("mmf_accessor_read_%s(%s, %s, &value)", word_at(words, 2),
                           word_at(words, 1), word_at(words, 3));
    return text_format("mmf_accessor_write_%s(%s, %s, %s)", word_at(words, 2),
                       word_at(words, 1), word_at(words, 3), word_at(words, 4));
}

/* `place` is the name's. */
static char *
map_of_a_file(const char *handle, const struct words *words, int place)
{
    const char *how = words->word[0] + strlen("from_"), *first = words->word[1];

    if (place == 3)
        first = text_format("%s, MMF_FILE_MODE_%s", literal(first),
                            upper(word_at(words, 2)));
    return text_format("mmf_map_create_from_%s(%s, %s, %s, %s, &%s)", how, first,
                       literal(word_at(words, place)), word_at(words, place + 1),
                       options(words, "map"), handle);
}

/* Of channels. Messages have the names that the scenario gives them. */
static char *
message_call(const char *handle, const char *kind, const struct words *words)
{
    const char *call = words->word[0], *channel = word_at(words, 1);
    const char *one = word_at(words, 2), *other = word_at(words, 3);
    const char *length = word_value(words, "length");

    if (length == NULL)
        length = text_format("%zu", strlen(one));
    if (strcmp(call, "send") == 0)
        return text_format("mmf_%s_send(%s, %s, %s, %s, NULL)", kind, channel,
                           literal(one), length, other);
    if (strcmp(call, "commit") == 0)
        return text_format("memcpy(bytes, %s, %s), mmf_%s_commit(%s, %s, NULL)",
                           literal(one), length, kind, channel, length);
    if (strcmp(call, "reserve") == 0)
        return text_format("mmf_%s_reserve(%s, %s, %s, &bytes)", kind, channel, one,
                           other);
    if (strcmp(call, "take") == 0)
        return text_format("mmf_%s_take(%s, %s, &%s)", kind, channel, one, handle);
    return text_format("mmf_%s_receive(%s, buffer, %s, %s, &length, &%s)", kind,
                       channel, one, other, handle);
}

char *
c_call(const char *handle, kind_finder kind_of, const struct words *words)
{
    const char *call = words->word[0], *text;

    if (is_one_of(call, "map mutex event semaphore " CHANNELS))
        return make(handle, words, 0, "create_or_open");
    if (strcmp(call, "new") == 0)
        return make(handle, words, 1, "create_new");
    if (strcmp(call, "open") == 0)
        return make(handle, words, 1, "open_existing");
    if (is_one_of(call, "wait_any wait_all signal_and_wait "))
        return wait_for_several(words, kind_of);
    if (is_one_of(call, "accessor stream read write "))
        return view_call(handle, words);
    if (words->count > 2 && is_one_of(call, "send commit reserve take receive "))
        return message_call(handle, kind_of(words->word[1]), words);
    if (strncmp(call, "from_", 5) == 0)
        return map_of_a_file(handle, words, strcmp(call, "from_file") == 0 ? 3 : 2);
    if (is_one_of(call, of_several)) {
        text = call;
        for (int i = 1; i < words->count; i++)
            text = text_format("%s %s", text, words->word[i]);
        return text_format("/* %s */", text);
    }
    text = text_format("mmf_%s_%s(%s", words->count > 1 ? kind_of(words->word[1]) : "",
                       call, word_at(words, 1));
    for (int i = 2; i < words->count; i++)
        text = text_format("%s, %s", text, words->word[i]);
    if (strcmp(call, "release") == 0 && words->count > 2 &&
        strcmp(kind_of(words->word[1]), "semaphore") == 0)
        text = text_format("%s, &previous", text);
    return text_format("%s)", text);
}
