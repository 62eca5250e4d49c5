//! The report in a real browser.

use crate::browser::Page;
use crate::common::golden;
use crate::program::succeed;
use base64::Engine as _;
use safetensors::SafeTensors;
use std::path::Path;
use std::time::Duration;

fn program(command: &str, folder: &Path, arguments: &[&str]) {
    let out = folder.to_str().expect("UTF-8");
    let first = [command, "--engine", "cpu", "--quiet", "--out", out];
    succeed(Path::new("."), &[&first, arguments].concat());
}

fn probabilities(path: &Path) -> Vec<f32> {
    let content = std::fs::read(path).expect("a landscape");
    let file = SafeTensors::deserialize(&content).expect("safetensors");
    let tensor = file.tensor("probabilities").expect("probabilities");
    bytemuck::pod_collect_to_vec(tensor.data())
}

/// Base64 of the little-endian floats that the page holds of a landscape.
const EMBEDDED: &str = "(async () => {
    const values = await window.morphscape.values(NAME);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
})()";

#[test]
fn a_sweep_is_read_in_a_browser() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    program(
        "sweep",
        &run,
        &[
            "--classes",
            "9,4,5",
            "--steps",
            "9",
            "--mesh",
            "--resolution",
        ],
    );
    let landscape = run.join("1A.2");
    let walk = [
        "--landscape",
        landscape.to_str().expect("UTF-8"),
        "--walkers",
        "500",
        "--potential",
        "margin",
        "--temperature",
        "4",
    ];
    program("walk", &folder.path().join("walk"), &walk);
    let Some(page) = Page::open(&run.join("report.html")) else {
        return;
    };
    assert_eq!(page.text("document.title"), "Morphscape sweep");

    // The embedded values are those of the tensors, bit for bit.
    let names = page.text("JSON.stringify(window.morphscape.names())");
    let names: Vec<String> = serde_json::from_str(&names).expect("names");
    assert_eq!(names, ["1A.1", "1A.2", "1A.3", "1B.1", "1B.2", "1B.3"]);
    for name in &names {
        let embedded = page.text(&EMBEDDED.replace("NAME", &format!("'{name}'")));
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(embedded)
            .expect("base64");
        let embedded: Vec<f32> = bytemuck::pod_collect_to_vec(&bytes);
        let written = probabilities(&run.join(name).join("landscape.safetensors"));
        assert_eq!(embedded, written, "{name}");
    }

    sorting_sorts(&page);
    measures_come_in_groups(&page);
    hovering_shows_frames(&page, &run);
    two_clicks_make_a_path(&page);
    the_keyboard_works(&page);
    figures_and_surface_are_there(&page);
    a_walk_is_shown_with_its_landscape(&page);
    page.assert_fits(&[360, 700, 1600]);
    page.assert_quiet();
    another_source_answers_late(&run);
}

/// Makes all of `source` answer by promises, and refuse one landscape once.
const LATE: &str = "for (const [key, answer] of Object.entries(source)) {
  source[key] = async (name) => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (key === 'values' && name === '1A.2' && !window.refused) {
      window.refused = true;
      throw new Error('not now');
    }
    return answer(name);
  };
}
";

