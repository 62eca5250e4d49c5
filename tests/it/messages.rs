//! What the program tells a newcomer who mistypes a name, gives a folder where a file is expected, or
//! gives data that a command does not take. Whole lines are compared, so that nothing stands in them
//! twice.

use crate::common::golden;
use crate::program::{fail, folder, run, succeed};
use morphscape::engine::cpu::CpuEngine;
use morphscape::explore::Subject;
use morphscape::{ImageSource, Job, ModelSource, Note, Observer, SweepJob};
use safetensors::{Dtype, tensor::TensorView};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

/// Iris flowers of two kinds, and of three.
fn flowers(kinds: &[&str]) -> String {
    let mut text = String::from("sepal_length,sepal_width,petal_length,petal_width,kind\n");
    for n in 0..9 {
        let kind = kinds[n % kinds.len()];
        text += &format!("5.{n},3.5,1.{n},0.2,{kind}\n");
    }
    text
}

fn png(path: &Path, side: u32) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    let mut image = image::GrayImage::new(side, side);
    image.put_pixel(0, 0, image::Luma([200]));
    image.save(path).expect("written");
}

/// A folder with a newcomer's files.
fn home() -> tempfile::TempDir {
    let folder = folder();
    let here = folder.path();
    let write = |name: &str, text: &str| std::fs::write(here.join(name), text).expect("written");
    write("two.csv", &flowers(&["setosa", "versicolor"]));
    write(
        "fruit.csv",
        &flowers(&["setosa", "versicolor", "virginica"]),
    );
    write("train.py", "print()\n");
    write("rows.xlsx", "PK\u{3}\u{4}");
    let names: String = (0..241).map(|n| format!("class {n}\n")).collect();
    write("names.txt", &names);
    for class in ["circle", "square"] {
        for n in 0..3 {
            png(&here.join(format!("shapes/{class}/{n}.png")), 20);
        }
    }
    png(&here.join("small.png"), 20);
    png(&here.join("large.png"), 24);
    std::fs::create_dir_all(here.join("saved")).expect("made");
    write("saved/saved_model.pb", "");
    folder
}

/// The program refuses `line` with exactly this error.
#[track_caller]
fn said(here: &Path, line: &str, expected: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let run = run(here, &words);
    assert_eq!(run.code, Some(1), "{line}: {}", run.stderr);
    let error = run.stderr.lines().last().unwrap_or_default();
    assert_eq!(error, format!("error: {expected}"), "{line}");
}

const TABLE: &str = "--label kind --model iris --engine cpu";

