//! The explorer's page in a real browser, against a server of this process.

use crate::browser::{Page, Point};
use crate::explore::{Client, Explorer, fashion, serving};
use crate::program::folder;
use morphscape::data::ClassMatch;
use morphscape::engine::cpu::CpuEngine;
use morphscape::explore::Subject;
use morphscape::{
    Existing, InterpolateJob, Job, ModelSource, Run, RunFolder, Silent, SweepJob, Triples,
};
use std::path::Path;
use std::time::Duration;

pub(crate) const FULL: &str =
    "document.documentElement.dataset.ready === 'full' && morphscape.isSettled()";
pub(crate) const SETTLED: &str = "morphscape.isSettled()";
pub(crate) const LINKED: &str = "morphscape.isLinked()";

/// Opens the page; nothing where there is no browser.
pub(crate) fn open(client: &Client, state: &str) -> Option<Page> {
    Page::open_address(&format!("{}#{state}", client.url), FULL)
}

pub(crate) fn assert_quiet(page: &Page, client: &Client) {
    page.assert_asked_only(&[&client.url, "data:", "blob:"]);
}

/// Presses at the first place and drags to the last.
pub(crate) fn drag(page: &Page, selector: &str, from: f64, to: f64) {
    let start = page.place(selector, from, 0.5);
    let end = page.place(selector, to, 0.5);
    page.pointer("mousePressed", start);
    for n in 1..=20 {
        let share = f64::from(n) / 20.0;
        let x = start.x + share * (end.x - start.x);
        page.pointer("mouseMoved", Point { x, y: start.y });
        std::thread::sleep(Duration::from_millis(16));
    }
    page.pointer("mouseReleased", end);
}

pub(crate) fn bits_shown(page: &Page) -> Vec<u32> {
    let text = page.text("JSON.stringify(Array.from(new Uint32Array(morphscape.values().buffer)))");
    serde_json::from_str(&text).expect("numbers")
}

pub(crate) fn saved_bits(run: &Path) -> Vec<u32> {
    let run = RunFolder::open(run).expect("a run");
    let saved = run.landscape("view.3").expect("a landscape").landscape;
    saved.probabilities.iter().map(|p| p.to_bits()).collect()
}

pub(crate) fn choose(page: &Page, control: &str, value: &str) {
    page.value(&format!(
        "(() => {{ const control = document.querySelector('{control}'); control.value = '{value}';
        control.dispatchEvent(new Event('input', {{bubbles: true}})); control.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"
    ));
}

