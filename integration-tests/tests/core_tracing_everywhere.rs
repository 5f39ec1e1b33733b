//! The layer is installed as a program has it: for the whole process, the delivery thread included.

#[path = "sdk/support.rs"]
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use honeyhive::HoneyHiveTracer;
use support::*;
use tracing::{Event, Subscriber, info_span};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{Layer, Registry};

/// `Shipping` ships log lines, which is work that it traces.
struct Shipping(HoneyHiveTracer);

static SHIPPED: AtomicUsize = AtomicUsize::new(0);

impl<S: Subscriber> Layer<S> for Shipping {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "honeyhive" {
            SHIPPED.fetch_add(1, Ordering::Relaxed);
            drop(self.0.span("ship a line").start());
        }
    }
}

#[test]
fn what_delivery_does_is_no_telemetry_of_its_own() {
    let server = server();
    let tracer = builder(&server).api_key("wrong").build().expect("a tracer");
    let subscriber = Registry::default()
        .with(tracer.tracing_layer())
        .with(Shipping(tracer.clone()));
    assert!(tracing::subscriber::set_global_default(subscriber).is_ok());

    let chat = tracer.create_session("chat");
    chat.in_scope(|| drop(info_span!("work").entered()));
    assert!(tracer.force_flush_blocking(PATIENCE).is_err());

    assert!(
        SHIPPED.load(Ordering::Relaxed) > 0,
        "delivery logs a refusal"
    );
    assert_eq!(tracer.stats().accepted, 2, "the session and its span");
}
