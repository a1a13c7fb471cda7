/* stop_event.h - what the other files here need of stop.c beside the common header. */
#ifndef MMF_TOOL_WINDOWS_STOP_EVENT_H
#define MMF_TOOL_WINDOWS_STOP_EVENT_H

/* The event that is set when Ctrl-C or its like has come; NULL before stop_note. */
void *stop_event(void);

#endif
