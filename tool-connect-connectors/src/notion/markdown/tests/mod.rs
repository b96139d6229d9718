//! Markdown and back: by example, and by properties over generated blocks and texts.

mod examples;
mod generate;
mod properties;
