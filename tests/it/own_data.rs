//! Data as people have them, against what numpy, Pillow, pandas and scikit-learn read in them
//! (`tests/golden/data/make.py`): every type and order of arrays, every format of images, tables in
//! every dress, and the order of classes.

use crate::common::golden;
use crate::program::{self, fail, folder, json, run, succeed};
use base64::Engine as _;
use morphscape::data::{
    ClassOrder, Delimiter, Header, Image, ImageSet, ImageSetOptions, Picture, TableOptions,
    Unreadable, decode_image, read_image_file, read_image_set, read_table_with,
};
use serde_json::Value;
use std::path::Path;

fn data(file: &str) -> std::path::PathBuf {
    golden(&format!("data/{file}"))
}

/// Numbers of nested lists.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().expect("a number")],
    }
}

fn whole(value: &Value) -> Vec<usize> {
    numbers(value)
        .into_iter()
        .map(|number| number as usize)
        .collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("base64");
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .expect("base64")
}

fn levels(set: &ImageSet) -> Vec<f64> {
    (0..set.len())
        .flat_map(|index| set.image(index).expect("readable").levels)
        .map(f64::from)
        .collect()
}

fn labels(set: &ImageSet) -> Vec<usize> {
    (0..set.len()).map(|index| set.label(index)).collect()
}

#[track_caller]
fn near(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance,
            "{what}, value {at}: expected {expected}, found {found}"
        );
    }
}

fn keys(images: &str, labels: &str) -> ImageSetOptions {
    ImageSetOptions {
        images_key: Some(images.to_owned()),
        labels_key: Some(labels.to_owned()),
        ..ImageSetOptions::default()
    }
}

