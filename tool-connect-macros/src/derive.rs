//! `#[derive(Tool)]`: the argument struct is the tool.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields};

use crate::args;
use crate::attrs::{Attrs, Place};
use crate::definition::{Definition, state_or_unit};
use crate::errors::Errors;
use crate::krate;
use crate::names::snake_case;
use crate::serde_attrs::Container;

/// Expands `#[derive(Tool)]`: `impl Tool` and `impl ToolArgs`.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let attrs = Attrs::of(&input.attrs, Place::Tool, &mut errors);
    let krate =
        errors.keep(krate::private(attrs.krate.as_ref().map(|given| &given.value))).unwrap_or_default();
    let object = require_object(input, &mut errors);
    let definition = Definition {
        ident: &input.ident,
        tool: &input.ident,
        default_name: snake_case(&input.ident.unraw().to_string()),
        attributes: &input.attrs,
        attrs: &attrs,
        state: state_or_unit(attrs.state.as_ref().map(|given| &given.value)),
        krate: &krate,
    };
    let tool = definition.implement(&mut errors);
    // A wrong shape has been reported; its parts would only repeat it.
    let args = if object { args::implement(input, &attrs, &krate, &mut errors) } else { TokenStream::new() };
    errors.finish()?;
    Ok(quote!(#args #tool))
}

/// Model APIs pass arguments by name, and a tool is one concrete type.
fn require_object(input: &DeriveInput, errors: &mut Errors) -> bool {
    let ident = &input.ident;
    let mut object = true;
    let mut refuse = |tokens: &dyn quote::ToTokens, message: &str| {
        errors.at(tokens, message);
        object = false;
    };
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(_) => {}
            Fields::Unnamed(fields) => {
                refuse(fields, "arguments have names: write `struct Name { field: Type }`")
            }
            Fields::Unit => {
                refuse(
                    ident,
                    "a tool without arguments still takes a JSON object: write `struct Name {}` with braces",
                );
            }
        },
        Data::Enum(data) => refuse(
            &data.enum_token,
            "a tool's arguments are a struct with named fields, because model APIs refuse a choice at the top: \
             make one tool of each variant, or put the enum into a field",
        ),
        Data::Union(data) => refuse(&data.union_token, "a tool's arguments are a struct with named fields"),
    }
    if let Some(lifetime) = input.generics.lifetimes().next() {
        refuse(lifetime, args::OWNED);
    } else if !input.generics.params.is_empty() {
        let message =
            "a tool is one concrete type with one schema: write a struct without generic parameters";
        refuse(&input.generics, message);
    }
    if let Some(span) = Container::of(&input.attrs).transparent {
        errors
            .at_span(span, "the arguments of a tool are a JSON object of their own: take `transparent` away");
        object = false;
    }
    object
}
