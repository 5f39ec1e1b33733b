// A feature that is off says which one it is: `record_metrics` without `metrics`.

fn measure(tracer: &honeyhive::HoneyHiveTracer) {
    tracer.record_metrics(&0)
}

fn main() {}
