//! Long-window counters on SQLite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};
use tool_connect_core::store::{QuotaDecision, QuotaRequest, QuotaStore};
use tool_connect_core::{Error, ErrorKind, Result};

use super::db::Db;
use super::fault::Fault;
use super::values::{now, tenant_for_write, time};

/// [`QuotaStore`] on SQLite.
pub(crate) struct SqliteQuotas(pub(crate) Arc<Db>);

/// How many ended counters an `acquire` clears for each that it writes: more than it may add.
const CLEARED_PER_WISH: i64 = 2;

/// A request with its counter at hand.
struct Wish<'a> {
    request: &'a QuotaRequest,
    tenant: i64,
    window: i64,
    ends: i64,
    used: u64,
}

impl<'a> Wish<'a> {
    fn read(conn: &Connection, request: &'a QuotaRequest, now: i64) -> Result<Self, Fault> {
        let window = window_millis(request.window)?;
        let tenant = tenant_for_write(conn, &request.key.tenant)?;
        let ends = (now / window).saturating_add(1).saturating_mul(window);
        let used: Option<i64> = conn
            .prepare_cached(
                "SELECT used FROM tc_quotas WHERE tenant = ?1 AND name = ?2 AND window = ?3 AND ends = ?4",
            )?
            .query_row((tenant, request.key.name.as_str(), window, ends), |row| row.get(0))
            .optional()?;
        Ok(Self { request, tenant, window, ends, used: used.map_or(0, i64::cast_unsigned) })
    }

    fn same_counter(&self, other: &Self) -> bool {
        self.window == other.window && self.request.key == other.request.key
    }

    fn write(&self, conn: &Connection) -> Result<(), Fault> {
        conn.prepare_cached(
            "INSERT OR REPLACE INTO tc_quotas (tenant, name, window, ends, used) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            self.tenant,
            self.request.key.name.as_str(),
            self.window,
            self.ends,
            self.used.cast_signed(),
        ))?;
        Ok(())
    }
}

fn window_millis(window: Duration) -> Result<i64> {
    match i64::try_from(window.as_millis()).unwrap_or(i64::MAX) {
        0 => Err(Error::new(ErrorKind::Config, "a quota's window must be at least one millisecond")),
        millis => Ok(millis),
    }
}

fn acquire(conn: &Connection, requests: &[QuotaRequest], now: i64) -> Result<QuotaDecision, Fault> {
    let mut wishes =
        requests.iter().map(|request| Wish::read(conn, request, now)).collect::<Result<Vec<_>, _>>()?;
    let before: Vec<u64> = wishes.iter().map(|wish| wish.used).collect();
    let refused = take(&mut wishes);
    if refused.is_some() {
        wishes.iter_mut().zip(before).for_each(|(wish, used)| wish.used = used);
    } else {
        let taking = wishes.iter().filter(|wish| wish.request.cost > 0);
        clear_ended(conn, now, CLEARED_PER_WISH * i64::try_from(taking.clone().count()).unwrap_or(1))?;
        for wish in taking {
            wish.write(conn)?;
        }
    }
    Ok(QuotaDecision {
        refused,
        remaining: wishes.iter().map(|wish| wish.request.limit.saturating_sub(wish.used)).collect(),
        resets: wishes.iter().map(|wish| time(wish.ends)).collect(),
    })
}

/// Counts each wish on every wish for the same counter; stops at the first that does not fit.
fn take(wishes: &mut [Wish<'_>]) -> Option<usize> {
    for index in 0..wishes.len() {
        let wish = wishes.get(index)?;
        let request = wish.request;
        if request.cost == 0 {
            continue;
        }
        let Some(used) = wish.used.checked_add(request.cost).filter(|used| *used <= request.limit) else {
            return Some(index);
        };
        let same: Vec<usize> = wishes
            .iter()
            .enumerate()
            .filter(|(_, other)| other.same_counter(wish))
            .map(|(at, _)| at)
            .collect();
        for at in same {
            if let Some(other) = wishes.get_mut(at) {
                other.used = used;
            }
        }
    }
    None
}

fn clear_ended(conn: &Connection, now: i64, most: i64) -> Result<usize, Fault> {
    let deleted = conn
        .prepare_cached(
            "DELETE FROM tc_quotas WHERE (tenant, name, window, ends) IN
             (SELECT tenant, name, window, ends FROM tc_quotas WHERE ends <= ?1 LIMIT ?2)",
        )?
        .execute((now, most))?;
    Ok(deleted)
}

#[async_trait]
impl QuotaStore for SqliteQuotas {
    async fn acquire(&self, requests: &[QuotaRequest]) -> Result<QuotaDecision> {
        let clock = self.0.clock();
        let requests = requests.to_vec();
        self.0.write(move |conn| acquire(conn, &requests, now(&*clock))).await
    }

    async fn purge(&self) -> Result<u64> {
        let clock = self.0.clock();
        self.0.write_in_slices(move |conn, most| clear_ended(conn, now(&*clock), most)).await
    }
}