#[test]
fn a_landscape_is_explored_in_a_browser() {
    let out = folder();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let cnn = ModelSource::from(models.join("fashion-mnist-cnn.safetensors"));
    let subject = fashion(Box::new(CpuEngine::new()))
        .against(&cnn, ClassMatch::Name, &Silent)
        .expect("two models");
    serving(subject, |client| {
        let Some(page) = open(client, "a=9&b=2&c=1&at=0_0") else {
            return;
        };
        let first = bits_shown(&page);
        assert_eq!(first.len(), 21 * 21 * 10);

        // Items from the gallery: of a class, by search, one after another into A, B and C.
        choose(&page, "#gallery-class", "5");
        page.wait("document.querySelector('#gallery-count').textContent === '1000 of 10000'");
        page.wait("document.querySelector('#gallery button .thumb') !== null");
        page.value("document.querySelector('#gallery button').click()");
        page.wait("document.querySelector('#anchors .name').textContent === 't10k#8'");
        choose(&page, "#gallery-class", "");
        choose(&page, "#gallery-search", "t10k#9998");
        page.wait("document.querySelectorAll('#gallery button .thumb').length === 1");
        page.value("document.querySelector('#gallery button').click()");
        page.wait("document.querySelectorAll('#anchors .name')[1].textContent === 't10k#9998'");
        page.wait(SETTLED);
        assert_ne!(bits_shown(&page), first);
        // The list is as long as the data, and what is there of it is what can be seen.
        choose(&page, "#gallery-search", "");
        page.wait("document.querySelector('#gallery-count').textContent === '10000 of 10000'");
        page.value("document.querySelector('#gallery').scrollTop = 1e9");
        page.wait(
            "document.querySelector('#gallery [aria-label^=\"t10k#9998,\"] .thumb') !== null",
        );
        assert!(page.number("document.querySelectorAll('#gallery button').length") < 400.0);

        // An anchor dragged through its class.
        let before = page.number("morphscape.log().length");
        drag(&page, "#scrub-A", 0.05, 0.9);
        page.wait(SETTLED);
        assert!(page.number("morphscape.log().length") > before + 3.0);
        assert_ne!(
            page.text("document.querySelector('#anchors .name').textContent"),
            "t10k#8"
        );
        assert!(page.number("Number(document.querySelector('#scrub-A').value)") > 700.0);

        // Hovering moves the probe, of both models.
        let point = page.place("#map", 0.97, 0.5);
        page.hover(point);
        page.wait("JSON.stringify(morphscape.probe().cell) === '[10,20]'");
        let shown = page.text("document.querySelector('#bars .predicted .label').textContent");
        assert_eq!(
            shown,
            page.text("document.querySelector('#bars-against .predicted .label').textContent")
        );
        page.wait("!document.querySelector('#probe-frame').classList.contains('stale')");
        assert!(
            page.text("document.querySelector('#difference-text').textContent")
                .starts_with("Different classes at")
        );

        // Two clicks make a path; refining keeps its place.
        for (across, down) in [(0.02, 0.02), (0.98, 0.98)] {
            let point = page.place("#map", across, down);
            page.click(point);
        }
        page.wait("morphscape.path().length === 21");
        choose(&page, "#steps", "81");
        page.wait("morphscape.steps() === 81 && morphscape.isSettled()");
        assert_eq!(
            page.text("JSON.stringify([morphscape.path()[0], morphscape.path().at(-1)])"),
            "[[0,0],[80,80]]"
        );
        choose(&page, "#steps", "21");

        // Another kind, with its exact boundary.
        choose(&page, "#kind", "cross-fade");
        page.wait(SETTLED);
        let faded = bits_shown(&page);
        page.value("document.querySelector('#exact').click()");
        page.wait("document.querySelector('#progress').textContent.includes('exact boundary')");
        choose(&page, "#kind", "morph");
        page.wait(SETTLED);
        page.wait("document.querySelector('#problem').textContent.includes('cross-fade')");
        page.value("document.querySelector('#exact').click()");
        page.wait(SETTLED);
        page.wait("document.querySelector('#problem').hidden");
        assert_ne!(bits_shown(&page), faded);

        // A single class has a colour bar.
        choose(&page, "#surface-class", "C");
        std::thread::sleep(Duration::from_millis(300));

        // A plane, wider than its items.
        choose(&page, "#kind", "plane");
        choose(&page, "#range", "0.5");
        page.wait(SETTLED);
        page.wait("location.hash.includes('range=0.5')");
        assert!(
            page.text("document.querySelector('#landscape-heading').textContent")
                .starts_with("plane of")
        );
        // A class is spelled as the data spell it, at the start of the heading as well.
        assert_eq!(
            page.text("getComputedStyle(document.querySelector('#landscape-heading'), '::first-letter').textTransform"),
            "none"
        );
        choose(&page, "#kind", "morph");
        page.wait(SETTLED);

        // Saved, the run holds what the page shows.
        let place = out.path().join("kept");
        choose(&page, "#folder", place.to_str().expect("UTF-8"));
        let shown = bits_shown(&page);
        page.value("document.querySelector('#save button').click()");
        page.wait("document.querySelector('#saved').textContent.includes('this view is view.3')");
        assert_eq!(saved_bits(&place), shown);
        page.value("document.querySelector('#commands').open = true");
        page.wait(
            "document.querySelector('#python').textContent.includes('ms.landscape(None, images[')",
        );

        // The address restores the view.
        page.value("morphscape.setCursor(3, 4)");
        page.wait("location.hash.includes('at=0.15_0.2')");
        let path = page.text("JSON.stringify(morphscape.path())");
        page.wait(LINKED);
        page.reload();
        page.wait(FULL);
        assert_eq!(bits_shown(&page), shown);
        assert_eq!(
            page.text("JSON.stringify(morphscape.probe().cell)"),
            "[3,4]"
        );
        assert_eq!(page.text("JSON.stringify(morphscape.path())"), path);
        assert_quiet(&page, client);
        client.wait_until_idle();
    });
    assert_eq!(crate::program::files(out.path()), ["kept"]);
}

