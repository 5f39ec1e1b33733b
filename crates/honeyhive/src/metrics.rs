//! The counters of a tracer as OpenTelemetry metrics.

use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use crate::outbox::Outbox;
use crate::report::{DeliveryStats, DropReason};
use crate::tracer::HoneyHiveTracer;

/// A counter that only grows: its name, its unit, what it counts, and where it is read.
type Counter = (
    &'static str,
    &'static str,
    &'static str,
    fn(&DeliveryStats) -> u64,
);

const COUNTERS: [Counter; 9] = [
    (
        "honeyhive.items.accepted",
        "{item}",
        "Items handed over for delivery.",
        |it| it.accepted,
    ),
    (
        "honeyhive.items.delivered",
        "{item}",
        "Items that HoneyHive has confirmed.",
        |it| it.delivered,
    ),
    (
        "honeyhive.requests.retried",
        "{request}",
        "Requests that were tried again.",
        |it| it.retried,
    ),
    (
        "honeyhive.spool.files_set_aside",
        "{file}",
        "Files of the spool that could not be read.",
        |it| it.set_aside,
    ),
    (
        "honeyhive.values.refused",
        "{value}",
        "Enrichment values that were left out.",
        |it| it.refused,
    ),
    (
        "honeyhive.values.redacted",
        "{value}",
        "Values that left masked or replaced.",
        |it| it.redacted,
    ),
    (
        "honeyhive.session_ids.ignored",
        "{id}",
        "Session ids that counted as absent.",
        |it| it.ignored_session_ids,
    ),
    (
        "honeyhive.callbacks.panicked",
        "{panic}",
        "Panics in the program's callbacks.",
        |it| it.callback_panics,
    ),
    (
        "honeyhive.spans.filtered",
        "{span}",
        "Spans that the filter has left out.",
        |it| it.filtered_spans,
    ),
];

/// What goes up and down.
const LEVELS: [Counter; 3] = [
    (
        "honeyhive.items.pending",
        "{item}",
        "Items without an outcome yet.",
        |it| it.pending,
    ),
    (
        "honeyhive.items.spooled",
        "{item}",
        "Pending items that are on disk.",
        |it| it.spooled,
    ),
    (
        "honeyhive.pending.size",
        "By",
        "Memory that pending items hold.",
        |it| it.pending_bytes,
    ),
];

impl HoneyHiveTracer {
    /// Has a meter observe the counters of [`stats`](Self::stats) (feature `metrics`), for as long as the tracer and the
    /// meter's provider are there. They are read when the meter's reader collects, and cost nothing before.
    ///
    /// | Instrument | Unit | Is |
    /// |---|---|---|
    /// | `honeyhive.items.accepted`, `.delivered` | `{item}` | [`accepted`](DeliveryStats::accepted), [`delivered`](DeliveryStats::delivered) |
    /// | `honeyhive.items.dropped` with `reason` | `{item}` | [`dropped`](DeliveryStats::dropped), by [`DropReason`] |
    /// | `honeyhive.items.pending`, `.spooled` | `{item}` | what waits now (they go up and down) |
    /// | `honeyhive.pending.size` | `By` | [`pending_bytes`](DeliveryStats::pending_bytes) (goes up and down) |
    /// | `honeyhive.requests.retried` | `{request}` | [`retried`](DeliveryStats::retried) |
    /// | `honeyhive.spool.files_set_aside` | `{file}` | [`set_aside`](DeliveryStats::set_aside) |
    /// | `honeyhive.values.refused`, `.redacted` | `{value}` | the fields of these names |
    /// | `honeyhive.session_ids.ignored` | `{id}` | [`ignored_session_ids`](DeliveryStats::ignored_session_ids) |
    /// | `honeyhive.callbacks.panicked` | `{panic}` | [`callback_panics`](DeliveryStats::callback_panics) |
    /// | `honeyhive.spans.filtered` | `{span}` | [`filtered_spans`](DeliveryStats::filtered_spans) |
    ///
    /// Call it once for each meter. Two tracers of a process take meters of two names, or of two versions.
    ///
    /// ```
    /// use honeyhive::HoneyHiveTracer;
    /// use honeyhive::opentelemetry::global;
    ///
    /// # let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
    /// tracer.record_metrics(&global::meter("honeyhive"));
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    pub fn record_metrics(&self, meter: &Meter) {
        // Weak: a provider that outlives the tracer keeps nothing of it.
        let outbox = Arc::downgrade(self.outbox());
        for (name, unit, description, read) in COUNTERS {
            let stats = stats_of(&outbox);
            let _ = meter
                .u64_observable_counter(name)
                .with_unit(unit)
                .with_description(description)
                .with_callback(move |observer| {
                    if let Some(stats) = stats() {
                        observer.observe(read(&stats), &[]);
                    }
                })
                .build();
        }
        for (name, unit, description, read) in LEVELS {
            let stats = stats_of(&outbox);
            let _ = meter
                .i64_observable_up_down_counter(name)
                .with_unit(unit)
                .with_description(description)
                .with_callback(move |observer| {
                    if let Some(stats) = stats() {
                        observer.observe(read(&stats).cast_signed(), &[]);
                    }
                })
                .build();
        }
        record_drops(meter, &outbox);
    }
}

fn record_drops(meter: &Meter, outbox: &Weak<Outbox>) {
    let stats = stats_of(outbox);
    let _ = meter
        .u64_observable_counter("honeyhive.items.dropped")
        .with_unit("{item}")
        .with_description("Items lost, by reason.")
        .with_callback(move |observer| {
            let Some(stats) = stats() else {
                return;
            };
            for reason in DropReason::ALL {
                let by = [KeyValue::new("reason", reason.name())];
                observer.observe(stats.dropped.get(reason), &by);
            }
        })
        .build();
}

/// What reads the counters, while there is a tracer.
fn stats_of(outbox: &Weak<Outbox>) -> impl Fn() -> Option<DeliveryStats> + Send + Sync + use<> {
    let outbox = Weak::clone(outbox);
    move || Some(outbox.upgrade()?.stats())
}