/// What a server that stands in for the embedded data may do: the page is drawn all the same, and
/// what it cannot have leaves it as it was.
fn another_source_answers_late(run: &Path) {
    let page = std::fs::read_to_string(run.join("report.html")).expect("a page");
    let first = "const run = await source.run();";
    assert_eq!(
        page.matches(first).count(),
        1,
        "the page asks for its run once"
    );
    let page = page.replace(first, &format!("{LATE}{first}"));
    // The policy knows the script as it is shipped.
    let (before, policy) = page
        .split_once("<meta http-equiv=\"Content-Security-Policy\"")
        .expect("a policy");
    let (_, after) = policy.split_once('>').expect("its end");
    let file = run.with_file_name("late.html");
    std::fs::write(&file, format!("{before}{after}")).expect("written");
    let Some(page) = Page::open(&file) else {
        return;
    };
    let select = |name: &str| {
        page.text(&format!(
            "window.morphscape.select('{name}').then(() => 'drawn', (error) => error.message)"
        ))
    };
    assert_eq!(select("1B.1"), "drawn");
    assert_eq!(select("1A.2"), "not now");
    assert_eq!(page.text("window.morphscape.probe().name"), "1B.1");
    assert_eq!(select("1A.2"), "drawn");
    assert_eq!(page.text("window.morphscape.probe().name"), "1A.2");
    let counts = "['#figures img', '#walk-figures img', '#map-legend li'].map(which => document.querySelectorAll(which).length > 0).join()";
    assert_eq!(page.text(counts), "true,true,true");
    page.assert_quiet();
}

/// Every header sorts, both ways.
fn sorting_sorts(page: &Page) {
    let column = "[...document.querySelectorAll('#table-head th')].findIndex(th => th.textContent.includes('curvature'))";
    let values = format!(
        "[...document.querySelectorAll('#table-body tr')].map(row => parseFloat(row.children[{column}].textContent))"
    );
    let click = format!(
        "document.querySelectorAll('#table-head th')[{column}].querySelector('button').click()"
    );
    let read = || -> Vec<f64> {
        let list = page.value(&format!("JSON.stringify({values})"));
        serde_json::from_str(list.as_str().expect("a list")).expect("numbers")
    };
    page.value(&click);
    let first = read();
    page.value(&click);
    let second = read();
    assert_eq!(first.len(), 6);
    assert!(first.windows(2).all(|pair| pair[0] >= pair[1]), "{first:?}");
    assert!(
        second.windows(2).all(|pair| pair[0] <= pair[1]),
        "{second:?}"
    );
    assert!(first[0] > first[5], "not all equal: {first:?}");
    let sorted = page.text(&format!(
        "document.querySelectorAll('#table-head th')[{column}].getAttribute('aria-sort')"
    ));
    assert_eq!(sorted, "ascending");
}

/// The ranking shows a group of measures at a time; a landscape shows all, on every grid.
fn measures_come_in_groups(page: &Page) {
    let shown = |group: &str| {
        page.value(&format!(
            "(() => {{ const list = document.querySelector('#measure-group'); list.value = '{group}';
            list.dispatchEvent(new Event('change')); }})()"
        ));
        let rows = page.text(
            "[...document.querySelectorAll('#table-body tr')].map(row => row.children.length).join()",
        );
        let heading = page.text(
            "[...document.querySelectorAll('#table-head th')].map(th => th.textContent).join()",
        );
        let columns = heading.split(',').count();
        assert_eq!(rows, [columns.to_string().as_str(); 6].join(","), "{group}");
        heading
    };
    let expected = "name,A,B,C,intruders,regions,regions 8,boundary";
    assert_eq!(shown("regions"), expected);
    let all = shown("all");
    assert_eq!(all.split(',').count(), 5 + 24, "{all}");
    assert!(all.contains("barrier B to C") && all.contains("asymmetry"));
    // What was sorted by stays so.
    let sorted = page.text("document.querySelector('#table-head [aria-sort]').textContent");
    assert_eq!(sorted, "curvature");
    let overview = "name,A,B,C,intruders,variation,curvature,changes,intrusion,regions";
    assert_eq!(shown("overview"), overview);
    page.value("document.querySelectorAll('details').forEach(part => { part.open = true; })");
    // The order of a triple is not measured on finer grids.
    for (table, count) in [("#resolution-table", 21.0), ("#all-measures", 24.0)] {
        let lines = format!("document.querySelectorAll('{table} tbody tr').length");
        assert_eq!(page.number(&lines), count);
        let heading = page.text(&format!(
            "document.querySelector('{table} thead').textContent"
        ));
        for steps in ["9 steps", "17 steps", "33 steps"] {
            assert!(heading.contains(steps), "{table}: {heading}");
        }
        let text = page.text(&format!("document.querySelector('{table}').textContent"));
        assert!(text.contains("settled") && !text.contains("NaN"), "{text}");
    }
}