fn refused(path: &Path, options: &ImageSetOptions) -> String {
    let error = read_image_set(path, options).expect_err("refused");
    let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

const TYPES: [&str; 10] = ["u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"];

#[test]
fn arrays_of_every_type_and_order_are_the_same_images_and_labels() {
    let expected = json(data("kinds.json"));
    let (grey, label) = (numbers(&expected["grey"]), whole(&expected["labels"]));
    let npz = data("kinds.npz");
    for kind in TYPES {
        for order in ["<", ">"]
            .into_iter()
            .flat_map(|e| ["C", "F"].map(|o| (e, o)))
        {
            let name = format!("{}{kind} {}", order.0, order.1);
            let options = keys(&format!("images {name}"), &format!("labels {name}"));
            let set = read_image_set(&npz, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
            near(&levels(&set), &grey, 0.0, &name);
            assert_eq!(labels(&set), label, "{name}");
            assert!(set.notes().is_empty(), "{name}: {:?}", set.notes());
        }
    }
    let tensors = data("kinds.safetensors");
    for kind in TYPES {
        let options = keys(&format!("images {kind}"), &format!("labels {kind}"));
        let set = read_image_set(&tensors, &options).unwrap_or_else(|e| panic!("{kind}: {e}"));
        near(&levels(&set), &grey, 0.0, kind);
        assert_eq!(labels(&set), label, "{kind}");
    }
}

#[test]
fn what_is_black_and_white_is_so_and_other_levels_need_a_word() {
    let expected = json(data("kinds.json"));
    let grey = numbers(&expected["grey"]);
    let two: Vec<f64> = (grey.iter())
        .map(|&level| if level > 127.0 { 255.0 } else { 0.0 })
        .collect();
    let npz = data("kinds.npz");
    let label = "labels <i8 C";
    for (name, note) in [
        ("images |b1 C", "True is white"),
        ("images i1 0 and 1", "assuming 1 is white"),
        ("images u1 0 and 1", "assuming 1 is white"),
        ("images f8 0 and 1", "assuming 1 is white"),
    ] {
        let set = read_image_set(&npz, &keys(name, label)).expect(name);
        near(&levels(&set), &two, 0.0, name);
        assert!(
            set.notes().join(" ").contains(note),
            "{name}: {:?}",
            set.notes()
        );
    }
    let set = read_image_set(
        &data("kinds.safetensors"),
        &keys("images bool", "labels i8"),
    );
    near(&levels(&set.expect("truths")), &two, 0.0, "bool");
    // --white works for every type, and takes a word back.
    for (name, white, tolerance) in [
        ("images f4 up to 1", 1.0, 1e-4),
        ("images u2 up to 65535", 65535.0, 1e-4),
        ("images u2 up to 4095", 4095.0, 0.04),
        ("images <u1 C", 255.0, 0.0),
        ("images >i8 F", 255.0, 0.0),
    ] {
        let options = ImageSetOptions {
            white: Some(white),
            ..keys(name, label)
        };
        let set = read_image_set(&npz, &options).expect(name);
        near(&levels(&set), &grey, tolerance, name);
    }
    let dark = ImageSetOptions {
        white: Some(255.0),
        ..keys("images u1 0 and 1", label)
    };
    let set = read_image_set(&npz, &dark).expect("nearly black");
    assert!(levels(&set).iter().all(|&level| level <= 1.0) && set.notes().is_empty());
    for (name, words) in [
        ("images f4 up to 1", ["floats up to 1", "`white` 1"]),
        ("images u2 up to 65535", ["up to 65535", "`white` 65535"]),
        ("images u2 up to 4095", ["up to 4095", "`white` 4095"]),
    ] {
        let message = refused(&npz, &keys(name, label));
        for word in words {
            assert!(message.contains(word), "{message}");
        }
        assert!(!message.contains("astype"), "{message}");
    }
    let options = ImageSetOptions {
        white: Some(100.0),
        ..keys("images <u1 C", label)
    };
    assert!(refused(&npz, &options).contains("grey levels 0..100"));
}

#[test]
fn levels_far_below_white_are_said() {
    let set_of = |lightest: u8, white: Option<f64>| {
        let folder = folder();
        let head = |kind: u8, sizes: &[u32]| {
            let sizes = sizes.iter().flat_map(|size| size.to_be_bytes());
            [0, 0, 8, kind]
                .into_iter()
                .chain(sizes)
                .collect::<Vec<u8>>()
        };
        let levels = (0..2 * 8 * 8).map(|k| if k % 8 == 0 { lightest } else { k % 5 });
        let images: Vec<u8> = head(3, &[2, 8, 8]).into_iter().chain(levels).collect();
        let labels: Vec<u8> = head(1, &[2]).into_iter().chain([0, 1]).collect();
        std::fs::write(folder.path().join("t10k-images-idx3-ubyte"), images).expect("written");
        std::fs::write(folder.path().join("t10k-labels-idx1-ubyte"), labels).expect("written");
        let options = ImageSetOptions {
            white,
            ..ImageSetOptions::default()
        };
        read_image_set(folder.path(), &options).expect("a set")
    };
    // Digits of 17 levels, as scikit-learn's.
    let dark = set_of(16, None);
    let notes = dark.notes().join(" ");
    assert!(
        notes.contains("up to 16") && notes.contains("`white` 16"),
        "{notes}"
    );
    assert_eq!(levels(&dark)[0], 16.0);
    let told = set_of(16, Some(16.0));
    assert_eq!((levels(&told)[0], told.notes().len()), (255.0, 0));
    assert!(set_of(200, None).notes().is_empty());
    assert!(set_of(16, Some(255.0)).notes().is_empty());

    let folder = folder();
    for (class, level) in [("a", 16), ("b", 20)] {
        std::fs::create_dir(folder.path().join(class)).expect("a folder");
        png(&folder.path().join(class).join("1.png"), level);
    }
    let set = read_image_set(folder.path(), &ImageSetOptions::default()).expect("a set");
    let notes = set.notes().join(" ");
    assert!(notes.contains("no level beyond 8 % of white"), "{notes}");
}

#[test]
fn axes_and_labels_in_every_usual_shape() {
    let expected = json(data("kinds.json"));
    let (grey, label) = (numbers(&expected["grey"]), whole(&expected["labels"]));
    let colour = numbers(&expected["colour"]);
    let npz = data("kinds.npz");
    let plain = "labels <i8 C";
    for (name, levels_of, note) in [
        ("images 1HW", &grey, "[n, C, H, W]"),
        ("images HW1", &grey, ""),
        ("colour HWC F", &colour, ""),
        ("colour HWC with alpha", &colour, "alpha"),
    ] {
        let set = read_image_set(&npz, &keys(name, plain)).expect(name);
        near(&levels(&set), levels_of, 0.0, name);
        let notes = set.notes().join(" ");
        assert!(
            notes.contains(note) && (note.is_empty() == notes.is_empty()),
            "{name}: {notes}"
        );
    }
    // 5 images of 3 x 2 pixels: both ends could be channels, and the last one wins, with a note.
    let set = read_image_set(&npz, &keys("colour both ends", plain)).expect("colour");
    assert_eq!(set.image_shape(), [3, 2, 3]);
    assert!(set.notes().join(" ").contains("[n, H, W, C]"));
    for name in ["colour HWC", "colour CHW", "colour CHW contiguous"] {
        let set = read_image_set(&npz, &keys(name, plain)).expect(name);
        near(&levels(&set), &colour, 0.0, name);
    }
    for name in ["labels n1", "labels one-hot", "labels one-hot bool F"] {
        let set = read_image_set(&npz, &keys("images <u1 C", name)).expect(name);
        assert_eq!(labels(&set), label, "{name}");
        assert!(!set.names_classes());
        let hot = name.contains("hot");
        assert_eq!(set.classes().len(), if hot { 4 } else { 3 }, "{name}");
    }
    for (name, expected) in expected["texts"].as_object().expect("texts") {
        let set = read_image_set(&npz, &keys("images <u1 C", name)).expect(name);
        assert_eq!(
            serde_json::json!(set.classes()),
            expected["classes"],
            "{name}"
        );
        assert_eq!(labels(&set), whole(&expected["labels"]), "{name}");
        assert!(set.names_classes() && set.class_order() == Some(ClassOrder::Text));
    }
    for (name, words) in [
        ("labels two ones", ["one-hot", "2 ones"]),
        ("labels halves", ["whole class numbers", "2.5"]),
        ("labels objects", ["Python objects", "astype(\"U\")"]),
    ] {
        let message = refused(&npz, &keys("images <u1 C", name));
        for word in words {
            assert!(message.contains(word), "{name}: {message}");
        }
    }
    let message = refused(&npz, &keys("images <u1 C", "nothing"));
    assert!(message.contains("`labels_key` nothing"), "{message}");
    let order = ImageSetOptions {
        class_order: Some(ClassOrder::Number),
        ..keys("images <u1 C", "labels <i8 C")
    };
    assert!(refused(&npz, &order).contains("leave `class_order` out"));
}

#[test]
fn idx_files_of_every_type() {
    let all = json(data("idx.json"));
    let expected = whole(&json(data("kinds.json"))["labels"]);
    for (kind, file) in all.as_object().expect("types") {
        for names in [
            ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
            [
                "kmnist.test-images.idx3-ubyte",
                "kmnist.test-labels.idx1-ubyte",
            ],
        ] {
            let folder = folder();
            std::fs::write(folder.path().join(names[0]), bytes(&file["images"])).expect("written");
            std::fs::write(folder.path().join(names[1]), bytes(&file["labels"])).expect("written");
            let set = read_image_set(folder.path(), &ImageSetOptions::default())
                .unwrap_or_else(|error| panic!("{kind}: {error}"));
            near(&levels(&set), &numbers(&file["levels"]), 0.0, kind);
            assert_eq!(labels(&set), expected, "{kind}");
        }
    }
    // As Kaggle packs them: each file in a folder of its name.
    let folder = folder();
    for (name, part) in [
        ("t10k-images-idx3-ubyte", "images"),
        ("t10k-labels-idx1-ubyte", "labels"),
    ] {
        let inside = folder.path().join(name);
        std::fs::create_dir(&inside).expect("a folder");
        std::fs::write(inside.join(name), bytes(&all["u1"][part])).expect("written");
    }
    let set = read_image_set(folder.path(), &ImageSetOptions::default()).expect("a set");
    assert_eq!((set.name(), set.len()), ("t10k", 5));
    // Of several sets none is taken unasked.
    for name in ["a", "b"] {
        let of = |part: &str| folder.path().join(format!("{name}-{part}-ubyte"));
        std::fs::write(of("images-idx3"), bytes(&all["u1"]["images"])).expect("written");
        std::fs::write(of("labels-idx1"), bytes(&all["u1"]["labels"])).expect("written");
    }
    assert_eq!(
        read_image_set(folder.path(), &ImageSetOptions::default())
            .expect("t10k")
            .name(),
        "t10k"
    );
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        std::fs::remove_dir_all(folder.path().join(name)).expect("removed");
    }
    assert!(refused(folder.path(), &ImageSetOptions::default()).contains("found a, b"));
}

#[test]
fn pictures_of_every_format_are_what_pillow_reads() {
    let all = json(data("pictures.json"));
    for picture in all["pictures"].as_array().expect("pictures") {
        let name = picture["name"].as_str().expect("a name");
        let image = decode_image(&bytes(&picture["content"])).unwrap_or_else(|error| {
            panic!("{name}: {error}: {:?}", std::error::Error::source(&error))
        });
        assert_eq!(
            serde_json::json!([image.width_px, image.height_px]),
            picture["size"],
            "{name}"
        );
        assert_eq!(
            serde_json::json!(image.channels),
            picture["channels"],
            "{name}"
        );
        let found: Vec<f64> = image.levels.iter().map(|&level| level.into()).collect();
        let tolerance = picture["tolerance"].as_f64().expect("a number");
        near(
            &found,
            &numbers(&picture["levels"]),
            tolerance.max(1e-4),
            name,
        );
    }
    let grey = &all["grey_of_rgb"];
    let image = Image {
        width_px: 7,
        height_px: 5,
        channels: 3,
        levels: numbers(&grey["rgb"])
            .into_iter()
            .map(|level| level as f32)
            .collect(),
    };
    let found: Vec<f64> = image
        .with_channels(1)
        .levels
        .into_iter()
        .map(f64::from)
        .collect();
    near(&found, &numbers(&grey["grey"]), 0.0, "convert(\"L\")");
    // Levels that do not say which of them is white, or that the library would take for others.
    for (file, words) in [
        ("floats.tif", "found floats"),
        ("signed.tif", "found signed ones"),
        ("long.tif", "found signed ones"),
    ] {
        let error = read_image_file(&data(file), None)
            .expect_err("refused")
            .to_string();
        assert!(error.contains(words), "{file}: {error}");
    }
}

#[test]
fn tables_in_every_dress_are_what_pandas_reads() {
    let all = json(data("tables.json"));
    for table in all.as_array().expect("tables") {
        let what = table["what"].as_str().expect("a text");
        let features = table["options"]["features"].as_str();
        let options = TableOptions {
            features: features.map(str::to_owned).into_iter().collect(),
            header: match table["options"]["no_header"].is_null() {
                true => Header::Names,
                false => Header::Missing,
            },
            ..TableOptions::default()
        };
        let label = table["label"].as_str().expect("a text");
        let found = read_table_with("t", &bytes(&table["content"]), label, &options)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(
            serde_json::json!(found.features()),
            table["features"],
            "{what}"
        );
        let values: Vec<f64> = found.values().iter().map(|&value| value.into()).collect();
        let expected: Vec<f64> = numbers(&table["values"])
            .into_iter()
            .map(|v| f64::from(v as f32))
            .collect();
        near(&values, &expected, 0.0, what);
        assert_eq!(found.labels(), whole(&table["labels"]), "{what}");
        assert_eq!(
            serde_json::json!(found.classes().len()),
            table["classes"],
            "{what}"
        );
        // Rows have the numbers that pandas gives them, those left out included.
        let index: Vec<usize> = (0..found.len()).map(|row| found.index(row)).collect();
        assert_eq!(index, whole(&table["index"]), "{what}");
    }
}

#[test]
fn classes_stand_in_the_order_asked_for() {
    let content = b"a,kind\n1,10\n2,9\n3,100\n4,1\n";
    let order = |order| {
        let options = TableOptions {
            class_order: order,
            ..TableOptions::default()
        };
        read_table_with("t", content, "kind", &options)
            .expect("a table")
            .classes()
            .to_vec()
    };
    assert_eq!(order(None), ["1", "9", "10", "100"]);
    assert_eq!(order(Some(ClassOrder::Number)), ["1", "9", "10", "100"]);
    assert_eq!(order(Some(ClassOrder::Text)), ["1", "10", "100", "9"]);
    assert_eq!(order(Some(ClassOrder::Appearance)), ["10", "9", "100", "1"]);
    let options = TableOptions {
        class_order: Some(ClassOrder::Number),
        ..TableOptions::default()
    };
    let error =
        read_table_with("t", b"a,kind\n1,10\n2,9\n3,x\n", "kind", &options).expect_err("no number");
    assert!(error.to_string().contains("found \"x\""), "{error}");
}

#[test]
fn what_separates_cells_is_found_or_told() {
    let read = |text: &str, delimiter| {
        let options = TableOptions {
            delimiter,
            ..TableOptions::default()
        };
        read_table_with("t", text.as_bytes(), "kind", &options)
    };
    let found = |text: &str| read(text, None).expect("a table");
    // The label tells, not the number of cells: a name may hold other separators.
    let table = found("\"a;b;c;d\",kind\n1,x\n2,y\n3,z\n");
    assert_eq!(
        (table.delimiter(), table.features()),
        (Delimiter::COMMA, &["a;b;c;d".to_owned()][..])
    );
    assert!(table.notes().is_empty());
    let table = found("sep=;\na;kind\n1,5;x\n2;y\n3;z\n");
    assert_eq!(table.delimiter(), Delimiter::Character(b';'));
    assert_eq!(table.values(), [1.5, 2.0, 3.0]);
    assert_eq!(table.line(0), 3);
    let notes = table.notes().join(" ");
    assert!(
        notes.contains("semicolons") && notes.contains("1,5 on line 3"),
        "{notes}"
    );
    let table = read("a:kind\n1:x\n2:y\n3:z\n", Delimiter::named(":")).expect("told");
    assert_eq!(table.values(), [1.0, 2.0, 3.0]);
    // What may be a thousand is not read beside points.
    let error = read("a;b;kind\n1,234;1.5;x\n2;3;y\n3;4;z\n", None).expect_err("both");
    assert!(
        error
            .to_string()
            .contains("1,234 on line 2 and 1.5 on line 2"),
        "{error}"
    );
    for text in [
        "a;kind\n1.234,5;x\n2;y\n3;z\n",
        "a;kind\n1,234,5;x\n2;y\n3;z\n",
        "a,kind\n\"1,5\",x\n2,y\n3,z\n",
    ] {
        let error = read(text, None).expect_err(text).to_string();
        assert!(error.contains("expected a number"), "{error}");
    }
    for text in ["\"", "5", "a", ".", "-", "", ",,", "é"] {
        assert!(Delimiter::named(text).is_none(), "{text}");
    }
}

#[test]
fn rows_that_are_left_out_are_named_and_the_others_keep_their_numbers() {
    let text = b"a,kind\n1,x\n,y\n3,z\n4,y\nNA,z\n6,x\n";
    let table = read_table_with("rows", text, "kind", &TableOptions::default()).expect("a table");
    assert_eq!(table.left_out_text(), "rows#1 (line 3), rows#4 (line 6)");
    let names: Vec<String> = (0..4).map(|row| table.item_name(row)).collect();
    assert_eq!(names, ["rows#0", "rows#2", "rows#3", "rows#5"]);
    assert_eq!(table.index_of("rows#5").expect("the last"), 3);
    let error = table.index_of("rows#4").expect_err("left out").to_string();
    assert!(error.contains("rows#4 was left out: on line 6"), "{error}");
    let error = table
        .index_of("rows#6")
        .expect_err("no such row")
        .to_string();
    assert!(
        error.contains("out of range: the last row is rows#5"),
        "{error}"
    );
}

/// A PNG of one level.
fn png(path: &Path, level: u8) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    let picture = morphscape::data::Picture::filled(4, 4, 1, level);
    std::fs::write(path, picture.to_png()).expect("written");
}

