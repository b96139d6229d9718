//! What is known of each host that an instance asks: its breaker and its retry budget.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;
use tool_connect_core::{Error, ErrorKind, EventKind, InstanceId, Result};
use tool_connect_tower::breaker::{Breaker, BreakerSettings, BreakerSnapshot, Transition};
use tool_connect_tower::hash_key;
use tool_connect_tower::retry::RetryBudget;
use url::Url;

use super::Endpoint;
use crate::transport::HttpSettings;

/// Hosts that are remembered; those asked least are forgotten first.
const MOST_HOSTS: usize = 8_192;

/// One host, as one instance sees it.
pub(super) struct Host {
    instance: InstanceId,
    name: Box<str>,
    pub(super) breaker: Arc<Breaker>,
    pub(super) budget: RetryBudget,
}

/// A circuit breaker at one moment.
///
/// Each connector instance has one for each host that it asks: `host`, with the port where it is
/// not the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerView {
    /// The connector instance.
    pub instance: InstanceId,
    /// The host that the breaker stands before.
    pub host: String,
    /// `closed`, `open` or `half_open`.
    pub state: &'static str,
    /// Requests that count at the moment.
    pub calls: u64,
    /// Those of them that failed: no answer, no answer in time, or a 5xx.
    pub failures: u64,
    /// How long an open breaker stays so; zero if the next request may try.
    pub retry_after: Option<Duration>,
}

pub(super) struct Hosts {
    known: Cache<u64, Arc<Host>>,
    breaker: BreakerSettings,
    ratio: f64,
    reserve: u32,
    events: Arc<dyn Fn(EventKind) + Send + Sync>,
}

impl Hosts {
    pub(super) fn new(settings: &HttpSettings, events: Arc<dyn Fn(EventKind) + Send + Sync>) -> Result<Self> {
        let hosts = Self {
            known: Cache::new(MOST_HOSTS),
            breaker: settings.breaker.clone(),
            ratio: settings.retry_ratio,
            reserve: settings.retry_reserve,
            events,
        };
        hosts.breaker()?;
        Ok(hosts)
    }

    /// The host of a URL; made when it is asked for the first time.
    pub(super) fn get(&self, endpoint: &Endpoint, url: &Url) -> Result<Arc<Host>> {
        let name = url.host_str().unwrap_or_default();
        let key =
            hash_key((endpoint.identity(), endpoint.instance.as_str(), name, url.port_or_known_default()));
        self.known.get_or_insert_with(&key, || {
            let name: Box<str> = match url.port() {
                Some(port) => format!("{name}:{port}").into(),
                None => name.into(),
            };
            let (events, instance, host) =
                (Arc::clone(&self.events), endpoint.instance.clone(), name.clone());
            let tell = move |change: &Transition| {
                let (instance, host) = (instance.clone(), host.to_string());
                events(EventKind::BreakerChanged { instance, host, state: change.to.as_str().to_owned() });
            };
            Ok(Arc::new(Host {
                instance: endpoint.instance.clone(),
                name,
                breaker: Arc::new(self.breaker()?.observed_by(Arc::new(tell), key)),
                budget: RetryBudget::new(self.ratio, self.reserve),
            }))
        })
    }

    pub(super) fn views(&self, now: u64) -> Vec<BreakerView> {
        let mut views: Vec<_> = self.known.iter().map(|(_, host)| host.view(now)).collect();
        views.sort_by(|a, b| (&a.instance, &a.host).cmp(&(&b.instance, &b.host)));
        views
    }

    fn breaker(&self) -> Result<Breaker> {
        Breaker::new(self.breaker.clone())
            .map_err(|error| Error::new(ErrorKind::Config, format!("`http.breaker`: {error}")))
    }
}

impl Host {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn view(&self, now: u64) -> BreakerView {
        let BreakerSnapshot { state, counts, retry_after, .. } = self.breaker.snapshot(now);
        BreakerView {
            instance: self.instance.clone(),
            host: self.name.to_string(),
            state: state.as_str(),
            calls: counts.calls,
            failures: counts.failures,
            retry_after,
        }
    }
}
