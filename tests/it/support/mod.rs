//! What several rooms' tests use.
//!
//! `world` is a whole service on a loopback socket over a store in memory, with
//! its operator and the people who call it. Time moves when a story says so,
//! chance comes from a seed, and the worker does its tasks when asked: nothing
//! waits and nothing races.

pub mod app;
pub mod audit;
mod client;
pub mod company;
pub mod desk;
pub mod dice;
pub mod files;
pub mod half_year;
pub mod history;
mod parties;
mod people;
pub mod pictures;
pub mod ports;
pub mod postgres;
pub mod records;
pub mod service;
mod store;
pub mod trial;
mod world;

pub use client::Answer;
pub use people::{Dispute, Holder, Moderator, PASSWORD, Provider, parts};
pub use world::{ACCESS_NUMBER, GATEWAY_TOKEN, PUBLIC_URL, Setup, World, day, seconds};
