"""What is personal or secret is sealed to its place, under keys of a file that nobody else reads [D26, ASVS 11.3]."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hr.models import WebhookEndpoint
from shared.sealing import (
    KEY_BYTES,
    PURPOSES,
    NoDataKeys,
    SealBroken,
    data_keys,
    make_data_keys,
    rotate_keys,
    seal,
    searchable,
    searched_by,
    unseal,
)
from shared.settings import settings

HERE = "intake.requests.phone:1"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of data keys of its own, in use."""
    path = tmp_path / "data-keys"
    make_data_keys(path)
    monkeypatch.setenv("BIANMIN_DATA_KEYS", str(path))
    monkeypatch.setenv("BIANMIN_DATABASE_URL", os.environ.get("BIANMIN_DATABASE_URL", "postgresql://nowhere"))
    monkeypatch.setenv("BIANMIN_BROKER_URL", os.environ.get("BIANMIN_BROKER_URL", "redis://nowhere"))
    settings.cache_clear()
    yield path
    settings.cache_clear()


def lines_of(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]


def test_a_sealed_text_opens_at_its_place_and_shows_nothing_of_itself(file: Path) -> None:
    @given(st.text())
    def opens(text: str) -> None:
        sealed = seal(text, place=HERE)
        assert unseal(sealed, place=HERE) == text
        assert text in {"", *sealed} or text not in sealed

    opens()
    assert seal("13800138000", place=HERE) != seal("13800138000", place=HERE)  # a nonce of its own each time


@pytest.mark.parametrize("place", ["intake.requests.phone:2", "intake.requests.name:1", "dispatch.requests.phone:1"])
def test_a_sealed_text_opens_at_no_other_row_column_or_service(file: Path, place: str) -> None:
    sealed = seal("13800138000", place=HERE)
    with pytest.raises(SealBroken, match=place) as refused:
        unseal(sealed, place=place)
    assert "13800138000" not in str(refused.value)


def test_a_changed_or_cut_text_or_one_of_an_unknown_key_does_not_open(file: Path) -> None:
    sealed = seal("13800138000", place=HERE)
    middle = len(sealed) // 2
    changed = sealed[:middle] + ("A" if sealed[middle] != "A" else "B") + sealed[middle + 1 :]
    cut, unknown = sealed[:-4], sealed.replace("sealed:1:", "sealed:2:")
    for bad in (changed, cut, unknown, "sealed:1:", "sealed:1:AAAA", "13800138000", ""):
        with pytest.raises(SealBroken):
            unseal(bad, place=HERE)


def test_after_a_rotation_the_new_key_seals_the_old_one_still_opens_and_finds(file: Path) -> None:
    before, found_by = seal("13800138000", place=HERE), searchable("13800138000")
    assert rotate_keys(file) == "2"
    after = seal("13800138000", place=HERE)
    assert (before[:9], after[:9]) == ("sealed:1:", "sealed:2:")
    assert {unseal(one, place=HERE) for one in (before, after)} == {"13800138000"}
    assert searchable("13800138000") != found_by
    assert searched_by("13800138000") == [searchable("13800138000"), found_by]
    assert rotate_keys(file) == "3"


def test_a_number_is_found_by_a_keyed_hash_which_tells_nothing_without_the_key(file: Path, tmp_path: Path) -> None:
    here = searchable("13800138000")
    assert searchable("13800138000") == here != searchable("13800138001")
    file.unlink()
    make_data_keys(file)
    assert searchable("13800138000") != here


def test_new_keys_are_their_owners_alone_all_different_and_never_replace_others(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert [purpose for purpose, _, _ in lines_of(file)] == list(PURPOSES)
    assert len({key for _, _, key in lines_of(file)}) == len(PURPOSES)
    with pytest.raises(FileExistsError):
        make_data_keys(file)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("intake 1", "line 1 must be: purpose, name, key"),
        ("intake 1 not-base64!", "line 1 must be: purpose, name, key"),
        ("intake 1 AAAA", f"line 1 must have {KEY_BYTES} bytes"),
        (f"payroll 1 {'A' * 43}=", "for one of intake"),
    ],
)
def test_a_file_that_is_no_file_of_keys_is_refused_with_what_is_wrong(file: Path, said: str, why: str) -> None:
    file.write_text(said + "\n")
    with pytest.raises(NoDataKeys, match=why) as refused:
        data_keys()
    assert "A" * 43 not in str(refused.value)


def test_keys_that_everybody_can_read_are_refused(file: Path) -> None:
    file.chmod(0o644)
    with pytest.raises(NoDataKeys, match="chmod 600"):
        seal("x", place=HERE)
    file.chmod(0o640)  # a group of its own may read it, as in a container
    seal("x", place=HERE)


def test_without_a_file_or_a_key_for_it_nothing_is_stored_in_plain(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_hr = next(" ".join(line) for line in lines_of(file) if line[0] == "hr")
    file.write_text(only_hr + "\n")
    with pytest.raises(NoDataKeys, match="no key for intake"):
        seal("x", place=HERE)
    with pytest.raises(NoDataKeys, match="no key for search"):
        searchable("x")
    file.unlink()
    with pytest.raises(NoDataKeys, match="cannot be read"):
        seal("x", place=HERE)
    monkeypatch.delenv("BIANMIN_DATA_KEYS")
    settings.cache_clear()
    with pytest.raises(NoDataKeys, match="data-key new"):
        seal("x", place=HERE)


def test_an_attribute_is_sealed_for_its_row_and_refused_in_another(file: Path) -> None:
    one, other = UUID(int=1), UUID(int=2)
    mine, yours = WebhookEndpoint(id=one, secret="mine", old_secret=None), WebhookEndpoint(id=other, secret="yours")
    assert (mine.secret, mine.old_secret, yours.secret) == ("mine", None, "yours")
    assert mine.secret_sealed.startswith("sealed:1:")
    yours.secret_sealed = mine.secret_sealed
    with pytest.raises(SealBroken):
        _ = yours.secret
    with pytest.raises(ValueError, match="set its id first"):
        WebhookEndpoint(secret="nobody's")
