//! The same call with everything on, on one thread and on two.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use tokio::runtime::Handle;
use tool_connect_core::{
    Arguments, AuthScheme, Connection, ConnectionId, InstanceId, Owner, PlanId, Principal, Rate, TenantId,
    ToolCall, ToolOutcome, UserId,
};
use tool_connect_hub::audit::AuditMode;
use tool_connect_hub::{Hub, InstanceOptions, RolePolicy, Session};
use tracing::Dispatch;
use tracing::dispatcher::{DefaultGuard, set_default};
use tracing_subscriber::layer::SubscriberExt;

use crate::partner::Partner;
use crate::peers::{self, Request, Resilience};
use crate::race::{Contender, now, race};
use crate::subject::{Numbers, TEXT, ids};
use crate::table::{Table, Target, time};

const TOOLS: usize = 1_000;
/// Short samples: on a busy machine most of them end before somebody else's turn.
const OPS: usize = 1_000;
/// Samples of two threads: long enough for the kernel to share two cores out among three threads.
const PAIRED: usize = 30_000;

/// A recorder as exporters have them: an atomic per counter, buckets per histogram.
pub(crate) struct Atomics;

#[derive(Default)]
struct Buckets {
    counts: [AtomicU64; 16],
    sum: AtomicU64,
}

impl HistogramFn for Buckets {
    fn record(&self, seconds: f64) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // Durations are small and positive.
        let nanos = (seconds * 1e9) as u64;
        self.counts[(nanos.max(1).ilog2() as usize / 2).min(15)].fetch_add(1, Relaxed);
        self.sum.fetch_add(nanos, Relaxed);
    }
}

struct Count(AtomicU64);

impl CounterFn for Count {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Relaxed);
    }
}

impl Recorder for Atomics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Count(AtomicU64::new(0))))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Buckets::default()))
    }
}

/// Counts the spans that it sees; its interest is what makes calls write them.
struct Spans(Arc<AtomicU64>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Spans {
    fn on_new_span(
        &self,
        _: &tracing::span::Attributes<'_>,
        _: &tracing::Id,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Metrics, five limits, roles, an audit trail that is sealed off the path.
fn hub() -> Hub {
    let options = InstanceOptions::new("tracker").expect("a valid id").auth(AuthScheme::Bearer);
    let rate = Rate::per_second(1_000_000).burst(1_000_000_000);
    Hub::builder()
        .instance(Numbers::new(TOOLS), options)
        .metrics(true)
        .configure(|settings| {
            settings.audit.mode = AuditMode::FailOpen;
            settings.limits.tenant = Some(rate);
            settings.limits.user = Some(rate);
            settings.limits.instance = Some(rate);
            settings.limits.connection = Some(rate);
            settings.limits.plans.insert("pro".to_owned(), rate);
            settings.policy = RolePolicy::new().role("caller", ["tracker.*"]).expect("a valid pattern");
        })
        .build()
        .expect("the hub is built")
}

/// A caller with a role, a plan and a connection.
fn session(hub: &Hub, tenant: &str, user: &str) -> Session {
    let connection = Connection::new(
        ConnectionId::new("work").expect("a valid id"),
        TenantId::new(tenant).expect("a valid id"),
        Owner::User(UserId::new(user).expect("a valid id")),
        InstanceId::new("tracker").expect("a valid id"),
    );
    now(hub.put_connection(connection)).expect("the connection is stored");
    let plan = PlanId::new("pro").expect("a valid id");
    hub.session(Principal::user(tenant, user).expect("valid ids").with_role("caller").with_plan(plan))
}

/// Calls of one thread; every tenth carries an idempotency key.
struct Calls<'a> {
    session: &'a Session,
    names: &'a [&'static str],
    made: Cell<u64>,
}

impl Calls<'_> {
    fn make(&self, n: usize) {
        for _ in 0..n {
            let made = self.made.replace(self.made.get() + 1);
            let text = Arguments::Raw(Bytes::from_static(TEXT.as_bytes()));
            let mut call = ToolCall::new(self.names[made as usize % self.names.len()], text);
            if made % 10 == 0 {
                call = call.idempotency_key(format!("k{made}"));
            }
            match now(self.session.execute(call)) {
                Ok(ToolOutcome::Complete(output)) => drop(black_box(crate::dispatch::json(output))),
                other => panic!("the call came to something else: {other:?}"),
            }
        }
    }
}

/// Waits until all audit records are in the store, outside of the samples' time.
fn flush(hub: &Hub, runtime: &Handle, tenant: &TenantId) {
    let records = runtime.block_on(hub.audit().records(tenant, u64::MAX, 1));
    drop(records.expect("the trail is written"));
}

/// Arithmetic in registers, about as long as a tenth of a call.
fn compute(n: usize) {
    let mut state = [1_u64, 2, 3, 5];
    for i in 0..n * 16 {
        for word in &mut state {
            *word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(i as u64);
            *word ^= *word >> 29;
        }
    }
    black_box(state);
}

