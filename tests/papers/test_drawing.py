"""Every paper in every size as a printer gets it, read back with programs that are not ours."""

from pathlib import Path
from typing import Any

import pytest
import typst

from shared.settings import Settings, settings
from shared.ui.papers import engine
from shared.ui.papers.archive import NAMES, Kind, Paper, page_of, printed
from shared.ui.papers.engine import TEMPLATES, NoFont, font_folders, fonts, preview, render
from tests.papers.printing import boxes, codes, embedded, lowest, pdf_file, sheets, words
from tests.papers.samples import DATA, LEADS_TO, NUMBERS, SHEETS, sample

CODE = "Ab-_Ab-_Ab-_Ab-_Ab-_xy"

MILLIMETRES = {"a4": (210, 297), "a5": (210, 148), "continuous": (241, 140), "a6": (105, 148)}
"""Sizes; the roll is as long as what stands on it."""

NASTY = [
    '#read("/etc/passwd")',
    "*bold*_it_",
    "@ref<label>$x$`raw`",
    "\\#\\*//---~",
    '"quote"\'s',
    "=head",
    "#1*****1234",
    "138****8000",
    "㛃䶮𬭎𫖯𬍛𫟹",
    "😀👨‍👩‍👧",
]
"""What somebody may be called, or write."""


