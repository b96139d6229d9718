//! What a store must keep to, as tests: one suite per storage trait, one named rule per function.
//! [`conformance!`](crate::conformance!) turns a suite into tests over a host's own store. Rules
//! move an injected clock and never sleep; races run on two threads.
//!
//! ```
//! use std::sync::Arc;
//! use tool_connect_core::store::{GrantStore, memory::MemoryGrants};
//! use tool_connect_testkit::{ManualClock, conformance};
//!
//! // A host's own store here; a fresh and empty one each time.
//! async fn my_grants(clock: Arc<ManualClock>) -> Arc<dyn GrantStore> {
//!     Arc::new(MemoryGrants::new(clock))
//! }
//!
//! // In a test file: tests named `grants::an_expired_grant_counts_as_absent` and so on.
//! conformance!(grants, my_grants);
//! # conformance::run(my_grants, conformance::grants::an_expired_grant_counts_as_absent);
//! ```

pub mod approvals;
pub mod audit;
pub mod authorizations;
pub mod connections;
pub mod credentials;
pub mod grants;
pub mod idempotency;
pub mod leases;
pub mod quotas;
pub mod results;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Barrier;
use tool_connect_core::{Clock, TenantId, ToolId, UserId};

use crate::ManualClock;

/// A store to be tested, and what must live as long as it does (a temporary folder, a server).
///
/// ```
/// use std::sync::Arc;
/// use tool_connect_core::{SystemClock, store::{GrantStore, memory::MemoryGrants}};
/// use tool_connect_testkit::conformance::Fixture;
///
/// let store: Arc<dyn GrantStore> = Arc::new(MemoryGrants::new(Arc::new(SystemClock)));
/// let folder = String::from("stands for a temporary folder");
/// let fixture: Fixture<dyn GrantStore> = (store, folder).into();
/// # drop(fixture);
/// ```
pub struct Fixture<S: ?Sized> {
    store: Arc<S>,
    guard: Option<Box<dyn Any + Send>>,
}

impl<S: ?Sized> fmt::Debug for Fixture<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("guarded", &self.guard.is_some()).finish_non_exhaustive()
    }
}

impl<S: ?Sized> From<Arc<S>> for Fixture<S> {
    fn from(store: Arc<S>) -> Self {
        Self { store, guard: None }
    }
}

impl<S: ?Sized, G: Any + Send> From<(Arc<S>, G)> for Fixture<S> {
    fn from((store, guard): (Arc<S>, G)) -> Self {
        Self { store, guard: Some(Box::new(guard)) }
    }
}

/// Runs one rule over a fresh store, on a runtime of its own with two threads.
///
/// # Panics
/// Where the store breaks the rule.
pub fn run<S: ?Sized, F: Into<Fixture<S>>>(
    factory: impl AsyncFnOnce(Arc<ManualClock>) -> F,
    rule: impl AsyncFnOnce(Arc<S>, Arc<ManualClock>),
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a test needs a runtime");
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::new());
        let Fixture { store, guard } = factory(Arc::clone(&clock)).await.into();
        rule(store, clock).await;
        drop(guard);
    });
}

