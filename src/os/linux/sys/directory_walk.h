/* directory_walk.h - a directory's entries, one after the other. */
#ifndef MMF_OS_LINUX_SYS_DIRECTORY_WALK_H
#define MMF_OS_LINUX_SYS_DIRECTORY_WALK_H

#include <stdint.h>

/* An entry as the kernel writes it (struct linux_dirent64). */
struct mmf_directory_record {
    uint64_t inode;
    int64_t next_offset; /* where to seek to for the entry after this one */
    uint16_t length;
    uint8_t type;
    char name[];
};

/* Takes an entry. A status below 0 ends the walk. */
typedef int (*mmf_directory_visitor)(void *payload,
                                     const struct mmf_directory_record *record);

/* What mmf_directory_walk returns beside the visitor's statuses. */
enum { MMF_WALK_ENDED = 0, MMF_WALK_UNREADABLE = 1 };

/*
 * Visit the entries from the descriptor's offset on, at most `most` of them. ENDED,
 * UNREADABLE with errno, or the status with which the visitor ended the walk.
 */
int mmf_directory_walk(int fd, int most, mmf_directory_visitor visit, void *payload);

#endif
