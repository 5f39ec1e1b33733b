//! The log goes to stderr.

use tracing_subscriber::filter::LevelFilter;

/// Shows what the program, the SDK and the libraries have to say, from INFO upwards.
pub fn log_to_stderr() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(LevelFilter::INFO)
        .init();
}
