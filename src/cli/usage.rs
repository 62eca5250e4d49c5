//! Better words for a command line that the parser refuses. For a word that should be a number it
//! prints Rust's own error about digits, and for an option of another command it suggests whatever is
//! spelled alike.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};
use std::ffi::OsString;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

/// Options of tables of rows, and of images.
const OF_TABLES: [&str; 6] = [
    "label",
    "features",
    "without",
    "delimiter",
    "no-header",
    "per-class",
];
const OF_IMAGES: [&str; 6] = [
    "resize",
    "white",
    "images-key",
    "labels-key",
    "skip-unreadable",
    "match",
];

/// The parser's error about these words, in better words where there are any.
pub(super) fn clearer(error: Error, arguments: &mut Command, words: &[OsString]) -> Error {
    match error.kind() {
        ErrorKind::UnknownArgument => with_owners(error, arguments, words),
        ErrorKind::ValueValidation => match expected(&error) {
            None => error,
            Some(expected) => {
                let text = |kind| match error.get(kind) {
                    Some(ContextValue::String(text)) => text.clone(),
                    _ => String::new(),
                };
                let (value, argument) = (
                    text(ContextKind::InvalidValue),
                    text(ContextKind::InvalidArg),
                );
                let message = format!("invalid value '{value}' for '{argument}': {expected}");
                named(arguments, words).error(ErrorKind::ValueValidation, message)
            }
        },
        _ => error,
    }
}

/// What a value should be.
fn expected(error: &Error) -> Option<String> {
    let source = std::error::Error::source(error)?;
    if source.is::<ParseFloatError>() {
        return Some("expected a number".to_owned());
    }
    if let Some(error) = source.downcast_ref::<ParseIntError>() {
        let expected = match error.kind() {
            IntErrorKind::PosOverflow => "expected a smaller number",
            IntErrorKind::NegOverflow => "expected a larger number",
            _ => "expected a whole number",
        };
        return Some(expected.to_owned());
    }
    // Of a parser with a range: `0 is not in 1..=1000000`.
    let text = source.to_string();
    let (_, range) = text.split_once(" is not in ")?;
    let (least, most) = range.split_once("..=")?;
    Some(format!("expected a whole number from {least} to {most}"))
}

/// The command that a line's words name.
fn named<'a>(arguments: &'a mut Command, words: &[OsString]) -> &'a mut Command {
    arguments.build();
    let mut command = arguments;
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        if command.find_subcommand(word).is_some() {
            command = (command.find_subcommand_mut(word)).expect("it was found");
        }
    }
    command
}

/// Names the commands that have the option which this one does not.
fn with_owners(mut error: Error, arguments: &mut Command, words: &[OsString]) -> Error {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let name = argument.trim_start_matches("--");
    let owners = owners(name, arguments, "");
    if !argument.starts_with("--") || owners.is_empty() {
        return error;
    }
    let owners = owners.join(", ");
    let tip = if OF_TABLES.contains(&name) {
        format!("'--{name}' is for tables, which go to: {owners}")
    } else if OF_IMAGES.contains(&name) {
        format!("'--{name}' is for images, which go to: {owners}")
    } else {
        format!("'--{name}' is an option of: {owners}")
    };
    // What is spelled alike was not meant, and the usage shows it.
    error.remove(ContextKind::SuggestedArg);
    let usage = named(arguments, words).render_usage();
    error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
    error.insert(ContextKind::Suggested, tip);
    error
}

/// The commands that have an option, in their order.
fn owners(option: &str, command: &Command, before: &str) -> Vec<String> {
    let subcommands = command.get_subcommands();
    let found = subcommands.flat_map(|own| {
        let name = format!("{before}{}", own.get_name());
        let deeper = owners(option, own, &format!("{name} "));
        let has = own
            .get_arguments()
            .any(|known| known.get_long() == Some(option));
        has.then_some(name).into_iter().chain(deeper)
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;

    fn said(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let mut arguments = Cli::arguments();
        let error = arguments
            .try_get_matches_from_mut(&words)
            .expect_err("no command");
        clearer(error, &mut arguments, &words).to_string()
    }

    #[test]
    fn words_that_should_be_numbers_are_named() {
        for (line, expected) in [
            (
                "morphscape sweep --groups two",
                "invalid value 'two' for '--groups <N>': expected a whole number\n",
            ),
            (
                "morphscape sweep --groups 0",
                "invalid value '0' for '--groups <N>': expected a whole number from 1 to 1000000\n",
            ),
            (
                "morphscape --threads x sweep",
                "invalid value 'x' for '--threads <N>': expected a whole number\n",
            ),
            (
                "morphscape sweep --seed 99999999999999999999",
                "'--seed <N>': expected a smaller number\n",
            ),
            (
                "morphscape walk --temperature warm",
                "'--temperature <T>': expected a number\n",
            ),
            (
                "morphscape atlas plan --rungs 6,,21",
                "'--rungs <N,N,...>': expected a whole number\n",
            ),
        ] {
            let said = said(line);
            assert!(said.contains(expected), "{line}: {said}");
            assert!(said.contains("Usage: "), "{line}: {said}");
        }
        let atlas = said("morphscape atlas plan --seed x");
        assert!(atlas.contains("Usage: morphscape atlas plan"), "{atlas}");
    }

    #[test]
    fn options_of_other_commands_are_named_with_their_commands() {
        for (line, expected) in [
            (
                "morphscape sweep --data fruit.csv --label kind",
                "tip: '--label' is for tables, which go to: interpolate, line, models, ",
            ),
            (
                "morphscape interpolate --resize 28x28",
                "tip: '--resize' is for images, which go to: sweep, compare, ",
            ),
            (
                "morphscape compare --resolution",
                "tip: '--resolution' is an option of: sweep, interpolate",
            ),
        ] {
            let said = said(line);
            assert!(said.contains(expected), "{line}: {said}");
            assert_eq!(said.matches("tip:").count(), 1, "{line}: {said}");
            assert!(said.contains(" [OPTIONS]\n"), "{line}: {said}");
        }
        // A slip is still one.
        let slip = said("morphscape sweep --lables-key x");
        assert!(
            slip.contains("a similar argument exists: '--labels-key'"),
            "{slip}"
        );
    }
}
