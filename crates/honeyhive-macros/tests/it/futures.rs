//! The attribute traces async functions, `async-trait`, and functions that return a future.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, poll};

use crate::{input, output, session};

#[honeyhive::trace]
async fn slow(text: String, times: usize) -> Result<String, std::fmt::Error> {
    if times == 0 {
        return Err(std::fmt::Error);
    }
    tokio::task::yield_now().await;
    Ok(text.repeat(times))
}

#[tokio::test]
async fn an_async_function_is_a_span_from_its_first_poll_to_its_end() {
    let (_tracer, captured, session) = session();
    let future = slow("ab".to_owned(), 2); // outside the session
    assert_eq!(session.scope(future).await.as_deref(), Ok("abab"));
    let session = captured.only_session();
    let event = session.event("slow");
    assert_eq!(input(event, "text").as_deref(), Some("ab"));
    assert_eq!(output(event).as_deref(), Some("abab"));
}

#[tokio::test]
async fn an_error_is_recorded() {
    let (_tracer, captured, session) = session();
    assert!(session.scope(slow(String::new(), 0)).await.is_err());
    let error = captured.only_session().event("slow").error.clone();
    assert_eq!(error, Some(std::fmt::Error.to_string()));
}

#[honeyhive::trace(event_type = "chain")]
async fn both(left: &str, right: &str) -> usize {
    let (left, right) = tokio::join!(length(left), length(right));
    left + right
}

#[honeyhive::trace(event_type = "tool")]
async fn length(text: &str) -> usize {
    tokio::task::yield_now().await;
    text.len()
}

#[tokio::test]
async fn concurrent_children_are_siblings() {
    let (_tracer, captured, session) = session();
    assert_eq!(session.scope(both("a", "bc")).await, 3);
    captured.only_session().assert_tree(
        "session
           both [chain]
             length [tool]
             length [tool]",
    );
}

#[honeyhive::trace]
async fn countdown(from: u32) -> u32 {
    if from == 0 {
        return 0;
    }
    1 + Box::pin(countdown(from - 1)).await
}

#[tokio::test]
async fn async_recursion_nests() {
    let (_tracer, captured, session) = session();
    assert_eq!(session.scope(countdown(2)).await, 2);
    captured.only_session().assert_tree(
        "session
           countdown [chain]
             countdown [chain]
               countdown [tool]",
    );
}

/// A `Witness` says on the current span that it was dropped.
struct Witness<'a>(&'a honeyhive::HoneyHiveTracer);

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        let seen = honeyhive::Enrichment::new().metadata(serde_json::json!({"seen": true}));
        self.0.enrich_span(seen);
    }
}

#[honeyhive::trace(skip_all)]
async fn stuck(tracer: &honeyhive::HoneyHiveTracer) {
    let _witness = Witness(tracer);
    std::future::pending().await
}

#[tokio::test]
async fn a_future_dropped_before_its_end_is_cancelled() {
    let (tracer, captured, session) = session();
    let mut begun = Box::pin(session.scope(stuck(&tracer)));
    assert_eq!(poll!(&mut begun), Poll::Pending);
    drop(begun);
    drop(session.scope(stuck(&tracer))); // never polled: it never ran
    let session = captured.only_session();
    assert_eq!(session.events.len(), 1);
    let event = session.event("stuck");
    assert_eq!(event.error.as_deref(), Some("cancelled"));
    assert_eq!(
        event.attributes["honeyhive_metadata.cancelled"],
        true.into()
    );
    // Destructors of the body still find the span.
    assert_eq!(event.attributes["honeyhive_metadata.seen"], true.into());
}

#[honeyhive::trace]
async fn breaks(after: u32) {
    tokio::task::yield_now().await;
    assert!(after > 5, "only {after}");
}

#[tokio::test]
async fn a_panic_is_recorded_and_goes_on() {
    let (_tracer, captured, session) = session();
    let broken = std::panic::AssertUnwindSafe(session.scope(breaks(1)));
    assert!(broken.catch_unwind().await.is_err());
    let session = captured.only_session();
    let event = session.event("breaks");
    assert_eq!(event.error.as_deref(), Some("panicked: only 1"));
    assert!(
        !event
            .attributes
            .contains_key("honeyhive_metadata.cancelled")
    );
}

#[async_trait]
trait Store {
    async fn load(&self, key: &str, (from, to): (usize, usize)) -> Result<String, String>;

    #[honeyhive::trace(name = "both keys")]
    async fn load_both(&self, left: &str, right: &str) -> Result<String, String> {
        let left = self.load(left, (0, 1)).await?;
        Ok(left + &self.load(right, (0, 1)).await?)
    }
}

struct Memory {
    tracer: honeyhive::HoneyHiveTracer,
}

