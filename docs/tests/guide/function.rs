//! A program that is a Lambda function: it runs as one, of a stand-in for Lambda's runtime API, and the
//! `console` block invokes it as AWS's runtime interface emulator would be asked to.

use std::path::Path;

use honeyhive_local::LocalServer;
use lambda_example::runtime_api::{Outcome, RuntimeApi};

use crate::console;
use crate::ids::Ids;
use crate::program::Program;

/// The address at which the emulator takes events.
pub(crate) const INVOCATIONS: &str = "localhost:9000/2015-03-31/functions/function/invocations";

/// The name that the pages give to the function.
const NAME: &str = "chat";

/// Plays the console, until the function asks for more. Lambda would freeze it then.
pub(crate) fn play(name: &str, console: &str, honeyhive: &LocalServer, ids: &mut Ids) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let api = runtime.block_on(RuntimeApi::start()).unwrap();
    let mut command = api.function(Path::new(Program::PATH)).into_std();
    command.env("AWS_LAMBDA_FUNCTION_NAME", NAME);
    let _function = Program::start_with(command, name, &honeyhive.url());
    console::play_calls(console, ids, |call| {
        assert_eq!(call.url, INVOCATIONS);
        match runtime.block_on(api.invoke(call.body)) {
            Outcome::Response(answer) | Outcome::Error(answer) => answer.to_string(),
        }
    });
    runtime.block_on(api.idle());
}