#[test]
fn folders_are_the_classes_that_image_folder_trains_on() {
    let folder = folder();
    let root = folder.path().join("set");
    for (place, level) in [
        ("10/x.png", 10),
        ("9/x.png", 9),
        ("2/deep/er/x.png", 2),
        ("2/a.png", 1),
        ("__MACOSX/2/x.png", 99),
        ("@eaDir/x.png", 99),
        (".git/x.png", 99),
        ("2/@eaDir/x.png", 99),
    ] {
        png(&root.join(place), level);
    }
    std::fs::create_dir_all(root.join("empty/er")).expect("made");
    let read = |options: &ImageSetOptions| read_image_set(&root, options).expect("a set");
    let set = read(&ImageSetOptions::default());
    assert_eq!(
        set.classes(),
        ["10", "2", "9"],
        "sorted as text, as sorted() does in Python"
    );
    let names: Vec<String> = (0..set.len()).map(|index| set.item_name(index)).collect();
    assert_eq!(
        names,
        [
            "set#10/x.png",
            "set#2/a.png",
            "set#2/deep/er/x.png",
            "set#9/x.png"
        ]
    );
    assert_eq!(labels(&set), [0, 1, 1, 2]);
    assert!(
        set.notes().join(" ").contains("no classes: empty"),
        "{:?}",
        set.notes()
    );
    let numbers = ImageSetOptions {
        class_order: Some(ClassOrder::Number),
        ..ImageSetOptions::default()
    };
    let set = read(&numbers);
    assert_eq!(set.classes(), ["2", "9", "10"]);
    assert_eq!(labels(&set), [0, 0, 1, 2]);
    let message = |order| {
        refused(
            &root,
            &ImageSetOptions {
                class_order: Some(order),
                ..ImageSetOptions::default()
            },
        )
    };
    assert!(message(ClassOrder::Appearance).contains("text or number"));
    png(&root.join("cat/x.png"), 3);
    assert!(message(ClassOrder::Number).contains("found \"cat\""));
    // Parts of a set are no classes.
    let parts = folder.path().join("parts");
    png(&parts.join("train/cat/x.png"), 3);
    png(&parts.join("Test/cat/x.png"), 3);
    let message = refused(&parts, &ImageSetOptions::default());
    assert!(message.contains("parts Test, train"), "{message}");
    // Nor are pictures without a class.
    let flat = folder.path().join("flat");
    png(&flat.join("a.png"), 3);
    let message = refused(&flat, &ImageSetOptions::default());
    assert!(
        message.contains("1 image file in the folder itself; give the folder above it"),
        "{message}"
    );
}

