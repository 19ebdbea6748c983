//! The binary as a user meets it: every test has its own home, its own workspace and repositories made by `git`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access;
mod anchor;
mod assess;
mod bad_input;
mod catalog;
mod check;
mod commitments;
mod company;
mod custody;
mod damage;
mod demo;
mod flows;
mod github;
mod import;
mod line;
mod mcp;
mod member;
mod parquet;
mod person;
mod population;
mod postgresql;
mod query;
mod readme;
mod reconcile;
mod register;
mod rerun;
mod review;
mod scope;
mod support;
mod surroundings;
mod versions;
mod web;
