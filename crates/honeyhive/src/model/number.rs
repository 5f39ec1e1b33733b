//! Numbers are kept as the program meant them.

/// Returns an `f32` as the number that it is written as: 0.9, not 0.8999999761581421.
pub(crate) fn of_f32(value: f32) -> f64 {
    let wide = f64::from(value);
    if significant_bits(wide) < FEW {
        return wide;
    }
    value.to_string().parse().unwrap_or(wide)
}

/// Returns a number that was widened from an `f32`, as `json!` and `tracing` do, as [`of_f32`] would.
///
/// An `f32` has 24 significant bits, and a number that was an `f64` all along has so few only where it is a sum of a
/// few halves, which are written alike either way.
#[inline]
pub(crate) fn meant(value: f64) -> f64 {
    if (FEW..=f32::MANTISSA_DIGITS).contains(&significant_bits(value)) {
        // The number was an `f32`, so narrowing loses nothing.
        let narrow = value as f32;
        if f64::from(narrow) == value {
            return of_f32(narrow);
        }
    }
    value
}

/// Numbers of fewer bits are written alike, whether they are of 32 bits or of 64.
const FEW: u32 = 17;

#[inline]
const fn significant_bits(value: f64) -> u32 {
    const FRACTION: u64 = (1 << (f64::MANTISSA_DIGITS - 1)) - 1;
    let fraction = value.to_bits() & FRACTION;
    if fraction == 0 {
        1
    } else {
        f64::MANTISSA_DIGITS - fraction.trailing_zeros()
    }
}

/// Returns the name of a number that JSON does not know: `nan`, `inf`, `-inf`, as the official SDK has it.
#[inline]
pub(crate) fn name(value: f64) -> Option<&'static str> {
    if value.is_finite() {
        None
    } else if value.is_nan() {
        Some("nan")
    } else if value > 0.0 {
        Some("inf")
    } else {
        Some("-inf")
    }
}

/// Returns whether a text is one of these names.
pub(crate) fn is_name(text: &str) -> bool {
    matches!(text, "nan" | "inf" | "-inf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_32_bits_is_what_it_is_written_as_also_after_others_widened_it() {
        for text in [
            "0.9",
            "0.1",
            "-0.7",
            "3.1415927",
            "1e-7",
            "16777216",
            "0.5",
            "1e30",
            "0",
            "123456.79",
        ] {
            let narrow: f32 = text.parse().unwrap();
            let wide: f64 = text.parse().unwrap();
            assert_eq!(of_f32(narrow), wide, "{text}");
            assert_eq!(meant(f64::from(narrow)), wide, "{text}");
        }
    }

    #[test]
    fn a_number_of_64_bits_stays_as_it_is() {
        for value in [
            0.9,
            0.1,
            1.0 / 3.0,
            1023.0 / 1024.0,
            1e300,
            f64::MIN_POSITIVE,
            123_456_789.0,
            -0.0,
            f64::MAX,
            0.8999999761581422,
        ] {
            assert_eq!(meant(value).to_bits(), value.to_bits(), "{value}");
        }
        assert!(meant(f64::NAN).is_nan() && meant(f64::INFINITY).is_infinite());
    }
}