#[test]
fn unreadable_files_are_named_or_skipped() {
    let folder = folder();
    let root = folder.path().join("set");
    for place in ["a/0.png", "b/0.png", "c/0.png", "c/1.png"] {
        png(&root.join(place), 7);
    }
    let good = std::fs::read(root.join("c/1.png")).expect("a file");
    // One that is none, and one whose header is whole.
    std::fs::write(root.join("a/1.jpg"), "<html>").expect("written");
    std::fs::write(root.join("c/1.png"), &good[..good.len() - 20]).expect("written");
    let message = refused(&root, &ImageSetOptions::default());
    assert!(
        message.contains("1.jpg") && message.contains("`skip_unreadable`"),
        "{message}"
    );
    let options = ImageSetOptions {
        unreadable: Unreadable::Skip,
        ..ImageSetOptions::default()
    };
    let set = read_image_set(&root, &options).expect("a set");
    assert_eq!(set.len(), 3);
    let notes = set.notes().join(" ");
    assert!(
        notes.contains("skipped 2 unreadable")
            && notes.contains("1.jpg")
            && notes.contains("1.png"),
        "{notes}"
    );
    assert!((0..3).all(|index| set.image(index).is_ok()));
    // Where no file of a class can be read, it is none.
    std::fs::write(root.join("b/0.png"), "<html>").expect("written");
    let set = read_image_set(&root, &options).expect("a set");
    assert_eq!(set.classes(), ["a", "c"]);
}

