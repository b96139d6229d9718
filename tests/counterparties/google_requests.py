"""Prints, as JSON, the requests that Google's own client library makes for the cases of the Gmail, Calendar and Drive connectors.

The cases are the file that the connectors' tests read as well: which tool is called with what, and the methods that a user of
Google's client would call for the same.
"""

import email
import json
from pathlib import Path

# First: it puts modules in place that the others ask for.
from google_client import DOCUMENTS

from googleapiclient.discovery import build_from_document, key2param
from googleapiclient.http import HttpMock, MediaInMemoryUpload

CASES = Path(__file__).parents[2] / "tool-connect-connectors/tests/it/google/cases.json"
# The size of a piece: both sides must cut alike.
CHUNK = 8 * 1024 * 1024


class Recorder:
    """Takes the requests of an upload and answers as the upload needs it."""

    def __init__(self, size):
        self.size = size
        self.sent = []

    def request(self, uri, method="GET", body=None, headers=None, **_):
        from httplib2 import Response

        self.sent.append({"method": method, "uri": uri, "headers": dict(headers or {}), "body": body})
        if len(self.sent) == 1:
            return Response({"status": 200, "location": uri.split("?")[0] + "?upload_id=1"}), b""
        last = int(self.sent[-1]["headers"]["Content-Range"].split("-")[1].split("/")[0])
        if last + 1 < self.size:
            return Response({"status": 308, "range": f"bytes=0-{last}"}), b""
        return Response({"status": 200}), b"{}"


def written(request):
    """A request as both sides write it down."""
    headers = {name.lower(): str(value) for name, value in request["headers"].items()}
    kept = {name: headers[name] for name in KEPT if name in headers}
    out = {"method": request["method"], "uri": request["uri"], "headers": kept, "json": None, "parts": None, "size": None}
    body, kind = request["body"], headers.get("content-type", "")
    if kind.startswith("multipart/related"):
        raw = body if isinstance(body, bytes) else body.encode()
        message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
        first, second = message.get_payload()
        out["parts"] = [
            json.loads(first.get_payload(decode=True)),
            second.get_content_type(),
            second.get_payload(decode=True).decode("utf-8", "replace").rstrip("\n"),
        ]
    elif isinstance(body, str) and body:
        out["json"] = json.loads(body)
    elif body is not None and "content-range" in headers:
        out["size"] = len(body) if isinstance(body, bytes) else int(headers["content-length"])
    return out


KEPT = ["x-upload-content-type", "x-upload-content-length", "content-range"]


def made(service, call):
    resource, _, method = call["method"].rpartition(".")
    own = service
    for name in filter(None, resource.split(".")):
        own = getattr(own, name)()
    keywords = {key2param(name): value for name, value in call.get("parameters", {}).items()}
    if "body" in call:
        keywords["body"] = call["body"]
    media = call.get("media")
    if media is not None:
        content = media["content"].encode() if "content" in media else bytes(media["size"])
        resumable = media.get("resumable", False)
        keywords["media_body"] = MediaInMemoryUpload(content, mimetype=media["type"], chunksize=CHUNK, resumable=resumable)
    name = method + ("_media" if call.get("download") else "")
    # Words of Python's have an underscore there.
    request = getattr(own, name if hasattr(own, name) else name + "_")(**keywords)
    if media is None or not media.get("resumable", False):
        request = {"method": request.method, "uri": request.uri, "headers": request.headers, "body": request.body}
        return [written(request)]
    recorder = Recorder(media["size"])
    done = None
    while done is None:
        _, done = request.next_chunk(http=recorder)
    return [written(sent) for sent in recorder.sent]


def accepted(document, call):
    """The scopes of which one is enough for a method."""
    resource, _, method = call["method"].rpartition(".")
    own = document
    for name in filter(None, resource.split(".")):
        own = own["resources"][name]
    return own["methods"][method]["scopes"]


cases = json.loads(CASES.read_text())
out = {}
for connector, of_it in cases.items():
    document = json.loads((DOCUMENTS / f"{of_it['api']}.json").read_text())
    service = build_from_document(document, http=HttpMock(headers={"status": "200"}))
    document = json.loads((DOCUMENTS / f"{of_it['api']}.json").read_text())
    out[connector] = [
        {
            "requests": [request for call in case["requests"] for request in made(service, call)],
            "scopes": [accepted(document, call) for call in case["requests"]],
        }
        for case in of_it["cases"]
    ]
print(json.dumps(out))
