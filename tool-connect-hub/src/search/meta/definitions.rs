//! What the meta-tools say of themselves: the only definitions in the context of an agent that searches.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use tool_connect_core::{Annotations, SchemaSource, ToolDefinition};

use super::{MAX_CALLS, MAX_DESCRIBED, MAX_FOUND, MAX_NAME, MAX_PART, MAX_PLACE, MIN_PART};
use crate::search::SearchRequest;

/// Names of the meta-tools.
pub(super) const NAMES: [&str; 6] =
    ["search_tools", "describe_tools", "call_tool", "call_tools", "connect", "read_result"];

static DEFINITIONS: LazyLock<Vec<ToolDefinition>> = LazyLock::new(|| {
    let tool = json!({ "type": "string", "description": "Id of the tool, `instance.tool`, as search_tools gives it." });
    let call = json!({
        "tool": tool,
        "arguments": { "type": "object", "description": "What the tool's input schema asks for." },
        "connection": { "type": "string", "description": "Which account, where several are connected." },
        "approval": { "type": "string", "description": "The approval that a person gave for this very call." },
        "idempotency_key": { "type": "string", "description": "A name of your choice: a second call with it runs nothing again." },
    });
    let object = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let of = |name: &'static str, description: &'static str, schema: Value, annotations: Annotations| {
        ToolDefinition::new(name, description, SchemaSource::Json(Arc::from(schema.to_string())))
            .annotations(annotations)
    };
    let may_do_anything = Annotations::default();
    vec![
        of(
            NAMES[0],
            "Finds tools by what they do. Say what shall be done in a few words, with the product's name if there is one: \
             `create an issue on github`. Search before you say that something cannot be done.",
            object(
                json!({
                    "query": { "type": "string", "minLength": 1, "maxLength": SearchRequest::MAX_QUERY, "description": "What shall be done." },
                    "limit": { "type": "integer", "minimum": 1, "maximum": MAX_FOUND, "default": 5, "description": "How many tools." },
                    "instance": { "type": "string", "description": "Only tools of this connector instance." },
                    "connected_only": { "type": "boolean", "default": false, "description": "Only tools that need no account to be connected first." },
                }),
                &["query"],
            ),
            Annotations::READ,
        ),
        of(
            NAMES[1],
            "Tells all about tools that were found, their input schema above all. Read it before the first call of a tool.",
            object(
                json!({ "tools": { "type": "array", "items": tool, "minItems": 1, "maxItems": MAX_DESCRIBED } }),
                &["tools"],
            ),
            Annotations::READ,
        ),
        of(NAMES[2], "Calls a tool.", object(call.clone(), &["tool"]), may_do_anything),
        of(
            NAMES[3],
            "Calls several tools at once, where no call needs the result of another. Gives a result for each, in their order; one \
             that fails does not stop the others.",
            object(
                json!({ "calls": { "type": "array", "items": object(call, &["tool"]), "minItems": 1, "maxItems": MAX_CALLS } }),
                &["calls"],
            ),
            may_do_anything,
        ),
        of(
            NAMES[4],
            "Gives a link where the user connects an account, for tools that are not connected. Show the link to the user.",
            object(
                json!({ "instance": { "type": "string", "description": "The connector instance: what stands before the dot in a tool's id." } }),
                &["instance"],
            ),
            Annotations { read_only: false, destructive: false, idempotent: true, open_world: true },
        ),
        of(
            NAMES[5],
            "Reads on in a result that was cut, or that is kept under a handle: the next items, fields or text, as many as fit. Take \
             `handle` and `from` from the result that says so.",
            object(
                json!({
                    "handle": { "type": "string", "maxLength": MAX_NAME, "description": "The handle." },
                    "from": { "type": "string", "default": "#0", "maxLength": MAX_PLACE, "description": "Where to go on: a mark of the cut result such as `/items#20`, or `next` of the part before." },
                    "max_bytes": { "type": "integer", "minimum": MIN_PART, "maximum": MAX_PART, "description": "How much to read; what the host allows where it is left out." },
                }),
                &["handle"],
            ),
            Annotations { open_world: false, ..Annotations::READ },
        ),
    ]
});

/// The definitions, in the order of [`NAMES`].
pub(super) fn all() -> &'static [ToolDefinition] {
    &DEFINITIONS
}
