//! Parse, run, print the error chain, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    linux::start_with_a_runtime_folder();
    morphscape::cli::Cli::of_words(std::env::args_os()).run()
}

/// Where there is no `XDG_RUNTIME_DIR`, as on a server or in CI, Mesa's device-select layer prints
/// an error of its own on stderr for each adapter it looks at, before anything of ours and even
/// with `--quiet`. The loader takes the layer whatever an instance asks for, and a running process
/// cannot set a variable safely, so the program takes its own place with one that is set: a folder
/// in which the layer finds no compositor, and says nothing.
#[cfg(target_os = "linux")]
mod linux {
    use std::env;
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::Command;

    const RUNTIME_FOLDER: &str = "XDG_RUNTIME_DIR";

    pub(super) fn start_with_a_runtime_folder() {
        let is_absolute = |folder: std::ffi::OsString| Path::new(&folder).is_absolute();
        if env::var_os(RUNTIME_FOLDER).is_some_and(is_absolute) {
            return;
        }
        let (folder, mut words) = (env::temp_dir(), env::args_os());
        let (Ok(program), Some(name), true) =
            (env::current_exe(), words.next(), folder.is_absolute())
        else {
            return;
        };
        // Comes back only where it fails, and then there is that line more.
        let _ = Command::new(program)
            .arg0(name)
            .args(words)
            .env(RUNTIME_FOLDER, folder)
            .exec();
    }
}
