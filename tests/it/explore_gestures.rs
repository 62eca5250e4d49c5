//! The explorer's page: a plane that is moved and zoomed, items of one's own, and the line.

use crate::browser::{Page, Point};
use crate::explore::{fashion, serving};
use crate::explore_page::{
    FULL, LINKED, SETTLED, assert_quiet, bits_shown, choose, open, saved_bits,
};
use crate::program::folder;
use morphscape::data::{ClassMatch, Picture};
use morphscape::engine::cpu::CpuEngine;
use morphscape::explore::Subject;
use morphscape::{InterpolateJob, Job, ModelSource, Silent};
use std::path::Path;
use std::time::Duration;

/// The box of the plane, as the page's settings have it.
fn shown_box(page: &Page) -> [[f64; 2]; 2] {
    let text = page.text("JSON.stringify(morphscape.settings.box)");
    serde_json::from_str(&text).expect("numbers")
}

/// Widths of the box along alpha and beta, in sides of the items.
fn widths(page: &Page) -> [f64; 2] {
    shown_box(page).map(|[before, behind]| 1.0 + before + behind)
}

fn is_near(found: [f64; 2], expected: [f64; 2]) -> bool {
    (found.iter().zip(expected)).all(|(found, expected)| (found - expected).abs() < 0.02)
}

#[test]
fn a_plane_is_moved_and_zoomed() {
    serving(fashion(Box::new(CpuEngine::new())), |client| {
        let Some(page) = open(client, "a=9&b=2&c=1&kind=plane&range=0.5&steps=21") else {
            return;
        };
        let first = bits_shown(&page);
        assert!(is_near(widths(&page), [2.0, 2.0]));
        // Dragged to the right and down by a fifth of the map: what was at the left comes in.
        let [from, to] = [[0.4, 0.4], [0.6, 0.6]].map(|[x, y]| page.place("#map", x, y));
        page.pointer("mousePressed", from);
        for n in 1..=10 {
            let share = f64::from(n) / 10.0;
            let point = Point {
                x: from.x + share * (to.x - from.x),
                y: from.y + share * (to.y - from.y),
            };
            page.pointer("mouseMoved", point);
        }
        page.pointer("mouseReleased", to);
        page.wait(SETTLED);
        let [[left, right], [below, above]] = shown_box(&page);
        assert!(is_near([left, right], [0.9, 0.1]), "{left} {right}");
        assert!(is_near([below, above], [0.1, 0.9]), "{below} {above}");
        let moved = bits_shown(&page);
        assert_ne!(moved, first);
        assert_eq!(page.number("morphscape.path().length"), 0.0, "no click");
        page.wait("location.hash.includes('range=0.')");

        // The wheel, about the place under it.
        let corner = page.place("#map", 0.02, 0.98);
        page.hover(corner);
        std::thread::sleep(Duration::from_millis(400));
        page.wheel(corner, -250.0);
        page.wait("morphscape.settings.box[0][1] < 0");
        page.wait(SETTLED);
        let [[nearer, _], [lower, _]] = shown_box(&page);
        assert!(is_near([nearer, lower], [left, below]), "the corner stays");
        assert!(widths(&page)[0] < 1.4, "{:?}", widths(&page));
        assert_eq!(page.number("scrollY"), page.number("Math.max(scrollY, 0)"));
        // Narrower than its items, down to the end.
        for _ in 0..40 {
            page.value("document.querySelector('#box-in').click()");
        }
        page.wait(SETTLED);
        assert!(widths(&page)[0] < 2e-3, "{:?}", widths(&page));
        assert!(page.value("document.querySelector('#problem').hidden") == true);

        // A link restores the box, and the keys lead back.
        let deep = bits_shown(&page);
        page.wait(LINKED);
        page.reload();
        page.wait(FULL);
        assert_eq!(bits_shown(&page), deep);
        page.value("document.querySelector('#map').focus()");
        page.press("0");
        page.wait("morphscape.settings.box.flat().every((share) => share === 0.1)");
        page.press("-");
        page.wait(SETTLED);
        assert!(is_near(widths(&page), [1.5, 1.5]), "{:?}", widths(&page));

        // Two fingers that move apart, and one that scrolls.
        let middle = page.place("#map", 0.5, 0.5);
        let pair = |apart: f64| [[middle.x - apart, middle.y], [middle.x + apart, middle.y]];
        page.touch("touchStart", &pair(30.0));
        for n in 1..=10 {
            page.touch("touchMove", &pair(30.0 + 3.0 * f64::from(n)));
        }
        page.touch("touchEnd", &[]);
        page.wait(SETTLED);
        let pinched = widths(&page);
        assert!(pinched[0] < 1.0, "{pinched:?}");
        page.touch("touchStart", &[[middle.x, middle.y]]);
        page.touch("touchMove", &[[middle.x, middle.y + 40.0]]);
        page.touch("touchEnd", &[]);
        assert!(is_near(widths(&page), pinched));
        assert_quiet(&page, client);
    });
}

