//! Every case of every procedure.
fn main() {}
