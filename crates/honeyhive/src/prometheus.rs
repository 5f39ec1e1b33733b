//! Prometheus reads the counters of a tracer.

use std::fmt::{self, Write as _};

use crate::instruments::{DROPPED, INSTRUMENTS, Instrument, Kind};
use crate::report::{DeliveryStats, DropReason};

impl DeliveryStats {
    /// Returns the counters in Prometheus' text format (version 0.0.4), for the `/metrics` that a service has already.
    ///
    /// ```
    /// # let tracer = honeyhive::HoneyHiveTracer::builder().test_mode(true).build()?;
    /// let text = tracer.stats().prometheus();
    /// assert!(text.contains("honeyhive_items_accepted_total 0\n"));
    /// # Ok::<(), honeyhive::BuildError>(())
    /// ```
    ///
    /// | Metric | Is |
    /// |---|---|
    /// | `honeyhive_items_accepted_total`, `…_delivered_total` | [`accepted`](Self::accepted), [`delivered`](Self::delivered) |
    /// | `honeyhive_items_dropped_total{reason="queue_full"}` | [`dropped`](Self::dropped), by [`DropReason`] |
    /// | `honeyhive_items_pending`, `…_spooled`, `honeyhive_pending_size_bytes` | what waits now |
    /// | `honeyhive_requests_retried_total`, `honeyhive_spool_files_set_aside_total` | [`retried`](Self::retried), [`set_aside`](Self::set_aside) |
    /// | `honeyhive_values_refused_total`, `…_redacted_total` | [`refused`](Self::refused), [`redacted`](Self::redacted) |
    /// | `honeyhive_session_ids_ignored_total`, `honeyhive_callbacks_panicked_total`, `honeyhive_spans_filtered_total` | the fields of these names |
    ///
    /// The names are those that an exporter of [`record_metrics`](crate::HoneyHiveTracer::record_metrics) writes for
    /// Prometheus. Alert on `rate(honeyhive_items_dropped_total{reason!="sampled_out"}[5m]) > 0`.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut text = String::new();
        // A `String` takes everything.
        let _ = self.write_prometheus(&mut text);
        text
    }

    fn write_prometheus(&self, text: &mut String) -> fmt::Result {
        for instrument in &INSTRUMENTS {
            head(text, instrument)?;
            writeln!(
                text,
                "{} {}",
                instrument.prometheus,
                (instrument.read)(self)
            )?;
        }
        head(text, &DROPPED)?;
        for reason in DropReason::ALL {
            let (name, count) = (DROPPED.prometheus, self.dropped.get(reason));
            writeln!(text, "{name}{{reason=\"{}\"}} {count}", reason.name())?;
        }
        Ok(())
    }
}

fn head(text: &mut String, instrument: &Instrument) -> fmt::Result {
    let name = instrument.prometheus;
    let kind = match instrument.kind {
        Kind::Counter => "counter",
        Kind::Level => "gauge",
    };
    writeln!(text, "# HELP {name} {}", instrument.description)?;
    writeln!(text, "# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Drops;

    #[test]
    fn every_counter_is_told_once_with_its_type_and_drops_by_reason() {
        let mut stats = DeliveryStats {
            accepted: 7,
            pending: 2,
            ..DeliveryStats::default()
        };
        stats.dropped = Drops {
            queue_full: 3,
            ..Drops::default()
        };
        let text = stats.prometheus();
        for line in [
            "# TYPE honeyhive_items_accepted_total counter",
            "honeyhive_items_accepted_total 7",
            "# TYPE honeyhive_items_pending gauge",
            "honeyhive_items_pending 2",
            "honeyhive_items_dropped_total{reason=\"queue_full\"} 3",
            "honeyhive_items_dropped_total{reason=\"sampled_out\"} 0",
        ] {
            assert_eq!(text.lines().filter(|it| *it == line).count(), 1, "{line}");
        }
        assert_eq!(text.matches("# TYPE ").count(), 13);
        assert_eq!(text.lines().count(), 13 * 2 + 12 + DropReason::ALL.len());
    }
}
