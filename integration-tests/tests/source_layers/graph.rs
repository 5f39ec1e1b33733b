//! A crate's files make a graph, which may have circles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::source::{Import, Module, Scope, Sources};

/// One name may go through at most this many re-exports.
const MOST_STEPS: usize = 16;

/// A `Graph` has the files that each file names, each with the path that names it.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) edges: BTreeMap<String, BTreeMap<String, String>>,
}

impl Graph {
    pub(crate) fn of(sources: &Sources) -> Self {
        let mut graph = Self::default();
        for (module, scope) in &sources.scopes {
            let imports = scope.imports.iter().filter(|import| {
                // A mere re-export is followed by those who name it, and makes no use of it here.
                let is_used = |name: &String| {
                    let is_named = |it: &&Import| !it.is_export && it.name.as_ref() == Some(name);
                    scope.words.contains(name) && !scope.imports.iter().any(|it| is_named(&it))
                };
                !import.is_export || import.name.as_ref().is_some_and(is_used)
            });
            let imported = imports.map(|import| import.path.clone());
            let names = Names(sources);
            let globbed = names.globbed(module, scope);
            let paths = imported.chain(globbed).chain(scope.paths.iter().cloned());
            for path in paths {
                for file in names.files_of(module, &path, 0) {
                    if file != scope.file {
                        let of_file = graph.edges.entry(scope.file.clone()).or_default();
                        of_file.entry(file).or_insert_with(|| path.join("::"));
                    }
                }
            }
        }
        graph
    }

    /// Returns the shortest circle of each file that is in one, each circle once.
    pub(crate) fn circles(&self) -> Vec<Vec<String>> {
        let mut told = BTreeSet::new();
        let circles = self.edges.keys().filter_map(|file| self.circle_of(file));
        circles
            .filter(|circle| told.insert(circle.iter().cloned().collect::<BTreeSet<_>>()))
            .collect()
    }

    fn circle_of(&self, file: &String) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&String, &String> = BTreeMap::new();
        let mut waiting = VecDeque::from([file]);
        while let Some(at) = waiting.pop_front() {
            for next in self.edges.get(at).into_iter().flat_map(BTreeMap::keys) {
                if next == file {
                    let mut circle = vec![at.clone()];
                    while let Some(before) = came_from.get(circle.last()?) {
                        circle.push((*before).clone());
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if !came_from.contains_key(next) {
                    came_from.insert(next, at);
                    waiting.push_back(next);
                }
            }
        }
        None
    }

    /// Returns the circle as text, with what each file calls the next.
    pub(crate) fn told(&self, circle: &[String]) -> String {
        let next = circle.iter().cycle().skip(1);
        let steps = circle.iter().zip(next).map(|(file, next)| {
            let name = &self.edges[file][next];
            format!("{file} names {next} (`{name}`)")
        });
        steps.collect::<Vec<_>>().join("\n    ")
    }
}

/// `Names` knows the meaning of names.
struct Names<'a>(&'a Sources);

impl Names<'_> {
    /// Returns the words of a module that it has from somewhere else by a glob, as paths.
    fn globbed(&self, module: &Module, scope: &Scope) -> Vec<Vec<String>> {
        let globs = scope.imports.iter().filter(|import| import.name.is_none());
        let words = globs.flat_map(|glob| scope.words.iter().map(move |word| (glob, word.clone())));
        words
            .map(|(glob, word)| [glob.path.as_slice(), &[word]].concat())
            .filter(|path| self.is_imported_there(module, path))
            .collect()
    }

    /// Returns whether the last word of the path is an import of the module before it.
    fn is_imported_there(&self, module: &Module, path: &[String]) -> bool {
        let Some((word, of)) = path.split_last() else {
            return false;
        };
        let there = of
            .iter()
            .fold(module.clone(), |at, part| match part.as_str() {
                "crate" => Module::new(),
                "self" => at,
                "super" => parent(&at),
                _ => [at.as_slice(), std::slice::from_ref(part)].concat(),
            });
        self.import(&there, word).is_some()
    }

    /// Returns the files that define what `path` means in `module`; none for what is of another crate.
    fn files_of(&self, module: &Module, path: &[String], steps: usize) -> Vec<String> {
        if steps > MOST_STEPS {
            return Vec::new();
        }
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        match first.as_str() {
            "crate" => self.files_below(&Module::new(), rest, steps),
            "self" => self.files_below(module, rest, steps),
            "super" => self.files_below(&parent(module), rest, steps),
            _ if self.child(module, first).is_some() || self.import(module, first).is_some() => {
                self.files_below(module, path, steps)
            }
            _ => Vec::new(),
        }
    }

    fn files_below(&self, module: &Module, path: &[String], steps: usize) -> Vec<String> {
        let Some(scope) = self.0.scopes.get(module) else {
            return Vec::new();
        };
        let Some((first, rest)) = path.split_first() else {
            return vec![scope.file.clone()];
        };
        if first == "super" {
            return self.files_below(&parent(module), rest, steps);
        }
        if let Some(child) = self.child(module, first) {
            return self.files_below(&child, rest, steps);
        }
        if let Some(import) = self.import(module, first) {
            // The import hides a name of the module from itself: the word means another crate.
            if import.path.first() == Some(first) && import.path.len() == 1 {
                return Vec::new();
            }
            let path = [import.path.as_slice(), rest].concat();
            return self.files_of(module, &path, steps + 1);
        }
        if scope.defined.contains(first) {
            return vec![scope.file.clone()];
        }
        let mut files = vec![scope.file.clone()];
        for glob in scope.imports.iter().filter(|import| import.name.is_none()) {
            let path = [glob.path.as_slice(), path].concat();
            files.extend(self.files_of(module, &path, steps + 1));
        }
        files
    }

    fn child(&self, module: &Module, name: &String) -> Option<Module> {
        let child = [module.as_slice(), std::slice::from_ref(name)].concat();
        self.0.scopes.contains_key(&child).then_some(child)
    }

    fn import(&self, module: &Module, name: &String) -> Option<&Import> {
        let imports = &self.0.scopes.get(module)?.imports;
        let has_name = |import: &&Import| {
            import.name.as_ref() == Some(name) && import.path.first() != Some(name)
        };
        // Paths go through the module where a module and a function have one name.
        imports
            .iter()
            .filter(has_name)
            .min_by_key(|import| import.is_export)
    }
}

fn parent(module: &Module) -> Module {
    module[..module.len().saturating_sub(1)].to_vec()
}
