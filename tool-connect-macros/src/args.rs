//! `#[derive(ToolArgs)]`: what may stand in a tool's arguments, and the check of what types cannot say.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DeriveInput, Field, Fields, GenericParam, Ident, Type};

use crate::attrs::{Attrs, Place, is};
use crate::constraint::{Constraints, refuse_in_schema_alone};
use crate::errors::Errors;
use crate::serde_attrs::{Container, Member, field_name, variant_name};
use crate::{fragments, krate};

/// Said of lifetimes and references.
pub(crate) const OWNED: &str = "arguments are owned, because they outlive the text that they are read from: \
                                hold a `String`, not a `&str`";

/// Expands `#[derive(ToolArgs)]`.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let attrs = Attrs::of(&input.attrs, Place::Args, &mut errors);
    let krate =
        errors.keep(krate::private(attrs.krate.as_ref().map(|given| &given.value))).unwrap_or_default();
    let expanded = implement(input, &attrs, &krate, &mut errors);
    errors.finish()?;
    Ok(expanded)
}

/// `impl ToolArgs`, and `impl ObjectArgs` for a struct with named fields.
pub(crate) fn implement(
    input: &DeriveInput,
    attrs: &Attrs,
    krate: &TokenStream,
    errors: &mut Errors,
) -> TokenStream {
    let container = Container::of(&input.attrs);
    refuse_shape(input, &container, errors);
    refuse_in_schema_alone(&input.attrs, errors);
    require_strictness(input, &container, attrs, errors);
    let body = match &input.data {
        Data::Struct(data) => {
            let fields = FieldsOf {
                fields: &data.fields,
                rename_all: container.rename_all.as_deref(),
                transparent: container.transparent.is_some(),
                krate,
            };
            let (pattern, checks) = fields.expand(errors);
            quote!(let Self #pattern = self; #checks)
        }
        Data::Enum(data) => variants(data, &container, krate, errors),
        Data::Union(_) => TokenStream::new(),
    };
    let ident = &input.ident;
    let mut generics = input.generics.clone();
    for param in input.generics.type_params() {
        let param = &param.ident;
        generics.make_where_clause().predicates.push(syn::parse_quote!(#param: #krate::ToolArgs));
    }
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    let object = matches!(&input.data, Data::Struct(data) if matches!(data.fields, Fields::Named(_)))
        && container.transparent.is_none();
    let object = object.then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #krate::ObjectArgs for #ident #type_generics #where_clause {}
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #krate::ToolArgs for #ident #type_generics #where_clause {
            fn check_at(&self, __at: &#krate::Pointer<'_>, __problems: &mut #krate::Problems) {
                #body
            }
        }
        #object
    }
}

fn refuse_shape(input: &DeriveInput, container: &Container, errors: &mut Errors) {
    if let Data::Union(data) = &input.data {
        errors.at(data.union_token, "a union cannot be read from JSON: use a struct or an enum");
    }
    for param in &input.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            errors.at(lifetime, OWNED);
        }
    }
    if let Some((word, span)) = &container.other_type {
        let message = format!(
            "`{word}` makes the JSON that of another type, whose fields nobody here can see: \
             implement `ToolArgs` for this type by hand (an empty implementation, if the conversion checks everything)"
        );
        errors.at_span(*span, message);
    }
}

fn require_strictness(input: &DeriveInput, container: &Container, attrs: &Attrs, errors: &mut Errors) {
    let named = match &input.data {
        Data::Struct(data) => matches!(data.fields, Fields::Named(_)) && container.transparent.is_none(),
        Data::Enum(data) => data.variants.iter().any(|variant| matches!(variant.fields, Fields::Named(_))),
        Data::Union(_) => false,
    };
    let allowed = is(&attrs.allow_unknown_fields, true);
    if named && !allowed && !container.deny_unknown_fields {
        errors.at(
            &input.ident,
            "a misspelt argument would be passed over in silence: add `#[serde(deny_unknown_fields)]`, \
             or `#[tool(allow_unknown_fields)]` if that is meant",
        );
    }
    if allowed
        && container.deny_unknown_fields
        && let Some(given) = &attrs.allow_unknown_fields
    {
        let message =
            "`allow_unknown_fields` contradicts `#[serde(deny_unknown_fields)]`: keep the one that is meant";
        errors.at_span(given.span, message);
    }
}

