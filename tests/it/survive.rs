//! Runs that are killed, fought over or stopped, and what comes of them when they are started
//! again: the same bytes.

use crate::program::{command, fail, folder, json, run, succeed};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Every file of a folder by its path, without what may differ from run to run: the command and
/// the timings, in the manifest and in the report.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let content = std::fs::read(&path).expect("a file");
            let content = match path.file_name().and_then(|name| name.to_str()) {
                Some("manifest.json") => without_timings(&content),
                Some("report.html") => report_without_timings(&content),
                _ => content,
            };
            let path = path.strip_prefix(folder).expect("inside").to_owned();
            files.insert(path, content);
        }
    }
    files
}

fn without_timings(manifest: &[u8]) -> Vec<u8> {
    let mut manifest: Value = serde_json::from_slice(manifest).expect("JSON");
    let entries = manifest.as_object_mut().expect("an object");
    entries.remove("command").expect("a command");
    entries.remove("timings").expect("timings");
    if let Some(files) = entries.get_mut("files") {
        files.as_object_mut().expect("files").remove("report.html");
    }
    serde_json::to_vec_pretty(&manifest).expect("JSON")
}

fn report_without_timings(page: &[u8]) -> Vec<u8> {
    let page = std::str::from_utf8(page).expect("UTF-8");
    let mark = "<script type=\"application/json\" id=\"run\">";
    // The page of a walk has no timings.
    let Some((before, rest)) = page.split_once(mark) else {
        return page.as_bytes().to_vec();
    };
    let (data, after) = rest.split_once("</script>").expect("an end");
    let mut data: Value = serde_json::from_str(data).expect("JSON");
    data["command"] = Value::Null;
    data["timings"] = Value::Null;
    let facts = data["facts"].as_array_mut().expect("facts");
    facts.retain(|fact| fact[0] != "Computed in");
    format!("{before}{data}{after}").into_bytes()
}

fn assert_same(
    what: &str,
    found: &BTreeMap<PathBuf, Vec<u8>>,
    expected: &BTreeMap<PathBuf, Vec<u8>>,
) {
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}: the files");
    for (path, content) in expected {
        assert!(
            found[path] == *content,
            "{what}: {} differs",
            path.display()
        );
    }
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    command(folder, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// SIGKILL.
fn kill(child: &mut Child) {
    child.kill().expect("killed");
    child.wait().expect("gone");
}

/// Tensors that stand under their name.
fn num_finished(out: &Path) -> usize {
    let folders = std::fs::read_dir(out).into_iter().flatten().flatten();
    folders
        .filter(|entry| entry.path().join("landscape.safetensors").exists())
        .count()
}

/// A job and of how many landscapes it is.
struct Job {
    arguments: &'static [&'static str],
    landscapes: usize,
    /// Of so many kills, how many hit this job.
    share: usize,
}

const JOBS: [Job; 6] = [
    Job {
        arguments: &[
            "sweep",
            "--engine",
            "cpu",
            "--groups",
            "6",
            "--steps",
            "5",
            "--figures",
            "none",
        ],
        landscapes: 36,
        share: 8,
    },
    Job {
        arguments: &["sweep", "--engine", "cpu", "--groups", "2", "--steps", "4"],
        landscapes: 12,
        share: 1,
    },
    // Figures of more landscapes than the report shows are not drawn again.
    Job {
        arguments: &[
            "sweep",
            "--engine",
            "cpu",
            "--groups",
            "7",
            "--steps",
            "3",
            "--figures",
            "line",
            "--save-frames",
        ],
        landscapes: 42,
        share: 4,
    },
    // Frames that failed are NaN, whose bits are kept, too.
    Job {
        arguments: &[
            "sweep",
            "--engine",
            "cpu",
            "--mode",
            "published",
            "--groups",
            "3",
            "--steps",
            "4",
            "--figures",
            "none",
            "--resolution",
        ],
        landscapes: 18,
        share: 2,
    },
    Job {
        arguments: &[
            "interpolate",
            "--engine",
            "cpu",
            "--groups",
            "6",
            "--steps",
            "5",
            "--figures",
            "line",
        ],
        landscapes: 18,
        share: 4,
    },
    Job {
        arguments: &[
            "interpolate",
            "--engine",
            "cpu",
            "--groups",
            "2",
            "--steps",
            "5",
        ],
        landscapes: 6,
        share: 1,
    },
];

