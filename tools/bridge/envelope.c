/* envelope.c - packing messages into one message of NATS, and reading that. */
#include "envelope.h"

#include <string.h>

static const uint8_t magic[3] = {'m', 'm', 'f'};

static void
put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t
get(const uint8_t *at, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

size_t
envelope_size(const struct envelope *envelope)
{
    return ENVELOPE_HEAD + strlen(envelope->origin);
}

void
pack_begin(struct packer *packer, const struct envelope *envelope)
{
    uint8_t *at = packer->bytes;
    size_t origin = strlen(envelope->origin);

    memcpy(at, magic, sizeof magic);
    at[3] = ENVELOPE_VERSION;
    at[4] = envelope->kind;
    at[5] = envelope->again;
    put(at + 6, origin, 2);
    put(at + 8, 0, 4);
    put(at + 12, envelope->message_size, 4);
    memcpy(at + 16, envelope->channel, IDENTITY_SIZE);
    put(at + 32, envelope->source, 8);
    put(at + 40, envelope->first, 8);
    memcpy(at + ENVELOPE_HEAD, envelope->origin, origin);
    packer->length = ENVELOPE_HEAD + origin;
}

bool
pack_entry(struct packer *packer, const struct entry *entry)
{
    uint8_t *at = packer->bytes + packer->length;

    if (packer->capacity - packer->length < ENTRY_HEAD + (size_t)entry->length)
        return false;
    put(at, entry->length, 4);
    put(at + 4, entry->lost, 4);
    put(at + 8, entry->sequence, 8);
    if (entry->bytes != at + ENTRY_HEAD) /* a topic writes it there itself */
        memcpy(at + ENTRY_HEAD, entry->bytes, entry->length);
    packer->length += ENTRY_HEAD + (size_t)entry->length;
    return true;
}

void
pack_end(struct packer *packer, uint32_t count)
{
    put(packer->bytes + 8, count, 4);
}

void
pack_again(struct packer *packer)
{
    packer->bytes[5] = 1;
}

/* The lengths of the entries add up to what is there. */
static bool
is_complete(struct unpacker walk)
{
    struct entry ignored;

    while (walk.entries_left > 0)
        if (!unpack_entry(&walk, &ignored))
            return false;
    return walk.left == 0;
}

const char *
unpack_begin(struct unpacker *unpacker, struct envelope *envelope, const void *bytes,
             size_t length)
{
    const uint8_t *at = bytes;
    size_t origin;

    memset(envelope, 0, sizeof *envelope);
    if (length < ENVELOPE_HEAD || memcmp(at, magic, sizeof magic) != 0)
        return "it is not a message of mmf-bridge";
    if (at[3] != ENVELOPE_VERSION)
        return "it is of another version of mmf-bridge";
    origin = (size_t)get(at + 6, 2);
    if (origin > ORIGIN_MAX || length - ENVELOPE_HEAD < origin)
        return "it is damaged";
    envelope->kind = at[4];
    envelope->again = at[5] != 0;
    envelope->count = (uint32_t)get(at + 8, 4);
    envelope->message_size = (uint32_t)get(at + 12, 4);
    memcpy(envelope->channel, at + 16, IDENTITY_SIZE);
    envelope->source = get(at + 32, 8);
    envelope->first = get(at + 40, 8);
    memcpy(envelope->origin, at + ENVELOPE_HEAD, origin);
    if (envelope->source == 0 || envelope->first > UINT64_MAX - envelope->count)
        return "it is damaged";
    *unpacker = (struct unpacker){.at = at + ENVELOPE_HEAD + origin,
                                  .left = length - ENVELOPE_HEAD - origin,
                                  .entries_left = envelope->count};
    return is_complete(*unpacker) ? NULL : "it is damaged";
}

bool
unpack_entry(struct unpacker *unpacker, struct entry *entry)
{
    const uint8_t *at = unpacker->at;

    if (unpacker->entries_left == 0 || unpacker->left < ENTRY_HEAD)
        return false;
    *entry = (struct entry){.bytes = at + ENTRY_HEAD,
                            .length = (uint32_t)get(at, 4),
                            .lost = (uint32_t)get(at + 4, 4),
                            .sequence = get(at + 8, 8)};
    if (unpacker->left - ENTRY_HEAD < entry->length)
        return false;
    unpacker->at += ENTRY_HEAD + (size_t)entry->length;
    unpacker->left -= ENTRY_HEAD + (size_t)entry->length;
    unpacker->entries_left--;
    return true;
}
