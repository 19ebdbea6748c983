//! The pages, a file per resource. Each is a plain function from a visit to an answer.

pub(crate) mod catalog;
pub(crate) mod controls;
pub(crate) mod coverage;
pub(crate) mod criteria;
pub(crate) mod deciding;
pub(crate) mod deviations;
pub(crate) mod home;
pub(crate) mod item;
pub(crate) mod ledger;
pub(crate) mod members;
pub(crate) mod own;
pub(crate) mod procedures;
pub(crate) mod query;
pub(crate) mod registers;
pub(crate) mod reviews;
pub(crate) mod search;
pub(crate) mod session;