/// The run is killed at random moments, up to three times, and started again: each time the same
/// bytes as undisturbed. `MORPHSCAPE_KILLS` says how many runs.
#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_bytes() {
    let kills = std::env::var("MORPHSCAPE_KILLS").map_or(200, |text| {
        text.parse().expect("MORPHSCAPE_KILLS: a number")
    });
    let folder = folder();
    let here = folder.path();
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let shares: usize = JOBS.iter().map(|job| job.share).sum();
    let (mut killed, mut in_the_middle, mut resumed) = (0, 0, 0);
    for (n, job) in JOBS.iter().enumerate() {
        let undisturbed = format!("undisturbed-{n}");
        let arguments = |out: &str| {
            let out = out.to_owned();
            let own = job.arguments.iter().map(|&argument| argument.to_owned());
            own.chain(["--out".to_owned(), out])
                .collect::<Vec<String>>()
        };
        let expected = {
            let own = arguments(&undisturbed);
            succeed(here, &own.iter().map(String::as_str).collect::<Vec<_>>());
            snapshot(&here.join(&undisturbed))
        };
        // Warm, and without what the first start does.
        let started = Instant::now();
        let own = arguments(&format!("timed-{n}"));
        succeed(here, &own.iter().map(String::as_str).collect::<Vec<_>>());
        let whole = started.elapsed();
        let number = (kills * job.share).div_ceil(shares);
        for turn in 0..number {
            let out = format!("killed-{n}-{turn}");
            let own = arguments(&out);
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            for _ in 0..random.random_range(1..=3) {
                let moment = whole.mul_f64(random.random_range(0.0..1.0));
                let mut child = start(here, &own);
                std::thread::sleep(moment);
                kill(&mut child);
                killed += 1;
                let finished = num_finished(&here.join(&out));
                in_the_middle += usize::from(finished > 0 && finished < job.landscapes);
            }
            let kept = num_finished(&here.join(&out));
            let last = succeed(here, &own);
            if kept > 0 {
                let said = match kept {
                    all if all == job.landscapes => "all kept from before".to_owned(),
                    some => format!("{some} landscapes kept from before"),
                };
                assert!(last.stderr.contains(&said), "{said}: {}", last.stderr);
                resumed += 1;
            }
            let what = format!("{} turn {turn}", job.arguments.join(" "));
            assert_same(&what, &snapshot(&here.join(&out)), &expected);
            std::fs::remove_dir_all(here.join(&out)).expect("removed");
        }
    }
    println!("{killed} kills, {in_the_middle} between two landscapes, {resumed} runs gone on with");
    // Else the test has seen nothing.
    assert!(in_the_middle * 20 >= kills && resumed * 4 >= kills);
}

fn of_job<'a>(job: &[&'a str], out: &'a str) -> Vec<&'a str> {
    with(job, &["--engine", "cpu", "--out", out])
}

/// Jobs without landscapes are short and done again as a whole, to the same bytes.
#[test]
fn a_killed_walk_comparison_or_morph_is_done_again_to_the_same_bytes() {
    let folder = folder();
    let here = folder.path();
    let mut random = ChaCha8Rng::seed_from_u64(10);
    let jobs: [&[&str]; 3] = [
        &[
            "walk",
            "--surface",
            "fractal",
            "--walkers",
            "500",
            "--length",
            "400",
        ],
        &["compare", "--groups", "3", "--steps", "7"],
        &[
            "morph",
            "t10k#9",
            "t10k#2",
            "t10k#1",
            "--steps",
            "12",
            "--save-frames",
        ],
    ];
    let mut unfinished = 0;
    for (n, job) in jobs.iter().enumerate() {
        let undisturbed = format!("undisturbed-{n}");
        let started = Instant::now();
        succeed(here, &of_job(job, &undisturbed));
        let whole = started.elapsed();
        let expected = snapshot(&here.join(&undisturbed));
        for turn in 0..8 {
            let out = format!("killed-{n}-{turn}");
            let mut child = start(here, &of_job(job, &out));
            std::thread::sleep(whole.mul_f64(random.random_range(0.0..1.0)));
            kill(&mut child);
            let manifest = std::fs::read(here.join(&out).join("manifest.json"));
            unfinished += usize::from(manifest.is_ok_and(|text| {
                let manifest: Value = serde_json::from_slice(&text).expect("whole");
                manifest["finished"] == false
            }));
            succeed(here, &of_job(job, &out));
            let what = format!("{} turn {turn}", job.join(" "));
            assert_same(&what, &snapshot(&here.join(&out)), &expected);
        }
    }
    assert!(unfinished >= 4, "{unfinished} of 24 kills hit a run");
}

