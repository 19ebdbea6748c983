//! The web application: every page, and the same as JSON and CSV at the same address.
//!
//! `routes` says what there is and who may see it; each file of `pages` holds one resource as plain functions from a
//! [`visit::Visit`] to an answer. `site` keeps the workspace and what was worked out from it. `api` offers the same to programs.
//! `respond` is what all answers have in common: bounds, headers, errors; `acts` what all forms have that change something. `serve`
//! is the socket. Nothing here reads a clock, randomness or the environment: they
//! are handed in.

mod acts;
mod answer;
mod api;
mod assets;
mod csv;
mod door;
mod fault;
mod layout;
mod pages;
mod parts;
mod respond;
mod routes;
mod serve;
mod site;
mod strip;
mod visit;

pub use api::openapi;
pub use respond::{Front, Origin, Peer};
pub use routes::{Address, addresses};
pub use serve::serve;
pub use site::{Opened, Site};
pub use visit::address;
