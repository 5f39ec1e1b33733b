//! Escaping: everything on a page came from outside.

use std::fmt;

/// Text that is safe between tags and in quoted attributes.
pub(super) struct Escaped<'t>(pub(super) &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(entity(rest.as_bytes()[at]))?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

fn entity(character: u8) -> &'static str {
    match character {
        b'&' => "&amp;",
        b'<' => "&lt;",
        b'>' => "&gt;",
        b'"' => "&quot;",
        _ => "&#39;",
    }
}
