// A feature that is off says which one it is: `client` without `client`.

struct Client;

fn ask(tracer: &honeyhive::HoneyHiveTracer) {
    let _client: Client = tracer.client();
}

fn main() {}
