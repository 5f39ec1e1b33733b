// A feature that is off says which one it is: `model_call` without `model-calls`.

struct Call;

fn ask(tracer: &honeyhive::HoneyHiveTracer) {
    let _call: Call = tracer.model_call("anthropic", "claude-x");
}

fn main() {}
