//! The Hub: registry, call stack, request stack, guarded transport and audit.
//!
//! A host builds one [`Hub`], registers connectors and opens a [`Session`] per principal; every call
//! passes the same two stacks. [`HubSettings`] says what is on.

pub mod audit;
mod blocking;
mod builder;
mod cache;
mod call;
mod caller;
mod credentials;
mod health;
mod host;
mod hub;
mod limits;
mod model;
mod observe;
mod patience;
mod policy;
mod registry;
mod request;
mod search;
mod session;
mod settings;
mod shape;
pub mod transport;
mod validate;
mod walk;

pub use blocking::{BlockingHub, BlockingSession};
pub use builder::{HubBuilder, InstanceOptions};
pub use cache::CacheSettings;
pub use credentials::{SchemeAuthenticator, StaticCredentials};
pub use health::Health;
pub use host::{Ingress, Next, PerCall};
pub use hub::Hub;
pub use limits::{LimitOf, LimitSettings, Limits, Quota, QuotaOf};
pub use model::ModelToolPage;
pub use policy::{Access, ApproveWhen, Policy, PolicyRequest, RolePolicy};
pub use registry::{ListRequest, Quarantined, Registration, ToolInfo, ToolPage};
pub use request::{BreakerView, PerRequest, RequestEnd};
pub use search::{Embedder, MetaTools, SearchHit, SearchRequest};
pub use session::{OnInstance, Session};
pub use settings::HubSettings;
pub use shape::{Cut, CutUnit, ResultPart, ShapeSettings, Tokenizer};
pub use transport::{HttpSettings, NetworkAccess};
pub use walk::Walk;