/// Waits until something holds, for a minute at most.
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Landscapes that an engine computes apart from the others, whatever stands beside them in a
/// batch, have the same bytes.
#[test]
fn what_is_missing_is_computed_to_the_same_bytes_on_every_engine() {
    let folder = folder();
    let here = folder.path();
    let adapters = succeed(here, &["devices"]).stdout;
    let mut engines = vec!["cpu"];
    match adapters.contains("llvmpipe") || std::env::var("MORPHSCAPE_REQUIRE_GPU").is_ok() {
        true => engines.push("gpu"),
        false => println!("only the CPU engine is tested"),
    }
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let cnn = models.join("fashion-mnist-cnn.safetensors");
    let cnn = cnn.to_str().expect("UTF-8");
    let jobs: [&[&str]; 4] = [
        &["sweep", "--groups", "2", "--steps", "6"],
        &[
            "sweep",
            "--groups",
            "2",
            "--steps",
            "6",
            "--sampling",
            "linear",
            "--save-frames",
        ],
        &["sweep", "--groups", "1", "--steps", "5", "--model", cnn],
        &["interpolate", "--groups", "3"],
    ];
    for engine in engines {
        for (n, job) in jobs.iter().enumerate() {
            let out = format!("{engine}-{n}");
            let mut own = job.to_vec();
            own.extend(["--figures", "none", "--engine", engine, "--out", &out]);
            succeed(here, &own);
            let expected = snapshot(&here.join(&out));
            let landscapes = expected
                .keys()
                .filter(|path| path.ends_with("landscape.safetensors"));
            // One of the first triple, two of the second, the last one alone.
            for path in landscapes
                .enumerate()
                .filter(|(k, _)| [1, 3, 5].contains(k))
            {
                std::fs::remove_file(here.join(&out).join(path.1)).expect("removed");
            }
            let again = succeed(here, &own);
            assert!(
                again.stderr.contains("landscapes kept from before"),
                "{}",
                again.stderr
            );
            assert_same(&own.join(" "), &snapshot(&here.join(&out)), &expected);
        }
    }
}

const SMALL: [&str; 9] = [
    "sweep", "--engine", "cpu", "--groups", "1", "--steps", "3", "--out", "out",
];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

#[test]
fn of_two_processes_on_one_folder_the_second_is_refused() {
    let folder = folder();
    let here = folder.path();
    let mut long = SMALL.to_vec();
    long[4] = "400";
    let mut first = start(here, &long);
    wait_until("the first run starts", || {
        num_finished(&here.join("out")) > 0
    });
    // Whatever the second wants: the same plan, another one, to start over.
    let refused = "error: out: another morphscape is writing to the folder; wait for it, or use another folder\n";
    for more in [&[][..], &["--force"]] {
        let second = run(here, &with(&long, more));
        assert_eq!(
            (second.code, second.stderr.as_str()),
            (Some(1), refused),
            "{more:?}"
        );
    }
    assert_eq!(
        first.try_wait().expect("a state"),
        None,
        "the first goes on"
    );
    kill(&mut first);
    // What a killed process leaves locks nothing.
    assert!(here.join("out/.morphscape.lock").exists());
    let mut other = long.clone();
    other.extend(["--force", "--figures", "none"]);
    other[4] = "1";
    succeed(here, &other);
    assert!(
        !here.join("out/.morphscape.lock").exists(),
        "the name goes at the end"
    );
    assert!(
        !here.join("out/7A.1").exists(),
        "nothing of the killed run is left"
    );
    // Who draws a run's figures again waits for its turn, too.
    succeed(here, &with(&SMALL, &[]));
    let lock = std::fs::File::create(here.join("out/.morphscape.lock")).expect("a file");
    lock.lock().expect("locked");
    let plot = run(here, &["plot", "out"]);
    assert_eq!((plot.code, plot.stderr.as_str()), (Some(1), refused));
    drop(lock);
    succeed(here, &["plot", "out"]);
}

