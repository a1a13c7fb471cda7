/* huge.h - whether the host gives transparent huge pages to memory of a file. */
#ifndef MMF_OS_LINUX_SECTION_HUGE_H
#define MMF_OS_LINUX_SECTION_HUGE_H

/*
 * Whether a mapping of `fd` can get huge pages. MMF_E_NOT_SUPPORTED with the setting
 * that forbids them, and how to change it.
 */
int mmf_huge_check(int fd);

#endif
