//! The check in Rust: calls of what `tool-connect-core` has for each constraint.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;

use super::Constraints;
use super::bounds::{Bounds, as_float, is_float};
use crate::krate;
use crate::pattern::Simple;

impl Constraints {
    /// Statements that check `value`, an expression of type `&ty`, which stands at `at`.
    pub(crate) fn check(
        &self,
        value: &TokenStream,
        ty: &Type,
        at: &TokenStream,
        krate: &TokenStream,
    ) -> TokenStream {
        let mut checks = TokenStream::new();
        // Errors point at the attribute. A name of the generated code is looked up where the derive stands, not where a macro had
        // the attribute from.
        let problems = Ident::new("__problems", Span::call_site());
        let krate_at = |span| krate::at(span, krate);
        for (name, bounds) in [("range", &self.range), ("length", &self.length)] {
            let Some(Bounds { min, max, span }) = bounds else { continue };
            let function = format_ident!("{}", name, span = *span);
            let krate = krate_at(*span);
            let float = name == "range" && is_float(ty);
            let [min, max] = [min, max].map(|bound| match bound {
                Some(bound) => {
                    let bound = if float { as_float(bound) } else { quote!(#bound) };
                    quote_spanned!(*span=> ::core::option::Option::Some(#bound))
                }
                None => quote_spanned!(*span=> ::core::option::Option::None),
            });
            checks.extend(quote_spanned!(*span=>
                #krate::check::#function(#value, #min, #max, #at, #problems);
            ));
        }
        if let Some((pattern, span)) = &self.pattern {
            let krate = krate_at(*span);
            let check = quote_spanned!(*span=> #krate::check::pattern(#value, &__PATTERN, #at, #problems););
            let general = quote! {
                static __PATTERN: ::std::sync::LazyLock<#krate::regex_lite::Regex> = ::std::sync::LazyLock::new(|| {
                    #krate::regex_lite::Regex::new(#pattern).expect("the derive has compiled this pattern before")
                });
                #check
            };
            checks.extend(match Simple::parse(&pattern.value()) {
                Some(simple) => {
                    let accepts = simple.accepts(&quote!(__text));
                    let text = quote_spanned!(*span=> #krate::check::Text::text(#value));
                    quote!(if !#text.is_none_or(|__text| #accepts) { #general })
                }
                None => quote!({ #general }),
            });
        }
        if let Some((format, span)) = &self.format {
            let format = format_ident!("{}", format, span = *span);
            let krate = krate_at(*span);
            checks.extend(quote_spanned!(*span=>
                #krate::check::format(#value, #krate::check::Format::#format, #at, #problems);
            ));
        }
        if let Some((inner, span)) = &self.inner {
            let (item, at_item) = (quote!(__item), quote!(__at));
            let inner = inner.check(&item, ty, &at_item, krate);
            let krate = krate_at(*span);
            checks.extend(quote_spanned!(*span=>
                #krate::check::each(#value, #at, |#item, #at_item| { #inner });
            ));
        }
        checks
    }
}