#[test]
fn files_of_other_kinds_say_how_they_get_here() {
    let folder = folder();
    for (start, words) in [
        (&b"\x93NUMPY\x01\0"[..], ["single array", "numpy.savez"]),
        (b"\x89HDF\r\n\x1a\n", ["HDF5", "numpy.savez"]),
        (b"\x80\x04\x95\0\0\0\0\0", ["pickle", "numpy.savez"]),
        (b"PAR1\0\0\0\0", ["Parquet", "numpy.savez"]),
        (b"\x1f\x8b\x08\0\0\0\0\0", ["gzipped", "unpack"]),
        (b"\xff\xd8\xff\xe0\0\0\0\0", ["a picture", "folder"]),
    ] {
        let path = folder.path().join("file");
        std::fs::write(&path, start).expect("written");
        let message = refused(&path, &ImageSetOptions::default());
        for word in words {
            assert!(message.contains(word), "{message}");
        }
    }
}

/// `predict` prints the item, the class and a value an output.
fn predicted(folder: &Path, arguments: &[&str]) -> (Vec<String>, String) {
    let arguments = [&["predict", "--engine", "cpu"], arguments].concat();
    let run = succeed(folder, &arguments);
    (run.stdout.lines().map(str::to_owned).collect(), run.stderr)
}

