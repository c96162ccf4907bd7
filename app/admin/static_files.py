"""The files that pages load: sent with the version they have, kept until it changes."""

import hashlib
import mimetypes
from http import HTTPStatus
from pathlib import Path
from typing import Final

from flask import Response, abort, request

STATIC: Final = Path(__file__).with_name("static")


class StaticFiles:
    """The style sheet, the script and the icon, which a browser may keep until they change."""

    def __init__(self) -> None:
        self._contents = {path.name: path.read_bytes() for path in STATIC.iterdir()}
        self._versions = {
            name: hashlib.sha256(content).hexdigest()[:12]
            for name, content in self._contents.items()
        }

    def address(self, filename: str) -> str:
        """Return where a file is found, with the version that it has now."""
        return f"/static/{filename}?v={self._versions[filename]}"

    def send(self, filename: str) -> Response:
        """Answer one file."""
        if filename not in self._contents:
            abort(HTTPStatus.NOT_FOUND)
        mimetype, _ = mimetypes.guess_type(filename)
        response = Response(self._contents[filename], mimetype=mimetype)
        response.set_etag(self._versions[filename])
        is_current = request.args.get("v") == self._versions[filename]
        lasting = "public, max-age=31536000, immutable"
        response.headers["Cache-Control"] = lasting if is_current else "no-cache"
        response.make_conditional(request)
        return response
