//! Pages show numbers in words.

/// Returns a duration in the largest unit that leaves three digits: `218 ms`, `2.41 s`, `3 min 20 s`.
pub(super) fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms if ms < 10_000.0 => format!("{:.2} s", ms / 1e3),
        ms if ms < 120_000.0 => format!("{:.1} s", ms / 1e3),
        ms => {
            let seconds = (ms / 1e3).round() as u64;
            match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
                (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
                (hours, minutes, _) => format!("{hours} h {minutes} min"),
            }
        }
    }
}

/// Returns an amount in US dollars; a fraction of a cent keeps two significant digits.
pub(super) fn cost(dollars: f64) -> String {
    match dollars {
        d if d >= 0.1 => format!("${d:.2}"),
        d if d >= 0.000_1 => format!("${d:.4}"),
        d => format!("${d:.6}"),
    }
}

/// Returns a count with separators: `14,880`.
pub(super) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a number with its thing: `1 error`, `2 errors`.
pub(super) fn counted(number: i64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number))
}

/// Returns a size: `512 B`, `1.4 KiB`, `3.0 MiB`.
pub(super) fn bytes(size: usize) -> String {
    let size = size as f64;
    match size {
        b if b < 1024.0 => format!("{b} B"),
        b if b < 1024.0 * 1024.0 => format!("{:.1} KiB", b / 1024.0),
        b => format!("{:.1} MiB", b / 1024.0 / 1024.0),
    }
}

/// Returns a metric or a score with at most four significant digits, without trailing zeros.
pub(super) fn number(value: f64) -> String {
    let text = match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.2}"),
        v if v >= 0.001 || v == 0.0 => format!("{value:.4}"),
        _ => return format!("{value:.1e}"),
    };
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the first eight characters of an id.
pub(super) fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

/// Encodes `text` as one segment of a path, or one value of a query.
pub(super) fn encoded(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::{bytes, cost, count, counted, duration, number};

    #[test]
    fn numbers_are_told_as_people_read_them() {
        for (told, expected) in [
            (duration(0.25), "0.2 ms"),
            (duration(218.4), "218 ms"),
            (duration(2414.0), "2.41 s"),
            (duration(38_200.0), "38.2 s"),
            (duration(200_000.0), "3 min 20 s"),
            (duration(7_260_000.0), "2 h 1 min"),
            (cost(0.000_42), "$0.0004"),
            (cost(0.000_02), "$0.000020"),
            (cost(0.0123), "$0.0123"),
            (cost(12.3), "$12.30"),
            (count(14_880), "14,880"),
            (count(-1_000), "-1,000"),
            (count(12), "12"),
            (counted(1, "error"), "1 error"),
            (counted(1_201, "event"), "1,201 events"),
            (bytes(512), "512 B"),
            (bytes(1_434), "1.4 KiB"),
            (number(0.68), "0.68"),
            (number(1.0), "1"),
            (number(1523.4), "1523"),
            (number(0.000_02), "2.0e-5"),
        ] {
            assert_eq!(told, expected);
        }
    }
}