#[test]
fn columns_are_found_by_name_and_said() {
    let folder = folder();
    let place = folder.path().join("rows.csv");
    let iris = "petal_length,petal_width,sepal_length,sepal_width,species\n1.4,0.2,5.1,3.5,setosa\n4.7,1.4,7.0,3.2,versicolor\n6.0,2.5,6.3,3.3,virginica\n";
    std::fs::write(&place, iris).expect("written");
    let arguments = [
        "--data", "rows.csv", "--label", "species", "--model", "iris",
    ];
    let (lines, said) = predicted(folder.path(), &arguments);
    let classes = |lines: &[String]| -> Vec<String> {
        let cells = lines[1..]
            .iter()
            .map(|line| line.split(',').nth(1).expect("a class").to_owned());
        cells.collect()
    };
    assert_eq!(classes(&lines), ["setosa", "versicolor", "virginica"]);
    assert!(
        said.contains("sepal_length, sepal_width, petal_length, petal_width"),
        "{said}"
    );
    // The same numbers as in the model's order, however the columns are asked for.
    let straight = "sepal_length,sepal_width,petal_length,petal_width,species\n5.1,3.5,1.4,0.2,setosa\n7.0,3.2,4.7,1.4,versicolor\n6.3,3.3,6.0,2.5,virginica\n";
    std::fs::write(folder.path().join("straight.csv"), straight).expect("written");
    let (expected, said) = predicted(
        folder.path(),
        &[
            "--data",
            "straight.csv",
            "--label",
            "species",
            "--model",
            "iris",
        ],
    );
    assert!(!said.contains("columns"), "{said}");
    let values = |lines: &[String]| -> Vec<String> {
        lines[1..]
            .iter()
            .map(|line| line.split_once(',').expect("cells").1.to_owned())
            .collect()
    };
    assert_eq!(values(&lines), values(&expected));
    let (asked, _) = predicted(
        folder.path(),
        &[
            &arguments[..],
            &[
                "--features",
                "petal_width,sepal_width,petal_length,sepal_length",
            ],
        ]
        .concat(),
    );
    assert_eq!(values(&asked), values(&expected));
    // Other columns are not read, whatever they hold.
    let more = iris
        .replace("species\n", "species,note\n")
        .replace("setosa\n", "setosa,first\n")
        .replace("color\n", "color,second\n")
        .replace("virginica\n", "virginica,third\n");
    std::fs::write(&place, more).expect("written");
    assert_eq!(
        values(&predicted(folder.path(), &arguments).0),
        values(&expected)
    );
    // A name that is missing while others stand elsewhere cannot be guessed.
    std::fs::write(&place, iris.replace("petal_width", "PW")).expect("written");
    fail(
        folder.path(),
        &[&["predict", "--engine", "cpu"], &arguments[..]].concat(),
        1,
        &["sepal_length", "--features"],
    );
    let interpolate = [
        "interpolate",
        "--engine",
        "cpu",
        "--groups",
        "1",
        "--steps",
        "3",
        "--figures",
        "none",
    ];
    fail(
        folder.path(),
        &[&interpolate[..], &arguments[..]].concat(),
        1,
        &["sepal_length", "--features"],
    );
}

#[test]
fn columns_that_are_inputs_of_their_own_are_found_by_name() {
    let folder = folder();
    let model = golden("onnx/variant_probabilities_of_columns.onnx");
    let model = model.to_str().expect("a path");
    let arguments = ["--label", "kind", "--model", model, "--data"];
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    let straight = "sepal length (cm),width,petal,years,kind\n0.5,-1.2,0.3,1,a\n1.4,0.1,2.0,-1,b\n-0.2,0.7,-1.5,0,c\n";
    write("straight.csv", straight);
    let (expected, said) = predicted(folder.path(), &[&arguments[..], &["straight.csv"]].concat());
    assert_eq!(expected.len(), 4);
    assert!(!said.contains("putting the columns"), "{said}");
    write(
        "other.csv",
        "years,petal,note,sepal length (cm),width,kind\n1,0.3,x,0.5,-1.2,a\n-1,2.0,y,1.4,0.1,b\n0,-1.5,z,-0.2,0.7,c\n",
    );
    let (found, said) = predicted(folder.path(), &[&arguments[..], &["other.csv"]].concat());
    let values = |lines: &[String]| -> Vec<String> {
        let lines = lines[1..].iter();
        lines
            .map(|line| line.split_once(',').expect("cells").1.to_owned())
            .collect()
    };
    assert_eq!(values(&found), values(&expected));
    assert!(
        said.contains("sepal length (cm), width, petal, years"),
        "{said}"
    );
}

