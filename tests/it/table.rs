//! Tables of measurements: the real files, what a CSV may look like, and what each kind of
//! damage is told apart as.

use morphscape::data::{
    Delimiter, IRIS_CSV, PAPER_TABLES, PaperTable, SEEDS_CSV, Table, TableError, TableOptions,
    hawks, iris, read_table, read_table_file, seeds, sha256_hex,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(file)
}

fn the_hawks() -> Table {
    hawks(&data("hawks/hawks.csv")).expect("the hawks")
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn rows_of(table: &Table, class: &str) -> usize {
    let labels = (0..table.len()).map(|position| table.label(position));
    labels
        .filter(|&label| table.classes()[label] == class)
        .count()
}

/// What stands in a row: name, line, values and class.
fn row(table: &Table, position: usize) -> (String, usize, Vec<f32>, &str) {
    (
        table.item_name(position),
        table.line(position),
        table.row(position).to_vec(),
        &table.classes()[table.label(position)],
    )
}

#[test]
fn the_real_files_are_read_as_python_reads_them() {
    // Counts and rows by Python's csv module, missing values left out.
    let table = iris();
    assert_eq!((table.len(), table.left_out()), (150, 0));
    assert_eq!(table.classes(), ["setosa", "versicolor", "virginica"]);
    assert!((0..3).all(|class| rows_of(&table, &table.classes()[class]) == 50));
    let middle = (
        "iris#75".to_owned(),
        77,
        vec![6.6, 3.0, 4.4, 1.4],
        "versicolor",
    );
    assert_eq!(row(&table, 75), middle);
    assert_eq!(table.label_column(), "species");
    assert_eq!(table.sha256_hex(), sha256_hex([IRIS_CSV.as_bytes()]));

    let table = seeds();
    assert_eq!((table.len(), table.left_out()), (210, 0));
    // UCI's order, as the golden files have it.
    assert_eq!(table.classes(), ["Kama", "Rosa", "Canadian"]);
    assert!((0..3).all(|class| rows_of(&table, &table.classes()[class]) == 70));
    let middle = (
        "seeds#105".to_owned(),
        107,
        vec![6.037, 3.786, 5.879, 2.553],
        "Rosa",
    );
    assert_eq!(row(&table, 105), middle);
    let last = (
        "seeds#209".to_owned(),
        211,
        vec![5.243, 2.974, 5.063, 5.637],
        "Canadian",
    );
    assert_eq!(row(&table, 209), last);

    // 908 rows, 15 of them without a Wing, Weight or Hallux; line 3 is the first of these.
    let table = the_hawks();
    assert_eq!((table.len(), table.left_out()), (893, 15));
    let counts = ["CH", "RT", "SS"].map(|class| rows_of(&table, class));
    assert_eq!(
        (table.classes(), counts),
        (&names(&["CH", "RT", "SS"])[..], [69, 569, 255])
    );
    assert_eq!(table.features(), ["Wing", "Tail", "Weight", "Hallux"]);
    let second = (
        "hawks#1".to_owned(),
        4,
        vec![381.0, 235.0, 990.0, 31.3],
        "RT",
    );
    assert_eq!(row(&table, 1), second);
    let middle = (
        "hawks#446".to_owned(),
        460,
        vec![254.0, 212.0, 505.0, 24.0],
        "CH",
    );
    assert_eq!(row(&table, 446), middle);
    assert_eq!(table.index_of("hawks#446").expect("an item"), 446);

    for facts in &PAPER_TABLES {
        let table = facts.read_file(&data(facts.file)).expect(facts.file);
        assert_eq!(
            (table.name(), table.features()),
            (facts.name, &facts.features.map(str::to_owned)[..])
        );
        assert_eq!(PaperTable::named(facts.name), Some(facts));
    }
    assert_eq!(PaperTable::named("fashion-mnist"), None);
}

/// Five rows of four classes; the last column is not a number.
const SMALL: &str = "\
a,b,kind,note
1,2,x,first
3.5,-4e2,y,second
5,6,z,third
7,8,x,fourth
9,10,w,fifth
";

fn read(content: impl AsRef<[u8]>) -> Result<Table, TableError> {
    read_table("t", content.as_ref(), "kind", &names(&["a", "b"]))
}

#[test]
fn one_table_in_every_dress() {
    let plain = read(SMALL).expect("a table");
    assert_eq!(plain.classes(), ["w", "x", "y", "z"], "by name");
    assert_eq!(plain.labels(), [1, 2, 3, 1, 0]);
    let values = [1.0, 2.0, 3.5, -400.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];
    assert_eq!(plain.values(), values);
    let quoted = SMALL
        .lines()
        .map(|line| format!("\"{}\"\n", line.replace(',', "\",\"")))
        .collect::<String>();
    let dresses = [
        ("byte order mark", format!("\u{feff}{SMALL}")),
        ("CRLF", SMALL.replace('\n', "\r\n")),
        ("lone CR", SMALL.replace('\n', "\r")),
        ("no end of line", SMALL.trim_end().to_owned()),
        ("quotes", quoted.clone()),
        ("mark and quotes", format!("\u{feff}{quoted}")),
        ("blanks", SMALL.replace(',', " ,\t")),
    ];
    for (what, text) in dresses {
        let table = read(&text).expect(what);
        assert_eq!(table.values(), plain.values(), "{what}");
        assert_eq!(table.labels(), plain.labels(), "{what}");
        assert_eq!(table.classes(), plain.classes(), "{what}");
        for position in 0..5 {
            assert_eq!(table.line(position), plain.line(position), "{what}");
        }
        assert_eq!(table.sha256_hex(), sha256_hex([text.as_bytes()]), "{what}");
    }
    // Lines count as an editor counts them: blank ones, and those inside a cell of a column
    // that is not read.
    for (mark, end) in [("", "\n"), ("\u{feff}", "\n"), ("", "\r\n")] {
        let text = "\n\na,kind,note\n\n1,x,\"one\ntwo, \"\"quoted\"\"\"\n \n2,y,n\n\n3,z,\"n\"\n\n";
        let text = mark.to_owned() + &text.replace('\n', end);
        let table = read_table("t", text.as_bytes(), "kind", &names(&["a"]));
        let table = table.expect("a table");
        let lines: Vec<usize> = (0..3).map(|position| table.line(position)).collect();
        assert_eq!(lines, [5, 8, 10]);
    }
    // Columns in the order asked for; all of them when none is.
    let swapped = read_table("t", SMALL.as_bytes(), " kind", &names(&["b", " a "]));
    assert_eq!(swapped.expect("a table").row(1), [-400.0, 3.5]);
    let text = "kind,b,a\nx,1,2\ny,3,4\nz,5,6\n";
    let all = read_table("t", text.as_bytes(), "kind", &[]).expect("a table");
    assert_eq!(
        (all.features(), all.row(2)),
        (&names(&["b", "a"])[..], &[5.0, 6.0][..])
    );
    // Names beyond ASCII.
    let text = "größe,art\n1,bär\n2,Eule\n3,魚\n";
    let table = read_table("t", text.as_bytes(), "art", &names(&["größe"])).expect("a table");
    assert_eq!(table.classes(), ["Eule", "bär", "魚"]);
}

#[test]
fn missing_values_leave_a_row_out_and_are_counted() {
    for missing in ["", " ", "NA", "NaN", "nan", "?", "\"\""] {
        let text =
            format!("{SMALL}{missing},1,x,n\n1,{missing},y,n\n1,2,{missing},n\n0,0,x,{missing}\n");
        let table = read(&text).expect("a table");
        assert_eq!((table.len(), table.left_out()), (6, 3), "\"{missing}\"");
        // The three rows between have numbers of their own.
        assert_eq!(row(&table, 5), ("t#8".to_owned(), 10, vec![0.0, 0.0], "x"));
    }
    // Left out or not, a row holds numbers.
    let error = read(format!("{SMALL},abc,x,n\n")).expect_err("no number");
    assert!(
        matches!(error, TableError::NotANumber { line: 7, .. }),
        "{error}"
    );
}

#[track_caller]
fn check(result: Result<Table, TableError>, expected: &str) {
    let message = result.expect_err("it is refused").to_string();
    assert_eq!(message, expected);
}

#[test]
fn damage_is_told_apart() {
    let with = |line: &str| read(format!("{SMALL}{line}\n"));
    let header = |header: &str| read(SMALL.replacen("a,b,kind,note", header, 1));
    let choose = |features: &[&str]| read_table("t", SMALL.as_bytes(), "kind", &names(features));

    check(
        read(""),
        "expected a header line with column names, found an empty file",
    );
    check(
        read("\u{feff}\r\n  \n\n"),
        "expected a header line with column names, found an empty file",
    );
    check(
        read("\u{feff}\n1,2,3,4\n5,6,7,8\n"),
        "line 2: expected a header line with column names, found only numbers; put the names above them, or give `no_header`, which names the columns 1, 2 and so on",
    );
    check(
        read("a,b,kind\n\n"),
        "expected rows below the header, found none",
    );
    check(
        choose(&["a", "Wing"]),
        "expected a column \"Wing\", found \"a\", \"b\", \"kind\", \"note\"; check `label` and `features`",
    );
    check(
        read_table("t", SMALL.as_bytes(), "Kind", &[]),
        "expected a column \"Kind\", found \"a\", \"b\", \"kind\", \"note\"; did you mean \"kind\"?",
    );
    check(
        read_table("t", SMALL.as_bytes(), "knd", &[]),
        "expected a column \"knd\", found \"a\", \"b\", \"kind\", \"note\"; did you mean \"kind\"?",
    );
    check(
        choose(&["a", "notes"]),
        "expected a column \"notes\", found \"a\", \"b\", \"kind\", \"note\"; did you mean \"note\"?",
    );
    check(
        read("5.1,3.5,setosa\n7.0,3.2,versicolor\n6.3,3.3,virginica\n"),
        "expected a column \"kind\", found \"5.1\", \"3.5\", \"setosa\"; if the first line is a row already, give `no_header`, which names the columns 1, 2 and so on",
    );
    check(
        read(SMALL.replace(',', ":")),
        "expected a column \"kind\", found \"a:b:kind:note\"; if another character separates the columns, give `delimiter`",
    );
    let wide: Vec<String> = (0..30).map(|i| format!("c{i}")).collect();
    check(
        read(wide.join(",")),
        &format!(
            "expected a column \"kind\", found {}, and 10 more; check `label` and `features`",
            wide[..20]
                .iter()
                .map(|name| format!("\"{name}\""))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    );
    check(
        header("a,a,kind,b"),
        "column \"a\" stands in the header twice, as columns 1 and 2; rename one",
    );
    check(
        header("kind,b,kind,a"),
        "column \"kind\" stands in the header twice, as columns 1 and 3; rename one",
    );
    read_table(
        "t",
        b"n,a,kind,n\n1,2,x,\n1,3,y,\n1,4,z,\n",
        "kind",
        &names(&["a"]),
    )
    .expect("two columns of a name may stand where neither is chosen");
    check(
        read_table("t", b",a,kind\n1,2,x\n2,3,y\n3,4,z\n", "kind", &[]),
        "column 1 has no name; name it, or choose columns with `features`",
    );
    check(
        choose(&["a", "kind"]),
        "column \"kind\" is the label and cannot be a feature too; take it out of `features`",
    );
    check(
        choose(&["a", "b", "a"]),
        "feature \"a\" is chosen twice; name it once",
    );
    check(
        read_table("t", b"kind\nx\ny\nz\n", "kind", &[]),
        "expected at least one column beside the label \"kind\", found none",
    );
    check(
        with("1,2,x"),
        "line 7: expected 4 cells as in the header, found 3",
    );
    check(
        with("1,2,x,,"),
        "line 7: expected 4 cells as in the header, found 5",
    );
    check(
        with("1,two,x,n"),
        "line 7, column \"b\": expected a number, found \"two\"; correct it, leave the cell empty, or choose other columns with `features`",
    );
    check(
        choose(&[]),
        "line 2, column \"note\": expected a number, found \"first\"; correct it, leave the cell empty, or choose other columns with `features`",
    );
    for found in [
        "inf",
        "-Infinity",
        "NAN",
        "\"3,5\"",
        "0x10",
        "1_000",
        "--1",
        "1 2",
    ] {
        let error = with(&format!("1,{found},x,n")).expect_err(found);
        let text = found.trim_matches('"').to_owned();
        assert!(
            matches!(&error, TableError::NotANumber { line: 7, column, found } if column == "b" && *found == text),
            "{error}"
        );
    }
    check(
        with("1,-3.5e38,x,n"),
        "line 7, column \"b\": expected a number between -3.4e38 and 3.4e38, found \"-3.5e38\"; use larger units",
    );
    assert_eq!(with("1,3.4e38,x,n").expect("a table").row(5), [1.0, 3.4e38]);
    assert_eq!(with("+1,1e-60,x,n").expect("a table").row(5), [1.0, 0.0]);
    check(
        with("\u{1b}[31m\n1,2,x,n"),
        "line 7: expected 4 cells as in the header, found 1",
    );
    check(
        with(&format!("\u{1b}[31m{},2,x,n", "9".repeat(200))),
        &format!(
            "line 7, column \"a\": expected a number, found \"\\u{{1b}}[31m{}...\"; correct it, leave the cell empty, or choose other columns with `features`",
            "9".repeat(55)
        ),
    );
    // Lines and answers need no third class, and a model that names its classes no second one.
    for (content, classes) in [
        (SMALL.replace('z', "x").replace('w', "y"), &["x", "y"][..]),
        ("a,b,kind\n1,2,x\n".to_owned(), &["x"]),
    ] {
        assert_eq!(read(content).expect("a table").classes(), classes);
    }
    check(
        read("a,b,kind\n1,2,NA\n"),
        "column \"kind\": expected classes, found no value in 1 row; is it the column of the classes?",
    );
    check(
        with("1,NA,owl,n\nNA,2,owl,n"),
        "class \"owl\": expected a row without a missing value, found none in 2; choose other columns with `features`, or take the class out",
    );
    let mut latin = SMALL.as_bytes().to_vec();
    latin.extend(b"1,2,b\xe4r,n\n");
    check(
        read(&latin),
        "line 7: expected UTF-8 text, found other bytes; save the table as CSV in UTF-8",
    );
    check(
        read(b"\xff\xfea\0,"),
        "expected UTF-16 text, as its first two bytes say, found other bytes; save the table as CSV in UTF-8",
    );
}

#[test]
fn a_quotation_mark_left_open_does_not_swallow_rows() {
    let message = |line: usize| {
        format!(
            "line {line}: expected every cell to end on its line, found a line break inside quotation marks; is one left open?"
        )
    };
    // In the label, in a feature, in a column that is not read, and in the header.
    let swapped = "a,note,b,kind\n1,n,2,x\n2,n,2,y\n3,n,3,\"z\n4,n,4,x\n5,n,5,w\n";
    check(read(swapped), &message(4));
    check(
        read(swapped.replace("\"z", "z").replace("3,n,3", "3,n,\"3")),
        "line 4: expected 4 cells as in the header, found 3",
    );
    check(
        read(format!("{SMALL}1,2,x,\"open\n1,2,y,n\n1,2,z,n\n")),
        &message(7),
    );
    check(read(SMALL.replacen("note", "\"note", 1)), &message(1));
    // One that the next row's closes, so that the number of cells is right.
    let quoted = "a,b,kind\n1,2,\"x\"\n3,4,\"y\n5,6,\"z\"\n7,8,\"z\"\n9,9,\"w\"\n1,1,\"v\"\n";
    check(read(quoted), &message(3));
    check(read("a,b,\"kind\n1,2,\"x\"\n3,4,\"y\"\n"), &message(1));
    read(format!("{SMALL}1,2,x,\"closed\non the next\"\n")).expect("a note of two lines");
}

#[test]
fn limits_hold_at_their_edge() {
    let columns = |count: usize| {
        let header: Vec<String> = (0..count).map(|i| format!("c{i}")).collect();
        let rows = ["x", "y", "z"].map(|class| format!("{}{class}\n", "1,".repeat(count)));
        format!("{},kind\n{}", header.join(","), rows.concat())
    };
    let read_all = |text: String| read_table("t", text.as_bytes(), "kind", &[]);
    assert_eq!(
        read_all(columns(1000)).expect("a table").features().len(),
        1000
    );
    check(
        read_all(columns(1001)),
        "expected at most 1000 features, found 1001; choose fewer with `features`",
    );
    let chosen: Vec<String> = (0..1001).map(|i| format!("c{i}")).collect();
    let result = read_table("t", columns(1001).as_bytes(), "kind", &chosen);
    assert!(matches!(
        result,
        Err(TableError::TooManyFeatures { found: 1001 })
    ));
    let result = read_table("t", columns(1001).as_bytes(), "kind", &chosen[1..]);
    assert_eq!(result.expect("a table").features().len(), 1000);

    let classes = |count: usize| {
        let rows: String = (0..count).map(|i| format!("1,class {i}\n")).collect();
        format!("c0,kind\n{rows}")
    };
    assert_eq!(
        read_all(classes(1000)).expect("a table").classes().len(),
        1000
    );
    check(
        read_all(classes(1001)),
        "line 1002, column \"kind\": expected at most 1000 classes, found one more; is it the label?",
    );

    // A sparse file: larger than the limit, yet of no bytes on the disk.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("large.csv");
    let file = std::fs::File::create(&path).expect("a file");
    file.set_len((256 << 20) + 1).expect("a sparse file");
    let result = read_table_file(&path, "kind", &TableOptions::default());
    check(
        result,
        "expected a table of at most 268435456 bytes, found more; keep fewer rows or columns",
    );
    // The reader of bytes checks for itself; the memory is never touched.
    let result = read_table("t", &vec![0; (256 << 20) + 1], "kind", &[]);
    assert!(matches!(result, Err(TableError::TooLarge)));
    // Cells are many and small, or one: in either case a line is as long as it may be, and a byte more.
    let line = |bytes: usize| format!("a,kind\n1,x\n{}x\n", ",".repeat(bytes - 1));
    check(
        read_all(line(1 << 20)),
        "line 3: expected 2 cells as in the header, found 1048576",
    );
    check(
        read_all(line((1 << 20) + 1)),
        "line 3: expected lines of at most 1048576 bytes, found a longer one; is it CSV?",
    );
    // Rows that are left out count, too.
    let rows = |count: usize| format!("a,kind\n1,x\n1,y\n1,z\n{}", ",\n".repeat(count - 3));
    assert_eq!(read_all(rows(1 << 24)).expect("a table").len(), 3);
    check(
        read_all(rows((1 << 24) + 1)),
        "line 16777218: expected a table of at most 16777216 rows, found more; keep fewer",
    );
    let result = read_table_file(
        &folder.path().join("none.csv"),
        "kind",
        &TableOptions::default(),
    );
    check(result, "found nothing there");
    let path = folder.path().join("my#table.v2.csv");
    std::fs::write(&path, SMALL).expect("written");
    let options = TableOptions {
        features: names(&["a"]),
        ..TableOptions::default()
    };
    let both = TableOptions {
        without: names(&["a"]),
        ..options.clone()
    };
    let result = read_table_file(&path, "kind", &both);
    check(
        result,
        "column \"a\" is in `features` and in `without`; name it in one of them",
    );
    let table = read_table_file(&path, "kind", &options).expect("a table");
    assert_eq!(table.item_name(4), "my#table.v2#4");
    assert_eq!(table.index_of("my#table.v2#4").expect("an item"), 4);
}

#[test]
fn items_are_found_by_their_names() {
    let table = read(SMALL).expect("a table");
    for position in 0..table.len() {
        assert_eq!(
            table.index_of(&table.item_name(position)).expect("an item"),
            position
        );
    }
    let message = |item: &str| table.index_of(item).expect_err("no item").to_string();
    for item in [
        "t", "t#", "#1", "u#1", "t#-1", "t#+1", "t# 1", "t#1#", "", "t#x",
    ] {
        let expected = format!("unknown item \"{item}\": expected t#INDEX with INDEX from 0 to 4");
        assert_eq!(message(item), expected);
    }
    assert_eq!(
        message("t#5"),
        "item t#5 is out of range: the last row is t#4"
    );
    assert_eq!(
        message("t#99999999999999999999"),
        format!("item t#{} is out of range: the last row is t#4", usize::MAX)
    );
}

#[test]
fn classes_take_the_order_of_a_model() {
    let table = read(SMALL).expect("a table");
    let order = names(&["z", "v", "y", "x", "w"]);
    let other = table
        .clone()
        .with_classes(&order)
        .expect("the same classes and one more");
    assert_eq!(
        (other.classes(), other.labels()),
        (&order[..], &[3, 2, 0, 3, 4][..])
    );
    assert_eq!(other.values(), table.values());
    let back = other
        .with_classes(table.classes())
        .expect("the class without rows goes");
    assert_eq!(back, table);
    check(
        table.clone().with_classes(&names(&["x", "y", "z"])),
        "column \"kind\": expected one of the 3 classes \"x\", \"y\", \"z\", found \"w\"; if its classes are called otherwise in the list, `class_names` gives theirs; if it is not the column of the classes, `label` names another",
    );
    check(
        table.with_classes(&names(&["x", "y", "z", "w", "y"])),
        "class \"y\" stands in the list of classes twice",
    );
}

#[test]
fn a_draw_takes_rows_of_each_class_and_keeps_their_names() {
    let whole = the_hawks();
    let drawn = whole.draw_per_class(50, 7).expect("a draw");
    assert_eq!(drawn.len(), 150);
    assert!(
        ["CH", "RT", "SS"]
            .iter()
            .all(|class| rows_of(&drawn, class) == 50)
    );
    assert_eq!((drawn.left_out(), drawn.classes()), (15, whole.classes()));
    assert_eq!(drawn.sha256_hex(), whole.sha256_hex());
    let mut last = None;
    for position in 0..drawn.len() {
        let name = drawn.item_name(position);
        assert_eq!(drawn.index_of(&name).expect("an item"), position);
        let original = whole.index_of(&name).expect("a row of the whole");
        assert_eq!(row(&drawn, position), row(&whole, original));
        assert!(last < Some(original), "the file's order, no row twice");
        last = Some(original);
    }
    let missed = (0..whole.len()).find(|&index| {
        (0..drawn.len()).all(|position| drawn.item_name(position) != whole.item_name(index))
    });
    let missed = missed.expect("a row that was not drawn");
    assert_eq!(
        drawn
            .index_of(&format!("hawks#{missed}"))
            .expect_err("not drawn")
            .to_string(),
        format!(
            "item hawks#{missed} is not among the 150 rows drawn; draw more rows a class, or use another seed"
        )
    );
    assert_eq!(
        drawn
            .index_of("hawks#893")
            .expect_err("past the end")
            .to_string(),
        "item hawks#893 is out of range: the last row is hawks#892"
    );

    // The seed decides, the order of the classes does not.
    assert_eq!(whole.draw_per_class(50, 7).expect("a draw"), drawn);
    assert_ne!(
        whole.draw_per_class(50, 8).expect("a draw").values(),
        drawn.values()
    );
    let turned = whole
        .clone()
        .with_classes(&names(&["SS", "RT", "CH"]))
        .expect("the classes");
    let turned = turned.draw_per_class(50, 7).expect("a draw");
    assert_eq!(turned.values(), drawn.values());

    // A class that has too few keeps all; a draw can be drawn from again.
    let most = whole.draw_per_class(70, 1).expect("a draw");
    assert_eq!(
        ["CH", "RT", "SS"].map(|class| rows_of(&most, class)),
        [69, 70, 70]
    );
    let fewer = most.draw_per_class(1, 2).expect("a draw");
    assert!(
        (0..3).all(
            |p| whole.row(whole.index_of(&fewer.item_name(p)).expect("an item")) == fewer.row(p)
        )
    );
    assert_eq!(
        iris().draw_per_class(usize::MAX, 3).expect("a draw"),
        iris()
    );
    check(
        whole.draw_per_class(0, 1),
        "expected to draw 1 or more rows a class, found 0",
    );

    // The same on every machine: these rows were drawn once and written down.
    let few = iris().draw_per_class(2, 20260).expect("a draw");
    let items: Vec<String> = (0..few.len())
        .map(|position| few.item_name(position))
        .collect();
    let expected = [
        "iris#21", "iris#33", "iris#54", "iris#66", "iris#108", "iris#132",
    ];
    assert_eq!(items, expected);
}

#[test]
fn every_row_is_drawn_about_as_often() {
    let table = iris();
    let mut times = vec![0usize; table.len()];
    for seed in 0..2000 {
        let drawn = table.draw_per_class(10, seed).expect("a draw");
        for position in 0..drawn.len() {
            let index = table.index_of(&drawn.item_name(position)).expect("an item");
            times[index] += 1;
        }
    }
    // 2000 draws at 1 in 5: mean 400, standard deviation 17.9; six of these to each side.
    for (index, times) in times.iter().enumerate() {
        assert!(
            (293..=507).contains(times),
            "iris#{index} was drawn {times} times"
        );
    }
}

#[test]
fn damaged_files_are_read_or_refused_but_never_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let hawks_csv = std::fs::read_to_string(data("hawks/hawks.csv")).expect("hawks");
    let start = |text: &str, lines: usize| text.lines().take(lines).collect::<Vec<_>>().join("\n");
    let sources = [
        (
            start(IRIS_CSV, 151),
            "species",
            vec!["petal_width", "sepal_length"],
        ),
        (start(SEEDS_CSV, 211), "variety", vec![]),
        (
            start(&hawks_csv, 60),
            "Species",
            vec!["Wing", "Tail", "Weight", "Hallux"],
        ),
        (SMALL.replace('\n', "\r\n"), "kind", vec!["b"]),
    ];
    const PIECES: [&[u8]; 18] = [
        b",",
        b"\"",
        b"\"\"",
        b"\n",
        b"\r",
        b"\r\n",
        b"NA",
        b"?",
        b"nan",
        b"inf",
        b"1e39",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b" ",
        b"-",
        b"\xe9\xad\x9a",
        b"#",
    ];
    let (mut read, mut refused) = (0, std::collections::HashSet::new());
    for round in 0..4000 {
        let (text, label, features) = &sources[round % sources.len()];
        let mut content = text.clone().into_bytes();
        for _ in 0..rng.random_range(1..=3) {
            let at = rng.random_range(0..=content.len());
            let piece = PIECES[rng.random_range(0..PIECES.len())];
            match rng.random_range(0..5) {
                0 => content.truncate(at),
                1 if at < content.len() => {
                    content.remove(at);
                }
                2 if at < content.len() => content[at] = rng.random_range(0..=255u8),
                _ => {
                    content.splice(at..at, piece.iter().copied());
                }
            }
        }
        match read_table("m", &content, label, &names(features)) {
            Ok(table) => {
                read += 1;
                // Whatever was read is whole.
                assert_eq!(table.values().len(), table.len() * table.features().len());
                assert!(table.values().iter().all(|value| value.is_finite()));
                assert!(
                    table
                        .labels()
                        .iter()
                        .all(|&label| label < table.classes().len())
                );
                let numbers = table
                    .classes()
                    .iter()
                    .all(|class| class.parse::<f64>().is_ok());
                assert!(numbers || table.classes().is_sorted());
                let lines = 2 + content.iter().filter(|byte| b"\r\n".contains(byte)).count();
                let mut before = 1;
                for position in 0..table.len() {
                    assert!(
                        (before + 1..lines).contains(&table.line(position)),
                        "round {round}"
                    );
                    before = table.line(position);
                }
                // Its first feature reads the same from the line that it names.
                let unquoted = !content.contains(&b'"')
                    && !content.contains(&b'\r')
                    && table.delimiter() == Delimiter::COMMA;
                if let (true, Ok(text)) = (unquoted, std::str::from_utf8(&content)) {
                    let at = text.trim_start_matches('\u{feff}').trim_start_matches('\n');
                    let header: Vec<&str> = at
                        .lines()
                        .next()
                        .expect("a header")
                        .split(',')
                        .map(str::trim)
                        .collect();
                    let column = header
                        .iter()
                        .position(|name| *name == table.features()[0])
                        .expect("the column");
                    for position in 0..table.len() {
                        let line = text
                            .lines()
                            .nth(table.line(position) - 1)
                            .expect("the line");
                        let cell = line.split(',').nth(column).expect("the cell").trim();
                        assert_eq!(
                            cell.parse(),
                            Ok(table.row(position)[0]),
                            "round {round}: {line}"
                        );
                    }
                }
            }
            Err(error) => {
                let message = error.to_string();
                assert!(
                    !message.ends_with('.') && !message.contains(char::is_control),
                    "{message}"
                );
                refused.insert(std::mem::discriminant(&error));
            }
        }
    }
    // Both outcomes are common, and the damage is of many kinds.
    assert!(read > 400, "{read} tables were read");
    assert!(refused.len() >= 8, "{refused:?}");
}
