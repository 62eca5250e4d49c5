//! `morphscape atlas`, as a user runs it: rows against a sweep of the same triples, shards in any order
//! and killed, and everything that may be wrong with a folder.

use crate::browser::Page;
use crate::program::{command, fail, files, finished, folder, json, run, succeed};
use morphscape::data::fashion_mnist;
use morphscape::landscape::{LandscapeFile, argmax};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// A small atlas: 10 classes of two items, 960 triples.
const PLAN: [&str; 18] = [
    "atlas",
    "plan",
    "--engine",
    "cpu",
    "--per-class",
    "2",
    "--survey",
    "600",
    "--rungs",
    "4,7,13",
    "--keep",
    "0.1,0.02",
    "--audit",
    "0.02",
    "--shards",
    "4",
    "--out",
    "a",
];

fn rows(path: &Path) -> Vec<BTreeMap<String, Field>> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reader = SerializedFileReader::new(file).expect("Parquet");
    let rows = reader.get_row_iter(None).expect("rows");
    let named = |row: Row| {
        let columns = row.get_column_iter();
        columns
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    rows.map(|row| named(row.expect("a row"))).collect()
}

fn whole(field: &Field) -> u64 {
    match *field {
        Field::UByte(value) => value.into(),
        Field::UShort(value) => value.into(),
        Field::UInt(value) => value.into(),
        Field::ULong(value) => value,
        ref other => panic!("expected a whole number without a sign, found {other:?}"),
    }
}

fn number(field: &Field) -> Option<f64> {
    match *field {
        Field::Float(value) => Some(value.into()),
        Field::Double(value) => Some(value),
        Field::Null => None,
        ref other => panic!("expected a number, found {other:?}"),
    }
}

/// All shards' files by their place in the atlas.
fn shards(atlas: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for rung in files(atlas).iter().filter(|name| name.starts_with("rung=")) {
        for name in files(&atlas.join(rung)) {
            let bytes = std::fs::read(atlas.join(rung).join(&name)).expect("a shard");
            found.insert(format!("{rung}/{name}"), bytes);
        }
    }
    found
}

