#[honeyhive::trace(skip(password))]
fn log_in(user: &str, pass: &str) -> bool {
    user == pass
}

#[honeyhive::trace(skip(password))]
fn nothing() {}

#[honeyhive::trace(skip)]
fn which(user: &str) -> usize {
    user.len()
}

#[honeyhive::trace(skip(user), inputs = user)]
fn both(user: &str) -> usize {
    user.len()
}

fn main() {
    log_in("", "");
    nothing();
    which("");
    both("");
}
