"""What is on a paper, read back with the programs of others."""

import re
import subprocess
from pathlib import Path

from tests.debian import needs


def _run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def pdf_file(folder: Path, content: bytes) -> Path:
    """The paper as a file, for programs."""
    file = folder / "paper.pdf"
    file.write_bytes(content)
    return file


def words(pdf: Path) -> str:
    """Every word on the paper in the order it was drawn, without the spaces between."""
    return re.sub(r"\s", "", _run(needs("pdftotext", "poppler-utils"), "-raw", pdf, "-"))


def sheets(pdf: Path) -> tuple[int, int, int]:
    """How many sheets, and their width and height in millimetres."""
    said = _run(needs("pdfinfo", "poppler-utils"), pdf)
    width, height = re.search(r"Page size:\s+([\d.]+) x ([\d.]+) pts", said).groups()  # type: ignore[union-attr]
    pages = re.search(r"Pages:\s+(\d+)", said)[1]  # type: ignore[index]
    return int(pages), round(float(width) * 25.4 / 72), round(float(height) * 25.4 / 72)


def codes(pdf: Path) -> list[str]:
    """What the codes on the paper say to a camera."""
    picture = pdf.with_suffix("")
    _run(needs("pdftoppm", "poppler-utils"), "-r", "200", "-png", pdf, picture)
    scan = needs("zbarimg", "zbar-tools")
    found: list[str] = []
    for page in sorted(pdf.parent.glob(f"{picture.name}-*.png")):
        found += _run(scan, "--quiet", "--raw", page).split()
    return found


def embedded(pdf: Path) -> list[str]:
    """The fonts of the paper; of one that is not inside, its name with a mark."""
    lines = _run(needs("pdffonts", "poppler-utils"), pdf).splitlines()[2:]
    return [line.split()[0] + ("" if line.split()[-5] == "yes" else " is missing") for line in lines]


def lowest(pdf: Path, word: str) -> list[float]:
    """How far down, in millimetres, each word that begins so ends."""
    said = _run(needs("pdftotext", "poppler-utils"), "-bbox", pdf, "-")
    return [float(found) * 25.4 / 72 for found in re.findall(rf'yMax="([-\d.]+)">{word}', said)]


def boxes(pdf: Path) -> list[tuple[float, float]]:
    """Where each word on the paper begins and ends across, as parts of its width."""
    said = _run(needs("pdftotext", "poppler-utils"), "-bbox", pdf, "-")
    width = float(re.search(r'<page width="([\d.]+)"', said)[1])  # type: ignore[index]
    return [
        (float(left) / width, float(right) / width)
        for left, right in re.findall(r'<word xMin="([-\d.]+)" yMin="[-\d.]+" xMax="([-\d.]+)"', said)
    ]
