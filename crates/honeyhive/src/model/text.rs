//! [`bounded`]: the text that a value of the program's makes of itself, as far as it is kept.

use std::fmt::{self, Write as _};

use crate::model::limits;

/// The longest text that is made of a value, in bytes.
const MOST: usize = 64 * 1024;

/// The formatted text. Formatting stops where the text is cut.
pub(crate) fn bounded(arguments: fmt::Arguments<'_>) -> String {
    let mut bounded = Bounded(String::new());
    // It fails where the text is cut, or where the value's own formatting does.
    let _ = bounded.write_fmt(arguments);
    bounded.0
}

/// A text that takes so many bytes and then a mark.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = MOST.saturating_sub(self.0.len());
        if part.len() <= room {
            self.0.push_str(part);
            return Ok(());
        }
        if self.0.len() <= MOST {
            self.0.push_str(limits::beginning(part, room));
            self.0.push_str(&limits::mark(format_args!("over {MOST}")));
        }
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_marked_once() {
        let cut = bounded(format_args!(
            "a{}{}",
            "ä".repeat(40_000),
            "b".repeat(70_000)
        ));
        assert!(cut.ends_with("ä… [cut: over 65536 bytes in all]") && cut.len() < 66_000);
    }

    #[test]
    fn a_value_whose_formatting_fails_leaves_what_was_written() {
        struct Half;

        impl fmt::Display for Half {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("half")?;
                Err(fmt::Error)
            }
        }

        assert_eq!(bounded(format_args!("{Half}")), "half");
    }
}
