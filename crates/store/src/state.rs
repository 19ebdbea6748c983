//! `data/state.db`: the ledger's head and the workspace's settings.
