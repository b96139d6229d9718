//! Whatever has an OpenAPI description (2.0, 3.0, 3.1; JSON or YAML) as tools, without code.
//! `index` finds operations without reading them, `build` reads one when it is first used, and `connector` gives them to a Hub.
//!
//! ```
//! use tool_connect_connectors::openapi::OpenApi;
//!
//! let api = OpenApi::open(r#"
//! openapi: 3.0.3
//! info: {title: Pets, version: 1.2.0, description: Keeps pets.}
//! servers: [{url: "https://{region}.pets.example/v1", variables: {region: {default: eu}}}]
//! paths:
//!   /pets/{id}:
//!     get:
//!       operationId: getPet
//!       summary: Gets a pet.
//!       parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
//!       responses: {"200": {description: The pet.}}
//! "#)?;
//! assert_eq!(api.operations().count(), 1);
//! assert_eq!(api.check().imported(), 1);
//!
//! // What `hub.add(..)` takes.
//! let pets = api.connector("pets").variable("region", "us").build()?;
//! assert_eq!(pets.base_url().unwrap().as_str(), "https://us.pets.example/v1");
//! # Ok::<(), tool_connect_core::Error>(())
//! ```

mod arguments;
mod body;
mod build;
mod builder;
mod connector;
mod document;
mod documents;
mod effect;
mod index;
mod names;
mod open;
mod pagination;
mod parameters;
mod path;
mod raw;
mod report;
mod schema;
mod security;
mod select;
mod servers;
mod words;
mod yaml;

pub use builder::ApiBuilder;
pub use connector::Api;
pub use documents::{Caps, Loader};
pub use open::{OpenApi, OpenOptions, OperationInfo};
pub use report::{OperationReport, Problem, Reason, Report};
pub use security::OAuthDescription;
