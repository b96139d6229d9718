//! `impl Tool`: the definition from attributes and doc comment, shared by both forms.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Ident, Type};

use crate::attrs::{Attrs, Given};
use crate::docs::Docs;
use crate::errors::Errors;
use crate::krate;
use crate::names::{problem_of_name, title_case};

/// What both forms know of a tool.
pub(crate) struct Definition<'a> {
    /// The struct or function, for errors.
    pub(crate) ident: &'a Ident,
    /// The type that becomes the tool.
    pub(crate) tool: &'a Ident,
    /// The name where none is given.
    pub(crate) default_name: String,
    pub(crate) attributes: &'a [Attribute],
    pub(crate) attrs: &'a Attrs,
    /// The instance's state, `()` for none.
    pub(crate) state: TokenStream,
    pub(crate) krate: &'a TokenStream,
}

impl Definition<'_> {
    /// `impl Tool`; its body is that of `Run`.
    pub(crate) fn implement(&self, errors: &mut Errors) -> TokenStream {
        let Self { tool, state, .. } = self;
        // A missing trait is reported at the type's name.
        let krate = &krate::at(tool.span(), self.krate);
        let definition = self.expression(krate, errors);
        quote_spanned! {tool.span()=>
            #[automatically_derived]
            impl #krate::Tool for #tool {
                type Output = <#tool as #krate::Run<#state>>::Output;
                type State = #state;

                fn definition() -> #krate::ToolDefinition {
                    #definition
                }

                fn check(&self, __problems: &mut #krate::Problems) {
                    #krate::ToolArgs::check_at(self, &#krate::Pointer::root(), __problems);
                }

                fn call(
                    self,
                    __cx: &#krate::ToolContext<#state>,
                ) -> impl ::core::future::Future<Output = #krate::Result<Self::Output>> + ::core::marker::Send {
                    <#tool as #krate::Run<#state>>::run(self, __cx)
                }
            }
        }
    }

    fn expression(&self, krate: &TokenStream, errors: &mut Errors) -> TokenStream {
        let Self { tool, attrs, .. } = self;
        let name = self.name(errors);
        let docs = Docs::of(self.attributes);
        if docs.is_empty {
            let message = "a tool needs a description: write a doc comment that tells a model what it does";
            errors.at(self.ident, message);
        }
        let title = match (&attrs.title, docs.title) {
            (Some(title), _) => title.value.value(),
            (None, Some(heading)) => heading,
            (None, None) => title_case(&name),
        };
        let description = docs.description;
        let mut definition = quote_spanned! {tool.span()=>
            #krate::ToolDefinition::new(#name, #description, #krate::input_of::<#tool>()).title(#title)
        };
        definition.extend(annotations(attrs, krate));
        let texts = [("scopes", &attrs.scopes), ("aliases", &attrs.aliases)];
        for (method, Given { value, .. }) in
            texts.into_iter().filter_map(|(m, given)| Some((m, given.as_ref()?)))
        {
            let method = Ident::new(method, proc_macro2::Span::call_site());
            definition.extend(quote!(.#method([#(#value),*])));
        }
        if let Some(version) = &attrs.version {
            let version = &version.value;
            definition.extend(quote!(.version(#version)));
        }
        if let Some(timeout) = &attrs.timeout {
            let timeout = duration(timeout.value);
            definition.extend(quote!(.timeout(#timeout)));
        }
        if let Some(cache) = &attrs.cache {
            let cache = duration(cache.value);
            definition.extend(quote!(.cache(#cache)));
        }
        if let Some(cost) = &attrs.cost {
            let cost = cost.value;
            definition.extend(quote!(.cost(#cost)));
        }
        if let Some(blocking) = &attrs.blocking {
            let blocking = blocking.value;
            definition.extend(quote!(.blocking(#blocking)));
        }
        if let Some(deprecated) = &attrs.deprecated {
            let note = &deprecated.value;
            definition.extend(quote!(.deprecated(#note)));
        }
        definition
    }

    fn name(&self, errors: &mut Errors) -> String {
        let name = match &self.attrs.name {
            // Its rule was checked when it was read.
            Some(given) => given.value.value(),
            None => {
                if let Some(problem) = problem_of_name(&self.default_name) {
                    let message = format!(
                        "the tool's name would be `{}`, which {problem}: give one, `#[tool(name = \"..\")]`",
                        self.default_name
                    );
                    errors.at(self.ident, message);
                }
                self.default_name.clone()
            }
        };
        self.attrs.check_against(&name, errors);
        name
    }
}

/// The careful defaults, or those of a read, with what the author said over them.
fn annotations(attrs: &Attrs, krate: &TokenStream) -> TokenStream {
    let said = |flag: &Option<Given<bool>>, default| flag.as_ref().map_or(default, |given| given.value);
    let read_only = said(&attrs.read_only, false);
    let destructive = said(&attrs.destructive, !read_only);
    let idempotent = said(&attrs.idempotent, read_only);
    let open_world = said(&attrs.open_world, true);
    quote! {
        .annotations(#krate::Annotations {
            read_only: #read_only,
            destructive: #destructive,
            idempotent: #idempotent,
            open_world: #open_world,
        })
    }
}

fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

/// The state's type, `()` where none is declared.
pub(crate) fn state_or_unit(state: Option<&Type>) -> TokenStream {
    state.map_or_else(|| quote!(()), ToTokens::to_token_stream)
}
