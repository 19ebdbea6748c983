//! The GitHub connector: against a hostile server, against recorded traffic and against a stateful third-party server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../../../collect/tests/server/mod.rs"]
mod server;

#[path = "../emulated/mod.rs"]
mod emulated;

mod app;
mod assessed;
mod docs;
mod emulate;
mod evidence;
mod hostile;
mod recorded;
mod support;
mod world;
