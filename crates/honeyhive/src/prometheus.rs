//! The counters of a tracer as Prometheus reads them.

use std::fmt::{self, Write as _};

use crate::report::{DeliveryStats, DropReason};

impl DeliveryStats {
    /// The counters in Prometheus' text format (version 0.0.4), for the `/metrics` that a service has already.
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
    /// | `honeyhive_items_pending`, `…_spooled`, `honeyhive_pending_bytes` | what waits now |
    /// | `honeyhive_retries_total`, `honeyhive_spool_files_set_aside_total` | [`retried`](Self::retried), [`set_aside`](Self::set_aside) |
    /// | `honeyhive_values_refused_total`, `…_redacted_total` | [`refused`](Self::refused), [`redacted`](Self::redacted) |
    /// | `honeyhive_session_ids_ignored_total`, `honeyhive_callback_panics_total`, `honeyhive_spans_filtered_total` | the fields of these names |
    ///
    /// Alert on `rate(honeyhive_items_dropped_total{reason!="sampled_out"}[5m]) > 0`.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut text = String::new();
        // A `String` takes everything.
        let _ = self.write_prometheus(&mut text);
        text
    }

    fn write_prometheus(&self, text: &mut String) -> fmt::Result {
        for family in self.families() {
            family.write(text)?;
        }
        head(
            text,
            "honeyhive_items_dropped_total",
            "counter",
            "Items lost, by reason.",
        )?;
        for reason in DropReason::ALL {
            let count = self.dropped.get(reason);
            writeln!(
                text,
                "honeyhive_items_dropped_total{{reason=\"{}\"}} {count}",
                reason.name()
            )?;
        }
        Ok(())
    }

    const fn families(&self) -> [Family; 12] {
        const fn counter(name: &'static str, help: &'static str, value: u64) -> Family {
            Family {
                name,
                kind: "counter",
                help,
                value,
            }
        }
        const fn gauge(name: &'static str, help: &'static str, value: u64) -> Family {
            Family {
                name,
                kind: "gauge",
                help,
                value,
            }
        }
        [
            counter(
                "honeyhive_items_accepted_total",
                "Items handed over for delivery.",
                self.accepted,
            ),
            counter(
                "honeyhive_items_delivered_total",
                "Items that HoneyHive has confirmed.",
                self.delivered,
            ),
            gauge(
                "honeyhive_items_pending",
                "Items without an outcome yet.",
                self.pending,
            ),
            gauge(
                "honeyhive_items_spooled",
                "Pending items that are on disk.",
                self.spooled,
            ),
            gauge(
                "honeyhive_pending_bytes",
                "Memory that pending items hold.",
                self.pending_bytes,
            ),
            counter(
                "honeyhive_retries_total",
                "Requests that were tried again.",
                self.retried,
            ),
            counter(
                "honeyhive_spool_files_set_aside_total",
                "Files of the spool that could not be read.",
                self.set_aside,
            ),
            counter(
                "honeyhive_values_refused_total",
                "Enrichment values that were left out.",
                self.refused,
            ),
            counter(
                "honeyhive_values_redacted_total",
                "Values that left masked or replaced.",
                self.redacted,
            ),
            counter(
                "honeyhive_session_ids_ignored_total",
                "Session ids that counted as absent.",
                self.ignored_session_ids,
            ),
            counter(
                "honeyhive_callback_panics_total",
                "Panics in the program's callbacks.",
                self.callback_panics,
            ),
            counter(
                "honeyhive_spans_filtered_total",
                "Spans that the filter has left out.",
                self.filtered_spans,
            ),
        ]
    }
}

/// A metric without labels.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: u64,
}

impl Family {
    fn write(&self, text: &mut String) -> fmt::Result {
        head(text, self.name, self.kind, self.help)?;
        writeln!(text, "{} {}", self.name, self.value)
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP {name} {help}")?;
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
