//! Constraints of a field: one attribute, read here for the check in Rust and by schemars for the schema.
//!
//! Whatever schemars would write into the schema is either checked or refused, never passed over.

mod bounds;
mod check;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Token};

use self::bounds::Bounds;
use crate::errors::Errors;
use crate::{fragments, pattern};

/// The attributes that schemars reads.
const SOURCES: [&str; 3] = ["schemars", "validate", "garde"];

/// Keywords that would constrain the schema alone if they came in by `extend(..)`.
const CONSTRAINING: &[&str] = &[
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "then",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
];

/// What a field's value must keep to.
#[derive(Default)]
pub(crate) struct Constraints {
    range: Option<Bounds>,
    length: Option<Bounds>,
    pattern: Option<(LitStr, Span)>,
    format: Option<(&'static str, Span)>,
    inner: Option<(Box<Constraints>, Span)>,
}

/// `name`, `name = value` or `name(..)`, as schemars has them; `!name` unsets.
struct Item {
    name: Ident,
    value: Value,
}

enum Value {
    None,
    Equals(Expr),
    List(TokenStream),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse::<Option<Token![!]>>()?;
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Equals(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::None
        };
        Ok(Self { name, value })
    }
}

impl Constraints {
    /// Reads the attributes of a field.
    pub(crate) fn of(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut said = Self::default();
        for attr in attrs {
            let Some(source) = SOURCES.into_iter().find(|source| attr.path().is_ident(source)) else {
                continue;
            };
            match attr.parse_args_with(Punctuated::<Item, Token![,]>::parse_terminated) {
                Ok(items) => items.into_iter().for_each(|item| said.read(item, source, errors)),
                // schemars may read more forms than are read here: none may be passed over.
                Err(error) => errors.push(error),
            }
        }
        said
    }

    pub(crate) fn is_empty(&self) -> bool {
        let Self { range, length, pattern, format, inner } = self;
        range.is_none() && length.is_none() && pattern.is_none() && format.is_none() && inner.is_none()
    }

    /// Somewhere to point at when there should be none.
    pub(crate) fn span(&self) -> Option<Span> {
        let bounds = self.range.as_ref().or(self.length.as_ref()).map(|bounds| bounds.span);
        bounds
            .or(self.pattern.as_ref().map(|(_, span)| *span))
            .or(self.format.as_ref().map(|(_, span)| *span))
            .or(self.inner.as_ref().map(|(_, span)| *span))
    }

    fn read(&mut self, Item { name, value }: Item, source: &str, errors: &mut Errors) {
        let word = name.to_string();
        let format = match word.as_str() {
            "email" => Some("Email"),
            "url" => Some("Uri"),
            "ip" => Some("Ip"),
            "ipv4" => Some("Ipv4"),
            "ipv6" => Some("Ipv6"),
            _ => None,
        };
        if source == "garde" {
            let ours = ["length", "range", "pattern", "contains", "required", "inner"];
            if format.is_some() || ours.contains(&word.as_str()) {
                errors.at(
                    &name,
                    format!("write `#[schemars({word}..)]` instead: `garde` itself does not run here"),
                );
            }
            return;
        }
        if let Some(format) = format {
            put(&mut self.format, (format, name.span()), &name, errors);
            return;
        }
        match word.as_str() {
            "range" | "length" => {
                let bounds = Bounds::read(&name, value, source, errors);
                let slot = if word == "range" { &mut self.range } else { &mut self.length };
                if let Some(bounds) = bounds {
                    put(slot, bounds, &name, errors);
                }
            }
            "regex" | "pattern" => {
                let pattern = read_pattern(&name, value, source);
                if let Some(pattern) = errors.keep(pattern) {
                    put(&mut self.pattern, (pattern, name.span()), &name, errors);
                }
            }
            "inner" if source == "schemars" => {
                let Value::List(tokens) = value else {
                    return errors.at(&name, "`inner` takes constraints: `inner(length(min = 1))`");
                };
                let items = Punctuated::<Item, Token![,]>::parse_terminated.parse2(tokens);
                let Some(items) = errors.keep(items) else { return };
                let mut inner = Self::default();
                items.into_iter().for_each(|item| inner.read(item, source, errors));
                put(&mut self.inner, (Box::new(inner), name.span()), &name, errors);
            }
            "contains" => errors.at(&name, "`contains` is not checked: write `regex(pattern = \"..\")`"),
            "required" => {
                errors.at(&name, "`required` is not checked: make the type of the field no `Option`")
            }
            "extend" => refuse_extend(value, errors),
            "rename" | "flatten" if source == "schemars" => {
                let message = format!(
                    "this would change the schema but not what is accepted: use `#[serde({word}..)]`"
                );
                errors.at(&name, message);
            }
            "nested" | "skip" => {}
            _ if source == "validate" => {
                let message =
                    format!("`{word}` is not run for a tool: check it in `run` and return an error");
                errors.at(&name, message);
            }
            _ => {}
        }
    }
}

