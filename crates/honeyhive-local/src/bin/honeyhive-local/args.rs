//! The command line has a subcommand for each thing to do.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) const DEFAULT_PORT: u16 = 7777;
pub(crate) const DEFAULT_KEY_VARIABLE: &str = "HH_LOCAL_API_KEY";

const AFTER: &str = "\
Exit codes: 0 done; 1 it failed; 2 the command line makes no sense; 3 nothing was found; 4 no server and no file to ask.

Commands that ask go to the server at --url and, where none listens there, open the file that a server would use.";

/// A HoneyHive on your own machine: serve it, and ask it.
#[derive(Debug, Parser)]
#[command(name = "honeyhive-local", version, after_help = AFTER, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve until ctrl-c; what happens without a command, too
    Serve(Serve),
    /// Print sessions as they come and end
    Tail(Tail),
    /// Look at sessions and their trees in the terminal
    Tui(Source),
    /// Show a session or an event, by its id or the beginning of it
    Show(Show),
    /// Find sessions
    Search(Search),
    /// Print all sessions, or those that fit, with their events as JSON lines, the oldest first. Events without a session,
    /// datasets and experiments are not among them
    Export(Export),
    /// Take in what `export` has printed, each field of it, or OTLP traces as JSON or protobuf
    Import(Import),
    /// Forget everything
    Clear(Clear),
    /// Say whether it is reachable, what arrives, and what is amiss; and whether the settings of this environment lead to
    /// HoneyHive
    Doctor(Doctor),
}

/// How to serve. Each has an environment variable, which an argument beats.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Port to listen on [env: HONEYHIVE_LOCAL_PORT] [default: 7777]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Address to listen on [env: HONEYHIVE_LOCAL_ADDRESS] [default: 127.0.0.1]
    #[arg(long, value_name = "IP")]
    pub(crate) address: Option<IpAddr>,
    /// Allow an address that other machines can reach; takes a key [env: HONEYHIVE_LOCAL_ALLOW_REMOTE=true]
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Environment variable with the key that clients must send; unset or empty: any key will do
    #[arg(long, value_name = "NAME", default_value = DEFAULT_KEY_VARIABLE)]
    pub(crate) api_key_env: String,
    /// File to keep everything in [env: HONEYHIVE_LOCAL_DATA] [default: honeyhive.db in the user's data folder]
    #[arg(long, value_name = "FILE", conflicts_with = "memory")]
    pub(crate) data: Option<PathBuf>,
    /// Keep nothing after the end
    #[arg(long)]
    pub(crate) memory: bool,
    /// Print the address and the rest as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where to ask.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Server to ask [env: HONEYHIVE_LOCAL_URL] [default: http://127.0.0.1:7777]
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// File to open where no server listens [env: HONEYHIVE_LOCAL_DATA]
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,
    /// Environment variable with the key, where the server asks for one
    #[arg(long, value_name = "NAME", default_value = DEFAULT_KEY_VARIABLE)]
    pub(crate) api_key_env: String,
}

/// Where to ask, and how to answer.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which sessions.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Words in the session or in any of its events
    pub(crate) words: Vec<String>,
    /// Only those that failed, or of which an event did
    #[arg(long)]
    pub(crate) errors: bool,
    /// Only those that began within this time, such as 15m, 1h or 7d
    #[arg(long, value_name = "TIME", value_parser = time_ago)]
    pub(crate) since: Option<String>,
    /// Only those with this model
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// Only those with this outcome, such as complete or client_disconnected
    #[arg(long)]
    pub(crate) outcome: Option<String>,
    /// Only those with this status, such as 502 or 5xx
    #[arg(long, value_parser = status)]
    pub(crate) status: Option<String>,
    /// Only those of this run
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// Print so many that are there already
    #[arg(short = 'n', long, default_value_t = 10)]
    pub(crate) lines: usize,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The id of a session or an event, or the beginning of a session's
    pub(crate) id: String,
    /// Print Markdown
    #[arg(long, conflicts_with = "json")]
    pub(crate) md: bool,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) which: Which,
    /// At most so many, the newest first
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Only so many, the newest [default: all]
    #[arg(long)]
    pub(crate) limit: Option<usize>,
    /// Print datapoints instead: inputs, and what feedback says is true, else the outputs; with a name, make a dataset
    /// of them in the server
    #[arg(long, value_name = "NAME")]
    #[expect(clippy::option_option, reason = "an option that may stand alone")]
    pub(crate) as_dataset: Option<Option<String>>,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Files; `-` is the standard input
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Make a small session with the environment's key, and say whether it arrives and what this HoneyHive does with
    /// what no document says
    #[arg(long)]
    pub(crate) probe: bool,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

#[derive(Debug, Args)]
pub(crate) struct Clear {
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// Takes a number of minutes, hours or days: the server takes any other text for no condition, and lists everything.
fn time_ago(text: &str) -> Result<String, &'static str> {
    let number = text.strip_suffix(['m', 'h', 'd']).unwrap_or_default();
    let is_number = number.parse::<u32>().is_ok();
    is_number
        .then(|| text.to_owned())
        .ok_or("a number and m, h or d, such as 15m")
}

/// Takes a status or a class of them, as [`time_ago`] takes times.
fn status(text: &str) -> Result<String, &'static str> {
    let class = text.strip_suffix("xx");
    let (number, digits) = class.map_or((text, 3), |class| (class, 1));
    let is_status = number.len() == digits && number.bytes().all(|byte| byte.is_ascii_digit());
    is_status
        .then(|| text.to_owned())
        .ok_or("a status such as 502, or a class such as 5xx")
}
