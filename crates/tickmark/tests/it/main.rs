//! The binary as a user meets it: every test has its own home, its own workspace and repositories made by `git`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access;
mod anchor;
mod assess;
mod bad_input;
mod check;
mod company;
mod custody;
mod damage;
mod github;
mod import;
mod line;
mod person;
mod postgresql;
mod query;
mod readme;
mod rerun;
mod support;
mod surroundings;
