//! A handler does everything at once, in spans that say whose they are.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use honeyhive::Session;
use tokio::task::yield_now;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

use super::{App, Call, Refusal, Reply};

/// A call makes these spans; each name is followed by the call's number.
pub const WORK_SPANS: [&str; 6] = ["handle", "nested", "spawned", "blocking", "first", "second"];

/// Returns whether a call makes its spans through `tracing`: every second one does.
#[must_use]
pub const fn is_through_tracing(number: usize) -> bool {
    number % 2 == 1
}

/// Makes nested spans across awaits, a task, a blocking task and a stream.
pub(super) async fn work(app: Arc<App>, call: Call) -> Result<Reply, Refusal> {
    let session = call.session.ok_or(Refusal("no session"))?;
    let number = call.argument.parse().map_err(|_| Refusal("no number"))?;
    let worker = Worker { app, number };
    let dispatch = worker.app.dispatch.clone();
    let handling = worker.clone().handle(session).with_subscriber(dispatch);
    handling.await;
    Ok(Reply::stream(
        stream::iter(["first", "second"])
            .then(move |name| worker.clone().say(name))
            .boxed(),
    ))
}

#[derive(Clone)]
struct Worker {
    app: Arc<App>,
    number: usize,
}

impl Worker {
    async fn handle(self, session: Session) {
        self.within("handle", async {
            yield_now().await;
            self.within("nested", twice_away()).await;
            let (task, blocking) = self.elsewhere(&session);
            task.await.expect("the task ends");
            blocking.await.expect("the blocking task ends");
        })
        .await;
    }

    fn elsewhere(&self, session: &Session) -> (Joined, Joined) {
        let (there, off) = (self.clone(), self.clone());
        let dispatch = self.app.dispatch.clone();
        let task = async move { there.within("spawned", twice_away()).await };
        (
            session.spawn(task.with_subscriber(dispatch.clone())),
            session.spawn_blocking(move || {
                tracing::dispatcher::with_default(&dispatch, || off.at_once("blocking"));
            }),
        )
    }

    async fn say(self, name: &'static str) -> Result<Bytes, Refusal> {
        let dispatch = self.app.dispatch.clone();
        self.within(name, yield_now())
            .with_subscriber(dispatch)
            .await;
        Ok(Bytes::from(format!("{name} {}\n", self.number)))
    }

    async fn within<F: Future>(&self, name: &str, work: F) -> F::Output {
        let name = format!("{name} {}", self.number);
        if is_through_tracing(self.number) {
            let span = tracing::info_span!("work", otel.name = name);
            return work.instrument(span).await;
        }
        let span = self.app.tracer.span(name).start();
        span.scope(work).await
    }

    fn at_once(&self, name: &str) {
        let name = format!("{name} {}", self.number);
        if is_through_tracing(self.number) {
            tracing::info_span!("work", otel.name = name).in_scope(|| ());
        } else {
            drop(self.app.tracer.span(name).start());
        }
    }
}

type Joined = tokio::task::JoinHandle<()>;

/// Gives other requests every chance to get mixed up with this one.
async fn twice_away() {
    yield_now().await;
    yield_now().await;
}