#[async_trait]
impl Store for Memory {
    #[honeyhive::trace(event_type = "tool", tracer = self.tracer, skip(from))]
    async fn load(&self, key: &str, (from, to): (usize, usize)) -> Result<String, String> {
        tokio::task::yield_now().await;
        if key.is_empty() {
            return Err("no key".to_owned());
        }
        Ok(key[from..to].to_owned())
    }
}

#[tokio::test]
async fn async_trait_methods_are_async_functions() {
    let (tracer, captured, session) = session();
    let store: Box<dyn Store + Send + Sync> = Box::new(Memory { tracer });
    // The method is called outside the session, and its future polled in it, on another thread.
    let task = session.spawn(async move { store.load_both("ab", "cd").await });
    assert_eq!(task.await.expect("it ends").as_deref(), Ok("ac"));
    let session = captured.only_session();
    session.assert_tree(
        "session
           both keys [chain]
             load [tool]
             load [tool]",
    );
    let event = session.event("both keys");
    assert_eq!(input(event, "right").as_deref(), Some("cd"));
    assert_eq!(output(event).as_deref(), Some("ac"));
    let inputs = session.event("load").attributes.keys();
    let inputs: Vec<_> = inputs
        .filter(|key| key.starts_with("honeyhive_inputs."))
        .collect();
    assert_eq!(inputs, ["honeyhive_inputs.key"]);
}

#[tokio::test]
async fn async_trait_methods_begin_with_the_first_poll_and_record_errors() {
    let (tracer, captured, session) = session();
    let store = Memory { tracer };
    let future = store.load("", (0, 1));
    assert!(session.scope(future).await.is_err());
    let session = captured.only_session();
    assert_eq!(session.event("load").error.as_deref(), Some("no key"));
}

trait Native {
    fn ask(&self, question: String) -> impl Future<Output = usize> + Send;
}

impl Native for u32 {
    #[honeyhive::trace]
    async fn ask(&self, question: String) -> usize {
        question.len()
    }
}

impl Native for i32 {
    #[honeyhive::trace]
    fn ask(&self, question: String) -> impl Future<Output = usize> + Send {
        let doubled = question.repeat(2);
        async move { doubled.len() }
    }
}

#[honeyhive::trace]
fn boxed(text: &str) -> Pin<Box<dyn Future<Output = usize> + Send + '_>> {
    Box::pin(async move { text.len() })
}

/// The error is known by the declared type alone, and is no `Error` itself.
#[honeyhive::trace]
fn boxed_result(text: &str) -> Pin<Box<dyn Future<Output = Result<usize, String>> + Send + '_>> {
    Box::pin(async move {
        let number: usize = text.parse().map_err(|_| format!("no number: {text}"))?;
        Ok(number)
    })
}

#[honeyhive::trace]
fn aliased(text: &str) -> BoxFuture<'_, Result<usize, String>> {
    Box::pin(async move { Ok(text.len()) })
}

#[honeyhive::trace]
fn opaque_result(text: &str) -> impl Future<Output = Result<impl ToString + Send, String>> + Send {
    let text = text.to_owned();
    async move { Ok(text.len()) }
}

#[tokio::test]
async fn a_returned_future_may_leave_its_error_to_the_declared_type() {
    let (_tracer, captured, session) = session();
    assert!(session.scope(boxed_result("a")).await.is_err());
    assert_eq!(session.scope(aliased("abc")).await, Ok(3));
    let opaque = session.scope(opaque_result("abcd")).await;
    assert_eq!(opaque.map(|it| it.to_string()).as_deref(), Ok("4"));
    let session = captured.only_session();
    let error = session.event("boxed_result").error.as_deref();
    assert_eq!(error, Some("no number: a"));
    assert_eq!(output(session.event("aliased")).as_deref(), Some("3"));
    assert_eq!(output(session.event("opaque_result")).as_deref(), Some("4"));
}

#[tokio::test]
async fn functions_that_return_a_future_are_followed_to_its_end() {
    let (_tracer, captured, session) = session();
    let called = (5_u32.ask("a".into()), 5_i32.ask("a".into()), boxed("abc"));
    assert_eq!(session.scope(called.0).await, 1);
    assert_eq!(session.scope(called.1).await, 2);
    assert_eq!(session.scope(called.2).await, 3);
    let events = captured.only_session().events;
    let outputs: Vec<_> = events.iter().filter_map(output).collect();
    assert_eq!(outputs, ["1", "2", "3"]);
    let inputs: Vec<_> = events
        .iter()
        .map(|event| event.text("honeyhive_inputs.question"))
        .collect();
    assert_eq!(inputs, [Some("a".to_owned()), None, None]);
    assert_eq!(input(&events[2], "text").as_deref(), Some("abc"));
}

#[tokio::test]
async fn without_a_session_they_just_run() {
    assert_eq!(slow("ab".to_owned(), 1).await.as_deref(), Ok("ab"));
    assert_eq!(boxed("abc").await, 3);
    assert_eq!(both("a", "b").await, 2);
}