/// What is damaged, or is another landscape, is said and computed again.
#[test]
fn a_damaged_landscape_is_computed_again() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &SMALL);
    let expected = snapshot(&here.join("out"));
    let path = |name: &str| here.join("out").join(name).join("landscape.safetensors");
    let whole = std::fs::read(path("1A.2")).expect("a landscape");
    let flipped = |at: usize| {
        let mut content = whole.clone();
        content[at] ^= 1;
        content
    };
    // A digest that goes by another name.
    let digest = whole.windows(8).position(|key| key == b"\"sha256\"");
    let digest = digest.expect("a digest") + 1;
    let other = std::fs::read(path("1A.3")).expect("a landscape");
    let again = "; it is computed again\n";
    for (content, said) in [
        // A bit of a probability, and of the model's name in the metadata.
        (flipped(whole.len() - 3), "the file was damaged or changed"),
        (
            flipped(
                whole
                    .windows(7)
                    .position(|part| part == b"bundled")
                    .expect("its name"),
            ),
            "the file was damaged or changed",
        ),
        (
            flipped(digest),
            "metadata \"sha256\": expected the digest of the content",
        ),
        (
            whole[..whole.len() / 2].to_vec(),
            "expected a .safetensors file",
        ),
        (Vec::new(), "expected a .safetensors file"),
        (
            other,
            "expected landscape 1A.2 of this run, found another; it is computed again\n",
        ),
    ] {
        std::fs::write(path("1A.2"), content).expect("written");
        let run = succeed(here, &SMALL);
        assert!(
            run.stderr
                .starts_with("note: out/1A.2/landscape.safetensors: ")
                && run.stderr.contains(said)
                && run.stderr.contains(again)
                && run
                    .stderr
                    .contains("54 frames: 5 landscapes kept from before, 9 frames in"),
            "{}",
            run.stderr
        );
        assert_same(said, &snapshot(&here.join("out")), &expected);
    }
    // Nor is one without the measures on finer grids, when they are wanted.
    let finer = with(&SMALL, &["--resolution"]);
    let first = succeed(here, &finer);
    assert!(!first.stderr.contains("kept"), "{}", first.stderr);
    let fine = snapshot(&here.join("out"));
    std::fs::remove_file(path("1B.1")).expect("removed");
    let again = succeed(here, &finer);
    assert!(
        again.stderr.contains("5 landscapes kept from before"),
        "{}",
        again.stderr
    );
    assert_same("finer grids", &snapshot(&here.join("out")), &fine);
    // Without frames is not what --save-frames is.
    let refused = "the folder holds another run: what is kept of each landscape is \"tensors\" there and \"tensors_and_frames\" now";
    fail(here, &with(&SMALL, &["--save-frames"]), 1, &[refused]);
}

#[test]
fn a_folder_of_another_program_version_is_refused() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &SMALL);
    let manifest = here.join("out/manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    let own = format!("\"program\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&own));
    std::fs::write(&manifest, text.replace(&own, "\"program\": \"0.0.9\"")).expect("written");
    let before = snapshot(&here.join("out"));
    let refused = run(here, &SMALL);
    assert_eq!(
        refused.stderr,
        format!(
            "error: out: the folder holds another run: the version of the program is \"0.0.9\" there and \"{}\" now; use another --out, or --force to write over it\n",
            env!("CARGO_PKG_VERSION")
        )
    );
    assert_eq!(refused.code, Some(1));
    assert_same("a refused run", &snapshot(&here.join("out")), &before);
}

/// How figures are drawn is not in the plan: a run goes on with other ones, and none of the first
/// kind is left among them.
#[test]
fn a_run_that_goes_on_with_other_figures_draws_all_of_them() {
    let folder = folder();
    let here = folder.path();
    // More than the report shows.
    let mut many = SMALL.to_vec();
    many[4] = "21";
    let line = with(&many, &["--figures", "line"]);
    let marked = with(&many, &["--figures", "line", "--all-classes"]);
    let mut reference = marked.clone();
    reference[8] = "reference";
    succeed(here, &reference);
    succeed(here, &line);
    // Killed after some of them, and gone on with.
    let drawn = |out: &str, name: &str| {
        std::fs::read(here.join(out).join(name).join("line.svg")).expect("a figure")
    };
    let first = drawn("out", "1A.1");
    let mut child = start(here, &marked);
    wait_until("a figure is drawn again", || drawn("out", "1A.1") != first);
    kill(&mut child);
    assert_eq!(json(here.join("out/manifest.json"))["figures"], Value::Null);
    succeed(here, &marked);
    assert_same(
        "other figures",
        &snapshot(&here.join("out")),
        &snapshot(&here.join("reference")),
    );
}

/// `--force` that is killed leaves no mixture that goes on as one run.
#[test]
fn starting_over_keeps_nothing_of_the_old_run() {
    let folder = folder();
    let here = folder.path();
    succeed(here, &SMALL);
    // A landscape that claims to be of the run, as only its engine's rounding would tell: the
    // manifest is lost, the folder is started over, and then gone on with.
    std::fs::remove_file(here.join("out/manifest.json")).expect("removed");
    let forced = succeed(here, &with(&SMALL, &["--force"]));
    assert!(!forced.stderr.contains("kept"), "{}", forced.stderr);
    let forced = succeed(here, &with(&SMALL, &["--force"]));
    assert!(!forced.stderr.contains("kept"), "{}", forced.stderr);
    // Killed between removing and the new manifest: unfinished, of the old plan.
    let manifest = here.join("out/manifest.json");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    std::fs::remove_dir_all(here.join("out/1A.1")).expect("removed");
    std::fs::write(
        &manifest,
        text.replace("\"finished\": true", "\"finished\": false"),
    )
    .expect("written");
    fail(here, &["plot", "out"], 1, &["expected a finished run"]);
    let other = with(&SMALL, &["--seed", "2"]);
    fail(here, &other, 1, &["seed is 1 there and 2 now"]);
    let forced = succeed(here, &with(&other, &["--force"]));
    assert!(!forced.stderr.contains("kept"), "{}", forced.stderr);
}

