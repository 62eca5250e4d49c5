//! Everything that is measured of a landscape: what points without an answer leave of it, what
//! a triple says, and what commands write.

use crate::program::{fail, folder, json, run, succeed};
use morphscape::landscape::{
    Landscape, barrier, best_path, measure, measure_triple, pair_potentials, pass,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use std::path::Path;

const CLASSES: usize = 5;
const TRIPLE: [usize; 3] = [0, 1, 2];

fn softmax(logits: &[f32]) -> Vec<f32> {
    let powers: Vec<f64> = logits.iter().map(|&f| f64::from(f).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / sum) as f32).collect()
}

fn landscape(steps: usize, mut logits: impl FnMut(f64, f64) -> [f32; CLASSES]) -> Landscape {
    let unit = |index: usize| index as f64 / (steps - 1) as f64;
    let logits: Vec<f32> = (0..steps * steps)
        .flat_map(|k| logits(unit(k / steps), unit(k % steps)))
        .collect();
    Landscape {
        steps,
        num_classes: CLASSES,
        probabilities: logits.chunks(CLASSES).flat_map(softmax).collect(),
        logits,
        inputs: None,
        kind: morphscape::landscape::GridKind::Rows,
        morph: None,
        flat: None,
    }
}

fn random(rng: &mut ChaCha8Rng, steps: usize) -> Landscape {
    landscape(steps, |_, _| {
        [0; CLASSES].map(|_| rng.random_range(-4.0..4.0))
    })
}

/// Takes the answer of a point away.
fn forget(landscape: &mut Landscape, k: usize) {
    landscape.logits[k * CLASSES..(k + 1) * CLASSES].fill(f32::NAN);
    landscape.probabilities[k * CLASSES..(k + 1) * CLASSES].fill(f32::NAN);
}

#[test]
fn points_without_an_answer_are_left_out_by_a_rule_a_family() {
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    let steps = 7;
    let whole = random(&mut rng, steps);
    let all = measure(&whole, TRIPLE);
    assert!(all.paths.is_some() && all.points.is_some() && all.grid.is_some());
    assert!(all.calibration.iter().all(Option::is_some));
    // Row 3 loses a point inside: its path goes, the edges stay.
    let mut holed = whole.clone();
    forget(&mut holed, 3 * steps + 2);
    let left = measure(&holed, TRIPLE);
    assert_eq!(left.grid, None);
    assert_eq!(left.calibration, all.calibration);
    assert_eq!(
        left.points.as_ref().map(|points| points.num_points),
        Some(48)
    );
    let paths = left.paths.expect("six whole paths");
    assert_eq!(paths.num_paths, 6);
    // The mean of the other six rows, each measured as a landscape of equal rows.
    let of_row = |i: usize| {
        let mut same = whole.clone();
        let row = whole.probabilities[i * steps * CLASSES..(i + 1) * steps * CLASSES].to_vec();
        same.probabilities = row.repeat(steps);
        measure(&same, TRIPLE).paths.expect("whole paths")
    };
    let rows = [0, 1, 2, 4, 5, 6].map(of_row);
    let mean = rows.iter().map(|row| row.total_variation).sum::<f64>() / 6.0;
    assert!((paths.total_variation - mean).abs() < 1e-12);
    let mean = rows.iter().map(|row| row.label_changes).sum::<f64>() / 6.0;
    assert!((paths.label_changes - mean).abs() < 1e-12);
    // B is gone: no edge that leads to it.
    let mut without_b = whole.clone();
    forget(&mut without_b, (steps - 1) * steps);
    let [ab, ac, bc] = measure(&without_b, TRIPLE).calibration;
    assert_eq!([ab, bc], [None, None]);
    assert_eq!(ac, all.calibration[1]);
    // A logit alone that is infinite is no answer either, and nothing at all is no panic.
    let mut infinite = whole.clone();
    infinite.logits[40] = f32::INFINITY;
    assert_eq!(measure(&infinite, TRIPLE).grid, None);
    let mut nothing = whole;
    (0..steps * steps).for_each(|k| forget(&mut nothing, k));
    let found = measure(&nothing, TRIPLE);
    assert!(found.paths.is_none() && found.points.is_none() && found.grid.is_none());
    assert!(found.intruders.is_empty() && found.confident_intruders.is_empty());
}

