/*
 * object.h - this process's part of a channel.
 */
#ifndef MMF_OS_LINUX_CHANNEL_OBJECT_H
#define MMF_OS_LINUX_CHANNEL_OBJECT_H

struct mmf_channel_object;

/* Unmap and free; the object is going. */
void mmf_channel_destroy(struct mmf_channel_object *local);

#endif