/// `--force` is killed at random moments: what is left goes on as the one run or as the other,
/// whichever its manifest says, and as no mixture.
#[test]
fn starting_over_that_is_killed_leaves_one_run_or_the_other() {
    let folder = folder();
    let here = folder.path();
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let sweep = |seed: &'static str, out: &'static str| {
        let own = [
            "sweep",
            "--engine",
            "cpu",
            "--groups",
            "4",
            "--steps",
            "3",
            "--figures",
            "line",
            "--seed",
            seed,
            "--out",
            out,
        ];
        own.to_vec()
    };
    succeed(here, &sweep("1", "first"));
    let started = Instant::now();
    succeed(here, &sweep("2", "second"));
    let whole = started.elapsed();
    let expected = ["first", "second"].map(|out| snapshot(&here.join(out)));
    let mut seen = [0; 2];
    for turn in 0..16 {
        let out = here.join("out");
        if out.exists() {
            std::fs::remove_dir_all(&out).expect("removed");
        }
        succeed(here, &sweep("1", "out"));
        let mut child = start(here, &with(&sweep("2", "out"), &["--force"]));
        // While it removes the old run, or later.
        let latest = if turn % 2 == 0 { 0.1 } else { 0.9 };
        std::thread::sleep(whole.mul_f64(random.random_range(0.0..latest)));
        kill(&mut child);
        let is_second = json(out.join("manifest.json"))["plan"]["choice"]["groups"]["seed"] == 2;
        let [own, other] = if is_second { ["2", "1"] } else { ["1", "2"] };
        fail(here, &sweep(other, "out"), 1, &["another run: --seed is"]);
        succeed(here, &sweep(own, "out"));
        let run = usize::from(is_second);
        assert_same(&format!("turn {turn}"), &snapshot(&out), &expected[run]);
        seen[run] += 1;
    }
    assert!(seen.iter().all(|&number| number > 0), "{seen:?}");
}

/// A process that was killed before its manifest stood leaves a folder that may be used.
#[test]
fn what_a_killed_start_leaves_is_no_obstacle() {
    let folder = folder();
    let here = folder.path();
    std::fs::create_dir(here.join("out")).expect("a folder");
    for name in [".morphscape.lock", "manifest.json.123.morphscape-part"] {
        std::fs::write(here.join("out").join(name), "{").expect("written");
    }
    succeed(here, &SMALL);
    let found = snapshot(&here.join("out"));
    let names: Vec<&PathBuf> = found
        .keys()
        .filter(|path| path.components().count() == 1)
        .collect();
    assert_eq!(
        names,
        ["manifest.json", "report.html", "summary.csv"]
            .map(PathBuf::from)
            .iter()
            .collect::<Vec<_>>()
    );
}

/// The program where no file may be larger than some blocks of 512 bytes: what stands for a full
/// disk without having to mount one.
#[cfg(unix)]
fn run_limited(folder: &Path, blocks: u32, arguments: &[&str]) -> crate::program::Run {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_morphscape")]);
    shell.args(arguments).current_dir(folder);
    crate::program::finished(shell.output().expect("sh starts"))
}