/// Any pattern of missing answers is measured without a panic, and no number is a NaN.
#[test]
fn no_pattern_of_missing_answers_gives_a_nan() {
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    for _ in 0..300 {
        let steps = rng.random_range(2..7);
        let triple = [0; 3].map(|_| {
            let mut one = random(&mut rng, steps);
            let share = rng.random_range(0.0..1.2);
            for k in 0..steps * steps {
                if rng.random::<f64>() > share {
                    forget(&mut one, k);
                }
            }
            one
        });
        let found = measure_triple(triple.each_ref().map(|one| (one, TRIPLE)));
        let text = serde_json::to_string(&found).expect("JSON");
        let whole = triple.iter().filter(|one| one.is_whole()).count();
        let grids = found.iter().filter(|one| one.grid.is_some()).count();
        assert_eq!(whole, grids);
        for paths in found.iter().filter_map(|one| one.paths.as_ref()) {
            assert!(
                paths.total_variation.is_finite() && paths.num_paths > 0,
                "{text}"
            );
        }
        for points in found.iter().filter_map(|one| one.points.as_ref()) {
            assert!(
                points.entropy.is_finite() && points.margin.is_finite(),
                "{text}"
            );
        }
        if let Some(order) = found[0].order {
            assert!(
                order.asymmetry.is_finite() && order.num_weights > 0,
                "{text}"
            );
        }
    }
}

/// `p_a + p_b` is `exp(-U)`, to rounding, and U is finite where both round to 0.
#[test]
fn pair_potentials_are_minus_the_logarithm_of_a_sum() {
    let mut rng = ChaCha8Rng::seed_from_u64(22);
    let one = random(&mut rng, 6);
    let potentials = pair_potentials(&one.logits, CLASSES, [3, 0, 4]);
    for (u, [a, b]) in potentials.iter().zip([[3, 0], [3, 4], [0, 4]]) {
        for (k, u) in u.iter().enumerate() {
            let p = one.probabilities_of(k);
            let sum = f64::from(p[a]) + f64::from(p[b]);
            assert!(((-u).exp() - sum).abs() < 1e-6, "{u} {sum}");
        }
    }
    // Also where the exponentials of both classes underflow.
    for lead in [500.0, 900.0f32] {
        let far = [0.0, 0.0, 0.0, lead, 0.0];
        let [u, ..] = pair_potentials(&far, CLASSES, TRIPLE);
        let expected = f64::from(lead) - 2f64.ln();
        assert!((u[0] - expected).abs() < 1e-9, "{u:?}");
        let [u, ..] = pair_potentials(&far, CLASSES, [1, 1, 2]);
        assert!((u[0] - f64::from(lead)).abs() < 1e-9, "{u:?}");
    }
    // No place to go where anything is no number.
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    for nowhere in [
        [nan; CLASSES],
        [0.0, 0.0, 0.0, nan, 0.0],
        [0.0, 0.0, 0.0, inf, 0.0],
    ] {
        let potentials = pair_potentials(&nowhere, CLASSES, TRIPLE);
        assert_eq!(potentials.concat(), [f64::INFINITY; 3], "{nowhere:?}");
    }
    let [u, ..] = pair_potentials(&[-inf, -inf, 0.0, 0.0, 0.0], CLASSES, [0, 1, 2]);
    assert_eq!(u, [f64::INFINITY]);
    let [sure, ..] = pair_potentials(&[40.0, 0.0, 0.0, 0.0, 0.0], CLASSES, TRIPLE);
    assert!((0.0..1e-15).contains(&sure[0]));
}

#[test]
fn a_best_path_leads_over_the_pass_and_no_higher() {
    let mut rng = ChaCha8Rng::seed_from_u64(23);
    for round in 0..300 {
        let shape = [rng.random_range(1..9), rng.random_range(1..9)];
        let len = shape[0] * shape[1];
        let u: Vec<f64> = (0..len)
            .map(|_| match round % 2 {
                0 => rng.random(),
                _ => f64::from(rng.random_range(0..3)),
            })
            .collect();
        let [from, to] = [0; 2].map(|_| rng.random_range(0..len));
        let level = barrier(&u, shape, from, to);
        let pass = pass(&u, shape, from, to);
        assert_eq!(u[pass], level);
        let path = best_path(&u, shape, from, to);
        assert_eq!((path[0], path[path.len() - 1]), (from, to));
        let highest = path.iter().map(|&k| u[k]).fold(f64::NEG_INFINITY, f64::max);
        assert_eq!(highest, level, "{shape:?} {u:?}");
        for step in path.windows(2) {
            let far = [step[0] / shape[1], step[0] % shape[1]];
            let near = [step[1] / shape[1], step[1] % shape[1]];
            let distance = far[0].abs_diff(near[0]) + far[1].abs_diff(near[1]);
            assert_eq!(distance, 1, "{path:?}");
        }
        if round % 2 == 0 {
            assert!(path.contains(&pass), "without ties there is one such point");
        }
    }
}

