/*
 * envelope.h - what one message of NATS carries: messages of one channel, in order.
 *
 * A head, the name of the origin, then the messages. Numbers are little endian.
 *
 *   offset  bytes
 *   0       3      "mmf"
 *   3       1      version of this layout
 *   4       1      kind of channel
 *   5       1      1: its messages may be in the stream already; else 0
 *   6       2      length of the origin's name
 *   8       4      number of messages
 *   12      4      longest message that the sending channel takes; 0: not known
 *   16      16     identity of the sending channel
 *   32      8      source: which numbering `first` belongs to; not 0
 *   40      8      first: the number of the first message in its source
 *   48             the origin's name, then the messages, each
 *
 *   0       4      length
 *   4       4      messages lost right before it
 *   8       8      its sequence in the sending channel
 *   16             its bytes
 */
#ifndef MMF_BRIDGE_ENVELOPE_H
#define MMF_BRIDGE_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ENVELOPE_VERSION = 1, IDENTITY_SIZE = 16, ORIGIN_MAX = 63 };
enum { ENVELOPE_HEAD = 48, ENTRY_HEAD = 16 };

struct envelope {
    uint8_t kind; /* an mmf_kind */
    bool again;   /* its messages may be in the stream already */
    uint32_t count;
    uint32_t message_size;
    uint8_t channel[IDENTITY_SIZE];
    uint64_t source;
    uint64_t first;
    char origin[ORIGIN_MAX + 1];
};

struct entry {
    const void *bytes;
    uint32_t length;
    uint32_t lost;
    uint64_t sequence;
};

/* A buffer that an envelope is packed in. */
struct packer {
    uint8_t *bytes;
    size_t capacity;
    size_t length;
};

/* Bytes that the head takes. */
size_t envelope_size(const struct envelope *envelope);

/* Begin to pack; the count is written by pack_end. There is space for the head. */
void pack_begin(struct packer *packer, const struct envelope *envelope);

/* False: there is no space left for it. */
bool pack_entry(struct packer *packer, const struct entry *entry);
void pack_end(struct packer *packer, uint32_t count);

/* What is packed is published again. */
void pack_again(struct packer *packer);

/* Reading one: what a stranger sent is checked, not believed. */
struct unpacker {
    const uint8_t *at;
    size_t left;
    uint32_t entries_left;
};

/* NULL, or what is wrong with the bytes. */
const char *unpack_begin(struct unpacker *unpacker, struct envelope *envelope,
                         const void *bytes, size_t length);

/* The next message; false after the last. */
bool unpack_entry(struct unpacker *unpacker, struct entry *entry);

#endif
