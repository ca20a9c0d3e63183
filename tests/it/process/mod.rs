//! The program itself, as its users have it: started, called, signalled and
//! killed from outside. Every test has a folder of its own; nothing outlives it.

mod accounts;
mod at_rest;
pub mod cast;
pub mod child;
mod clean;
mod clients;
pub mod clock;
mod copies;
mod demo;
mod doors;
mod first_run;
pub mod house;
mod imports;
mod keys;
mod lists;
mod logs;
mod mirror;
mod pages;
pub mod people;
pub mod phone;
mod readme;
pub mod restored;
mod rewritten;
pub mod routes;
mod rubbish;
mod runbook;
mod serving;
mod shared;
mod sms_post;
mod webhooks;
pub mod wire;
