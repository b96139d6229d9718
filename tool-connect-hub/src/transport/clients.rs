//! Connection pools: one for most requests, one for each access that an instance has of its own, so that requests with
//! different accesses never share a connection.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tool_connect_core::Result;

use super::access::{HostRule, NetworkAccess};

/// Pools kept for instances with an access of their own; the oldest is dropped first.
const MOST: usize = 64;

/// Clients of one kind, made when they are needed.
pub(super) struct Clients<C> {
    usual: C,
    connect: Duration,
    others: Mutex<Vec<(Key, C)>>,
}

/// Requests that may share connections: what is opened for them, and their bound on connecting.
pub(super) struct Key {
    pub(super) rules: Vec<HostRule>,
    pub(super) connect: Duration,
}

impl<C: Clone> Clients<C> {
    pub(super) fn new(connect: Duration, make: impl FnOnce(&Key) -> Result<C>) -> Result<Self> {
        let usual = make(&Key { rules: Vec::new(), connect })?;
        Ok(Self { usual, connect, others: Mutex::default() })
    }

    /// The client for requests with `extra` opened and so much time to connect.
    pub(super) fn get(
        &self,
        extra: Option<&NetworkAccess>,
        connect: Duration,
        make: impl FnOnce(&Key) -> Result<C>,
    ) -> Result<C> {
        let rules = extra.map_or(&[][..], |extra| &extra.allow);
        if rules.is_empty() && connect == self.connect {
            return Ok(self.usual.clone());
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let known = others.iter().find(|(key, _)| key.connect == connect && key.rules == rules);
        if let Some((_, client)) = known {
            return Ok(client.clone());
        }
        let key = Key { rules: rules.to_vec(), connect };
        let client = make(&key)?;
        if others.len() >= MOST {
            others.remove(0);
        }
        others.push((key, client.clone()));
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(1);

    #[test]
    fn only_the_same_access_and_bound_share_a_client() {
        let mut made = 0;
        let mut make = |_: &Key| {
            made += 1;
            Ok(made)
        };
        let clients = Clients::new(BOUND, &mut make).expect("made");
        let opened = |rule: &str| NetworkAccess::public().allow(rule.parse().expect("a rule"));
        for (extra, connect, client) in [
            (None, BOUND, 1),
            (Some(NetworkAccess::public()), BOUND, 1),
            (Some(opened("loopback")), BOUND, 2),
            (Some(opened("a.example")), BOUND, 3),
            (None, 2 * BOUND, 4),
            (Some(opened("loopback")), BOUND, 2),
            (None, BOUND, 1),
        ] {
            assert_eq!(clients.get(extra.as_ref(), connect, &mut make).expect("a client"), client);
        }
    }

    #[test]
    fn the_oldest_of_too_many_is_dropped() {
        let mut made = 0;
        let mut make = |_: &Key| {
            made += 1;
            Ok(made)
        };
        let clients = Clients::new(BOUND, &mut make).expect("made");
        let mut get = |n: u64| clients.get(None, Duration::from_millis(n), &mut make).expect("a client");
        let first = get(0);
        for n in 1..=MOST as u64 {
            get(n);
        }
        assert_ne!(get(0), first);
        assert_eq!(clients.others.lock().expect("not poisoned").len(), MOST);
    }
}
