"""Who may do what (flow.md, "Who may do what"). Pure rules."""

from core.refusals import NotAssigned
from core.shop import StaffMember


def may_work_on(member: StaffMember, technician_id: str | None) -> bool:
    """Whether a staff member may work on a booking of that technician's: admins on all, technicians on their own."""
    return member.role == "admin" or (member.technician is not None and member.technician == technician_id)


def check_may_work_on(member: StaffMember, technician_id: str | None) -> None:
    """Raise `NotAssigned` unless the staff member may work on a booking of that technician's."""
    if not may_work_on(member, technician_id):
        raise NotAssigned
