//! Where generated code finds the crate that it belongs to.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};

/// The path of the hidden module with everything that generated code names.
///
/// # Errors
/// Where the package depends on neither crate and says no `#[tool(crate = ..)]`.
pub(crate) fn private(given: Option<&syn::Path>) -> syn::Result<TokenStream> {
    if let Some(path) = given {
        return Ok(quote!(#path::__private));
    }
    found(|package| crate_name(package).ok()).map(|name| quote!(::#name::__private)).ok_or_else(|| {
        syn::Error::new(
            Span::call_site(),
            "neither `tool-connect` nor `tool-connect-core` is a dependency of this package; \
             add one, or say where it is re-exported: `#[tool(crate = path::to::tool_connect)]`",
        )
    })
}

/// Core goes before the facade: a connector depends on core and may have the facade for its tests,
/// and then only core is there when its library is built.
fn found(look: impl Fn(&str) -> Option<FoundCrate>) -> Option<Ident> {
    ["tool-connect-core", "tool-connect"].into_iter().find_map(|package| {
        Some(match look(package)? {
            // Examples and doc tests of that package, and its own code by `extern crate self`.
            FoundCrate::Itself => format_ident!("{}", package.replace('-', "_")),
            FoundCrate::Name(name) => format_ident!("{}", name),
        })
    })
}

/// The same tokens at another place, so that what the compiler says of them is said there.
pub(crate) fn at(span: Span, tokens: &TokenStream) -> TokenStream {
    let moved = tokens.clone().into_iter().map(|mut token| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), at(span, &group.stream())).into();
        }
        token.set_span(span);
        token
    });
    moved.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dependency_is_found_under_its_name() {
        let named = |package, name: &str| (package, FoundCrate::Name(name.to_owned()));
        let core = "tool-connect-core";
        let facade = "tool-connect";
        for (dependencies, name) in [
            (vec![named(facade, "tool_connect")], Some("tool_connect")),
            (vec![named(facade, "tc")], Some("tc")),
            (vec![named(core, "tools")], Some("tools")),
            (
                vec![named(facade, "tool_connect"), named(core, "tool_connect_core")],
                Some("tool_connect_core"),
            ),
            (vec![(core, FoundCrate::Itself)], Some("tool_connect_core")),
            (vec![(facade, FoundCrate::Itself)], Some("tool_connect")),
            (vec![], None),
        ] {
            let look = |package: &str| {
                dependencies.iter().find(|(name, _)| *name == package).map(|(_, found)| found.clone())
            };
            assert_eq!(found(look).map(|ident| ident.to_string()).as_deref(), name);
        }
    }

    #[test]
    fn a_given_path_goes_before_all() {
        let path = syn::parse_quote!(framework::tools);
        let tokens = private(Some(&path)).unwrap();
        assert_eq!(tokens.to_string(), quote!(framework::tools::__private).to_string());
    }
}
