//! What of the explorer's views is kept: the folders it saves, the commands it spells, items of one's
//! own in both, and lines.

use crate::explore::{Client, Explorer, ITEMS, cpu, fashion, images_view, serving};
use crate::program::{folder, json, succeed};
use morphscape::data::ClassMatch;
use morphscape::explore::Subject;
use morphscape::kernels::Sampling;
use morphscape::pipeline::{MorphMode, MorphSettings};
use morphscape::{InterpolateJob, Job, ModelSource, RunFolder, Silent, TableSource};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

/// What a run holds of the view that it was made from, as it is drawn.
fn bits_of_run(run: &Path, classes: usize) -> Vec<u32> {
    let run = RunFolder::open(run).expect("a run");
    let made = run.landscape("view.3").expect("a landscape").landscape;
    bits(&made.as_drawn(&made.probabilities, classes))
}

/// The command line of a view.
fn shell_of(client: &Client, view: &Value) -> String {
    let commands = client.ask("commands", view);
    let shell = commands["shell"].as_str();
    shell.unwrap_or_else(|| panic!("{commands}")).to_owned()
}

/// Runs a command line, the subcommand replaced by one with more words.
fn carry_out(folder: &Path, shell: &str, words: &str) {
    let command = words.split(' ').next().unwrap_or_default();
    let program = env!("CARGO_BIN_EXE_morphscape");
    let shell = shell.replace(
        &format!("morphscape {command}"),
        &format!("{program} {words}"),
    );
    let done = std::process::Command::new("sh")
        .args(["-ec", &shell])
        .current_dir(folder)
        .status()
        .expect("a shell");
    assert!(done.success(), "{shell}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn a_saved_view_is_a_run_that_verifies() {
    let out = folder();
    let place = out.path().join("kept");
    serving(fashion(cpu()), |client| {
        let view = images_view("one", ITEMS, MorphSettings::new(5, 3, MorphMode::Published));
        let saved = client.ask(
            "save",
            &json!({"view": view, "folder": place.to_str().expect("UTF-8")}),
        );
        assert_eq!(saved["landscape"], "view.3", "{saved}");
        let names = crate::program::files(out.path());
        assert_eq!(names, ["kept"]);
        let again = client.ask("save", &json!({"view": images_view("one", ITEMS, MorphSettings::default()), "folder": place.to_str().expect("UTF-8")}));
        assert!(
            again["refused"].as_str().is_some_and(
                |text| text.contains("another run") && text.contains("use another folder")
            ),
            "{again}"
        );
        let same_class = images_view("one", [0, 23, 1], MorphSettings::default());
        let refused = client.ask("save", &json!({"view": same_class, "folder": "x"}));
        assert!(
            refused["refused"]
                .as_str()
                .is_some_and(|text| text.contains("three different classes")),
            "{refused}"
        );
        let nowhere = client.ask("save", &json!({"view": view, "folder": " "}));
        assert!(nowhere["refused"].is_string());
    });
    succeed(out.path(), &["verify", "kept", "--quiet"]);
}

#[test]
fn the_command_of_a_view_makes_it_again() {
    let out = folder();
    let explorer = Explorer::start(out.path(), &[]);
    let client = &explorer.client;
    for (name, mode, flat) in [
        ("linear", MorphMode::Clean(Sampling::Linear), Value::Null),
        ("published", MorphMode::Published, Value::Null),
        ("faded", MorphMode::CrossFade, Value::Null),
        (
            "plane",
            MorphMode::CrossFade,
            json!({"kind": "plane", "range": [0.25, 0.25], "clipped": true}),
        ),
        (
            "moved",
            MorphMode::CrossFade,
            json!({"kind": "plane", "range": [[-0.5, 1.5], [-0.25, -0.7]]}),
        ),
        (
            "triangle",
            MorphMode::CrossFade,
            json!({"kind": "triangle"}),
        ),
    ] {
        let mut view = images_view("one", ITEMS, MorphSettings::new(5, 2, mode));
        view["flat"] = flat;
        let shell = shell_of(client, &view);
        carry_out(
            out.path(),
            &shell,
            &format!("sweep --quiet --figures none --out {name}"),
        );
        assert_eq!(
            bits(&client.view(&view).1),
            bits_of_run(&out.path().join(name), 10),
            "{shell}"
        );
    }
}

/// A picture and a row that are in no data set: a run holds them itself, is checked by `verify`, and
/// a command line makes it again.
#[test]
fn items_of_ones_own_are_kept_in_runs_and_commands() {
    let out = folder();
    let explorer = Explorer::start(out.path(), &[]);
    let client = &explorer.client;
    // A picture of stripes is none of the data's.
    let mut picture = morphscape::data::Picture::filled(28, 28, 1, 0);
    for (n, level) in picture.levels.iter_mut().enumerate() {
        *level = if n % 5 == 0 { 200 } else { (n % 28) as u8 };
    }
    let brought: Value =
        serde_json::from_slice(&client.post("own", &picture.to_png()).body).expect("JSON");
    let mut view = images_view("one", ITEMS, MorphSettings::new(5, 3, MorphMode::CrossFade));
    let class = brought["class"].as_u64().expect("a class");
    let others: Vec<usize> = [9, 2, 1].into_iter().take(2).collect();
    view["items"] = json!([{"item": others[0]}, {"own": brought["own"]}, {"item": others[1]}]);
    for (name, flat) in [
        ("own-morph", Value::Null),
        ("own-plane", json!({"kind": "plane"})),
    ] {
        view["flat"] = flat;
        let (said, shown) = client.view(&view);
        assert_eq!(said["items"][1], brought["name"]);
        let shell = shell_of(client, &view);
        assert!(shell.contains("\"png\""), "{shell}");
        carry_out(
            out.path(),
            &shell,
            &format!("sweep --quiet --figures none --out {name}"),
        );
        assert_eq!(bits(&shown), bits_of_run(&out.path().join(name), 10));
        let place = out.path().join(format!("{name}-saved"));
        let saved = client.ask("save", &json!({"view": view, "folder": place}));
        assert_eq!(saved["landscape"], "view.3", "{saved}");
        assert_eq!(bits(&shown), bits_of_run(&place, 10));
        for run in [name.to_owned(), format!("{name}-saved")] {
            succeed(out.path(), &["verify", &run, "--quiet"]);
        }
        let of_run = RunFolder::open(&place).expect("a run");
        let about = of_run.landscape("view.3").expect("a landscape").about;
        assert_eq!(about.item_names[1], text(&brought["name"]));
        assert_eq!(about.item_classes[1] as u64, class);
    }
    // What Python needs of it stands in the lines.
    let python = client.ask("commands", &view);
    let lines = text(&python["python"]);
    assert!(
        lines.contains("base64.b64decode(") && lines.contains("kind=\"plane\""),
        "{python}"
    );
    // The picture of a link comes back as the same item.
    let again = base64_bytes(text(&brought["png"]));
    let again: Value = serde_json::from_slice(&client.post("own", &again).body).expect("JSON");
    assert_eq!(again["name"], brought["name"]);
    view["line"] = json!("auto");
    view["flat"] = Value::Null;
    assert!(shell_of(client, &view).starts_with("base64 -d > b.png"));
}

fn base64_bytes(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(text).expect("base64")
}

#[test]
fn a_row_of_ones_own_is_kept_in_a_run() {
    let out = folder();
    let explorer = Explorer::start(out.path(), &["--data", "iris"]);
    let client = &explorer.client;
    let morph = MorphSettings::new(6, 3, MorphMode::CrossFade);
    for flat in [Value::Null, json!({"kind": "triangle"})] {
        let name = if flat.is_null() { "mixes" } else { "triangle" };
        let view = json!({
            "page": "one", "morph": morph, "flat": flat,
            "items": [{"row": [5.25, 3.1, 1.0625, 0.3]}, {"item": 60}, {"item": 120}],
        });
        let (_, shown) = client.view(&view);
        let shell = shell_of(client, &view);
        carry_out(
            out.path(),
            &shell,
            &format!("interpolate --quiet --figures none --out {name}"),
        );
        let saved = bits_of_run(&out.path().join(name), 3);
        // Behind the probabilities come the rows themselves; beyond a triangle there are none.
        assert_eq!(bits(&shown)[..saved.len()], saved, "{shell}");
        succeed(out.path(), &["verify", name, "--quiet"]);
        let python = client.ask("commands", &view);
        assert!(
            text(&python["python"]).contains("[5.25,3.1,1.0625,0.3]"),
            "{python}"
        );
    }
}

#[test]
fn lists_refuse_items_of_their_own_that_do_not_fit() {
    use crate::program::fail;
    let out = folder();
    let small = morphscape::data::Picture::filled(3, 3, 1, 9).to_png();
    use base64::Engine as _;
    let small = base64::engine::general_purpose::STANDARD.encode(small);
    for (command, data, item, words) in [
        (
            "sweep",
            "fashion-mnist",
            json!({"png": small, "class": 1}),
            &["28 x 28 x 1", "3 x 3"][..],
        ),
        (
            "sweep",
            "fashion-mnist",
            json!({"png": "?", "class": 1}),
            &["base64"],
        ),
        (
            "sweep",
            "fashion-mnist",
            json!({"row": [1.0], "class": 1}),
            &["expected an image"],
        ),
        (
            "interpolate",
            "iris",
            json!({"row": [1.0, 2.0], "class": 1}),
            &["expected 4 values", "found 2"],
        ),
        (
            "interpolate",
            "iris",
            json!({"row": [1.0, 2.0, 3.0, 4.0], "class": 3}),
            &["expected a class from 0 to 2"],
        ),
        (
            "interpolate",
            "iris",
            json!({"png": "", "class": 1}),
            &["expected a row"],
        ),
        (
            "interpolate",
            "iris",
            json!({"row": [1.0], "klass": 1}),
            &["each item a position"],
        ),
    ] {
        let list = json!({"triples": [{"name": "own", "items": [item, 60, 120]}]});
        std::fs::write(out.path().join("own.json"), list.to_string()).expect("written");
        let arguments = [command, "--data", data, "--triples", "own.json"];
        fail(out.path(), &arguments, 1, words);
    }
}

/// What the page shows of a line is what `morphscape line` writes: the samples to the bit, and the
/// exact intervals.
#[test]
fn a_line_is_what_the_command_line_computes() {
    let out = folder();
    for (data, items, classes) in [
        (&[][..], [9, 2, 1], 10),
        (&["--data", "iris"][..], [0, 60, 120], 3),
    ] {
        let explorer = Explorer::start(out.path(), data);
        let client = &explorer.client;
        let mut view = images_view(
            "one",
            items,
            MorphSettings::new(31, 3, MorphMode::CrossFade),
        );
        view["line"] = json!("off");
        let (said, shown) = client.view(&view);
        assert_eq!(said["grid"]["kind"], "line");
        let name = format!("sampled-{classes}");
        let shell = shell_of(client, &view);
        carry_out(out.path(), &shell, &format!("line --quiet --out {name}"));
        let saved = out.path().join(&name);
        let content = std::fs::read(saved.join("sections.safetensors")).expect("a file");
        let tensors = SafeTensors::deserialize(&content).expect("tensors");
        let logits: Vec<f64> =
            bytemuck::pod_collect_to_vec(tensors.tensor("logits").expect("logits").data());
        assert_eq!(logits.len(), 31 * classes);
        let shown = &shown[..31 * classes];
        for (p, logits) in shown
            .chunks_exact(classes)
            .zip(logits.chunks_exact(classes))
        {
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = logits.iter().map(|x| (x - largest).exp()).sum();
            for (&p, x) in p.iter().zip(logits) {
                assert!((f64::from(p) - (x - largest).exp() / sum).abs() < 1e-6);
            }
        }
        let place = out.path().join(format!("{name}-saved"));
        let kept = client.ask("save", &json!({"view": view, "folder": place}));
        assert_eq!(text(&kept["folder"]), place.to_str().expect("UTF-8"));
        for file in ["sections.json", "sections.safetensors"] {
            let of = |folder: &Path| std::fs::read(folder.join(file)).expect("a file");
            assert_eq!(of(&place), of(&saved), "{file}");
        }
        succeed(out.path(), &["verify", &format!("{name}-saved"), "--quiet"]);

        view["line"] = json!("auto");
        let found = client.ask("boundary", &view);
        let name = format!("exact-{classes}");
        let shell = shell_of(client, &view);
        carry_out(out.path(), &shell, &format!("line --quiet --out {name}"));
        let section = json(out.path().join(name).join("sections.json"))["sections"][0].clone();
        let found = &found["models"][0];
        assert_eq!(found["intervals"], section["intervals"], "{shell}");
        assert_eq!(found["label"], "exact");
        let python = client.ask("commands", &view);
        assert!(
            text(&python["python"]).contains("view = ms.line("),
            "{python}"
        );
        // From an item of the user's own: kept in the run itself, and verified from there.
        let own = match classes {
            10 => {
                let mut picture = morphscape::data::Picture::filled(28, 28, 1, 0);
                picture.levels[300..400].fill(255);
                let brought: Value =
                    serde_json::from_slice(&client.post("own", &picture.to_png()).body)
                        .expect("JSON");
                json!({"own": brought["own"]})
            }
            _ => json!({"row": [5.5, 3.25, 2.0, 0.5]}),
        };
        view["items"][0] = own;
        let found = client.ask("boundary", &view)["models"][0].clone();
        let place = out.path().join(format!("own-{classes}"));
        let kept = client.ask("save", &json!({"view": view, "folder": place}));
        assert_eq!(text(&kept["folder"]), place.to_str().expect("UTF-8"));
        let section = json(place.join("sections.json"))["sections"][0].clone();
        assert_eq!(found["intervals"], section["intervals"]);
        assert!(text(&section["items"][0]).starts_with("own#"), "{section}");
        succeed(
            out.path(),
            &["verify", &format!("own-{classes}"), "--quiet"],
        );
        let commands = client.ask("commands", &view);
        match classes {
            10 => {
                let name = format!("own-shell-{classes}");
                let shell = shell_of(client, &view);
                carry_out(out.path(), &shell, &format!("line --quiet --out {name}"));
                let again = json(out.path().join(name).join("sections.json"));
                assert_eq!(again["sections"][0]["intervals"], section["intervals"]);
            }
            _ => assert!(
                text(&commands["shell_note"]).contains("Save run keeps this line"),
                "{commands}"
            ),
        }
        // Nothing lies between an item and itself.
        view["items"][1] = view["items"][0].clone();
        assert!(text(&client.ask("view", &view)["refused"]).contains("two different items"));
    }
}

/// Options of the second model are those of `models`: its scaling, and classes in another order.
#[test]
fn a_second_model_may_need_options() {
    let out = folder();
    let file = crate::common::golden("keras/fashion_mlp.keras");
    let against = out.path().join("against.json");
    let source = json!({"file": file, "scale": 1.0 / 255.0});
    std::fs::write(&against, source.to_string()).expect("written");
    let first = ["--model", file.to_str().expect("UTF-8"), "--scale", "1/255"];
    let second = ["--against", against.to_str().expect("UTF-8")];
    let explorer = Explorer::start(out.path(), &[&first[..], &second[..]].concat());
    let view = images_view("one", ITEMS, MorphSettings::new(5, 3, MorphMode::CrossFade));
    let (_, shown) = explorer.client.view(&view);
    let (one, other) = shown.split_at(shown.len() / 2);
    assert_eq!(bits(one), bits(other));
    crate::program::fail(
        out.path(),
        &["explore", "--no-open", "--against", "nowhere.json"],
        1,
        &["--against nowhere.json", "scale"],
    );
}

/// A second model whose columns stand in another order is asked for the same points.
#[test]
fn a_second_model_may_have_its_columns_in_another_order() {
    let out = folder();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    // The network of iris without the names of its features: it takes columns as they stand.
    let content = std::fs::read(models.join("iris.safetensors")).expect("a model");
    let (_, header) = SafeTensors::read_metadata(&content).expect("a header");
    let mut metadata: HashMap<String, String> = header.metadata().clone().unwrap_or_default();
    assert!(metadata.remove("features").is_some());
    let tensors = SafeTensors::deserialize(&content).expect("tensors");
    let nameless = out.path().join("nameless.safetensors");
    let bytes = safetensors::serialize(tensors.tensors(), Some(metadata)).expect("tensors");
    std::fs::write(&nameless, bytes).expect("written");
    // And the table with its columns turned round.
    let table = morphscape::data::IRIS_CSV;
    let turned: String = (table.lines())
        .map(|line| {
            let mut cells: Vec<&str> = line.split(',').collect();
            cells.reverse();
            cells.join(",") + "\n"
        })
        .collect();
    let csv = out.path().join("turned.csv");
    std::fs::write(&csv, turned).expect("written");
    let job = |model: &Path| {
        Job::Interpolate(InterpolateJob {
            model: ModelSource::from(model),
            data: TableSource {
                place: csv.to_str().expect("UTF-8").to_owned(),
                label: Some("species".to_owned()),
                ..TableSource::default()
            },
            ..InterpolateJob::default()
        })
    };
    let named = models.join("iris.safetensors");
    let morph = MorphSettings::new(5, 3, MorphMode::CrossFade);
    let view = images_view("one", [0, 60, 120], morph);
    let expected = std::cell::RefCell::new(Vec::new());
    let subject = Subject::load(job(&named), cpu(), &Silent).expect("iris");
    serving(subject, |client| {
        expected.replace(client.view(&view).1[..75].to_vec());
    });
    let subject = Subject::load(job(&nameless), cpu(), &Silent).expect("iris");
    let source = ModelSource::from(&named);
    let subject = subject.against(&source, ClassMatch::Name, &Silent);
    serving(subject.expect("two models"), |client| {
        let (_, shown) = client.view(&view);
        assert_ne!(shown[..75], expected.borrow()[..]);
        assert_eq!(bits(&shown[75..150]), bits(&expected.borrow()));
        let mut flat = view.clone();
        flat["flat"] = json!({"kind": "triangle"});
        // The corner of A is the item itself.
        let (_, shown) = client.view(&flat);
        let corner = 75 + 3 * 20;
        for c in 0..3 {
            assert!((shown[corner + c] - expected.borrow()[c]).abs() < 1e-6);
        }
    });
}
