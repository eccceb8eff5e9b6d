//! Reports: what they say, what they must never say, and what they survive.

mod fixtures;
mod hostile;
mod json;
mod schema;
mod text;
