//! Points in time are written as text, since JSON has no type for them.

use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;
/// The first day of the year 10000 is one that the format has no digits for.
const END: u64 = 2_932_897;

/// Formats a time since 1970-01-01T00:00:00Z by RFC 3339, with nanoseconds where there are any; `None` beyond the year
/// 9999.
pub(crate) fn format(since_epoch: Duration) -> Option<String> {
    let seconds = since_epoch.as_secs();
    let days = seconds / DAY;
    if days >= END {
        return None;
    }
    let (year, month, day) = date(days);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let whole = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    Some(match since_epoch.subsec_nanos() {
        0 => format!("{whole}Z"),
        nanos => format!("{whole}.{nanos:09}Z"),
    })
}

/// Returns year, month and day in the Gregorian calendar (`civil_from_days` of Howard Hinnant's "chrono-compatible
/// low-level date algorithms"). Years begin in March here, so that the leap day is the last of its year.
const fn date(days_since_1970: u64) -> (u64, u64, u64) {
    /// So many days lie between 0000-03-01, where 400 years begin, and 1970-01-01.
    const TO_1970: u64 = 719_468;
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let days = days_since_1970 + TO_1970;
    let (era, day) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // 153 days are five months, of 31, 30, 31, 30 and 31 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    let month = if is_next_year { month - 9 } else { month + 3 };
    (400 * era + year + is_next_year as u64, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_until_the_year_10000_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..END {
            assert_eq!(date(days), (year, month, day));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (year, month, day) = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                (_, day) if day == last => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }

    #[test]
    fn times_are_written_to_the_nanosecond_as_long_as_the_year_has_four_digits() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (951_782_399, 999_999_999, "2000-02-28T23:59:59.999999999Z"),
            (951_782_400, 1, "2000-02-29T00:00:00.000000001Z"),
            (1_700_000_000, 123_000_000, "2023-11-14T22:13:20.123000000Z"),
            (253_402_300_799, 0, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(format(Duration::new(seconds, nanos)).as_deref(), Some(text));
        }
        assert_eq!(format(Duration::from_secs(253_402_300_800)), None);
        assert_eq!(format(Duration::MAX), None);
    }
}
