//! Tables and lists that the code knows: the pages have them as the code does.
//!
//! `MORPHSCAPE_REWRITE_PAGES=1 cargo test --test it pages::` writes the tables that are generated
//! into their pages, between the heading of the table and the first empty line.

use super::{Page, root};
use crate::program::{folder, succeed};
use clap::{ArgAction, CommandFactory};
use morphscape::cli::Cli;
use morphscape::landscape::COLUMNS;
use morphscape::model::{ModelError, ModelOptions, onnx_operators, read_model};
use std::collections::BTreeMap;
use std::path::Path;

/// Compares the table below `heading` with `rows`, or writes it.
fn hold(place: &str, heading: &str, rows: &[String]) {
    let page = Page::at(place);
    let (before, rest) = (page.text.split_once(&format!("\n{heading}\n")))
        .unwrap_or_else(|| panic!("{place}: expected a table that begins with {heading}"));
    let (table, after) = rest.split_once("\n\n").unwrap_or((rest.trim_end(), ""));
    let rule = table.lines().next().unwrap_or_default();
    let expected = format!("{rule}\n{}", rows.join("\n"));
    if table == expected {
        return;
    }
    if std::env::var("MORPHSCAPE_REWRITE_PAGES").is_ok_and(|value| value == "1") {
        let text = format!("{before}\n{heading}\n{expected}\n\n{after}");
        std::fs::write(root().join(place), text.trim_end().to_owned() + "\n").expect("written");
        return;
    }
    let differs = |row: &&String| !table.lines().any(|line| line == row.as_str());
    let rows: Vec<&str> = rows.iter().filter(differs).map(String::as_str).collect();
    panic!(
        "{place}: the table {heading} is not the code's; MORPHSCAPE_REWRITE_PAGES=1 writes it. Rows that differ:\n{}",
        rows.join("\n")
    );
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('|', "\\|")
}

#[test]
fn measures_are_the_code_s() {
    let row = |column: &morphscape::landscape::Column| {
        format!("| `{}` | {} |", column.key, cell(column.help))
    };
    let rows: Vec<String> = COLUMNS.iter().map(row).collect();
    hold("docs/measures.md", "| measure | what it is |", &rows);
}

/// Those that the kernels run whatever they say stand in one row.
#[test]
fn operators_are_the_code_s() {
    let name = |[domain, name, _]: [&str; 3]| match domain {
        "" => format!("`{name}`"),
        _ => format!("`{domain}.{name}`"),
    };
    let whole: Vec<String> = onnx_operators()
        .filter(|[.., without]| without.is_empty())
        .map(name)
        .collect();
    let row = |operator: [&str; 3]| format!("| {} | {} |", name(operator), cell(operator[2]));
    let others = onnx_operators().filter(|[.., without]| !without.is_empty());
    let mut rows = vec![format!("| {} | |", whole.join(", "))];
    rows.extend(others.map(row));
    hold("docs/models.md", "| operator | but not |", &rows);
}

/// Every column of `summary.csv` stands on the page.
#[test]
fn columns_of_the_summary_are_on_the_page() {
    let folder = folder();
    let job = [
        "sweep",
        "--groups",
        "1",
        "--steps",
        "3",
        "--engine",
        "cpu",
        "--figures",
        "none",
    ];
    succeed(folder.path(), &job);
    let table = folder.path().join("morphscape-sweep/summary.csv");
    let table = std::fs::read_to_string(table).expect("a table");
    let page = Page::at("docs/measures.md").text;
    for column in table.lines().next().expect("a heading").split(',') {
        assert!(
            page.contains(&format!("`{column}`")),
            "docs/measures.md does not explain {column}"
        );
    }
}

