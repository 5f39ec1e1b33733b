//! A model's stream over a socket has a time to its first piece: plain, and recorded. Both take turns, so that a
//! disturbance slows both. Usage: `bench-first-token [TURNS]`

#![expect(
    clippy::print_stdout,
    reason = "a program that prints its measurements"
)]

use std::convert::Infallible;
use std::error::Error;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use futures_util::{Stream, StreamExt as _, stream};
use honeyhive::HoneyHiveTracer;
use http::header::CONTENT_TYPE;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const REQUEST: &str =
    r#"{"model":"gpt-x","stream":true,"messages":[{"role":"user","content":"How many trees?"}]}"#;
const EVENT: &str = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n";
const EVENTS: usize = 50;
const WARM_UP: usize = 200;

fn main() -> Outcome {
    let turns: usize = match std::env::args().nth(1) {
        Some(turns) => turns.parse()?,
        None => 5_000,
    };
    let tracer = HoneyHiveTracer::builder().test_mode(true).build()?;
    let url = serve()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let client = reqwest::Client::new();
    let session = tracer.create_session("chat");
    let (mut plain, mut recorded) = (Vec::new(), Vec::new());
    for turn in 0..WARM_UP + turns {
        let one = runtime.block_on(without(&client, &url))?;
        let other = runtime.block_on(session.scope(with(&client, &url, &tracer)))?;
        if turn >= WARM_UP {
            plain.push(one);
            recorded.push(other);
        }
    }
    let mut extra: Vec<f64> = plain
        .iter()
        .zip(&recorded)
        .map(|(plain, recorded)| recorded - plain)
        .collect();
    println!("{:10} {:>10} {:>24}", "", "median, us", "middle half");
    for (name, times) in [
        ("plain", &mut plain),
        ("recorded", &mut recorded),
        ("extra", &mut extra),
    ] {
        times.sort_by(f64::total_cmp);
        let [low, middle, high] = [1, 2, 3].map(|quarter| times[times.len() * quarter / 4]);
        println!("{name:10} {middle:10.1} {low:10.1} to {high:10.1}");
    }
    Ok(())
}

/// Serves a provider on a thread of its own, which sends an event a piece.
fn serve() -> Outcome<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}/v1/chat/completions", listener.local_addr()?);
    std::thread::spawn(move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let app = Router::new().route("/v1/chat/completions", post(answer));
            // The socket does not hold small pieces back.
            let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
            axum::serve(listener, app).await
        })
    });
    Ok(url)
}

async fn answer(_: String) -> ([(http::HeaderName, &'static str); 1], Body) {
    let events = stream::iter([Ok::<_, Infallible>(EVENT); EVENTS]);
    // Each piece is written alone.
    let events = events.then(async |event| {
        tokio::task::yield_now().await;
        event
    });
    (
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
}

async fn without(client: &reqwest::Client, url: &str) -> Outcome<f64> {
    let began = Instant::now();
    let response = client.post(url).body(REQUEST).send().await?;
    first(began, response.bytes_stream()).await
}

async fn with(client: &reqwest::Client, url: &str, tracer: &HoneyHiveTracer) -> Outcome<f64> {
    let began = Instant::now();
    let call = tracer.model_call("openai", "").request(REQUEST).start();
    let response = call.scope(client.post(url).body(REQUEST).send()).await?;
    first(began, call.record_bytes(response.bytes_stream())).await
}

/// Returns the microseconds until the first piece; the rest is read, too.
async fn first<B>(began: Instant, pieces: impl Stream<Item = reqwest::Result<B>>) -> Outcome<f64> {
    let mut pieces = std::pin::pin!(pieces);
    pieces.next().await.ok_or("no answer")??;
    let took: Duration = began.elapsed();
    while let Some(piece) = pieces.next().await {
        piece?;
    }
    Ok(took.as_secs_f64() * 1e6)
}