fn read_pattern(name: &Ident, value: Value, source: &str) -> syn::Result<LitStr> {
    let mend = "write `#[schemars(regex(pattern = \"..\"))]`";
    let Value::List(tokens) = value else { return Err(syn::Error::new_spanned(name, mend)) };
    if source == "validate" {
        return Err(syn::Error::new_spanned(name, format!("this pattern cannot be seen here: {mend}")));
    }
    let expr = if name == "pattern" {
        syn::parse2::<Expr>(tokens)?
    } else {
        let items = Punctuated::<Item, Token![,]>::parse_terminated.parse2(tokens)?;
        let given = items.into_iter().find_map(|item| match item.value {
            Value::Equals(expr) if item.name == "pattern" => Some(expr),
            _ => None,
        });
        given.ok_or_else(|| syn::Error::new_spanned(name, mend))?
    };
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = fragments::expr(&expr) else {
        let message = format!("the pattern must be a literal, so that it can be checked now: {mend}");
        return Err(syn::Error::new_spanned(expr, message));
    };
    match pattern::problem_of(&text.value()) {
        Some(problem) => Err(syn::Error::new_spanned(text, problem)),
        None => Ok(text.clone()),
    }
}

/// Refuses on a type or a variant what only fields can have checked.
pub(crate) fn refuse_in_schema_alone(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("schemars")) {
        let items = attr.parse_args_with(Punctuated::<Item, Token![,]>::parse_terminated);
        let Some(items) = errors.keep(items) else { continue };
        for item in items.into_iter().filter(|item| item.name == "extend") {
            refuse_extend(item.value, errors);
        }
    }
}

/// `extend("minimum" = 1)` would say to the model what nobody checks.
fn refuse_extend(value: Value, errors: &mut Errors) {
    // Without a list it extends nothing, and schemars says so.
    let Value::List(tokens) = value else { return };
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let key: LitStr = input.parse()?;
            if CONSTRAINING.contains(&key.value().as_str()) {
                errors.at(
                    &key,
                    "this would stand in the schema alone and not be checked: \
                     use `range`, `length`, `regex(pattern = \"..\")`, or a type that says it",
                );
            }
            while !input.is_empty() && !input.peek(Token![,]) {
                input.parse::<proc_macro2::TokenTree>()?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    let read = parser.parse2(tokens);
    errors.keep(read);
}

fn put<T>(slot: &mut Option<T>, value: T, name: &Ident, errors: &mut Errors) {
    if slot.is_some() {
        errors.at(name, format!("`{name}` is given twice: keep one"));
    } else {
        *slot = Some(value);
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn errors_of(field: syn::ItemStruct) -> Vec<String> {
        let mut errors = Errors::default();
        for field in &field.fields {
            Constraints::of(&field.attrs, &mut errors);
        }
        errors.messages()
    }

    #[test]
    fn what_would_only_reach_the_schema_is_refused() {
        let errors = errors_of(parse_quote! {
            struct S {
                #[schemars(contains("x"))] a: String,
                #[schemars(required)] b: Option<String>,
                #[schemars(extend("minimum" = 1, "x-hint" = {"a": [1, 2]}))] c: u8,
                #[validate(custom(function = f))] d: u8,
                #[garde(range(min = 1))] e: u8,
                #[schemars(regex(pattern = PATTERN))] f: String,
                #[validate(regex(path = PATTERN))] g: String,
                #[schemars(rename = "x")] h: String,
            }
        });
        assert_eq!(errors.len(), 8, "{errors:#?}");
    }

    #[test]
    fn bounds_must_make_sense() {
        let errors = errors_of(parse_quote! {
            struct S {
                #[schemars(range(min = 5, max = -1))] a: i8,
                #[schemars(range())] b: u8,
                #[schemars(range(from = 1))] c: u8,
                #[schemars(length(min = -1))] d: String,
                #[schemars(length(min = 1), length(max = 1))] e: String,
                #[schemars(range(min = 1))] #[validate(range(max = 2))] f: u8,
                #[schemars(regex(pattern = "["))] g: String,
            }
        });
        // `range(from = 1)` has an unknown bound and none that counts.
        assert_eq!(errors.len(), 8, "{errors:#?}");
    }

    #[test]
    fn what_does_not_constrain_passes() {
        let errors = errors_of(parse_quote! {
            struct S {
                #[schemars(with = "String", title = "T", extend("x-hint" = 1), range(min = "1", max = 2))] a: u8,
                #[validate(length(equal = 3, message = "three"), nested)] b: String,
                #[garde(skip)] c: String,
                #[schemars(url, pattern("^https:"))] d: String,
            }
        });
        assert_eq!(errors, Vec::<String>::new());
    }
}
