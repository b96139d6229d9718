"""Google's client library for Python, offline.

The packages that would sign requests are not installed, and empty modules stand in for them: nothing is sent and nothing is signed.
"""

import sys
import types
from pathlib import Path


class Options:
    """Options of a client, none of them set."""

    def __getattr__(self, name):
        return None


for name, members in {
    "google": {},
    "google.api_core": {},
    "google.api_core.client_options": {"ClientOptions": Options},
    "google.auth": {},
    "google.auth.exceptions": {"MutualTLSChannelError": Exception},
    "google.auth.credentials": {},
    "google.auth.transport": {},
    "google.auth.transport.mtls": {},
    "google.oauth2": {},
    "google.oauth2.service_account": {},
}.items():
    module = types.ModuleType(name)
    module.__dict__.update(members)
    module.__path__ = []
    sys.modules[name] = module
    if "." in name:
        parent, _, own = name.rpartition(".")
        setattr(sys.modules[parent], own, module)

import googleapiclient.discovery  # noqa: E402

DOCUMENTS = Path(googleapiclient.discovery.__file__).parent / "discovery_cache" / "documents"