/// Turns a suite into tests, one per rule, in a module named after the suite.
///
/// The first argument is the suite: `approvals`, `audit`, `authorizations`, `connections`, `credentials`,
/// `grants`, `idempotency`, `leases`, `quotas` or `results`. The second is an async function that takes an
/// [`Arc<ManualClock>`](crate::ManualClock) and returns a fresh store that goes by that clock, as
/// `Arc<dyn ..Store>` or with a guard as a [`Fixture`](crate::conformance::Fixture).
///
/// See [the module](mod@crate::conformance) for an example.
#[macro_export]
macro_rules! conformance {
    (approvals, $factory:expr) => {
        $crate::__conformance_tests! { approvals, $factory, [
            an_approval_reads_back_as_pending
            a_taken_id_is_refused
            tenants_do_not_meet
            a_decision_stands
            an_expired_approval_cannot_be_decided
            deciding_an_unknown_one_is_not_found
            pending_lists_the_open_ones_by_their_end
            one_of_many_reservations_wins
            a_reservation_answers_in_the_documented_order
            a_committed_approval_is_used_up
            a_released_approval_can_be_reserved_again
            a_stale_fence_changes_nothing
            a_lapsed_reservation_counts_as_used
            a_lapsed_reservation_commits_once
            purge_drops_what_ended_long_ago
        ] }
    };
    (audit, $factory:expr) => {
        $crate::__conformance_tests! { audit, $factory, [
            segments_read_back_byte_for_byte
            a_segment_that_starts_elsewhere_is_told_where_the_chain_ends
            a_misnumbered_segment_stops_the_whole_append
            segments_stand_each_for_itself
            one_of_many_appends_at_a_head_wins
            appending_at_once_makes_one_chain
            tenants_have_chains_of_their_own
            scan_pages_through_the_chain
            a_persons_rows_are_theirs_alone
            checkpoints_are_kept_in_order
            prune_drops_the_oldest_and_keeps_the_head
            prune_leaves_a_segment_whole
            the_first_subject_key_stays
            many_callers_get_one_subject_key
            appends_that_are_in_order_need_not_be_waited_for
            an_erased_subject_never_gets_a_key_again
        ] }
    };
    (authorizations, $factory:expr) => {
        $crate::__conformance_tests! { authorizations, $factory, [
            a_state_reads_back_as_written
            a_state_is_used_once
            one_of_many_consumers_wins
            an_ended_state_is_gone
            a_taken_id_is_refused
            a_used_id_stays_taken_until_its_end
            one_of_many_writers_of_an_id_wins
            tenants_do_not_meet
            ids_are_compared_byte_for_byte
            purge_drops_only_what_ended
        ] }
    };
    (connections, $factory:expr) => {
        $crate::__conformance_tests! { connections, $factory, [
            a_connection_reads_back_as_written
            creation_time_is_set_once
            a_write_replaces_all_of_it
            a_stale_version_is_refused
            a_taken_id_is_refused
            a_deleted_connection_stays_deleted
            one_of_many_writers_wins
            there_is_one_default_per_owner_and_instance
            concurrent_defaults_leave_one
            tenants_do_not_meet
            list_filters_and_orders_by_id
            ids_are_compared_byte_for_byte
        ] }
    };
    (credentials, $factory:expr) => {
        $crate::__conformance_tests! { credentials, $factory, [
            a_credential_reads_back_as_written
            a_write_replaces_all_of_it
            a_stale_version_is_refused
            a_taken_name_is_refused
            a_deleted_credential_stays_deleted
            a_version_is_never_used_twice
            one_of_many_writers_wins
            one_of_many_makers_wins
            every_writer_that_reads_again_gets_through
            tenants_do_not_meet
            kinds_do_not_meet
            ids_are_compared_byte_for_byte
            a_walk_meets_each_once
            a_filter_narrows_a_walk
            a_walk_goes_on_from_a_place_that_is_gone
            a_walk_beside_writers_misses_nothing
        ] }
    };
    (grants, $factory:expr) => {
        $crate::__conformance_tests! { grants, $factory, [
            a_grant_reads_back_as_written
            the_same_identity_is_replaced
            any_connection_and_one_connection_are_different_grants
            an_expired_grant_counts_as_absent
            revoke_removes_one_identity
            subjects_of_different_kinds_do_not_meet
            list_is_ordered_and_names_each_grant_once
            many_subjects_can_be_asked_for
            tenants_do_not_meet
        ] }
    };
    (idempotency, $factory:expr) => {
        $crate::__conformance_tests! { idempotency, $factory, [
            a_new_key_is_fresh_and_then_in_flight
            one_of_many_begins_wins
            a_completed_call_is_replayed
            another_call_with_the_key_is_a_mismatch
            a_released_key_is_fresh_again
            a_stale_fence_changes_nothing
            a_claim_whose_lease_ended_is_indeterminate
            a_late_end_is_still_the_end
            a_late_release_frees_the_key
            an_abandoned_claim_is_indeterminate_at_once
            an_old_record_counts_as_absent
            the_lease_outlasts_a_shorter_keep
            keys_of_others_do_not_meet
            purge_drops_only_what_ended
        ] }
    };
    (leases, $factory:expr) => {
        $crate::__conformance_tests! { leases, $factory, [
            a_held_lease_says_how_long
            one_of_many_acquirers_wins
            an_ended_lease_can_be_taken
            a_released_lease_is_free
            a_renewed_lease_begins_anew
            a_lapsed_holder_has_lost_it
            a_stale_fence_changes_nothing
            fences_rise_for_ever
            names_and_tenants_do_not_meet
            purge_drops_only_what_ended_long_ago
            a_clock_that_goes_back_stalls_nobody
            extreme_times_are_kept
        ] }
    };
    (quotas, $factory:expr) => {
        $crate::__conformance_tests! { quotas, $factory, [
            a_window_holds_its_limit
            everything_or_nothing_is_taken
            one_counter_can_be_named_twice
            windows_begin_at_multiples_of_their_length
            windows_of_different_lengths_count_apart
            tenants_and_names_count_apart
            concurrent_calls_stay_within_the_limit
            a_changed_limit_holds_at_once
            extreme_numbers_do_not_overflow
            a_window_without_length_is_refused
            a_clock_that_goes_back_refills_nothing
            purge_drops_ended_windows
        ] }
    };
    (results, $factory:expr) => {
        $crate::__conformance_tests! { results, $factory, [
            an_entry_reads_back_whole
            ranges_are_cut_at_the_end
            an_empty_entry_exists
            the_cap_is_kept
            a_broken_stream_leaves_nothing
            a_dropped_put_leaves_nothing
            only_its_user_can_reach_an_entry
            an_expired_entry_is_gone_at_once
            an_entry_is_deleted_once
            purge_drops_only_what_expired
            purge_does_not_disturb_a_put_under_way
            handles_differ
        ] }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($suite:ident, $factory:expr, [$($rule:ident)*]) => {
        #[cfg(test)]
        mod $suite {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[test]
                fn $rule() {
                    $crate::conformance::run($factory, $crate::conformance::$suite::$rule);
                }
            )*
        }
    };
}

