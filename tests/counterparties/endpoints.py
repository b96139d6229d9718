"""Prints the OAuth endpoints that two Python packages know, as JSON: package, provider, endpoint, addresses.

Their sources are read and not run: a class says where its endpoints are with a constant, an f-string or a property.
What is only known at run time stands as `{name}`; a path without a host begins with `https://{host}`.
"""

import ast
import json
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ENDPOINTS = {
    "authorization_url": "authorize",
    "authorize_url": "authorize",
    "access_token_url": "token",
    "revoke_token_url": "revoke",
}


def text_of(node, known):
    """The text that an expression stands for, or None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else text_of(part.value, known) or "{name}"
            for part in node.values
        )
    if isinstance(node, ast.Call):
        # `self._url("/path")`, `settings.get("AUTHORIZE_URL", "https://..")`
        texts = [text_of(argument, known) for argument in node.args]
        return next((text for text in texts if text and text.startswith(("/", "https://"))), None)
    return None


def addresses(source):
    """Endpoint name and address for every one in a module."""
    found = {}
    known = {}

    def note(name, text):
        endpoint = ENDPOINTS.get(name.lower())
        if endpoint is None or text is None:
            return
        if text.startswith("{") and "}/" in text:
            text = text[text.index("}") + 1 :]
        if text.startswith("/"):
            text = "https://{host}" + text
        if text.startswith("https://"):
            found.setdefault(endpoint, set()).add(text)

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            text = text_of(node.value, known)
            for target in node.targets:
                if isinstance(target, ast.Name):
                    if text is not None:
                        known.setdefault(target.id, text)
                    note(target.id, text)
        elif isinstance(node, ast.FunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    note(node.name, text_of(inner.value, known))
    return {endpoint: sorted(texts) for endpoint, texts in found.items()}


def package(name, module, pattern, provider):
    folder = Path(find_spec(module).origin).parent
    providers = {}
    for file in sorted(folder.glob(pattern)):
        endpoints = addresses(file.read_text())
        if endpoints:
            providers[provider(file)] = endpoints
    if not providers:
        raise SystemExit(f"{name} {version(name)} no longer says its endpoints where they were looked for")
    return providers


print(json.dumps({
    "django-allauth": package(
        "django-allauth", "allauth", "socialaccount/providers/*/views.py", lambda file: file.parent.name
    ),
    "social-auth-core": package("social-auth-core", "social_core", "backends/*.py", lambda file: file.stem),
}, sort_keys=True))