#[test]
fn rows_are_led_by_sliders_and_a_run_is_where_to_start() {
    let out = folder();
    let job = Job::Interpolate(InterpolateJob {
        triples: Triples::groups(2),
        ..InterpolateJob::default()
    });
    let engine = CpuEngine::new();
    let loaded = job.load(&Silent).expect("iris");
    Run::new(&loaded, &engine)
        .write_to(&out.path().join("run"), Existing::Continue, &Silent)
        .expect("a run");
    let run = RunFolder::open(out.path().join("run")).expect("a run");
    let subject = Subject::load(job, Box::new(engine), &Silent).expect("iris");
    let subject = subject.listing(&run).expect("its rows");
    serving(subject, |client| {
        let Some(page) = open(client, "") else {
            return;
        };
        assert_eq!(
            page.number("document.querySelectorAll('#table-body tr').length"),
            6.0
        );
        page.value("document.querySelector('#table-body a[href=\"#B.2\"]').click()");
        page.wait(SETTLED);
        let items = run.landscape("B.2").expect("a landscape").about.item_names;
        for (k, item) in items.iter().enumerate() {
            page.wait(&format!(
                "document.querySelectorAll('#anchors .name')[{k}].textContent === '{item}'"
            ));
        }
        let saved = run.landscape("B.2").expect("a landscape").landscape;
        let saved: Vec<u32> = saved.probabilities.iter().map(|p| p.to_bits()).collect();
        assert_eq!(bits_shown(&page), saved);
        // Any point of the space: one slider moved.
        drag(&page, ".anchor .features input", 0.5, 0.9);
        page.wait(
            "document.querySelector('#anchors .name').textContent.includes('a point of your own')",
        );
        page.wait(SETTLED);
        assert_ne!(bits_shown(&page), saved);
        let moved = bits_shown(&page);
        page.wait("decodeURIComponent(location.hash).includes('a=row:')");
        page.wait(LINKED);
        page.reload();
        page.wait(FULL);
        assert_eq!(bits_shown(&page), moved);
        page.value("document.querySelector('#exact').click()");
        page.wait("document.querySelector('#progress').textContent.includes('exact boundary')");
        assert_quiet(&page, client);
    });
}

#[test]
fn the_page_can_be_used_by_everyone() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let cnn = ModelSource::from(models.join("fashion-mnist-cnn.safetensors"));
    let subject = fashion(Box::new(CpuEngine::new()))
        .against(&cnn, ClassMatch::Name, &Silent)
        .expect("two models");
    serving(subject, |client| {
        let Some(page) = open(client, "a=9&b=2&c=1&path=0_0_1_1") else {
            return;
        };
        page.value("document.querySelector('#commands').open = true");
        page.wait("document.querySelector('#gallery button .thumb') !== null");
        page.wait("document.querySelector('#python').textContent !== ''");
        for theme in ["light", "dark"] {
            page.value(&format!("if (document.documentElement.dataset.theme !== '{theme}') document.querySelector('#theme').click()"));
            assert_eq!(page.text("document.documentElement.dataset.theme"), theme);
            for kind in ["plane", "line", "morph"] {
                choose(&page, "#kind", kind);
                page.wait(SETTLED);
                page.assert_usable(&format!("{theme}, {kind}"));
            }
        }
        // No window is too narrow.
        page.assert_fits(&[1600, 1300, 1000, 700, 390, 320]);
        // Everything by keyboard: the gallery's arrows, an anchor's slider, the map.
        page.value("document.querySelector('#gallery button[tabindex=\"0\"]').focus()");
        page.press("ArrowRight");
        page.wait("document.activeElement.dataset.at === '1'");
        page.press("Enter");
        page.wait("document.querySelector('#anchors .name').textContent === 't10k#1'");
        page.value("document.querySelector('#scrub-C').focus()");
        page.press("ArrowRight");
        page.wait("document.querySelectorAll('#anchors .name')[2].textContent !== 't10k#1'");
        page.wait(SETTLED);
        assert_quiet(&page, client);
    });
}

