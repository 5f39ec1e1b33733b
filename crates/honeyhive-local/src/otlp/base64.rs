//! Base64, as OTLP/JSON writes bytes, so that both encodings end up the same.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn encode(bytes: &[u8]) -> String {
    bytes.chunks(3).flat_map(encode_group).collect()
}

fn encode_group(group: &[u8]) -> [char; 4] {
    let byte = |index: usize| group.get(index).copied().map_or(0, u32::from);
    let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    let digit = |index: usize| match index > group.len() {
        true => '=',
        false => char::from(ALPHABET[(bits >> (18 - 6 * index) & 63) as usize]),
    };
    [digit(0), digit(1), digit(2), digit(3)]
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn groups_of_every_length_are_padded_as_rfc_4648_says() {
        let encoded = ["", "f", "fo", "foo", "foobar"].map(|text| encode(text.as_bytes()));
        assert_eq!(encoded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYmFy"]);
    }
}