#[test]
fn options_that_change_numbers_are_in_the_plan() {
    let folder = folder();
    for class in ["1", "2", "10"] {
        for index in 0..3 {
            png(
                &folder.path().join(format!("set/{class}/{index}.png")),
                60 * index + 20,
            );
        }
    }
    let sweep = [
        "sweep",
        "--engine",
        "cpu",
        "--groups",
        "1",
        "--steps",
        "3",
        "--grid",
        "1",
        "--figures",
        "none",
        "--data",
        "set",
        "--resize",
        "28x28",
        "--match",
        "order",
    ];
    let first = succeed(folder.path(), &sweep);
    assert!(
        first
            .stderr
            .contains("1 is T-shirt/top, 10 is Trouser, 2 is Pullover"),
        "{}",
        first.stderr
    );
    let plan = json(folder.path().join("morphscape-sweep/manifest.json"))["plan"].clone();
    assert_eq!(plan["class_order"], "text");
    succeed(folder.path(), &sweep);
    let other = run(
        folder.path(),
        &[&sweep[..], &["--class-order", "number"]].concat(),
    );
    assert_eq!(other.code, Some(1), "{}", other.stderr);
    assert!(
        other.stderr.contains("--class-order is "),
        "{}",
        other.stderr
    );
    let skip = run(
        folder.path(),
        &[&sweep[..], &["--skip-unreadable"]].concat(),
    );
    assert!(
        skip.code == Some(1)
            && skip
                .stderr
                .contains("--skip-unreadable is not set there and set now"),
        "{}",
        skip.stderr
    );
    succeed(
        folder.path(),
        &["verify", "morphscape-sweep", "--engine", "cpu"],
    );
    // Of rows, too.
    let rows: String = (0..12).map(|i| format!("{i};{}\n", i % 4)).collect();
    std::fs::write(
        folder.path().join("rows.csv"),
        format!("sepal_length;kind\n{rows}"),
    )
    .expect("written");
    let four = "sepal_length;sepal_width;petal_length;petal_width;species\n5,1;3,5;1,4;0,2;setosa\n7,0;3,2;4,7;1,4;versicolor\n6,3;3,3;6,0;2,5;virginica\n";
    std::fs::write(folder.path().join("iris.txt"), four).expect("written");
    let interpolate = [
        "interpolate",
        "--engine",
        "cpu",
        "--groups",
        "1",
        "--steps",
        "3",
        "--figures",
        "none",
        "--data",
        "iris.txt",
        "--label",
        "species",
        "--model",
        "iris",
    ];
    let said = succeed(folder.path(), &interpolate).stderr;
    assert!(
        said.contains("semicolons") && said.contains("decimal commas"),
        "{said}"
    );
    let plan = json(folder.path().join("morphscape-interpolate/manifest.json"))["plan"].clone();
    assert_eq!(plan["delimiter"], "semicolon");
    assert_eq!(plan["class_order"], "text");
    succeed(
        folder.path(),
        &["verify", "morphscape-interpolate", "--engine", "cpu"],
    );
    let other = run(
        folder.path(),
        &[&interpolate[..], &["--class-order", "appearance"]].concat(),
    );
    assert!(
        other.code == Some(1) && other.stderr.contains("--class-order is "),
        "{}",
        other.stderr
    );
}

#[test]
fn a_table_comes_on_standard_input_too() {
    use std::io::Write;
    use std::process::Stdio;
    let folder = folder();
    let table = "sepal_length\tsepal_width\tpetal_length\tpetal_width\tspecies\n5.1\t3.5\t1.4\t0.2\tsetosa\n7\t3.2\t4.7\t1.4\tversicolor\n6.3\t3.3\t6\t2.5\tvirginica\n";
    let arguments = [
        "predict", "--engine", "cpu", "--data", "-", "--label", "species", "--model", "iris",
    ];
    let mut child = program::command(folder.path(), &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(table.as_bytes())
        .expect("written");
    let run = program::finished(child.wait_with_output().expect("finished"));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("stdin#2,virginica"), "{}", run.stdout);
}

#[test]
fn single_files_are_read_as_items_are() {
    let folder = folder();
    let grey = morphscape::data::fashion_mnist()
        .image(0)
        .expect("an image");
    let colour = morphscape::data::Picture::from(&grey.clone().with_channels(3));
    std::fs::write(
        folder.path().join("grey.png"),
        morphscape::data::Picture::from(&grey).to_png(),
    )
    .expect("written");
    std::fs::write(folder.path().join("colour.png"), colour.to_png()).expect("written");
    let wide = morphscape::data::Picture::from(&grey.clone().fitted([56, 56, 3]));
    std::fs::write(folder.path().join("wide.png"), wide.to_png()).expect("written");
    let values = |items: &[&str]| {
        let (lines, said) = predicted(folder.path(), items);
        let cells: Vec<f64> = lines[1]
            .split(',')
            .skip(2)
            .map(|cell| cell.parse().expect("a number"))
            .collect();
        (cells, said)
    };
    let (expected, said) = values(&["t10k#0"]);
    assert!(!said.contains("grey"), "{said}");
    let (found, said) = values(&["colour.png"]);
    near(&found, &expected, 1e-6, "colour");
    assert!(said.contains("0.299 R"), "{said}");
    assert_eq!(values(&["grey.png"]).0, expected);
    fail(
        folder.path(),
        &["predict", "--engine", "cpu", "wide.png"],
        1,
        &["56"],
    );
    let (found, _) = values(&["--resize", "28x28", "wide.png"]);
    near(&found, &expected, 0.2, "scaled");
}

