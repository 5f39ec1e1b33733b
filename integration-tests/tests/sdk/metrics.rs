//! A meter of the program's reads the counters of a tracer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::collections::BTreeMap;

use honeyhive::testing;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

/// Returns the latest values of an exporter: each name with its values, by their reasons where they have some.
fn read(metrics: &[ResourceMetrics]) -> BTreeMap<String, i128> {
    let mut read = BTreeMap::new();
    let scopes = metrics.last().map(ResourceMetrics::scope_metrics);
    for metric in scopes.into_iter().flatten().flat_map(|it| it.metrics()) {
        let mut put = |attributes: Vec<String>, value: i128, is_monotonic: bool| {
            let kind = if is_monotonic { "" } else { " (level)" };
            let name = format!(
                "{}{} {}{kind}",
                metric.name(),
                attributes.concat(),
                metric.unit()
            );
            read.insert(name, value);
        };
        match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                for point in sum.data_points() {
                    let by = point
                        .attributes()
                        .map(|it| format!("{{{}}}", it.value))
                        .collect();
                    put(by, point.value().into(), sum.is_monotonic());
                }
            }
            AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                for point in sum.data_points() {
                    put(Vec::new(), point.value().into(), sum.is_monotonic());
                }
            }
            other => panic!("{}: {other:?}", metric.name()),
        }
    }
    read
}

#[test]
fn a_meter_observes_every_counter_as_it_stands() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.clone())
        .build();
    let (tracer, captured) = testing::tracer();
    tracer.record_metrics(&provider.meter("honeyhive"));
    tracer.create_session("chat").user(" ");
    drop(captured.only_session());
    provider.force_flush().unwrap();
    let seen = read(&exporter.get_finished_metrics().unwrap());
    let stats = tracer.stats();
    assert_eq!((stats.accepted, stats.refused), (1, 1));
    let counts = |name: &str| seen.get(name).copied();
    assert_eq!(counts("honeyhive.items.accepted {item}"), Some(1));
    assert_eq!(counts("honeyhive.items.delivered {item}"), Some(1));
    assert_eq!(counts("honeyhive.values.refused {value}"), Some(1));
    assert_eq!(counts("honeyhive.items.pending {item} (level)"), Some(0));
    assert_eq!(counts("honeyhive.pending.size By (level)"), Some(0));
    assert_eq!(
        counts("honeyhive.items.dropped{queue_full} {item}"),
        Some(0)
    );
    let (levels, drops) = (3, 8);
    assert_eq!(seen.len(), 9 + levels + drops, "{seen:#?}");
}
