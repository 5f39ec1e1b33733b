//! Times are kept as Unix milliseconds, and have several forms in JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Returns the time now, in whole Unix milliseconds.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| (since.as_secs_f64() * 1e3).floor())
}

/// Returns a time as HoneyHive writes it: without a decimal point where it is whole.
pub(crate) fn milliseconds(time: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if time.fract() == 0.0 && time.abs() <= EXACT {
        return json!(time as i64);
    }
    json!(time)
}

/// Returns Unix milliseconds as ISO 8601 in UTC, such as `2026-01-01T00:00:00.000Z`.
pub(crate) fn iso(time: f64) -> String {
    let total = time.max(0.0) as u64;
    let (days, day) = (total / 86_400_000, total % 86_400_000);
    let (year, month, date) = civil(days);
    let (hours, minutes) = (day / 3_600_000, day / 60_000 % 60);
    let (seconds, millis) = (day / 1000 % 60, day % 1000);
    format!("{year:04}-{month:02}-{date:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// Returns the Unix milliseconds of an ISO 8601 date or time; one without an offset is in UTC.
pub(crate) fn parse_iso(text: &str) -> Option<f64> {
    let text = text.trim();
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, "00:00:00Z"),
    };
    let (year, month, day) = triple(date, '-')?;
    // The dates of a browser end before the year 300,000; the days of much later years are beyond an integer.
    if year > 300_000.0 || !(1.0..=12.0).contains(&month) || !(1.0..=31.0).contains(&day) {
        return None;
    }
    let (clock, offset) = split_offset(time)?;
    let (hours, minutes, seconds) = match clock.matches(':').count() {
        1 => triple(&format!("{clock}:00"), ':')?,
        _ => triple(clock, ':')?,
    };
    if hours > 24.0 || minutes >= 60.0 || seconds > 60.0 {
        return None;
    }
    let days = days_before(year as i64, month as i64, day as i64) as f64;
    let of_day = hours * 3600.0 + minutes * 60.0 + seconds;
    Some(((days * 86_400.0 + of_day - offset) * 1e3).round())
}

fn triple(text: &str, separator: char) -> Option<(f64, f64, f64)> {
    let mut parts = text.split(separator).map(|part| {
        let digits = part
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        part.parse::<f64>().ok().filter(|_| digits)
    });
    let triple = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(triple)
}

/// Splits a time into the clock and the offset from UTC in seconds.
fn split_offset(time: &str) -> Option<(&str, f64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0.0));
    }
    let Some(at) = time.find(['+', '-']) else {
        return Some((time, 0.0));
    };
    let (clock, offset) = time.split_at(at);
    let digits: String = offset[1..].chars().filter(|it| *it != ':').collect();
    let number: f64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
    let seconds = (number / 100.0).floor() * 3600.0 + (number % 100.0) * 60.0;
    Some((
        clock,
        if offset.starts_with('-') {
            -seconds
        } else {
            seconds
        },
    ))
}

/// Returns the days from 1970-01-01 to a date of the Gregorian calendar.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that a leap day is the last day of one.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Returns the date `days` days after 1970-01-01, by the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years begin in March, so that a leap day is the last day of one.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let date = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, date)
}

#[cfg(test)]
mod tests {
    use super::{iso, parse_iso};

    #[test]
    fn times_are_read_in_the_forms_that_clients_write() {
        for (text, expected) in [
            ("1970-01-01", Some(0.0)),
            ("2000-02-29T00:00:00.000Z", Some(951_782_400_000.0)),
            ("2025-12-31T23:59:59.999+00:00", Some(1_767_225_599_999.0)),
            ("2026-01-01T02:30:00+02:30", Some(1_767_225_600_000.0)),
            ("2025-12-31 19:00-0500", Some(1_767_225_600_000.0)),
            ("2026-13-01", None),
            ("9999999999999999999-01-01", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse_iso(text), expected, "{text}");
        }
        let written = iso(951_782_400_123.0);
        assert_eq!(parse_iso(&written), Some(951_782_400_123.0));
    }

    #[test]
    fn dates_are_of_the_gregorian_calendar() {
        for (time, expected) in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000.0, "2000-02-29T00:00:00.000Z"),
            (1_767_225_599_999.0, "2025-12-31T23:59:59.999Z"),
            (4_107_542_400_000.0, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(iso(time), expected);
        }
    }
}