pub(crate) fn run(table: &mut Table, rounds: usize, runtime: &Handle) {
    let hub = hub();
    let (ada, bob) = (session(&hub, "acme", "ada"), session(&hub, "globex", "bob"));
    let acme = ada.principal().tenant.clone();
    let names: Vec<&'static str> = ids("tracker.", TOOLS).into_iter().map(|id| &*id.leak()).collect();
    let plain: Vec<&'static str> = ids("", TOOLS).into_iter().map(|id| &*id.leak()).collect();
    let floor = peers::boxed(TOOLS);
    let calls = Calls { session: &ada, names: &names, made: Cell::new(0) };
    let mut resilience = Resilience::new(peers::boxed(TOOLS));
    let spans = Arc::new(AtomicU64::new(0));
    let guard: RefCell<Option<DefaultGuard>> = RefCell::new(None);

    let boxes = |n: usize| {
        for k in 0..n {
            let _ = black_box(now(floor[plain[k % plain.len()]](TEXT)));
        }
    };
    let settle = || flush(&hub, runtime, &acme);
    let [base, one, sealed, traced, tower] = race(
        rounds,
        OPS,
        [
            Contender::new(boxes),
            Contender::new(|n| calls.make(n)).after(settle),
            Contender::new(|n| {
                calls.make(n);
                settle();
            }),
            Contender::new(|n| calls.make(n))
                .before(|| {
                    let subscriber = tracing_subscriber::registry().with(Spans(Arc::clone(&spans)));
                    *guard.borrow_mut() = Some(set_default(&Dispatch::new(subscriber)));
                    // The only dispatcher is asked through the thread's default, so once more after it is set.
                    tracing::callsite::rebuild_interest_cache();
                })
                .after(|| {
                    settle();
                    *guard.borrow_mut() = None;
                    // Forget that somebody was interested.
                    tracing::callsite::rebuild_interest_cache();
                }),
            Contender::new(|n| {
                for k in 0..n {
                    drop(black_box(resilience.call(Request { name: plain[k % plain.len()], text: TEXT })));
                }
            }),
        ],
    );
    if spans.load(Relaxed) < (rounds * OPS) as u64 {
        println!("(NOT VALID: the subscriber saw {} spans of {})", spans.load(Relaxed), rounds * OPS);
    }
    let floor_time = time(base.ns());
    let three = Target::AtMost(3.0);
    table.row(
        "everything on, no subscriber / boxed floor",
        time(one.ns()),
        &floor_time,
        one.over(&base),
        three,
    );
    table.row(
        "everything on, subscriber / boxed floor",
        time(traced.ns()),
        &floor_time,
        traced.over(&base),
        three,
    );
    let what = "everything on, until its audit is sealed and stored / floor";
    table.row(what, time(sealed.ns()), &floor_time, sealed.over(&base), Target::None);
    let what = "allocations with everything on, no subscriber (as the ratio)";
    table.row(what, one.allocations, base.allocations, one.allocations, Target::AtMost(10.0));
    let what = "allocations with everything on, subscriber (as the ratio)";
    table.row(what, traced.allocations, base.allocations, traced.allocations, Target::None);
    let what = "5 policies of tower-resilience, boxed per layer / floor";
    table.row(what, time(tower.ns()), &floor_time, tower.over(&base), Target::None);
    let what = "everything on / 5 policies of tower-resilience";
    table.row(what, time(one.ns()), time(tower.ns()), one.over(&tower), Target::None);

    let theirs = AtomicU64::new(0);
    let work = |n: usize| {
        let _runtime = runtime.enter();
        let made = Cell::new(theirs.fetch_add(n as u64, Relaxed));
        Calls { session: &bob, names: &names, made }.make(n);
    };
    let rounds = rounds.div_ceil(4);
    let [single, pair] = Partner::with(work, |partner| {
        race(
            rounds,
            PAIRED,
            [
                Contender::new(|n| calls.make(n)).after(settle),
                Contender::new(|n| partner.share(n, |n| calls.make(n))).before(|| partner.wake()).after(
                    || {
                        partner.sleep();
                        settle();
                        flush(&hub, runtime, &bob.principal().tenant);
                    },
                ),
            ],
        )
    });
    let [alone, both] = Partner::with(compute, |partner| {
        race(
            rounds,
            PAIRED * 8,
            [
                Contender::new(compute),
                Contender::new(|n| partner.share(n, compute))
                    .before(|| partner.wake())
                    .after(|| partner.sleep()),
            ],
        )
    });
    let what = "everything on: throughput of 2 threads / of 1 thread";
    table.row(
        what,
        crate::table::rate(pair.ns() / 2.0),
        crate::table::rate(single.ns()),
        2.0 / pair.over(&single),
        Target::AtLeast(1.5),
    );
    let what = "arithmetic that shares nothing: 2 threads / 1 thread (the ceiling)";
    table.row(
        what,
        crate::table::rate(both.ns() / 2.0),
        crate::table::rate(alone.ns()),
        2.0 / both.over(&alone),
        Target::None,
    );

    let stored = runtime.block_on(hub.stores().audit.head(&acme)).expect("the trail is read");
    let stored = stored.map_or(0, |head| head.sequence);
    if stored < calls.made.get() {
        println!(
            "(NOT VALID: {} audit records of {} were lost)",
            calls.made.get() - stored,
            calls.made.get()
        );
    }
}