#[test]
#[cfg(unix)]
fn a_full_disk_is_one_error_and_the_run_goes_on_when_there_is_room() {
    let folder = folder();
    let here = folder.path();
    let walk = [
        "walk",
        "--engine",
        "cpu",
        "--walkers",
        "100",
        "--length",
        "50",
        "--out",
        "out",
    ];
    let morph = [
        "morph",
        "t10k#1",
        "t10k#2",
        "--engine",
        "cpu",
        "--save-frames",
        "--out",
        "out",
    ];
    let compare = [
        "compare", "--engine", "cpu", "--groups", "1", "--steps", "3", "--out", "out",
    ];
    let rows = [
        "interpolate",
        "--engine",
        "cpu",
        "--groups",
        "1",
        "--out",
        "out",
    ];
    let no_figures = with(&SMALL, &["--figures", "none"]);
    // The manifest fits, and not everything else does.
    for (blocks, arguments, cannot) in [
        // Triples are written side by side.
        (16, &SMALL[..], "1"),
        (5, &no_figures, "1"),
        (2000, &SMALL, "report.html"),
        (10, &rows, "data.safetensors"),
        (16, &walk, ""),
        (8, &morph, ""),
        (5, &compare, ""),
        (1, &SMALL, "manifest.json"),
    ] {
        let mut reference = arguments.to_vec();
        let out = reference
            .iter()
            .position(|&argument| argument == "out")
            .expect("--out");
        reference[out] = "reference";
        succeed(here, &reference);
        let full = run_limited(here, blocks, arguments);
        assert_eq!(full.code, Some(1), "{arguments:?}");
        assert!(
            full.stderr.starts_with(&format!("error: cannot write out/{cannot}"))
                && full.stderr.ends_with(
                    "; check that the folder is there and writable and the disk is not full: File too large (os error 27)\n"
                )
                && full.stderr.lines().count() == 1,
            "{arguments:?}: {}",
            full.stderr
        );
        // What stands under its name is whole; there is nothing else.
        let mut folders = vec![here.join("out")];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(&next).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.ends_with("manifest.json") {
                    assert_eq!(json(path)["finished"], false);
                } else {
                    let name = path.strip_prefix(here.join("out")).expect("inside");
                    let whole = std::fs::read(here.join("reference").join(name));
                    let whole = whole.unwrap_or_else(|_| panic!("{arguments:?}: {name:?} is left"));
                    assert!(std::fs::read(&path).expect("a file") == whole, "{name:?}");
                }
            }
        }
        succeed(here, arguments);
        let sweep = arguments[0] == "sweep" || arguments[0] == "interpolate";
        if sweep {
            let found = snapshot(&here.join("out"));
            assert_same("gone on with", &found, &snapshot(&here.join("reference")));
        }
        std::fs::remove_dir_all(here.join("out")).expect("removed");
        std::fs::remove_dir_all(here.join("reference")).expect("removed");
    }
}

/// A run of 360 landscapes that has written more than so many, and its arguments.
fn a_long_run(here: &Path, more_than: usize) -> (Child, Vec<&'static str>) {
    let mut long = with(&SMALL, &["--figures", "line"]);
    long[4] = "60";
    let child = command(here, &long)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    wait_until("a landscape is written", || {
        num_finished(&here.join("out")) > more_than
    });
    (child, long)
}

/// The folder is taken away in the middle of a run: it is not made anew with half of it inside.
#[test]
fn a_folder_that_is_removed_in_the_middle_of_a_run_is_one_error() {
    let folder = folder();
    let here = folder.path();
    let (child, long) = a_long_run(here, 0);
    std::fs::rename(here.join("out"), here.join("away")).expect("moved");
    let run = crate::program::finished(child.wait_with_output().expect("it ends"));
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stderr.starts_with("error: cannot write out/")
            && run.stderr.ends_with("; check that the folder is there and writable and the disk is not full: No such file or directory (os error 2)\n")
            && run.stderr.lines().count() == 1,
        "{}",
        run.stderr
    );
    assert!(!here.join("out").exists(), "it stays away");
    assert_eq!(json(here.join("away/manifest.json"))["finished"], false);
    // Put back, it is the run it was: of another plan it is refused, of the same one it is resumed,
    // keeps what it has, and ends as a run that nothing disturbed.
    std::fs::rename(here.join("away"), here.join("out")).expect("moved back");
    let mut other = long.clone();
    other.extend(["--seed", "2"]);
    fail(here, &other, 1, &["seed is 1 there and 2 now"]);
    let kept = num_finished(&here.join("out"));
    assert!((1..360).contains(&kept), "{kept} landscapes are there");
    let again = succeed(here, &long);
    assert!(
        again.stderr.contains(&format!(": {kept} landscape"))
            && again.stderr.contains(" kept from before, "),
        "{kept}: {}",
        again.stderr
    );
    let mut reference = long.clone();
    let out = long.iter().position(|&argument| argument == "out");
    reference[out.expect("--out")] = "reference";
    succeed(here, &reference);
    let [found, expected] = ["out", "reference"].map(|folder| snapshot(&here.join(folder)));
    assert_same("put back and resumed", &found, &expected);
}

/// A landscape that is gone when its run ends.
#[test]
fn a_landscape_that_is_removed_before_the_end_is_an_error() {
    let folder = folder();
    let here = folder.path();
    let (child, long) = a_long_run(here, 3);
    std::fs::remove_dir_all(here.join("out/1A.1")).expect("removed");
    let run = crate::program::finished(child.wait_with_output().expect("it ends"));
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            Some(1),
            "error: out/1A.1: the landscape was there and is gone; run the command again\n"
        )
    );
    succeed(here, &long);
}

