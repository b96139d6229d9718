//! What `#[serde(..)]` says about the shape of the JSON: names, tags, strictness.
//!
//! Only what decides where a value stands is read here; serde's own derive reports its misuse.

use proc_macro2::Span;
use syn::{Attribute, LitStr, Meta, Token, punctuated::Punctuated};

use crate::fragments;

/// On a struct or an enum.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) deny_unknown_fields: bool,
    pub(crate) rename_all: Option<String>,
    /// For the fields of an enum's variants.
    pub(crate) rename_all_fields: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) untagged: bool,
    pub(crate) transparent: Option<Span>,
    /// `from`, `try_from`, `remote`: the JSON is that of another type.
    pub(crate) other_type: Option<(String, Span)>,
}

/// On a variant or a field.
#[derive(Default)]
pub(crate) struct Member {
    pub(crate) rename: Option<String>,
    /// For the fields of a variant.
    pub(crate) rename_all: Option<String>,
    /// Never read from JSON.
    pub(crate) skipped: bool,
    pub(crate) untagged: bool,
    pub(crate) flatten: Option<Span>,
}

impl Container {
    pub(crate) fn of(attrs: &[Attribute]) -> Self {
        let mut said = Self::default();
        each(attrs, |name, meta, span| match name {
            "deny_unknown_fields" => said.deny_unknown_fields = true,
            "rename_all" => said.rename_all = for_deserialize(meta),
            "rename_all_fields" => said.rename_all_fields = for_deserialize(meta),
            "tag" => said.tag = string(meta),
            "content" => said.content = string(meta),
            "untagged" => said.untagged = true,
            "transparent" => said.transparent = Some(span),
            "from" | "try_from" | "remote" => said.other_type = Some((name.to_owned(), span)),
            _ => {}
        });
        said
    }
}

impl Member {
    pub(crate) fn of(attrs: &[Attribute]) -> Self {
        let mut said = Self::default();
        each(attrs, |name, meta, span| match name {
            "rename" => said.rename = for_deserialize(meta),
            "rename_all" => said.rename_all = for_deserialize(meta),
            "skip" | "skip_deserializing" => said.skipped = true,
            "untagged" => said.untagged = true,
            "flatten" => said.flatten = Some(span),
            _ => {}
        });
        said
    }
}

fn each(attrs: &[Attribute], mut show: impl FnMut(&str, &Meta, Span)) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        let Ok(metas) = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
            continue;
        };
        for meta in &metas {
            if let Some(name) = meta.path().get_ident() {
                show(&name.to_string(), meta, name.span());
            }
        }
    }
}

fn string(meta: &Meta) -> Option<String> {
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) =
        fragments::expr(&meta.require_name_value().ok()?.value)
    else {
        return None;
    };
    Some(text.value())
}

/// `x = ".."`, or the half of `x(serialize = "..", deserialize = "..")` that reads.
fn for_deserialize(meta: &Meta) -> Option<String> {
    let Meta::List(list) = meta else { return string(meta) };
    let mut found = None;
    let read = list.parse_nested_meta(|inner| {
        let text: LitStr = inner.value()?.parse()?;
        if inner.path.is_ident("deserialize") {
            found = Some(text.value());
        }
        Ok(())
    });
    read.ok().and(found)
}

/// The name of a field after `rename_all`.
pub(crate) fn field_name(field: &str, rule: Option<&str>) -> String {
    let pascal = || field.split('_').map(capitalised).collect::<String>();
    match rule {
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => field.to_ascii_uppercase(),
        Some("PascalCase") => pascal(),
        Some("camelCase") => uncapitalised(&pascal()),
        Some("kebab-case") => field.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => field.to_ascii_uppercase().replace('_', "-"),
        _ => field.to_owned(),
    }
}

/// The name of a variant after `rename_all`.
pub(crate) fn variant_name(variant: &str, rule: Option<&str>) -> String {
    let snake = || {
        let mut snake = String::new();
        for (i, c) in variant.char_indices() {
            if i > 0 && c.is_uppercase() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        }
        snake
    };
    match rule {
        Some("lowercase") => variant.to_ascii_lowercase(),
        Some("UPPERCASE") => variant.to_ascii_uppercase(),
        Some("camelCase") => uncapitalised(variant),
        Some("snake_case") => snake(),
        Some("SCREAMING_SNAKE_CASE") => snake().to_ascii_uppercase(),
        Some("kebab-case") => snake().replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => snake().to_ascii_uppercase().replace('_', "-"),
        _ => variant.to_owned(),
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

fn uncapitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn fields_are_renamed_as_serde_does() {
        for (rule, name) in [
            (None, "very_tasty"),
            (Some("lowercase"), "very_tasty"),
            (Some("snake_case"), "very_tasty"),
            (Some("UPPERCASE"), "VERY_TASTY"),
            (Some("PascalCase"), "VeryTasty"),
            (Some("camelCase"), "veryTasty"),
            (Some("SCREAMING_SNAKE_CASE"), "VERY_TASTY"),
            (Some("kebab-case"), "very-tasty"),
            (Some("SCREAMING-KEBAB-CASE"), "VERY-TASTY"),
        ] {
            assert_eq!(field_name("very_tasty", rule), name, "{rule:?}");
        }
    }

    #[test]
    fn variants_are_renamed_as_serde_does() {
        for (rule, name) in [
            (None, "VeryTasty"),
            (Some("PascalCase"), "VeryTasty"),
            (Some("lowercase"), "verytasty"),
            (Some("UPPERCASE"), "VERYTASTY"),
            (Some("camelCase"), "veryTasty"),
            (Some("snake_case"), "very_tasty"),
            (Some("SCREAMING_SNAKE_CASE"), "VERY_TASTY"),
            (Some("kebab-case"), "very-tasty"),
            (Some("SCREAMING-KEBAB-CASE"), "VERY-TASTY"),
        ] {
            assert_eq!(variant_name("VeryTasty", rule), name, "{rule:?}");
        }
    }

    #[test]
    fn the_reading_half_of_a_rename_counts() {
        let container = Container::of(&[
            parse_quote!(#[serde(rename_all(serialize = "UPPERCASE", deserialize = "camelCase"))]),
            parse_quote!(#[serde(crate = "a::b", bound = "", deny_unknown_fields, default)]),
        ]);
        assert_eq!(container.rename_all.as_deref(), Some("camelCase"));
        assert!(container.deny_unknown_fields);
        let member = Member::of(&[parse_quote!(#[serde(rename(serialize = "out"), skip_deserializing)])]);
        assert_eq!(member.rename, None);
        assert!(member.skipped);
    }
}