/// Items of classes 0, 1 and 2 that exchange directly have no barrier; an intruder between A
/// and B raises theirs alone.
#[test]
fn a_barrier_is_what_lies_between_two_items() {
    let plain = |s: f64, t: f64| {
        let weights = [(1.0 - s) * (1.0 - t), s * (1.0 - t), t];
        let [a, b, c] = weights.map(|weight| (20.0 * weight) as f32);
        [a, b, c, -10.0, -10.0]
    };
    let direct = measure(&landscape(21, plain), TRIPLE).grid.expect("whole");
    assert!(
        direct.barriers.iter().all(|u| u.is_some_and(|u| u < 1e-3)),
        "{direct:?}"
    );
    let blocked = landscape(21, |s, t| {
        let mut logits = plain(s, t);
        // The last column is C, as in every landscape.
        if (s - 0.5).abs() < 0.2 && t < 1.0 {
            logits[3] = 25.0;
        }
        logits
    });
    let barriers = measure(&blocked, TRIPLE).grid.expect("whole").barriers;
    let [ab, ac, bc] = barriers.map(|barrier| barrier.expect("an item"));
    assert!(ab > 5.0 && ac < 1e-3 && bc < 1e-3, "{ab} {ac} {bc}");
}

#[test]
fn every_second_point_is_a_grid_of_half_the_steps() {
    let at = |s: f64, t: f64| [s as f32, t as f32, (s * t) as f32, 0.5, 0.0];
    assert_eq!(landscape(9, at).every(2), landscape(5, at));
    assert_eq!(landscape(9, at).every(4), landscape(3, at));
}

fn csv(path: &Path) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    let mut reader = csv::Reader::from_path(path).expect("a CSV file");
    let heading: Vec<String> = reader
        .headers()
        .expect("a heading")
        .iter()
        .map(String::from)
        .collect();
    let rows = reader.records().map(|record| {
        let record = record.expect("a record");
        heading
            .iter()
            .cloned()
            .zip(record.iter().map(String::from))
            .collect()
    });
    let rows = rows.collect();
    (heading, rows)
}

fn tensor(path: &Path, name: &str) -> Vec<f32> {
    let content = std::fs::read(path).expect("a landscape");
    let file = SafeTensors::deserialize(&content).expect("safetensors");
    bytemuck::pod_collect_to_vec(file.tensor(name).expect(name).data())
}

