/*
 * config_reader.h - what the parts of the configuration's reader share: the keys, and where what
 * is wrong is said.
 */
#ifndef MMF_BRIDGE_CONFIG_READER_H
#define MMF_BRIDGE_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ini.h>

#include "config.h"
#include "log.h"

enum type { TEXT, FILE_NAME, SIZE, COUNT, DURATION, CHOICE };

struct choice {
    const char *name;
    int64_t value;
};

struct key {
    const char *section; /* "bridge", "server"; NULL: a channel */
    const char *name;
    enum type type;
    uint32_t offset; /* in the struct of its section */
    uint64_t kinds;
    const struct choice *choices;
    int64_t least, most;
    const char *help;
};

/* All of them; the last one has no name. */
extern const struct key config_keys[];

/* Kinds of channel, by their names. */
extern const struct choice config_kinds[];

/* A key that was set, to refuse it a second time. */
struct setting {
    const void *owner;
    const struct key *key;
    int line;
};

struct reader {
    struct config *config;
    const char *where; /* the file, or the argument */
    int line;
    FILE *file;
    int problems;
    char section[INI_MAX_LINE];
    struct channel_config *channel; /* of that section; NULL: none */
    bool in_channel;
    struct setting set[1024];
    size_t set_count;
    bool out_of_memory;
};

/* "FILE:LINE: what is wrong"; line 0: of no line. */
void config_complain(struct reader *reader, int line, const char *format, ...)
    LOG_FORMAT(3, 4);

/* What hangs together. */
void config_check(struct reader *reader);

#endif
