//! What a `macro_rules!` hands on (`$value:literal`, `$type:ty`) arrives in invisible parentheses.

use syn::{Expr, Type};

/// The expression inside.
pub(crate) fn expr(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Group(group) => &group.expr,
            Expr::Paren(paren) => &paren.expr,
            bare => return bare,
        };
    }
}

/// The type inside.
pub(crate) fn ty(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            bare => return bare,
        };
    }
}
