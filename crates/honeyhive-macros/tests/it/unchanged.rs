//! Types, `Send`, lifetimes and drop order stay what they were. Most of this is checked by compiling.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::UnwindSafe;
use std::rc::Rc;

use futures_util::Stream;
use serde::Serialize;

use crate::{event_of, session};

fn is_send<T: Send>(value: T) -> T {
    value
}

fn is_static<T: 'static>(value: T) -> T {
    value
}

fn is_unwind_safe<T: UnwindSafe>(value: T) -> T {
    value
}

#[honeyhive::trace]
async fn owned(cell: Cell<u8>, text: String) -> usize {
    tokio::task::yield_now().await;
    text.len() + usize::from(cell.get())
}

#[honeyhive::trace]
async fn local(shared: Rc<u8>) -> u8 {
    tokio::task::yield_now().await;
    *shared
}

#[honeyhive::trace]
async fn borrowed<'a>(text: &'a str, other: &str) -> &'a str {
    let _ = other;
    text
}

#[honeyhive::trace]
async fn generic<T, const N: usize>(items: [T; N]) -> Option<T>
where
    T: Serialize + Send,
{
    items.into_iter().next()
}

#[honeyhive::trace]
fn streamed(count: u8) -> impl Stream<Item = u8> + Send + Unpin + 'static {
    futures_util::stream::iter(0..count)
}

#[honeyhive::trace]
fn boxed(value: u8) -> Box<dyn Fn(u8) -> u8 + Send> {
    if value == 0 {
        return Box::new(|other| other);
    }
    Box::new(move |other| other + value)
}

#[honeyhive::trace]
async fn object(value: u8) -> Box<dyn std::fmt::Display + Send> {
    if value == 0 {
        return Box::new("none");
    }
    Box::new(value)
}

#[honeyhive::trace]
async fn infer(text: &str) -> Result<Vec<u32>, std::num::ParseIntError> {
    // The types come from the signature alone.
    text.split(',').map(str::parse).collect()
}

#[honeyhive::trace]
fn mixed(mut list: Vec<u8>, text: &mut String, _shared: &RefCell<u8>, call: impl FnOnce() -> u8) {
    list.push(call());
    text.push_str(&list.len().to_string());
}

#[tokio::test]
async fn futures_and_streams_keep_their_auto_traits() {
    assert_eq!(
        is_send(is_static(owned(Cell::new(1), "ab".to_owned()))).await,
        3
    );
    assert_eq!(local(Rc::new(5)).await, 5);
    assert_eq!(is_send(is_unwind_safe(borrowed("a", "b"))).await, "a");
    assert_eq!(is_send(generic([1, 2])).await, Some(1));
    let _stream = is_send(is_static(streamed(1)));
    assert_eq!(boxed(0)(3) + boxed(1)(3), 7);
    assert_eq!(is_send(object(0)).await.to_string(), "none");
    assert_eq!(infer("1,2").await.as_deref(), Ok(&[1, 2][..]));
}

#[test]
fn arguments_are_borrowed_for_the_recording_only() {
    let mut text = String::new();
    event_of(|| mixed(vec![1], &mut text, &RefCell::new(1), || 2));
    assert_eq!(text, "2");
}

#[test]
fn functions_coerce_to_pointers_as_before() {
    let pointer: fn(u8) -> Box<dyn Fn(u8) -> u8 + Send> = boxed;
    assert_eq!(pointer(1)(1), 2);
}

fn takes<F: Future<Output = u8> + Send>(make: impl FnOnce(u8) -> F) -> F {
    make(1)
}

#[honeyhive::trace]
async fn passed(value: u8) -> u8 {
    value
}

#[tokio::test]
async fn async_functions_go_where_functions_go() {
    let (_tracer, captured, session) = session();
    assert_eq!(session.scope(takes(passed)).await, 1);
    assert_eq!(captured.only_session().events.len(), 1);
}

/// Code that stands on one line must cause no rustc warning after the expansion.
#[deny(warnings)]
#[rustfmt::skip]
mod on_one_line {
    #[honeyhive::trace] pub(super) async fn add(left: u32) -> u32 { left + 1 }
    #[honeyhive::trace] pub(super) async fn twice(left: u32) -> u32 { add(left).await + add(left).await }
    #[honeyhive::trace] pub(super) async fn nothing() { _ = add(1).await }
    #[honeyhive::trace] pub(super) async fn tried() -> Result<u32, std::io::Error> { Ok(add(1).await) }
    #[honeyhive::trace] pub(super) fn plain(left: u32) -> u32 { left + 1 }
}

#[tokio::test]
async fn functions_on_one_line_run_as_they_are() {
    assert_eq!(on_one_line::twice(1).await, 4);
    on_one_line::nothing().await;
    assert_eq!(on_one_line::tried().await.ok(), Some(2));
    assert_eq!(on_one_line::plain(1), 2);
}

/// Clippy, which CI runs, finds no use of an argument that the program does not use.
#[deny(clippy::used_underscore_binding)]
#[honeyhive::trace]
fn ignores(_limit: u8) {}

#[test]
fn an_argument_that_the_body_does_not_use_is_recorded_all_the_same() {
    let (_tracer, captured, session) = session();
    session.in_scope(|| ignores(7));
    let event = captured.only_session().event("ignores").clone();
    assert_eq!(event.text("honeyhive_inputs._limit").as_deref(), Some("7"));
}
