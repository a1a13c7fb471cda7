/* progress.h - a line on a terminal for work that takes more than a second. */
#ifndef MMF_TOOL_PROGRESS_H
#define MMF_TOOL_PROGRESS_H

#include <stdint.h>

/* `done` of `total` bytes; total 0: unknown. Shows nothing if it is quick. */
void progress_show(int64_t done, int64_t total);

/* Remove the line. */
void progress_end(void);

#endif
