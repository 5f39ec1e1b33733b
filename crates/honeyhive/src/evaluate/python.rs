//! Ids are hashes of Python's spelling of JSON: `json.dumps(value, sort_keys=True)`.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// Returns the text that `json.dumps(value, sort_keys=True)` makes of a value.
pub(super) fn dumps(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => write_list(items, out),
        Value::Object(object) => write_object(object, out),
    }
}

fn write_list(items: &[Value], out: &mut String) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_value(item, out);
    }
    out.push(']');
}

fn write_object(object: &Map<String, Value>, out: &mut String) {
    // A program may have turned on `serde_json/preserve_order`. Bytes of UTF-8 sort as code points do.
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    out.push('{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_text(key, out);
        out.push_str(": ");
        write_value(value, out);
    }
    out.push('}');
}

fn write_number(number: &Number, out: &mut String) {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(value) => out.push_str(&float(value)),
        None => out.push_str(&number.to_string()),
    }
}

/// Writes a float as Python's `repr` does: the shortest digits, with an exponent below 1e-4 and from 1e16 on.
pub(super) fn float(value: f64) -> String {
    let spelled = shortest(value);
    let (mantissa, exponent) = spelled.split_once('e').unwrap_or((&spelled, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        return positional(mantissa, exponent);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// Returns the shortest digits that read back as the value. Where two are as near, Python takes the even one, and Rust
/// the larger.
fn shortest(value: f64) -> String {
    /// The number of further digits after which a seeming tie is a tie.
    const MORE: usize = 30;
    let spelled = format!("{value:e}");
    let mantissa = spelled
        .split_once('e')
        .map_or(0, |(mantissa, _)| mantissa.len());
    let fraction = spelled.find('.').map_or(0, |point| mantissa - point - 1);
    let exact = format!("{value:.*e}", fraction + MORE);
    let Some((below, rest)) = exact.split_at_checked(mantissa).filter(|_| fraction > 0) else {
        return spelled;
    };
    let is_tie = rest
        .strip_prefix('5')
        .is_some_and(|rest| rest.trim_start_matches('0').starts_with('e'));
    let is_even = below.ends_with(['0', '2', '4', '6', '8']);
    let even = format!("{below}{}", &spelled[mantissa..]);
    if is_tie && is_even && even.parse() == Ok(value) {
        even
    } else {
        spelled
    }
}

fn positional(mantissa: &str, exponent: i32) -> String {
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if exponent < 0 {
        let zeros = "0".repeat((-exponent - 1).unsigned_abs() as usize);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    if digits.len() <= whole {
        let zeros = "0".repeat(whole - digits.len());
        return format!("{sign}{digits}{zeros}.0");
    }
    let (whole, fraction) = digits.split_at(whole);
    format!("{sign}{whole}.{fraction}")
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => write_escaped(character, out),
        }
    }
    out.push('"');
}

fn write_escaped(character: char, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a text does not fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::evaluate::splitmix::SplitMix64;

    fn hash(lines: impl IntoIterator<Item = f64>) -> String {
        let mut hasher = Sha256::new();
        for value in lines {
            hasher.update(float(value));
            hasher.update("\n");
        }
        hasher
            .finalize()
            .iter()
            .fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }

    #[test]
    fn texts_keys_and_numbers_are_spelled_as_python_spells_them() {
        let value = json!({"é": 1, "a": [1.0, -0.0, true, null], "😀": {}, "\u{ffff}": [], "Z": "ü \u{7f}/\"\\\u{8}\u{c}\n\r\t\u{0}"});
        assert_eq!(
            dumps(&value),
            r#"{"Z": "\u00fc \u007f/\"\\\b\f\n\r\t\u0000", "a": [1.0, -0.0, true, null], "\u00e9": 1, "\uffff": [], "\ud83d\ude00": {}}"#
        );
    }

    #[test]
    fn floats_are_spelled_as_python_spells_them() {
        let spelled = [
            "1.0",
            "0.1",
            "1e-07",
            "1e-05",
            "0.0001",
            "1000000000000000.0",
            "1e+16",
            "1e+22",
            "1e+23",
            "-0.0",
            "1.2345678901234568e+17",
            "5e-324",
            "1.7976931348623157e+308",
            "2.5e-05",
            "100000.0",
            "-12.5",
            "123.456",
        ];
        for text in spelled {
            assert_eq!(float(text.parse().unwrap()), text);
        }
    }

    #[test]
    fn a_hundred_thousand_doubles_are_spelled_as_python_spells_them() {
        let mut random = SplitMix64::new(2026);
        let doubles = std::iter::repeat_with(|| f64::from_bits(random.next()));
        let doubles: Vec<f64> = doubles
            .filter(|value| value.is_finite())
            .take(100_000)
            .collect();
        let first: Vec<String> = doubles.iter().take(3).map(|value| float(*value)).collect();
        assert_eq!(
            first,
            [
                "-2.0111825723238728e+133",
                "3.864206069206676e+273",
                "-2.580537930806843e-102"
            ]
        );
        assert_eq!(
            hash(doubles),
            "bff90e46c948bdb8f8a206296020ff8fdc3dada334b4b55a09e71acbe71bc299"
        );
    }

    #[test]
    fn a_hundred_thousand_decimals_are_spelled_as_python_spells_them() {
        let mut random = SplitMix64::new(7);
        let decimals = (0..100_000).map(|index| {
            let digits = random.next() % 10_u64.pow(1 + index % 17);
            let exponent = i64::try_from(random.next() % 40).unwrap() - 20;
            format!("{digits}e{exponent}").parse().unwrap()
        });
        assert_eq!(
            hash(decimals),
            "e7e94eb25b5fbcd96ebb20188d30ea7b840465ef78825445a3d3a5c22d80bfd8"
        );
    }
}
