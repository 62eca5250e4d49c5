//! How `-h` and `--help` show options: under headings, and in `-h` those alone that many need.

use clap::{Arg, Command};

/// Options under the headings that they stand under, by their ids.
const HEADINGS: [(&str, &[&str]); 6] = [
    (
        "What",
        &[
            "kind",
            "groups",
            "classes",
            "triples",
            "pairs",
            "directions",
            "count",
            "seed",
            "per_class",
            "points",
            "items",
            "landscape",
            "surface",
            "drift",
            "bowl",
            "hurst",
            "height",
            "potential",
            "class",
            "start",
            "edges",
            "basins",
            "search",
            "survey",
            "any_items",
            "shard",
        ],
    ),
    (
        "How",
        &[
            "steps",
            "mode",
            "sampling",
            "grid",
            "range",
            "clipped",
            "exact",
            "max_regions",
            "alphas",
            "resolution",
            "series",
            "margins",
            "connect",
            "min_agreement",
            "per",
            "walk",
            "temperature",
            "dt",
            "walkers",
            "length",
            "rounds",
            "sample",
            "all",
            "score",
            "rungs",
            "keep",
            "audit",
            "survey_steps",
            "shards",
            "slurm",
            "time",
            "cpus",
            "gres",
            "partition",
            "at_once",
            "shards_per_task",
            "allow_missing",
            "check",
        ],
    ),
    (
        "Model",
        &[
            "model",
            "against",
            "second",
            "baseline",
            "activation",
            "layers",
            "config",
            "scale",
            "mean",
            "std",
            "output",
            "layout",
            "class_names",
        ],
    ),
    (
        "Data",
        &[
            "data",
            "data_dir",
            "resize",
            "white",
            "images_key",
            "labels_key",
            "skip_unreadable",
            "class_order",
            "class_match",
            "label",
            "features",
            "without",
            "delimiter",
            "no_header",
        ],
    ),
    ("Engine", &["engine", "adapter", "threads"]),
    (
        "Output",
        &[
            "out",
            "force",
            "save_frames",
            "summary_only",
            "figures",
            "format",
            "dpi",
            "all_classes",
            "mesh",
            "mark",
            "azimuth",
            "elevation",
            "logits",
            "json",
            "port",
            "no_open",
            "top",
            "shown",
            "verbose",
            "quiet",
            "color",
        ],
    ),
];

/// What `-h` leaves to `--help`.
const RARE: [&str; 58] = [
    "activation",
    "adapter",
    "all_classes",
    "any_items",
    "audit",
    "azimuth",
    "basins",
    "bowl",
    "class_match",
    "class_names",
    "class_order",
    "clipped",
    "color",
    "config",
    "connect",
    "data_dir",
    "delimiter",
    "dpi",
    "drift",
    "dt",
    "edges",
    "elevation",
    "exact",
    "features",
    "format",
    "grid",
    "height",
    "hurst",
    "images_key",
    "label",
    "labels_key",
    "layers",
    "layout",
    "margins",
    "mark",
    "max_regions",
    "mean",
    "mesh",
    "no_header",
    "output",
    "per",
    "per_class",
    "points",
    "potential",
    "quiet",
    "range",
    "resize",
    "resolution",
    "sampling",
    "save_frames",
    "scale",
    "skip_unreadable",
    "std",
    "survey_steps",
    "threads",
    "verbose",
    "white",
    "without",
];

/// The command with its options under headings, and its subcommands likewise.
pub(super) fn grouped(command: Command) -> Command {
    let mut command = command.mut_args(|option| {
        let option = said_once(option);
        let id = option.get_id().to_string();
        let heading = (HEADINGS.iter())
            .find(|(_, ids)| ids.contains(&id.as_str()))
            .map(|(heading, _)| *heading);
        match heading {
            Some(heading) if !option.is_positional() => option
                .help_heading(heading)
                .hide_short_help(RARE.contains(&id.as_str())),
            _ => option,
        }
    });
    let names: Vec<String> = (command.get_subcommands())
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(name, grouped);
    }
    command
}

/// An option's comment is a line for `-h`, and behind it often a longer text that says the same and more:
/// that stands alone in `--help`.
fn said_once(option: Arg) -> Arg {
    let long = (option.get_long_help()).and_then(|long| without_summary(&long.to_string()));
    match long {
        Some(long) => option.long_help(long),
        None => option,
    }
}

/// The text behind its first paragraph, where it begins like that.
fn without_summary(text: &str) -> Option<String> {
    /// So many letters alike are no chance.
    const ALIKE: usize = 10;
    let (summary, more) = text.split_once("\n\n")?;
    let alike = summary
        .chars()
        .zip(more.chars())
        .take_while(|(a, b)| a == b);
    (alike.count() >= ALIKE.min(summary.chars().count())).then(|| more.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_summary_that_is_said_again_is_left_out() {
        let text = "Three classes: 9,4,5\n\nThree classes: 9,4,5. The first fixes group 1";
        let alone = "Three classes: 9,4,5. The first fixes group 1".to_owned();
        assert_eq!(without_summary(text), Some(alone));
        assert_eq!(without_summary("Three classes\n\nBy number or name"), None);
        assert_eq!(without_summary("Three classes"), None);
        let mut command = Cli::arguments();
        command.build();
        each(&command, &mut |command| {
            for option in command.get_arguments() {
                let long = option.get_long_help().map(ToString::to_string);
                let again = long.and_then(|long| without_summary(&long));
                assert_eq!(again, None, "{}", option.get_id());
            }
        });
    }

    fn each(command: &Command, look: &mut dyn FnMut(&Command)) {
        look(command);
        for sub in command.get_subcommands() {
            each(sub, look);
        }
    }

    #[test]
    fn every_option_stands_under_a_heading() {
        let mut seen = Vec::new();
        let mut command = Cli::arguments();
        command.build();
        each(&command, &mut |command| {
            for option in command.get_arguments().filter(|arg| !arg.is_positional()) {
                let id = option.get_id().as_str();
                if !["help", "version"].contains(&id) {
                    assert!(option.get_help_heading().is_some(), "{id}");
                    seen.push(id.to_owned());
                }
            }
        });
        let known = HEADINGS.iter().flat_map(|(_, ids)| *ids).chain(&RARE);
        for id in known {
            assert!(seen.iter().any(|seen| seen == id), "{id} is no option");
        }
    }

    /// On a terminal of 100 columns and 50 lines.
    #[test]
    fn the_short_help_fits_a_screen() {
        let mut command = Cli::arguments().term_width(100);
        command.build();
        each(&command, &mut |command| {
            let lines = command.clone().render_help().to_string().lines().count();
            assert!(lines <= 50, "{}: {lines} lines", command.get_name());
        });
    }
}