@pytest.fixture(autouse=True)
def letterhead(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Settings(
        database_url="x", broker_url="x", letterhead="便民物业管理有限公司", public_url="https://bianmin.example.cn/"
    )
    monkeypatch.setattr("shared.ui.papers.archive.settings", lambda: chosen)
    monkeypatch.setattr("shared.ui.papers.engine.settings", lambda: chosen)


def drawn(paper: Paper, size: str, code: str = CODE) -> bytes:
    return render(paper.kind, printed(paper, "intake", size=size, code=code), at=paper.at, title=paper.title)


def everywhere(part: Any, text: str) -> Any:
    """The same data with this text in place of every text of them."""
    if isinstance(part, dict):
        return {key: everywhere(value, text) for key, value in part.items()}
    if isinstance(part, list):
        return [everywhere(one, text) for one in part]
    return text if isinstance(part, str) and part else part


def test_every_template_has_a_name_and_a_sample_and_every_name_a_template() -> None:
    templates = {file.stem for file in TEMPLATES.glob("*.typ")} - {"form"}
    assert templates == set(NAMES) == set(DATA) == set(NUMBERS)


@pytest.mark.parametrize(("kind", "size"), SHEETS)
def test_a_paper_is_one_sheet_of_its_size_and_says_what_it_is(kind: Kind, size: str, tmp_path: Path) -> None:
    pdf = pdf_file(tmp_path, drawn(sample(kind), size))
    pages, *sides = sheets(pdf)
    assert pages == 1
    if size in MILLIMETRES:
        assert tuple(sides) == MILLIMETRES[size]
    else:
        assert sides[0] == 80
    said = words(pdf)
    assert NAMES[kind] in said
    assert "便民物业管理有限公司" in said
    number = "第3版" if kind == "price_list" else "2026年4月" if kind == "month_report" else NUMBERS[kind]
    assert number in said


@pytest.mark.parametrize(("kind", "size"), SHEETS)
def test_the_code_on_a_paper_leads_to_where_it_is_checked(kind: Kind, size: str, tmp_path: Path) -> None:
    pdf = pdf_file(tmp_path, drawn(sample(kind), size))
    copies = 3 if (kind, size) == ("service_notice", "a4") else 1
    link = LEADS_TO.get(kind, f"https://bianmin.example.cn/intake/verify/{CODE}")
    assert codes(pdf) == [link] * copies


def test_a_notice_in_triplicate_names_each_copys_holder(tmp_path: Path) -> None:
    three = words(pdf_file(tmp_path, drawn(sample("service_notice"), "a4")))
    assert three.count("TZ-BK-20260401-0007") == 3
    upright = "".join(three)
    for letter in "财务联工程部联存档联":
        assert letter in upright
    assert words(pdf_file(tmp_path, drawn(sample("service_notice"), "continuous"))).count("TZ-BK-20260401-0007") == 1


@pytest.mark.parametrize(("kind", "size"), SHEETS)
def test_the_same_data_are_the_same_bytes(kind: Kind, size: str) -> None:
    paper = sample(kind)
    assert drawn(paper, size) == drawn(paper, size)
    assert (drawn(paper, size) == drawn(paper, size, code="another-code-of-22-let")) is bool(paper.leads_to)


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize(("kind", "size"), SHEETS)
def test_whatever_somebody_writes_is_printed_as_he_wrote_it(kind: Kind, size: str, text: str, tmp_path: Path) -> None:
    said = words(pdf_file(tmp_path, drawn(sample(kind, **everywhere(DATA[kind], text)), size)))
    assert text in said
    assert "root:" not in said


@pytest.mark.parametrize(("kind", "size"), SHEETS)
def test_a_long_text_stays_on_its_paper(kind: Kind, size: str, tmp_path: Path) -> None:
    for long in ("水管漏水" * 60, "A1b2" * 60):
        pdf = pdf_file(tmp_path, drawn(sample(kind, **everywhere(DATA[kind], long)), size))
        assert all(0 < left < right < 1 for left, right in boxes(pdf))


@pytest.mark.parametrize("size", ["a4", "continuous"])
def test_the_longest_description_shrinks_and_adds_no_sheet(size: str, tmp_path: Path) -> None:
    pdf = pdf_file(tmp_path, drawn(sample("service_notice", description="厨房下水道疏通。" * 90 + "完"), size))
    assert sheets(pdf)[0] == 1
    assert "疏通。完" in words(pdf)


@pytest.mark.parametrize("size", ["a4", "continuous"])
def test_a_notice_full_to_the_last_field_keeps_its_signatures_on_its_own_third(size: str, tmp_path: Path) -> None:
    items = [{**DATA["service_notice"]["items"][0], "name": "更换龙头" * 10}] * 20
    full = {"owner": "欧阳" * 40, "address": "三号楼" * 40, "description": "疏通。" * 600, "items": items}
    pdf = pdf_file(tmp_path, drawn(sample("service_notice", **full), size))
    assert sheets(pdf)[0] == 1
    ends = [99, 198, 297] if size == "a4" else [140]
    found = lowest(pdf, "扫码核对真伪")
    assert len(found) == len(ends)
    assert all(end - 99 < low < end - 3 for low, end in zip(found, ends, strict=True))


def test_letters_nobody_sees_are_left_out_and_turn_nothing_round(tmp_path: Path) -> None:
    said = words(pdf_file(tmp_path, drawn(sample("registration_form", owner="甲\u202e乙\u2066\x07丙\u200b丁"), "a4")))
    assert "甲乙丙丁" in said


def test_bold_figures_and_rare_names_are_inside_the_file(tmp_path: Path) -> None:
    pdf = pdf_file(tmp_path, drawn(sample("receipt", payer="㛃䶮𬭎𫖯𬍛𫟹"), "a5"))
    found = embedded(pdf)
    assert len(found) >= 2, "an ordinary and a bold one"
    assert all("NotoSansCJKsc" in name and "missing" not in name for name in found)
    assert "合计" in words(pdf)


@pytest.mark.parametrize(("word", "changed"), [("草稿", {"draft": True}), ("作废", {"cancelled": True})])
def test_what_does_not_hold_says_so_across_the_sheet(word: str, changed: dict[str, bool], tmp_path: Path) -> None:
    paper = sample("price_list")
    marked = Paper(**{**vars(paper), **changed})
    assert word in words(pdf_file(tmp_path, drawn(marked, "a4")))
    assert word not in words(pdf_file(tmp_path, drawn(paper, "a4")))


def test_a_preview_is_one_page_of_as_many_as_the_paper_has() -> None:
    many = [{"trade": "水", "name": f"项目{n}", "unit": "次", "price": "¥1.00"} for n in range(80)]
    paper = sample("price_list", items=many)
    first, second = (page_of(paper, "finance", size="a4", code=CODE, page=page) for page in (1, 2))
    assert first is not None
    assert second is not None
    assert first.pages == second.pages > 1
    assert first.content != second.content
    assert page_of(paper, "finance", size="a4", code=CODE, page=first.pages + 1) is None
    assert first.content.startswith(b"<svg")
    assert b"<script" not in first.content
    assert b"<image" not in first.content, "nothing that a page's policy would have to allow"
    picture = preview(
        "price_list", printed(paper, "finance", size="a4", code=""), at=paper.at, title="x", page=1, file_type="png"
    )
    assert picture is not None
    assert picture.content.startswith(b"\x89PNG")


def test_data_of_another_paper_are_refused_and_not_printed() -> None:
    with pytest.raises(typst.TypstError, match="does not contain key"):
        render("receipt", {}, at=sample("receipt").at, title="x")


def test_without_a_chinese_font_there_is_no_paper_and_the_reason_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = Settings(database_url="x", broker_url="x", font_dir=tmp_path)
    monkeypatch.setattr(engine, "settings", lambda: bare)
    fonts.cache_clear()
    try:
        with pytest.raises(NoFont, match=f"{tmp_path}.*BIANMIN_FONT_DIR"):
            drawn(sample("receipt"), "a5")
        monkeypatch.setattr(engine, "settings", lambda: Settings(database_url="x", broker_url="x"))
        (tmp_path / "font.ttc").symlink_to(next(font_folders()[0].glob("*.ttc")))
        monkeypatch.setattr(engine, "settings", lambda: bare)
        fonts.cache_clear()
        assert fonts()[1] == "Noto Sans CJK SC"
    finally:
        fonts.cache_clear()
        settings.cache_clear()
