//! What of jq is offered, and a step of work after each part of it.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::ops;
use jaq_core::path::{Part, Path};
use tool_connect_core::Result;

use super::refused;
use super::work::{MADE, STEP};

/// Functions that a filter may call, with how many arguments they take.
pub(super) const FUNCTIONS: &[(&str, usize)] = &[
    ("abs", 0),
    ("add", 0),
    ("all", 0),
    ("all", 1),
    ("all", 2),
    ("any", 0),
    ("any", 1),
    ("any", 2),
    ("arrays", 0),
    ("ascii_downcase", 0),
    ("ascii_upcase", 0),
    ("booleans", 0),
    ("ceil", 0),
    ("empty", 0),
    ("endswith", 1),
    ("false", 0),
    ("first", 0),
    ("first", 1),
    ("flatten", 0),
    ("floor", 0),
    ("group_by", 1),
    ("has", 1),
    ("isempty", 1),
    ("iterables", 0),
    ("join", 1),
    ("keys", 0),
    ("keys_unsorted", 0),
    ("last", 0),
    ("last", 1),
    ("length", 0),
    ("limit", 2),
    ("ltrim", 0),
    ("ltrimstr", 1),
    ("map", 1),
    ("max", 0),
    ("max_by", 1),
    ("min", 0),
    ("min_by", 1),
    ("not", 0),
    ("nth", 1),
    ("null", 0),
    ("nulls", 0),
    ("numbers", 0),
    ("objects", 0),
    ("recurse", 0),
    ("reverse", 0),
    ("round", 0),
    ("rtrim", 0),
    ("rtrimstr", 1),
    ("scalars", 0),
    ("select", 1),
    ("skip", 2),
    ("sort", 0),
    ("sort_by", 1),
    ("split", 1),
    ("startswith", 1),
    ("strings", 0),
    ("to_entries", 0),
    ("tojson", 0),
    ("tostring", 0),
    ("trim", 0),
    ("true", 0),
    ("type", 0),
    ("unique", 0),
    ("unique_by", 1),
    ("utf8bytelength", 0),
    ("values", 0),
];

/// Of those, the ones that look at no more of their input than at its kind or at one place of it, or that hand its items to a
/// filter that has steps of its own. All others are charged for the whole of it.
const LOOK_ONLY: &[(&str, usize)] = &[
    ("all", 1),
    ("all", 2),
    ("any", 1),
    ("any", 2),
    ("arrays", 0),
    ("booleans", 0),
    ("empty", 0),
    ("false", 0),
    ("first", 0),
    ("first", 1),
    ("has", 1),
    ("isempty", 1),
    ("iterables", 0),
    ("last", 0),
    ("last", 1),
    ("limit", 2),
    ("map", 1),
    ("not", 0),
    ("nth", 1),
    ("null", 0),
    ("nulls", 0),
    ("numbers", 0),
    ("objects", 0),
    ("recurse", 0),
    ("scalars", 0),
    ("select", 1),
    ("skip", 2),
    ("strings", 0),
    ("true", 0),
    ("type", 0),
    ("values", 0),
];

/// Further definitions that those are made of.
pub(super) const HELPERS: &[&str] = &["error", "isarray", "isboolean", "isnumber", "isobject", "isstring"];

