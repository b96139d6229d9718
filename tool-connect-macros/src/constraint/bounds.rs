//! Bounds of a range or a length.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, ExprUnary, GenericArgument, Ident, Lit, PathArguments, Token, Type, UnOp};

use super::{Item, Value, put};
use crate::errors::Errors;
use crate::fragments;

/// At least one of the two is there.
pub(super) struct Bounds {
    pub(super) min: Option<Expr>,
    pub(super) max: Option<Expr>,
    pub(super) span: Span,
}

impl Bounds {
    /// Reads `(min = .., max = .., equal = ..)`.
    pub(super) fn read(name: &Ident, value: Value, source: &str, errors: &mut Errors) -> Option<Self> {
        let wrong = || format!("`{name}` takes bounds: `{name}(min = 1, max = 100)`");
        let Value::List(tokens) = value else {
            errors.at(name, wrong());
            return None;
        };
        let items = match Punctuated::<Item, Token![,]>::parse_terminated.parse2(tokens) {
            Ok(items) => items,
            Err(error) => {
                errors.push(error);
                return None;
            }
        };
        let (mut min, mut max) = (None, None);
        for Item { name: bound, value } in items {
            let word = bound.to_string();
            match (word.as_str(), value) {
                ("min" | "max" | "equal", Value::Equals(expr)) => {
                    let Some(expr) = errors.keep(unquoted(expr)) else { continue };
                    if word != "max" {
                        put(&mut min, expr.clone(), &bound, errors);
                    }
                    if word != "min" {
                        put(&mut max, expr, &bound, errors);
                    }
                }
                // Words of the `validator` crate that change no schema.
                ("message" | "code", _) if source == "validate" => {}
                _ => errors.at(&bound, wrong()),
            }
        }
        if min.is_none() && max.is_none() {
            errors.at(name, wrong());
            return None;
        }
        if let (Some(low), Some(high)) = (min.as_ref().and_then(number), max.as_ref().and_then(number))
            && low > high
        {
            errors.at(&max, "`max` is below `min`: no value fits");
        }
        if name == "length"
            && let Some(negative) =
                [&min, &max].into_iter().flatten().find(|bound| number(bound).is_some_and(|n| n < 0.0))
        {
            errors.at(negative, "a length is never negative");
        }
        Some(Self { min, max, span: name.span() })
    }
}

/// `min = "1"` means `min = 1`, as it does for schemars.
fn unquoted(expr: Expr) -> syn::Result<Expr> {
    match fragments::expr(&expr) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.parse(),
        _ => Ok(expr),
    }
}

/// The value of a bound that is a literal.
fn number(expr: &Expr) -> Option<f64> {
    match fragments::expr(expr) {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => number(expr).map(|n| -n),
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse().ok(),
        _ => None,
    }
}

/// Whether the number in a type, inside `Option` and lists, is a float: `range(min = 0)` means 0.0 then.
pub(super) fn is_float(ty: &Type) -> bool {
    match fragments::ty(ty) {
        Type::Array(array) => is_float(&array.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| match &last.arguments {
            PathArguments::AngleBracketed(generic) => {
                generic.args.iter().any(|arg| matches!(arg, GenericArgument::Type(inner) if is_float(inner)))
            }
            _ => last.ident == "f32" || last.ident == "f64",
        }),
        _ => false,
    }
}

pub(super) fn as_float(bound: &Expr) -> TokenStream {
    match fragments::expr(bound) {
        Expr::Unary(ExprUnary { op: UnOp::Neg(minus), expr, .. }) => {
            let inner = as_float(expr);
            quote!(#minus #inner)
        }
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if int.suffix().is_empty() => {
            let float = syn::LitFloat::new(&format!("{}.0", int.base10_digits()), int.span());
            quote!(#float)
        }
        other => quote!(#other),
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn integer_bounds_of_floats_become_floats() {
        let field: Type = parse_quote!(Option<Vec<f64>>);
        assert!(is_float(&field));
        assert_eq!(as_float(&parse_quote!(-1)).to_string(), quote!(-1.0).to_string());
        assert_eq!(as_float(&parse_quote!(MAX)).to_string(), "MAX");
        assert!(!is_float(&parse_quote!(u32)));
    }
}
