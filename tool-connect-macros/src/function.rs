//! `#[tool]` on an async fn: a type that runs the function, and the function itself.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, GenericArgument, ItemFn, PathArguments, ReturnType, Safety, Signature, Type};

use crate::attrs::Attrs;
use crate::definition::{Definition, state_or_unit};
use crate::errors::Errors;
use crate::names::pascal_case;
use crate::{fragments, krate};

/// Expands `#[tool]`. The function is kept in any case, so that its callers see no further errors.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => {
            let tool = tool(args, &function).unwrap_or_else(|error| error.into_compile_error());
            quote!(#function #tool)
        }
        Err(_) => {
            let first =
                item.clone().into_iter().find(|token| matches!(token, proc_macro2::TokenTree::Ident(_)));
            let message = "`#[tool]` goes on an async function; an argument struct has `#[derive(Tool)]`, and `#[tool(..)]` below it";
            let error = syn::Error::new(first.span(), message).into_compile_error();
            quote!(#item #error)
        }
    }
}

/// What is generated exists where the function does.
fn cfgs(function: &ItemFn) -> Vec<&Attribute> {
    function.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect()
}

/// What a tool's function must look like: `async fn name(cx: &ToolContext<State>, args: Args) -> Result<Output>`.
struct Shape<'a> {
    state: Option<&'a Type>,
    args: Option<&'a Type>,
    output: &'a Type,
}

fn tool(args: TokenStream, function: &ItemFn) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let attrs = Attrs::of_function(args, &mut errors);
    let krate =
        errors.keep(krate::private(attrs.krate.as_ref().map(|given| &given.value))).unwrap_or_default();
    let sig = &function.sig;
    let name = sig.ident.unraw().to_string();
    let tool = format_ident!("{}", pascal_case(&name), span = sig.ident.span());
    let shape = shape(sig, &tool.to_string(), &mut errors);
    let definition = Definition {
        ident: &sig.ident,
        tool: &tool,
        default_name: name,
        attributes: &function.attrs,
        attrs: &attrs,
        state: state_or_unit(shape.as_ref().and_then(|shape| shape.state)),
        krate: &krate,
    };
    let implementation = definition.implement(&mut errors);
    errors.finish()?;
    // Without a shape there was an error, so this is not reached.
    let Some(shape) = shape else { return Ok(TokenStream::new()) };
    let state = &definition.state;
    let arguments = arguments(function, &tool, shape.args, &krate);
    let (ident, output) = (&sig.ident, shape.output);
    let call = match shape.args {
        Some(_) => quote_spanned!(ident.span()=> #ident(__cx, self.0).await),
        None => quote_spanned!(ident.span()=> #ident(__cx).await),
    };
    // What the compiler says of the body is said at the function's name.
    let krate = krate::at(ident.span(), &krate);
    let run = quote_spanned! {ident.span()=>
        #[automatically_derived]
        impl #krate::Run<#state> for #tool {
            type Output = #output;

            async fn run(self, __cx: &#krate::ToolContext<#state>) -> #krate::Result<#output> {
                #call
            }
        }
    };
    let cfgs = cfgs(function);
    Ok(quote! {
        #arguments
        #(#cfgs)*
        #run
        #(#cfgs)*
        #implementation
    })
}

fn shape<'a>(sig: &'a Signature, tool: &str, errors: &mut Errors) -> Option<Shape<'a>> {
    if sig.asyncness.is_none() {
        errors.at(sig.fn_token, "a tool is an async function: write `async fn`");
    }
    for (found, word) in [
        (sig.constness.as_ref().map(Spanned::span), "const"),
        (sig.abi.as_ref().map(Spanned::span), "extern"),
        (unsafety(sig), "unsafe"),
    ] {
        if let Some(span) = found {
            errors.at_span(span, format!("a tool cannot be `{word}`"));
        }
    }
    if let Some(param) = sig.generics.params.first() {
        errors.at(param, "a tool is one concrete function with one schema: take its generic parameters away");
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.at(clause, "a tool has no generic parameters, so there is nothing to bound");
    }
    let output = output(sig, tool, errors);
    let (state, args) = inputs(sig, tool, errors)?;
    Some(Shape { state, args, output: output? })
}

fn unsafety(sig: &Signature) -> Option<proc_macro2::Span> {
    match &sig.safety {
        Safety::Unsafe(token) => Some(token.span()),
        _ => None,
    }
}

/// The state's and the arguments' types.
fn inputs<'a>(
    sig: &'a Signature,
    tool: &str,
    errors: &mut Errors,
) -> Option<(Option<&'a Type>, Option<&'a Type>)> {
    let mut types = Vec::new();
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => {
                errors.at(
                    receiver,
                    "a tool is a free function: take `self` away, and reach state by `cx.state()?`",
                );
                return None;
            }
            FnArg::Typed(typed) => types.push(&*typed.ty),
        }
    }
    let mut types = types.into_iter();
    let context = "the first parameter is the context: `cx: &ToolContext`, or `cx: &ToolContext<State>`";
    let Some(first) = types.next() else {
        errors.at(&sig.ident, context);
        return None;
    };
    let Some(state) = context_state(first) else {
        errors.at(first, context);
        return None;
    };
    let args = types.next();
    if let Some(args) = args {
        check_args(args, tool, errors);
    }
    for more in types {
        errors.at(more, "a tool takes one argument struct: make this a field of it");
    }
    Some((state, args))
}

