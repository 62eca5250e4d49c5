//! `morphscape model`: what a model file holds, and converting it.

use super::options::ModelFileArgs;
use super::terminal::Terminal;
use super::text::{counted, option_name, table};
use crate::model::{Model, Network, Steps, convert_model, read_model};
use crate::remedy::respelled;
use anyhow::{Context, ensure};
use std::io::Write;
use std::path::PathBuf;

/// Which file.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    /// The model: a .keras, .h5, .safetensors, .onnx or model.json file
    #[arg(id = "model", value_name = "FILE", required = true)]
    path: Option<PathBuf>,
    #[command(flatten)]
    file: ModelFileArgs,
    #[command(subcommand)]
    convert: Option<Convert>,
}

#[derive(Debug, clap::Subcommand)]
enum Convert {
    /// Write the model as one .safetensors file that contains everything the options add
    Convert(ConvertArgs),
}

#[derive(Debug, clap::Args)]
struct ConvertArgs {
    /// The model: a .keras, .h5 or .safetensors file
    #[arg(id = "model", value_name = "IN")]
    from: PathBuf,
    /// The file to write
    #[arg(value_name = "OUT.safetensors")]
    to: PathBuf,
    #[command(flatten)]
    file: ModelFileArgs,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    match (&args.convert, &args.path) {
        (Some(Convert::Convert(args)), _) => convert(args, terminal),
        (None, Some(path)) => {
            let model = read_model(path, &args.file.options()?)
                .with_context(|| path.display().to_string())?;
            write!(std::io::stdout().lock(), "{}", listing(&model))?;
            Ok(())
        }
        (None, None) => unreachable!("the parser asks for a file"),
    }
}

fn convert(args: &ConvertArgs, terminal: &Terminal) -> anyhow::Result<()> {
    let (from, to) = (args.from.display(), args.to.display());
    ensure!(
        args.to
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("safetensors")),
        "{to}: expected a name that ends in .safetensors"
    );
    ensure!(
        args.force || !args.to.exists(),
        "{to} is there already; give --force to write over it, or another name"
    );
    let converted =
        convert_model(&args.from, &args.file.options()?).with_context(|| from.to_string())?;
    for note in converted.model.notes() {
        terminal.say(format!("note: {from}: {}", respelled(note, option_name)));
    }
    if let Some(folder) = args.to.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    converted.write(&args.to)?;
    terminal.say(format!("{from} written to {to}"));
    Ok(())
}

fn listing(model: &Model) -> String {
    let sizes = |sizes: &[usize]| {
        let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
        sizes.join(" x ")
    };
    let layers = model.layers();
    let parameters: usize = layers.iter().map(|layer| layer.parameters).sum();
    let classes = match model.classes() {
        Some(names) => format!("{}: {}", names.len(), names.join(", ")),
        None => format!("{}, without names", model.num_classes()),
    };
    let input = model.input_shape().map_or_else(|| "any".to_owned(), sizes);
    let scaling = match model.scales_input() {
        true => "scaled by the model",
        false => "not scaled: given as they are",
    };
    let mut lines = vec![
        ("input", format!("{input}, {scaling}")),
        ("classes", classes),
    ];
    if let Some(features) = model.features() {
        lines.push(("features", features.join(", ")));
    }
    lines.push(("parameters", grouped(parameters)));
    lines.push(("runs as", model.network().to_string()));
    let notes = model.notes().iter();
    lines.extend(notes.map(|note| ("note", respelled(note, option_name))));
    lines.push(("SHA-256", model.sha256().to_owned()));
    let mut text: String = lines
        .iter()
        .map(|(name, value)| format!("{name:<11} {value}\n"))
        .collect();
    let shapes = layers.iter().any(|layer| !layer.shape.is_empty());
    let mut heading = vec!["layer".to_owned(), "class".to_owned()];
    heading.extend(shapes.then(|| ">output".to_owned()));
    heading.push(">parameters".to_owned());
    let mut rows = vec![heading];
    rows.extend(layers.iter().map(|layer| {
        let mut row = vec![layer.name.clone(), layer.class.clone()];
        row.extend(shapes.then(|| sizes(&layer.shape)));
        row.push(grouped(layer.parameters));
        row
    }));
    text.push_str(&format!(
        "\n{}:\n{}",
        counted(layers.len(), "layer"),
        table(&rows)
    ));
    if let Network::Steps(steps) = model.network() {
        text.push_str(&format!("\n{}", running(steps)));
    }
    text
}

/// The steps as they run, and the layers of the file that each of them does.
fn running(steps: &Steps) -> String {
    let flop = steps.flop();
    let heading = [">step", "kernel", ">takes", ">output", ">FLOP", "layers"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (number, (step, flop)) in steps.all().iter().zip(&flop).enumerate() {
        let takes: Vec<String> = (step.takes.iter())
            .map(|&value| match value {
                0 => "input".to_owned(),
                step => step.to_string(),
            })
            .collect();
        let shape: Vec<String> = step.shape.iter().map(usize::to_string).collect();
        rows.push(vec![
            (number + 1).to_string(),
            step.layer.kernel().spec().name.to_owned(),
            takes.join(", "),
            shape.join(" x "),
            grouped(*flop as usize),
            step.layers.join(", "),
        ]);
    }
    let total: u64 = flop.iter().sum();
    format!(
        "{}, {} FLOP an input:\n{}",
        counted(steps.all().len(), "step"),
        grouped(total as usize),
        table(&rows)
    )
}

/// `105,866`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let (first, rest) = digits.split_at(digits.len() % 3);
    let groups = (!first.is_empty()).then_some(first);
    let rest: Vec<&str> = (0..rest.len() / 3)
        .map(|n| &rest[3 * n..3 * n + 3])
        .collect();
    groups.into_iter().chain(rest).collect::<Vec<_>>().join(",")
}
