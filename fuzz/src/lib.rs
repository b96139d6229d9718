//! Fuzz targets for everything that reads what strangers send. See `README.md`.

pub mod targets;
