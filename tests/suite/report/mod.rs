//! Reports: what they say, what they must never say, and what they survive.

mod ci;
mod fixtures;
mod formats;
mod hostile;
mod html;
mod json;
mod sarif;
mod scale;
pub(crate) mod schema;
mod text;
