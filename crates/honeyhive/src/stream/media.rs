//! [`mark`]: the text that stands for a picture or a file.

use super::json::Text;

/// A mark instead of the bytes: what is elsewhere has no size.
pub(super) fn mark(kind: &str, data: Text<'_>) -> String {
    let data = data.written();
    if data.starts_with("http:") || data.starts_with("https:") || data.starts_with("gs:") {
        return format!("[{kind}]");
    }
    let packed = data
        .split_once(";base64,")
        .map_or(data, |(_, packed)| packed);
    let kilobytes = (packed.len() * 3 / 4).div_ceil(1024);
    format!("[{kind}, {kilobytes} KB]")
}
