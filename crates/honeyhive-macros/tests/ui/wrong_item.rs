#[honeyhive::trace]
struct Name;

#[honeyhive::trace]
const fn constant() -> u8 {
    1
}

trait Speak {
    #[honeyhive::trace]
    fn speak(&self);
}

#[honeyhive::trace]
impl Name {
    fn method(&self) {}
}

fn main() {}
