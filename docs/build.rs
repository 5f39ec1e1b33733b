//! Takes the programs out of the guide's pages: each becomes a module of the program of this crate, and a
//! test that runs it and compares what arrives.
//!
//! A page is read as a reader sees it. In a section there is one program at the most:
//!
//! * a `rust` block with `fn main` is a program; one without has `#[test]` functions;
//! * a `console` block after a program says what a client does with it while it runs;
//! * the `text` block after a program says what arrives in HoneyHive;
//! * a program that is a web server has a tracer that keeps nothing down, and is run by `tracer.serve(..)`;
//! * without a program, `console` and `toml` blocks are the reader's own business.
//!
//! Anything else fails the build: a program that is only shown does not exist.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    println!("cargo::rerun-if-changed=guide");
    let out = env::var("OUT_DIR")?;
    let mut sections = Vec::new();
    let mut pages: Vec<_> = fs::read_dir("guide")?.collect::<Result<_, _>>()?;
    pages.sort_by_key(fs::DirEntry::path);
    for page in pages {
        let path = page.path();
        let name = path.file_stem().ok_or("a page has a name")?;
        let text = fs::read_to_string(&path)?;
        let name = slug(&name.to_string_lossy());
        for part in parts_of(&text) {
            sections.extend(section(&name, part)?);
        }
    }
    write_programs(Path::new(&out), &sections)?;
    write_tests(Path::new(&out), &sections)
}

/// A section with a program in it.
struct Section {
    name: String,
    rust: String,
    console: Option<String>,
    arrives: Option<String>,
}

impl Section {
    fn is_program(&self) -> bool {
        self.rust.contains("fn main()")
    }

    /// Returns the `cfg` attribute under which the program is built.
    fn condition(&self) -> &'static str {
        match (self.is_program(), self.rust.contains("::unix")) {
            (false, _) => "#[cfg(test)] ",
            (true, true) => "#[cfg(unix)] ",
            (true, false) => "",
        }
    }

    /// Whether it keeps a web server up where a setting is missing, and ends it at SIGTERM without a loss; or is none.
    fn serves_well(&self) -> bool {
        let says = |text| self.rust.contains(text);
        let is_server = says("axum::serve(") || says("HttpServer::new(");
        !(self.is_program() && is_server) || (says("_or_disabled()") && says(".serve(|stop|"))
    }

    fn check(&self) -> Outcome<()> {
        let name = &self.name;
        if !self.serves_well() {
            let wanted = "a server has a tracer `_or_disabled()` and is run by `tracer.serve(..)`";
            return Err(format!("{name}: {wanted}").into());
        }
        match (self.is_program(), &self.arrives) {
            (true, None) => Err(format!("{name}: a ```text block must say what arrives").into()),
            (true, Some(_)) => Ok(()),
            (false, _) if self.rust.contains("test]") => Ok(()),
            (false, _) => Err(format!("{name}: a ```rust block needs a main or tests").into()),
        }
    }
}

/// The text between two headings.
#[derive(Default)]
struct Part {
    /// The heading; `None` for the page's own, which repeats the page's name.
    heading: Option<String>,
    blocks: Vec<Block>,
}

struct Block {
    language: String,
    text: String,
}

fn parts_of(page: &str) -> Vec<Part> {
    let mut parts = vec![Part::default()];
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside = lines.by_ref().take_while(|line| *line != "```");
            let block = Block {
                language: language.to_owned(),
                text: inside.flat_map(|line| [line, "\n"]).collect(),
            };
            if let Some(part) = parts.last_mut() {
                part.blocks.push(block);
            }
        } else if let Some(heading) = line.strip_prefix("##") {
            parts.push(Part {
                heading: Some(slug(heading)),
                blocks: Vec::new(),
            });
        }
    }
    parts
}

fn section(page: &str, part: Part) -> Outcome<Option<Section>> {
    let name = match &part.heading {
        Some(heading) => format!("{page}_{heading}"),
        None => page.to_owned(),
    };
    let [mut rust, mut console, mut arrives] = [const { None }; 3];
    for Block { language, text } in part.blocks {
        let place = match language.as_str() {
            "rust" => &mut rust,
            "console" if rust.is_some() => &mut console,
            "text" if rust.is_some() => &mut arrives,
            "text" => return Err(format!("{name}: no program has this block of text").into()),
            "console" | "toml" => continue,
            other => return Err(format!("{name}: nothing checks a block of {other:?}").into()),
        };
        if place.replace(text).is_some() {
            return Err(format!("{name}: a second block of {language:?}").into());
        }
    }
    let Some(rust) = rust else { return Ok(None) };
    let section = Section {
        name,
        rust,
        console,
        arrives,
    };
    section.check()?;
    Ok(Some(section))
}

/// The words of a text as an identifier.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join("_").to_ascii_lowercase()
}

/// A module a section, and the table of those that have a `main`.
fn write_programs(out: &Path, sections: &[Section]) -> Outcome<()> {
    let mut modules = String::new();
    let mut table = String::new();
    for section in sections {
        let (name, condition) = (&section.name, section.condition());
        let file = out.join(format!("{name}.rs"));
        let path = file.display().to_string();
        writeln!(modules, "{condition}#[path = {path:?}] mod {name};")?;
        let mut code = section.rust.clone();
        if section.is_program() {
            code.push_str(RUN);
            writeln!(table, "{condition}({name:?}, {name}::run),")?;
        }
        fs::write(file, code)?;
    }
    let code = format!("{modules}\npub(crate) const PROGRAMS: &[(&str, Run)] = &[\n{table}];\n");
    Ok(fs::write(out.join("programs.rs"), code)?)
}

/// The `run` function of a program: it returns whatever its `main` returns.
const RUN: &str = "
pub(super) fn run() -> std::process::ExitCode {
    std::process::Termination::report(main())
}
";

/// A test a program.
fn write_tests(out: &Path, sections: &[Section]) -> Outcome<()> {
    let mut code = String::new();
    for section in sections.iter().filter(|section| section.is_program()) {
        let (name, condition) = (&section.name, section.condition());
        let (console, arrives) = (&section.console, section.arrives.as_deref());
        let arrives = arrives.unwrap_or_default();
        let is_signalled = |it: &String| it.contains("^C") || it.contains("$ kill");
        let ignored = if console.as_ref().is_some_and(is_signalled) {
            "#[cfg_attr(windows, ignore = \"its program ends by a signal\")]\n"
        } else {
            ""
        };
        writeln!(
            code,
            "{condition}#[test]\n{ignored}fn {name}() {{ crate::check({name:?}, {console:?}, {arrives:?}); }}"
        )?;
    }
    Ok(fs::write(out.join("tests.rs"), code)?)
}
