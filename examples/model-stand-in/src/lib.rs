//! A provider of models inside the process speaks as OpenAI does, and says little.
//!
//! The name of the model picks what happens: `tools`, `reason`, `refusal`, `multi`, `midfail` (an error in the middle of
//! the stream), `nodone` (no `[DONE]`), `cut` (the connection ends in the middle), `endless` (the
//! answer stops in the middle, and comments go on), `odd` (CRLF, a byte order mark, an
//! event over lines), `err400`, `err500`, `once500` (the second try succeeds), `judge` (judges
//! `{"said": …, "right": …}`). Any other name answers the question.

mod answers;
mod chat;
mod responses;
mod server;

pub use server::{Sent, StandIn};
