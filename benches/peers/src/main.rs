//! Other libraries' layers and middleware wrap the router and the app of `honeyhive-benches`, and ours stand beside
//! them; see `benches/run`.

mod actix_peers;
mod axum_peers;
mod sinks;

use std::process::ExitCode;

use honeyhive_benches::{Work, command};

fn main() -> ExitCode {
    let ours = honeyhive_benches::variants();
    let peers = axum_peers::VARIANTS
        .into_iter()
        .chain(actix_peers::VARIANTS);
    command::run(ours.chain(peers), find)
}

fn find(variant: &str) -> Option<Work> {
    axum_peers::find(variant)
        .or_else(|| actix_peers::find(variant))
        .or_else(|| honeyhive_benches::find(variant))
}
