//! The program itself, as its users have it: started, called, signalled and
//! killed from outside. Every test has a folder of its own; nothing outlives it.

mod accounts;
mod child;
mod demo;
mod house;
mod imports;
mod keys;
mod killed;
mod logs;
mod mirror;
mod people;
mod phone;
mod restored;
mod routes;
mod rubbish;
mod serving;
mod webhooks;
mod wire;