/// Links that lead out of the folder and files in the place of folders are refused before anything
/// is written; nothing outside is touched.
#[test]
#[cfg(unix)]
fn links_out_of_the_folder_and_files_in_its_places_are_refused() {
    use std::os::unix::fs::symlink;
    let folder = folder();
    let here = folder.path();
    let outside = here.join("outside");
    std::fs::create_dir(&outside).expect("a folder");
    std::fs::write(outside.join("landscape.safetensors"), "mine").expect("written");
    std::fs::write(outside.join("report.html"), "mine").expect("written");
    succeed(here, &SMALL);
    let link = "found a symbolic link, and a run writes nothing outside its folder; remove it, or use another --out\n";
    let place = here.join("out/1A.2");
    std::fs::remove_dir_all(&place).expect("removed");
    symlink(&outside, &place).expect("linked");
    for more in [&[][..], &["--force"]] {
        let refused = run(here, &with(&SMALL, more));
        let error = format!("error: out/1A.2: expected a folder or nothing, {link}");
        assert_eq!((refused.code, refused.stderr), (Some(1), error), "{more:?}");
    }
    let plot = run(here, &["plot", "out"]);
    assert_eq!(plot.code, Some(1), "{}", plot.stderr);
    std::fs::remove_file(&place).expect("removed");
    // A file of a landscape's name, its own folder or not.
    std::fs::write(&place, "mine").expect("written");
    let refused = run(here, &SMALL);
    let error = "error: out/1A.2: expected a folder or nothing, found a file; move it away, or use another --out\n";
    assert_eq!((refused.code, refused.stderr.as_str()), (Some(1), error));
    assert_eq!(std::fs::read_to_string(&place).expect("a file"), "mine");
    std::fs::remove_file(&place).expect("removed");
    // The lock, which is opened to be written.
    symlink(outside.join("new"), here.join("out/.morphscape.lock")).expect("linked");
    let refused = run(here, &SMALL);
    let error = format!("error: out/.morphscape.lock: expected a folder or nothing, {link}");
    assert_eq!(
        (refused.code, refused.stderr),
        (Some(1), error.replace("a folder", "a file"))
    );
    std::fs::remove_file(here.join("out/.morphscape.lock")).expect("removed");
    // A file that is a link is replaced, as every file is; what it led to stays.
    std::fs::remove_file(here.join("out/report.html")).expect("removed");
    symlink(outside.join("report.html"), here.join("out/report.html")).expect("linked");
    std::fs::remove_file(here.join("out/1A.1/landscape.safetensors")).expect("removed");
    symlink(
        outside.join("landscape.safetensors"),
        here.join("out/1A.1/landscape.safetensors"),
    )
    .expect("linked");
    let again = succeed(here, &SMALL);
    assert!(
        again
            .stderr
            .contains("note: out/1A.1/landscape.safetensors: "),
        "{}",
        again.stderr
    );
    for name in ["report.html", "landscape.safetensors"] {
        let kept = std::fs::read_to_string(outside.join(name)).expect("a file");
        assert_eq!(kept, "mine", "{name}");
    }
    assert!(!outside.join("new").exists());
    assert!(!here.join("out/report.html").is_symlink());
    // The folder itself may be one: that is where the user wants it.
    std::fs::rename(here.join("out"), here.join("elsewhere")).expect("moved");
    symlink(here.join("elsewhere"), here.join("out")).expect("linked");
    succeed(here, &SMALL);
    // Starting over removes links, and nothing behind them.
    std::fs::remove_dir_all(here.join("out/1B.3")).expect("removed");
    symlink(&outside, here.join("out/1B.3")).expect("linked");
    let mut other = with(&SMALL, &["--force", "--triples", "t.json"]);
    other.drain(3..5);
    std::fs::write(
        here.join("t.json"),
        r#"{"triples":[{"name":"x","items":[9,2,1]}]}"#,
    )
    .expect("written");
    succeed(here, &other);
    assert_eq!(std::fs::read_dir(&outside).expect("a folder").count(), 2);
}

