//! The client is one that the program has given: nobody knows whether it blocks, or which runtime it is at home on. So
//! each call has a thread to itself, while the time is kept on the delivery thread.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use http::{Request, Response};
use opentelemetry_http::Bytes;

use super::http_call::HttpCall;
use super::unanswered::{Unanswered, Wanted};
use crate::model::causes::with_causes;
use crate::settings::GivenClient;

#[derive(Debug)]
pub(in crate::wire) struct Given(GivenClient);

impl Given {
    pub(super) const fn new(client: GivenClient) -> Self {
        Self(client)
    }

    pub(super) async fn send(
        &self,
        call: HttpCall,
        timeout: Duration,
        wanted: Wanted,
    ) -> Result<Response<Bytes>, Unanswered> {
        let request = Request::try_from(call)?;
        let client = self.0.clone();
        let call = Arc::new(Call::default());
        let _ends_with_this = EndOnDrop(Arc::clone(&call));
        let thread = tokio::task::spawn_blocking(move || {
            // Spans of the HTTP client are suppressed, so that deliveries make no telemetry of their own.
            let _silence = opentelemetry::Context::enter_telemetry_suppressed_scope();
            call.run(client.0.send_bytes(request))
        });
        match tokio::time::timeout(timeout, thread).await {
            Ok(Ok(Some(Ok(response)))) => Ok(response.map(|body| beginning(&body, wanted))),
            Ok(Ok(Some(Err(error)))) => Err(unanswered(with_causes(error.as_ref()))),
            Ok(Ok(None)) => Err(unanswered("the call was given up".to_owned())),
            Ok(Err(_)) => Err(unanswered("the HTTP client panicked".to_owned())),
            Err(_) => Err(unanswered(format!("no answer within {timeout:?}"))),
        }
    }
}

fn beginning(body: &Bytes, wanted: Wanted) -> Bytes {
    body.slice(..body.len().min(wanted.most()))
}

const fn unanswered(detail: String) -> Unanswered {
    Unanswered {
        detail,
        may_have_arrived: true,
    }
}

/// The call is under way on a thread of its own.
#[derive(Debug, Default)]
struct Call {
    is_given_up: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Call {
    /// Waits for the future on this thread; `None` once nobody wants its result any more.
    fn run<F: Future>(self: Arc<Self>, future: F) -> Option<F::Output> {
        let _ = self.thread.set(thread::current());
        let waker = Arc::clone(&self).into();
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        while !self.is_given_up.load(Ordering::Acquire) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Some(output);
            }
            // A wake that came meanwhile ends this at once.
            thread::park();
        }
        None
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// The guard ends the call when its waiting future is dropped.
struct EndOnDrop(Arc<Call>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.is_given_up.store(true, Ordering::Release);
        self.0.wake_by_ref();
    }
}