// Short ways to what every rule needs. The names below are valid, so making them cannot fail.

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).expect("a valid tenant id")
}

fn user(name: &str) -> UserId {
    UserId::new(name).expect("a valid user id")
}

fn tool(id: &str) -> ToolId {
    ToolId::parse(id).expect("a valid tool id")
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn in_seconds(clock: &ManualClock, n: u64) -> SystemTime {
    clock.now() + seconds(n)
}

/// Runs `n` tasks that all begin at the same moment; their answers in the order of their numbers.
async fn race<T, W>(n: usize, work: impl Fn(usize) -> W) -> Vec<T>
where
    T: Send + 'static,
    W: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(n));
    let tasks: Vec<_> = (0..n)
        .map(|number| {
            let (start, work) = (Arc::clone(&start), work(number));
            tokio::spawn(async move {
                start.wait().await;
                work.await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(n);
    for task in tasks {
        answers.push(task.await.expect("a racing task panicked"));
    }
    answers
}

#[cfg(test)]
mod tests {
    /// A rule that the macro forgets would never run.
    #[test]
    fn the_macro_names_every_rule() {
        let listed = include_str!("mod.rs");
        let suites = [
            ("approvals", include_str!("approvals.rs")),
            ("audit", include_str!("audit.rs")),
            ("authorizations", include_str!("authorizations.rs")),
            ("connections", include_str!("connections.rs")),
            ("credentials", include_str!("credentials.rs")),
            ("grants", include_str!("grants.rs")),
            ("idempotency", include_str!("idempotency.rs")),
            ("leases", include_str!("leases.rs")),
            ("quotas", include_str!("quotas.rs")),
            ("results", include_str!("results.rs")),
        ];
        for (suite, source) in suites {
            let start = listed.find(&format!("({suite}, $factory:expr)")).unwrap();
            let block = &listed[start..start + listed[start..].find("] }").unwrap()];
            let rules: Vec<&str> =
                source.split("pub async fn ").skip(1).map(|rest| rest.split('(').next().unwrap()).collect();
            assert!(rules.len() > 5, "{suite}: {} rules", rules.len());
            for rule in rules {
                assert!(block.lines().any(|line| line.trim() == rule), "{suite}::{rule} is not listed");
            }
        }
    }
}