/// Pointing at the map shows the frame there and its probabilities.
fn hovering_shows_frames(page: &Page, run: &Path) {
    page.value("window.morphscape.select('1B.3')");
    let expected = probabilities(&run.join("1B.3/landscape.safetensors"));
    let frames = saved_frames(&run.join("1B.3"));
    for (i, j) in [(0, 0), (4, 2), (1, 6), (8, 3)] {
        let middle = |index: usize| (index as f64 + 0.5) / 9.0;
        let point = page.place("#map", middle(j), middle(i));
        page.hover(point);
        page.wait(&format!(
            "(() => {{ const probe = window.morphscape.probe(); return probe.i === {i} && probe.j === {j}; }})()"
        ));
        let found = page.value("JSON.stringify(window.morphscape.probe().probabilities)");
        let found: Vec<f32> =
            serde_json::from_str(found.as_str().expect("a list")).expect("numbers");
        assert_eq!(found, expected[(i * 9 + j) * 10..][..10], "({i}, {j})");
        page.wait("!document.querySelector('#probe-frame').hidden");
        // Drawn on the next animation frame.
        std::thread::sleep(Duration::from_millis(150));
        let difference = frame_difference(page, &frames, i * 9 + j);
        assert!(
            difference < 10.0,
            "({i}, {j}): {difference} levels on average"
        );
        let bars = page.text("document.querySelector('#bars').textContent");
        let most = found.iter().copied().fold(0.0, f32::max);
        assert!(bars.contains(&format!("{most:.3}")), "{bars}");
    }
}

/// The frames of a landscape, row by row, from its picture of them.
fn saved_frames(landscape: &Path) -> Vec<Vec<f32>> {
    let atlas =
        morphscape::data::read_image_file(&landscape.join("frames.png"), None).expect("frames");
    let side = atlas.width_px / 9;
    (0..81)
        .map(|k| {
            (0..side * side)
                .map(|pixel| {
                    let (x, y) = (k % 9 * side + pixel % side, k / 9 * side + pixel / side);
                    atlas.levels[y * atlas.width_px + x]
                })
                .collect()
        })
        .collect()
}

/// Mean difference of the probe's picture and frame `k`; a JPEG of it differs by a few levels.
fn frame_difference(page: &Page, frames: &[Vec<f32>], k: usize) -> f32 {
    let shown = page.pixels("#probe-frame");
    assert_eq!(
        shown.len(),
        frames[k].len(),
        "the probe shows every pixel of a frame"
    );
    let sum: f32 = shown
        .iter()
        .zip(&frames[k])
        .map(|(a, b)| (a - b).abs())
        .sum();
    sum / shown.len() as f32
}

fn two_clicks_make_a_path(page: &Page) {
    for (across, down) in [(0.5 / 9.0, 0.5 / 9.0), (8.5 / 9.0, 4.5 / 9.0)] {
        let point = page.place("#map", across, down);
        page.click(point);
    }
    page.wait("window.morphscape.path().length > 2");
    let cells = page.text("JSON.stringify(window.morphscape.path())");
    assert!(
        cells.starts_with("[[0,0]") && cells.ends_with("[4,8]]"),
        "{cells}"
    );
    assert_eq!(
        page.number("document.querySelectorAll('#strip li').length"),
        9.0
    );
    assert!(page.number("document.querySelectorAll('#chart svg').length") >= 1.0);
}

fn the_keyboard_works(page: &Page) {
    page.value("document.querySelector('#map').focus()");
    page.value("window.morphscape.setCursor(3, 3)");
    page.press("ArrowRight");
    page.press("ArrowDown");
    page.wait("window.morphscape.probe().i === 4 && window.morphscape.probe().j === 4");
    page.press("Escape");
    page.wait("window.morphscape.path().length === 0");
    page.value("document.activeElement.blur()");
    let before = page.text("window.morphscape.probe().name");
    page.press("]");
    page.wait(&format!("window.morphscape.probe().name !== '{before}'"));
}