#[test]
fn the_sign_of_items_may_stand_in_names() {
    let folder = folder();
    let npz = std::fs::read(data("kinds.npz")).expect("a file");
    std::fs::write(folder.path().join("set#1.npz"), npz).expect("written");
    let set = read_image_set(
        &folder.path().join("set#1.npz"),
        &keys("images <u1 C", "labels <i8 C"),
    )
    .expect("a set");
    for index in 0..set.len() {
        assert_eq!(
            set.index_of(&set.item_name(index)).expect("its own name"),
            index
        );
    }
    let root = folder.path().join("a#b");
    for place in ["x#1/0#.png", "y/0.png", "z/#.png"] {
        png(&root.join(place), 3);
    }
    let set = read_image_set(&root, &ImageSetOptions::default()).expect("a set");
    for index in 0..3 {
        assert_eq!(
            set.index_of(&set.item_name(index)).expect("its own name"),
            index
        );
    }
    for name in ["a#b", "a#b#", "a", "a#0", "b#0", "a#b#3", "a#b#x"] {
        assert!(set.index_of(name).is_err(), "{name}");
    }
}

#[test]
fn threads_are_no_more_than_the_machine_has_a_use_for() {
    let folder = folder();
    let predict = ["predict", "--engine", "cpu", "t10k#0"];
    let output = program::command(folder.path(), &predict)
        .env("RAYON_NUM_THREADS", "100000")
        .output()
        .expect("started");
    let run = program::finished(output);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("RAYON_NUM_THREADS asks for 100000 threads; using"),
        "{}",
        run.stderr
    );
    let many = succeed(
        folder.path(),
        &["--jobs", "1024", "predict", "--engine", "cpu", "t10k#0"],
    );
    assert!(
        many.stderr
            .contains("--threads asks for 1024 threads; using"),
        "{}",
        many.stderr
    );
    assert_eq!(many.stdout, run.stdout);
    assert_eq!(succeed(folder.path(), &predict).stderr, "");
}

/// Picture files of 0 and 1 are black and white, as arrays of them are, unless another level is said
/// to be white.
#[test]
fn pictures_of_0_and_1_are_black_and_white() {
    let folder = folder();
    let root = folder.path().join("masks");
    for (n, class) in ["Bag", "Coat", "Trouser"].into_iter().enumerate() {
        std::fs::create_dir_all(root.join(class)).expect("a folder");
        for k in 0..2 {
            let mut picture = Picture::filled(28, 28, 1, 0);
            let lit = 3 * n + k + 5;
            picture.levels[..28 * lit].fill(1);
            std::fs::write(root.join(class).join(format!("{k}.png")), picture.to_png())
                .expect("written");
        }
    }
    let read = |white| {
        let options = ImageSetOptions {
            white,
            ..ImageSetOptions::default()
        };
        read_image_set(&root, &options).expect("a set")
    };
    let set = read(None);
    assert!(
        set.notes()
            .iter()
            .any(|note| note.contains("assuming 1 is white"))
    );
    assert_eq!(set.image(0).expect("an image").levels[0], 255.0);
    assert_eq!(read(Some(255.0)).image(0).expect("an image").levels[0], 1.0);
    // A file by itself, and one among others that is none of them.
    let said = succeed(
        folder.path(),
        &["predict", "masks/Bag/0.png", "--engine", "cpu"],
    );
    assert!(
        said.stderr.contains("assuming 1 is white"),
        "{}",
        said.stderr
    );
    let grey = Picture::filled(28, 28, 1, 7);
    std::fs::write(root.join("Bag/0.png"), grey.to_png()).expect("written");
    assert_eq!(read(None).image(1).expect("an image").levels[0], 1.0);
}

/// A PNM file is scaled by the largest level that it states: another one is refused, since the levels
/// are no longer the file's own.
#[test]
fn a_pnm_file_states_its_own_white() {
    let folder = folder();
    let written = |name: &str, largest: &str| {
        let path = folder.path().join(name);
        let header = format!("P5\n# a comment\n4 1\n{largest}\n");
        std::fs::write(&path, [header.as_bytes(), &[0, 50, 100, 100]].concat()).expect("written");
        path
    };
    let scaled = written("scaled.pgm", "100");
    let levels = read_image_file(&scaled, None).expect("an image").levels;
    assert_eq!(levels[3], 255.0);
    let refused = read_image_file(&scaled, Some(200.0)).expect_err("it states 100");
    assert!(refused.to_string().contains("states its own"), "{refused}");
    let plain = written("plain.pgm", "255");
    let levels = read_image_file(&plain, Some(100.0))
        .expect("an image")
        .levels;
    assert_eq!(levels[3], 255.0);
}
