//! The files that come with the crate: services that many want, ready to load.
//!
//! Each is an ordinary file, of which a host can also load a changed copy. Some need a value for their address, which
//! [`Loader::config`](super::Loader::config) gives; the page of each in `docs/connectors/` says which, and what to register at
//! the provider.
//!
//! ```
//! use tool_connect_connectors::declarative::{Declarative, Loader, builtin};
//!
//! let stripe = Declarative::builtin("stripe")?;
//! let zendesk = Loader::new().config("subdomain", "acme").builtin("zendesk")?;
//! assert_eq!(zendesk.base_url().as_str(), "https://acme.zendesk.com/api/v2");
//! assert!(builtin::ALL.iter().any(|file| file.id == "jira"));
//! # drop(stripe);
//! # Ok::<(), tool_connect_core::Error>(())
//! ```

/// A file that comes with the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Builtin {
    /// The id in it, and the name that it is loaded by.
    pub id: &'static str,
    /// Its text, in the format of `docs/declarative.md`.
    pub toml: &'static str,
}

/// Airtable: bases and records.
pub const AIRTABLE: Builtin =
    Builtin { id: "airtable", toml: include_str!("../../declarative/airtable.toml") };
/// Asana: tasks and comments.
pub const ASANA: Builtin = Builtin { id: "asana", toml: include_str!("../../declarative/asana.toml") };
/// Discord: messages, channels and guild members.
pub const DISCORD: Builtin = Builtin { id: "discord", toml: include_str!("../../declarative/discord.toml") };
/// HubSpot: contacts, companies and deals.
pub const HUBSPOT: Builtin = Builtin { id: "hubspot", toml: include_str!("../../declarative/hubspot.toml") };
/// Jira: issues, comments, transitions, projects and users.
pub const JIRA: Builtin = Builtin { id: "jira", toml: include_str!("../../declarative/jira.toml") };
/// Salesforce: SOQL, describe, records and leads.
pub const SALESFORCE: Builtin =
    Builtin { id: "salesforce", toml: include_str!("../../declarative/salesforce.toml") };
/// Shopify: products, orders, customers and inventory.
pub const SHOPIFY: Builtin = Builtin { id: "shopify", toml: include_str!("../../declarative/shopify.toml") };
/// Stripe: customers, charges, invoices, subscriptions and refunds.
pub const STRIPE: Builtin = Builtin { id: "stripe", toml: include_str!("../../declarative/stripe.toml") };
/// Trello: boards, lists and cards.
pub const TRELLO: Builtin = Builtin { id: "trello", toml: include_str!("../../declarative/trello.toml") };
/// Vercel: projects, deployments, logs and domains.
pub const VERCEL: Builtin = Builtin { id: "vercel", toml: include_str!("../../declarative/vercel.toml") };
/// Zendesk: tickets, comments, users and search.
pub const ZENDESK: Builtin = Builtin { id: "zendesk", toml: include_str!("../../declarative/zendesk.toml") };

/// All of them, by id.
pub const ALL: &[Builtin] =
    &[AIRTABLE, ASANA, DISCORD, HUBSPOT, JIRA, SALESFORCE, SHOPIFY, STRIPE, TRELLO, VERCEL, ZENDESK];
