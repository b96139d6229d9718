//! What the types of the standard library and of this crate have to check: nothing, or their contents.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::{Items, Length, Measure, Pointer, Ranged, Text, ToolArgs};
use crate::problem::Problems;

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl ToolArgs for $number {}
        impl Ranged for $number {
            type Number = Self;
            fn number(&self) -> Option<Self> {
                Some(*self)
            }
        }
    )*};
}
numbers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64);

macro_rules! non_zeros {
    ($($name:ident: $number:ty,)*) => {$(
        impl ToolArgs for std::num::$name {}
        impl Ranged for std::num::$name {
            type Number = $number;
            fn number(&self) -> Option<$number> {
                Some(self.get())
            }
        }
    )*};
}
non_zeros! {
    NonZeroU8: u8, NonZeroU16: u16, NonZeroU32: u32, NonZeroU64: u64, NonZeroUsize: usize,
    NonZeroI8: i8, NonZeroI16: i16, NonZeroI32: i32, NonZeroI64: i64, NonZeroIsize: isize,
}

macro_rules! texts {
    ($($text:ty)*) => {$(
        impl ToolArgs for $text {}
        impl Text for $text {
            fn text(&self) -> Option<&str> {
                Some(self)
            }
        }
        impl Length for $text {
            fn measure(&self) -> Option<Measure<'_>> {
                Some(Measure::Text(self))
            }
        }
    )*};
}
texts!(String Box<str> Arc<str> Cow<'static, str>);

macro_rules! nothing_to_check {
    ($($plain:ty)*) => {$( impl ToolArgs for $plain {} )*};
}
nothing_to_check! {
    () bool char
    std::path::PathBuf std::time::Duration std::time::SystemTime
    std::net::IpAddr std::net::Ipv4Addr std::net::Ipv6Addr
    std::net::SocketAddr std::net::SocketAddrV4 std::net::SocketAddrV6
    serde_json::Value serde_json::Number serde_json::Map<String, serde_json::Value>
    Box<serde_json::value::RawValue>
    url::Url crate::outcome::FileRef
}

impl<T> ToolArgs for std::marker::PhantomData<T> {}

impl<T: ToolArgs> ToolArgs for Option<T> {
    fn check_at(&self, at: &Pointer<'_>, problems: &mut Problems) {
        if let Some(value) = self {
            value.check_at(at, problems);
        }
    }
}

impl<T: Ranged> Ranged for Option<T> {
    type Number = T::Number;
    fn number(&self) -> Option<T::Number> {
        self.as_ref().and_then(T::number)
    }
}

impl<T: Text> Text for Option<T> {
    fn text(&self) -> Option<&str> {
        self.as_ref().and_then(T::text)
    }
}

impl<T: Length> Length for Option<T> {
    fn measure(&self) -> Option<Measure<'_>> {
        self.as_ref().and_then(T::measure)
    }
}

impl<T: Items> Items for Option<T> {
    type Item = T::Item;
    fn each(&self, at: &Pointer<'_>, show: impl FnMut(&T::Item, &Pointer<'_>)) {
        if let Some(items) = self {
            items.each(at, show);
        }
    }
}

impl<T: ToolArgs> ToolArgs for Box<T> {
    fn check_at(&self, at: &Pointer<'_>, problems: &mut Problems) {
        T::check_at(self, at, problems);
    }
}

impl<T: ToolArgs> ToolArgs for Arc<T> {
    fn check_at(&self, at: &Pointer<'_>, problems: &mut Problems) {
        T::check_at(self, at, problems);
    }
}

macro_rules! lists {
    ($([$($generics:tt)*] $list:ty, $at:ident, $index:ident => $place:expr;)*) => {$(
        impl<T: ToolArgs, $($generics)*> ToolArgs for $list {
            fn check_at(&self, at: &Pointer<'_>, problems: &mut Problems) {
                Items::each(self, at, |item, at| item.check_at(at, problems));
            }
        }
        impl<T, $($generics)*> Length for $list {
            fn measure(&self) -> Option<Measure<'_>> {
                Some(Measure::Items(self.len()))
            }
        }
        impl<T, $($generics)*> Items for $list {
            type Item = T;
            fn each(&self, $at: &Pointer<'_>, mut show: impl FnMut(&T, &Pointer<'_>)) {
                for ($index, item) in self.iter().enumerate() {
                    show(item, &$place);
                }
            }
        }
    )*};
}
lists! {
    [] Vec<T>, at, index => at.index(index);
    [] VecDeque<T>, at, index => at.index(index);
    [] Box<[T]>, at, index => at.index(index);
    [const N: usize] [T; N], at, index => at.index(index);
    // A set forgets the order of its items, so a problem is placed at the set.
    [] BTreeSet<T>, at, _index => *at;
    [S] HashSet<T, S>, at, _index => *at;
}

impl<K: fmt::Display, V: ToolArgs> ToolArgs for BTreeMap<K, V> {
    fn check_at(&self, at: &Pointer<'_>, problems: &mut Problems) {
        for (key, value) in self {
            value.check_at(&at.key(key), problems);
        }
    }
}

impl<K: fmt::Display, V: ToolArgs, S> ToolArgs for HashMap<K, V, S> {
    fn check_at(&self, at: &Pointer<'_>, problems: &mut Problems) {
        for (key, value) in self {
            value.check_at(&at.key(key), problems);
        }
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))*) => {$(
        impl<$($name: ToolArgs),+> ToolArgs for ($($name,)+) {
            fn check_at(&self, at: &Pointer<'_>, problems: &mut Problems) {
                $( self.$index.check_at(&at.index($index), problems); )+
            }
        }
    )*};
}
tuples! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }
