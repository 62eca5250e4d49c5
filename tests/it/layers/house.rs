//! Which file needs which: paths are followed through `use` and re-exports to the file in which a
//! name is defined. A module that hands out what its children define does not need them for that.

use super::code::{Code, Token, code};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A name that a `use` brings into a file; `*` for all of a module.
pub(super) struct Use {
    name: String,
    pub(super) path: Vec<String>,
    pub(super) line: usize,
    /// Whether others may take it from here.
    handed_out: bool,
}

pub(super) struct File {
    /// Its path below `src`.
    pub(super) place: String,
    /// Its module, from the crate's root.
    pub(super) module: Vec<String>,
    /// What stands in it, `use` items left out.
    pub(super) tokens: Vec<Token>,
    pub(super) uses: Vec<Use>,
    /// Paths of two names or more in its code, with their lines.
    pub(super) paths: Vec<(Vec<String>, usize)>,
    defined: BTreeSet<String>,
}

/// All sources of the crate but for those of tests.
pub(super) struct House {
    pub(super) files: Vec<File>,
    by_module: BTreeMap<Vec<String>, usize>,
}

impl File {
    pub(super) fn new(place: &str, code: Code) -> Self {
        let mut module: Vec<String> = place
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if module
            .last()
            .is_some_and(|name| ["mod", "lib", "main"].contains(&name.as_str()))
        {
            module.pop();
        }
        let (uses, tokens) = take_uses(&code.tokens);
        let defines = ["fn", "struct", "enum", "trait", "const", "static", "type"];
        let defined = tokens
            .windows(2)
            .filter(|pair| defines.contains(&pair[0].text.as_str()))
            .map(|pair| pair[1].text.clone())
            .collect();
        Self {
            place: place.to_owned(),
            module,
            paths: paths(&tokens),
            tokens,
            uses,
            defined,
        }
    }

