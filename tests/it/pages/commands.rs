//! Every command of every page, run as a reader would type it: by a shell, in a folder that holds
//! nothing but what the page takes for granted.
//!
//! A command is a line of code that names the program, or one in backquotes with something behind
//! the subcommand. None is passed over: what would take long runs with the smaller numbers of
//! [`SMALLER`], what serves runs until it says where, and the few that stand for other commands are
//! in [`NOT_RUN`]. An entry of a table that no page needs any more is an error too.

use super::given::{FILES, RUNS, TEXTS, Used, furnish};
use super::{Kind, Page, pages, root};
use crate::program::folder;
use clap::CommandFactory;
use morphscape::cli::Cli;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What is run with smaller numbers, since the test build is slow and shares its machine: written in a
/// command, run in its place, and why.
const SMALLER: &[(&str, &str, &str)] = &[
    (
        "cargo run --release -- ",
        "morphscape ",
        "the program is built already",
    ),
    ("--groups 10000", "--groups 2", "60,000 landscapes"),
    (
        "--groups 150",
        "--groups 1",
        "900 landscapes in three modes",
    ),
    (
        "--groups 50",
        "--groups 1",
        "300 landscapes in three modes or of two models",
    ),
    ("--groups 20", "--groups 2", "120 landscapes"),
    (
        "--count 1000",
        "--count 20",
        "1,000 lines, of a convolutional network as well",
    ),
    (
        "--count 30 --directions 20",
        "--count 4 --directions 6",
        "600 lines",
    ),
    ("dbviz:1+500", "dbviz:1+2", "500 planes of two models"),
    ("dbviz:1+200", "dbviz:1+2", "200 planes"),
    ("dbviz:1+20", "dbviz:1+2", "20 planes with exact class maps"),
    (
        "--resolution",
        "--resolution --groups 1 --steps 4",
        "grids of 81 steps",
    ),
    ("--steps 41", "--steps 9 --groups 1", "30 grids of 41 steps"),
    (
        "morphscape bench",
        "morphscape bench --steps 5 --groups 1 --engine cpu",
        "each stage many times over, on every adapter",
    ),
    (
        "--dpi 96",
        "--dpi 48 --out pictures",
        "30 landscapes as pictures of pixels",
    ),
    (
        "--dpi 300",
        "--dpi 48 --landscape 1B.3",
        "210 large pictures",
    ),
    ("--steps 50", "--steps 9", "planes of 2,500 points"),
    ("--rounds 9", "--rounds 1", "the same"),
    (
        "--search 1000000 --shards 400",
        "--search 300 --shards 8 --per-class 3",
        "a million triples",
    ),
    ("--shard {}", "--shard 3", "stands for every shard"),
    (
        "--port 8765",
        "--port 0",
        "another program may hold that port",
    ),
    (
        "--class-names FILE",
        "--class-names names.txt",
        "FILE stands for a list of names",
    ),
    (
        "morphscape model FILE",
        "morphscape model mine.keras",
        "FILE stands for a model",
    ),
    (
        "morphscape models A B",
        "morphscape models bundled models/fashion-mnist-cnn.safetensors",
        "A and B stand for models",
    ),
];

/// What is put behind commands that do not say it themselves: the defaults are 30 landscapes of 441
/// points with seven figures each, or 20,000 walkers of 1,000 steps. Runs in the usual folder are
/// those of [`RUNS`].
const FEWER: &[(&str, &[&str], &str)] = &[
    (
        "morphscape sweep",
        &["--out", "--triples", "--classes", "--groups"],
        " --groups 2",
    ),
    (
        "morphscape sweep",
        &["--triples", "--classes", "--groups"],
        " --groups 1",
    ),
    ("morphscape sweep", &["--triples", "--steps"], " --steps 5"),
    ("morphscape compare", &["--steps"], " --steps 5"),
    ("morphscape interpolate", &["--groups"], " --groups 1"),
    ("morphscape walk", &["--walkers"], " --walkers 50"),
    (
        "morphscape models",
        &["--groups", "--triples", "--baseline"],
        " --groups 1",
    ),
    (
        "morphscape models",
        &["--steps", "--baseline"],
        " --steps 5",
    ),
    ("morphscape plot gallery", &["--dpi"], " --dpi 48"),
    ("morphscape bench", &["--rounds"], " --rounds 1"),
    (
        "morphscape atlas plan",
        &["--survey"],
        " --survey 120 --rungs 4,7 --keep 0.05",
    ),
    ("morphscape atlas plan", &["--search"], " --per-class 2"),
    ("morphscape atlas finish", &["--shown"], " --shown 1"),
];