fn check_args(args: &Type, tool: &str, errors: &mut Errors) {
    match fragments::ty(args) {
        Type::Reference(_) => errors.at(args, "the arguments belong to the call: take them by value"),
        Type::ImplTrait(_) => errors.at(args, "a tool has one schema: name the argument struct"),
        Type::Path(path) if path.path.is_ident(tool) => errors.at(
            args,
            format!("the tool's own type will be called `{tool}`: give the arguments another name, such as `{tool}Args`"),
        ),
        Type::Path(_) => {}
        _ => errors.at(args, "arguments have names: take one struct with named fields"),
    }
}

/// `None` where the type is no context; `Some(None)` for a context without state.
fn context_state(ty: &Type) -> Option<Option<&Type>> {
    let Type::Reference(reference) = fragments::ty(ty) else { return None };
    let Type::Path(path) = fragments::ty(&reference.elem) else { return None };
    let last = path.path.segments.last()?;
    if last.ident != "ToolContext" || reference.mutability.is_some() {
        return None;
    }
    match &last.arguments {
        PathArguments::None => Some(None),
        PathArguments::AngleBracketed(generic) => generic.args.iter().find_map(|arg| match arg {
            GenericArgument::Type(state) => Some(Some(state)),
            _ => None,
        }),
        PathArguments::Parenthesized(_) => None,
    }
}

fn output<'a>(sig: &'a Signature, tool: &str, errors: &mut Errors) -> Option<&'a Type> {
    let message = "a tool returns `Result<Output>`, where `Output` can be serialised";
    let ReturnType::Type(_, ty) = &sig.output else {
        errors.at(&sig.ident, message);
        return None;
    };
    let found = match fragments::ty(ty) {
        Type::Path(path) => path.path.segments.last().filter(|last| last.ident == "Result"),
        _ => None,
    };
    let output = found.and_then(|last| match &last.arguments {
        PathArguments::AngleBracketed(generic) => generic.args.iter().find_map(|arg| match arg {
            GenericArgument::Type(output) => Some(output),
            _ => None,
        }),
        _ => None,
    });
    match output.map(fragments::ty) {
        None => errors.at(ty, message),
        Some(Type::ImplTrait(_)) => errors.at(output, "a tool has one output schema: name the type"),
        Some(Type::Reference(_)) => errors.at(output, "the output outlives the call: return an owned value"),
        Some(Type::Path(path)) if path.path.is_ident(tool) => errors.at(
            output,
            format!("the tool's own type will be called `{tool}`, like this output: give the function another name"),
        ),
        Some(_) => {}
    }
    output
}

/// The type that is added to a tool set, with the function's visibility and documentation.
fn arguments(function: &ItemFn, tool: &syn::Ident, args: Option<&Type>, krate: &TokenStream) -> TokenStream {
    let vis = &function.vis;
    let kept = function.attrs.iter().filter(|attr| ["doc", "cfg"].iter().any(|a| attr.path().is_ident(a)));
    let cfgs = cfgs(function);
    let serde = quote!(#krate::serde).to_string();
    let Some(args) = args else {
        let schemars = quote!(#krate::schemars).to_string();
        return quote! {
            #(#kept)*
            #[derive(
                ::core::clone::Clone,
                ::core::fmt::Debug,
                #krate::serde::Serialize,
                #krate::serde::Deserialize,
                #krate::schemars::JsonSchema,
            )]
            #[serde(crate = #serde, deny_unknown_fields)]
            #[schemars(crate = #schemars)]
            #vis struct #tool {}

            #(#cfgs)*
            #[automatically_derived]
            impl #krate::ToolArgs for #tool {}
        };
    };
    let check = quote_spanned!(args.span()=> #krate::object_args);
    quote! {
        #(#kept)*
        #[derive(::core::clone::Clone, #krate::serde::Serialize, #krate::serde::Deserialize)]
        #[serde(crate = #serde, transparent)]
        #vis struct #tool(#vis #args);

        #(#cfgs)*
        #[automatically_derived]
        impl ::core::convert::From<#args> for #tool {
            fn from(args: #args) -> Self {
                Self(args)
            }
        }

        #(#cfgs)*
        #[automatically_derived]
        impl #krate::schemars::JsonSchema for #tool {
            fn inline_schema() -> bool {
                <#args as #krate::schemars::JsonSchema>::inline_schema()
            }
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                <#args as #krate::schemars::JsonSchema>::schema_name()
            }
            fn schema_id() -> ::std::borrow::Cow<'static, str> {
                <#args as #krate::schemars::JsonSchema>::schema_id()
            }
            fn json_schema(generator: &mut #krate::schemars::SchemaGenerator) -> #krate::schemars::Schema {
                <#args as #krate::schemars::JsonSchema>::json_schema(generator)
            }
        }

        #(#cfgs)*
        #[automatically_derived]
        impl #krate::ToolArgs for #tool {
            fn check_at(&self, __at: &#krate::Pointer<'_>, __problems: &mut #krate::Problems) {
                #check::<#args>(&self.0, __at, __problems);
            }
        }
    }
}
