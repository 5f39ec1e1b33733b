#[honeyhive::trace(colour = "red")]
fn work() {}

#[honeyhive::trace(skip_output, skip_output)]
fn twice() {}

#[honeyhive::trace(name)]
fn no_value() {}

#[honeyhive::trace(crate = "honeyhive")]
fn no_path() {}

fn main() {
    work();
    twice();
    no_value();
    no_path();
}
