//! `morphscape predict`: class probabilities of images or rows, as CSV on stdout.

use super::options::{ColumnArgs, DataArgs, EngineArgs, ModelArgs};
use super::terminal::Terminal;
use super::text::significant;
use crate::job::{
    FEW_LABELLED, LoadedModel, Note, Observer as _, TableSource, find_image, find_image_for,
    is_table, labels_warning,
};
use crate::landscape::argmax;
use crate::pipeline::classify;
use crate::remedy::{Remedy, Setting};
use anyhow::{bail, ensure};
use std::path::Path;

/// What to classify.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Items of the data set such as t10k#1565, or image files; for a table, rows such as iris#12,
    /// or all rows if none is given
    #[arg(value_name = "ITEM")]
    items: Vec<String>,
    /// Print logits instead of probabilities
    #[arg(long)]
    logits: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Inputs with their names, and the model that is asked.
struct Question {
    items: Vec<String>,
    inputs: Vec<Vec<f32>>,
    model: LoadedModel,
    class_names: Vec<String>,
    /// The labels of those inputs that have one, by the name of the class.
    labels: Vec<Option<String>>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let question = if is_table(args.data.name()) {
        rows(args, terminal)?
    } else {
        images(args, terminal)?
    };
    let engine = args.engine.open(terminal)?;
    let inputs: Vec<&[f32]> = question.inputs.iter().map(Vec::as_slice).collect();
    let answers = classify(engine.as_ref(), &question.model.model, &inputs)?;
    let names = &question.class_names;
    let mut csv = csv::Writer::from_writer(std::io::stdout().lock());
    csv.write_record(
        ["item", "predicted"]
            .into_iter()
            .chain(names.iter().map(String::as_str)),
    )?;
    let rows = if args.logits {
        &answers.logits
    } else {
        &answers.probabilities
    };
    for ((item, row), probabilities) in question
        .items
        .iter()
        .zip(rows.chunks_exact(names.len()))
        .zip(answers.probabilities.chunks_exact(names.len()))
    {
        let predicted = names[argmax(probabilities)].clone();
        // A probability of 0 has no logarithm, and comes back from the smallest number that has one.
        let is_none = |value: f32| !args.logits && value <= f32::MIN_POSITIVE;
        let values = row.iter().map(|&value| match is_none(value) {
            true => "0".to_owned(),
            false => significant(value, 9),
        });
        csv.write_record([item.clone(), predicted].into_iter().chain(values))?;
    }
    csv.flush()?;
    let answers = answers.probabilities.chunks_exact(names.len());
    let asked: Vec<(&str, bool)> = (question.labels.iter().zip(answers))
        .filter_map(|(label, row)| {
            let label = label.as_deref()?;
            Some((label, label == names[argmax(row)]))
        })
        .collect();
    if asked.len() >= FEW_LABELLED
        && let Some(warning) = labels_warning(&question.model, &asked)
    {
        terminal.note(&warning);
    }
    Ok(())
}

fn images(args: &Args, terminal: &Terminal) -> anyhow::Result<Question> {
    if args.items.is_empty() {
        // Rows need no list of items, so the parser cannot ask for one.
        super::wrong_usage(
            "expected at least one ITEM, such as t10k#1565, or an image file, found none (of a table, whose name ends in .csv, .tsv, .tab, .data or .txt, all rows are taken)",
        );
    }
    ensure!(
        !args.columns.is_given(),
        "--label, --features, --without, --delimiter and --no-header belong to a table, and --data {} has images; leave them out",
        args.data.name()
    );
    if let Some(table) =
        (args.items.iter()).find(|item| is_table(item) && Path::new(item).is_file())
    {
        bail!(
            "{table}: expected an image, found a table; give it with --data {table}, and rows of it or none for all"
        );
    }
    let source = args.data.source();
    let data = source.load()?;
    let first = find_image(&args.items[0], &data.images, &source.options)?;
    let mut model = args.model.source()?.load_for_images(first.shape())?;
    // Files alone have nothing to do with a data set that nobody named, and so have their classes.
    let is_file = |item: &String| Path::new(item).is_file();
    let is_alone = !names_data() && args.items.iter().all(is_file);
    let data = match is_alone {
        true => data,
        false => data.match_classes(&model, terminal)?,
    };
    if is_alone && model.model.classes().is_none() {
        let text = format!(
            "{} does not name its classes; they are numbered",
            model.path
        );
        terminal.note(&Note::but(
            text,
            Remedy::new("name them with {}", &[Setting::ClassNames]),
        ));
    }
    model.note_assumptions(terminal);
    model.warn_unscaled(terminal);
    let inputs = args
        .items
        .iter()
        .map(|item| {
            let image = find_image_for(&mut model, item, &data.images, &source.options, terminal)?;
            Ok(image.levels)
        })
        .collect::<anyhow::Result<_>>()?;
    let class_names = match is_alone {
        true => model.class_names(&[]),
        false => model.class_names(data.images.classes()),
    };
    let label = |item: &String| {
        let index = data
            .images
            .index_of(item)
            .ok()
            .filter(|_| !Path::new(item).is_file())?;
        class_names.get(data.images.label(index)).cloned()
    };
    Ok(Question {
        items: args.items.clone(),
        inputs,
        labels: args.items.iter().map(label).collect(),
        class_names,
        model,
    })
}

/// Whether the command line names a data set.
fn names_data() -> bool {
    let words = super::command_words();
    (words.iter()).any(|word| word == "--data" || word.starts_with("--data="))
}

fn rows(args: &Args, terminal: &Terminal) -> anyhow::Result<Question> {
    let data = &args.data;
    if let Some(option) = data.image_option() {
        bail!(
            "{option} belongs to images, and --data {} is a table; leave it out",
            data.name()
        );
    }
    let source = TableSource {
        class_order: data.class_order(),
        ..args.columns.source(data.name(), data.root())?
    };
    let (mut loaded, model) = source.load(&args.model.source()?)?;
    model.note_assumptions(terminal);
    let class_names = loaded.fit(&model.model, &model.path)?;
    loaded.note_assumptions(terminal);
    let table = &loaded.table;
    let positions = if args.items.is_empty() {
        (0..table.len()).collect()
    } else {
        args.items
            .iter()
            .map(|item| Ok(table.index_of(item)?))
            .collect::<anyhow::Result<Vec<usize>>>()?
    };
    let label = |&row: &usize| class_names.get(table.label(row)).cloned();
    Ok(Question {
        labels: positions.iter().map(label).collect(),
        items: positions.iter().map(|&row| table.item_name(row)).collect(),
        inputs: positions
            .iter()
            .map(|&row| table.row(row).to_vec())
            .collect(),
        class_names,
        model,
    })
}
