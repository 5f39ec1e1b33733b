//! Functions that return streams.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, Stream, StreamExt as _};

use crate::{input, session};

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
    assert_eq!(
        event.text("honeyhive_outputs.result.2").as_deref(),
        Some("t2")
    );
    assert!(!event.attributes.contains_key("honeyhive_outputs.truncated"));
    assert_eq!(event.error, None);
}

#[honeyhive::trace]
fn texts(count: usize, length: usize) -> impl Stream<Item = String> {
    stream::repeat("x".repeat(length)).take(count)
}

#[tokio::test]
async fn what_is_recorded_is_bounded() {
    for (count, length, recorded) in [(150, 1, 100), (10, 30_000, 2)] {
        let (_tracer, captured, session) = session();
        let stream = session.in_scope(|| texts(count, length));
        assert_eq!(stream.count().await, count);
        let event = captured.only_session().event("texts").clone();
        let results = event
            .attributes
            .keys()
            .filter(|key| key.starts_with("honeyhive_outputs.result."));
        assert_eq!(results.count(), recorded);
        assert_eq!(event.attributes["honeyhive_outputs.truncated"], true.into());
    }
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
    assert_eq!(
        event.text("honeyhive_outputs.result.0").as_deref(),
        Some("t0")
    );
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
    let second = session.event("aliased").text("honeyhive_outputs.result.1");
    assert_eq!(second.as_deref(), Some("b"));
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
