//! [`INSTRUMENTS`] are the counters of a tracer under the names of metrics, for OpenTelemetry and for Prometheus alike.

use crate::report::DeliveryStats;

/// An instrument is a number that only grows, or one that goes up and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Level,
}

/// An instrument shows a number of [`DeliveryStats`] as a metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instrument {
    /// The name follows OpenTelemetry's conventions.
    #[cfg_attr(
        not(feature = "metrics"),
        allow(dead_code, reason = "asked for by a meter")
    )]
    pub(crate) name: &'static str,
    #[cfg_attr(
        not(feature = "metrics"),
        allow(dead_code, reason = "Prometheus has it in the name")
    )]
    pub(crate) unit: &'static str,
    pub(crate) description: &'static str,
    pub(crate) kind: Kind,
    /// The Prometheus name is the one that an exporter writes.
    pub(crate) prometheus: &'static str,
    pub(crate) read: fn(&DeliveryStats) -> u64,
}

/// Items lost have a reason beside their number, so they are none of the table.
pub(crate) const DROPPED: Instrument = Instrument {
    name: "honeyhive.items.dropped",
    unit: "{item}",
    description: "Items lost, by reason.",
    kind: Kind::Counter,
    prometheus: "honeyhive_items_dropped_total",
    read: |it| it.dropped.total(),
};

macro_rules! instruments {
    ($($kind:ident $name:literal $unit:literal $prometheus:literal $description:literal $field:ident)*) => {
        [$(Instrument {
            name: $name,
            unit: $unit,
            description: $description,
            kind: Kind::$kind,
            prometheus: $prometheus,
            read: |it| it.$field,
        },)*]
    };
}

#[rustfmt::skip]
pub(crate) const INSTRUMENTS: [Instrument; 12] = instruments! {
    Counter "honeyhive.items.accepted" "{item}" "honeyhive_items_accepted_total" "Items handed over for delivery." accepted
    Counter "honeyhive.items.delivered" "{item}" "honeyhive_items_delivered_total" "Items that HoneyHive has confirmed." delivered
    Level "honeyhive.items.pending" "{item}" "honeyhive_items_pending" "Items without an outcome yet." pending
    Level "honeyhive.items.spooled" "{item}" "honeyhive_items_spooled" "Pending items that are on disk." spooled
    Level "honeyhive.pending.size" "By" "honeyhive_pending_size_bytes" "Memory that pending items hold." pending_bytes
    Counter "honeyhive.requests.retried" "{request}" "honeyhive_requests_retried_total" "Requests that were tried again." retried
    Counter "honeyhive.spool.files_set_aside" "{file}" "honeyhive_spool_files_set_aside_total" "Files of the spool that could not be read." set_aside
    Counter "honeyhive.values.refused" "{value}" "honeyhive_values_refused_total" "Enrichment values that were left out." refused
    Counter "honeyhive.values.redacted" "{value}" "honeyhive_values_redacted_total" "Values that left masked or replaced." redacted
    Counter "honeyhive.session_ids.ignored" "{id}" "honeyhive_session_ids_ignored_total" "Session ids that counted as absent." ignored_session_ids
    Counter "honeyhive.callbacks.panicked" "{panic}" "honeyhive_callbacks_panicked_total" "Panics in the program's callbacks." callback_panics
    Counter "honeyhive.spans.filtered" "{span}" "honeyhive_spans_filtered_total" "Spans that the filter has left out." filtered_spans
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_of_an_instrument_are_one_by_the_rules_of_exporters() {
        for it in INSTRUMENTS.into_iter().chain([DROPPED]) {
            let unit = if it.unit == "By" { "_bytes" } else { "" };
            let total = if it.kind == Kind::Counter {
                "_total"
            } else {
                ""
            };
            let name = it.name.replace('.', "_");
            assert_eq!(it.prometheus, format!("{name}{unit}{total}"));
        }
    }
}
