// A feature that is off says which one it is: `serve` without `signal`.

async fn serve(tracer: honeyhive::HoneyHiveTracer) {
    let served = tracer.serve(|stop| stop).await;
    served.delivery.unwrap();
}

fn main() {}
