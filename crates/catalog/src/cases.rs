//! The cases of a procedure: rows in, verdicts out.
