//! A piece of work has a current session: by id, by thread, by task, and in test mode.

mod linking;
mod test_mode;
mod users;

pub use linking::{Linked, linking};
pub use test_mode::test_mode;
pub use users::serve_users;
