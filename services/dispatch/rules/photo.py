"""Pictures of a job: of the work, of damage, of the owner's signature [R32, R63]."""

from datetime import datetime

from shared.errors import RuleBroken

MAX_PHOTOS = 20
"""Pictures of one job."""


def check_photo(arrived_at: datetime | None, *, kept: int, same: bool) -> None:
    """Raises RuleBroken for a picture from before the visit, one too many, or one that is kept already."""
    if arrived_at is None:
        raise RuleBroken("not_arrived", "a picture is taken at the home: nobody arrived there yet", rule="R63")
    if same:
        raise RuleBroken("photo_kept_already", "this very picture of the job is kept already", rule="R63")
    if kept >= MAX_PHOTOS:
        raise RuleBroken("too_many_photos", f"a job has {MAX_PHOTOS} pictures at most", rule="R63")