/// Commands that stand for others.
const NOT_RUN: &[(&str, &str)] = &[
    ("morphscape COMMAND --help", "stands for every command"),
    ("morphscape models --margins", "names an option"),
];

/// Lines of code that call another program, by their beginnings.
const NOT_OURS: &[(&str, &str)] = &[
    ("sh tests/run", "runs this test"),
    (
        "pip install ./python",
        "python/run builds and installs the package",
    ),
    ("pip wheel ./python", "the same"),
    ("cargo install --path", "builds the program once more"),
    (
        "ssh -L",
        "needs another machine; what it starts there is run here",
    ),
    (
        "pip install keras jax safetensors",
        "for the scripts that made the models",
    ),
    ("apt-get install dataset-fashion-mnist", "the same"),
    ("KERAS_BACKEND=jax python train_", "trains the models anew"),
];

/// Programs that a page may call.
const PROGRAMS: [&str; 10] = [
    "apt-get", "cargo", "curl", "git", "npm", "pip", "python", "python3", "sh", "ssh",
];

/// The commands of a page, as they are written.
fn commands(page: &Page, used: &mut Used) -> Vec<String> {
    let mut found = Vec::new();
    for (kind, line) in page.lines() {
        let code = line.trim_start();
        if kind == Kind::Prose {
            let bare = code.starts_with("morphscape ") && is_command(code);
            assert!(!bare, "{}: a command outside of code: {code}", page.place);
            continue;
        }
        if kind == Kind::Source {
            continue;
        }
        let code = code.split("  ").next().unwrap_or_default();
        let code = code.split(" #").next().unwrap_or_default().trim_end();
        let code = code
            .strip_prefix("- run: ")
            .or(code.strip_prefix("- "))
            .unwrap_or(code);
        let first = code
            .split(' ')
            .find(|word| !word.contains('='))
            .unwrap_or_default();
        let ours = code.strip_prefix("cargo run --release -- ").is_some();
        if PROGRAMS.contains(&first) && !ours {
            let known = NOT_OURS.iter().find(|(start, _)| code.starts_with(start));
            let (start, _) = known
                .unwrap_or_else(|| panic!("{}: neither run nor explained: {code}", page.place));
            used.0.insert(start);
        }
        if ours {
            found.push(code.to_owned());
        }
        for (at, _) in code.match_indices("morphscape ") {
            let (before, command) = code.split_at(at);
            // Not an option's value, nor an import of Python that stands in no fence.
            let named = before.ends_with([' ', '/']) && is_command(command);
            if at == 0 || named {
                found.push(command.to_owned());
            }
        }
    }
    let prose = page.prose();
    for quoted in prose.split('`').skip(1).step_by(2) {
        if quoted.starts_with("morphscape ") {
            assert!(
                is_command(quoted),
                "{}: no such command: {quoted}",
                page.place
            );
            if quoted.split(' ').count() > 2 {
                found.push(quoted.to_owned());
            }
        }
    }
    found
}

/// Whether the second word is a command's name, or stands for one.
fn is_command(text: &str) -> bool {
    let named = text.split(' ').nth(1).unwrap_or_default();
    let cli = Cli::command();
    named == "COMMAND" || cli.get_subcommands().any(|sub| sub.get_name() == named)
}

/// The command as it is run here.
fn smaller(command: &str, used: &mut Used) -> String {
    let mut command = command.to_owned();
    for (written, run, _) in SMALLER {
        if command.contains(written) {
            command = command.replace(written, run);
            used.0.insert(written);
        }
    }
    for (of, unless, more) in FEWER {
        if command.starts_with(of) && !unless.iter().any(|option| command.contains(option)) {
            command += more;
        }
    }
    command
}

/// Runs a line in `folder` by a shell that finds this build of the program.
fn shell(line: &str, folder: &Path, home: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_morphscape"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", program.parent().expect("a folder").display());
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(line)
        .current_dir(folder)
        .env("PATH", path);
    command.env("HOME", home).env("XDG_RUNTIME_DIR", home);
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end; what went wrong, if anything did.
fn run(line: &str, folder: &Path, home: &Path) -> Result<(), String> {
    let output = shell(line, folder, home).output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || said.contains("panicked") {
        return Err(format!("{}: {said}", output.status));
    }
    let mut words = line.split(' ').skip_while(|&word| word != "--out");
    match words.nth(1) {
        Some(out) if !folder.join(out).exists() => Err(format!("nothing at {out}")),
        _ => Ok(()),
    }
}