/// The term with a step after each of its parts, if all of them are allowed. What is made is charged by its size, and so is
/// what is read in full: what is compared, and what a function is given.
pub(super) fn allowed<'s>(source: &'s str, term: Term<&'s str>) -> Result<Term<&'s str>> {
    let inner = |term: Term<&'s str>| allowed(source, term);
    let boxed = |term: Box<Term<&'s str>>| allowed(source, *term).map(Box::new);
    let refuse = |what: &str| Err(refused(source, None, what));
    Ok(match term {
        Term::Id => call(STEP),
        Term::Recurse | Term::Num(_) | Term::Var(_) => then(term, STEP),
        Term::Str(None, parts) => {
            let parts = parts.into_iter().map(|part| match part {
                StrPart::Term(term) => inner(term).map(StrPart::Term),
                other => Ok(other),
            });
            then(Term::Str(None, parts.collect::<Result<_>>()?), MADE)
        }
        Term::Str(Some(format), _) => return refuse(&format!("the format `{format}` is not offered")),
        Term::Arr(items) => then(Term::Arr(items.map(boxed).transpose()?), MADE),
        Term::Obj(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| Ok((key(source, name)?, value.map(inner).transpose()?)));
            then(Term::Obj(fields.collect::<Result<_>>()?), MADE)
        }
        Term::Neg(of) => then(Term::Neg(boxed(of)?), STEP),
        Term::BinOp(left, op, right) => {
            let made = matches!(op, BinaryOp::Math(_));
            let compared = matches!(op, BinaryOp::Cmp(_));
            let op = match op {
                BinaryOp::Pipe(pattern) => {
                    BinaryOp::Pipe(pattern.map(|pattern| only_names(source, pattern)).transpose()?)
                }
                BinaryOp::Math(ops::Math::Add)
                | BinaryOp::Comma
                | BinaryOp::Alt
                | BinaryOp::Or
                | BinaryOp::And => op,
                BinaryOp::Cmp(_) => op,
                BinaryOp::Math(other) => {
                    return refuse(&format!("`{}` is not offered, of arithmetic only `+`", other.as_str()));
                }
                _ => {
                    return refuse(
                        "a filter chooses and does not assign: `=`, `|=` and the like are not offered",
                    );
                }
            };
            let side =
                |term| boxed(term).map(|term| if compared { Box::new(then(*term, MADE)) } else { term });
            let all = Term::BinOp(side(left)?, op, side(right)?);
            if made { then(all, MADE) } else { all }
        }
        Term::TryCatch(tried, None) => Term::TryCatch(boxed(tried)?, None),
        Term::IfThenElse(cases, other) => {
            let cases = cases.into_iter().map(|(test, then)| Ok((inner(test)?, inner(then)?)));
            Term::IfThenElse(cases.collect::<Result<_>>()?, other.map(boxed).transpose()?)
        }
        Term::Call(name, arguments) => {
            if !FUNCTIONS.contains(&(name, arguments.len())) {
                let what = format!("the function `{name}/{}` is not offered", arguments.len());
                return Err(refused(source, Some(name), &what));
            }
            let looks_only = LOOK_ONLY.contains(&(name, arguments.len()));
            let arguments = arguments.into_iter().map(|argument| Ok(then(inner(argument)?, MADE)));
            let called = then(Term::Call(name, arguments.collect::<Result<_>>()?), MADE);
            if looks_only { called } else { before(MADE, called) }
        }
        Term::Path(of, Path(parts)) => {
            let plain = |part: &Option<Term<&str>>| part.as_ref().is_none_or(is_plain);
            let all_plain = parts.iter().all(|(part, _)| match part {
                Part::Index(index) => is_plain(index),
                Part::Range(from, to) => plain(from) && plain(to),
            });
            if !all_plain {
                return refuse(
                    "within the brackets of a path only names and numbers are offered: `.items[0].name`",
                );
            }
            // A part of a text is found by counting its characters.
            let sliced = parts.iter().any(|(part, _)| match part {
                Part::Range(from, to) => from.is_some() || to.is_some(),
                Part::Index(_) => false,
            });
            if sliced {
                return Ok(then(Term::Path(Box::new(then(inner(*of)?, MADE)), Path(parts)), MADE));
            }
            then(Term::Path(boxed(of)?, Path(parts)), STEP)
        }
        Term::TryCatch(_, Some(_)) => return refuse("`catch` is not offered; `?` and `//` are"),
        Term::Fold(name, ..) => return Err(refused(source, Some(name), &format!("`{name}` is not offered"))),
        Term::Def(..) => return refuse("definitions are not offered"),
        Term::Label(..) | Term::Break(_) => return refuse("`label` and `break` are not offered"),
    })
}

/// A name as a field's key, or what is computed for it.
fn key<'s>(source: &'s str, term: Term<&'s str>) -> Result<Term<&'s str>> {
    match term {
        // `{$name}` and `{name}` are read as they stand.
        Term::Var(_) => Ok(term),
        Term::Str(None, ref parts) if parts.iter().all(|part| !matches!(part, StrPart::Term(_))) => Ok(term),
        other => allowed(source, other),
    }
}

fn is_plain(term: &Term<&str>) -> bool {
    match term {
        Term::Num(_) => true,
        Term::Neg(of) => matches!(**of, Term::Num(_)),
        Term::Str(None, parts) => parts.iter().all(|part| !matches!(part, StrPart::Term(_))),
        _ => false,
    }
}

/// Patterns bind names; what they would compute is not looked into.
fn only_names<'s>(source: &'s str, pattern: Pattern<&'s str>) -> Result<Pattern<&'s str>> {
    match pattern {
        Pattern::Var(name) => Ok(Pattern::Var(name)),
        Pattern::Arr(all) => {
            Ok(Pattern::Arr(all.into_iter().map(|one| only_names(source, one)).collect::<Result<_>>()?))
        }
        Pattern::Obj(fields) => {
            let fields = fields.into_iter().map(|(name, pattern)| match name {
                name @ Term::Var(_) => Ok((name, only_names(source, pattern)?)),
                name if is_plain(&name) => Ok((name, only_names(source, pattern)?)),
                _ => Err(refused(source, None, "in a pattern only names are offered")),
            });
            Ok(Pattern::Obj(fields.collect::<Result<_>>()?))
        }
    }
}

fn call(name: &'static str) -> Term<&'static str> {
    Term::Call(name, Vec::new())
}

fn then<'s>(term: Term<&'s str>, next: &'static str) -> Term<&'s str> {
    Term::BinOp(Box::new(term), BinaryOp::Pipe(None), Box::new(call(next)))
}

fn before<'s>(first: &'static str, term: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(call(first)), BinaryOp::Pipe(None), Box::new(term))
}
