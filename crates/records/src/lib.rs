//! From captured bytes to rows: entities, identity links, generations, freezing.
