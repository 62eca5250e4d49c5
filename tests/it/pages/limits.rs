//! Limits that pages state are the constants of the code. Most are private to their modules, so they are
//! read from the sources.

use super::{Page, root};

/// Where a limit stands, and the constant that it is: `{}` is its number, `{KiB}` and so on the same in
/// powers of 1,024, `{^}` its logarithm.
const LIMITS: &[(&str, &str, &str, &str)] = &[
    (
        "docs/limits.md",
        "| IDX, gzipped or not | {GiB} |",
        "src/data/input.rs",
        "MAX_TENSOR_BYTES",
    ),
    (
        "docs/limits.md",
        "further than the header promises; {} pixels a side",
        "src/data/image.rs",
        "MAX_SIDE_PX",
    ),
    (
        "docs/limits.md",
        "{} numbered classes",
        "src/data/image_set/mod.rs",
        "MAX_CLASSES",
    ),
    (
        "docs/limits.md",
        "TIFF, PNM | {MiB} |",
        "src/data/input.rs",
        "MAX_PICTURE_BYTES",
    ),
    (
        "docs/limits.md",
        "| `.npz`, images in `.safetensors` | {GiB} |",
        "src/data/input.rs",
        "MAX_TENSOR_BYTES",
    ),
    (
        "docs/limits.md",
        "headers of {KiB} and",
        "src/data/image_set/arrays.rs",
        "MAX_NPY_HEADER_BYTES",
    ),
    (
        "docs/limits.md",
        "and {MiB} | | tables",
        "src/data/input.rs",
        "MAX_HEADER_BYTES",
    ),
    (
        "docs/limits.md",
        "| tables, gzipped or not | {MiB} |",
        "src/data/table/limits.rs",
        "MAX_TABLE_BYTES",
    ),
    (
        "docs/limits.md",
        "{} rows, lines of",
        "src/data/table/limits.rs",
        "MAX_ROWS",
    ),
    (
        "docs/limits.md",
        "lines of {MiB},",
        "src/data/table/limits.rs",
        "MAX_LINE_BYTES",
    ),
    (
        "docs/limits.md",
        "{} features,",
        "src/data/table/limits.rs",
        "MAX_FEATURES",
    ),
    (
        "docs/limits.md",
        "{} classes | | `.keras`",
        "src/data/table/limits.rs",
        "MAX_CLASSES",
    ),
    (
        "docs/limits.md",
        "| config {MiB};",
        "src/model/keras/mod.rs",
        "MAX_CONFIG_BYTES",
    ),
    (
        "docs/limits.md",
        "and {} times their packed size",
        "src/model/archive.rs",
        "MAX_WEIGHTS_RATIO",
    ),
    (
        "docs/limits.md",
        "2^{^} values of one input, all layers together",
        "src/model/sizes.rs",
        "MAX_VALUES",
    ),
    (
        "docs/limits.md",
        "written out to 2^{^} values",
        "src/model/grouped.rs",
        "MAX_KERNEL",
    ),
    (
        "docs/limits.md",
        "{} groups inside each other",
        "src/model/hdf5.rs",
        "MAX_DEPTH",
    ),
    (
        "docs/limits.md",
        "| header {MiB};",
        "src/data/input.rs",
        "MAX_HEADER_BYTES",
    ),
    (
        "docs/limits.md",
        "landscapes of {} steps",
        "src/landscape/file.rs",
        "MAX_STEPS",
    ),
    (
        "docs/limits.md",
        "{} classes | | ONNX",
        "src/landscape/file.rs",
        "MAX_CLASSES",
    ),
    (
        "docs/limits.md",
        "constants that ask for 2^{^} values",
        "src/model/onnx/limits.rs",
        "MAX_VALUES",
    ),
    (
        "docs/limits.md",
        "windows of {},",
        "src/model/onnx/limits.rs",
        "MAX_WINDOW",
    ),
    (
        "docs/limits.md",
        "padding that makes 2^{^} values of one",
        "src/model/onnx/limits.rs",
        "MAX_GROWTH",
    ),
    (
        "docs/limits.md",
        "scales and strides that make 2^{^} of an input",
        "src/model/onnx/limits.rs",
        "MAX_SCALED",
    ),
    (
        "docs/limits.md",
        "an input or 2^{^} of one value",
        "src/model/onnx/limits.rs",
        "SCALE",
    ),
    (
        "docs/limits.md",
        "more than 2^{^} values for one input",
        "src/model/onnx/limits.rs",
        "MAX_IN_A_ROW",
    ),
    (
        "docs/limits.md",
        "2^{^} values an input",
        "src/model/onnx/input.rs",
        "MAX_INPUT",
    ),
    (
        "docs/limits.md",
        "`--class-names` | {MiB} |",
        "src/cli/options/model.rs",
        "MAX_BYTES",
    ),
    (
        "docs/limits.md",
        "`resolution.csv` | {MiB} |",
        "src/data/input.rs",
        "MAX_JSON_BYTES",
    ),
    (
        "docs/limits.md",
        "(read again) | {MiB} |",
        "src/data/input.rs",
        "MAX_PAGE_BYTES",
    ),
    (
        "docs/limits.md",
        "at most {} steps",
        "src/cli/walk.rs",
        "MAX_STEPS",
    ),
    (
        "docs/limits.md",
        "the first {} features",
        "src/plot/scatter.rs",
        "MAX_FEATURES",
    ),
    (
        "docs/limits.md",
        "at most {} rows",
        "src/plot/landscape.rs",
        "MAX_BEHIND",
    ),
    (
        "docs/limits.md",
        "more than {} rows every n-th",
        "src/job/loaded/computing.rs",
        "MAX_DATA_POINTS",
    ),
    (
        "docs/limits.md",
        "map beyond {},",
        "src/plot/decision.rs",
        "MAX_CELLS_A_SIDE",
    ),
    (
        "docs/limits.md",
        "sheet beyond {})",
        "src/plot/strips.rs",
        "MAX_SHEET_FRAMES",
    ),
    (
        "docs/limits.md",
        "of 1/8 pixel at {} pixels, the largest side",
        "src/data/image.rs",
        "MAX_SIDE_PX",
    ),
    (
        "docs/figures.md",
        "More than {} points are counted",
        "src/plot/ternary.rs",
        "MAX_POINTS",
    ),
    (
        "docs/figures.md",
        "up to {} landscapes in detail",
        "src/run/figures.rs",
        "MAX_DETAILS",
    ),
    (
        "docs/images.md",
        "up to {} pixels a side",
        "src/data/image.rs",
        "MAX_SIDE_PX",
    ),
    (
        "docs/sections.md",
        "up to {} of them",
        "src/run/section.rs",
        "MAX_FACES",
    ),
    (
        "docs/explore.md",
        "{} connections;",
        "src/explore/server.rs",
        "MAX_CONNECTIONS",
    ),
    (
        "docs/explore.md",
        "{KiB} for the head of a request",
        "src/explore/http.rs",
        "MAX_HEAD_BYTES",
    ),
    (
        "docs/explore.md",
        "{MiB} for its body",
        "src/explore/api.rs",
        "MAX_JSON_BYTES",
    ),
    (
        "docs/explore.md",
        "{MiB} for a file dropped",
        "src/explore/api.rs",
        "MAX_OWN_BYTES",
    ),
    (
        "docs/explore.md",
        "exact boundaries of {} regions",
        "src/explore/boundary.rs",
        "MAX_REGIONS",
    ),
    (
        "docs/explore.md",
        "{} own items",
        "src/explore/subject.rs",
        "MAX_OWN",
    ),
];

