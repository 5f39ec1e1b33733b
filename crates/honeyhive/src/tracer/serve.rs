//! [`HoneyHiveTracer::serve`] runs a server to its end.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::oneshot;

use super::HoneyHiveTracer;
use super::signals::Signals;
use crate::error::FlushError;
use crate::log;
use crate::outbox::{Closed, Command, LAST_FLUSH};
use crate::report::FlushReport;

/// Running requests have this time to end after a stop signal by default.
const DRAIN: Duration = Duration::from_secs(10);

impl HoneyHiveTracer {
    /// Runs a server to its end. At SIGTERM (where the system has it) or ctrl-c the running requests end first, then
    /// everything that they recorded is delivered (feature `signal`).
    ///
    /// `start` gets the future that a graceful shutdown waits for. Requests have 10 s to end, delivery 5 s; see
    /// [`Serve::drain_limit`] and [`Serve::delivery_limit`]. A second signal ends the wait for requests. Requests that
    /// are not waited for are [counted](Served::unfinished), and a warning says so. The call needs a tokio runtime with
    /// its drivers enabled, as `#[tokio::main]` and `#[actix_web::main]` make it.
    ///
    /// ```text
    /// tracer.serve(|stop| axum::serve(listener, app).with_graceful_shutdown(stop)).await;
    /// tracer.serve(|stop| HttpServer::new(app).shutdown_signal(stop).bind(address)?.run()).await;
    /// ```
    ///
    /// ```no_run
    /// # use std::future::Future;
    /// # async fn server(stop: impl Future<Output = ()>) -> std::io::Result<()> { stop.await; Ok(()) }
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tracer = honeyhive::HoneyHiveTracer::from_env()?;
    /// let served = tracer.serve(|stop| server(stop)).await;
    /// served.output.transpose()?; // what the server itself says; `None` where requests did not end in time
    /// served.delivery?; // what became of the telemetry
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "signal")]
    pub fn serve<S: IntoFuture>(
        &self,
        start: impl FnOnce(StopSignal) -> S,
    ) -> Serve<S::IntoFuture> {
        self.serve_until_stopped(start)
    }

    /// Fails to compile and names the missing feature.
    #[cfg(not(feature = "signal"))]
    #[doc(hidden)]
    pub fn serve<S: IntoFuture>(&self, start: impl FnOnce(StopSignal) -> S) -> Serve<S::IntoFuture>
    where
        for<'never> Self: crate::missing::FeatureSignal,
    {
        self.serve_until_stopped(start)
    }

    fn serve_until_stopped<S: IntoFuture>(
        &self,
        start: impl FnOnce(StopSignal) -> S,
    ) -> Serve<S::IntoFuture> {
        log::replay();
        let (stop, stopped) = oneshot::channel();
        Serve {
            tracer: self.clone(),
            server: start(StopSignal(stopped)).into_future(),
            stop,
            drain: DRAIN,
            delivery: LAST_FLUSH,
        }
    }
}

/// The signal resolves when it is time to stop; [`HoneyHiveTracer::serve`] makes it.
#[derive(Debug)]
#[must_use = "a server that does not wait for it never stops"]
pub struct StopSignal(oneshot::Receiver<()>);

impl Future for StopSignal {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // An end of the other side is a reason to stop, too.
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

/// The server runs until a signal comes; [`HoneyHiveTracer::serve`] makes the future.
#[must_use = "it runs when it is awaited"]
pub struct Serve<F> {
    tracer: HoneyHiveTracer,
    server: F,
    stop: oneshot::Sender<()>,
    drain: Duration,
    delivery: Duration,
}

impl<F> std::fmt::Debug for Serve<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Serve")
            .field("drain_limit", &self.drain)
            .field("delivery_limit", &self.delivery)
            .finish_non_exhaustive()
    }
}

/// The result is that of a server, and of the delivery of its telemetry.
#[derive(Debug)]
#[non_exhaustive]
pub struct Served<T> {
    /// The output is the server's return value; `None` where the server did not end in time.
    pub output: Option<T>,
    /// The count is of the requests that were still under way when the wait for them was over. Their
    /// sessions end with the outcome `cancelled` and an error, without a status; spans that were open do not arrive.
    /// Those that were begun elsewhere, or are sent by [`SessionTransport::Otlp`](crate::SessionTransport::Otlp), have no
    /// end.
    pub unfinished: u64,
    /// The delivery has the outcome of the shutdown, as from [`HoneyHiveTracer::shutdown`]. Items that came while it
    /// went on, from requests that were not waited for, count as dropped; the report of a timeout leaves them out.
    pub delivery: Result<FlushReport, FlushError>,
}