/// Every command, and every option with the commands that take it.
#[test]
fn options_are_the_code_s() {
    let mut cli = Cli::command();
    cli.build();
    let mut commands = Vec::new();
    // An option's row without its commands, with the names of those.
    let mut options: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut add = |command: &clap::Command, name: &str| {
        for option in command.get_arguments() {
            let Some(long) = option.get_long().filter(|_| !option.is_hide_set()) else {
                continue;
            };
            let takes = matches!(option.get_action(), ArgAction::Set | ArgAction::Append);
            let value = option
                .get_value_names()
                .filter(|_| takes)
                .unwrap_or_default();
            let value: String = value.iter().map(|name| format!(" {name}")).collect();
            let short = option
                .get_short()
                .map(|short| format!("`-{short}`, "))
                .unwrap_or_default();
            let help = option.get_long_help().or(option.get_help());
            let help = help.map(ToString::to_string).unwrap_or_default();
            // The first paragraph is what `-h` says; what follows it says the same and more.
            let mut help = help
                .split_once("\n\n")
                .map_or(help.clone(), |(_, more)| more.to_owned());
            if let ([default], true) = (option.get_default_values(), takes)
                && !help.contains("[default")
            {
                help += &format!(" [default: {}]", default.to_string_lossy());
            }
            let names: Vec<String> = (option.get_possible_values().iter())
                .filter(|value| takes && !value.is_hide_set())
                .map(|value| value.get_name().to_owned())
                .collect();
            if !names.is_empty() {
                help += &format!(" [possible values: {}]", names.join(", "));
            }
            let shown = format!("{short}`--{long}{value}`");
            let row = (cell(&shown), cell(&help));
            let of = options.entry(row).or_default();
            if !of.iter().any(|of| of == name) {
                of.push(name.to_owned());
            }
        }
    };
    for command in cli
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        commands.push(format!("| `{}` | {} |", command.get_name(), cell(&about)));
        add(command, command.get_name());
        for sub in command
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help")
        {
            add(sub, &format!("{} {}", command.get_name(), sub.get_name()));
        }
    }
    let all = commands.len();
    let row = |((option, help), of): (&(String, String), &Vec<String>)| {
        let of = match of.len() >= all {
            true => "all".to_owned(),
            false => of.join(", "),
        };
        format!("| {option} | {of} | {help} |")
    };
    let mut rows: Vec<((String, String), String)> = (options.iter())
        .map(|(key, of)| (key.clone(), row((key, of))))
        .collect();
    // By the long name, whether there is a short one or not.
    rows.sort_by_key(|((option, help), _)| {
        let long = option.split("`--").nth(1).unwrap_or_default().to_owned();
        (long, help.clone())
    });
    let rows: Vec<String> = rows.into_iter().map(|(_, row)| row).collect();
    hold("docs/options.md", "| command | what it does |", &commands);
    hold("docs/options.md", "| option | of | what it does |", &rows);
}

/// A model of one layer of a class, as a config in the metadata of a `.safetensors` file.
fn model_of(class: &str, folder: &Path) -> Result<(), ModelError> {
    let config = serde_json::json!({"class_name": "Sequential", "config": {"name": "one", "layers": [
        {"class_name": "InputLayer", "config": {"name": "input", "batch_shape": [null, 4, 4, 2]}},
        // What is inside is for a wrapper.
        {"class_name": class, "config": {"name": "layer", "layer": {"class_name": "Dense", "config": {"name": "inside"}}}},
    ]}});
    let header =
        serde_json::json!({"__metadata__": {"keras_config": config.to_string()}}).to_string();
    let path = folder.join("model.safetensors");
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(&path, [&length[..], header.as_bytes()].concat()).expect("written");
    read_model(&path, &ModelOptions::default()).map(drop)
}

/// The layers that an error lists stand on the page, in the same words, and each of them is known.
#[test]
fn layers_are_the_code_s() {
    let folder = folder();
    let Err(ModelError::UnknownLayer { supported, .. }) = model_of("Nonsense", folder.path())
    else {
        panic!("a layer named Nonsense was read");
    };
    let prose = Page::at("docs/models.md").prose();
    let prose = prose.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        prose.contains(supported),
        "docs/models.md does not have the list: {supported}"
    );
    let classes = supported.split(", and ").next().unwrap_or_default();
    for class in classes.split(", ") {
        let known = !matches!(
            model_of(class, folder.path()),
            Err(ModelError::UnknownLayer { .. })
        );
        assert!(known, "{class} is listed and not known");
    }
}
