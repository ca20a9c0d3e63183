//! What `feed::publisher` says of a crash at each of its steps, and of what
//! else may happen to a log and its files.

mod naive;
mod opening;
mod rivals;
