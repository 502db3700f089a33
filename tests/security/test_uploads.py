"""Of a picture somebody sends nothing is kept but what is to be seen (ASVS 5.2.1-5.2.3, 5.3.2, 5.4.1-5.4.2)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import text

from services.dispatch.rules.photo import MAX_PHOTOS, check_photo
from shared.errors import Malformed, RuleBroken
from shared.limits import MAX_IMAGE_BYTES
from shared.uploads import redrawn
from tests.bad_input.house import OTHER, House
from tests.bad_input.of_dispatch import started
from tests.security.pictures import JPEG, KEPT, PNG, REFUSED, SECRETS, file_of, picture


def check_clean(content: bytes) -> None:
    """A JPEG or PNG that holds pixels, and nothing else."""
    assert not any(secret in content for secret in SECRETS)
    with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as kept:
        kept.load()
        assert kept.mode in {"RGB", "RGBA"}
        assert not kept.getexif()
        assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        end = b"\xff\xd9" if kept.format == "JPEG" else b"IEND\xaeB`\x82"
        assert content.endswith(end), "nothing lies behind the picture"
        if kept.format == "PNG":
            assert set(re.findall(rb"IHDR|PLTE|IDAT|IEND|tEXt|zTXt|iTXt|eXIf|iCCP|acTL", content)) <= {
                b"IHDR",
                b"IDAT",
                b"IEND",
            }


@pytest.mark.parametrize("name", KEPT)
def test_a_picture_is_drawn_anew_and_nothing_else_of_its_file_is_kept(name: str) -> None:
    kept = redrawn(KEPT[name])
    check_clean(kept.content)
    assert kept.media_type == ("image/png" if KEPT[name].startswith(b"\x89PNG") else "image/jpeg")
    assert redrawn(KEPT[name]) == kept, "the same file gives the same picture"
    check_clean(redrawn(kept.content).content)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_of_ours_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match=r"picture") as refused:
        redrawn(REFUSED[name])
    assert refused.value.code in {"no_picture", "picture_too_large"}


def test_a_picture_is_turned_as_it_is_meant_to_be_seen() -> None:
    kept = redrawn(KEPT["where it was taken"])
    assert (kept.width, kept.height) == (40, 60)
    assert redrawn(JPEG).width == 60


def test_16_bits_of_grey_keep_their_brightness() -> None:
    with Image.open(BytesIO(redrawn(KEPT["16 bits of grey"]).content)) as kept:
        assert kept.getpixel((0, 0)) == (30_000 // 256,) * 3


AT = datetime(2026, 4, 1, tzinfo=UTC)


def test_a_picture_is_of_a_visit_once_and_of_twenty_at_most() -> None:
    check_photo(AT, kept=MAX_PHOTOS - 1, same=False)
    for arrived_at, kept, same in ((None, 0, False), (AT, MAX_PHOTOS, False), (AT, 1, True)):
        with pytest.raises(RuleBroken):
            check_photo(arrived_at, kept=kept, same=same)


def test_a_hostile_file_is_refused_and_an_honest_one_comes_back_clean_to_who_may_see_it(
    open_house: Callable[[str], House],
) -> None:
    house = open_house("dispatch")
    path = started(house, "photos").path
    for name, content in REFUSED.items():
        assert house.post("worker", path, content).status_code == 422, name
    listed = [house.post("worker", path, content) for content in KEPT.values()]
    assert {answer.status_code for answer in listed} <= {201, 409}  # some differ in what is not kept alone
    photos = house.get("head", path).json()
    assert len(photos) == sum(answer.status_code == 201 for answer in listed) > 8
    with house.session() as session:
        for content in session.execute(text("SELECT content FROM photos")).scalars():
            check_clean(content)
    for photo in photos:
        answer = house.get("worker", f"{path}/{photo['id']}")
        check_clean(answer.content)
        assert answer.headers["content-type"] == photo["media_type"]
        ending = photo["media_type"].removeprefix("image/").replace("jpeg", "jpg")
        assert answer.headers["content-disposition"] == f'attachment; filename="{photo["id"]}.{ending}"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    one = f"{path}/{photos[0]['id']}"
    assert [house.get(who, one).status_code for who in ("head" + OTHER, "worker" + OTHER, "clerk", "nobody")] == [
        404,
        404,
        403,
        401,
    ]
    elsewhere = started(house, "photos").path
    assert house.get("head", f"{elsewhere}/{photos[0]['id']}").status_code == 404, "it is of another job"


def test_a_file_is_taken_for_what_it_is_whatever_is_said_of_it(open_house: Callable[[str], House]) -> None:
    house = open_house("dispatch")
    path = started(house, "photos").path
    headers = {"Authorization": "Bearer worker", "Content-Disposition": 'attachment; filename="../../x.php"'}

    def send(content: bytes, media_type: str, key: str) -> tuple[int, str]:
        told = headers | {"Content-Type": media_type, "Idempotency-Key": key}
        answer = house.client.post(f"/api{path}", content=content, headers=told)
        return answer.status_code, answer.json().get("media_type", "")

    assert send(PNG, "image/jpeg", "a") == (201, "image/png")
    assert send(REFUSED["HTML"], "image/png", "b")[0] == 422
    assert send(JPEG, "application/json", "c")[0] == 400, "it is no text"
    assert send(file_of(picture("L"), "PNG"), "text/html", "d") == (201, "image/png")
    assert send(b"\xff" * (MAX_IMAGE_BYTES + 1), "image/png", "e")[0] == 413
    assert send(b"\xff" * 1_048_577, "text/plain", "f")[0] == 413
