#[honeyhive::trace]
fn text() -> i32 {
    "text"
}

#[honeyhive::trace]
async fn later(flag: bool) -> i32 {
    if flag {
        return "text";
    }
    1
}

#[honeyhive::trace(tracer = 5)]
fn no_tracer() {}

fn main() {
    text();
    drop(later(true));
    no_tracer();
}
