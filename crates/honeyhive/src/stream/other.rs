//! Some answers are no conversation: embeddings, images, transcriptions; Ollama's own chat is one in a form of its own.

use super::chat;
use super::json::{Json, Text};
use super::reply::{Kind, Reply, replace};

/// Takes vectors, which are counted and measured, and not kept.
pub(super) fn take_embeddings(reply: &mut Reply, body: Json<'_>) {
    reply.set_model(body.text_in("model"));
    let lists = ["data", "embeddings"];
    let (vectors, size) = match lists.iter().find_map(|key| body.get(key)) {
        Some(list) => (list.len(), list.items().next().and_then(size_of)),
        None => (1, body.get("embedding").and_then(size_of)),
    };
    reply.vectors = Some((vectors, size.unwrap_or(0)));
    take_counts(reply, body);
}

/// Returns the number of a vector's numbers: a list, or packed in fours of bytes as base64, wherever it stands.
fn size_of(vector: Json<'_>) -> Option<u64> {
    let inner = ["embedding", "values"]
        .iter()
        .find_map(|key| vector.get(key));
    let vector = inner.unwrap_or(vector);
    if vector.is_list() {
        return Some(vector.len());
    }
    let packed = vector.text()?.written().trim_end_matches('=');
    Some(packed.len() as u64 * 3 / 4 / 4)
}

/// Takes images, which are counted; of one that comes in drafts, the last.
pub(super) fn take_images(reply: &mut Reply, event: Json<'_>) {
    match event.text_in("type").map(Text::written) {
        Some(kind) if kind.ends_with(".partial_image") => return,
        Some(_) => reply.images += 1,
        None => reply.images = event.get("data").map_or(0, Json::len),
    }
    take_counts(reply, event);
}

/// Takes a piece of a voice that comes as events, or their end.
pub(super) fn take_speech(reply: &mut Reply, event: Json<'_>) {
    if let Some(voice) = event.text_in("audio") {
        reply.add_audio(voice);
    }
    if event.is("type", "speech.audio.done") {
        take_counts(reply, event);
    }
}

/// Takes a text without a type: a recording's as a whole, or a piece of what a service says in words of its own.
pub(super) fn take_texts(reply: &mut Reply, event: Json<'_>) {
    let piece = event.text_in("delta").or_else(|| event.text_in("text"));
    if let Some(piece) = piece {
        // SGLang's own route says with each event all that it has said so far.
        match event.get("meta_info") {
            Some(_) => reply.set_text(0, Kind::Text, (0, 0), piece),
            None => reply.push(0, Kind::Text, (0, 0), piece),
        }
    }
    if let Some(usage) = event.get("usage") {
        chat::take_usage(reply, usage);
    }
}

/// Takes an event of a recording that is written down while it is heard. A segment repeats a part of the text, with who
/// speaks.
pub(super) fn take_transcription(reply: &mut Reply, event: Json<'_>) {
    if event.is("type", "transcript.text.segment") {
        return;
    }
    if let Some(piece) = event.text_in("delta") {
        reply.push(0, Kind::Text, (0, 0), piece);
    }
    if let Some(text) = event.text_in("text") {
        reply.set_text(0, Kind::Text, (0, 0), text);
        take_counts(reply, event);
    }
}

/// Takes the text of a recording that is no JSON.
pub(super) fn take_transcript(reply: &mut Reply, text: &str) {
    reply.push(0, Kind::Text, (0, 0), Text::plain(text.trim_end()));
}

fn take_counts(reply: &mut Reply, body: Json<'_>) {
    if let Some(usage) = body.get("usage") {
        chat::take_usage(reply, usage);
    }
    replace(&mut reply.usage.input, body.number("prompt_eval_count"));
    reply.is_whole = true;
}

/// Takes a line of Ollama's `/api/chat`, or all of it.
pub(super) fn take_ollama(reply: &mut Reply, line: Json<'_>) {
    reply.set_model(line.text_in("model"));
    if let Some(message) = line.get("message") {
        chat::take_message(reply, 0, message);
    }
    if let Some(text) = line.text_in("response") {
        reply.push(0, Kind::Text, (0, 0), text);
    }
    replace(&mut reply.usage.input, line.number("prompt_eval_count"));
    replace(&mut reply.usage.output, line.number("eval_count"));
    if line.get("done").is_some_and(|it| it.raw() == "true") {
        reply.finish(0, line.text_in("done_reason"));
        reply.is_whole = true;
    }
}
