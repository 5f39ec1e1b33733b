//! The attribute traces functions that return streams.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use serde_json::json;

use crate::{input, output, session};

#[honeyhive::trace(event_type = "tool")]
fn token(index: u32) -> String {
    format!("t{index}")
}

#[honeyhive::trace(event_type = "model")]
fn tokens(count: u32) -> impl Stream<Item = String> {
    stream::iter(0..count).map(token)
}

#[tokio::test]
async fn the_span_ends_with_the_stream_and_records_the_items() {
    let (_tracer, captured, session) = session();
    let stream = session.in_scope(|| tokens(3));
    assert_eq!(stream.size_hint(), (3, Some(3)));
    assert_eq!(captured.only_session().events.len(), 0);
    assert_eq!(stream.collect::<Vec<_>>().await, ["t0", "t1", "t2"]);
    let session = captured.only_session();
    session.assert_tree(
        "session
           tokens [model]
             token [tool]
             token [tool]
             token [tool]",
    );
    let event = session.event("tokens");
    assert_eq!(input(event, "count").as_deref(), Some("3"));
    assert_eq!(output(event).as_deref(), Some("t0t1t2"));
    assert!(!event.attributes.contains_key("honeyhive_outputs.truncated"));
    assert_eq!(event.error, None);
}

#[honeyhive::trace]
fn texts(count: usize, length: usize) -> impl Stream<Item = String> {
    stream::repeat("x".repeat(length)).take(count)
}

#[honeyhive::trace]
fn mixed(items: Vec<serde_json::Value>) -> impl Stream<Item = serde_json::Value> {
    stream::iter(items)
}

/// Returns the recorded outputs of a stream of these items.
async fn outputs_of(items: Vec<serde_json::Value>) -> Vec<(String, String)> {
    let (_tracer, captured, session) = session();
    let stream = session.in_scope(|| mixed(items));
    let _ = stream.count().await;
    let event = captured.only_session().event("mixed").clone();
    let outputs = event.attributes.iter().filter_map(|(key, value)| {
        let key = key.strip_prefix("honeyhive_outputs.")?;
        Some((key.to_owned(), value.as_str().into_owned()))
    });
    outputs.collect()
}

#[tokio::test]
async fn the_texts_of_a_stream_are_one_text_and_its_other_items_a_list() {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    for (items, expected) in [
        (
            json!(["Hel", "lo", "", " you"]),
            &[("result", "Hello you")][..],
        ),
        (json!([1, 2]), &[("result.0", "1"), ("result.1", "2")]),
        (
            json!(["a", "b", {"tool": "x"}, "c", "d"]),
            &[
                ("result.0", "ab"),
                ("result.1.tool", "x"),
                ("result.2", "cd"),
            ],
        ),
        (
            json!([{"tool": "x"}, "c"]),
            &[("result.0.tool", "x"), ("result.1", "c")],
        ),
        (json!([]), &[]),
    ] {
        let items = items.as_array().cloned().unwrap_or_default();
        let expected: Vec<_> = expected.iter().map(owned).collect();
        assert_eq!(outputs_of(items).await, expected);
    }
}

#[tokio::test]
async fn what_is_recorded_is_bounded() {
    let numbers = outputs_of((0..150).map(Into::into).collect()).await;
    assert_eq!(numbers.len(), 101);
    assert!(numbers.contains(&("truncated".to_owned(), "true".to_owned())));

    let (_tracer, captured, session) = session();
    let stream = session.in_scope(|| texts(10, 30_000));
    assert_eq!(stream.count().await, 10);
    let event = captured.only_session().event("texts").clone();
    let text = output(&event).expect("a text");
    assert!(text.len() < 66_000 && text.ends_with("x… [cut: 300000 bytes in all]"));
    assert_eq!(event.attributes["honeyhive_outputs.truncated"], true.into());

    let stream = session.in_scope(|| texts(400, 5));
    assert_eq!(stream.count().await, 400);
    let events = captured.only_session().events;
    assert_eq!(output(&events[1]), Some("xxxxx".repeat(400)));
}

#[tokio::test]
async fn a_stream_dropped_before_its_end_is_cancelled_and_no_error() {
    let (_tracer, captured, session) = session();
    let mut stream = session.in_scope(|| tokens(3));
    assert!(stream.next().await.is_some());
    drop(stream);
    let event = captured.only_session().event("tokens").clone();
    assert_eq!(
        event.attributes["honeyhive_metadata.cancelled"],
        true.into()
    );
    assert_eq!(event.error, None);
    assert_eq!(output(&event).as_deref(), Some("t0"));
}

#[honeyhive::trace]
fn fallible() -> Pin<Box<dyn Stream<Item = Result<u8, String>> + Send>> {
    Box::pin(stream::iter([
        Ok(1),
        Err("torn".to_owned()),
        Err("late".to_owned()),
    ]))
}

#[honeyhive::trace(stream)]
fn aliased<'a>(text: &'a str) -> BoxStream<'a, char> {
    stream::iter(text.chars()).boxed()
}

#[honeyhive::trace]
async fn opened(count: u8) -> Result<impl Stream<Item = u8>, String> {
    tokio::task::yield_now().await;
    if count == 0 {
        return Err("empty".to_owned());
    }
    Ok(stream::iter(0..count))
}

#[tokio::test]
async fn boxes_results_and_async_functions_too() {
    let (_tracer, captured, session) = session();
    session
        .scope(async {
            assert_eq!(fallible().count().await, 3);
            assert_eq!(aliased("ab").collect::<String>().await, "ab");
            assert_eq!(opened(2).await.expect("it opens").count().await, 2);
        })
        .await;
    let session = captured.only_session();
    assert_eq!(session.event("fallible").error.as_deref(), Some("torn"));
    let first = session.event("fallible").text("honeyhive_outputs.result.0");
    assert_eq!(first.as_deref(), Some("1"));
    assert_eq!(output(session.event("aliased")).as_deref(), Some("ab"));
    let second = session.event("opened").text("honeyhive_outputs.result.1");
    assert_eq!(second.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_stream_that_does_not_open_is_an_error() {
    let (_tracer, captured, session) = session();
    assert!(session.scope(opened(0)).await.is_err());
    let session = captured.only_session();
    assert_eq!(session.event("opened").error.as_deref(), Some("empty"));
}

#[honeyhive::trace]
fn breaking() -> impl Stream<Item = u8> {
    stream::iter([1, 0]).inspect(|item| assert_ne!(*item, 0, "nothing"))
}

#[tokio::test]
async fn a_panic_in_a_stream_is_recorded_and_goes_on() {
    let (_tracer, captured, session) = session();
    let stream = session.in_scope(breaking);
    assert!(
        AssertUnwindSafe(stream.count())
            .catch_unwind()
            .await
            .is_err()
    );
    let event = captured.only_session().event("breaking").clone();
    let error = event.error.unwrap_or_default();
    assert!(
        error.starts_with("panicked: ") && error.contains("nothing"),
        "{error}"
    );
}

#[tokio::test]
async fn without_a_session_streams_just_run() {
    assert_eq!(tokens(3).count().await, 3);
    assert_eq!(fallible().count().await, 3);
    assert_eq!(aliased("ab").count().await, 2);
}
