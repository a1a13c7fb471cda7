/* directory_walk.h - a directory's entries as the kernel writes them (linux_dirent64). */
#ifndef MMF_OS_LINUX_SYS_DIRECTORY_WALK_H
#define MMF_OS_LINUX_SYS_DIRECTORY_WALK_H

#include <stdint.h>

struct mmf_directory_record {
    uint64_t inode;
    int64_t next_offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

#endif