#[test]
fn rows_are_those_of_a_sweep_and_the_search_is_what_its_plan_says() {
    let home = folder();
    let home = home.path();
    succeed(home, &PLAN);
    let said = succeed(home, &["atlas", "run", "a", "--engine", "cpu"]);
    assert!(said.stderr.contains("4 shards"), "{}", said.stderr);
    let atlas = home.join("a");
    let plan = json(atlas.join("plan.json"));
    let names: Vec<String> = shards(&atlas).into_keys().collect();
    assert_eq!(names.len(), 12, "{names:?}");
    assert_eq!(names[0], "rung=04/part-00000-of-00004.parquet");

    // Of all triples, each once, with three orders.
    let of = |rung: &str| -> Vec<BTreeMap<String, Field>> {
        let parts =
            (0..4).map(|n| atlas.join(format!("rung={rung}/part-0000{n}-of-00004.parquet")));
        parts.flat_map(|path| rows(&path)).collect()
    };
    let first = of("04");
    assert_eq!(first.len(), 3 * 960);
    let all: BTreeSet<(u64, u64)> = (first.iter())
        .map(|row| (whole(&row["triple"]), whole(&row["permutation"])))
        .collect();
    assert_eq!(all.len(), 3 * 960);
    let takes_part: BTreeSet<u64> = (plan["items"].as_array().expect("lists").iter())
        .flat_map(|items| items.as_array().expect("a list"))
        .map(|item| item.as_u64().expect("a position"))
        .collect();
    assert_eq!(takes_part.len(), 20);
    assert!(
        (first.iter())
            .all(|row| whole(&row["items_right"]) == 3
                && takes_part.contains(&whole(&row["item_a"])))
    );

    // In each shard the worst tenth goes on, and one in fifty of the others by lot, with that probability.
    for shard in 0..4 {
        let path =
            |rung: &str| atlas.join(format!("rung={rung}/part-0000{shard}-of-00004.parquet"));
        let score =
            |row: &BTreeMap<String, Field>| number(&row["confident_intrusion"]).unwrap_or(0.0);
        let worst = |rows: &[BTreeMap<String, Field>]| -> BTreeMap<u64, f64> {
            let mut worst = BTreeMap::new();
            for row in rows {
                let bad = worst.entry(whole(&row["triple"])).or_insert(0.0);
                *bad = score(row).max(*bad);
            }
            worst
        };
        let (coarse, fine) = (rows(&path("04")), rows(&path("07")));
        let bad = worst(&coarse);
        assert_eq!(bad.len(), 240);
        let (on, lots): (Vec<_>, Vec<_>) = fine
            .iter()
            .filter(|row| whole(&row["permutation"]) == 1)
            .partition(|row| row["audited_at"] == Field::Null);
        assert_eq!((on.len(), lots.len()), (24, 5));
        let least = on
            .iter()
            .map(|row| bad[&whole(&row["triple"])])
            .fold(f64::INFINITY, f64::min);
        let left: Vec<f64> = bad
            .iter()
            .filter(|(triple, _)| !on.iter().any(|row| whole(&row["triple"]) == **triple))
            .map(|(_, bad)| *bad)
            .collect();
        assert!(left.iter().all(|bad| *bad <= least), "{least}");
        for row in lots {
            assert_eq!(row["chosen"], Field::Str("audit".into()));
            assert_eq!(whole(&row["audited_at"]), 4);
            assert_eq!(number(&row["probability"]), Some(5.0 / 216.0));
        }
        // Every second point of a grid is one of the coarser grid, whose lots come to the finest.
        assert_eq!(rows(&path("13")).len(), 3 * (5 + 5 + 1));
    }

    // Some triples as a sweep computes them: the oracle of measures, and of distances by hand.
    let some = of("07");
    let triples: Vec<&BTreeMap<String, Field>> = some
        .iter()
        .filter(|row| whole(&row["permutation"]) == 3)
        .take(6)
        .collect();
    let listed: Vec<Value> = (triples.iter().enumerate())
        .map(|(n, row)| {
            let items = ["item_a", "item_b", "item_c"].map(|key| whole(&row[key]));
            json!({"name": format!("t{n}"), "items": items})
        })
        .collect();
    let list = json!({"triples": listed}).to_string();
    std::fs::write(home.join("list.json"), list).expect("written");
    succeed(
        home,
        &[
            "sweep",
            "--triples",
            "list.json",
            "--steps",
            "7",
            "--engine",
            "cpu",
            "--figures",
            "none",
            "--save-frames",
            "--out",
            "s",
        ],
    );
    let mut summary = csv::Reader::from_path(home.join("s/summary.csv")).expect("a table");
    let keys = summary.headers().expect("a heading").clone();
    let summary: Vec<csv::StringRecord> =
        summary.records().map(|row| row.expect("a row")).collect();
    let images = fashion_mnist();
    for (n, row) in triples.iter().enumerate() {
        for order in 1..=3 {
            let own = some
                .iter()
                .find(|one| one["triple"] == row["triple"] && whole(&one["permutation"]) == order)
                .expect("all orders");
            let place = format!("t{n}.{order}");
            let swept = summary
                .iter()
                .find(|row| row[0] == place)
                .expect("a landscape");
            for (key, value) in keys.iter().zip(swept).skip(7).take(24) {
                let found = number(&own[key]);
                match value.parse::<f64>() {
                    Err(_) => assert_eq!(found, None, "{place} {key}"),
                    Ok(value) => {
                        let off = (found.expect(key) - value).abs();
                        assert!(
                            off < 2e-6 * value.abs().max(1.0),
                            "{place} {key}: {found:?} {value}"
                        );
                    }
                }
            }
            let path = home.join("s").join(&place).join("landscape.safetensors");
            let file = LandscapeFile::read(&path).expect("a landscape");
            let inputs = file.landscape.inputs.as_ref().expect("frames");
            for (letter, class) in ["a", "b", "c"].into_iter().zip(file.about.item_classes) {
                let item = images.image(whole(&own[&format!("item_{letter}")]) as usize);
                let item = &item.expect("an item").levels;
                let mut nearest = [f64::INFINITY; 2];
                for (k, p) in file.landscape.probabilities.chunks_exact(10).enumerate() {
                    if argmax(p) == class {
                        continue;
                    }
                    let frame = &inputs[784 * k..784 * (k + 1)];
                    let apart = || {
                        frame
                            .iter()
                            .zip(item)
                            .map(|(a, b)| f64::from(a - b) / 255.0)
                    };
                    nearest[0] = nearest[0].min(apart().map(|d| d * d).sum::<f64>().sqrt());
                    nearest[1] = nearest[1].min(apart().fold(0.0, |most, d| d.abs().max(most)));
                }
                for (key, nearest) in [("margin", nearest[0]), ("margin_linf", nearest[1])] {
                    let found = number(&own[&format!("{key}_{letter}")]).expect("a flip");
                    assert!(
                        (found - nearest).abs() < 1e-4 * nearest,
                        "{place} {key}: {found} {nearest}"
                    );
                }
            }
        }
    }

    // Its end, the worst of which is what the finest rows say.
    let said = succeed(
        home,
        &["atlas", "finish", "a", "--engine", "cpu", "--shown", "2"],
    );
    assert!(
        said.stdout.starts_with("The model classifies "),
        "{}",
        said.stdout
    );
    let summary = json(atlas.join("summary.json"));
    assert_eq!(summary["triples"], 960);
    assert_eq!(summary["exhaustive"], true);
    assert_eq!(summary["pairs"].as_array().map(Vec::len), Some(45));
    assert_eq!(summary["class_triples"].as_array().map(Vec::len), Some(120));
    assert_eq!(summary["audits"][0]["rejected"], 960 - 4 * 24);
    let ranking = rows(&atlas.join("ranking.parquet"));
    let finest = of("13");
    let worst = finest
        .iter()
        .filter(|row| row["audited_at"] == Field::Null)
        .filter_map(|row| number(&row["confident_intrusion"]))
        .fold(0.0, f64::max);
    let found = ranking
        .iter()
        .filter_map(|row| number(&row["score"]))
        .fold(0.0, f64::max);
    assert_eq!(found, worst);
    for row in &ranking {
        let lowest = number(&row["lowest"]).expect("a value");
        for key in ["score", "other_order", "other_sampling"] {
            assert!(lowest <= number(&row[key]).expect(key));
        }
        assert_eq!(number(&row["other_model"]), None);
    }
    let page = std::fs::read_to_string(atlas.join("report.html")).expect("a page");
    assert!(page.contains("Content-Security-Policy") && !page.contains("src=\"http"));
    assert!(atlas.join("top/report.html").is_file());
    // Again, and with another list.
    let again = ["atlas", "finish", "a", "--engine", "cpu", "--shown", "1"];
    succeed(home, &again);
    assert_eq!(
        json(atlas.join("top/manifest.json"))["landscapes"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
}

/// The program with its words, killed after a while.
fn killed(home: &Path, arguments: &[&str], after: Duration) -> bool {
    let mut child = command(home, arguments)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(after);
    let was_running = child.try_wait().expect("a process").is_none();
    child.kill().expect("killed or gone");
    child.wait().expect("a process");
    was_running
}

#[test]
fn shards_in_any_order_and_killed_at_any_time_are_the_same_bytes() {
    let home = folder();
    let home = home.path();
    succeed(home, &PLAN);
    let plan = std::fs::read(home.join("a/plan.json")).expect("a plan");
    // Planned again it is the same plan, in another folder and over the first.
    let mut again = PLAN;
    again[17] = "b";
    succeed(home, &again);
    succeed(home, &PLAN);
    for at in ["a", "b"] {
        assert_eq!(
            std::fs::read(home.join(at).join("plan.json")).expect("a plan"),
            plan
        );
    }
    succeed(home, &["atlas", "run", "a", "--engine", "cpu"]);
    let whole = shards(&home.join("a"));

    // As a task of an array, as a range from behind, and killed.
    let mut task = command(home, &["atlas", "run", "b", "--engine", "cpu"]);
    let done = finished(task.env("SLURM_ARRAY_TASK_ID", "2").output().expect("run"));
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stderr.contains("shard 2, by SLURM_ARRAY_TASK_ID"),
        "{}",
        done.stderr
    );
    assert_eq!(shards(&home.join("b")).len(), 3);
    let mut kills = 0;
    for n in 0..20u64 {
        let after = Duration::from_millis(20 + 37 * n % 400);
        kills += usize::from(killed(
            home,
            &["atlas", "run", "b", "--engine", "cpu"],
            after,
        ));
    }
    assert!(kills >= 3, "{kills} of 20 were killed at work");
    succeed(
        home,
        &["atlas", "run", "b", "--shard", "3-9", "--engine", "cpu"],
    );
    // Two at once on the same shards.
    let run_b = ["atlas", "run", "b", "--shard", "0-1", "--engine", "cpu"];
    let both: Vec<_> = (0..2)
        .map(|_| {
            command(home, &run_b)
                .stderr(Stdio::null())
                .spawn()
                .expect("run")
        })
        .collect();
    for mut one in both {
        assert!(one.wait().expect("a process").success());
    }
    let said = succeed(home, &["atlas", "run", "b", "--engine", "cpu"]);
    assert!(
        said.stderr.contains("none of 4 shards is missing"),
        "{}",
        said.stderr
    );
    assert_eq!(shards(&home.join("b")), whole);
}

#[test]
fn what_is_wrong_with_a_folder_is_named() {
    let home = folder();
    let home = home.path();
    fail(
        home,
        &["atlas", "run", "nowhere"],
        2,
        &["nowhere/plan.json", "atlas plan"],
    );
    let planned = succeed(home, &PLAN);
    assert!(
        planned
            .stderr
            .contains(" of 10000 items correctly; 20 take part"),
        "{}",
        planned.stderr
    );
    fail(
        home,
        &["atlas", "finish", "a"],
        1,
        &["4 of 4 shards are missing: 0-3", "atlas run"],
    );
    succeed(
        home,
        &["atlas", "run", "a", "--shard", "0-2", "--engine", "cpu"],
    );
    fail(
        home,
        &["atlas", "finish", "a"],
        1,
        &["1 of 4 shards are missing: 3", "--allow-missing"],
    );
    fail(
        home,
        &["atlas", "run", "a", "--shard", "4"],
        2,
        &["shard 4", "0 to 3"],
    );
    fail(
        home,
        &["atlas", "run", "a", "--shard", "x"],
        1,
        &["--shard x", "7-19"],
    );
    let finish = [
        "atlas",
        "finish",
        "a",
        "--allow-missing",
        "--engine",
        "cpu",
        "--shown",
        "0",
    ];
    let said = succeed(home, &finish);
    assert!(
        said.stderr.ends_with("written to a; open a/report.html\n"),
        "{}",
        said.stderr
    );
    assert!(
        said.stdout.contains("Shards 3 of 4 are missing"),
        "{}",
        said.stdout
    );
    assert_eq!(
        json(home.join("a/summary.json"))["missing_shards"],
        json!([3])
    );
    // What is missing is submitted.
    let said = succeed(
        home,
        &["atlas", "submit", "a", "--slurm", "--gres", "gpu:1"],
    );
    assert!(
        said.stdout.starts_with("sbatch --array=0 "),
        "{}",
        said.stdout
    );
    let script = std::fs::read_to_string(home.join("a/array.sh")).expect("a script");
    assert!(
        script.contains("#SBATCH --gres=gpu:1") && script.contains("--requeue"),
        "{script}"
    );

    // A file that was cut off is computed again; a part of another plan is not written over.
    let part: PathBuf = home.join("a/rung=07/part-00001-of-00004.parquet");
    let bytes = std::fs::read(&part).expect("a part");
    std::fs::write(&part, &bytes[..bytes.len() / 2]).expect("written");
    fail(
        home,
        &["atlas", "finish", "a"],
        1,
        &["shards are missing: 1, 3"],
    );
    succeed(
        home,
        &["atlas", "run", "a", "--shard", "1", "--engine", "cpu"],
    );
    assert_eq!(std::fs::read(&part).expect("a part"), bytes);
    let mut other = PLAN;
    (other[5], other[17]) = ("3", "other");
    succeed(home, &other);
    succeed(
        home,
        &["atlas", "run", "other", "--shard", "1", "--engine", "cpu"],
    );
    let foreign = home.join("other/rung=07/part-00001-of-00004.parquet");
    std::fs::copy(&foreign, &part).expect("copied");
    for command in ["run", "finish"] {
        fail(
            home,
            &["atlas", command, "a"],
            2,
            &["rung=07/part-00001", "expected a part of this plan"],
        );
    }
    std::fs::write(&part, &bytes).expect("written");
    // A folder of another plan is not planned over.
    other[17] = "a";
    fail(
        home,
        &other,
        2,
        &[
            "a: the folder holds another atlas: --per-class is 2 there and 3 now",
            "--out",
        ],
    );

    // A disk that is full: one error, nothing half-written, and the same command goes on.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
    let full = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_morphscape")])
        .args(["atlas", "run", "a", "--engine", "cpu"])
        .current_dir(home)
        .output();
    let full = finished(full.expect("run"));
    assert_eq!(full.code, Some(1), "{}", full.stderr);
    assert!(
        full.stderr.contains("the disk is not full"),
        "{}",
        full.stderr
    );
    assert!(!home.join("a/failed").exists());
    assert!(
        files(&home.join("a/rung=04"))
            .iter()
            .all(|name| !name.ends_with(".tmp"))
    );
    succeed(home, &["atlas", "run", "a", "--engine", "cpu"]);

    // What a killed writer left goes with the next run, and with no other's.
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let left = |id: u32| {
        let name = format!(".part-00003-of-00004.parquet.{}.{id}.tmp", host.trim());
        home.join("a/rung=04").join(name)
    };
    let [dead, alive] = [left(4_000_000), left(std::process::id())];
    for path in [&dead, &alive] {
        std::fs::write(path, b"half").expect("written");
    }
    succeed(home, &["atlas", "run", "a", "--engine", "cpu"]);
    if cfg!(target_os = "linux") {
        assert!(!dead.exists() && alive.exists());
    }

    // A plan that was changed, and a model that is another.
    let plan = std::fs::read_to_string(home.join("a/plan.json")).expect("a plan");
    std::fs::write(
        home.join("a/plan.json"),
        plan.replace("\"seed\": 1", "\"seed\": 2"),
    )
    .expect("written");
    fail(
        home,
        &["atlas", "run", "a"],
        2,
        &["plan.json", "changed since"],
    );
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    std::fs::copy(
        models.join("fashion-mnist.safetensors"),
        home.join("m.safetensors"),
    )
    .expect("copied");
    let mut own = PLAN.to_vec();
    own[17] = "own";
    own.extend(["--model", "m.safetensors"]);
    succeed(home, &own);
    std::fs::copy(
        models.join("fashion-mnist-cnn.safetensors"),
        home.join("m.safetensors"),
    )
    .expect("copied");
    fail(
        home,
        &["atlas", "run", "own"],
        2,
        &["expected the model of SHA-256"],
    );
}

#[test]
fn designs_that_are_none_are_refused() {
    let home = folder();
    let home = home.path();
    for (words, said) in [
        (["--rungs", "6,12,24,48"], "--rungs: expected"),
        (["--keep", "0.1,0.2,0.01"], "--keep: expected 3 shares"),
        (["--audit", "2"], "--audit: expected a share"),
        (["--search", "0"], "--search and --top"),
        (["--survey-steps", "1"], "--survey-steps: expected"),
    ] {
        let arguments = [&["atlas", "plan", "--engine", "cpu"], &words[..]].concat();
        fail(home, &arguments, 2, &[said]);
    }
    fail(
        home,
        &["atlas", "plan", "--steps", "5"],
        1,
        &["--steps", "--rungs"],
    );
    assert!(files(home).is_empty());
    let scores = run(home, &["atlas", "plan", "--score", "regions"]);
    assert_eq!(scores.code, Some(2));
    assert!(
        scores.stderr.contains("confident_intrusion"),
        "{}",
        scores.stderr
    );
}

/// Rows of measurements and planes of images: the same with other grids.
#[test]
fn rows_and_planes_have_an_atlas_too() {
    let home = folder();
    let home = home.path();
    let plan = |data: &str, kind: &str, out: &str| {
        succeed(
            home,
            &[
                "atlas",
                "plan",
                "--data",
                data,
                "--kind",
                kind,
                "--per-class",
                "4",
                "--rungs",
                "5,9",
                "--keep",
                "0.1",
                "--survey",
                "200",
                "--score",
                "intrusion",
                "--engine",
                "cpu",
                "--out",
                out,
            ],
        );
        succeed(home, &["atlas", "run", out, "--engine", "cpu"]);
        succeed(
            home,
            &["atlas", "finish", out, "--engine", "cpu", "--shown", "1"],
        )
    };
    plan("iris", "morph", "rows");
    let first = rows(&home.join("rows/rung=05/part-00000-of-00001.parquet"));
    assert_eq!(first.len(), 3 * 64);
    plan("fashion-mnist", "plane", "planes");
    let path = home.join("planes/rung=05/part-00000-of-00002.parquet");
    assert!(
        rows(&path)
            .iter()
            .all(|row| whole(&row["permutation"]) == 3 || whole(&row["permutation"]) == 1)
    );
    let ranking = rows(&home.join("planes/ranking.parquet"));
    assert!(
        ranking
            .iter()
            .all(|row| number(&row["other_order"]).is_none())
    );
    // The best of a large set: not all are searched, which is said.
    succeed(
        home,
        &[
            "atlas",
            "plan",
            "--per-class",
            "6",
            "--search",
            "3000",
            "--survey",
            "240",
            "--rungs",
            "4,7",
            "--keep",
            "0.02",
            "--engine",
            "cpu",
            "--out",
            "large",
        ],
    );
    succeed(home, &["atlas", "run", "large", "--engine", "cpu"]);
    let said = succeed(
        home,
        &[
            "atlas", "finish", "large", "--engine", "cpu", "--shown", "0",
        ],
    );
    assert!(said.stdout.contains("Of 25920 triples"), "{}", said.stdout);
    let first = rows(&home.join("large/rung=04/part-00000-of-00001.parquet"));
    let sample: Vec<_> = (first.iter())
        .filter(|row| row["chosen"] == Field::Str("sample".into()))
        .collect();
    assert!(!sample.is_empty());
    let plan = json(home.join("large/plan.json"));
    let sampled = plan["sampled"].as_f64().expect("a number");
    assert!(
        sample
            .iter()
            .all(|row| number(&row["probability"]) == Some(sampled / 25920.0))
    );
    let summary = json(home.join("large/summary.json"));
    assert_eq!(summary["audits"][1]["steps"], Value::Null);
}

/// What the page says is what the summary says; it can be read in any window, in either theme, by
/// everyone; and each of the worst opens as a landscape of the run beside it.
#[test]
fn an_atlas_is_read_in_a_browser() {
    let home = folder();
    let home = home.path();
    succeed(home, &PLAN);
    succeed(home, &["atlas", "run", "a", "--engine", "cpu"]);
    succeed(
        home,
        &["atlas", "finish", "a", "--engine", "cpu", "--shown", "2"],
    );
    let atlas = home.join("a");
    let Some(page) = Page::open_until(
        &atlas.join("report.html"),
        "document.querySelectorAll('#audits tbody tr').length > 0",
    ) else {
        return;
    };
    let summary = json(atlas.join("summary.json"));
    let texts = |selector: &str| -> Vec<String> {
        let text = page.text(&format!(
            "JSON.stringify([...document.querySelectorAll('{selector}')].map((each) => each.textContent))"
        ));
        serde_json::from_str(&text).expect("texts")
    };
    let findings: Vec<&str> = (summary["findings"].as_array().expect("a list").iter())
        .map(|finding| finding.as_str().expect("a sentence"))
        .collect();
    assert_eq!(texts("#findings li"), findings);
    // The heat map: each pair once, and its mean.
    let mut cells = texts("#heat tbody td:not(.none)");
    let mut means: Vec<String> = (summary["pairs"].as_array().expect("a list").iter())
        .map(|pair| format!("{:.3}", pair["mean"].as_f64().expect("a mean")))
        .collect();
    cells.sort();
    means.sort();
    assert_eq!(cells, means);
    assert_eq!(texts("#class-triples tbody tr").len(), 120);
    let ranking = rows(&atlas.join("ranking.parquet"));
    assert_eq!(texts("#worst tbody tr").len(), ranking.len());
    assert_eq!(
        texts("#worst tbody tr td:nth-of-type(4)")[0],
        format!("{:.3}", number(&ranking[0]["lowest"]).expect("a value"))
    );
    assert_eq!(texts(".card").len(), 2);
    assert!(texts("#by-effect li").len() >= 20);
    for theme in ["light", "dark"] {
        page.prefer(theme);
        page.assert_usable(theme);
        assert_eq!(page.text("document.documentElement.dataset.theme"), theme);
    }
    page.value("document.querySelector('#theme').click()");
    assert_eq!(page.text("document.documentElement.dataset.theme"), "light");
    page.assert_tables_whole(360);
    page.assert_fits(&[700, 1600]);
    page.assert_quiet();
    // The first card leads to its landscape.
    let link = page.text("document.querySelector('.card a').getAttribute('href')");
    let id = link.strip_prefix("top/report.html#").expect("a link");
    assert!(id.starts_with("1."), "{id}");
    page.value("document.querySelector('.card a').click()");
    page.wait("document.documentElement.dataset.ready === 'full'");
    page.wait("location.pathname.endsWith('/top/report.html')");
    page.wait(&format!("location.hash.startsWith('#{id}')"));
}
