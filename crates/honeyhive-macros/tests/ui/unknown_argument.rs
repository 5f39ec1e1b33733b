#[honeyhive::trace(colour = "red")]
fn work() {}

#[honeyhive::trace(skip_output, skip_output)]
fn twice() {}

#[honeyhive::trace(name)]
fn no_value() {}

#[honeyhive::trace(crate = "honeyhive")]
fn no_path() {}

#[honeyhive::trace("answer")]
fn text_alone() {}

#[honeyhive::trace(= 1)]
fn no_key() {}

fn main() {
    work();
    twice();
    no_value();
    no_path();
    text_alone();
    no_key();
}
