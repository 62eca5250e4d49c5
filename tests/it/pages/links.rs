//! What a page refers to is there: files, headings, pictures; and every page is in the README's list.

use super::{Kind, Page, pages, root};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Every Markdown file of the project.
fn all_pages() -> Vec<Page> {
    let (mut folders, mut found) = (vec![root().to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // Builds, environments and Git's own.
            let ours =
                !name.starts_with('.') && !["target", "node_modules"].contains(&name.as_ref());
            if path.is_dir() && ours {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                found.push(Page::read(path));
            }
        }
    }
    found
}

/// The targets of `[text](target)` and `![text](target)`, code left out.
fn targets(page: &Page) -> Vec<String> {
    let prose = page.prose();
    let rest = prose.split("](").skip(1);
    rest.filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// The anchors that GitHub gives to a page's headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// A path without `..`, from the root of the project.
fn resolved(page: &Page, target: &str) -> PathBuf {
    let mut path = PathBuf::new();
    let folder = Path::new(&page.place).parent().expect("a file's folder");
    for part in folder.join(target).components() {
        match part {
            Component::ParentDir => {
                assert!(path.pop(), "{}: {target} leaves the project", page.place)
            }
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_leads_somewhere() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for page in all_pages() {
        for target in targets(&page) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (file, anchor) = target
                .split_once('#')
                .map_or((&*target, None), |(f, a)| (f, Some(a)));
            let path = match file {
                "" => PathBuf::from(&page.place),
                file => resolved(&page, file),
            };
            let there = root().join(&path);
            let text = || std::fs::read_to_string(&there).unwrap_or_default();
            let holds = |anchor: &str| anchors(&text()).iter().any(|found| found == anchor);
            if !there.exists() || anchor.is_some_and(|anchor| !holds(anchor)) {
                wrong.push(format!("{}: {target}", page.place));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "links that lead nowhere:\n{}",
        wrong.join("\n")
    );
    assert!(count > 60, "{count} links on all pages");
}

/// Files that a page names in backquotes, from the root of the project.
#[test]
fn every_file_that_is_named_is_there() {
    let folders = [
        "docs/",
        "examples/",
        "models/",
        "python/",
        "shaders/",
        "src/",
        "tests/",
    ];
    let mut wrong = Vec::new();
    for page in all_pages() {
        for quoted in page.prose().split('`').skip(1).step_by(2) {
            let named = folders.iter().any(|folder| quoted.starts_with(folder));
            // One word, and no pattern.
            let plain = quoted
                .chars()
                .all(|c| c.is_alphanumeric() || "/._-".contains(c));
            if named && plain && !root().join(quoted).exists() {
                wrong.push(format!("{}: {quoted}", page.place));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "files that are not there:\n{}",
        wrong.join("\n")
    );
}

/// The README lists every page, and every picture stands on one.
#[test]
fn pages_are_listed_and_pictures_are_shown() {
    let readme = Page::at("README.md");
    let list = readme
        .text
        .split("\n## More\n")
        .nth(1)
        .expect("the list of pages");
    let list = list.split("\n## ").next().expect("its end");
    let shown: BTreeSet<PathBuf> = pages()
        .iter()
        .flat_map(|page| {
            targets(page)
                .into_iter()
                .map(|target| resolved_or_own(page, &target))
        })
        .collect();
    for entry in std::fs::read_dir(root().join("docs")).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let place = format!("docs/{}", name.to_string_lossy());
        match place.ends_with(".md") {
            true => assert!(
                list.contains(&format!("({place})")),
                "the README does not list {place}"
            ),
            false => assert!(shown.contains(Path::new(&place)), "no page shows {place}"),
        }
    }
}

fn resolved_or_own(page: &Page, target: &str) -> PathBuf {
    match target.contains("://") {
        true => PathBuf::from(target),
        false => resolved(page, target),
    }
}

/// A heading's anchor is what GitHub makes of it, and code is no heading.
#[test]
fn anchors_are_github_s() {
    let text = "## What 21 x 21 points miss of Fashion-MNIST\n\n# `a` and b, too\n";
    let expected = ["what-21-x-21-points-miss-of-fashion-mnist", "a-and-b-too"];
    assert_eq!(anchors(text), expected);
    let page = Page {
        place: "docs/x.md".into(),
        text: "[a](b.md#c)\n\n    [d](e.md)\n\n![f](../g.png)\n".into(),
    };
    assert_eq!(targets(&page), ["b.md#c", "../g.png"]);
    assert_eq!(resolved(&page, "../g.png"), Path::new("g.png"));
    let kinds: Vec<Kind> = page.lines().map(|(kind, _)| kind).collect();
    assert_eq!(kinds[2], Kind::Code);
}