/// The figures are drawn, and there is one live canvas of WebGL however many landscapes were
/// looked at.
fn figures_and_surface_are_there(page: &Page) {
    for name in ["1A.1", "1A.2", "1B.1"] {
        page.value(&format!("window.morphscape.select('{name}')"));
        page.wait(&format!("window.morphscape.probe().name === '{name}'"));
    }
    page.wait("document.querySelectorAll('#figures img').length >= 7");
    page.wait("[...document.querySelectorAll('#figures img')].every(image => image.complete && image.naturalWidth > 0)");
    let titles = page.text("[...document.querySelectorAll('#figures figcaption span')].map(title => title.textContent).join()");
    assert!(
        titles.starts_with("Line plot,") && !titles.contains("undefined"),
        "{titles}"
    );
    page.wait("document.querySelectorAll('#surface .gl-container canvas').length === 1");
    assert_eq!(page.value("window.Plotly !== undefined"), true);
}

/// Figures and numbers of the walk on 1A.2, and on no other landscape.
fn a_walk_is_shown_with_its_landscape(page: &Page) {
    for (name, figures) in [("1A.1", 0), ("1A.2", 4), ("1B.1", 0), ("1A.2", 4)] {
        page.value(&format!("window.morphscape.select('{name}')"));
        page.wait(&format!("window.morphscape.probe().name === '{name}' && document.querySelectorAll('#walk-figures img').length === {figures}"));
        let hidden = page.value("document.querySelector('#walk-part').hidden");
        assert_eq!(hidden, figures == 0, "{name}");
    }
    page.wait("[...document.querySelectorAll('#walk-figures img')].every(image => image.complete && image.naturalWidth > 0)");
    let alt = page.text("document.querySelector('#walk-figures img').alt");
    assert_eq!(alt, "Distance over steps of 1A.2");
    let facts = page.text("document.querySelector('#walk-facts').textContent");
    for fact in [
        "500 walkers",
        "exponent",
        "basin B before basin A",
        "mean steps until",
    ] {
        assert!(facts.contains(fact), "expected {fact} in {facts}");
    }
}

/// Names that would break out of HTML, SVG or a script if they were ever taken for markup.
const HOSTILE: [&str; 3] = [
    "</script><script>window.broken=1</script>",
    "<img src=x onerror=window.broken=2>",
    "\"'&amp;<!--\u{1}",
];

