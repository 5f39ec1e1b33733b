#[honeyhive::trace(colour = "red")]
fn work() {}

#[honeyhive::trace(skip_output, skip_output)]
fn twice() {}

#[honeyhive::trace(name)]
fn no_value() {}

fn main() {
    work();
    twice();
    no_value();
}
