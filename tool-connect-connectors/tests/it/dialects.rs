//! Schemas of tools, held against the rules of the model APIs.

use tool_connect_core::schema::dialect::{Dialect, How, lint, normalise};

/// What a model's API is given of a schema is what its rules allow, and is still that schema.
pub(crate) fn assert_fits_every_dialect(name: &str, made: &schemars::Schema) {
    for dialect in Dialect::ALL {
        let normalised = normalise(made.as_value(), dialect);
        assert_eq!(lint(normalised.schema(), dialect), [], "{name} for {}", dialect.as_str());
        // A schema that accepts anything has nothing to find.
        let replaced = normalised.loosened().iter().find(|loosened| loosened.how == How::Replaced);
        assert_eq!(replaced, None, "{name} for {}", dialect.as_str());
    }
}
