"""Prints, as JSON, where Google's discovery documents are and the requests that its own client library makes of some.

The documents come with the package `google-api-python-client`. Nothing is sent and nothing is signed.
"""

import json
import re

# First: it puts modules in place that the others ask for.
from google_client import DOCUMENTS

from googleapiclient.discovery import build_from_document, fix_method_name, key2param
from googleapiclient.http import HttpMock, MediaInMemoryUpload

APIS = [
    "bigquery.v2", "calendar.v3", "chat.v1", "cloudresourcemanager.v3", "docs.v1", "drive.v3", "gmail.v1", "people.v1",
    "pubsub.v1", "searchconsole.v1", "secretmanager.v1", "sheets.v4", "slides.v1", "storage.v1", "tasks.v1",
    "translate.v3", "vision.v1", "youtube.v3",
]  # fmt: skip


def sample(parameter):
    """A value that the client takes, or None."""
    kind = parameter.get("type")
    deprecated = parameter.get("enumDeprecated", [])
    choices = [v for at, v in enumerate(parameter.get("enum", [])) if at >= len(deprecated) or not deprecated[at]]
    if choices:
        return choices[0]
    if kind == "boolean":
        return True
    if kind == "integer":
        return int(parameter.get("minimum", 3))
    if kind == "number":
        return 0.5
    if parameter.get("format") in ("int64", "uint64"):
        return "7"
    pattern = parameter.get("pattern")
    if pattern is None:
        return "v 1&=/ü" if parameter.get("location") == "query" else "v 1"
    value = pattern.strip("^$").replace("[^/]+", "v 1").replace(".*", "v").replace(".+", "v")
    return value if re.match(pattern, value) else None


def requests(text):
    # The client changes the document that it gets.
    document = json.loads(text)
    service = build_from_document(text, http=HttpMock(headers={"status": "200"}))
    made = []

    def walk(resource, place, own):
        for name, inner in resource.get("resources", {}).items():
            walk(inner, place + [name], getattr(own, fix_method_name(name))())
        for name, method in resource.get("methods", {}).items():
            arguments, keywords, missing = {}, {}, False
            for wire, parameter in method.get("parameters", {}).items():
                if parameter.get("deprecated") and not parameter.get("required"):
                    continue
                value = sample(parameter)
                if value is None:
                    missing = missing or parameter.get("required", False)
                    continue
                if parameter.get("repeated"):
                    value = [value, value]
                arguments[wire] = keywords[key2param(wire)] = value
            if missing:
                continue
            body = {"k": "v"} if "request" in method else None
            if body is not None:
                keywords["body"] = body
            uploads = "simple" in method.get("mediaUpload", {}).get("protocols", {})
            kinds = [""] if body is not None or not uploads else []
            # The client uploads only where the document says which media types.
            accepted = method.get("mediaUpload", {}).get("accept", [])
            kinds += ["_upload"] if uploads and accepted and all("/" in one for one in accepted) else []
            kinds += ["_download"] if method.get("supportsMediaDownload") else []
            for kind in kinds:
                given = dict(keywords)
                call = fix_method_name(name)
                if kind == "_upload":
                    media_type = accepted[0].replace("*/*", "text/plain").replace("/*", "/x-own")
                    # With a file the client takes no parameter twice.
                    given = {key: value[:1] if isinstance(value, list) else value for key, value in given.items()}
                    given["media_body"] = MediaInMemoryUpload(b"file of bytes", mimetype=media_type)
                elif kind == "_download":
                    call += "_media"
                    given.pop("body", None)
                request = getattr(own, call)(**given)
                sent = request.body
                made.append(
                    {
                        "id": method["id"],
                        "kind": kind,
                        "arguments": {wire: given[key2param(wire)] for wire in arguments},
                        "method": request.method,
                        "uri": request.uri,
                        "version": request.headers.get("x-goog-api-version"),
                        "body": json.loads(sent) if kind == "" and sent else None,
                    }
                )

    walk(document, [], service)
    return made


samples = {api: requests((DOCUMENTS / f"{api}.json").read_text()) for api in APIS}
print(json.dumps({"documents": str(DOCUMENTS), "requests": samples}))
