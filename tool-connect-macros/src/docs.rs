//! Doc comments: where titles and descriptions come from.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

use crate::fragments;

/// What a doc comment says.
pub(crate) struct Docs {
    /// Text of a first line that is a heading.
    pub(crate) title: Option<String>,
    /// The rest, as an expression of type `&'static str`.
    pub(crate) description: TokenStream,
    /// Nothing is said, as far as a macro can see.
    pub(crate) is_empty: bool,
}

impl Docs {
    /// Reads the `doc` attributes, however they were written.
    pub(crate) fn of(attrs: &[Attribute]) -> Self {
        let mut pieces = Vec::new();
        for attr in attrs {
            match &attr.meta {
                Meta::NameValue(meta) if meta.path.is_ident("doc") => pieces.push(&meta.value),
                _ => {}
            }
        }
        let mut text = String::new();
        for piece in &pieces {
            let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = fragments::expr(piece) else {
                // `#[doc = include_str!(..)]`: its text is known only later.
                return Self {
                    title: None,
                    description: quote!(::core::concat!(#(#pieces, "\n"),*)),
                    is_empty: false,
                };
            };
            let line = line.value();
            text.push_str(line.strip_prefix(' ').unwrap_or(&line));
            text.push('\n');
        }
        let text = unindented(text.trim());
        let (title, description) = match text.strip_prefix('#') {
            Some(rest) => {
                let (heading, rest) = rest.split_once('\n').unwrap_or((rest, ""));
                let heading = heading.trim_start_matches('#').trim().to_owned();
                (Some(heading).filter(|heading| !heading.is_empty()), rest.trim().to_owned())
            }
            None => (None, text),
        };
        Self { title, is_empty: description.is_empty(), description: description.into_token_stream() }
    }
}

/// Takes the ` * ` and the indentation from the lines of a block comment.
fn unindented(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let stars = lines.iter().skip(1).all(|line| line.trim_start().starts_with('*') || line.is_empty());
    if !stars || lines.len() < 2 {
        return lines.join("\n");
    }
    let plain = lines.iter().map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix('*').unwrap_or(line);
        line.strip_prefix(' ').unwrap_or(line)
    });
    plain.collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn docs(item: &syn::ItemStruct) -> (Option<String>, String) {
        let docs = Docs::of(&item.attrs);
        let text = syn::parse2::<syn::LitStr>(docs.description).unwrap().value();
        assert_eq!(text.is_empty(), docs.is_empty);
        (docs.title, text)
    }

    #[test]
    fn lines_are_joined() {
        let item = parse_quote! {
            /// Creates an issue.
            ///
            /// Needs the scope `repo`.
            struct S;
        };
        assert_eq!(docs(&item), (None, "Creates an issue.\n\nNeeds the scope `repo`.".to_owned()));
    }

    #[test]
    fn a_heading_is_the_title() {
        let item = parse_quote! {
            /// # New issue
            /// Creates an issue.
            struct S;
        };
        assert_eq!(docs(&item), (Some("New issue".to_owned()), "Creates an issue.".to_owned()));
    }

    #[test]
    fn a_heading_alone_is_no_description() {
        let item = parse_quote! {
            /// # New issue
            struct S;
        };
        assert_eq!(docs(&item), (Some("New issue".to_owned()), String::new()));
    }

    #[test]
    fn block_comments_lose_their_frame() {
        let item = parse_quote! {
            /** Creates an issue.
             *
             * Twice.
             */
            struct S;
        };
        assert_eq!(docs(&item), (None, "Creates an issue.\n\nTwice.".to_owned()));
    }

    #[test]
    fn empty_comments_are_empty() {
        let item = parse_quote! {
            ///
            ///
            struct S;
        };
        assert_eq!(docs(&item), (None, String::new()));
    }

    #[test]
    fn included_text_is_left_to_the_compiler() {
        let item: syn::ItemStruct = parse_quote! {
            #[doc = include_str!("tool.md")]
            struct S;
        };
        let docs = Docs::of(&item.attrs);
        assert!(!docs.is_empty);
        assert!(docs.description.to_string().contains("include_str"));
    }
}