#[test]
fn data_that_a_command_does_not_take() {
    let folder = home();
    let here = folder.path();
    for (line, expected) in [
        (
            format!("interpolate --data two.csv {TABLE}"),
            "two.csv, column \"kind\": expected 3 classes or more to choose groups of, found 2; \
             name the items with --triples and use --kind plane or triangle, or use `morphscape line`, `morphscape lines` or `morphscape explore`",
        ),
        (
            "sweep --data shapes --triples dbviz:1 --resize 28x28 --match order".to_owned(),
            "--triples dbviz:1: expected items of 3 classes or more, found 2; \
             list the items in a file, and use --kind plane or triangle, which takes items of any class",
        ),
        (
            "sweep --data shapes --resize 28x28 --match order".to_owned(),
            "shapes: expected 3 classes or more of at least 2 items to choose groups of, found 2; \
             name the items with --triples and use --kind plane or triangle, or use `morphscape line`, `morphscape lines` or `morphscape explore`",
        ),
        (
            "sweep --data shapes --match order".to_owned(),
            "shapes with bundled fashion-mnist: the model takes inputs of 28 x 28, the images are 20 x 20; scale them with --resize 28x28",
        ),
        (
            "predict small.png --model iris".to_owned(),
            "iris: expected a model of images, found the bundled one of rows of that name; give a table with --data",
        ),
        (
            "sweep --data shapes/circle".to_owned(),
            "--data shapes/circle: expected an IDX pair (t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or train-..., each with or without .gz), \
             or one sub-folder of image files (.png, .jpg, .webp, .bmp, .gif, .tif, .pgm, .ppm) for each class, \
             found 3 image files in the folder itself; give the folder above it, whose sub-folders are the classes",
        ),
        (
            "interpolate --data fruit.csv --label kind".to_owned(),
            "--data fruit.csv: expected a model that takes these features, found none; only iris, hawks and seeds have one of their own; name its file with --model",
        ),
        (
            "morph small.png large.png".to_owned(),
            "large.png: expected an image of 20 x 20 as small.png is, found 24 x 24; scale them with --resize 20x20",
        ),
        (
            "interpolate --data fashion-mnist".to_owned(),
            "--data fashion-mnist: expected iris, hawks, seeds, - for standard input or a file whose name ends in .csv, .tsv, .tab, .data, .txt, found images, which `morphscape sweep` takes",
        ),
        (
            "sweep --classes 1,2,2".to_owned(),
            "--classes 1,2,2: expected three different classes",
        ),
    ] {
        said(here, &line, expected);
    }
    // Lines and predictions need no third class.
    for line in [
        format!("predict --data two.csv {TABLE}"),
        format!("line two#0 two#1 --data two.csv {TABLE}"),
        format!("lines --count 1 --data two.csv {TABLE}"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        succeed(here, &words);
    }
}

#[test]
fn names_and_paths_that_are_nearly_right() {
    let folder = home();
    let here = folder.path();
    for (line, expected) in [
        (
            format!("predict --data fruits.csv {TABLE}"),
            "--data fruits.csv: expected a table, found nothing there; did you mean \"fruit.csv\"?",
        ),
        (
            "predict --data fruit.csv --label knd --model iris".to_owned(),
            "--data fruit.csv: expected a column \"knd\", found \"sepal_length\", \"sepal_width\", \"petal_length\", \"petal_width\", \"kind\"; did you mean \"kind\"?",
        ),
        (
            "predict t10k#1 --model names.txt --class-names name.txt".to_owned(),
            "--class-names name.txt: expected a text file with the names of the classes, one a line, in the order of the model's outputs: found nothing there; did you mean \"names.txt\"?",
        ),
        (
            "sweep --triples triples.json".to_owned(),
            "--triples triples.json: found nothing there",
        ),
        (
            "predict t10k#1 --model saved".to_owned(),
            "saved: expected a .keras, .h5, .safetensors, .onnx or model.json file, found TensorFlow's SavedModel; save the model as one file: model.save(\"model.keras\")",
        ),
        (
            "model shapes".to_owned(),
            "shapes: expected a .keras, .h5, .safetensors, .onnx or model.json file, found a folder; give a file in it",
        ),
        (
            "sweep --triples shapes".to_owned(),
            "--triples shapes: expected a file, found a folder",
        ),
        (
            "line 9 2".to_owned(),
            "item \"9\": expected an image file, or an item such as t10k#0; found neither; did you mean t10k#9?",
        ),
        (
            "predict smal.png".to_owned(),
            "item \"smal.png\": expected an image file, or an item such as t10k#0; found neither; did you mean \"small.png\"?",
        ),
        (
            format!("line 1 2 --data two.csv {TABLE}"),
            "unknown item \"1\": expected two#INDEX with INDEX from 0 to 8; did you mean two#1?",
        ),
        (
            "sweep --out train.py".to_owned(),
            "train.py: expected a folder, found a file; give the name of a folder with --out",
        ),
        (
            "atlas plan --out train.py/a --engine cpu".to_owned(),
            "train.py: expected a folder, found a file; give the name of a folder with --out",
        ),
        (
            "verify shapes".to_owned(),
            "shapes: expected the folder of a run, found no manifest.json in it",
        ),
        (
            "plot shape".to_owned(),
            "shape: expected the folder of a run, found nothing there; did you mean \"shapes\"?",
        ),
        (
            "verify train.py".to_owned(),
            "train.py: expected the folder of a run, found a file",
        ),
        (
            "interpolate --data rows.xlsx --model names.txt".to_owned(),
            "--data rows.xlsx: expected iris, hawks, seeds, - for standard input or a file whose name ends in .csv, .tsv, .tab, .data, .txt, found a spreadsheet; save the table as .csv",
        ),
        (
            "walk --landscape shapes".to_owned(),
            "--landscape shapes: expected the folder of a landscape of a finished run, found no landscape.safetensors in it",
        ),
    ] {
        if !expected.is_empty() {
            said(here, &line, expected);
        }
    }
}

/// Keeps the notes.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Observer for Notes {
    fn advance(&self, _done: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn note(&self, note: &Note) {
        self.0.lock().expect("notes").push(note.to_string());
    }
}

/// Images of 8 x 8 pixels and a model of three classes that nobody names.
#[test]
fn small_images_and_classes_without_names_are_told() {
    let folder = folder();
    let here = folder.path();
    for class in ["zero", "one", "two"] {
        for n in 0..3 {
            png(&here.join(format!("digits/{class}/{n}.png")), 8);
        }
    }
    let (kernel, bias) = (vec![0u8; 4 * 64 * 3], vec![0u8; 4 * 3]);
    let view = |shape, data| TensorView::new(Dtype::F32, shape, data).expect("a view");
    let tensors = [
        ("dense.kernel", view(vec![64, 3], &kernel)),
        ("dense.bias", view(vec![3], &bias)),
    ];
    let file = safetensors::serialize(tensors, None).expect("serialised");
    std::fs::write(here.join("own.safetensors"), file).expect("written");
    // A file alone has nothing to do with the bundled data and its names.
    let own = ["predict", "--model", "own.safetensors", "--engine", "cpu"];
    let alone = succeed(here, &[&own[..], &["digits/zero/0.png"]].concat());
    assert!(
        alone.stdout.starts_with("item,predicted,0,1,2\n"),
        "{}",
        alone.stdout
    );
    let numbered = "note: own.safetensors does not name its classes; they are numbered; name them with --class-names";
    assert!(alone.stderr.contains(numbered), "{}", alone.stderr);
    std::fs::write(here.join("rows.csv"), flowers(&["a", "b"])).expect("written");
    let table = [&own[..], &["rows.csv"]].concat();
    fail(
        here,
        &table,
        1,
        &[
            "rows.csv: expected an image, found a table",
            "--data rows.csv",
        ],
    );
    let named = [&own[..], &["--data", "digits", "digits/zero/0.png"]].concat();
    let named = succeed(here, &named);
    assert!(
        named.stdout.starts_with("item,predicted,one,two,zero\n"),
        "{}",
        named.stdout
    );
    // In cells of 3 x 3 pixels all images have the same feature points.
    let sweep = "sweep --model own.safetensors --data digits --groups 1 --steps 3 --figures none --engine cpu --grid";
    let sweep: Vec<&str> = sweep.split(' ').collect();
    let said = succeed(here, &[&sweep[..], &["2", "--out", "two"]].concat()).stderr;
    let crossed = "note: feature cells of 3 x 3 pixels have no point but their middle, so these morphs are cross-fades; give --grid 1";
    assert!(said.contains(crossed), "{said}");
    let said = succeed(here, &[&sweep[..], &["1", "--out", "one"]].concat()).stderr;
    assert!(!said.contains("cross-fades"), "{said}");
    // The usual 3 x 3 feature cells do not fit.
    let notes = Notes::default();
    let job = Job::Sweep(SweepJob {
        model: ModelSource::from(here.join("own.safetensors")),
        data: ImageSource::from(here.join("digits").display().to_string()),
        ..SweepJob::default()
    });
    let engine = Box::new(CpuEngine::new());
    Subject::load(job, engine, &notes).expect("it is explored");
    let notes = notes.0.into_inner().expect("notes");
    let small = "note: the images are small: morphs have 1 x 1 feature cells";
    assert_eq!(
        notes.iter().filter(|note| *note == small).count(),
        1,
        "{notes:?}"
    );
}

#[test]
fn items_in_the_place_of_a_file_of_triples_are_told_apart() {
    let folder = folder();
    let line = ["sweep", "--triples", "t10k#1,t10k#2,t10k#3"];
    fail(
        folder.path(),
        &line,
        2,
        &[
            "expected a file such as view.json",
            "dbviz:SEED, found items \"t10k#1,t10k#2,t10k#3\"",
        ],
    );
}

#[test]
fn of_a_run_its_landscapes_are_named() {
    let folder = folder();
    let here = folder.path();
    let sweep = "sweep --groups 1 --steps 3 --engine cpu --figures none --out imgs";
    succeed(here, &sweep.split(' ').collect::<Vec<_>>());
    for (line, expected) in [
        (
            "walk --landscape imgs",
            "--landscape imgs: expected the folder of a landscape of a finished run, found a whole run; name a landscape in it, such as imgs/1A.1",
        ),
        (
            "walk --landscape imgs/1",
            "--landscape imgs/1: expected the folder of a landscape of a finished run, found nothing there; did you mean \"1A.1\"?",
        ),
        (
            "plot imgs --landscape 9A.1",
            "--landscape 9A.1: expected one of the run's 6 landscapes, 1A.1 to 1B.3",
        ),
        (
            "verify imgs/1A.1",
            "imgs/1A.1: expected the folder of a run, found a part of one; give the run itself, imgs",
        ),
        (
            "sweep --groups 2 --steps 3 --engine cpu --figures none --out imgs",
            "imgs: the folder holds another run: --groups is 1 there and 2 now; use another --out, or --force to write over it",
        ),
        (
            "sweep --steps 3 --engine cpu --figures none --out imgs",
            "imgs: the folder holds another run: --groups is 1 there and the default now; use another --out, or --force to write over it",
        ),
    ] {
        said(here, line, expected);
    }
    // A model that is gone.
    let model = golden("../../models/fashion-mnist.safetensors");
    std::fs::copy(&model, here.join("m.safetensors")).expect("copied");
    let own =
        "sweep --groups 1 --steps 3 --engine cpu --figures none --model m.safetensors --out own";
    succeed(here, &own.split(' ').collect::<Vec<_>>());
    std::fs::remove_file(here.join("m.safetensors")).expect("removed");
    said(
        here,
        "verify own",
        "own: cannot compute it again: m.safetensors: expected a .keras, .h5, .safetensors, .onnx or model.json file, found nothing there; \
         give its model and data with --model and --data, or run this in the folder that the run was started from",
    );
}

#[test]
fn long_lists_are_cut() {
    let folder = home();
    let here = folder.path();
    let mut text = String::from("sepal_length,sepal_width,petal_length,petal_width,id\n");
    for n in 0..240 {
        text += &format!("5.1,3.5,1.4,0.2,{n}\n");
    }
    std::fs::write(here.join("ids.csv"), text).expect("written");
    #[cfg(feature = "onnx")]
    {
        // A model that does not name its classes.
        let model = golden("onnx/variant_clipped_softmax.onnx");
        let model = model.display().to_string();
        let rest = format!("--model {model} --engine cpu");
        said(
            here,
            &format!("predict iris#1 --data iris {rest} --class-names names.txt"),
            &format!(
                "{model}: expected 3 class names, one for each output, found 241: \
                 class 0, class 1, class 2, class 3, class 4, class 5, class 6, class 7, class 8, class 9 and 231 more; check --class-names"
            ),
        );
        said(
            here,
            &format!("predict --data ids.csv --label id {rest}"),
            &format!(
                "ids.csv with {model}: expected 3 classes, as the model has, found 240: \
                 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 230 more; is \"id\" the column of the classes? --label names another"
            ),
        );
    }
    let predict = "predict --data ids.csv --label id --model iris --engine cpu";
    fail(
        here,
        &predict.split(' ').collect::<Vec<_>>(),
        1,
        &[
            "column \"id\": expected one of the 3 classes",
            "if its classes are called otherwise in the list, --class-names gives theirs; if it is not the column of the classes, --label names another",
        ],
    );
}

#[test]
fn notes_say_what_was_done() {
    let folder = home();
    let here = folder.path();
    let table = flowers(&["setosa", "versicolor", "virginica"]);
    std::fs::write(here.join("gap.csv"), table.replacen("5.1", "", 1)).expect("written");
    std::fs::write(here.join("shapes/circle/notes.txt"), "").expect("written");
    let colour = image::RgbImage::from_fn(28, 28, |x, y| image::Rgb([x as u8, y as u8, 9]));
    colour.save(here.join("colour.png")).expect("written");
    for (line, note) in [
        (
            format!("predict --data gap.csv {TABLE}"),
            "note: gap.csv: skipped 1 row with a missing value, kept 8; skipped: ",
        ),
        (
            "predict shapes#0 --data shapes --resize 28x28 --match order --engine cpu".to_owned(),
            "note: shapes: skipped 1 file whose name does not end in .png, .jpg, .webp, .bmp, .gif, .tif, .pgm or .ppm\n",
        ),
        (
            "predict colour.png --engine cpu".to_owned(),
            "note: colour.png: converting coloured images to grey levels for the model: 0.299 R + 0.587 G + 0.114 B, as Pillow's convert(\"L\") does\n",
        ),
    ] {
        let run = succeed(here, &line.split(' ').collect::<Vec<_>>());
        assert!(run.stderr.contains(note), "{line}: {}", run.stderr);
    }
}
