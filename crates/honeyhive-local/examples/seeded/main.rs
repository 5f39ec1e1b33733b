//! The example is a server with sessions to look at: `cargo run -p honeyhive-local --example seeded`.

mod seed;

use honeyhive_local::LocalServer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = LocalServer::builder().port(7788).start().await?;
    seed::everything(&server.url()).await;
    // An example talks to the person who has started it.
    #[expect(clippy::print_stdout, reason = "an example talks on stdout")]
    {
        println!("look at {}/ - ctrl-c ends it", server.url());
    }
    tokio::signal::ctrl_c().await?;
    Ok(())
}
