//! The bodies of the fuzz targets, as `cargo test` has them too.

pub mod bodies;

#[path = "../it/support"]
pub mod support {
    pub mod app;
}
