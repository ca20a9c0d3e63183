//! Stories over HTTP: what people do with the service, and what they get.

mod bulk;
mod clusters;
mod control;
mod delivery;
mod disputes;
mod documents;
mod enterprise;
mod filing;
mod lookups;
mod moderation;
mod name_mismatch;
mod oversight;
mod oversight_pages;
mod proof_of_work;
mod providers;
mod reassigned;
mod recycling;
mod retention;
mod sessions;
mod texting;