#[test]
fn pictures_of_ones_own_are_dropped_linked_and_saved() {
    let out = folder();
    serving(fashion(Box::new(CpuEngine::new())), |client| {
        let Some(page) = open(client, "a=9&b=2&c=1&kind=cross-fade") else {
            return;
        };
        let first = bits_shown(&page);
        let mut picture = Picture::filled(40, 40, 3, 0);
        for (n, level) in picture.levels.iter_mut().enumerate() {
            *level = if n / 3 % 40 < 20 { 220 } else { (n % 31) as u8 };
        }
        let bytes = serde_json::to_string(&picture.to_png()).expect("numbers");
        page.value(&format!(
            "(() => {{ const data = new DataTransfer();
            data.items.add(new File([new Uint8Array({bytes})], '<b>mine</b>.png', {{type: 'image/png'}}));
            document.querySelectorAll('.anchor')[0].dispatchEvent(new DragEvent('drop', {{dataTransfer: data, bubbles: true, cancelable: true}})); }})()"
        ));
        page.wait("document.querySelector('#anchors .name').textContent.startsWith('<b>mine</b>.png (40 x 40 x 3 was made 28 x 28 x 1')");
        page.wait(SETTLED);
        let shown = bits_shown(&page);
        assert_ne!(shown, first);
        page.wait("location.hash.includes('a=png')");
        assert_eq!(
            page.value("document.querySelector('#link-note').hidden"),
            true
        );
        page.wait(LINKED);
        page.reload();
        page.wait(FULL);
        assert_eq!(bits_shown(&page), shown);
        // Kept as a run, which holds the picture.
        let place = out.path().join("own");
        choose(&page, "#folder", place.to_str().expect("UTF-8"));
        page.value("document.querySelector('#save button').click()");
        page.wait("document.querySelector('#saved').textContent.includes('view.3') || document.querySelector('#saved').textContent.includes('class')");
        let said = page.text("document.querySelector('#saved').textContent");
        assert!(said.contains("this view is view.3"), "{said}");
        assert_eq!(saved_bits(&place), shown);
        // A link that was cut off is told of.
        page.value("location.hash = 'a=png:iVBORw0KGgo&b=2&c=1&kind=cross-fade'");
        page.wait("!document.querySelector('#link-note').hidden");
        assert!(
            page.text("document.querySelector('#link-note').textContent")
                .contains("no readable picture for A")
        );
        page.wait(SETTLED);
        assert!(
            page.text("document.querySelector('#anchors .name').textContent")
                .starts_with("t10k#")
        );
        assert_quiet(&page, client);
    });
}

#[test]
fn a_line_is_shown_with_its_intervals() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let cnn = ModelSource::from(models.join("fashion-mnist-cnn.safetensors"));
    let rows = Subject::load(
        Job::Interpolate(InterpolateJob::default()),
        Box::new(CpuEngine::new()),
        &Silent,
    );
    let subjects = [
        fashion(Box::new(CpuEngine::new()))
            .against(&cnn, ClassMatch::Name, &Silent)
            .expect("two models"),
        rows.expect("iris"),
    ];
    for subject in subjects {
        serving(subject, |client| {
            let Some(page) = open(client, "a=9&b=60&c=120&kind=line&steps=41&at=0_0.5") else {
                return;
            };
            let classes = page.number("morphscape.probe().probabilities.length");
            assert_eq!(bits_shown(&page).len() as f64, 41.0 * classes);
            assert_eq!(
                page.text("JSON.stringify(morphscape.probe().cell)"),
                "[0,20]"
            );
            assert!(page.number("document.querySelectorAll('#line-bars .line-bar').length") >= 1.0);
            assert_eq!(
                page.value("document.querySelector('.map-part').offsetParent === null"),
                true
            );
            // The chart is there, and the pointer leads the probe along the bars.
            assert_eq!(page.number("morphscape.path().length"), 41.0);
            let point = page.place("#line-bars", 0.75, 0.2);
            page.hover(point);
            page.wait("morphscape.probe().cell[1] === 30");
            page.value("document.querySelector('#line-bars').focus()");
            page.press("ArrowLeft");
            page.wait("morphscape.probe().cell[1] === 29");
            assert!(
                page.text("document.querySelector('#line-text').textContent")
                    .contains("between 41 samples")
            );
            page.value("document.querySelector('#exact').click()");
            page.wait("document.querySelector('#line-text').textContent.includes('(exact)')");
            page.value("document.querySelector('#commands').open = true");
            page.wait("document.querySelector('#shell').textContent.includes('morphscape line') || document.querySelector('#python').textContent.includes('ms.line')");
            // And back to a grid.
            let kind = page.text("document.querySelector('#kind option').value");
            choose(&page, "#kind", &kind);
            page.wait(SETTLED);
            page.wait("document.querySelector('.map-part').offsetParent !== null");
            assert_eq!(bits_shown(&page).len() as f64, 41.0 * 41.0 * classes);
            assert_quiet(&page, client);
        });
    }
}
