//! The work that a filter may do, and the functions that take from it.

use std::cell::Cell;

use jaq_core::data::{DataT, HasLut};
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Error as JqError, Lut, ValR};
use jaq_json::Val;

/// Deeper values are not made and not read.
pub(super) const DEEPEST: usize = 256;

/// What a filter runs with.
pub(super) struct Jq;

impl DataT for Jq {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

#[derive(Clone, Copy)]
pub(super) struct Data<'a> {
    pub(super) lut: &'a Lut<Jq>,
    pub(super) work: &'a Work<'a>,
}

impl<'a> HasLut<'a, Jq> for Data<'a> {
    fn lut(&self) -> &'a Lut<Jq> {
        self.lut
    }
}

/// What is left of the work that a filter may do.
pub(super) struct Work<'a> {
    pub(super) left: Cell<usize>,
    pub(super) gone: &'a dyn Fn() -> bool,
}

impl Work<'_> {
    fn spend(&self, cost: usize) -> Result<(), JqError<Val>> {
        let left = self.left.get();
        let now = left.saturating_sub(cost);
        // Looked at now and then.
        let gone = left / 4096 != now / 4096 && (self.gone)();
        self.left.set(if gone { 0 } else { now });
        if self.left.get() == 0 { Err(JqError::str("")) } else { Ok(()) }
    }

    /// Takes off what a value is made of, each part as often as it would be written.
    pub(super) fn weigh(&self, value: &Val, depth: usize) -> Result<(), JqError<Val>> {
        if depth > DEEPEST {
            self.left.set(0);
        }
        match value {
            Val::Arr(items) => {
                self.spend(4)?;
                items.iter().try_for_each(|item| self.weigh(item, depth + 1))
            }
            Val::Obj(fields) => {
                self.spend(4)?;
                fields.iter().try_for_each(|(name, value)| {
                    self.weigh(name, depth + 1)?;
                    self.weigh(value, depth + 1)
                })
            }
            Val::TStr(text) | Val::BStr(text) => self.spend(1 + text.len() / 16),
            _ => self.spend(1),
        }
    }
}

/// Functions whose definition is ours.
pub(super) const OWN: &[&str] = &["add", "join"];
/// One step.
pub(super) const STEP: &str = "!step";
/// A value that was made.
pub(super) const MADE: &str = "!made";

pub(super) fn functions() -> impl Iterator<Item = Fun<Jq>> {
    let own: [Fun<Jq>; 4] = [
        run((STEP, v(0), |cv| bome(cv.0.data().work.spend(1).map(|()| cv.1)))),
        run((MADE, v(0), |cv| bome(cv.0.data().work.weigh(&cv.1, 0).map(|()| cv.1)))),
        run(("add", v(0), |cv| bome(add(cv.0.data().work, &cv.1)))),
        run(("join", v(1), |mut cv| {
            let by = cv.0.pop_var();
            bome(join(cv.0.data().work, &cv.1, &by))
        })),
    ];
    let named = |(name, _, _): &Fun<Jq>| !OWN.contains(name);
    own.into_iter().chain(jaq_core::funs().chain(jaq_std::base_funs()).chain(jaq_json::funs()).filter(named))
}

/// The sum of an array's items.
fn add(work: &Work<'_>, value: &Val) -> ValR<Val> {
    let Val::Arr(items) = value else { return Err(JqError::typ(Val::Null, "array")) };
    let mut sum = Val::Null;
    for item in items.iter() {
        sum = (sum + item.clone())?;
        // The sum may have been copied.
        work.spend(match &sum {
            Val::TStr(text) | Val::BStr(text) => 1 + text.len() / 64,
            Val::Arr(items) => 1 + items.len(),
            Val::Obj(fields) => 1 + fields.len(),
            _ => 1,
        })?;
    }
    Ok(sum)
}

/// Texts, numbers and booleans with a text between them.
fn join(work: &Work<'_>, value: &Val, by: &Val) -> ValR<Val> {
    let (Val::Arr(items), Val::TStr(by)) = (value, by) else { return Err(JqError::typ(Val::Null, "array")) };
    let mut all = String::new();
    for (n, item) in items.iter().enumerate() {
        work.spend(1 + by.len() / 16)?;
        if n > 0 {
            all.push_str(&String::from_utf8_lossy(by));
        }
        match item {
            Val::Null => {}
            Val::TStr(text) => {
                work.spend(text.len() / 16)?;
                all.push_str(&String::from_utf8_lossy(text));
            }
            Val::Bool(_) | Val::Num(_) => all.push_str(&item.to_string()),
            _ => return Err(JqError::typ(Val::Null, "text")),
        }
    }
    Ok(Val::from(all))
}
