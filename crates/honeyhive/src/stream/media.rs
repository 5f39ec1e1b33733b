//! Pictures, recordings and files have texts that stand for them.

use super::json::{Json, Text};

/// Returns a mark instead of the bytes: data that are elsewhere have no size.
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

/// Returns the text of a document that came as a text.
pub(super) fn text_document(part: Json<'_>) -> Option<Text<'_>> {
    let source = part.get("source")?;
    source.text_in("data").filter(|_| source.is("type", "text"))
}

/// Returns the text that stands for a picture, a recording or a file: `[image, 120 KB]`.
pub(super) fn attachment(part: Json<'_>) -> Option<String> {
    let paths: [&[&str]; 13] = [
        &["image_url", "url"],
        &["image_url"],
        &["source", "data"],
        &["source", "url"],
        &["inlineData", "data"],
        &["inline_data", "data"],
        &["fileData", "fileUri"],
        &["file_data", "file_uri"],
        &["input_audio", "data"],
        &["file", "file_data"],
        &["file_data"],
        &["data"],
        &["uri"],
    ];
    let found = paths.iter().find_map(|path| {
        let value = path.iter().try_fold(part, |at, key| at.get(key))?;
        value.text()
    });
    // Gemini says in the holder of the data what they are.
    let holders = ["inlineData", "inline_data", "fileData", "file_data"];
    let holder = holders.iter().find_map(|key| part.get(key));
    let holder = holder.unwrap_or(part);
    let kinds = [("type", part), ("mimeType", holder), ("mime_type", holder)];
    let kind = kinds
        .iter()
        .find_map(|(key, holder)| holder.text_in(key).map(|it| kind_of(it.written())));
    match (found, kind) {
        (Some(data), kind) => Some(mark(kind.unwrap_or("file"), data)),
        (None, Some(_)) => Some(format!("[{}]", part.text_in("type")?.written())),
        (None, None) => None,
    }
}

pub(super) fn kind_of(said: &str) -> &'static str {
    let kinds = ["image", "audio", "video"];
    let head = said.get(..64).unwrap_or(said);
    if head.ends_with("screenshot") {
        return "image";
    }
    kinds
        .into_iter()
        .find(|kind| head.contains(kind))
        .unwrap_or("file")
}
