//! Times: Unix milliseconds as they are kept, and their forms in JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Now in Unix milliseconds, whole ones.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| (since.as_secs_f64() * 1e3).floor())
}

/// A time as HoneyHive writes it: without a decimal point where it is whole.
pub(crate) fn milliseconds(time: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if time.fract() == 0.0 && time.abs() <= EXACT {
        return json!(time as i64);
    }
    json!(time)
}

/// Unix milliseconds as ISO 8601 in UTC, such as `2026-01-01T00:00:00.000Z`.
pub(crate) fn iso(time: f64) -> String {
    let total = time.max(0.0) as u64;
    let (days, day) = (total / 86_400_000, total % 86_400_000);
    let (year, month, date) = civil(days);
    let (hours, minutes) = (day / 3_600_000, day / 60_000 % 60);
    let (seconds, millis) = (day / 1000 % 60, day % 1000);
    format!("{year:04}-{month:02}-{date:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// The date `days` days after 1970-01-01, by the Gregorian calendar.
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
    use super::iso;

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
