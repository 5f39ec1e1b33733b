//! Faults at random are the same for the same seed.

use std::time::{SystemTime, UNIX_EPOCH};

use honeyhive_local::{Fault, LocalServer};

/// Returns the seed of `HH_FAULT_SEED`, else a new one. The caller should print it.
#[must_use]
pub fn seed() -> u64 {
    let given = std::env::var("HH_FAULT_SEED").ok();
    given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(1, |now| now.as_nanos() as u64)
    })
}

/// Makes a share of the calls fail at random, in every way that passes: refused for now, answered by a gateway, cut off
/// before and after what they ask for was done.
pub fn at_random(server: &LocalServer, share: f64, seed: u64) {
    let page = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    let faults = [
        Fault::status(503),
        Fault::status(429).header("retry-after", "0"),
        Fault::status(502)
            .header("content-type", "text/html")
            .body(page),
        Fault::status(500).after_applying(),
        Fault::reset(),
        Fault::reset().after_applying(),
        Fault::close().after_applying(),
    ];
    // The first fault that has its turn is played, so each has its share of what those before have left.
    let each = 1.0 - (1.0 - share).powf(1.0 / faults.len() as f64);
    for (number, fault) in (0..).zip(faults) {
        server.fail(fault.share(each).at_random(seed.wrapping_add(number)));
    }
}
