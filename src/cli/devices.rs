//! `morphscape devices`

use super::text::table;
use crate::engine::gpu::{AdapterKind, list_adapters};
use std::io::Write;

/// Nothing to choose.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> anyhow::Result<()> {
    let adapters = list_adapters();
    let auto = adapters
        .iter()
        .position(|adapter| adapter.kind != AdapterKind::Software);
    let heading = [
        "",
        "name",
        "kind",
        "backend",
        "driver",
        ">storage binding",
        ">workgroups",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (i, adapter) in adapters.iter().enumerate() {
        let kind = match adapter.kind {
            AdapterKind::Discrete => "discrete GPU",
            AdapterKind::Integrated => "integrated GPU",
            AdapterKind::Virtual => "virtual or other GPU",
            AdapterKind::Software => "software",
        };
        rows.push(vec![
            mark(auto == Some(i)),
            adapter.name.clone(),
            kind.into(),
            adapter.backend.clone(),
            adapter.driver.clone(),
            format!("{} MiB", adapter.max_storage_binding_bytes >> 20),
            adapter.max_workgroups.to_string(),
        ]);
    }
    let threads = format!("{} threads", rayon::current_num_threads());
    rows.push(vec![
        mark(auto.is_none()),
        "CPU engine".into(),
        threads,
        "-".into(),
        "-".into(),
        "-".into(),
        "-".into(),
    ]);
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{}", table(&rows))?;
    if adapters.is_empty() {
        writeln!(
            stdout,
            "no adapter found: no Vulkan, Metal or DX12 driver is installed"
        )?;
    }
    writeln!(stdout, "* what --engine auto takes")?;
    Ok(())
}

fn mark(taken: bool) -> String {
    if taken { "*".into() } else { String::new() }
}
