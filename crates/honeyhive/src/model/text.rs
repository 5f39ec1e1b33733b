//! [`bounded`] keeps the text that a value of the program's makes of itself, up to a bound.

use std::fmt::{self, Write as _};

use crate::model::limits;

/// The text of a value has this many bytes at the most.
const MOST: usize = 64 * 1024;

/// Values nest this deep at the most, as serialised ones do.
const DEPTH: usize = 64;

/// Returns the formatted text. Formatting stops where the text is cut, so that no value is longer or deeper than there
/// is room for on the caller's stack.
pub(crate) fn bounded(arguments: fmt::Arguments<'_>) -> String {
    let mut bounded = Bounded::default();
    // Writing fails where the text is cut, or where the value's own formatting does.
    let _ = bounded.write_fmt(arguments);
    bounded.text
}

/// The text has a limit of bytes and of nesting, past which it ends with a mark.
#[derive(Default)]
struct Bounded {
    text: String,
    depth: usize,
    /// The text goes on in quotes, and behind a backslash.
    is_quoted: bool,
    is_escaped: bool,
    is_full: bool,
}

impl Bounded {
    /// Counts the nesting in the pieces that `Debug` of the standard library writes around the parts of a value.
    fn count(&mut self, part: &str) {
        let is_escaped = std::mem::take(&mut self.is_escaped);
        match part {
            "\\" => self.is_escaped = self.is_quoted && !is_escaped,
            "\"" if !is_escaped => self.is_quoted = !self.is_quoted,
            _ if self.is_quoted => {}
            "(" | "[" | "{" | " { " | " {\n" | "(\n" | "[\n" | "{\n" => self.depth += 1,
            ")" | "]" | "}" | " }" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn end(&mut self, mark: &str) -> fmt::Result {
        if !std::mem::replace(&mut self.is_full, true) {
            self.text.push_str(mark);
        }
        Err(fmt::Error)
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.is_full {
            return Err(fmt::Error);
        }
        self.count(part);
        if self.depth > DEPTH {
            return self.end(&limits::too_deep(DEPTH));
        }
        let room = MOST.saturating_sub(self.text.len());
        if part.len() <= room {
            self.text.push_str(part);
            return Ok(());
        }
        self.text.push_str(limits::beginning(part, room));
        self.end(&limits::mark(format_args!("over {MOST}")))
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
    fn a_deep_value_has_a_mark_at_the_bottom_on_a_small_stack_too() {
        struct Deep(usize);

        impl fmt::Debug for Deep {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let inner = Self(self.0.saturating_sub(1));
                match self.0 % 3 {
                    _ if self.0 == 0 => formatter.write_str("bottom"),
                    0 => formatter.debug_tuple("Deep").field(&inner).finish(),
                    1 => formatter.debug_struct("Deep").field("a", &inner).finish(),
                    _ => formatter.debug_list().entry(&Some(inner)).finish(),
                }
            }
        }

        let deep = std::thread::Builder::new()
            .stack_size(256 * 1024)
            .spawn(|| {
                let (plain, pretty) = (Deep(1_000_000), Deep(1_000_000));
                bounded(format_args!("{plain:?}")) + &bounded(format_args!("{pretty:#?}"))
            })
            .unwrap();
        let text = deep.join().unwrap();
        let marks = text.matches("… [cut: over 64 values within each other]");
        assert_eq!(marks.count(), 2, "{text}");
        // Values beside each other are not nested.
        let beside = vec![(1, [2], Some("("), "\\\"{\"(", "{"); 200];
        assert!(bounded(format_args!("{beside:?}")) == format!("{beside:?}"));
        let whole = Deep(40);
        assert!(bounded(format_args!("{whole:?}")).contains("bottom"));
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