/// Names of triples become names of folders.
#[test]
fn names_that_collide_are_refused() {
    let folder = folder();
    let here = folder.path();
    let mut own = with(&SMALL, &["--triples", "t.json"]);
    own.drain(3..5);
    let same = "expected each name once, letter case apart, found it again";
    let plain = "expected a name of 1 to 64 letters, digits, - or _";
    for (names, error) in [
        (["a", "a"], format!("triple \"a\": {same}")),
        (["Abc", "aBC"], format!("triple \"aBC\": {same}")),
        (
            ["a", "report.html"],
            format!("triple \"report.html\": {plain}"),
        ),
        (["a", "a.1"], format!("triple \"a.1\": {plain}")),
        (["a", ".."], format!("triple \"..\": {plain}")),
        (["a", "b/c"], format!("triple \"b/c\": {plain}")),
    ] {
        let triples: Vec<Value> = names
            .iter()
            .map(|name| serde_json::json!({"name": name, "items": [9, 2, 1]}))
            .collect();
        let text = serde_json::json!({"triples": triples}).to_string();
        std::fs::write(here.join("t.json"), text).expect("written");
        let refused = run(here, &own);
        let error = format!("error: --triples t.json: {error}\n");
        assert_eq!((refused.code, refused.stderr), (Some(1), error));
        assert!(!here.join("out").exists());
    }
}

/// Root writes where no one may, so the program is run as a user who is not.
#[test]
#[cfg(unix)]
fn a_folder_that_may_not_be_written_is_one_error() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let folder = folder();
    let here = folder.path();
    let mode = |path: &Path, mode: u32| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).expect("a mode");
    };
    succeed(here, &SMALL);
    mode(here, 0o755);
    let program = here.join("morphscape");
    std::fs::copy(env!("CARGO_BIN_EXE_morphscape"), &program).expect("copied");
    let may_write_all = || {
        mode(&here.join("out"), 0o555);
        let tried = std::fs::write(here.join("out/tried"), "x");
        let _ = std::fs::remove_file(here.join("out/tried"));
        tried.is_ok()
    };
    let is_root = may_write_all();
    let denied = |arguments: &[&str], place: &str| {
        let mut command = std::process::Command::new(&program);
        command.args(arguments).current_dir(here);
        command.env("XDG_RUNTIME_DIR", here);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let run = crate::program::finished(command.output().expect("the program starts"));
        let error = format!(
            "error: cannot write {place}; check that the folder is there and writable and the disk is not full: Permission denied (os error 13)\n"
        );
        assert_eq!((run.code, run.stderr), (Some(1), error), "{arguments:?}");
    };
    let before = snapshot(&here.join("out"));
    denied(&SMALL, "out/.morphscape.lock");
    denied(&["plot", "out"], "out/.morphscape.lock");
    // The folder is writable, a landscape's is not.
    mode(&here.join("out"), 0o777);
    std::fs::remove_file(here.join("out/1A.2/landscape.safetensors")).expect("removed");
    mode(&here.join("out/1A.2"), 0o555);
    let none = with(&SMALL, &["--figures", "none"]);
    denied(&none, "out/1A.2/landscape.safetensors");
    mode(&here.join("out/1A.2"), 0o777);
    succeed(here, &SMALL);
    assert_same("written again", &snapshot(&here.join("out")), &before);
    // Where it may not make a folder at all.
    mode(here, 0o555);
    denied(&["sweep", "--engine", "cpu", "--out", "new"], "new");
    mode(here, 0o755);
}

/// `--force` writes beside a user's files, never over them.
#[test]
fn starting_over_leaves_the_user_s_own_files_alone() {
    let folder = folder();
    let here = folder.path();
    let run = |groups: &'static str| {
        let words =
            "interpolate --data iris --engine cpu --steps 3 --figures none --out out --force";
        let words = words.split(' ').chain(["--groups", groups]);
        words.collect::<Vec<&str>>()
    };
    let refused = |groups, place: &str| {
        let mine = here.join("out").join(place);
        std::fs::create_dir_all(mine.parent().expect("a folder")).expect("a folder");
        std::fs::write(&mine, "mine").expect("written");
        let whole = place.split('/').next().expect("a name");
        let words = [whole, "found other files; move them away"];
        fail(here, &run(groups), 1, &words);
        let kept = std::fs::read_to_string(&mine).expect("it is there");
        assert_eq!(kept, "mine", "{place}");
        std::fs::remove_file(&mine).expect("removed");
    };
    // Pictures in a folder a class, and a table, where no run was.
    refused("1", "A/mine.png");
    refused("1", "A.2/mine.png");
    refused("1", "summary.csv");
    assert!(!here.join("out/manifest.json").exists());
    succeed(here, &run("1"));
    // In the place of a landscape that the run before had not.
    refused("2", "B/mine.png");
    std::fs::write(here.join("out/mine.txt"), "mine").expect("written");
    succeed(here, &run("2"));
    succeed(here, &run("1"));
    assert!(here.join("out/mine.txt").exists());
}
