/* notify.h - readiness for systemd, by its socket; nothing without one. */
#ifndef MMF_BRIDGE_NOTIFY_H
#define MMF_BRIDGE_NOTIFY_H

/* "READY=1", "STOPPING=1", "STATUS=..." */
void notify(const char *state);

#endif
