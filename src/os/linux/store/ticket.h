/*
 * ticket.h - a process's number at an object, which no other process ever gets.
 */
#ifndef MMF_OS_LINUX_STORE_TICKET_H
#define MMF_OS_LINUX_STORE_TICKET_H

#include "os/linux/store/objects.h"
#include "shared/page/control.h"

/*
 * Draw this process's ticket at the object, if it has none yet, and lock it for as long
 * as the object is held. `page` is the mapped control page. With the process's mutex.
 * MMF_E_CORRUPT, or as mmf_error_fail.
 */
int mmf_ticket_draw_locked(struct mmf_object *object, struct mmf_control_shared *page);

#endif
