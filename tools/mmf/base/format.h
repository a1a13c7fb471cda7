/* format.h - printf's rules for our own functions; the build says whose printf it is. */
#ifndef MMF_TOOL_FORMAT_H
#define MMF_TOOL_FORMAT_H

#ifndef MMF_PRINTF
#define MMF_PRINTF printf
#endif

#define FORMAT(text, first) __attribute__((format(MMF_PRINTF, text, first)))

#endif
