//! Takes the programs out of the guide's pages: each becomes a module of the program of this crate, and a
//! test that runs it and compares what arrives.
//!
//! A page is read as a reader sees it. In a section there is one program at the most:
//!
//! * a `rust` block with `fn main` is a program; one without has `#[test]` functions;
//! * a `console` block after a program says what a client does with it while it runs;
//! * the `text` block after a program says what arrives in HoneyHive.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A program that is only shown does not exist, so there is no `rust,ignore`.
const LANGUAGES: [&str; 4] = ["rust", "console", "text", "toml"];

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
        sections.extend(sections_of(&slug(&name.to_string_lossy()), &text)?);
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

    /// Where there is what it needs.
    fn condition(&self) -> &'static str {
        match (self.is_program(), self.rust.contains("::unix")) {
            (false, _) => "#[cfg(test)] ",
            (true, true) => "#[cfg(unix)] ",
            (true, false) => "",
        }
    }

    fn check(&self) -> Outcome<()> {
        let name = &self.name;
        match (self.is_program(), &self.arrives) {
            (true, None) => Err(format!("{name}: a ```text block must say what arrives").into()),
            (true, Some(_)) => Ok(()),
            (false, _) if self.rust.contains("test]") => Ok(()),
            (false, _) => Err(format!("{name}: a ```rust block needs a main or tests").into()),
        }
    }
}

struct Block {
    language: String,
    text: String,
}

fn sections_of(page: &str, text: &str) -> Outcome<Vec<Section>> {
    let mut sections = Vec::new();
    let mut heading = None;
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        if is_open {
            match line {
                "```" => is_open = false,
                line => push_line(&mut blocks, line),
            }
        } else if let Some(language) = line.strip_prefix("```") {
            is_open = true;
            if !LANGUAGES.contains(&language) {
                return Err(
                    format!("{page}: a block of {language:?}; there are {LANGUAGES:?}").into(),
                );
            }
            blocks.push(Block {
                language: language.to_owned(),
                text: String::new(),
            });
        } else if line.starts_with('#') {
            sections.extend(section(
                page,
                heading.as_deref(),
                std::mem::take(&mut blocks),
            )?);
            // The page's own heading says what its name says.
            heading = line.strip_prefix("##").map(slug);
        }
    }
    sections.extend(section(page, heading.as_deref(), blocks)?);
    Ok(sections)
}

fn push_line(blocks: &mut [Block], line: &str) {
    if let Some(block) = blocks.last_mut() {
        block.text.push_str(line);
        block.text.push('\n');
    }
}

fn section(page: &str, heading: Option<&str>, blocks: Vec<Block>) -> Outcome<Option<Section>> {
    let mut blocks = blocks.into_iter();
    let Some(rust) = blocks.find(|block| block.language == "rust") else {
        return Ok(None);
    };
    let mut section = Section {
        name: heading.map_or_else(|| page.to_owned(), |heading| format!("{page}_{heading}")),
        rust: rust.text,
        console: None,
        arrives: None,
    };
    for block in blocks {
        match block.language.as_str() {
            "console" => section.console = section.console.or(Some(block.text)),
            "text" => section.arrives = section.arrives.or(Some(block.text)),
            "rust" => return Err(format!("{}: a second program", section.name).into()),
            _ => {}
        }
    }
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

/// Whatever a `main` returns.
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
        writeln!(
            code,
            "{condition}#[test]\nfn {name}() {{ crate::check({name:?}, {console:?}, {arrives:?}); }}"
        )?;
    }
    Ok(fs::write(out.join("tests.rs"), code)?)
}
