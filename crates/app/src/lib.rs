//! The use cases that the command line and later the web call.