#[test]
fn rows_are_read_in_a_browser_whatever_their_classes_are_called() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut csv = csv::Writer::from_path(folder.path().join("own.csv")).expect("a file");
    csv.write_record(["a <b>\u{2}", "b", "c", "d", "kind"])
        .expect("written");
    let table = morphscape::data::iris();
    for row in 0..table.len() {
        let mut record: Vec<String> = table.row(row).iter().map(f32::to_string).collect();
        record.push(HOSTILE[table.label(row)].to_owned());
        csv.write_record(record).expect("written");
    }
    csv.flush().expect("written");
    drop(csv);
    let run = folder.path().join("run");
    let data = folder.path().join("own.csv");
    // A model that leaves the names of its classes to the table.
    let golden = std::fs::read(golden("iris_std_40.safetensors")).expect("the golden model");
    let tensors = SafeTensors::deserialize(&golden).expect("safetensors");
    let nameless = safetensors::serialize(tensors.tensors(), None).expect("serialised");
    let model = folder.path().join("nameless.safetensors");
    std::fs::write(&model, nameless).expect("written");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let arguments = [
        "--data",
        &text(&data),
        "--label",
        "kind",
        "--model",
        &text(&model),
        "--activation",
        "relu",
        "--groups",
        "2",
    ];
    program("interpolate", &run, &arguments);
    let Some(page) = Page::open(&run.join("report.html")) else {
        return;
    };
    assert_eq!(page.value("window.broken === undefined"), true);
    let shown = page.text("document.querySelector('#table-body').textContent");
    for name in HOSTILE {
        assert!(shown.contains(name), "expected {name} in {shown}");
    }
    page.wait("document.querySelectorAll('#figures img').length >= 6");
    page.wait("[...document.querySelectorAll('#figures img')].every(image => image.complete && image.naturalWidth > 0)");
    // The probe shows the row itself.
    page.value("window.morphscape.select('B.1')");
    page.value("window.morphscape.setCursor(0, 0)");
    page.value("window.morphscape.setCursor(10, 10)");
    let content = std::fs::read(run.join("B.1/landscape.safetensors")).expect("a landscape");
    let file = SafeTensors::deserialize(&content).expect("safetensors");
    let rows: Vec<f32> = bytemuck::pod_collect_to_vec(file.tensor("rows").expect("rows").data());
    let shown = page.text("document.querySelector('#probe-row').textContent");
    assert!(shown.contains("a <b>"), "{shown}");
    for value in &rows[rows.len() - 4..] {
        assert!(
            shown.contains(&value.to_string()),
            "expected {value} in {shown}"
        );
    }
    page.assert_quiet();
}

/// Names of folders and files: no slash, which a file system takes for its own.
#[cfg(unix)]
const HOSTILE_FILES: [&str; 5] = [
    "<img src=x onerror=window.broken=1>",
    "\"><svg onload=window.broken=2><script>window.broken=3",
    "';window.broken=4;'`${window.broken=5}`",
    "\u{202e}gnp.\u{2028}&lt;!--]]>",
    "javascript:window.broken=6\n\t\u{1}\u{7f}",
];

/// What figures are made of, and nothing else.
#[cfg(unix)]
fn assert_only_our_elements(path: &Path) {
    let svg = std::fs::read_to_string(path).expect("a figure");
    let document = roxmltree::Document::parse(&svg)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let ours = [
            "svg", "title", "text", "rect", "line", "polyline", "polygon", "path", "circle",
            "image",
        ];
        assert!(ours.contains(&name), "{}: a {name}", path.display());
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on"), "{}: {name}", path.display());
            let is_picture = value.starts_with("data:image/png;base64,");
            assert!(name != "href" || is_picture, "{}: {value}", path.display());
        }
    }
}