/// The fields of a struct or of a variant.
struct FieldsOf<'a> {
    fields: &'a Fields,
    rename_all: Option<&'a str>,
    /// The JSON is that of the only field.
    transparent: bool,
    krate: &'a TokenStream,
}

impl FieldsOf<'_> {
    /// A pattern that binds a reference to each field that is checked, and the statements that check
    /// them; `__at` is where the fields' parent stands.
    fn expand(&self, errors: &mut Errors) -> (TokenStream, TokenStream) {
        let alone = self.transparent || matches!(self.fields, Fields::Unnamed(_)) && self.fields.len() == 1;
        let (mut bindings, mut checks) = (TokenStream::new(), TokenStream::new());
        let mut position: usize = 0;
        for (index, field) in self.fields.iter().enumerate() {
            let member = Member::of(&field.attrs);
            let value = binding(index, field);
            let check = self.check(field, &member, &value, errors);
            let bound = check.as_ref().map_or_else(|| quote!(_), |_| quote!(#value));
            match &field.ident {
                Some(ident) => bindings.extend(quote!(#ident: #bound,)),
                None => bindings.extend(quote!(#bound,)),
            }
            let place = if alone {
                quote!(__at)
            } else if let Some(ident) = &field.ident {
                let name =
                    member.rename.unwrap_or_else(|| field_name(&ident.unraw().to_string(), self.rename_all));
                quote!(&__at.field(#name))
            } else {
                quote!(&__at.index(#position))
            };
            if !member.skipped {
                position += 1;
            }
            if let Some(check) = check {
                checks.extend(quote!({ let __place = #place; #check }));
            }
        }
        let pattern = match self.fields {
            Fields::Named(_) => quote!({ #bindings }),
            Fields::Unnamed(_) => quote!((#bindings)),
            Fields::Unit => TokenStream::new(),
        };
        (pattern, checks)
    }

    /// Statements that check one field, which stands at `__place`; `None` where there are none.
    fn check(
        &self,
        field: &Field,
        member: &Member,
        value: &Ident,
        errors: &mut Errors,
    ) -> Option<TokenStream> {
        let attrs = Attrs::of(&field.attrs, Place::Field, errors);
        let constraints = Constraints::of(&field.attrs, errors);
        if let Some(span) = member.flatten {
            let message = "flattened fields hide what is unknown and cannot be placed: \
                           write the fields out, or nest the struct under a name";
            errors.at_span(span, message);
        }
        if member.skipped {
            if let Some(span) = constraints.span() {
                errors.at_span(span, "this field is not read from JSON, so there is nothing to check");
            }
            return None;
        }
        // Other lifetimes are the type's own parameters, which are refused there.
        if let Type::Reference(reference) = fragments::ty(&field.ty)
            && reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident == "static")
        {
            errors.at(reference, OWNED);
        }
        let (ty, krate) = (&field.ty, self.krate);
        let value = quote!(#value);
        let own = constraints.check(&value, ty, &quote!(__place), krate);
        let nested = (!is(&attrs.unchecked, true)).then(|| {
            let check_at = quote_spanned!(ty.span()=> ::check_at);
            quote!(<#ty as #krate::ToolArgs>#check_at(#value, __place, __problems);)
        });
        (!constraints.is_empty() || nested.is_some()).then(|| quote!(#own #nested))
    }
}

/// A name for a field's value that is no name of the author's, at the field itself: errors point there.
fn binding(index: usize, field: &Field) -> Ident {
    match &field.ident {
        Some(ident) => format_ident!("tool_field_{}", ident.unraw(), span = ident.span()),
        None => format_ident!("tool_field_{}", index, span = field.ty.span()),
    }
}

/// A `match` with an arm for each variant that is read from JSON.
fn variants(data: &DataEnum, container: &Container, krate: &TokenStream, errors: &mut Errors) -> TokenStream {
    let mut arms = TokenStream::new();
    let mut others = data.variants.is_empty();
    for variant in &data.variants {
        let member = Member::of(&variant.attrs);
        let ident = &variant.ident;
        refuse_in_schema_alone(&variant.attrs, errors);
        if member.skipped || matches!(variant.fields, Fields::Unit) {
            others = true;
            continue;
        }
        let fields = FieldsOf {
            fields: &variant.fields,
            rename_all: member.rename_all.as_deref().or(container.rename_all_fields.as_deref()),
            transparent: false,
            krate,
        };
        let (pattern, checks) = fields.expand(errors);
        let name = member
            .rename
            .unwrap_or_else(|| variant_name(&ident.unraw().to_string(), container.rename_all.as_deref()));
        let place = match (&container.tag, &container.content) {
            _ if container.untagged || member.untagged => TokenStream::new(),
            (Some(_), Some(content)) => quote!(let __at = &__at.field(#content);),
            (Some(_), None) => TokenStream::new(),
            (None, _) => quote!(let __at = &__at.field(#name);),
        };
        arms.extend(quote!(Self::#ident #pattern => { #place #checks }));
    }
    let others = others.then(|| quote!(_ => {}));
    quote!(match self { #arms #others })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn implemented(input: DeriveInput) -> (String, Vec<String>) {
        let mut errors = Errors::default();
        let tokens = implement(&input, &Attrs::default(), &quote!(k), &mut errors);
        (tokens.to_string(), errors.messages())
    }

    #[test]
    fn fields_are_placed_by_their_json_names() {
        let (tokens, errors) = implemented(parse_quote! {
            #[serde(deny_unknown_fields, rename_all = "camelCase")]
            struct S {
                first_name: String,
                #[serde(rename = "a/b")] other: String,
                r#type: String,
                #[serde(skip)] hidden: Hidden,
                #[tool(unchecked)] foreign: Foreign,
            }
        });
        assert_eq!(errors, Vec::<String>::new());
        for name in ["\"firstName\"", "\"a/b\"", "\"type\"", "ObjectArgs"] {
            assert!(tokens.contains(name), "{name} in {tokens}");
        }
        assert!(!tokens.contains("Hidden") && !tokens.contains("Foreign"), "{tokens}");
    }

    #[test]
    fn shapes_that_cannot_be_checked_are_refused() {
        for (input, word) in [
            (
                parse_quote!(
                    struct S {
                        a: u8,
                    }
                ),
                "deny_unknown_fields",
            ),
            (
                parse_quote!(
                    enum E {
                        A { a: u8 },
                    }
                ),
                "deny_unknown_fields",
            ),
            (
                parse_quote!(
                    struct S<'a>(&'a str);
                ),
                "owned",
            ),
            (
                parse_quote!(
                    #[serde(try_from = "Raw")]
                    struct S(u8);
                ),
                "by hand",
            ),
            (
                parse_quote!(
                    #[serde(deny_unknown_fields)]
                    struct S {
                        #[serde(flatten)]
                        a: T,
                    }
                ),
                "write the fields out",
            ),
            (
                parse_quote!(
                    #[serde(deny_unknown_fields)]
                    struct S {
                        #[serde(skip)]
                        #[schemars(range(min = 1))]
                        a: T,
                    }
                ),
                "not read from JSON",
            ),
            (parse_quote!(union U { a: u8 }), "a union"),
        ] {
            let (_, errors) = implemented(input);
            assert!(matches!(&*errors, [only] if only.contains(word)), "{word}: {errors:?}");
        }
    }

    #[test]
    fn only_named_structs_are_objects() {
        for input in [
            parse_quote!(
                struct S(u8);
            ),
            parse_quote!(
                enum E {
                    A,
                }
            ),
            parse_quote!(
                struct S;
            ),
        ] {
            let (tokens, errors) = implemented(input);
            assert_eq!(errors, Vec::<String>::new());
            assert!(!tokens.contains("ObjectArgs"), "{tokens}");
        }
    }
}
