"""Downloads Linear's published GraphQL schema (MIT) to the path that the first argument names.

It is the one of a release of Linear's SDK, held against its hash. A file that is there already and has that hash is kept.
"""

import hashlib
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ADDRESS = "https://raw.githubusercontent.com/linear/linear/refs/tags/@linear/sdk@88.3.0/packages/sdk/src/schema.graphql"
SHA256 = "b00d24d8d252a306f5e2088267b1a17dd6e4442f8b793928410b8d4673a7081d"
PAUSES = [2, 10, 30]


def good(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256


def download() -> bytes:
    for pause in [*PAUSES, None]:
        try:
            with urllib.request.urlopen(ADDRESS, timeout=60) as answer:
                return answer.read()
        except (OSError, urllib.error.URLError) as error:
            if pause is None:
                sys.exit(f"Linear's schema could not be downloaded from {ADDRESS}: {error}; download it by other means "
                         "and name the file in TOOL_CONNECT_LINEAR_SCHEMA")
            time.sleep(pause)
    raise AssertionError("the last pause is none")


target = Path(sys.argv[1])
if not (target.is_file() and good(target.read_bytes())):
    data = download()
    if not good(data):
        sys.exit(f"what {ADDRESS} holds is not the schema that the tests were written for: its SHA-256 is not {SHA256}")
    part = target.with_suffix(".part")
    part.write_bytes(data)
    part.replace(target)