impl<F> Serve<F> {
    /// Sets the longest time that running requests may still take (default 10 s).
    ///
    /// HoneyHive does not see how requests that take longer went on: see [`Served::unfinished`]. `serve` cannot end
    /// them, since each connection of axum and actix-web is a task of its own, which outlives the server's future. So a
    /// stream without an end of its own has to end when the [`StopSignal`] comes, and other requests need a limit that
    /// is long enough. actix-web itself waits for 30 s, unless its `shutdown_timeout` says otherwise.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use tokio::sync::watch;
    ///
    /// # async fn server(stop: impl Future<Output = ()>) { stop.await }
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tracer = honeyhive::HoneyHiveTracer::from_env()?;
    /// // Handlers get clones of `stopping`, and end their streams by `stream.take_until(..)`.
    /// let (tell, stopping) = watch::channel(false);
    /// let served = tracer
    ///     .serve(|stop| {
    ///         server(async move {
    ///             stop.await;
    ///             tell.send_replace(true);
    ///         })
    ///     })
    ///     .drain_limit(Duration::from_secs(25))
    ///     .await;
    /// if served.unfinished > 0 {
    ///     eprintln!("{} requests were not waited for", served.unfinished);
    /// }
    /// # drop(stopping);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn drain_limit(mut self, limit: Duration) -> Self {
        self.drain = limit;
        self
    }

    /// Sets the longest time that the delivery of the rest may take (default 5 s).
    pub const fn delivery_limit(mut self, limit: Duration) -> Self {
        self.delivery = limit;
        self
    }
}

impl<F: Future> IntoFuture for Serve<F> {
    type Output = Served<F::Output>;
    type IntoFuture = ServeFuture<F>;

    fn into_future(self) -> ServeFuture<F> {
        let Self {
            tracer,
            server,
            stop,
            drain,
            delivery,
        } = self;
        ServeFuture {
            server: Some(Box::pin(server)),
            output: None,
            patience: Box::pin(until_too_late(stop, drain)),
            ending: Box::pin(async move { end(&tracer, delivery).await }),
        }
    }
}

/// The future of a [`Serve`] is `Send` where the server is.
#[must_use = "futures do nothing unless polled"]
pub struct ServeFuture<F: Future> {
    server: Option<Pin<Box<F>>>,
    output: Option<F::Output>,
    /// The wait is for a stop signal and then for the drain limit.
    patience: Pin<Box<dyn Future<Output = ()> + Send>>,
    ending: Pin<Box<dyn Future<Output = Served<()>> + Send>>,
}

// The server is pinned by its box, and nothing else is pinned.
impl<F: Future> Unpin for ServeFuture<F> {}

impl<F: Future> std::fmt::Debug for ServeFuture<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServeFuture")
            .field("is_serving", &self.server.is_some())
            .finish_non_exhaustive()
    }
}

impl<F: Future> Future for ServeFuture<F> {
    type Output = Served<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Some(server) = &mut this.server {
            // Signals are listened for before the server takes its first request.
            let patience = this.patience.as_mut().poll(cx);
            match server.as_mut().poll(cx) {
                Poll::Ready(output) => this.output = Some(output),
                Poll::Pending => ready!(patience),
            }
            // Requests that run within the server's future are dropped with it, and recorded. Those of axum and
            // actix-web are tasks of their own, and go on.
            this.server = None;
        }
        let ended = ready!(this.ending.as_mut().poll(cx));
        Poll::Ready(Served {
            output: this.output.take(),
            unfinished: ended.unfinished,
            delivery: ended.delivery,
        })
    }
}

/// Drops `stop` when a stop signal comes, and ends when the server has had its time to drain.
async fn until_too_late(stop: oneshot::Sender<()>, drain: Duration) {
    let mut signals = Signals::new();
    signals.next().await;
    log::info(format_args!(
        "stopping; requests under way have {drain:?} to end"
    ));
    drop(stop);
    tokio::select! {
        () = tokio::time::sleep(drain) => {}
        () = signals.next() => {}
    }
}

/// Closes the tracer, and delivers its items; data that requests still record are lost, and reported.
pub(crate) async fn end(tracer: &HoneyHiveTracer, limit: Duration) -> Served<()> {
    let refused = || tracer.stats().dropped.shut_down;
    let refused_before = refused();
    let unfinished = close(tracer);
    let delivery = tracer.stop(limit, Closed::Server).await;
    let delivery = with_late_items(delivery, refused() - refused_before);
    if let Err(error) = &delivery {
        log::warn(format_args!("at shutdown: {error}"));
    }
    Served {
        output: None,
        unfinished,
        delivery,
    }
}

/// Takes nothing more, has the sessions of requests under way end, and returns the number of those requests.
fn close(tracer: &HoneyHiveTracer) -> u64 {
    if tracer.is_disabled() {
        return 0;
    }
    let outbox = &tracer.inner.outbox;
    outbox.close(Closed::Server);
    let unfinished = outbox.requests();
    if unfinished > 0 {
        warn_of_unfinished(unfinished);
    }
    // A request may end after the close and before it is counted, so this does not depend on the number.
    outbox.command(Command::CutOff);
    unfinished
}

#[cold]
fn warn_of_unfinished(requests: u64) {
    log::lost(format_args!(
        "the server is not waited for any longer, and requests are still under way ({requests}): the sessions that \
         began with them end as `cancelled` (over OTLP they have no end), and what they record from now on is dropped; \
         a longer `drain_limit` waits for them, and a stream that has no end of its own should end when the stop signal \
         comes"
    ));
}

/// Counts items that came too late to be waited for as dropped.
fn with_late_items(
    delivery: Result<FlushReport, FlushError>,
    late: u64,
) -> Result<FlushReport, FlushError> {
    match delivery {
        Ok(mut report) | Err(FlushError::Dropped { mut report }) if late > 0 => {
            report.dropped += late;
            Err(FlushError::Dropped { report })
        }
        // A report of a timeout has the items that are lost with it as pending.
        other => other,
    }
}