    /// Its folder below `src`, or its own name.
    pub(super) fn room(&self) -> &str {
        let room = self.place.split('/').next().unwrap_or_default();
        // A room of one file.
        room.strip_suffix(".rs")
            .filter(|room| ["defaults", "remedy"].contains(room))
            .unwrap_or(room)
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The `use` items of a file, and the tokens without them.
fn take_uses(tokens: &[Token]) -> (Vec<Use>, Vec<Token>) {
    let mut uses = Vec::new();
    let mut rest: Vec<Token> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        // `use<'a>` in a type is another thing.
        let captures = tokens.get(at + 1).is_some_and(|token| token.text == "<");
        if tokens[at].text != "use" || captures {
            rest.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let handed_out = rest
            .last()
            .is_some_and(|token| ["pub", ")"].contains(&token.text.as_str()));
        let first = uses.len();
        at = use_tree(tokens, at + 1, &[], &mut uses);
        for found in &mut uses[first..] {
            found.handed_out = handed_out;
        }
    }
    (uses, rest)
}

/// Reads one tree of a `use` from `at` on and says where it ends.
fn use_tree(tokens: &[Token], mut at: usize, before: &[String], uses: &mut Vec<Use>) -> usize {
    let mut path = before.to_vec();
    let line = tokens[at].line;
    let mut name = None;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "::" => {}
            "{" => {
                at += 1;
                while tokens[at].text != "}" {
                    at = use_tree(tokens, at, &path, uses);
                    if tokens[at].text == "," {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "," | "}" | ";" => break,
            "as" => {
                at += 1;
                name = Some(tokens[at].text.clone());
            }
            "self" if !path.is_empty() => {}
            "*" => name = Some("*".to_owned()),
            word => path.push(word.to_owned()),
        }
        at += 1;
    }
    let name = name.or_else(|| path.last().cloned()).unwrap_or_default();
    uses.push(Use {
        name,
        path,
        line,
        handed_out: false,
    });
    at
}

/// Paths of at least two names; the place of a `pub(in ...)` is none.
fn paths(tokens: &[Token]) -> Vec<(Vec<String>, usize)> {
    let text = |at: usize| {
        tokens
            .get(at)
            .map_or("", |token: &Token| token.text.as_str())
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        at += 1;
        let before = |back: usize| start.checked_sub(back).map_or("", text);
        if !is_word(text(start)) || ["::", "."].contains(&before(1)) {
            continue;
        }
        while text(at) == "::" && is_word(text(at + 1)) {
            at += 2;
        }
        let is_scope = [before(3), before(2), before(1)] == ["pub", "(", "in"];
        if at > start + 1 && !is_scope {
            let names = (start..at).step_by(2).map(|at| text(at).to_owned());
            found.push((names.collect(), tokens[start].line));
        }
    }
    found
}

impl House {
    /// The sources below a folder.
    pub(super) fn read(root: &Path) -> Self {
        let mut sources = Vec::new();
        list(root, "", &mut sources);
        let mut tests = Vec::new();
        let mut files = Vec::new();
        for place in sources {
            let code = code(&std::fs::read_to_string(root.join(&place)).expect("a source"));
            let folder = match place.rsplit_once('/') {
                Some((folder, "mod.rs")) => format!("{folder}/"),
                _ if ["lib.rs", "main.rs"].contains(&place.as_str()) => String::new(),
                _ => format!("{}/", place.trim_end_matches(".rs")),
            };
            tests.extend(
                code.test_modules
                    .iter()
                    .map(|name| format!("{folder}{name}")),
            );
            files.push(File::new(&place, code));
        }
        files.retain(|file| {
            let of_test = |test: &String| {
                file.place
                    .strip_prefix(test.as_str())
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            !tests.iter().any(of_test)
        });
        Self::new(files)
    }

    pub(super) fn new(files: Vec<File>) -> Self {
        let by_module = files
            .iter()
            .enumerate()
            .filter(|(_, file)| file.place != "main.rs")
            .map(|(number, file)| (file.module.clone(), number))
            .collect();
        Self { files, by_module }
    }

    /// The room at which a path of a file points, whatever stands behind it; nothing for paths
    /// that stay in the module or leave the crate.
    pub(super) fn target<'a>(&self, file: &'a File, path: &'a [String]) -> Option<&'a str> {
        let supers = path.iter().take_while(|name| *name == "super").count();
        match path.first()?.as_str() {
            "crate" => path.get(1).map(String::as_str),
            "super" if supers >= file.module.len() => path.get(supers).map(String::as_str),
            "super" => file.module.first().map(String::as_str),
            _ => None,
        }
    }

    /// The file in which what a path of `from` names is defined, and whether it is that module
    /// itself.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<(usize, bool)> {
        if depth > 20 {
            return None;
        }
        let mut module = from.to_vec();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => {
                module.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    module.pop();
                    rest = &rest[1..];
                }
            }
            // A name in scope: a child or what a `use` brings.
            name if !self.knows(from, name) => return None,
            _ => {}
        }
        while let [name, behind @ ..] = rest {
            let number = *self.by_module.get(&module)?;
            let file = &self.files[number];
            let child: Vec<String> = module.iter().cloned().chain([name.clone()]).collect();
            let brought = file.uses.iter().find(|brought| brought.name == *name);
            let is_child = self.by_module.contains_key(&child);
            if is_child && !(behind.is_empty() && brought.is_some()) {
                module = child;
                rest = behind;
                continue;
            }
            if let Some(brought) = brought {
                let whole: Vec<String> = brought.path.iter().chain(behind).cloned().collect();
                return self.resolve(&module, &whole, depth + 1);
            }
            for all in file.uses.iter().filter(|all| all.name == "*") {
                if let Some((other, true)) = self.resolve(&module, &all.path, depth + 1)
                    && self.files[other].defined.contains(name)
                {
                    return Some((other, false));
                }
            }
            return Some((number, false));
        }
        Some((*self.by_module.get(&module)?, true))
    }

    fn knows(&self, module: &[String], name: &str) -> bool {
        let child: Vec<String> = module.iter().cloned().chain([name.to_owned()]).collect();
        let file = self
            .by_module
            .get(module)
            .map(|&number| &self.files[number]);
        self.by_module.contains_key(&child)
            || file.is_some_and(|file| file.uses.iter().any(|brought| brought.name == name))
    }

    /// For each file the files of its room that it needs. What a module itself defines is there for
    /// its children: that is no need, else every module that shares a type would be a circle.
    fn needs(&self) -> Vec<BTreeSet<usize>> {
        let needs = |file: &File| {
            let brought = file.uses.iter().filter(|brought| {
                let mut words = file.tokens.iter();
                !brought.handed_out || words.any(|token| token.text == brought.name)
            });
            let brought = brought.filter_map(|brought| {
                let (found, is_module) = self.resolve(&file.module, &brought.path, 0)?;
                // A module that is brought into scope is needed where a path names it.
                (!is_module || brought.name == "*").then_some(found)
            });
            let named = file.paths.iter();
            let named = named.filter_map(|(path, _)| Some(self.resolve(&file.module, path, 0)?.0));
            brought
                .chain(named)
                .filter(|&other| {
                    let other = &self.files[other];
                    other.room() == file.room() && !file.module.starts_with(&other.module)
                })
                .collect()
        };
        self.files.iter().map(needs).collect()
    }

    /// Files that need each other, in a circle or in several that meet: the places of each such
    /// set, sorted.
    pub(super) fn circles(&self) -> Vec<Vec<&str>> {
        let needs = self.needs();
        let reach = |from: usize| {
            let mut reached = BTreeSet::new();
            let mut open: Vec<usize> = needs[from].iter().copied().collect();
            while let Some(next) = open.pop() {
                if reached.insert(next) {
                    open.extend(&needs[next]);
                }
            }
            reached
        };
        let reached: Vec<BTreeSet<usize>> = (0..self.files.len()).map(reach).collect();
        let mut circles = BTreeSet::new();
        for from in 0..self.files.len() {
            if reached[from].contains(&from) {
                let together = reached[from]
                    .iter()
                    .filter(|&&to| reached[to].contains(&from));
                let mut places: Vec<&str> = together
                    .map(|&file| self.files[file].place.as_str())
                    .collect();
                places.sort_unstable();
                circles.insert(places);
            }
        }
        circles.into_iter().collect()
    }
}

/// Places of all `.rs` files below a folder, sorted.
fn list(root: &Path, below: &str, found: &mut Vec<String>) {
    let mut names: Vec<(String, bool)> = std::fs::read_dir(root.join(below))
        .expect("a folder")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, entry.path().is_dir())
        })
        .collect();
    names.sort();
    for (name, is_folder) in names {
        let place = match below {
            "" => name,
            below => format!("{below}/{name}"),
        };
        if is_folder {
            list(root, &place, found);
        } else if place.ends_with(".rs") {
            found.push(place);
        }
    }
}
