//! The bodies of the REST calls.

mod fields;
mod session;
mod update;

pub(crate) use session::{
    answer as session_answer, check_fields as check_session_fields, parse as parse_session,
};
pub(crate) use update::Update;

/// Why a body was refused: what the client is told.
#[derive(Debug)]
pub(crate) struct Invalid(pub(crate) String);
