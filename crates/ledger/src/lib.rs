//! The tamper-evident ledger: append, sequence, publish, recover; objects, encryption, erasure.
