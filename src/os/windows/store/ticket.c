/*
 * ticket.c - drawing tickets, and asking after them. An event with the ticket's name
 * says that its drawer lives: the kernel closes it, however the process ends. The
 * counter only goes up, so that a newcomer is never taken for the dead.
 *
 * Nobody may open the event, its owner neither: its access list is empty. So who asks
 * is told that it is there (access denied) or not (not found), and never gets a handle
 * that would keep it there.
 */
#include "os/windows/store/ticket.h"

#include <mmf/status.h>

#include "base/fail.h"
#include "os/windows/sys/error.h"
#include "shared/sync/word.h"

enum { LETTER = L't', TRIES = 16 };

static HANDLE
create_for_nobody(const wchar_t *name)
{
    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), &descriptor, FALSE};
    ACL nobody;

    if (!InitializeAcl(&nobody, sizeof(nobody), ACL_REVISION) ||
        !InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&descriptor, TRUE, &nobody, FALSE))
        return NULL;
    return CreateEventExW(&attributes, name, 0, SYNCHRONIZE);
}

int
mmf_ticket_draw(mmf_atomic_u64 *counter, struct mmf_part_name *name,
                struct mmf_ticket *ticket)
{
    for (int i = 0; i < TRIES; i++) {
        uint64_t number = mmf_add_relaxed_u64(counter, 1);
        DWORD error;
        HANDLE life;

        if (number == 0 || number > MMF_TICKET_MAX)
            break;
        SetLastError(ERROR_SUCCESS);
        life = create_for_nobody(mmf_part_numbered(name, LETTER, number));
        error = GetLastError();
        if (life != NULL && error != ERROR_ALREADY_EXISTS) {
            ticket->number = number;
            ticket->life = life;
            return MMF_OK;
        }
        if (life != NULL)
            CloseHandle(life);
        else if (error != ERROR_ACCESS_DENIED && error != ERROR_INVALID_HANDLE)
            return mmf_error_fail_with(error, "make an event for a channel's ticket");
    }
    return mmf_fail(MMF_E_CORRUPT, "a channel's ticket counter makes no sense");
}

void
mmf_ticket_return(struct mmf_ticket *ticket)
{
    if (ticket->life != NULL)
        CloseHandle(ticket->life);
    ticket->life = NULL;
}

/* Asked for a right that the access list could give: some hosts give others anyway. */
int
mmf_ticket_is_alive(struct mmf_part_name *name, uint64_t number)
{
    HANDLE life =
        OpenEventW(EVENT_MODIFY_STATE, FALSE, mmf_part_numbered(name, LETTER, number));

    if (life != NULL)
        CloseHandle(life);
    return life != NULL || GetLastError() != ERROR_FILE_NOT_FOUND;
}
