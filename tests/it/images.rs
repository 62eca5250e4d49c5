//! Images of a user's own: folders, `.npz` and `.safetensors` files, against what numpy and
//! Pillow wrote (`tests/golden/images/make.py`).

use crate::common::golden;
use crate::program::{fail, folder, json, run, succeed};
use morphscape::data::{
    ClassMatch, Image, ImageSet, ImageSetOptions, Picture, Unreadable, fashion_mnist,
    read_image_set,
};
use std::path::Path;

fn read(file: &str, options: ImageSetOptions) -> ImageSet {
    let path = golden(&format!("images/{file}"));
    read_image_set(&path, &options).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn refused(path: &Path, options: ImageSetOptions) -> String {
    let error = read_image_set(path, &options).expect_err("refused");
    let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

const PLAIN: ImageSetOptions = ImageSetOptions {
    resize: None,
    white: None,
    images_key: None,
    labels_key: None,
    class_order: None,
    unreadable: Unreadable::Refuse,
};

fn image(set: &ImageSet, index: usize) -> Image {
    set.image(index).expect("readable")
}

#[test]
fn arrays_of_numpy_are_the_images_they_were_made_of() {
    let bundled = fashion_mnist();
    let set = read("bytes.npz", PLAIN);
    assert_eq!((set.len(), set.name()), (24, "bytes.npz"));
    assert!(!set.names_classes());
    for index in 0..24 {
        assert_eq!(set.label(index), bundled.label(index));
        assert_eq!(image(&set, index), image(&bundled, index));
    }
    assert_eq!(set.item_name(7), "bytes.npz#7");
    assert_eq!(set.index_of("bytes.npz#7").expect("an item"), 7);

    // As Keras names its arrays: [n, H, W, 1] floats up to 1 and labels [n, 1].
    let white = ImageSetOptions {
        white: Some(1.0),
        ..PLAIN
    };
    let set = read("floats.npz", white);
    assert_eq!(set.image_shape(), [28, 28, 1]);
    for index in 0..6 {
        assert_eq!(set.label(index), bundled.label(index));
        let (found, expected) = (image(&set, index), image(&bundled, index));
        for (found, expected) in found.levels.iter().zip(&expected.levels) {
            assert!((found - expected).abs() < 1e-4, "{found} for {expected}");
        }
    }
}

#[test]
fn a_tensor_file_names_its_classes_and_may_be_coloured() {
    let bundled = fashion_mnist();
    let set = read("colour.safetensors", PLAIN);
    assert_eq!(set.classes(), ["cat", "dog", "owl"]);
    assert_eq!(set.image_shape(), [28, 28, 3]);
    let grey = image(&bundled, 4).levels;
    let found = image(&set, 4).levels;
    for (rgb, grey) in found.chunks_exact(3).zip(grey) {
        assert_eq!(rgb, [grey, 255.0 - grey, (grey / 2.0).floor()]);
    }
    // By name the labels follow the model's order.
    let model: Vec<String> = ["Owl", "cat", "bird", "dog"].map(str::to_owned).to_vec();
    let label = set.label(4);
    let by_name = set
        .clone()
        .with_classes(&model, ClassMatch::Name)
        .expect("all known");
    assert_eq!(by_name.label(4), [1, 3, 0][label]);
    let by_order = set
        .clone()
        .with_classes(&model, ClassMatch::Order)
        .expect("enough");
    assert_eq!(by_order.label(4), label);
    let other = &model[..2];
    let error = set
        .clone()
        .with_classes(other, ClassMatch::Name)
        .expect_err("no dog");
    assert!(error.to_string().contains("class \"dog\""), "{error}");
    let error = set
        .with_classes(other, ClassMatch::Order)
        .expect_err("too few");
    assert!(error.to_string().contains("at most 2 classes"), "{error}");
}

#[test]
fn images_are_scaled_as_pillow_does_it() {
    let golden = json(golden("images/resized.json"));
    for size in [[14, 14], [40, 33], [28, 9]] {
        let [width, height] = size;
        let set = fashion_mnist().resized(size);
        assert_eq!(set.image_shape(), [height, width, 1]);
        let found = image(&set, 0);
        let rows = &golden["resized"][format!("{width}x{height}")];
        for (k, level) in found.levels.iter().enumerate() {
            let expected = rows[k / width][k % width].as_f64().expect("a level");
            assert!(
                (f64::from(*level) - expected).abs() < 0.02,
                "{size:?}, pixel {k}: expected {expected}, found {level}"
            );
        }
    }
}

/// A folder `photos` with `count` images a class, classes as in the bundled set's labels.
fn photos(root: &Path, classes: &[(&str, usize)], count: usize) {
    let bundled = fashion_mnist();
    for &(name, label) in classes {
        let folder = root.join("photos").join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let items = (0..bundled.len()).filter(|&index| bundled.label(index) == label);
        for index in items.take(count) {
            let png = Picture::from(&image(&bundled, index)).to_png();
            std::fs::write(folder.join(format!("{index}.png")), png).expect("written");
        }
    }
}

const THREE: [(&str, usize); 3] = [("Trouser", 1), ("bag", 8), ("Ankle boot", 9)];

#[test]
fn a_folder_is_a_set_with_a_class_a_sub_folder() {
    let folder = folder();
    photos(folder.path(), &THREE, 2);
    let root = folder.path().join("photos");
    std::fs::write(root.join("bag/notes.txt"), "not a picture").expect("written");
    std::fs::write(root.join("bag/.hidden.png"), "not a picture").expect("written");
    let set = read_image_set(&root, &PLAIN).expect("a set");
    assert_eq!(set.classes(), ["Ankle boot", "Trouser", "bag"]);
    assert_eq!(set.len(), 6);
    assert!(
        set.notes()
            .join(" ")
            .contains("skipped 1 file whose name does not end in .png"),
        "{:?}",
        set.notes()
    );
    let name = set.item_name(5);
    assert!(name.starts_with("photos#bag/"), "{name}");
    assert_eq!(set.index_of(&name).expect("an item"), 5);
    let item: usize = name
        .trim_start_matches("photos#bag/")
        .trim_end_matches(".png")
        .parse()
        .expect("a number");
    assert_eq!(image(&set, 5), image(&fashion_mnist(), item));
    // Numbers are in the order of text, as torchvision and Keras list folders.
    let numbers = folder.path().join("numbers");
    for name in ["10", "9", "2"] {
        std::fs::create_dir_all(numbers.join(name)).expect("a folder");
        let png = Picture::filled(4, 4, 1, 9).to_png();
        std::fs::write(numbers.join(name).join("x.png"), png).expect("written");
    }
    let set = read_image_set(&numbers, &PLAIN).expect("a set");
    assert_eq!(set.classes(), ["10", "2", "9"]);
}

#[test]
fn sizes_and_colours_that_differ_are_made_one_when_told_to() {
    let folder = folder();
    photos(folder.path(), &THREE, 2);
    let root = folder.path().join("photos");
    let colour = Picture::filled(20, 10, 3, 200);
    std::fs::write(root.join("bag/z.jpeg"), colour.to_jpeg(90)).expect("written");
    let message = refused(&root, PLAIN);
    for word in ["z.jpeg", "28 x 28", "10 x 20", "`resize`"] {
        assert!(message.contains(word), "{word} in {message}");
    }
    let options = ImageSetOptions {
        resize: Some([28, 28]),
        ..PLAIN
    };
    let set = read_image_set(&root, &options).expect("a set");
    assert_eq!(set.image_shape(), [28, 28, 3]);
    let grey = image(&set, 0);
    assert!(
        grey.levels
            .chunks_exact(3)
            .all(|rgb| rgb[0] == rgb[1] && rgb[1] == rgb[2])
    );
    let filled = image(&set, set.len() - 1);
    assert!(
        filled
            .levels
            .iter()
            .all(|level| (level - 200.0).abs() < 2.0)
    );
}

#[test]
fn arrays_that_do_not_fit_are_named_with_what_is_wrong() {
    let place = |file: &str| golden(&format!("images/{file}"));
    let check = |path: &Path, options: ImageSetOptions, words: &[&str]| {
        let message = refused(path, options);
        for word in words {
            assert!(message.contains(word), "expected \"{word}\" in: {message}");
        }
    };
    check(
        &place("floats.npz"),
        PLAIN,
        &["x_test", "up to 1", "`white` 1"],
    );
    let white = ImageSetOptions {
        white: Some(0.5),
        ..PLAIN
    };
    check(
        &place("floats.npz"),
        white.clone(),
        &["x_test", "grey levels 0..0.5", "position"],
    );
    check(&place("bytes.npz"), white, &["grey levels 0..0.5"]);
    assert_eq!(
        image(&read("fortran.npz", PLAIN), 2),
        image(&fashion_mnist(), 2),
        "rows or columns first"
    );
    check(
        &place("resized.json"),
        PLAIN,
        &["expected an .npz or .safetensors"],
    );
    let folder = folder();
    for (name, start) in [
        ("rows.xlsx", &b"PK\x03\x04"[..]),
        ("rows.xls", &[0xd0, 0xcf, 0x11, 0xe0]),
    ] {
        let sheet = folder.path().join(name);
        std::fs::write(&sheet, start).expect("written");
        check(
            &sheet,
            PLAIN,
            &["found a spreadsheet; save the table as .csv"],
        );
    }
    let bytes = std::fs::read(place("bytes.npz")).expect("a file");
    let broken = folder.path().join("broken.npz");
    for cut in [0, 1, 4, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&broken, &bytes[..cut]).expect("written");
        check(&broken, PLAIN, &["expected an .npz or .safetensors"]);
    }
    // A header that promises what is not there.
    let tensors = std::fs::read(place("colour.safetensors")).expect("a file");
    std::fs::write(&broken, &tensors[..tensors.len() - 1]).expect("written");
    check(&broken, PLAIN, &["expected an .npz or .safetensors"]);
    let other = crate::common::golden("iris_std_40.safetensors");
    check(
        &other,
        PLAIN,
        &[
            "\"images\" and \"labels\"",
            "dense_0.kernel",
            "`images_key`",
        ],
    );
}

#[test]
fn a_sweep_runs_on_a_folder_and_on_arrays() {
    let folder = folder();
    photos(folder.path(), &THREE, 3);
    let sweep = [
        "sweep",
        "--engine",
        "cpu",
        "--steps",
        "3",
        "--figures",
        "none",
    ];
    let with = |more: &[&str]| succeed(folder.path(), &[&sweep, more].concat());
    with(&["--data", "photos", "--out", "o"]);
    let manifest = json(folder.path().join("o/manifest.json"));
    let summary = std::fs::read_to_string(folder.path().join("o/summary.csv")).expect("a summary");
    assert!(summary.contains("photos#bag/"), "{summary}");
    assert!(
        summary.contains(",Bag,") || summary.contains(",Bag\n"),
        "the model's name: {summary}"
    );
    assert_eq!(manifest["plan"]["data"]["match"], "name");
    // The same items by name, out of the same images as arrays.
    let items: Vec<String> = ["Trouser", "bag", "Ankle boot"]
        .iter()
        .map(|class| {
            let files =
                std::fs::read_dir(folder.path().join("photos").join(class)).expect("a folder");
            let file = files.last().expect("a file").expect("an entry").file_name();
            format!("\"photos#{class}/{}\"", file.to_string_lossy())
        })
        .collect();
    let triples = format!(
        "{{\"triples\":[{{\"name\":\"t\",\"items\":[{}]}}]}}",
        items.join(",")
    );
    std::fs::write(folder.path().join("t.json"), triples).expect("written");
    with(&["--data", "photos", "--triples", "t.json", "--out", "p"]);
    let arrays = golden("images/bytes.npz");
    let arrays = arrays.to_str().expect("UTF-8");
    with(&["--data", arrays, "--groups", "1", "--out", "q"]);
    // A class that the model does not have.
    std::fs::rename(
        folder.path().join("photos/bag"),
        folder.path().join("photos/zebra"),
    )
    .expect("moved");
    fail(
        folder.path(),
        &["sweep", "--data", "photos", "--out", "never"],
        1,
        &["class \"zebra\"", "T-shirt/top", "--match order"],
    );
    with(&["--data", "photos", "--match", "order", "--out", "r"]);
    fail(
        folder.path(),
        &[
            "sweep", "-q", "--data", "photos", "--match", "order", "--resize", "20x20", "--out",
            "never",
        ],
        1,
        &["inputs of 28 x 28", "images are 20 x 20"],
    );
    fail(
        folder.path(),
        &["sweep", "--resize", "0x4"],
        2,
        &["--resize", "28x28"],
    );
    std::fs::write(folder.path().join("photos/zebra/bad.png"), "no picture").expect("written");
    fail(
        folder.path(),
        &[
            "sweep", "--data", "photos", "--match", "order", "--out", "never",
        ],
        1,
        &["bad.png", "expected a PNG, JPEG", "--skip-unreadable"],
    );
    assert!(!folder.path().join("never").exists());
    let predict = run(
        folder.path(),
        &["predict", "--data", "photos", "photos#Trouser/x.png"],
    );
    assert_eq!(predict.code, Some(1), "{}", predict.stderr);
}
