//! URLs may hold secrets: user info, and parameters of a URL that is a parameter itself.

use super::arguments;
use super::quotes::decoded;
use super::text::Masker;
use crate::secret::is_secret_parameter;

impl<H: Fn(&str) -> bool> Masker<'_, H> {
    /// Masks `name%3Dvalue`, of which the sign begins here: a parameter of a URL that is a parameter itself; encoded
    /// twice, too.
    pub(super) fn encoded_assignment(&mut self, sign: usize) -> Option<usize> {
        let percent = ["%", "%25"].into_iter().find(|percent| {
            let code = self.bytes[sign..].strip_prefix(percent.as_bytes());
            matches!(code, Some([b'3', b'D' | b'd', ..]))
        })?;
        let (name, _) = self.name_before(sign)?;
        let once = decoded(&self.text[name]);
        let decoded = decoded(&once);
        let name = decoded.rsplit(['?', '&', '#']).next().unwrap_or_default();
        let is_parameter = self.by_default && name != decoded && is_secret_parameter(name);
        if !is_parameter && !(self.hides)(name) {
            return None;
        }
        let word = self.word(sign + percent.len() + 2);
        let next = self.text[word.clone()].find(&format!("{percent}26"));
        let end = next.map_or(word.end, |next| word.start + next);
        self.mask(word.start..end, end)
    }

    /// Returns whether `//host` begins here, of a URL without its scheme.
    pub(super) fn begins_host(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map(|before| self.bytes[before]);
        let is_apart = before.is_none_or(|it| !it.is_ascii_alphanumeric() && !b"/:".contains(&it));
        let is_first = is_apart || arguments::ends_escape(&self.text[..at]);
        is_first && self.bytes[at..].starts_with(b"//")
    }

    /// Masks `%3A%2F%2Fuser%3Apassword%40host`, which begins here; encoded twice, too.
    pub(super) fn encoded_user_info(&mut self, at: usize) -> Option<usize> {
        /// A host with its user info has this many bytes at the most.
        const AUTHORITY: usize = 1024;
        if !self.by_default {
            return None;
        }
        let percent = ["%", "%25"].into_iter().find(|percent| {
            let begin = format!("{percent}3a{percent}2f{percent}2f");
            let found = self.bytes.get(at..at + begin.len());
            found.is_some_and(|found| found.eq_ignore_ascii_case(begin.as_bytes()))
        })?;
        let sign = |code: &str| format!("{percent}{code}");
        let start = at + 3 * sign("3a").len();
        let word = self.word(start);
        let word = self.text.get(start..word.end.min(start + AUTHORITY));
        let word = word.unwrap_or_default();
        let host = word.to_ascii_lowercase();
        let slash = host.find(&sign("2f"));
        let authority = &word[..slash.unwrap_or(word.len())];
        let ended = end_of_user_info(authority, &sign("40")).or_else(|| {
            // The text was cut off before the `@`, if the text behind the colon is no port.
            let colon = host[..authority.len()].find(&sign("3a"))?;
            let port = authority[colon + sign("3a").len()..].split('%').next()?;
            is_no_port(authority, port).then_some(authority.len())
        });
        let end = start + ended?;
        self.mask(start..end, end)
    }

    /// Masks `user:password@`, which begins here.
    pub(super) fn user_info(&mut self, start: usize) -> Option<usize> {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"?#\"'<>\\{}()".contains(byte);
        let length = |bytes: &[u8]| bytes.iter().take_while(|byte| !ends(byte)).count();
        let word = &self.text[start..start + length(&self.bytes[start..])];
        let authority = word.split('/').next().unwrap_or_default();
        let user_info = match authority.rfind('@') {
            Some(at) => Some(&authority[..at]),
            // The password has a `/` in it, which should have been encoded.
            None => authority
                .split_once(':')
                .filter(|(_, port)| is_no_port(authority, port))
                .and_then(|_| Some(&word[..word.rfind('@')?])),
        };
        let is_web =
            self.text[..start].ends_with("https://") || self.text[..start].ends_with("http://");
        match user_info {
            Some(user) if self.by_default && (self.is_url || is_web || user.contains(':')) => {
                let end = start + user.len();
                self.mask(start..end, end)
            }
            _ => Some(start),
        }
    }
}

/// Returns the place of the last `@`, of which a text that was cut off may have only the beginning.
fn end_of_user_info(authority: &str, sign: &str) -> Option<usize> {
    let begun = || {
        let lengths = (1..sign.len()).rev();
        let mut begun = lengths.filter(|length| authority.ends_with(&sign[..*length]));
        Some(authority.len() - begun.next()?)
    };
    authority.rfind(sign).or_else(begun)
}

/// Returns whether the text behind the first colon of an authority is the beginning of a password, and no port.
fn is_no_port(authority: &str, behind: &str) -> bool {
    let is_address = authority.starts_with(['[', '%']);
    !is_address && !behind.bytes().all(|byte| byte.is_ascii_digit())
}
