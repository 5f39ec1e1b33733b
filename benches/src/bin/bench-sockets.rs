//! `benches/sockets` starts these programs: a server to send requests to, and a HoneyHive for it to talk to.
//!
//! Usage: `bench-sockets serve VARIANT MILLISECONDS` (a handler that waits so long; 0 = trivial) and
//! `bench-sockets api 0|50|never` (a HoneyHive that answers after so many milliseconds). Both print where they
//! listen, and run until they are killed.

#![expect(clippy::print_stdout, reason = "a program that tells where it listens")]

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use actix_web::{HttpResponse, HttpServer, web};
use axum::{Router, routing::get};
use honeyhive::HoneyHiveTracer;
use honeyhive_actix::HoneyHive;
use honeyhive_local::{Fault, LocalServer};
use honeyhive_tower::HoneyHiveLayer;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", variant, wait] => {
            let wait = Duration::from_millis(wait.parse()?);
            match variant.split_once('_') {
                Some(("axum", kind)) => serve_axum(tracer(kind)?, wait),
                Some(("actix", kind)) => serve_actix(tracer(kind)?, wait),
                _ => Err(format!("there is no variant {variant}").into()),
            }
        }
        ["api", speed] => serve_api(speed),
        _ => Err("serve VARIANT MILLISECONDS, or api SPEED".into()),
    }
}

/// Returns the tracer; `None` for a bare server. The address of HoneyHive comes from the environment.
fn tracer(kind: &str) -> Result<Option<HoneyHiveTracer>, Box<dyn Error>> {
    match kind {
        "bare" => Ok(None),
        "honeyhive" => Ok(Some(HoneyHiveTracer::from_env()?)),
        _ => Err(format!("there is no variant {kind}").into()),
    }
}

async fn answer(wait: Duration) -> &'static str {
    if !wait.is_zero() {
        tokio::time::sleep(dithered(wait)).await;
    }
    r#"{"reply":"hello","session_id":"none"}"#
}

/// Returns the wait with up to half a millisecond more or less, on average as long: the runtime's timers go by whole
/// milliseconds, and requests with equal waits fall into step with them, so that a microsecond more is a millisecond or
/// nothing.
fn dithered(wait: Duration) -> Duration {
    thread_local! { static STEP: Cell<u32> = const { Cell::new(0) } }
    let step = STEP.get();
    STEP.set((step + 618) % 1000);
    wait + Duration::from_micros(u64::from(step)) - Duration::from_micros(500)
}

fn serve_axum(tracer: Option<HoneyHiveTracer>, wait: Duration) -> Outcome {
    let app = Router::new().route("/api/chat", get(move || answer(wait)));
    let app = match tracer {
        Some(tracer) => app.layer(HoneyHiveLayer::new(tracer)),
        None => app,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}", listener.local_addr()?);
        axum::serve(listener, app).await?;
        Ok(())
    })
}

fn serve_actix(tracer: Option<HoneyHiveTracer>, wait: Duration) -> Outcome {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    let chat = move || async move { HttpResponse::Ok().body(answer(wait).await) };
    let app = move || actix_web::App::new().route("/api/chat", web::get().to(chat));
    actix_web::rt::System::new().block_on(async move {
        let server = match tracer {
            None => HttpServer::new(app).workers(1).listen(listener)?.run(),
            Some(tracer) => {
                let app = move || app().wrap(HoneyHive::new(tracer.clone()));
                HttpServer::new(app).workers(1).listen(listener)?.run()
            }
        };
        Ok(server.await?)
    })
}

fn serve_api(speed: &str) -> Outcome {
    let api = LocalServer::builder().start_blocking()?;
    match speed {
        "0" => {}
        "never" => api.fail(Fault::hang()),
        milliseconds => api.fail(Fault::delay(Duration::from_millis(milliseconds.parse()?))),
    }
    println!("{}", api.url());
    loop {
        std::thread::park();
    }
}
