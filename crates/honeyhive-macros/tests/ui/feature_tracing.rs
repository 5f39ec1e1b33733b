// A feature that is off says which one it is: `tracing_layer` without `tracing`.

trait Layer {}

fn with(_: impl Layer) {}

fn subscribe(tracer: &honeyhive::HoneyHiveTracer) {
    with(tracer.tracing_layer());
}

fn main() {}
