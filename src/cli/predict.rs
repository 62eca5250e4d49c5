//! `morphscape predict`: class probabilities of images, as CSV on stdout.

use super::Verbosity;
use super::items::find_image;
use super::options::{DataArgs, EngineArgs, ModelArgs};
use super::text::significant;
use crate::landscape::argmax;
use crate::pipeline::classify;
use anyhow::Context;

/// What to classify.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Items of the data set such as t10k#1565, or PNG and JPEG files
    #[arg(required = true, value_name = "ITEM")]
    items: Vec<String>,
    /// Logits instead of probabilities
    #[arg(long)]
    logits: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
}

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let model = args.model.load()?;
    let data = args.data.load(model.model.classes())?;
    model.warn_unscaled(verbosity);
    let images = args
        .items
        .iter()
        .map(|item| {
            let image = find_image(item, &data.images)?;
            model
                .model
                .check_image_shape(image.shape())
                .with_context(|| format!("{item} with {}", model.path))?;
            Ok(image)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let inputs: Vec<&[f32]> = images.iter().map(|image| image.levels.as_slice()).collect();
    let engine = args.engine.open(verbosity)?;
    let answers = classify(engine.as_ref(), &model.model, &inputs)?;
    let names = model.class_names(data.images.classes());
    let classes = names.len();
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
    for ((item, row), probabilities) in args
        .items
        .iter()
        .zip(rows.chunks_exact(classes))
        .zip(answers.probabilities.chunks_exact(classes))
    {
        let predicted = names[argmax(probabilities)].clone();
        let values = row.iter().map(|&value| significant(value, 9));
        csv.write_record([item.clone(), predicted].into_iter().chain(values))?;
    }
    csv.flush()?;
    Ok(())
}