/// The value of a constant: a whole number, shifted or not.
fn constant(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(root().join(file)).expect(file);
    let line = text
        .lines()
        .find(|line| line.contains(&format!("const {name}:")));
    let line = line.unwrap_or_else(|| panic!("{file} has no constant {name}"));
    let value = line
        .split(" = ")
        .nth(1)
        .expect("a value")
        .trim_end_matches(';');
    let number = |text: &str| -> u64 {
        let digits = text.trim().replace('_', "");
        digits
            .parse()
            .unwrap_or_else(|_| panic!("{file}, {name}: {value}"))
    };
    match value.split_once("<<") {
        Some((number_of, shift)) => number(number_of) << number(shift),
        None => number(value),
    }
}

/// A whole number with commas.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn limits_are_the_code_s() {
    let mut wrong = Vec::new();
    for (place, phrase, file, name) in LIMITS {
        let value = constant(file, name);
        let mut expected = phrase.replace("{^}", &value.ilog2().to_string());
        for (unit, shift) in [("KiB", 10), ("MiB", 20), ("GiB", 30)] {
            let number = format!("{} {unit}", value >> shift);
            expected = expected.replace(&format!("{{{unit}}}"), &number);
        }
        let text = Page::at(place).text;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Pages have commas in numbers of people and none in numbers of pixels.
        let mut forms = [value.to_string(), grouped(value)].into_iter();
        if !forms.any(|number| text.contains(&expected.replace("{}", &number))) {
            wrong.push(format!(
                "{place}: expected \"{expected}\" of {value} ({name} of {file})"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
