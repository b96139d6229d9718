//! A connector with one tool: all that an author writes. Anything else on the tour (validation,
//! retries, limits, approval, audit) comes from the stacks around it.

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};
use tool_connect::{AuthScheme, Connector, ConnectorManifest, Result, Run, Tool, ToolContext, ToolSet};

/// Books a room of the workshop for one day.
#[derive(Tool, Clone, Serialize, Deserialize, JsonSchema)]
#[tool(destructive = false, timeout = "10s")]
#[serde(deny_unknown_fields)]
pub(crate) struct BookRoom {
    /// Name of the room: attic, cellar or yard.
    #[schemars(length(max = 20), regex(pattern = "^[a-z]+$"))]
    pub(crate) room: String,
    /// How many people come.
    #[schemars(range(min = 1, max = 12))]
    pub(crate) seats: u8,
    /// The day, as in 2026-05-04.
    #[schemars(regex(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub(crate) day: String,
}

/// A booking, as the service confirms it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Booking {
    /// Its number.
    pub(crate) number: u32,
    /// The booked room.
    pub(crate) room: String,
    /// The booked day.
    pub(crate) day: String,
}

impl Run for BookRoom {
    type Output = Booking;

    async fn run(self, cx: &ToolContext) -> Result<Booking> {
        cx.http().post("/bookings").json_body(&self).json().await
    }
}

pub(crate) struct Workshop(ConnectorManifest);

impl Workshop {
    pub(crate) fn new() -> Self {
        let manifest = ConnectorManifest::new("workshop", Version::new(1, 0, 0), "Workshop")
            .description("Books rooms of a workshop.")
            .auth(AuthScheme::Bearer);
        Self(manifest)
    }
}

impl Connector for Workshop {
    fn manifest(&self) -> &ConnectorManifest {
        &self.0
    }

    fn tools(&self, set: &mut ToolSet) {
        set.add::<BookRoom>();
    }
}