#[test]
#[cfg(unix)]
fn images_are_read_in_a_browser_whatever_their_files_are_called() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let photos = folder.path().join("photos <b>&amp;");
    let set = morphscape::data::fashion_mnist();
    let mut shown = [0; 10];
    for index in 0..200 {
        let label = set.label(index);
        let class = photos.join(format!("{label}{}", HOSTILE_FILES[label % 5]));
        if shown[label] < 2 {
            std::fs::create_dir_all(&class).expect("a folder");
            let file = format!("{}{}.png", HOSTILE_FILES[(label + 2) % 5], shown[label]);
            let image = set.image(index).expect("an image");
            let png = morphscape::data::Picture::from(&image).to_png();
            std::fs::write(class.join(file), png).expect("written");
            shown[label] += 1;
        }
    }
    assert_eq!(shown, [2; 10]);
    let run = folder.path().join("run");
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    // A model that leaves the names of its classes to the folders.
    let model = golden("keras/fashion_mlp.keras");
    let arguments = ["--data", &text(&photos), "--model", &text(&model)];
    let more = [
        "--scale", "1/255", "--groups", "2", "--steps", "3", "--mesh",
    ];
    program("sweep", &run, &[&arguments[..], &more].concat());
    let walk = folder.path().join("walk");
    let landscape = run.join("1A.1");
    let walk_arguments = [
        "--landscape",
        &text(&landscape),
        "--walkers",
        "100",
        "--steps",
        "100",
    ];
    program("walk", &walk, &walk_arguments);
    let mut figures = 0;
    for name in ["1A.1", "1B.2", "2A.3", "../walk"] {
        for entry in std::fs::read_dir(run.join(name)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "svg") {
                assert_only_our_elements(&path);
                figures += 1;
            }
        }
    }
    assert!(figures > 20, "{figures} figures");

    let Some(page) = Page::open(&run.join("report.html")) else {
        return;
    };
    page.wait("document.querySelectorAll('#figures img').length >= 7");
    page.wait("[...document.querySelectorAll('#figures img')].every(image => image.complete && image.naturalWidth > 0)");
    for name in ["1A.1", "1B.2", "2B.3"] {
        page.value(&format!("window.morphscape.select('{name}')"));
        page.wait(&format!("window.morphscape.probe().name === '{name}'"));
        let content = std::fs::read(run.join(name).join("landscape.safetensors")).expect("a file");
        let (_, header) = SafeTensors::read_metadata(&content).expect("a header");
        let metadata = header.metadata().clone().expect("metadata");
        let list = |key: &str| -> Vec<String> { serde_json::from_str(&metadata[key]).expect(key) };
        let classes: [usize; 3] = serde_json::from_str(&metadata["item_classes"]).expect("classes");
        let all = list("classes");
        let shown = page.text("document.querySelector('#landscape').textContent");
        for name in list("items").iter().chain(classes.map(|class| &all[class])) {
            assert!(shown.contains(name.as_str()), "expected {name} in {shown}");
        }
    }
    let plan = page.text("document.querySelector('#facts').textContent");
    assert!(plan.contains("photos <b>&amp;"), "{plan}");
    page.value("window.morphscape.setPath([[0, 0], [2, 2]])");
    page.wait("document.querySelectorAll('#chart svg').length >= 1");
    assert_eq!(page.value("window.broken === undefined"), true);
    page.assert_quiet();
    assert_nothing_foreign_runs(&page);

    let condition = "document.querySelectorAll('figure svg').length >= 3";
    let page = Page::open_until(&walk.join("report.html"), condition).expect("a browser");
    let shown = page.text("document.body.textContent");
    assert!(shown.contains("window.broken="), "{shown}");
    // Pictures keep the one style attribute that the policy knows.
    let style = "[...document.querySelectorAll('image')].every(image => getComputedStyle(image).imageRendering === 'pixelated')";
    assert_eq!(page.value(style), true);
    assert_eq!(page.value("window.broken === undefined"), true);
    page.assert_quiet();
    assert_nothing_foreign_runs(&page);
}

/// Were a name taken for markup after all, the policy would stop what it asks for.
#[cfg(unix)]
fn assert_nothing_foreign_runs(page: &Page) {
    let markup = "<img src=x onerror=window.broken=7><p style=color:red>x</p><style>p{color:red}</style><iframe src=data:,x></iframe>";
    page.value(&format!(
        "document.body.insertAdjacentHTML('beforeend', '{markup}')"
    ));
    page.value("(() => { const script = document.createElement('script'); script.textContent = 'window.broken = 8'; document.body.append(script); })()");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(page.value("window.broken === undefined"), true);
    let color =
        page.text("getComputedStyle(document.querySelector('body > p:last-of-type')).color");
    assert_ne!(color, "rgb(255, 0, 0)");
    let complaints = page.complaints();
    let stopped = complaints
        .iter()
        .filter(|text| text.contains("Content Security Policy"));
    assert!(stopped.count() >= 4, "{complaints:?}");
}

