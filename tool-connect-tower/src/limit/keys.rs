//! Which keys a decision is about, and how a layer finds them in a request.

use super::class::ClassId;
use crate::contract::KeyOf;

/// One key of a decision: a class, a key in it, and the permits to take from it.
///
/// Equal keys of different classes are different; a key that occurs twice in a decision is charged the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Charge {
    pub(crate) class: ClassId,
    pub(crate) key: u64,
    pub(crate) cost: u64,
}

impl Charge {
    /// One permit from `key` in `class`.
    #[must_use]
    pub const fn new(class: ClassId, key: u64) -> Self {
        Self { class, key, cost: 1 }
    }

    /// The same key with another cost. A cost of zero takes nothing and is never refused.
    #[must_use]
    pub const fn cost(self, cost: u64) -> Self {
        Self { cost, ..self }
    }
}

/// Finds all keys of a request for a decision over several limits.
///
/// [`In`] ties a [`KeyOf`] to a class; tuples of up to eight of them are decided together:
///
/// ```
/// use http::Request;
/// use tool_connect_tower::{Everyone, Limit, Limiter, RateLimitLayer, hash_key, limit::In};
///
/// let limiter = Limiter::shared();
/// let tenants = limiter.define("tenant", Limit::per_minute(600))?;
/// let service = limiter.define("service", Limit::per_second(2_000))?;
/// let tenant = |request: &Request<()>| request.headers().get("x-tenant").map(hash_key);
/// let layer = RateLimitLayer::new(limiter, (In(tenants, tenant), In(service, Everyone)));
/// # let _ = layer;
/// # Ok::<(), tool_connect_tower::limit::DefineError>(())
/// ```
pub trait ChargesOf<R: ?Sized> {
    /// Hands every key of this request to `add`.
    fn charges(&self, request: &R, add: &mut dyn FnMut(Charge));

    /// A clock reading that the request already carries (see [`KeyOf::now`]).
    fn now(&self, _request: &R) -> Option<u64> {
        None
    }
}

/// The keys that a [`KeyOf`] finds, in a class.
#[derive(Debug, Clone, Copy)]
pub struct In<K>(pub ClassId, pub K);

impl<R: ?Sized, K: KeyOf<R>> ChargesOf<R> for In<K> {
    fn charges(&self, request: &R, add: &mut dyn FnMut(Charge)) {
        if let Some(key) = self.1.key(request) {
            add(Charge::new(self.0, key).cost(self.1.cost(request)));
        }
    }

    fn now(&self, request: &R) -> Option<u64> {
        self.1.now(request)
    }
}

macro_rules! tuple {
    ($($part:ident)+) => {
        #[expect(non_snake_case, reason = "a type and its value share a name")]
        impl<R: ?Sized, $($part: ChargesOf<R>),+> ChargesOf<R> for ($($part,)+) {
            fn charges(&self, request: &R, add: &mut dyn FnMut(Charge)) {
                let ($($part,)+) = self;
                $($part.charges(request, add);)+
            }

            fn now(&self, request: &R) -> Option<u64> {
                let ($($part,)+) = self;
                None$(.or_else(|| $part.now(request)))+
            }
        }
    };
}

tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);
tuple!(A B C D E F G);
tuple!(A B C D E F G H);

/// The keys of one request: inline up to eight, which covers every stack that has been met.
#[derive(Debug, Clone)]
pub(crate) enum Charges {
    Few([Charge; 8], usize),
    Many(Vec<Charge>),
}

impl Charges {
    pub(crate) fn of<R: ?Sized>(keys: &impl ChargesOf<R>, request: &R) -> Self {
        let mut charges = Self::Few([Charge::new(ClassId(0), 0); 8], 0);
        keys.charges(request, &mut |charge| charges.push(charge));
        charges
    }

    fn push(&mut self, charge: Charge) {
        match self {
            Self::Few(few, used) => match few.get_mut(*used) {
                Some(place) => {
                    *place = charge;
                    *used += 1;
                }
                None => {
                    let mut many = few.to_vec();
                    many.push(charge);
                    *self = Self::Many(many);
                }
            },
            Self::Many(many) => many.push(charge),
        }
    }

    pub(crate) fn as_slice(&self) -> &[Charge] {
        match self {
            Self::Few(few, used) => few.get(..*used).unwrap_or(few),
            Self::Many(many) => many,
        }
    }
}
