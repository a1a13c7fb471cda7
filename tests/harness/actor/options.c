/*
 * options.c - the options among a call's words, as the structures that the library takes.
 */
#include "harness/actor/actor.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 4096, MAX_FIELDS = 20 };

/* `key=VALUE` in a structure; several words may be parts of one field. */
struct field {
    const char *key;
    size_t at; /* every field has 32 bits */
    int base;
    const char *const *words; /* NULL: it is a number */
    uint32_t unit;            /* what 1 means */
};

struct options {
    uint32_t size;
    uint32_t room; /* what is there; 0: as much as its size says */
    void (*init)(void *options);
    struct field fields[MAX_FIELDS];
};

const char *const access_words[] = {
    "read_write",         "read", "write", "copy_on_write", "read_execute",
    "read_write_execute", NULL};

static const char *const roles[] = {"", "send", "receive", "both", NULL};
static const char *const parts[] = {"", "client", "server", "both", NULL};
static const char *const strategies[] = {"spin_then_wait", "spin", "wait", NULL};

/* NULL is allowed, too. */
#define DEFINE_INIT(K)                                                                 \
    static void K##_init(void *options)                                                \
    {                                                                                  \
        mmf_##K##_options_init(NULL);                                                  \
        mmf_##K##_options_init(options);                                               \
    }

DEFINE_INIT(map)
DEFINE_INIT(view)
DEFINE_INIT(sync)
DEFINE_INIT(channel)
DEFINE_INIT(service)

#define FIELD(K, name) #name, offsetof(mmf_##K##_options, name), 0, NULL, 1
#define OCTAL(K, name) #name, offsetof(mmf_##K##_options, name), 8, NULL, 1
#define CHOICE(K, name, list) #name, offsetof(mmf_##K##_options, name), 0, list, 1
#define FLAG(K, name, flag) #name, offsetof(mmf_##K##_options, flags), 0, NULL, flag
#define LATER(K, name, more) #name, sizeof(mmf_##K##_options) + (more), 0, NULL, 1

const struct options map_options = {sizeof(mmf_map_options),
                                    0,
                                    map_init,
                                    {{CHOICE(map, access, access_words)},
                                     {FIELD(map, rights)},
                                     {FIELD(map, inheritability)},
                                     {FIELD(map, allocation)},
                                     {FIELD(map, all_users)},
                                     {OCTAL(map, mode)},
                                     {FIELD(map, exact_capacity)},
                                     {FIELD(map, wait_ms)},
                                     {FIELD(map, share)},
                                     {FIELD(map, leave_open)},
                                     {FIELD(map, reserved)}}};

const struct options view_options = {
    sizeof(mmf_view_options), 0, view_init, {{FIELD(view, flags)}}};

/* A later version has 20 more; the last one is `later`. */
const struct options sync_options = {sizeof(mmf_sync_options),
                                     sizeof(mmf_sync_options) + 80,
                                     sync_init,
                                     {{FIELD(sync, all_users)},
                                      {FIELD(sync, this_user_only)},
                                      {OCTAL(sync, mode)},
                                      {FIELD(sync, wait_ms)},
                                      {LATER(sync, later, 76)}}};

/* `zeroed=1` asks for options that are the defaults; `more` is a newer program's field. */
#define CHANNEL_FIELDS(K, role_words)                                                  \
    {CHOICE(K, role, role_words)}, {CHOICE(K, strategy, strategies)},                  \
        {FIELD(K, flags)}, {FLAG(K, spsc, MMF_CHANNEL_SPSC)},                          \
        {FLAG(K, peer_closed, MMF_CHANNEL_PEER_CLOSED)},                               \
        {FLAG(K, single, MMF_CHANNEL_SINGLE_PRODUCER)}, {FLAG(K, zeroed, 0)},          \
        {FIELD(K, all_users)}, {OCTAL(K, mode)}, {FIELD(K, wait_ms)},                  \
    {                                                                                  \
        LATER(K, more, 0)                                                              \
    }

const struct options channel_options = {sizeof(mmf_channel_options),
                                        sizeof(mmf_channel_options) + 4,
                                        channel_init,
                                        {CHANNEL_FIELDS(channel, roles),
                                         {FIELD(channel, max_senders)},
                                         {FIELD(channel, max_receivers)},
                                         {FIELD(channel, replay)},
                                         {FIELD(channel, max_pins)}}};

const struct options service_options = {sizeof(mmf_service_options),
                                        sizeof(mmf_service_options) + 4,
                                        service_init,
                                        {CHANNEL_FIELDS(service, parts),
                                         {FIELD(service, max_clients)},
                                         {FIELD(service, max_servers)},
                                         {FIELD(service, max_calls)},
                                         {FIELD(service, max_answers)},
                                         {FIELD(service, reserved)}}};

static bool
read_field(const struct call *call, const struct field *field, unsigned char *options)
{
    const char *value = option_of(call, field->key);
    uint32_t number;

    if (value == NULL)
        return false;
    memcpy(&number, options + field->at, sizeof(number));
    number |= field->unit * (uint32_t)(field->words != NULL
                                           ? choice_of(value, field->words)
                                           : strtoll(value, NULL, field->base));
    memcpy(options + field->at, &number, sizeof(number));
    return true;
}

/* On the heap, where reading behind it shows. */
static void *
copy_options(const struct call *call, const struct options *kind,
             unsigned char *options, uint32_t size)
{
    /* `behind=1`: the fields that it does not count are there. */
    bool is_exact = size >= 4 && size <= MOST && option_of(call, "behind") == NULL;
    uint32_t length = kind->room != 0 ? kind->room : is_exact ? size : kind->size;
    unsigned char *copy = malloc(length);

    if (copy == NULL)
        complain("no memory", call->words[0]);
    if (option_of(call, "last") != NULL)
        options[length - 1] = 1;
    if (option_of(call, "next") != NULL)
        options[kind->size] = 0x80;
    memcpy(options, &size, sizeof(size));
    return memcpy(copy, options, length);
}

void *
options_of(const struct call *call, const struct options *kind)
{
    unsigned char options[MOST] = {0};
    const char *size = option_of(call, "size");
    uint32_t its_size = kind->size;
    bool found = size != NULL;

    memset(options, 0xff, kind->size);
    kind->init(options);
    for (const struct field *field = kind->fields; field->key != NULL; field++)
        found |= read_field(call, field, options);
    if (!found)
        return NULL;
    if (option_of(call, "more") != NULL)
        its_size = kind->room;
    if (size != NULL)
        its_size = (uint32_t)strtoll(size, NULL, 0);
    return copy_options(call, kind, options, its_size);
}
