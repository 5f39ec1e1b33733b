//! OpenTelemetry metrics show the counters of a tracer.

use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrumentBuilder, Meter};

use crate::instruments::{DROPPED, INSTRUMENTS, Instrument, Kind};
use crate::outbox::Outbox;
use crate::report::{DeliveryStats, DropReason};
use crate::tracer::HoneyHiveTracer;

impl HoneyHiveTracer {
    /// Has a meter observe the counters of [`stats`](Self::stats) (feature `metrics`), for as long as the tracer and
    /// the meter's provider are there. They are read when the meter's reader collects, and cost nothing before.
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
        // The reference is weak: a provider that outlives the tracer keeps nothing of it.
        let outbox = Arc::downgrade(self.outbox());
        for instrument in INSTRUMENTS {
            let (stats, read) = (stats_of(&outbox), instrument.read);
            match instrument.kind {
                Kind::Counter => {
                    let _ = described(meter.u64_observable_counter(instrument.name), &instrument)
                        .with_callback(move |observer| {
                            if let Some(stats) = stats() {
                                observer.observe(read(&stats), &[]);
                            }
                        })
                        .build();
                }
                Kind::Level => {
                    let level = meter.i64_observable_up_down_counter(instrument.name);
                    let _ = described(level, &instrument)
                        .with_callback(move |observer| {
                            if let Some(stats) = stats() {
                                observer.observe(read(&stats).cast_signed(), &[]);
                            }
                        })
                        .build();
                }
            }
        }
        let stats = stats_of(&outbox);
        let _ = described(meter.u64_observable_counter(DROPPED.name), &DROPPED)
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
}

fn described<'m, I, M>(
    builder: AsyncInstrumentBuilder<'m, I, M>,
    instrument: &Instrument,
) -> AsyncInstrumentBuilder<'m, I, M> {
    builder
        .with_unit(instrument.unit)
        .with_description(instrument.description)
}

/// Returns a function that reads the counters, as long as the tracer lives.
fn stats_of(outbox: &Weak<Outbox>) -> impl Fn() -> Option<DeliveryStats> + Send + Sync + use<> {
    let outbox = Weak::clone(outbox);
    move || Some(outbox.upgrade()?.stats())
}
