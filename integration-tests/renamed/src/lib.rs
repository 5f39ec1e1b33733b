//! The program has honeyhive under another name: there is no `::honeyhive` here, so the expansion of `#[trace]` must go
//! by the name that it is given.
#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _, stream};
use kit::testing;

/// The module has the exports of a company's own crate.
mod prelude {
    pub(crate) mod observability {
        pub(crate) use kit as honeyhive;
    }
}

#[kit::trace(crate = kit, event_type = "tool")]
fn add(left: i64, right: i64) -> Result<i64, String> {
    left.checked_add(right)
        .ok_or_else(|| "too large".to_owned())
}

#[kit::trace(crate = prelude::observability::honeyhive, event_type = "model", config = kit::json!({"model": "m"}))]
async fn ask(question: &str) -> String {
    question.to_uppercase()
}

#[kit::trace(crate = crate::prelude::observability::honeyhive)]
fn boxed(question: String) -> Pin<Box<dyn Future<Output = usize>>> {
    Box::pin(async move { question.len() })
}

#[kit::trace(crate = kit, event_type = kit::EventType::Model)]
fn tokens() -> impl Stream<Item = u8> {
    stream::iter([1, 2])
}

#[tokio::test]
async fn a_function_is_traced_by_the_name_that_it_is_given() {
    let (tracer, captured) = testing::tracer();
    let work = async {
        assert_eq!(add(40, 2), Ok(42));
        assert_eq!(ask("why?").await, "WHY?");
        assert_eq!(boxed("why?".to_owned()).await, 4);
        assert_eq!(tokens().collect::<Vec<_>>().await, [1, 2]);
    };
    tracer.with_session("work", async |_| work.await).await;
    let events = captured.only_session().events.into_iter();
    let mut names: Vec<_> = events.map(|event| event.name).collect();
    names.sort();
    assert_eq!(names, ["add", "ask", "boxed", "tokens"]);
    let session = captured.only_session();
    assert_eq!(session.event("add").event_type, "tool");
    assert_eq!(session.event("ask").event_type, "model");
}
