"""The files a browser is given: under a name with their own hash, so that it may keep them for ever."""

import gzip
from functools import cache
from hashlib import sha256
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from shared.headers import PAGE

KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
KEPT = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
    "Content-Security-Policy": PAGE,  # a worker keeps to that of its script
}

_STATIC = files("shared.ui") / "static"


@cache
def _contents() -> dict[str, bytes]:
    """Name -> content of every file; `vendor/…` are those of others (deploy/browser_files.py)."""
    vendor = _STATIC / "vendor"
    own = {file.name: file for file in _STATIC.iterdir() if file.is_file()}
    theirs = {f"vendor/{file.name}": file for file in vendor.iterdir()} if vendor.is_dir() else {}
    return {name: file.read_bytes() for name, file in (own | theirs).items()}


@cache
def asset(name: str) -> str:
    """The path of a file, as `/static/app.1f3c….css`. Raises KeyError for a file there is not."""
    stem, kind = name.replace("/", "-").rsplit(".", 1)
    return f"/static/{stem}.{sha256(_contents()[name]).hexdigest()[:16]}.{kind}"


@cache
def _names() -> dict[str, str]:
    return {asset(name): name for name in _contents()}


routes = APIRouter(include_in_schema=False)


@cache
def _zipped(name: str) -> bytes:
    return gzip.compress(_contents()[name], mtime=0)


@routes.get("/static/{name}")
def read_asset(name: str, request: Request) -> Response:
    """A file by its hashed name, zipped for who takes that. Raises HTTPException 404 for another."""
    known = _names().get(f"/static/{name}")
    if known is None:
        raise HTTPException(404, "no such file")
    kind = KINDS[known.rsplit(".", 1)[1]]
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_zipped(known), media_type=kind, headers=KEPT | {"Content-Encoding": "gzip"})
    return Response(_contents()[known], media_type=kind, headers=KEPT)
