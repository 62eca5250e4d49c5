//! `morphscape predict`: class probabilities of images or rows, as CSV on stdout.

use super::options::{DataArgs, EngineArgs, ModelArgs};
use super::terminal::Terminal;
use super::text::significant;
use crate::job::{TableSource, find_image, is_table};
use crate::landscape::argmax;
use crate::model::Model;
use crate::pipeline::classify;
use anyhow::{Context, ensure};

/// What to classify.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Items of the data set such as t10k#1565, or PNG and JPEG files; of a table such as
    /// iris#12, and without any all its rows
    #[arg(value_name = "ITEM")]
    items: Vec<String>,
    /// Logits instead of probabilities
    #[arg(long)]
    logits: bool,
    #[command(flatten)]
    model: ModelArgs,
    /// With --data iris, hawks, seeds or FILE.csv: the column of the file that holds the class
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The columns of a CSV file to take [default: every one but the label]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    features: Vec<String>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

/// Inputs with their names, and the model that is asked.
struct Question {
    items: Vec<String>,
    inputs: Vec<Vec<f32>>,
    model: Model,
    class_names: Vec<String>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let question = if is_table(args.data.name()) {
        rows(args, terminal)?
    } else {
        images(args, terminal)?
    };
    let engine = args.engine.open(terminal)?;
    let inputs: Vec<&[f32]> = question.inputs.iter().map(Vec::as_slice).collect();
    let answers = classify(engine.as_ref(), &question.model, &inputs)?;
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
        let values = row.iter().map(|&value| significant(value, 9));
        csv.write_record([item.clone(), predicted].into_iter().chain(values))?;
    }
    csv.flush()?;
    Ok(())
}

fn images(args: &Args, terminal: &Terminal) -> anyhow::Result<Question> {
    if args.items.is_empty() {
        // Rows need no list of items, so the parser cannot ask for one.
        super::wrong_usage(
            "expected at least one ITEM, such as t10k#1565, or a PNG or JPEG file, found none",
        );
    }
    ensure!(
        args.label.is_none() && args.features.is_empty(),
        "--label and --features belong to a table, and --data {} has images; leave them out",
        args.data.name()
    );
    let mut model = args.model.source()?.load()?;
    let data = args.data.source().load()?.match_classes(&model, terminal)?;
    model.note_assumptions(terminal);
    model.warn_unscaled(terminal);
    let inputs = args
        .items
        .iter()
        .map(|item| {
            let image = find_image(item, &data.images)?;
            model
                .fit_images(image.shape(), terminal)
                .with_context(|| format!("{item} with {}", model.path))?;
            Ok(image.levels)
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(Question {
        items: args.items.clone(),
        inputs,
        class_names: model.class_names(data.images.classes()),
        model: model.model,
    })
}

fn rows(args: &Args, terminal: &Terminal) -> anyhow::Result<Question> {
    let data = &args.data;
    let source = TableSource {
        place: data.name().to_owned(),
        root: data.root().cloned(),
        label: args.label.clone(),
        features: args.features.clone(),
    };
    let mut loaded = source.load()?;
    let model = args.model.source()?.load_for(&loaded)?;
    model.note_assumptions(terminal);
    let class_names = loaded.fit(&model.model, &model.path)?;
    let table = &loaded.table;
    let positions = if args.items.is_empty() {
        (0..table.len()).collect()
    } else {
        args.items
            .iter()
            .map(|item| Ok(table.index_of(item)?))
            .collect::<anyhow::Result<Vec<usize>>>()?
    };
    Ok(Question {
        items: positions.iter().map(|&row| table.item_name(row)).collect(),
        inputs: positions
            .iter()
            .map(|&row| table.row(row).to_vec())
            .collect(),
        class_names,
        model: model.model,
    })
}
