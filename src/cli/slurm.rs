//! Shards of an atlas as an array job of Slurm, whose tasks are this command line.

use crate::atlas::ranges;
use crate::data::write_file;
use anyhow::Context;
use std::path::{Path, PathBuf};

/// The script's file.
const SCRIPT_FILE: &str = "array.sh";

/// What a job asks Slurm for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlurmJob {
    /// `--time` of a task.
    pub(super) time: String,
    /// `--cpus-per-task`.
    pub(super) cpus: u32,
    /// `--gres`, such as `gpu:1`.
    pub(super) gres: Option<String>,
    /// `--partition`.
    pub(super) partition: Option<String>,
    /// Tasks at a time at most.
    pub(super) at_once: Option<usize>,
    /// Shards a task.
    pub(super) shards_a_task: usize,
    /// More arguments of `run`, such as an engine.
    pub(super) arguments: Vec<String>,
    /// The program.
    pub(super) program: PathBuf,
}

/// The environment variables that say which task of an array this is, and whose they are.
pub(super) const INDEX_VARIABLES: [(&str, &str); 5] = [
    ("SLURM_ARRAY_TASK_ID", "Slurm"),
    ("JOB_COMPLETION_INDEX", "Kubernetes"),
    ("PBS_ARRAY_INDEX", "PBS"),
    ("SGE_TASK_ID", "Grid Engine"),
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS Batch"),
];

/// Writes the script of an array job to the atlas's folder, and returns the command that submits it for
/// the shards that are missing. Lists that Slurm would not take as one array are several commands.
pub(super) fn submit_to_slurm(
    folder: &Path,
    missing: &[usize],
    job: &SlurmJob,
) -> anyhow::Result<Vec<String>> {
    /// Indices of an array: the largest is below Slurm's MaxArraySize, 1001 where nobody changed it.
    const INDICES: usize = 1000;
    let log = folder.join("log");
    std::fs::create_dir_all(&log).with_context(|| format!("cannot make {}", log.display()))?;
    let script = folder.join(SCRIPT_FILE);
    write_file(&script, text(folder, job).as_bytes())?;
    let each = job.shards_a_task.max(1);
    let mut tasks: Vec<usize> = missing.iter().map(|shard| shard / each).collect();
    tasks.dedup();
    let at_once = job
        .at_once
        .map_or_else(String::new, |most| format!("%{most}"));
    // Indices count from an offset that the script is given, so that each array is short enough.
    let mut commands = Vec::new();
    let mut rest = &tasks[..];
    while let Some(&first) = rest.first() {
        let number = rest
            .iter()
            .take_while(|&&task| task - first < INDICES)
            .count();
        let (some, others) = rest.split_at(number);
        let own: Vec<usize> = some.iter().map(|task| task - first).collect();
        commands.push(format!(
            "sbatch --array={}{at_once} {} {first}",
            ranges(&own).replace(", ", ","),
            quoted(&script.to_string_lossy())
        ));
        rest = others;
    }
    Ok(commands)
}

fn text(folder: &Path, job: &SlurmJob) -> String {
    let mut text = String::from("#!/bin/sh\n");
    let mut option = |name: &str, value: &str| {
        text.push_str(&format!("#SBATCH --{name}={value}\n"));
    };
    option("job-name", "morphscape-atlas");
    option("time", &job.time);
    option("cpus-per-task", &job.cpus.to_string());
    if let Some(gres) = &job.gres {
        option("gres", gres);
    }
    if let Some(partition) = &job.partition {
        option("partition", partition);
    }
    option("output", &folder.join("log/%A_%a.log").to_string_lossy());
    text.push_str("#SBATCH --requeue\n");
    text.push_str("# A task that is killed is done again; what it has finished stays.\n");
    text.push_str("task=$((SLURM_ARRAY_TASK_ID + ${1:-0}))\n");
    let each = job.shards_a_task.max(1);
    text.push_str(&format!("first=$((task * {each}))\n"));
    let mut words = vec![
        "exec".to_owned(),
        quoted(&job.program.to_string_lossy()),
        "atlas".to_owned(),
        "run".to_owned(),
        quoted(&folder.to_string_lossy()),
    ];
    words.push(match each {
        1 => "--shard $first".to_owned(),
        _ => format!("--shard $first-$((first + {}))", each - 1),
    });
    words.push(format!("--threads {}", job.cpus));
    words.extend(job.arguments.iter().map(|word| quoted(word)));
    text.push_str(&words.join(" "));
    text.push('\n');
    text
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> SlurmJob {
        SlurmJob {
            time: "00:30:00".into(),
            cpus: 4,
            gres: None,
            partition: None,
            at_once: Some(64),
            shards_a_task: 1,
            arguments: vec!["--engine".into(), "cpu".into()],
            program: "/opt/my tools/morphscape".into(),
        }
    }

    #[test]
    fn arrays_are_as_short_as_slurm_takes_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let all: Vec<usize> = (0..2500).filter(|n| *n != 7).collect();
        let commands = submit_to_slurm(folder.path(), &all, &job()).expect("written");
        assert_eq!(commands.len(), 3);
        assert!(
            commands[0].starts_with("sbatch --array=0-6,8-999%64 "),
            "{}",
            commands[0]
        );
        assert!(
            commands[1].starts_with("sbatch --array=0-999%64 "),
            "{}",
            commands[1]
        );
        assert!(commands[1].ends_with(" 1000") && commands[2].ends_with(" 2000"));
        let script = std::fs::read_to_string(folder.path().join("array.sh")).expect("a script");
        assert!(
            script.contains("'/opt/my tools/morphscape' atlas run "),
            "{script}"
        );
        assert!(
            script.contains("--shard $first --threads 4 --engine cpu"),
            "{script}"
        );
        let several = SlurmJob {
            shards_a_task: 10,
            ..job()
        };
        let commands = submit_to_slurm(folder.path(), &all, &several).expect("written");
        assert!(
            commands[0].starts_with("sbatch --array=0-249%64 "),
            "{}",
            commands[0]
        );
    }
}