#[test]
#[cfg(unix)]
fn names_of_classes_and_files_are_text() {
    let out = folder();
    let names = [
        "<img src=x onerror=window.broken=1>",
        "\"><svg onload=window.broken=2><script>window.broken=3",
        "';window.broken=4;'`${window.broken=5}`",
    ];
    let set = morphscape::data::fashion_mnist();
    let photos = out.path().join("photos");
    for label in 0..10 {
        let class = photos.join(format!("{label}{}", names[label % 3]));
        std::fs::create_dir_all(&class).expect("a folder");
        let of_class = (0..200).filter(|&index| set.label(index) == label);
        for (n, index) in of_class.take(2).enumerate() {
            let image = set.image(index).expect("an image");
            let png = morphscape::data::Picture::from(&image).to_png();
            std::fs::write(
                class.join(format!("{n}{}.png", names[(label + 1) % 3])),
                png,
            )
            .expect("written");
        }
    }
    let job = Job::Sweep(SweepJob {
        model: ModelSource {
            options: morphscape::model::ModelOptions {
                scale: Some(1.0 / 255.0),
                ..morphscape::model::ModelOptions::default()
            },
            ..ModelSource::from(crate::common::golden("keras/fashion_mlp.keras"))
        },
        data: photos.to_str().expect("UTF-8").into(),
        ..SweepJob::default()
    });
    let subject = Subject::load(job, Box::new(CpuEngine::new()), &Silent).expect("a folder");
    serving(subject, |client| {
        let Some(page) = open(client, "a=0&b=2&c=4&path=0_0_1_1") else {
            return;
        };
        page.wait("document.querySelectorAll('#gallery button .thumb').length === 20");
        let shown = page.text("document.body.textContent");
        for name in names {
            assert!(shown.contains(name), "expected {name} in {shown}");
        }
        // An address that anyone may have made.
        page.value("location.hash = 'a=%3Cimg%20src=x%20onerror=window.broken=6%3E&b=1e9&c=-1&kind=__proto__&steps=NaN&cells=1e9&at=5_x&path=_'");
        page.wait(LINKED);
        page.wait(SETTLED);
        choose(
            &page,
            "#gallery-search",
            "<img src=x onerror=window.broken=7>",
        );
        page.wait("document.querySelector('#gallery-count').textContent !== '20 of 20'");
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(page.value("window.broken === undefined"), true);
        assert_eq!(page.number("morphscape.steps()"), 21.0);
        assert_quiet(&page, client);
    });
}

/// Times from a change to what is drawn, medians, in this browser: printed, for docs/speed.md. Of
/// another build of the program, such as a release's, where `MORPHSCAPE_PROGRAM` names one.
///
///     MORPHSCAPE_PROGRAM=target/release/morphscape cargo test --test it -- --ignored --nocapture latency
#[test]
#[ignore = "a measurement"]
fn latency() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let cnn = models.join("fashion-mnist-cnn.safetensors");
    let of_cnn = ["--model", cnn.to_str().expect("UTF-8")];
    let out = folder();
    for (name, model, changes) in [("MLP", &[][..], 40), ("CNN", &of_cnn[..], 12)] {
        for engine in ["cpu", "gpu"] {
            let arguments = [&["--engine", engine], model].concat();
            let explorer = Explorer::start(out.path(), &arguments);
            let client = &explorer.client;
            let Some(page) = open(client, "a=9&b=2&c=1") else {
                return;
            };
            // A convolution of 40,401 frames takes a software adapter many seconds.
            let (most, levels) = match (name, engine) {
                ("CNN", "gpu") => (21, 2),
                _ => (201, 4),
            };
            for (kind, steps, levels) in [
                ("morph", 21, 2),
                ("cross-fade", most, levels),
                ("plane", most, levels),
            ] {
                page.value(&format!(
                    "morphscape.settings.set({{kind: '{kind}', steps: {steps}}})"
                ));
                page.wait(SETTLED);
                page.value("window.times = {}");
                for n in 0..changes {
                    // As the slider of B says it.
                    page.value(&format!(
                        "(() => {{ const slider = document.querySelector('#scrub-B'); slider.value = {};
                        slider.dispatchEvent(new Event('input', {{bubbles: true}})); }})()",
                        17 * n + 3
                    ));
                    std::thread::sleep(Duration::from_millis(20));
                    page.wait(SETTLED);
                    // Frames and the surface are drawn behind the grids that are measured.
                    std::thread::sleep(Duration::from_millis(400));
                    page.value(&format!(
                        "for (const {{steps, ms, compute_ms}} of morphscape.log().slice(-{levels})) {{
                        (times[steps] ??= []).push(ms); (times[`${{steps}} computed`] ??= []).push(compute_ms); }}"
                    ));
                }
                let medians = page.text("Object.entries(times).map(([steps, all]) => `${steps}: ${all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)].toFixed(0)} ms`).join(', ')");
                println!("{name}, {engine}, {kind}: {medians}");
            }
        }
    }
}
