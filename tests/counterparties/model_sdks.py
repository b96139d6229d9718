"""Judges tool definitions by the model vendors' own packages. Reads a JSON array of `{"form", "tool"}` from the standard
input and prints an array of the same length: null where the vendor's types accept the tool, else why not.

Forms: `anthropic`, `openai-chat`, `openai-responses`, `gemini` (a function declaration). A tool that says `strict` must
also be what openai's own converter to strict schemas makes of it: unchanged.
"""

import copy
import json
import sys

from anthropic.types import ToolParam
from anthropic.types.tool_param import InputSchemaTyped
from google.genai import types as gemini
from openai.lib._pydantic import _ensure_strict_json_schema
from openai.types.chat import ChatCompletionFunctionToolParam
from openai.types.responses import FunctionToolParam
from pydantic import TypeAdapter


ANTHROPIC = TypeAdapter(ToolParam)
# `ToolParam` takes any dictionary as well.
INPUT_SCHEMA = TypeAdapter(InputSchemaTyped)
CHAT = TypeAdapter(ChatCompletionFunctionToolParam)
RESPONSES = TypeAdapter(FunctionToolParam)


def unknown(tool, typed_dict):
    extra = sorted(set(tool) - set(typed_dict.__annotations__))
    if extra:
        raise ValueError(f"unknown keys {extra}")


def strict(parameters):
    made = _ensure_strict_json_schema(copy.deepcopy(parameters), path=(), root=copy.deepcopy(parameters))
    if made != parameters:
        raise ValueError(f"not strict: openai makes {json.dumps(made)[:400]} of {json.dumps(parameters)[:400]}")


def judge(form, tool):
    if form == "anthropic":
        unknown(tool, ToolParam)
        ANTHROPIC.validate_python(tool, strict=True)
        INPUT_SCHEMA.validate_python(tool["input_schema"], strict=True)
    elif form == "openai-chat":
        unknown(tool, ChatCompletionFunctionToolParam)
        CHAT.validate_python(tool, strict=True)
        if tool["function"]["strict"]:
            strict(tool["function"]["parameters"])
    elif form == "openai-responses":
        unknown(tool, FunctionToolParam)
        RESPONSES.validate_python(tool, strict=True)
        if tool["strict"]:
            strict(tool["parameters"])
    elif form == "gemini":
        # Its models refuse fields that they do not know, at every level.
        gemini.Tool.model_validate({"functionDeclarations": [tool]})
    else:
        raise ValueError(f"unknown form {form}")


def verdict(entry):
    try:
        judge(entry["form"], entry["tool"])
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:1000]}"
    return None


print(json.dumps([verdict(entry) for entry in json.load(sys.stdin)]))
