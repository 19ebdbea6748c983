//! The connector runtime, for every source that is asked over HTTP.
//!
//! [`Http`] asks one question and either has the whole answer or says why not: rate limits are waited for, faults are
//! tried again, a cut-off body, a proxy's page or an answer from another host is never taken for data. [`Recorder`]
//! turns answers into captures with receipts and closes every stream with what the look at it yielded, so that a stream
//! that could not be read is a gap on record and not an empty one.
//!
//! Clock, sleep and randomness are handed in ([`Surroundings`]). Secrets never reach a receipt or a body.

mod http;
mod link;
mod loopback;
mod recorder;
mod redact;

pub use http::{Http, HttpConfig, HttpError, Request, Response, Surroundings, origin_of, parse_http_date};
pub use link::{encode_segment, next_link, page_count, query_value};
pub use loopback::{Asked, Loopback, Reply};
pub use recorder::{BoxError, Recorder, RunSummary, Sink, StreamSummary};
pub use redact::Secret;