/// Runs a command that serves until it says where.
fn serve(line: &str, folder: &Path, home: &Path) -> Result<(), String> {
    let quiet = if line.contains("--no-open") {
        ""
    } else {
        " --no-open"
    };
    let line = format!("exec {line}{quiet}");
    let mut command = shell(&line, folder, home);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let said = BufReader::new(child.stdout.take().expect("piped")).lines();
    let serves = said
        .map_while(Result::ok)
        .any(|line| line.contains("http://127.0.0.1:"));
    let _ = child.kill();
    let output = child.wait_with_output().expect("ended");
    match serves {
        true => Ok(()),
        false => Err(format!(
            "no address: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// Removes what a command left, unless a later one of the page reads it.
fn tidy(folder: &Path, before: &BTreeSet<String>, later: &[String]) {
    for name in crate::program::files(folder) {
        let is_read = |command: &String| {
            let mut last = "";
            command.split(' ').any(|word| {
                let out = std::mem::replace(&mut last, word) == "--out";
                !out && word.split('/').next() == Some(&name)
            })
        };
        if !before.contains(&name) && !later.iter().any(is_read) {
            let path = folder.join(&name);
            match path.is_dir() {
                true => std::fs::remove_dir_all(path),
                false => std::fs::remove_file(path),
            }
            .expect("removed");
        }
    }
}

/// Runs the commands of a page, one after the other; how many there were, and what went wrong.
fn follow(page: &Page, runs: &Path, home: &Path) -> (usize, Vec<String>, Used) {
    let mut used = Used::default();
    let (mut wrong, mut count) = (Vec::new(), 0);
    let commands = commands(page, &mut used);
    let place = folder();
    furnish(page, place.path(), runs, &mut used);
    for (n, command) in commands.iter().enumerate() {
        if let Some((name, _)) = NOT_RUN.iter().find(|(name, _)| name == command) {
            used.0.insert(name);
            continue;
        }
        let line = smaller(command, &mut used);
        let before = crate::program::files(place.path()).into_iter().collect();
        let begun = Instant::now();
        let result = match line.starts_with("morphscape explore") {
            true => serve(&line, place.path(), home),
            false => run(&line, place.path(), home),
        };
        let seconds = begun.elapsed().as_secs_f64();
        println!("{seconds:5.2} s  {}: {line}", page.place);
        if let Err(error) = result {
            wrong.push(format!("{}: {command}: {error}", page.place));
        }
        tidy(place.path(), &before, &commands[n + 1..]);
        count += 1;
    }
    (count, wrong, used)
}

#[test]
fn every_command_of_every_page_runs() {
    let (home, runs) = (folder(), folder());
    let (home, runs) = (home.path(), runs.path());
    for name in RUNS {
        let line = format!("morphscape sweep --groups 2 --steps 5 --out {name}");
        run(&line, runs, home).expect("a run");
    }
    let followed: Vec<_> = (pages().par_iter())
        .map(|page| follow(page, runs, home))
        .collect();
    let count: usize = followed.iter().map(|(count, ..)| count).sum();
    let wrong = followed.iter().flat_map(|(_, wrong, _)| wrong);
    let wrong: Vec<&str> = wrong.map(String::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 80, "{count} commands on all pages");
    let tables = FILES.iter().map(|&(name, _)| name);
    let tables = tables
        .chain(TEXTS.iter().map(|&(name, _)| name))
        .chain(RUNS.iter().copied());
    let tables = tables.chain(SMALLER.iter().map(|&(written, ..)| written));
    let tables = tables.chain(NOT_RUN.iter().chain(NOT_OURS).map(|&(written, _)| written));
    let is_used = |name: &&str| followed.iter().any(|(.., used)| used.0.contains(name));
    let idle: Vec<&str> = tables.filter(|name| !is_used(name)).collect();
    assert!(idle.is_empty(), "no page needs these entries: {idle:?}");
}

/// Examples, benchmarks and tests that a page names are there.
#[test]
fn examples_of_pages_are_there() {
    for page in pages() {
        let words: Vec<&str> = page.text.split([' ', '\n', '`']).collect();
        for pair in words.windows(2) {
            let file = match pair[0] {
                "--example" => format!("examples/{}.rs", pair[1]),
                "--bench" => format!("benches/{}.rs", pair[1]),
                "--test" => format!("tests/{}", pair[1]),
                _ => continue,
            };
            assert!(root().join(&file).exists(), "{}: no {file}", page.place);
        }
    }
}
