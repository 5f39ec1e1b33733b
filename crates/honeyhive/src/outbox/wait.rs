//! A caller waits for an answer of the delivery thread with a timer of its own: whatever that thread does, and in a
//! process that has lost it by a fork, a wait ends in time.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;

use super::alarm::Alarm;

/// A wait ends this long after its deadline without the delivery thread, which keeps the time and has the exact
/// numbers.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// A wait ends in one of these ways.
#[derive(Debug)]
pub(crate) enum Waited<T> {
    Answered(T),
    /// No answer came in time.
    Late,
    /// No answer will come: the tracer is shut down.
    Gone,
}

/// An awaited answer is still to come.
#[derive(Debug)]
pub(crate) struct Awaited<T> {
    answer: oneshot::Receiver<T>,
    alarm: Alarm,
}

impl<T> Awaited<T> {
    pub(super) fn new(answer: oneshot::Receiver<T>, limit: Duration) -> Self {
        let alarm = Alarm::after(limit.saturating_add(GRACE));
        Self { answer, alarm }
    }
}

impl<T> Future for Awaited<T> {
    type Output = Waited<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Waited<T>> {
        if let Poll::Ready(answer) = Pin::new(&mut self.answer).poll(cx) {
            return Poll::Ready(answer.map_or(Waited::Gone, Waited::Answered));
        }
        Pin::new(&mut self.alarm).poll(cx).map(|()| Waited::Late)
    }
}

/// Blocks until there is an answer, and no longer than that time and a moment.
pub(crate) fn block<T>(answer: &Receiver<T>, limit: Duration) -> Waited<T> {
    if is_inside_delivery() {
        // The delivery thread would wait for itself.
        return Waited::Late;
    }
    match answer.recv_timeout(limit.saturating_add(GRACE)) {
        Ok(answer) => Waited::Answered(answer),
        Err(RecvTimeoutError::Timeout) => Waited::Late,
        Err(RecvTimeoutError::Disconnected) => Waited::Gone,
    }
}

thread_local! {
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as one of delivery's: code of the program on it, in a hook say, must not wait for delivery.
pub(crate) fn enter_delivery() {
    IS_INSIDE.with(|is_inside| is_inside.set(true));
}

fn is_inside_delivery() -> bool {
    IS_INSIDE.try_with(Cell::get).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_ends_in_time_though_nobody_answers() {
        let (sender, receiver) = oneshot::channel::<()>();
        let answer = Awaited::new(receiver, Duration::ZERO);
        assert!(matches!(answer.await, Waited::Late));
        drop(sender);
    }

    #[tokio::test]
    async fn a_wait_ends_where_no_answer_will_come() {
        let (sender, receiver) = oneshot::channel::<()>();
        let answer = Awaited::new(receiver, Duration::MAX);
        drop(sender);
        assert!(matches!(answer.await, Waited::Gone));
    }

    #[tokio::test]
    async fn alarms_ring_in_their_order_though_they_were_set_in_another() {
        let order = std::cell::RefCell::new(Vec::new());
        let ring = |milliseconds| {
            let order = &order;
            async move {
                Alarm::after(Duration::from_millis(milliseconds)).await;
                order.borrow_mut().push(milliseconds);
            }
        };
        tokio::join!(ring(120), ring(1), ring(60));
        assert_eq!(order.into_inner(), [1, 60, 120]);
    }

    #[test]
    fn what_runs_inside_delivery_does_not_wait_for_it() {
        let thread = std::thread::spawn(|| {
            enter_delivery();
            let (_sender, answer) = std::sync::mpsc::channel::<()>();
            matches!(block(&answer, Duration::MAX), Waited::Late)
        });
        assert!(thread.join().unwrap());
    }
}
