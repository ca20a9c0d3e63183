//! The demo: the main job played over HTTP in front of the reader.

pub mod stand_in;