/// What `summary.csv` says are the means of what the metadata of each landscape says.
#[test]
fn summary_and_metadata_hold_every_measure() {
    let folder = folder();
    let here = folder.path();
    let shared = [
        "sweep",
        "--engine",
        "cpu",
        "--classes",
        "9,4,5",
        "--figures",
        "none",
    ];
    succeed(
        here,
        &[&shared[..], &["--steps", "21", "--out", "run"]].concat(),
    );
    let (heading, rows) = csv(&here.join("run/summary.csv"));
    assert_eq!(rows.len(), 6);
    for row in &rows {
        let name = &row["landscape"];
        let content = std::fs::read(here.join("run").join(name).join("landscape.safetensors"));
        let content = content.expect(name);
        let (_, header) = SafeTensors::read_metadata(&content).expect(name);
        let metadata = header.metadata().as_ref().expect("metadata");
        let found: serde_json::Value =
            serde_json::from_str(&metadata["measures"]).expect("measures");
        let number = |key: &str| -> f64 { row[key].parse().expect(key) };
        let mean = |values: &serde_json::Value| {
            let values = values.as_array().expect("three values").iter();
            values
                .map(|value| value.as_f64().expect("a number"))
                .sum::<f64>()
                / 3.0
        };
        let critical = |n: usize| {
            let classes = found["grid"]["critical_points"].as_array().expect("three");
            let counts = classes
                .iter()
                .map(|counts| counts[n].as_f64().expect("a count"));
            counts.sum::<f64>() / 3.0
        };
        for (key, expected) in [
            (
                "total_variation",
                found["paths"]["total_variation"].as_f64(),
            ),
            ("curvature", Some(mean(&found["paths"]["curvature"]))),
            ("label_changes", found["paths"]["label_changes"].as_f64()),
            ("calibration", Some(mean(&found["calibration"]))),
            ("intrusion", found["points"]["intrusion"].as_f64()),
            (
                "confident_intrusion",
                found["points"]["confident_intrusion"].as_f64(),
            ),
            ("entropy", found["points"]["entropy"].as_f64()),
            ("margin", found["points"]["margin"].as_f64()),
            ("regions_4", found["grid"]["regions"][0].as_f64()),
            ("regions_8", found["grid"]["regions"][1].as_f64()),
            ("boundary_length", found["grid"]["boundary_length"].as_f64()),
            ("roughness", Some(mean(&found["grid"]["roughness"]))),
            ("laplacian", Some(mean(&found["grid"]["laplacian"]))),
            ("minima", Some(critical(0))),
            ("saddles", Some(critical(1))),
            ("maxima", Some(critical(2))),
            ("basins", Some(mean(&found["grid"]["basins"]))),
            ("peaks", Some(mean(&found["grid"]["peaks"]))),
            ("barrier_ab", found["grid"]["barriers"][0].as_f64()),
            ("barrier_ac", found["grid"]["barriers"][1].as_f64()),
            ("barrier_bc", found["grid"]["barriers"][2].as_f64()),
            ("order_asymmetry", found["order"]["asymmetry"].as_f64()),
            (
                "order_agreement",
                found["order"]["label_agreement"].as_f64(),
            ),
            ("order_weights", found["order"]["num_weights"].as_f64()),
        ] {
            let expected = expected.expect(key);
            assert!((number(key) - expected).abs() < 1e-6, "{name} {key}");
        }
        assert!((number("minima") - number("saddles") + number("maxima") - 1.0).abs() < 1e-5);
        assert_eq!(row["order_weights"], "3", "what 21 steps support");
    }
    // The two columns of names end what is measured.
    let at = |key: &str| heading.iter().position(|name| name == key);
    assert_eq!(at("confident_intruders"), at("intruders").map(|n| n + 1));
    // At five steps the three grids share no mix of all three items, and nothing is said.
    succeed(
        here,
        &[&shared[..], &["--steps", "5", "--out", "small"]].concat(),
    );
    let (_, rows) = csv(&here.join("small/summary.csv"));
    assert!(rows.iter().all(|row| row["order_asymmetry"].is_empty()));
    let timings = &json(here.join("run/manifest.json"))["timings"];
    assert!(timings["measures_s"].as_f64().is_some_and(|s| s > 0.0));
}

/// A grid between the same items holds the points of a coarser one: the same answers there.
#[test]
fn finer_grids_hold_the_points_of_coarser_ones() {
    let folder = folder();
    let here = folder.path();
    for (command, most) in [("sweep", 1e-5), ("interpolate", 1e-6)] {
        for steps in ["5", "9", "17"] {
            let out = format!("{command}-{steps}");
            let arguments = [
                command,
                "--engine",
                "cpu",
                "--groups",
                "1",
                "--figures",
                "none",
                "--steps",
                steps,
                "--out",
                &out,
            ];
            succeed(here, &arguments);
        }
        let name = if command == "sweep" { "1B.2" } else { "A.2" };
        let answers = |steps: usize| {
            let path = here.join(format!("{command}-{steps}/{name}/landscape.safetensors"));
            let probabilities = tensor(&path, "probabilities");
            let num_classes = probabilities.len() / (steps * steps);
            Landscape {
                steps,
                num_classes,
                logits: tensor(&path, "logits"),
                probabilities,
                inputs: None,
                kind: morphscape::landscape::GridKind::Rows,
                morph: None,
                flat: None,
            }
        };
        let finest = answers(17);
        for (coarse, every) in [(answers(5), 4), (answers(9), 2)] {
            let taken = finest.every(every);
            for (p, q) in coarse.probabilities.iter().zip(&taken.probabilities) {
                assert!((p - q).abs() <= most, "{command}: {p} {q}");
            }
        }
    }
}

