//! Pictures, sounds and files in a message are shown as a mark with their kind and size, or with their address.

use serde_json::{Value as Json, json};

use super::shape::find;
use crate::model::limits;

/// An address is shown up to this length, in bytes.
const ADDRESS: usize = 512;

/// A part holds its data, or an object with the data, under one of these names.
const HOLDERS: [&str; 15] = [
    "source",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "image_url",
    "image",
    "input_audio",
    "audio",
    "file",
    "document",
    "video",
    "media",
    "blob",
    "b64_json",
];
const KINDS: [&str; 6] = [
    "mime_type",
    "mimeType",
    "media_type",
    "mediaType",
    "modality",
    "format",
];
const ADDRESSES: [&str; 7] = [
    "uri",
    "url",
    "fileUri",
    "file_uri",
    "file_id",
    "fileId",
    "image_url",
];
const DATA: [&str; 6] = ["data", "content", "bytes", "file_data", "base64", "result"];

/// Returns the mark of a part that is binary; `None` for any other.
pub(super) fn mark(part: &Json) -> Option<String> {
    let places = Places::of(part);
    let kind = places.kind()?;
    if let Some(address) = places.address() {
        return Some(match data_url(address) {
            Some((kind, bytes)) => sized(kind, bytes),
            None => format!("[{kind}: {}]", limits::beginning(address, ADDRESS)),
        });
    }
    Some(match places.data() {
        Some(Json::String(data)) => sized(kind, decoded_length(data)),
        Some(Json::Array(data)) => sized(kind, data.len()),
        _ => format!("[{kind}]"),
    })
}

/// `Places` are the objects that may say what a part is: the part, and those in it.
struct Places<'j> {
    part: &'j Json,
    /// The value under the first name of a holder.
    held: Option<&'j Json>,
    /// The objects, the innermost first.
    objects: Vec<&'j Json>,
}

impl<'j> Places<'j> {
    fn of(part: &'j Json) -> Self {
        let held = find(part, &HOLDERS);
        let holder = held.filter(|it| it.is_object());
        // Some formats have the source in the object around, and OpenInference has the picture in a picture.
        let source = holder
            .and_then(|it| find(it, &["source", "image", "audio"]))
            .filter(|it| it.is_object());
        Self {
            part,
            held,
            objects: [source, holder, Some(part)].into_iter().flatten().collect(),
        }
    }

    fn find(&self, names: &[&str]) -> Option<&'j Json> {
        self.objects.iter().find_map(|place| find(place, names))
    }

    fn text(&self, names: &[&str]) -> Option<&'j str> {
        let mut objects = self.objects.iter();
        objects.find_map(|place| find(place, names).and_then(Json::as_str))
    }

    /// Returns the kind of the data; `None` where the part is not binary.
    fn kind(&self) -> Option<&'j str> {
        let said = self.text(&KINDS);
        let type_name = self.part.get("type").and_then(Json::as_str);
        let type_name = type_name.filter(|it| is_binary(it));
        let is_held = self.held.is_some_and(Json::is_object);
        let is_encoded = self.part.get("b64_json").is_some();
        if type_name.is_none() && !is_held && said.is_none() && !is_encoded {
            return None;
        }
        let mut names = HOLDERS.into_iter();
        let holder_name = names.find(|name| self.part.get(*name).is_some());
        said.or(type_name).or(holder_name).or(Some("binary"))
    }

    fn address(&self) -> Option<&'j str> {
        let held = self.held.and_then(Json::as_str);
        self.text(&ADDRESSES)
            .or_else(|| held.filter(|it| it.contains(':')))
            .or_else(|| {
                let data = self.text(&["file_data", "data"]);
                data.filter(|it| it.starts_with("data:"))
            })
    }

    fn data(&self) -> Option<&'j Json> {
        self.find(&DATA).or(self.held)
    }
}

/// Returns the text of a plain document, in Anthropic's form.
pub(super) fn text(part: &Json) -> Option<&Json> {
    let source = part.get("source")?;
    match source.get("type").and_then(Json::as_str)? {
        "text" => source.get("data"),
        "content" => source.get("content"),
        _ => None,
    }
}

/// Returns the mark of a picture that has no part around it.
pub(super) fn image(image: &Json) -> Option<String> {
    mark(&json!({"type": "image", "image": image}))
}

fn is_binary(type_name: &str) -> bool {
    const TYPES: [&str; 18] = [
        "audio",
        "audio_url",
        "blob",
        "document",
        "file",
        "file_url",
        "image",
        "image_file",
        "image_generation_call",
        "image_url",
        "input_audio",
        "input_file",
        "input_image",
        "input_video",
        "media",
        "uri",
        "video",
        "video_url",
    ];
    TYPES.contains(&type_name)
}

fn sized(kind: &str, bytes: usize) -> String {
    let kind = limits::beginning(kind, ADDRESS);
    format!("[{kind}, {bytes} bytes]")
}

/// Returns the kind and the number of bytes of a URL such as `data:image/png;base64,…`.
fn data_url(url: &str) -> Option<(&str, usize)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let kind = head.split(';').next().filter(|kind| !kind.is_empty());
    let bytes = if head.ends_with(";base64") {
        decoded_length(data)
    } else {
        data.len()
    };
    Some((kind.unwrap_or("text/plain"), bytes))
}

/// Returns the number of bytes that base64 text stands for.
fn decoded_length(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}
