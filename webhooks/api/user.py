"""/api/user: the caller."""

from typing import Annotated, Literal

from pydantic import Field

from webhooks.api.endpoint import Call, Who, Whole, endpoint
from webhooks.api.models.fields import Model


class Profile(Model):
    """The caller, by id and staff entry."""

    id: Annotated[str, Field(alias="_id")]
    name: str | None
    technician_id: str | None


class Known(Model):
    """The caller and their role."""

    role: Literal["admin", "technician", "user"]
    data: Profile


@endpoint("GET", "/api/user", who=Who.USER)
async def get_user(call: Call) -> Whole[Known]:
    """The caller's role and entry in the staff list."""
    user = call.user
    profile = Profile(
        id=user.id,
        name=user.staff.name if user.staff else None,
        technician_id=user.staff.technician if user.staff else None,
    )
    return Whole(Known(role=user.role, data=profile))
