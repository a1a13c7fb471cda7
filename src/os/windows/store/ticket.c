/*
 * ticket.c - drawing tickets, and asking after them. An event with the ticket's name
 * says that its drawer lives: the kernel closes it, however the process ends. The
 * counter only goes up, so that a newcomer is never taken for the dead.
 *
 * No process may open the event, its owner neither: its access list is empty. So a
 * process that asks learns that it is there (access denied) or not (not found), and
 * never gets a handle that keeps it there.
 */
#include "os/windows/store/ticket.h"

#include <mmf/status.h>

#include "base/fail.h"
#include "base/invariant.h"
#include "os/windows/sys/error.h"
#include "shared/sync/word.h"

enum { LETTER = L't', TRIES = 16 };

/* NULL with GetLastError(). */
static HANDLE
create_unopenable(const wchar_t *name)
{
    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), &descriptor, FALSE};
    ACL empty;

    if (!InitializeAcl(&empty, sizeof(empty), ACL_REVISION) ||
        !InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&descriptor, TRUE, &empty, FALSE))
        return NULL;
    SetLastError(ERROR_SUCCESS);
    return CreateEventExW(&attributes, name, 0, SYNCHRONIZE);
}

/* MMF_E_EXISTS: another process took the name, whether it drew the number or not. */
static int
try_number(uint64_t number, struct mmf_subobject_name *name, struct mmf_ticket *ticket)
{
    HANDLE event = create_unopenable(mmf_subobject_numbered(name, LETTER, number));
    DWORD error = GetLastError();

    MMF_ASSERT(number > 0 && ticket->event == NULL);
    if (event != NULL && error != ERROR_ALREADY_EXISTS) {
        ticket->number = number;
        ticket->event = event;
        return MMF_OK;
    }
    if (event != NULL)
        CloseHandle(event);
    else if (error != ERROR_ACCESS_DENIED && error != ERROR_INVALID_HANDLE)
        return mmf_error_fail_with(error, "make an event for a channel's ticket");
    return MMF_E_EXISTS;
}

int
mmf_ticket_draw(mmf_atomic_u64 *counter, struct mmf_subobject_name *name,
                struct mmf_ticket *ticket)
{
    for (int i = 0; i < TRIES; i++) {
        uint64_t number = mmf_add_relaxed_u64(counter, 1);
        int rc;

        if (number == 0 || number > MMF_TICKET_MAX)
            break;
        rc = try_number(number, name, ticket);
        if (rc != MMF_E_EXISTS)
            return rc;
    }
    return mmf_fail(MMF_E_CORRUPT, "a channel's ticket counter makes no sense");
}

void
mmf_ticket_close(struct mmf_ticket *ticket)
{
    if (ticket->event != NULL)
        CloseHandle(ticket->event);
    ticket->event = NULL;
}

/* Asked for a right that the access list could give: some hosts give others anyway. */
bool
mmf_ticket_is_alive(struct mmf_subobject_name *name, uint64_t number)
{
    HANDLE event = OpenEventW(EVENT_MODIFY_STATE, FALSE,
                              mmf_subobject_numbered(name, LETTER, number));

    if (event != NULL)
        CloseHandle(event);
    return event != NULL || GetLastError() != ERROR_FILE_NOT_FOUND;
}
