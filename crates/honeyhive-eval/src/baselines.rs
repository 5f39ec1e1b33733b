//! A run is compared with a baseline: a file, or a run that HoneyHive has.

use honeyhive::client::Client;
use honeyhive::evaluate::Baseline;

use crate::arguments::Earlier;
use crate::files;
use crate::outcome::Ending;

/// Reads the baseline; an error says how the program ends.
pub(crate) async fn baseline_of(
    eval: &str,
    earlier: &Earlier,
) -> Result<Baseline, (Ending, String)> {
    let found = match earlier {
        Earlier::File(name) => {
            let read = Baseline::load(files::baseline(eval, name));
            return read.map_err(|error| (Ending::Usage, format!("{error:?}")));
        }
        Earlier::Run(id) => Baseline::from_run(&client()?, id).await.map(Some),
        Earlier::Branch(branch) => Baseline::from_newest_run(&client()?, eval, Some(branch)).await,
    };
    let found = found.map_err(|error| (Ending::RunFailed, format!("{error:?}")))?;
    found.ok_or_else(|| {
        let problem = format!("HoneyHive has no completed run called {eval:?} of that branch");
        (Ending::Usage, problem)
    })
}

fn client() -> Result<Client, (Ending, String)> {
    Client::from_env().map_err(|error| (Ending::Usage, format!("{error:?}")))
}
