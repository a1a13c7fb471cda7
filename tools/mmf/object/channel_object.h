/*
 * channel_object.h - a queue, a topic or a latest value, whichever the name belongs to,
 * for `send`, `recv` and `tail`.
 */
#ifndef MMF_TOOL_CHANNEL_OBJECT_H
#define MMF_TOOL_CHANNEL_OBJECT_H

#include <stddef.h>

#include <mmf/mmf.h>

struct channel_kind;

struct channel_object {
    const char *name;
    const struct channel_kind *how;
    mmf_kind kind;
    void *handle;
    size_t message_size; /* most bytes of a message */
    uint64_t version;    /* latest value: the last one received */
};

/* Open it; a failure ends the program. `replay`: older messages of a topic. */
void channel_object_open(const char *name, mmf_role role, int32_t replay,
                         struct channel_object *channel);

/*
 * Open the channel to send; if it is missing, make a queue for messages of `length`
 * bytes, or of 1K if that is more. 1: it is made.
 */
int channel_object_make(const char *name, size_t length,
                        struct channel_object *channel);

void channel_object_close(struct channel_object *channel);

/*
 * Send, or receive into a buffer of message_size bytes, within the time; in short
 * turns, so that a signal (stop.h) ends it: then it returns MMF_TIMED_OUT.
 */
int channel_object_send(struct channel_object *channel, const void *bytes,
                        size_t length, int32_t timeout_ms);
int channel_object_receive(struct channel_object *channel, void *buffer,
                           int32_t timeout_ms, size_t *length, mmf_message *message);

/* What is in a queue. */
struct browsed {
    mmf_queue_item *items; /* the oldest first */
    size_t count;
    char *bytes;
};

/*
 * Up to `most` messages of the queue, and up to `each` bytes of every one, without taking
 * part. A failure ends the program.
 */
void channel_object_browse(const char *name, int64_t most, size_t each,
                           struct browsed *browsed);
void channel_object_forget(struct browsed *browsed);

/* Write one message to standard output, `raw` without escapes and a line end. */
void channel_object_print_one(const char *bytes, size_t length, int raw);

/*
 * Receive up to `most` messages and write each to standard output, until the timeout,
 * a signal, or the end of the reader. Returns the exit status. The timeout is for each
 * message.
 */
int channel_object_print(struct channel_object *channel, int64_t most,
                         int32_t timeout_ms, int raw, int numbered);

#endif