#[test]
fn frames_that_failed_are_gaps_in_the_page() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    // Triple 3A of the default sweep: in published mode no path of 3A.3 is whole.
    let list = folder.path().join("triples.json");
    let text = r#"{"triples":[{"name":"3A","items":[5042,5832,937]}]}"#;
    std::fs::write(&list, text).expect("written");
    let list = list.to_str().expect("UTF-8");
    program("sweep", &run, &["--mode", "published", "--triples", list]);
    let Some(page) = Page::open(&run.join("report.html")) else {
        return;
    };
    page.value("window.morphscape.select('3A.3')");
    page.wait("window.morphscape.probe().name === '3A.3'");
    page.value("window.morphscape.setCursor(4, 4)");
    page.wait("window.morphscape.probe().i === 4");
    assert_eq!(page.number("window.morphscape.probe().label"), -1.0);
    page.value("window.morphscape.setCursor(4, 20)");
    page.wait("window.morphscape.probe().label >= 0");
    assert!(page.text("document.body.textContent").contains("no answer"));
    let row = "[...document.querySelectorAll('tbody tr')].find(row => row.textContent.includes('3A.3')).textContent";
    // Three measures of paths and one of the grid; intrusion is over what is there.
    assert_eq!(
        page.text(row).matches('\u{2013}').count(),
        4,
        "{}",
        page.text(row)
    );
    page.value("window.morphscape.setPath([[0, 0], [0, 20]])");
    page.wait("document.querySelectorAll('#chart svg').length >= 1");
    page.wait("document.querySelectorAll('#surface .gl-container canvas').length === 1");
    page.assert_quiet();
}

/// All models stand under one probe, and landscapes are sorted by what two of them disagree on.
#[test]
fn models_are_compared_in_a_browser() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("models");
    let cnn = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/models/fashion-mnist-cnn.safetensors"
    );
    let models = ["bundled", cnn, "--groups", "1", "--steps", "7", "--series"];
    program("models", &out, &models);
    let Some(page) = Page::open_until(
        &out.join("report.html"),
        "document.readyState === 'complete'",
    ) else {
        return;
    };
    assert_eq!(page.text("document.title"), "Morphscape models");
    let count =
        |selector: &str| page.number(&format!("document.querySelectorAll('{selector}').length"));
    assert_eq!(
        count("#maps canvas"),
        3.0,
        "two models and the disagreement"
    );
    assert_eq!(count("#landscapes tbody tr"), 6.0);
    assert_eq!(count(".drawing > svg"), 3.0);
    // The probe says what the tensors do.
    let name = page.text("document.querySelector('#landscapes tbody tr').dataset.name");
    page.value("document.querySelector('#maps').focus()");
    page.press("ArrowRight");
    page.press("ArrowDown");
    let probed = page.text("document.querySelector('#probe').textContent");
    assert!(probed.contains("row 1, column 1"), "{probed}");
    for (row, file) in [(1, "landscape"), (2, "landscape.2")] {
        let all = probabilities(&out.join(format!("{name}/{file}.safetensors")));
        let most = all[8 * 10..9 * 10].iter().copied().fold(0.0, f32::max);
        let said = page.text(&format!(
            "document.querySelector('#probe tbody tr:nth-child({row}) td:last-child').textContent"
        ));
        assert_eq!(said, format!("{} %", (100.0 * most).round()));
    }
    // Sorting puts the lowest agreement first.
    page.value("document.querySelector('#sort').value = '0'");
    page.value("document.querySelector('#sort').dispatchEvent(new Event('change'))");
    let agreements = page.text(
        "[...document.querySelectorAll('#landscapes tbody td:last-child')].map((n) => n.textContent).join()",
    );
    let agreements: Vec<f64> = agreements
        .split(',')
        .map(|n| n.parse().expect("a number"))
        .collect();
    assert!(agreements.is_sorted(), "{agreements:?}");
    // Light and dark, as in the report.
    let paper = || page.text("getComputedStyle(document.body).backgroundColor");
    let before = paper();
    page.value("document.querySelector('#theme').click()");
    assert_ne!(paper(), before);
    page.value("document.querySelector('#theme').click()");
    assert_eq!(paper(), before);
    page.assert_tables_whole(360);
    page.assert_quiet();
}
