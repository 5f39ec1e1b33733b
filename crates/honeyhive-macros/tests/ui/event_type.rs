#[honeyhive::trace(event_type = "banana")]
fn unknown() {}

#[honeyhive::trace(event_type = 7)]
fn number() {}

fn main() {
    unknown();
    number();
}
