"""/api/user: the caller."""

from typing import Annotated, Literal

from pydantic import Field

from webhooks.api.endpoint import Call, Who, Whole, endpoint
from webhooks.api.models.fields import Model


class Profile(Model):
    id: Annotated[str, Field(alias="_id")]
    name: str | None
    technician_id: str | None


class Known(Model):
    role: Literal["admin", "technician", "user"]
    data: Profile


@endpoint("GET", "/api/user", who=Who.USER)
async def get_user(call: Call) -> Whole[Known]:
    """The caller's role and entry in the staff list."""
    user, staff = call.user, call.user.staff
    profile = Profile(id=user.id, name=staff.name if staff else None, technician_id=staff.technician if staff else None)
    return Whole(Known(role=user.role, data=profile))