#[test]
fn resolution_says_what_finer_grids_say() {
    let folder = folder();
    let here = folder.path();
    let shared = ["sweep", "--engine", "cpu", "--classes", "9,4,5"];
    let run_it = |more: &[&str]| run(here, &[&shared[..], more].concat());
    let said = run_it(&["--steps", "5", "--resolution", "--out", "run"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("9 steps") && said.stdout.contains("settled"));
    let (heading, rows) = csv(&here.join("run/resolution.csv"));
    assert_eq!(
        heading,
        [
            "landscape",
            "measure",
            "steps_5",
            "steps_9",
            "steps_17",
            "last_change"
        ]
    );
    let (_, summary) = csv(&here.join("run/summary.csv"));
    assert_eq!(rows.len(), 24 * (1 + summary.len()));
    let find = |name: &str, measure: &str| {
        let is_it =
            |row: &&BTreeMap<String, String>| row["landscape"] == name && row["measure"] == measure;
        rows.iter().find(is_it).expect(name)
    };
    let number = |text: &str| text.parse::<f64>().expect("a number");
    // N is the run itself; the finest is a run of that many steps.
    let fine = run_it(&["--steps", "17", "--figures", "none", "--out", "fine"]);
    assert_eq!(fine.code, Some(0), "{}", fine.stderr);
    let (_, of_fine) = csv(&here.join("fine/summary.csv"));
    for key in [
        "total_variation",
        "intrusion",
        "roughness",
        "saddles",
        "barrier_bc",
    ] {
        for (coarse, fine) in summary.iter().zip(&of_fine) {
            let row = find(&coarse["landscape"], key);
            assert_eq!(number(&row["steps_5"]), number(&coarse[key]), "{key}");
            assert_eq!(number(&row["steps_17"]), number(&fine[key]), "{key}");
        }
        let mean = |rows: &[BTreeMap<String, String>]| {
            rows.iter().map(|row| number(&row[key])).sum::<f64>() / rows.len() as f64
        };
        let row = find("mean", key);
        assert!(
            (number(&row["steps_5"]) - mean(&summary)).abs() < 2e-6,
            "{key}"
        );
        assert!(
            (number(&row["steps_17"]) - mean(&of_fine)).abs() < 2e-6,
            "{key}"
        );
        let [before, last] = ["steps_9", "steps_17"].map(|column| number(&row[column]));
        let change = number(&row["last_change"]);
        assert!((change - (last - before) / before).abs() < 1e-3, "{key}");
    }
    // The report holds it, and plot makes the same of the file again.
    let read = |place: &str| std::fs::read_to_string(here.join(place)).expect(place);
    let resolution = |page: String| {
        let from = page.find("\"resolution\":{").expect("a resolution");
        page[from..].split("\"steps\":[").next().map(str::to_owned)
    };
    let first = resolution(read("run/report.html"));
    succeed(here, &["plot", "run"]);
    let again = resolution(read("run/report.html"));
    assert_eq!(first, again);
    assert!(read("run/report.html").contains("\"steps\":[5,9,17]"));
    // A damaged file is an error that names its line.
    let damaged = read("run/resolution.csv").replacen("mean,curvature", "mean,bend", 1);
    std::fs::write(here.join("run/resolution.csv"), damaged).expect("written");
    fail(
        here,
        &["plot", "run"],
        1,
        &["resolution.csv line 3", "curvature", "bend"],
    );
    let steps = ["--steps", "252", "--resolution", "--out", "large"];
    fail(
        here,
        &[&shared[..], &steps].concat(),
        1,
        &["--resolution", "1005", "251"],
    );
    assert!(
        !here.join("large").exists(),
        "refused before anything is written"
    );
}

#[test]
fn marks_are_drawn_on_request() {
    let folder = folder();
    let here = folder.path();
    let arguments = [
        "sweep",
        "--engine",
        "cpu",
        "--classes",
        "9,4,5",
        "--steps",
        "7",
    ];
    succeed(here, &[&arguments[..], &["--format", "svg"]].concat());
    let svg = |figure: &str| {
        let path = here.join(format!("morphscape-sweep/1A.1/{figure}.svg"));
        std::fs::read_to_string(path).expect(figure)
    };
    assert!(!svg("map").contains("minim") && !svg("surface").contains("minim"));
    let plain = svg("line");
    succeed(
        here,
        &[
            "plot",
            "morphscape-sweep",
            "--mark",
            "critical,barriers",
            "--class",
            "Bag,5",
        ],
    );
    assert!(svg("map").contains("critical points of p(Bag)"));
    for figure in ["map", "surface"] {
        for words in ["minim", "saddle", "maxim", ">AB<", ">BC<"] {
            assert!(svg(figure).contains(words), "{figure}: {words}");
        }
    }
    succeed(here, &["plot", "morphscape-sweep", "--mark", "barriers"]);
    assert!(svg("map").contains(">AC<") && !svg("map").contains("minim"));
    assert_eq!(svg("line"), plain);
}
