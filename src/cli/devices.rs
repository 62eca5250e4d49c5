//! `morphscape devices`: the adapters there are, and whether each computes what it should.

use super::terminal::Terminal;
use super::text::table;
use crate::engine::gpu::{AdapterKind, AdapterSummary, GpuEngine, list_adapters};
use crate::engine::{Checked, Engine, EngineError, INSTALL_A_DRIVER, check};
use crate::kernels::{Kernel, Loads};
use anyhow::ensure;
use std::io::Write;
use std::time::Duration;

/// What to look at.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run every variant of every kernel on each adapter and compare it with the CPU engine; exit
    /// code 1 if one is wrong. Most of the time goes into compiling, on a software adapter half a
    /// minute of a core. With -v, print a line for each case
    #[arg(long)]
    check: bool,
    /// Check only adapters whose names contain this
    #[arg(long, value_name = "NAME", requires = "check")]
    adapter: Option<String>,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    match args.check {
        true => check_adapters(args.adapter.as_deref(), terminal),
        false => list(),
    }
}

fn list() -> anyhow::Result<()> {
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
        rows.push(vec![
            mark(auto == Some(i)),
            adapter.name.clone(),
            kind_name(adapter.kind).into(),
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

fn kind_name(kind: AdapterKind) -> &'static str {
    match kind {
        AdapterKind::Discrete => "discrete GPU",
        AdapterKind::Integrated => "integrated GPU",
        AdapterKind::Virtual => "virtual or other GPU",
        AdapterKind::Software => "software",
    }
}

fn mark(taken: bool) -> String {
    if taken { "*".into() } else { String::new() }
}

/// Checks the adapters whose names contain `wanted`, or all, and prints a table for each.
fn check_adapters(wanted: Option<&str>, terminal: &Terminal) -> anyhow::Result<()> {
    let adapters = list_adapters();
    // The remedy of the error itself ends with an option that this command does not have.
    ensure!(
        !adapters.is_empty(),
        "{}; {INSTALL_A_DRIVER}",
        EngineError::NoAdapter
    );
    let chosen = chosen(&adapters, wanted)?;
    let mut wrong = 0;
    let mut cases = 0;
    let [os, arch] = [std::env::consts::OS, std::env::consts::ARCH];
    writeln!(
        std::io::stdout(),
        "version {}, {os} {arch}",
        super::version()
    )?;
    for number in chosen {
        let adapter = &adapters[number];
        terminal.say_more(format!("checking {}", adapter.name));
        let open = |loads| {
            let engine = GpuEngine::open_listed(number, loads)?;
            Ok(Box::new(engine) as Box<dyn Engine>)
        };
        let rows = check(&open);
        print_checked(adapter, &rows, terminal.is_verbose())?;
        cases += rows.len();
        wrong += rows.iter().filter(|row| !row.verdict.agrees()).count();
    }
    ensure!(
        wrong == 0,
        "{wrong} of {cases} cases are wrong; expected what the CPU engine computes"
    );
    Ok(())
}

/// Numbers of the adapters whose names contain `wanted`, or of all.
fn chosen(adapters: &[AdapterSummary], wanted: Option<&str>) -> Result<Vec<usize>, EngineError> {
    let wanted = wanted.unwrap_or_default();
    let fits = |name: &str| name.to_lowercase().contains(&wanted.to_lowercase());
    let chosen: Vec<usize> = (0..adapters.len())
        .filter(|&number| fits(&adapters[number].name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = adapters.iter().map(|a| a.name.as_str()).collect();
        return Err(EngineError::UnknownAdapter {
            wanted: wanted.to_owned(),
            found: names.join("; "),
        });
    }
    Ok(chosen)
}

/// An adapter's table: a line for each kernel and way of loading, and one for each case that is
/// wrong, or for each case.
fn print_checked(
    adapter: &AdapterSummary,
    rows: &[Checked],
    every_case: bool,
) -> anyhow::Result<()> {
    let heading = [
        "kernel",
        "loads",
        "case",
        ">largest error",
        ">time",
        "verdict",
    ];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    let same = |a: &Checked, b: &Checked| (a.kernel, a.loads) == (b.kernel, b.loads);
    for rows in rows.chunk_by(same) {
        if every_case {
            lines.extend(rows.iter().map(case_line));
            continue;
        }
        let (well, wrong): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.verdict.agrees());
        if let Some(first) = well.first() {
            let largest = well.iter().map(|row| row.largest_error).fold(0.0, f32::max);
            let time = well.iter().map(|row| row.time).sum();
            let case = format!("{} of {}", well.len(), rows.len());
            lines.push(line(first, case, largest, time));
        }
        lines.extend(wrong.into_iter().map(case_line));
    }
    let time: Duration = rows.iter().map(|row| row.time).sum();
    let wrong = rows.iter().filter(|row| !row.verdict.agrees()).count();
    let mut stdout = std::io::stdout().lock();
    writeln!(
        stdout,
        "\n{}, {}, {}, {}; the program loads from {}",
        adapter.name,
        kind_name(adapter.kind),
        adapter.backend,
        adapter.driver,
        adapter.loads().name()
    )?;
    write!(stdout, "{}", table(&lines))?;
    match wrong {
        0 => writeln!(stdout, "{} cases agree, {:.1?}", rows.len(), time)?,
        wrong => writeln!(stdout, "{wrong} of {} cases are wrong", rows.len())?,
    }
    Ok(())
}

fn case_line(row: &Checked) -> Vec<String> {
    line(row, row.case.clone(), row.largest_error, row.time)
}

fn line(row: &Checked, case: String, largest_error: f32, time: Duration) -> Vec<String> {
    vec![
        row.kernel.to_string(),
        loads_name(row.kernel, row.loads).to_owned(),
        case,
        match largest_error {
            0.0 => "0".to_owned(),
            error if error.is_finite() => format!("{error:.1e}"),
            _ => "-".to_owned(),
        },
        format!("{} ms", time.as_millis()),
        row.verdict.to_string(),
    ]
}

/// A dash where a kernel has no scattered loads.
fn loads_name(kernel: Kernel, loads: Loads) -> &'static str {
    match kernel.spec().loads() {
        [_] => "-",
        _ => loads.name(),
    }
}
