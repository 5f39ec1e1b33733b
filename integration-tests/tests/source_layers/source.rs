//! The imports of a crate's files are modules, imports and paths, read from their tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A `Module` is a module's path from the root of its crate.
pub(crate) type Module = Vec<String>;

/// An `Import` is one `use path as name`.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) path: Vec<String>,
    /// The name; `None` for a glob.
    pub(crate) name: Option<String>,
    /// Whether the import is a `pub use`, with whatever reach.
    pub(crate) is_export: bool,
}

/// A `Scope` is one module, a file's own or one written inside it.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) file: String,
    pub(crate) imports: Vec<Import>,
    pub(crate) defined: BTreeSet<String>,
    /// The paths of two segments and more, outside imports.
    pub(crate) paths: BTreeSet<Vec<String>>,
    /// Every word outside imports.
    pub(crate) words: BTreeSet<String>,
}

/// `Sources` has the modules of one crate, by their paths.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) scopes: BTreeMap<Module, Scope>,
}

impl Sources {
    /// Takes in a file, `name` being its path below the crate's root file.
    pub(crate) fn add(&mut self, name: &str, text: &str) {
        let tokens: TokenStream = text.parse().expect("the file is Rust");
        let module = module_of(name);
        self.read(name, module, tokens);
    }

    fn read(&mut self, file: &str, module: Module, tokens: TokenStream) {
        let mut scope = Scope {
            file: file.to_owned(),
            ..Scope::default()
        };
        self.walk(file, &module, &mut scope, tokens);
        self.scopes.insert(module, scope);
    }

    fn walk(&mut self, file: &str, module: &Module, scope: &mut Scope, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at += match &tokens[at] {
                TokenTree::Ident(word) if word == "use" && !is_punct(tokens.get(at + 1), '<') => {
                    let is_export = follows_pub(&tokens[..at]);
                    read_import(scope, &tokens[at + 1..], is_export) + 1
                }
                // `pub(in crate::…)` names nothing that is used.
                TokenTree::Ident(word) if word == "pub" => match tokens.get(at + 1) {
                    Some(TokenTree::Group(_)) => 2,
                    _ => 1,
                },
                TokenTree::Ident(word) if word == "mod" => match module_block(&tokens[at..]) {
                    Some((name, block)) => {
                        let inner = [module.as_slice(), &[name]].concat();
                        self.read(file, inner, block);
                        3
                    }
                    // The name of a file says nothing of what is used of it.
                    None => 2,
                },
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    if is_definition(&word) {
                        scope.defined.extend(ident(tokens.get(at + 1)));
                    }
                    let path = path_at(&tokens[at..]);
                    let length = 3 * (path.len() - 1) + 1;
                    // The name of a method says nothing of what else has it.
                    if !is_punct(tokens[..at].last(), '.') {
                        scope.words.insert(word);
                    }
                    if path.len() > 1 {
                        scope.paths.insert(path);
                    }
                    length
                }
                TokenTree::Group(group) => {
                    self.walk(file, module, scope, group.stream());
                    1
                }
                _ => 1,
            };
        }
    }
}

/// Returns the module of a file: `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module_of(name: &str) -> Module {
    let path = Path::new(name).with_extension("");
    let mut parts: Module = path
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let is_root = parts.len() == 1 && matches!(parts[0].as_str(), "lib" | "main");
    if is_root || parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

fn is_definition(word: &str) -> bool {
    const WORDS: [&str; 9] = [
        "struct",
        "enum",
        "trait",
        "type",
        "fn",
        "const",
        "static",
        "union",
        "macro_rules",
    ];
    WORDS.contains(&word)
}

/// Returns the words of `a::b::c` at the beginning of the tokens.
fn path_at(tokens: &[TokenTree]) -> Vec<String> {
    let mut path: Vec<String> = ident(tokens.first()).into_iter().collect();
    let mut rest = tokens.get(1..).unwrap_or_default();
    while let Some(next) = after_colons(rest).and_then(|rest| ident(rest.first())) {
        path.push(next);
        rest = &rest[3..];
    }
    path
}

/// Reads the import after `use`, up to the `;`, and returns how many tokens that takes.
fn read_import(scope: &mut Scope, tokens: &[TokenTree], is_export: bool) -> usize {
    let end = tokens
        .iter()
        .position(|token| is_punct(Some(token), ';'))
        .unwrap_or(tokens.len());
    read_tree(scope, &[], &tokens[..end], is_export);
    end + 1
}

fn read_tree(scope: &mut Scope, prefix: &[String], tokens: &[TokenTree], is_export: bool) {
    let mut path = prefix.to_vec();
    let mut rest = tokens;
    if let Some(after) = after_colons(rest) {
        rest = after;
    }
    loop {
        match rest.first() {
            Some(TokenTree::Ident(word)) => path.push(word.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for tree in inner.split(|token| is_punct(Some(token), ',')) {
                    read_tree(scope, &path, tree, is_export);
                }
                return;
            }
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                scope.imports.push(Import {
                    path,
                    name: None,
                    is_export,
                });
                return;
            }
            _ => return,
        }
        match after_colons(&rest[1..]) {
            Some(after) => rest = after,
            None => break,
        }
    }
    // `{self}` names the module before it.
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let renamed = (ident(rest.get(1)).as_deref() == Some("as")).then(|| ident(rest.get(2)));
    let name = renamed.flatten().or_else(|| path.last().cloned());
    scope.imports.push(Import {
        path,
        name,
        is_export,
    });
}

/// Reads a block `mod name { … }`.
fn module_block(tokens: &[TokenTree]) -> Option<(String, TokenStream)> {
    let name = ident(tokens.get(1))?;
    match tokens.get(2)? {
        TokenTree::Group(group) => Some((name, group.stream())),
        _ => None,
    }
}

fn follows_pub(before: &[TokenTree]) -> bool {
    let is_pub = |token: Option<&TokenTree>| ident(token).as_deref() == Some("pub");
    match before {
        [.., pub_word, TokenTree::Group(_)] => is_pub(Some(pub_word)),
        _ => is_pub(before.last()),
    }
}

fn after_colons(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    match tokens {
        [TokenTree::Punct(first), TokenTree::Punct(second), rest @ ..] => {
            let both = first.as_char() == ':' && second.as_char() == ':';
            (both && first.spacing() == Spacing::Joint).then_some(rest)
        }
        _ => None,
    }
}

fn is_punct(token: Option<&TokenTree>, punct: char) -> bool {
    matches!(token, Some(TokenTree::Punct(it)) if it.as_char() == punct)
}

fn ident(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(word)) => Some(word.to_string()),
        _ => None,
    }
}
