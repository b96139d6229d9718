//! The entries that come with the crate: a file below `providers/` and its line here.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../providers/", $name, ".toml")))),*]
    };
}

/// File name without its end, which is the entry's id, and the text.
pub(super) const FILES: &[(&str, &str)] = files![
    "airtable",
    "atlassian",
    "github",
    "github_app",
    "gitlab",
    "google",
    "hubspot",
    "linear",
    "microsoft",
    "notion",
    "salesforce",
    "shopify",
    "slack",
    "slack_user",
    "stripe",
    "vercel",
    "vercel_integration",
    "zendesk",
];
